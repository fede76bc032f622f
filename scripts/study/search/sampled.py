"""The searches of a plan, taken step by step: a sampler's draws, halving, further seeds."""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from study.data import datasets
from study.search.base import Request, untrained
from study.search.steps import Scores, take
from study.spec.plan import Plan, run_name
from study.spec.searches import Search
from study.spec.settings import Settings, identity


class Sampled:
    """All searches side by side, each as far as the records lead it.

    The steps are taken anew from the first one on, as the workflow has them in files.
    """

    def propose(self, plan: Plan, metrics: pd.DataFrame) -> list[Request]:
        """What the next step of each search asks for and is not trained."""
        scores = Scores(metrics)
        return [
            request
            for search in plan.searches
            for request in _next(replace(search, taken=[]), plan, metrics, scores)
        ]


def _next(search: Search, plan: Plan, metrics: pd.DataFrame, scores: Scores) -> list[Request]:
    run_of = _naming(plan)
    for step in search.steps:
        taken = take(search, scores, plan.model, run_of)
        search = replace(search, taken=[*search.taken, taken])
        asked = [
            Request(identity({**search.settings, **trial.settings}), step.epochs, step.seeds)
            for trial in search.asked_by(step.name)
        ]
        requests = untrained(asked, plan, metrics)
        if requests:
            return requests
    return []


def _naming(plan: Plan) -> Callable[[Settings], str]:
    dataset = datasets.describe(plan.dataset).name
    return lambda settings: run_name(settings, dataset, plan.validation, plan.model)
