"""Choose the final model by results: the best value of each experiment, or a search's winner."""

import argparse

from study.commands import options
from study.data import datasets
from study.results import findings, metrics, summary
from study.search import best_of_each
from study.spec.plan import Plan
from study.support import receipts
from study.support.files import write_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--plan", help="what to choose by, as plan.json")
    options.add(parser, "--runs")
    options.add(parser, "--output", help="choice.json")
    options.add(parser, "--receipt")


def run(args: argparse.Namespace) -> None:
    plan = Plan.read(args.plan)
    read = metrics.files(plan.runs, args.runs)
    with receipts.receipt(args.receipt, args.plan, read) as made:
        measures = metrics.collect(plan.runs, args.runs, plan.hyperparameters).to_pandas()
        name = datasets.describe(plan.dataset).name
        summarised = summary.summarise(plan, measures, name).to_pandas()
        chosen = best_of_each.choose(
            findings.experiments(plan, summarised, measures),
            plan,
            best_of_each.winners(plan, measures),
        )
        write_text(args.output, chosen.to_json())
        made.append(args.output)
