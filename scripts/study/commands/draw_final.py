"""Draw the figures of the final model, from its run's record, in each language of the study."""

import argparse
import json
from pathlib import Path

from study.data.sources import CHECKSUMS
from study.support import receipts
from study.support.errors import report_errors
from study.support.language import Language


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="results/plan.json")
    parser.add_argument("--runs", type=Path, required=True, help="results/runs")
    parser.add_argument("--evaluation", type=Path, required=True, help="results/final.safetensors")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set's files")
    parser.add_argument("--output", type=Path, required=True, help="folder of the figures")
    parser.add_argument("--receipt", type=Path, help="where to note what it was made from")
    arguments = parser.parse_args()
    # Not before: matplotlib goes by the environment that it finds when it is imported.
    from study.figures import drawing, final_figures

    plan = json.loads(arguments.plan.read_text(encoding="utf-8"))
    record = arguments.runs / plan["final"]["run"] / "record.parquet"
    read = [record, arguments.evaluation, arguments.data / CHECKSUMS]
    with receipts.receipt(arguments.receipt, arguments.plan, read) as made:
        model = final_figures.collect(plan, arguments.runs, arguments.evaluation, arguments.data)
        for code in plan["languages"]:
            final_figures.draw(model, Language(code), arguments.output)
            for name in final_figures.NAMES:
                made += drawing.files(arguments.output, name, code)


if __name__ == "__main__":
    main()
