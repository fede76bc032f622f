"""Compute comparisons.parquet: the differences between each experiment's values, tested."""

import argparse

import pandas as pd
import pyarrow.parquet as pq

from study.commands import options
from study.results import comparisons, experiments
from study.runs import provenance, records
from study.spec.plan import Plan
from study.support import receipts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--plan", "--metrics", "--summary")
    options.add(parser, "--output", help="comparisons.parquet")
    options.add(parser, "--receipt")


def run(args: argparse.Namespace) -> None:
    plan = Plan.read(args.plan)
    with receipts.receipt(args.receipt, args.plan, [args.summary, args.metrics]) as made:
        summary = pd.read_parquet(args.summary)
        read = experiments.paired(pq.read_schema(args.metrics).names)
        metrics = pd.read_parquet(args.metrics, columns=read)
        table = comparisons.compare(experiments.experiments(plan, summary, metrics))
        made_by = records.read_metadata(args.summary) | provenance.made_by()
        records.write_parquet(args.output, table, made_by)
        made.append(args.output)
