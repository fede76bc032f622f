"""Draw the study at a glance, in each language of the study."""

import argparse

import pandas as pd

from study.commands import options
from study.spec.plan import Plan
from study.spec.texts import language_of
from study.support import receipts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--plan", "--summary")
    options.add(parser, "--output", help="folder of the figures")
    options.add(parser, "--receipt")


def run(arguments: argparse.Namespace) -> None:
    # Not before: matplotlib goes by the environment that it finds when it is imported.
    from study.figures import drawing, glance

    plan = Plan.read(arguments.plan)
    with receipts.receipt(arguments.receipt, arguments.plan, [arguments.summary]) as made:
        found = glance.collect(plan, pd.read_parquet(arguments.summary))
        for code in plan.languages:
            glance.draw(found, language_of(plan, code), arguments.output)
            made += drawing.files(arguments.output, glance.NAME, code)
