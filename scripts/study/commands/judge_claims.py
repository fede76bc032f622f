"""Put the published study's claims and the config's own to the test of the results."""

import argparse
from pathlib import Path

import pandas as pd
import pyarrow as pa

from study.commands import options
from study.runs import provenance, records
from study.spec import claims
from study.spec.plan import Plan
from study.support import receipts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--plan", "--metrics", "--summary")
    options.add(parser, "--output", help="claims.parquet")
    options.add(parser, "--receipt")


def run(args: argparse.Namespace) -> None:
    plan = Plan.read(args.plan)
    with receipts.receipt(args.receipt, args.plan, [args.metrics, args.summary]) as made:
        table = _judged(plan, args.metrics, args.summary)
        made_by = records.read_metadata(args.summary) | provenance.made_by()
        records.write_parquet(args.output, table, made_by)
        made.append(args.output)


def _judged(plan: Plan, metrics: Path, summary: Path) -> pa.Table:
    asked = claims.asked(plan)
    if not asked:
        return claims.CLAIMS.empty_table()
    # SciPy and statsmodels take a second to import, which other studies need not wait for.
    from study.results import verdicts
    from study.results.metrics import read

    measured = read(metrics, verdicts.columns)
    return verdicts.judge(asked, plan, pd.read_parquet(summary), measured)
