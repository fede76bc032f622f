"""Draw the figures of experiments, from their runs' records, in each language of the study."""

import argparse
import json
from pathlib import Path

from study.results import metrics
from study.support import receipts
from study.support.errors import report_errors
from study.support.language import Language


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="results/plan.json")
    parser.add_argument("--runs", type=Path, required=True, help="results/runs")
    parser.add_argument("--experiments", nargs="+", help="their names; else all of the plan")
    parser.add_argument("--output", type=Path, required=True, help="folder of the figures")
    parser.add_argument("--receipt", type=Path, help="where to note what it was made from")
    arguments = parser.parse_args()
    # Not before: matplotlib goes by the environment that it finds when it is imported.
    from study.figures import drawing, experiment_data, experiment_figures

    plan = json.loads(arguments.plan.read_text(encoding="utf-8"))
    read = metrics.files(plan["runs"], arguments.runs)
    with receipts.receipt(arguments.receipt, arguments.plan, read) as made:
        names = [experiment["name"] for experiment in plan["experiments"]]
        for name in arguments.experiments or names:
            experiment = experiment_data.measured(plan, arguments.runs, name)
            for code in plan["languages"]:
                experiment_figures.draw(experiment, Language(code), arguments.output)
                made += drawing.files(arguments.output, name, code)


if __name__ == "__main__":
    main()
