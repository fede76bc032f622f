"""Draw the figures of searches, in each language of the study."""

import argparse

import pandas as pd
import pyarrow.parquet as pq

from study.commands import options
from study.search import importance, steps, trials
from study.spec.plan import Plan
from study.spec.searches import importance_of
from study.spec.tasks import task_of
from study.spec.texts import language_of
from study.support import receipts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--plan", "--metrics")
    options.add(parser, "--results", help="where the searches' tables lie")
    options.add(parser, "--output", help="folder of the figures")
    options.add(parser, "--receipt")


def run(arguments: argparse.Namespace) -> None:
    # Not before: matplotlib goes by the environment that it finds when it is imported.
    from study.figures import drawing, search_figures

    plan = Plan.read(arguments.plan)
    tables = {each.name: arguments.results / importance_of(each.name) for each in plan.searches}
    with receipts.receipt(
        arguments.receipt, arguments.plan, [arguments.metrics, *tables.values()]
    ) as made:
        names = pq.read_schema(arguments.metrics).names
        measures = pd.read_parquet(arguments.metrics, columns=steps.columns(names))
        scores = steps.Scores(measures)
        for search in plan.searches:
            found = trials.scored(search, scores)
            told = [each.setting for each in importance.read(tables[search.name])]
            keys = [*told, *(key for key in search.space if key not in told)]
            for code in plan.languages:
                language = language_of(plan, code)
                score = task_of(names).score
                search_figures.draw(search, found, keys, score, language, arguments.output)
                made += drawing.files(arguments.output, search.name, code)
