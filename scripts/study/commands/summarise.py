"""Compute summary.parquet: mean, spread and interval for each experiment's values."""

import argparse

import pandas as pd
import pyarrow.parquet as pq

from study.commands import options
from study.data import datasets
from study.results import summary
from study.runs import provenance, records
from study.spec.plan import Plan
from study.support import receipts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--plan", "--metrics")
    options.add(parser, "--output", help="summary.parquet")
    options.add(parser, "--receipt")


def run(args: argparse.Namespace) -> None:
    plan = Plan.read(args.plan)
    with receipts.receipt(args.receipt, args.plan, [args.metrics]) as made:
        read = summary.columns(pq.read_schema(args.metrics).names)
        metrics = pd.read_parquet(args.metrics, columns=read)
        name = datasets.describe(plan.dataset).name
        table = summary.summarise(plan, metrics, name)
        made_by = records.read_metadata(args.metrics) | provenance.made_by()
        records.write_parquet(args.output, table, made_by)
        made.append(args.output)
