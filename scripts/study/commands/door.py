"""The way into a command, by `study` or by its script: its words are read, its errors are told."""

import argparse
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol

from study.support.errors import report_errors


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """As Python tells an error that nothing has caught, but for Ctrl-C, which is none."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)


# From here on: the libraries behind a command take a second to import.
sys.excepthook = _tell


class Command(Protocol):
    """A module of this room that does something."""

    __doc__: str | None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say what the command is told, and by which words."""

    def run(self, args: argparse.Namespace) -> None:
        """Do it."""


def summary(documentation: str | None) -> str:
    """What a command does, by the first paragraph of its docstring."""
    return (documentation or "").partition("\n\n")[0]


def enter(command: Command, words: Sequence[str] | None = None, called: str | None = None) -> None:
    """Do what the words ask of the command: those of the command line, if no others are given."""

    @report_errors
    def program() -> None:
        parser = argparse.ArgumentParser(prog=called, description=summary(command.__doc__))
        command.add_arguments(parser)
        command.run(parser.parse_args(words))

    program()
