"""Draw the study at a glance, and what accuracy costs, in each language of the study."""

import argparse

import pandas as pd

from study.commands import options
from study.data import datasets
from study.data.base import CHECKSUMS
from study.results import findings
from study.results.costs import costs as costs_of
from study.results.experiments import paired
from study.results.metrics import read as read_metrics
from study.runs.records import read_metadata
from study.spec.plan import Plan
from study.spec.tasks import Task
from study.spec.texts import language_of
from study.support import receipts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--plan", "--metrics", "--summary", "--data")
    options.add(parser, "--output", help="folder of the figures")
    options.add(parser, "--receipt")


def run(arguments: argparse.Namespace) -> None:
    # Not before: matplotlib goes by the environment that it finds when it is imported.
    from study.figures import drawing, glance, glance_cost

    plan = Plan.read(arguments.plan)
    read = [arguments.metrics, arguments.summary, arguments.data / CHECKSUMS]
    with receipts.receipt(arguments.receipt, arguments.plan, read) as made:
        metrics = read_metrics(arguments.metrics, _columns)
        experiments = findings.experiments(plan, pd.read_parquet(arguments.summary), metrics)
        found = glance.collect(plan, experiments)
        devices = read_metadata(arguments.metrics)["devices"]
        costs = costs_of(experiments, metrics, devices)
        data = datasets.describe(plan.dataset).load(arguments.data)
        cost = glance_cost.collect(plan, costs, data, found.apart) if costs else None
        for code in plan.languages:
            language = language_of(plan, code)
            glance.draw(found, language, arguments.output)
            made += drawing.files(arguments.output, glance.NAME, code)
            glance_cost.draw(cost, language, arguments.output)
            made += drawing.files(arguments.output, glance_cost.NAME, code)


def _columns(task: Task) -> list[str]:
    return [*paired(task.columns), "seconds"]
