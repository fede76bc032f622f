"""Choosing the final model by the experiments' results: the best value of each, taken together.

What is chosen depends on validation accuracies, and on nothing else.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from study.results import experiments as results
from study.results import findings
from study.results.experiments import ExperimentResult, ValueResult, rank
from study.results.summary import summarise
from study.search.base import Request, requested, untrained
from study.search.listed_values import ListedValues
from study.search.steps import Scores, Winner, winner
from study.spec.choice import ALL_DIVERGED, Choice, Reason, digest
from study.spec.plan import Plan
from study.spec.settings import identity, value_text


class BestOfEach:
    """First all listed values; then, once these are trained, the final model that they choose."""

    def propose(self, plan: Plan, metrics: pd.DataFrame) -> list[Request]:
        """The untrained values of the experiments, or else the untrained final model."""
        return ListedValues().propose(plan, metrics) or untrained(
            final_model(plan, metrics), plan, metrics
        )


def final_model(plan: Plan, metrics: pd.DataFrame) -> list[Request]:
    """The final model that results choose, as a request; none where every value diverged."""
    metrics = requested(plan, metrics)
    summary = summarise(plan, metrics, dataset=None).to_pandas()
    choice = choose(results.experiments(plan, summary, metrics), plan, winners(plan, metrics))
    if choice.unchosen:
        return []
    settings = {**plan.baseline, **choice.settings}
    return [Request(identity(settings), settings["epochs"], plan.seeds)]


def winners(plan: Plan, metrics: pd.DataFrame) -> list[Winner]:
    """Those of the plan's searches, by the rows of metrics.parquet."""
    scores = Scores(metrics)
    found = [winner(search, scores) for search in plan.searches]
    return [each for each in found if each]


def choose(
    experiments: Sequence[ExperimentResult], plan: Plan, winners: Sequence[Winner] = ()
) -> Choice:
    """Take what the best value of each of the plan's experiments sets and was measured with.

    The winner of a search is taken in place of all of them where it is better than each: it was
    measured as a whole, as what the experiments bring together was not.

    The experiment with the best value comes first, and what one has
    brought, no later one changes. One that starts from other settings than the baseline, by its
    `with`, is taken where these are what has been brought so far: its value says nothing of others.
    Where every replicate of every value diverged, nothing is chosen: that is a result, and no
    error.
    """
    baseline = plan.baseline
    found = [(each, each.best) for each in experiments if each.best]
    asked = digest(plan.experiments, plan.seeds, plan.searches)
    first = max(winners, key=lambda winner: winner.score, default=None)
    if first and all(first.score > best.validation.mean for _, best in found):
        won = {key: value for key, value in first.settings.items() if value != baseline[key]}
        reasons = [_reason(each, best, {}, won) for each, best in found]
        return Choice(won, [*reasons, _won(first, won)], asked)
    if not found:
        return Choice(settings={}, reasons=[], experiments=asked, unchosen=ALL_DIVERGED)
    brings = {each.name: brought(each, best, baseline) for each, best in found}
    settings: dict[str, Any] = {}
    fitting = set()
    for experiment, _ in sorted(found, key=lambda each: rank(each[1])):
        brings_now = brings[experiment.name]
        so_far = {**baseline, **settings} if settings else brings_now
        if all(so_far[key] == brings_now[key] for key in brings_now.keys() - experiment.keys):
            settings = brings_now | settings
            fitting.add(experiment.name)
    return Choice(
        settings={
            key: settings[key] for each in brings.values() for key in each if key in settings
        },
        reasons=[
            _reason(each, best, brings[each.name] if each.name in fitting else {}, settings)
            for each, best in found
        ],
        experiments=asked,
    )


def brought(
    experiment: ExperimentResult, best: ValueResult, baseline: Mapping[str, Any]
) -> dict[str, Any]:
    """What the best value sets, after what its experiment starts from and is not the baseline's."""
    start = {key: value for key, value in experiment.settings.items() if value != baseline[key]}
    return start | best.varied


def _won(first: Winner, settings: Mapping[str, Any]) -> Reason:
    drawn = first.trial.settings
    return Reason(
        experiment=first.search.name,
        value=value_text(drawn),
        accuracy=first.score,
        runner_up=None,
        lead=None,
        p=None,
        taken=[key for key in drawn if key in settings],
    )


def _reason(
    experiment: ExperimentResult,
    best: ValueResult,
    brought: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> Reason:
    lead = findings.lead(experiment)
    return Reason(
        experiment=experiment.name,
        value=best.text,
        accuracy=best.validation.mean,
        runner_up=lead.runner_up.text if lead else None,
        lead=lead.size if lead else None,
        p=lead.p if lead and lead.is_tested else None,
        taken=[key for key, value in brought.items() if settings[key] == value],
    )
