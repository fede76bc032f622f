"""Fetch a data set's files from the first source that has them, and verify them.

With a study's config they are held against it too: what cannot go together is told here, before
anything is trained.
"""

import argparse
import functools
import sys
from pathlib import Path

from study.commands import options
from study.data import datasets
from study.spec import config, data_fit
from study.spec.resolution import resolve


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dataset",
        required=True,
        help="an entry of resources/datasets.yaml, the path of a YAML file of that form, "
        "or a mapping with another form, as JSON",
    )
    parser.add_argument(
        "--source",
        action="append",
        required=True,
        dest="sources",
        help="torchvision, debian, or a folder with the files, plain or .gz; "
        "may be repeated, and sources are tried in order",
    )
    options.add(parser, "--output", help="folder for the decompressed files and checksums.sha256")
    fitting = "a study's config, which must fit the data that are fetched"
    options.add(parser, "--configfile", default=None, help=fitting)


def run(arguments: argparse.Namespace) -> None:
    tell = functools.partial(print, file=sys.stderr, flush=True)
    dataset = datasets.describe(datasets.from_word(arguments.dataset))
    study = arguments.configfile and resolve(config.load([arguments.configfile]))

    def check(folder: Path) -> None:
        if study:
            for note in data_fit.check_files(study, dataset, folder):
                tell(f"note: {note}")

    if study:
        data_fit.check_description(study, dataset)
    dataset.fetch(arguments.output, arguments.sources, tell, check)
