"""Begin a study of your own: a folder with a commented config to change."""

import argparse
import shlex
from pathlib import Path

from study.support.errors import StudyError
from study.support.files import write_text
from study.support.resources import resource

TEMPLATE = resource("configs/template.yaml")

# What the workflow makes, beside what a person writes.
IGNORED = "/results/\n/.snakemake/\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", help="the new study's folder")


def run(args: argparse.Namespace) -> None:
    folder = Path(args.folder)
    if folder == Path():
        raise StudyError("say what the folder is called: make new-study NAME=my-study")
    place = shlex.join([f"FOLDER={folder}"])
    config = folder / "config.yaml"
    if config.exists():
        raise StudyError(f"{config}: is there already; run it: make report {place}")
    write_text(config, TEMPLATE.read_text(encoding="utf-8"))
    write_text(folder / ".gitignore", IGNORED)
    print(f"{config} is yours to change. Then:")
    print(f"  make plan {place}      what will be trained, and what it will cost")
    print(f"  make report {place}    train it and write the report")
