"""Write a search's trials.parquet and importance.parquet: its trials, and which settings matter."""

import argparse

import pandas as pd
import pyarrow.parquet as pq

from study.commands import options
from study.runs import provenance, records
from study.search import importance, steps, trials
from study.spec.plan import Plan
from study.support import receipts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--plan", "--metrics")
    options.add(parser, "--output", help="trials.parquet; importance.parquet is written beside it")
    options.add(parser, "--receipt")


def run(args: argparse.Namespace) -> None:
    plan = Plan.read(args.plan)
    [search] = plan.searches
    with receipts.receipt(args.receipt, args.plan, [args.metrics]) as made:
        read = steps.columns(pq.read_schema(args.metrics).names)
        scores = steps.Scores(pd.read_parquet(args.metrics, columns=read))
        found = trials.scored(search, scores)
        made_by = provenance.made_by()
        beside = args.output.with_name("importance.parquet")
        matter = importance.importance(search, found)
        records.write_parquet(
            args.output, trials.table(search, found, plan.hyperparameters), made_by
        )
        records.write_parquet(beside, importance.table(matter), made_by)
        made += [args.output, beside]
