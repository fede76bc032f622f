"""Draw the figures of the final model in each language of the study."""

import argparse
import json
from pathlib import Path

import pandas as pd

from study import final_figures
from study.errors import report_errors
from study.language import Language


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="results/plan.json")
    parser.add_argument("--metrics", type=Path, required=True, help="results/metrics.parquet")
    parser.add_argument("--summary", type=Path, required=True, help="results/summary.parquet")
    parser.add_argument("--evaluation", type=Path, required=True, help="results/final.safetensors")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set's files")
    parser.add_argument("--output", type=Path, required=True, help="folder of the figures")
    arguments = parser.parse_args()

    plan = json.loads(arguments.plan.read_text(encoding="utf-8"))
    metrics = pd.read_parquet(arguments.metrics, columns=final_figures.METRICS_COLUMNS)
    summary = pd.read_parquet(arguments.summary)
    model = final_figures.collect(plan, metrics, summary, arguments.evaluation, arguments.data)
    for code in plan["languages"]:
        final_figures.draw(model, Language(code), arguments.output)


if __name__ == "__main__":
    main()
