"""Draw the figures of all experiments in one language of the study."""

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
    parser.add_argument("--language", required=True, help="code of a language")
    parser.add_argument("--output", type=Path, required=True, help="folder of the figures")
    arguments = parser.parse_args()

    plan = json.loads(arguments.plan.read_text(encoding="utf-8"))
    metrics = pd.read_parquet(arguments.metrics, columns=METRICS_COLUMNS)
    summary = pd.read_parquet(arguments.summary)
    language = Language(arguments.language)
    for experiment in plan["experiments"]:
        collected = collect(plan, metrics, summary, experiment["name"])
        experiment_figures.draw(collected, language, arguments.output)


if __name__ == "__main__":
    main()
