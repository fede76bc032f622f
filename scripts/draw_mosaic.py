"""Draw some images of each class of the data set, in each language of the study."""

import argparse
from pathlib import Path

from study.data import datasets
from study.figures import mosaic
from study.support.errors import report_errors
from study.support.language import Language


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="a name, or the path of a description")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set's files")
    parser.add_argument("--languages", nargs="+", required=True, help="codes of languages")
    parser.add_argument("--output", type=Path, required=True, help="folder of the figures")
    arguments = parser.parse_args()

    dataset = datasets.describe(arguments.dataset)
    for code in arguments.languages:
        mosaic.draw(dataset, arguments.data, Language(code), arguments.output)


if __name__ == "__main__":
    main()
