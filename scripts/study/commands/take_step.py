"""Take the next step of a search, or of an experiment that adds seeds, by what is trained."""

import argparse
from dataclasses import replace

import pandas as pd

from study.commands import options
from study.data import datasets
from study.results import metrics
from study.search import by_need, steps
from study.spec import searches
from study.spec.plan import Experiment, Plan, run_name, runs_of
from study.spec.settings import Settings
from study.support import receipts
from study.support.errors import StudyError
from study.support.files import write_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--plan", help="the search that ends with this step, as plan.json")
    options.add(parser, "--results")
    options.add(parser, "--output", help="the step's file")
    options.add(parser, "--receipt")


def run(args: argparse.Namespace) -> None:
    plan = Plan.read(args.plan)
    # A search, or an experiment that adds seeds.
    [search] = [*plan.searches, *plan.experiments]
    dataset = datasets.describe(plan.dataset).name

    def run_of(settings: Settings) -> str:
        return run_name(settings, dataset, plan.validation, plan.model)

    def run_of_trial(drawn: Settings) -> str:
        return run_of(plan.hyperparameters.complete({**search.settings, **drawn}))

    known = search.with_history(searches.history_in(args.results), run_of_trial).taken
    before = len(search.steps) - 1
    if len(known) < before:
        missing = args.results / searches.path_of(search.name, search.steps[len(known)].name)
        raise StudyError(f"{missing}: is missing, or of another search; run the workflow again")
    search = replace(search, taken=known[:before])
    is_listed = isinstance(search, Experiment)
    asked = ([search], []) if is_listed else ([], [search])
    runs = runs_of(*asked, None, search.seeds, False)
    folder = args.results / "runs"
    # A record grows with what other steps and searches ask for; what it has of a step stays, since
    # training is exact.
    read = [args.results / searches.path_of(search.name, step.name) for step in search.steps[:-1]]
    with receipts.receipt(args.receipt, args.plan, read) as made:
        measures = pd.DataFrame()
        if runs:
            measures = metrics.collect(runs, folder, plan.hyperparameters).to_pandas()
        if is_listed:
            taken = by_need.take(search, plan, measures)
        else:
            taken = steps.take(search, steps.Scores(measures), plan.model, run_of)
        write_text(args.output, taken.to_json())
        made.append(args.output)
