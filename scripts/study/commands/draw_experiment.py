"""Draw the figures of experiments, from their runs' records, in each language of the study."""

import argparse

from study.commands import options
from study.data.base import CHECKSUMS
from study.results import metrics
from study.spec.plan import Plan
from study.spec.texts import language_of
from study.support import receipts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--plan", "--runs", "--data")
    parser.add_argument("--experiments", nargs="+", help="their names; else all of the plan")
    options.add(parser, "--output", help="folder of the figures")
    options.add(parser, "--receipt")


def run(arguments: argparse.Namespace) -> None:
    # Not before: matplotlib goes by the environment that it finds when it is imported.
    from study.figures import drawing, experiment_data, experiment_figures

    plan = Plan.read(arguments.plan)
    read = [*metrics.files(plan.runs, arguments.runs), arguments.data / CHECKSUMS]
    with receipts.receipt(arguments.receipt, arguments.plan, read) as made:
        names = [experiment.name for experiment in plan.experiments]
        for name in arguments.experiments or names:
            experiment = experiment_data.measured(plan, arguments.runs, arguments.data, name)
            for code in plan.languages:
                language = language_of(plan, code)
                experiment_figures.draw(experiment, language, arguments.output)
                made += drawing.files(arguments.output, name, code)
