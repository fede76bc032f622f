"""Errors that a person can mend, told in one message."""

import functools
import os
import signal
import sys
from collections.abc import Callable

from study.support import environment


class StudyError(Exception):
    """What is wrong, where (file and key), and what to do about it, in one message.

    Text of files is quoted in it: what a terminal would act on is written out.
    """

    def __init__(self, message: str):
        super().__init__("\n".join(map(printable, message.split("\n"))))


def printable(text: str) -> str:
    """`text` with all that does not print, such as a terminal's commands, written out."""
    if text.isprintable():
        return text
    return "".join(
        mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text
    )


def report_errors(main: Callable[[], None]) -> Callable[[], None]:
    """Make a program end with one line on stderr and exit code 1, where a person can mend it.

    An `OSError` with an errno (disk full, no permission) is told the same way, naming the file.
    What the environment must not decide is taken out of it first.
    """

    @functools.wraps(main)
    def program() -> None:
        environment.settle()
        try:
            main()
        except StudyError as error:
            sys.exit(f"error: {error}")
        except KeyboardInterrupt:
            # As a shell says it of a program that Ctrl-C has ended.
            sys.exit(128 + signal.SIGINT)
        except OSError as error:
            if error.errno is None:
                raise
            place = f"{error.filename}: " if error.filename else ""
            sys.exit(f"error: {place}{os.strerror(error.errno)}")

    return program
