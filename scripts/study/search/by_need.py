"""Seeds only where the answer is not clear: which values of an experiment get further ones.

Those that may still be the best do, look by look, until one is clearly the best or all seeds are
used up. The tests are those of the report, each at the part of its level that the look may spend
(statistics/sequential.py), so that the report's verdict is the one that ended the search.
"""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from study.results import experiments
from study.results.summary import summarise
from study.search.base import Request, request_of, untrained
from study.spec.plan import Experiment, Plan, runs_of
from study.spec.searches import Taken


class SeedsByNeed:
    """All experiments that add seeds side by side, each as far as the records lead it.

    The steps are taken anew from the first one on, as the workflow has them in files.
    """

    def propose(self, plan: Plan, metrics: pd.DataFrame) -> list[Request]:
        """What each experiment asks for next and is not trained."""
        found = [_as_far(experiment, plan, metrics) for experiment in plan.experiments]
        return _lacking(found, plan, metrics)


def take(experiment: Experiment, plan: Plan, metrics: pd.DataFrame) -> Taken:
    """The next step of an experiment, all of whose steps so far are trained.

    `metrics` has the rows of metrics.parquet of its runs, and `plan` the model and data.
    """
    step = experiment.steps[len(experiment.taken)]
    alone = plan.of_experiment(experiment)
    summary = summarise(alone, metrics, dataset=None).to_pandas()
    [found] = experiments.experiments(alone, summary, metrics)
    in_question = {value.text for value in found.in_question}
    asked = [place for place, value in enumerate(experiment.values) if value.value in in_question]
    return Taken(experiment.until(step.name).digest, [], asked)


def _as_far(experiment: Experiment, plan: Plan, metrics: pd.DataFrame) -> Experiment:
    """The experiment as far as what it asks for is trained."""
    experiment = replace(experiment, taken=[])
    while not experiment.is_finished and not _lacking([experiment], plan, metrics):
        taken = take(experiment, plan, metrics)
        experiment = replace(experiment, taken=[*experiment.taken, taken])
    return experiment


def _lacking(experiments: Sequence[Experiment], plan: Plan, metrics: pd.DataFrame) -> list[Request]:
    runs = runs_of(experiments, [], None, plan.seeds, False)
    return untrained(map(request_of, runs), plan, metrics)
