"""Choose the final model by the experiments' results: the best value of each."""

import argparse
import json
from pathlib import Path

from study.data import datasets
from study.results import findings, metrics, summary
from study.search import best_of_each
from study.support import receipts
from study.support.errors import report_errors
from study.support.files import write_text


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="what to choose by, as plan.json")
    parser.add_argument("--runs", type=Path, required=True, help="the folder of all runs")
    parser.add_argument("--output", type=Path, required=True, help="choice.json")
    parser.add_argument("--receipt", type=Path, help="where to note what it was made from")
    args = parser.parse_args()

    plan = json.loads(args.plan.read_text(encoding="utf-8"))
    read = metrics.files(plan["runs"], args.runs)
    with receipts.receipt(args.receipt, args.plan, read) as made:
        measures = metrics.collect(plan["runs"], args.runs).to_pandas()
        name = datasets.describe(plan["dataset"]).name
        summarised = summary.summarise(plan, measures, name).to_pandas()
        chosen = best_of_each.choose(findings.experiments(plan, summarised, measures), plan)
        write_text(args.output, chosen.to_json())
        made.append(args.output)


if __name__ == "__main__":
    main()
