"""Draw some images of each class of the data set, in each language of the study."""

import argparse

from study.commands import options
from study.data import datasets
from study.data.base import CHECKSUMS
from study.spec.plan import Plan
from study.support import receipts
from study.support.language import Language


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--plan", "--data")
    options.add(parser, "--output", help="folder of the figures")
    options.add(parser, "--receipt")


def run(arguments: argparse.Namespace) -> None:
    # Not before: matplotlib goes by the environment that it finds when it is imported.
    from study.figures import drawing, mosaic

    plan = Plan.read(arguments.plan)
    data = datasets.describe(plan.dataset).load(arguments.data)
    read = [arguments.data / CHECKSUMS]
    with receipts.receipt(arguments.receipt, arguments.plan, read) as made:
        for code in plan.languages:
            mosaic.draw(data, Language(code, data.dataset.noun), arguments.output)
            made += drawing.files(arguments.output, "mosaic", code)
