"""Put the published study's claims and the config's own to the test of the results."""

import argparse
import json
from pathlib import Path

import pandas as pd

from study.runs import provenance, records
from study.spec import claims
from study.support.errors import report_errors


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="results/plan.json")
    parser.add_argument("--metrics", type=Path, required=True, help="results/metrics.parquet")
    parser.add_argument("--summary", type=Path, required=True, help="results/summary.parquet")
    parser.add_argument("--output", type=Path, required=True, help="claims.parquet")
    args = parser.parse_args()

    plan = json.loads(args.plan.read_text(encoding="utf-8"))
    asked = claims.asked(plan)
    table = claims.CLAIMS.empty_table()
    if asked:
        # SciPy and statsmodels take a second to import, which other studies need not wait for.
        from study.results import verdicts

        metrics = pd.read_parquet(args.metrics, columns=verdicts.COLUMNS)
        table = verdicts.judge(asked, plan, pd.read_parquet(args.summary), metrics)
    made_by = records.read_metadata(args.summary) | provenance.made_by()
    records.write_parquet(args.output, table, made_by)


if __name__ == "__main__":
    main()
