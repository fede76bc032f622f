"""Draw some images of each class of the data set, in each language of the study."""

import argparse
import json
from pathlib import Path

from study import final_figures
from study.errors import report_errors
from study.language import Language


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="results/plan.json")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set's files")
    parser.add_argument("--output", type=Path, required=True, help="folder of the figures")
    arguments = parser.parse_args()

    plan = json.loads(arguments.plan.read_text(encoding="utf-8"))
    for code in plan["languages"]:
        final_figures.draw_mosaic(plan, arguments.data, Language(code), arguments.output)


if __name__ == "__main__":
    main()
