"""Draw the figures of experiments, from their runs' records, in each language of the study."""

import argparse
import json
from pathlib import Path

from study.figures import experiment_data, experiment_figures
from study.support.errors import report_errors
from study.support.language import Language


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="results/plan.json")
    parser.add_argument("--runs", type=Path, required=True, help="results/runs")
    parser.add_argument("--experiments", nargs="+", required=True, help="their names")
    parser.add_argument("--output", type=Path, required=True, help="folder of the figures")
    arguments = parser.parse_args()

    plan = json.loads(arguments.plan.read_text(encoding="utf-8"))
    for name in arguments.experiments:
        experiment = experiment_data.measured(plan, arguments.runs, name)
        for code in plan["languages"]:
            experiment_figures.draw(experiment, Language(code), arguments.output)


if __name__ == "__main__":
    main()
