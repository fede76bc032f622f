"""Draw the figures of the final model, from its run's record, in each language of the study."""

import argparse

from study.commands import options
from study.data.base import CHECKSUMS
from study.spec.plan import Plan
from study.spec.texts import language_of
from study.support import receipts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--plan", "--runs", "--evaluation", "--data")
    options.add(parser, "--output", help="folder of the figures")
    options.add(parser, "--receipt")


def run(arguments: argparse.Namespace) -> None:
    # Not before: matplotlib goes by the environment that it finds when it is imported.
    from study.figures import drawing, final_figures

    plan = Plan.read(arguments.plan)
    record = arguments.runs / plan.final.run / "record.parquet"
    read = [record, arguments.evaluation, arguments.data / CHECKSUMS]
    with receipts.receipt(arguments.receipt, arguments.plan, read) as made:
        model = final_figures.collect(plan, arguments.runs, arguments.evaluation, arguments.data)
        for code in plan.languages:
            language = language_of(plan, code)
            final_figures.draw(model, language, arguments.output)
            for name in model.names:
                made += drawing.files(arguments.output, name, code)
