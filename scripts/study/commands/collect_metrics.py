"""Collect the records of all runs into metrics.parquet: just the rows that the plan asks for."""

import argparse
import json
from pathlib import Path

from study.results import metrics
from study.runs import provenance, records
from study.support import receipts
from study.support.errors import report_errors


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="results/plan.json")
    parser.add_argument("--runs", type=Path, required=True, help="the folder of all runs")
    parser.add_argument("--output", type=Path, required=True, help="metrics.parquet")
    parser.add_argument("--receipt", type=Path, help="where to note what it was made from")
    args = parser.parse_args()

    plan = json.loads(args.plan.read_text(encoding="utf-8"))
    read = metrics.files(plan["runs"], args.runs)
    with receipts.receipt(args.receipt, args.plan, read) as made:
        table = metrics.collect(plan["runs"], args.runs)
        made_by = provenance.made_by() | {"devices": metrics.devices(plan["runs"], args.runs)}
        records.write_parquet(args.output, table, made_by)
        made.append(args.output)


if __name__ == "__main__":
    main()
