"""Write docs/reference/config.md: every key of config.yaml, from the schemas."""

import argparse

from study.commands import options
from study.spec import config_reference
from study.support.files import write_text
from study.support.resources import project_file

REFERENCE = project_file("docs/reference/config.md")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--output", required=False, default=REFERENCE, help="config.md")


def run(args: argparse.Namespace) -> None:
    write_text(args.output, config_reference.text())
