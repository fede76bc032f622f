"""Collect the records of all runs into metrics.parquet: just the rows that the plan asks for."""

import argparse

from study.commands import options
from study.results import metrics
from study.runs import provenance, records
from study.spec.plan import Plan
from study.support import receipts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--plan", "--runs")
    options.add(parser, "--output", help="metrics.parquet")
    options.add(parser, "--receipt")


def run(args: argparse.Namespace) -> None:
    plan = Plan.read(args.plan)
    read = metrics.files(plan.runs, args.runs)
    with receipts.receipt(args.receipt, args.plan, read) as made:
        table = metrics.collect(plan.runs, args.runs, plan.hyperparameters)
        made_by = provenance.made_by() | {"devices": metrics.devices(plan.runs, args.runs)}
        records.write_parquet(args.output, table, made_by)
        made.append(args.output)
