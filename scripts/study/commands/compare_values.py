"""Compute comparisons.parquet: the differences between each experiment's values, tested."""

import argparse
import json
from pathlib import Path

import pandas as pd

from study.results import comparisons, experiments
from study.runs import provenance, records
from study.support import receipts
from study.support.errors import report_errors


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="results/plan.json")
    parser.add_argument("--metrics", type=Path, required=True, help="metrics.parquet")
    parser.add_argument("--summary", type=Path, required=True, help="summary.parquet")
    parser.add_argument("--output", type=Path, required=True, help="comparisons.parquet")
    parser.add_argument("--receipt", type=Path, help="where to note what it was made from")
    args = parser.parse_args()

    plan = json.loads(args.plan.read_text(encoding="utf-8"))
    with receipts.receipt(args.receipt, args.plan, [args.summary, args.metrics]) as made:
        summary = pd.read_parquet(args.summary)
        metrics = pd.read_parquet(args.metrics, columns=experiments.PAIRED)
        table = comparisons.compare(experiments.experiments(plan, summary, metrics))
        made_by = records.read_metadata(args.summary) | provenance.made_by()
        records.write_parquet(args.output, table, made_by)
        made.append(args.output)


if __name__ == "__main__":
    main()
