"""Draw the figure of one experiment in each language of the study."""

import argparse
import json
from pathlib import Path

import pandas as pd

from study import experiment_figures
from study.errors import report_errors
from study.experiment_data import METRICS_COLUMNS, collect
from study.language import Language


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="results/plan.json")
    parser.add_argument("--metrics", type=Path, required=True, help="results/metrics.parquet")
    parser.add_argument("--summary", type=Path, required=True, help="results/summary.parquet")
    parser.add_argument("--experiment", required=True, help="name of the experiment")
    parser.add_argument("--output", type=Path, required=True, help="folder of the figures")
    arguments = parser.parse_args()

    plan = json.loads(arguments.plan.read_text(encoding="utf-8"))
    metrics = pd.read_parquet(arguments.metrics, columns=METRICS_COLUMNS)
    summary = pd.read_parquet(arguments.summary)
    experiment = collect(plan, metrics, summary, arguments.experiment)
    for code in plan["languages"]:
        experiment_figures.draw(experiment, Language(code), arguments.output)


if __name__ == "__main__":
    main()
