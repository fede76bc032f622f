"""Draw some images of each class of the data set, in each language of the study."""

import argparse
import json
from pathlib import Path

from study.data import datasets
from study.data.sources import CHECKSUMS
from study.support import receipts
from study.support.errors import report_errors
from study.support.language import Language


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="results/plan.json")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set's files")
    parser.add_argument("--output", type=Path, required=True, help="folder of the figures")
    parser.add_argument("--receipt", type=Path, help="where to note what it was made from")
    arguments = parser.parse_args()
    # Not before: matplotlib goes by the environment that it finds when it is imported.
    from study.figures import drawing, mosaic

    plan = json.loads(arguments.plan.read_text(encoding="utf-8"))
    dataset = datasets.describe(plan["dataset"])
    read = [arguments.data / CHECKSUMS]
    with receipts.receipt(arguments.receipt, arguments.plan, read) as made:
        for code in plan["languages"]:
            mosaic.draw(dataset, arguments.data, Language(code), arguments.output)
            made += drawing.files(arguments.output, "mosaic", code)


if __name__ == "__main__":
    main()
