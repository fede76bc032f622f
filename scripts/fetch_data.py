"""Fetch a data set's files from the first source that has them, and verify them."""

import argparse
import functools
import sys
from pathlib import Path

from study.data.datasets import describe
from study.data.sources import fetch
from study.support.errors import report_errors


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--dataset",
        required=True,
        help="an entry of resources/datasets.yaml, or the path of a YAML file of that form",
    )
    parser.add_argument(
        "--source",
        action="append",
        required=True,
        dest="sources",
        help="torchvision, debian, or a folder with the files, plain or .gz; "
        "may be repeated, and sources are tried in order",
    )
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        help="folder for the decompressed files and checksums.sha256",
    )
    arguments = parser.parse_args()
    fetch(
        describe(arguments.dataset),
        arguments.sources,
        arguments.output,
        tell=functools.partial(print, file=sys.stderr, flush=True),
    )


if __name__ == "__main__":
    main()
