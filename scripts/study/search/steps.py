"""What a search does next, given how its trials have come out so far."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from study.search.samplers import Measured, draw
from study.spec.compatibility import check
from study.spec.models import Model
from study.spec.searches import Search, Step, Taken, Trial
from study.spec.settings import Settings
from study.spec.tasks import score_of
from study.support.errors import StudyError

# A trial that is behind the best by more standard errors than these gets no further seeds. More
# than two, since it is the best of several that must not be left out.
BEHIND = 2.5


def columns(metrics: Iterable[str]) -> list[str]:
    """What `Scores` takes of a table with these columns of metrics.parquet."""
    return ["run", "seed", "epoch", "status", score_of("validation", metrics)]


class Scores:
    """The scores of trials, from the rows of metrics.parquet of their runs."""

    def __init__(self, metrics: pd.DataFrame):
        self._scores: dict[tuple[str, int, int], float] = {}
        self._diverged: dict[tuple[str, int], int] = {}
        if metrics.empty:
            return
        rows = zip(
            *(metrics[name].tolist() for name in columns(metrics.columns)),
            strict=True,
        )
        for run, seed, epoch, status, value in rows:
            self._scores[run, seed, epoch] = value
            if status == "diverged":
                self._diverged[run, seed] = epoch

    def each(self, trial: Trial) -> list[float] | None:
        """Those of its seeds, after its epochs; None where one of them has diverged."""
        for seed in trial.seeds:
            if self._diverged.get((trial.run, seed), trial.epochs + 1) <= trial.epochs:
                return None
        return [self._scores[trial.run, seed, trial.epochs] for seed in trial.seeds]

    def of(self, trial: Trial) -> float | None:
        """The mean over its seeds, after its epochs; None where one of them has diverged."""
        scores = self.each(trial)
        return None if scores is None else sum(scores) / len(scores)


def take(search: Search, scores: Scores, model: Model, run_of: Callable[[Settings], str]) -> Taken:
    """The next step of a search, of which what its steps so far ask for is trained.

    It follows from these alone: the trials drawn, by their scores in the step that drew them, and
    those that go on, by their scores in the last step. `run_of` names the run of complete settings.
    """
    step = search.steps[len(search.taken)]
    of = search.until(step.name).digest
    if step.drawn:
        drawn = _draw(search, step, scores, model, run_of)
        return Taken(of, drawn, [trial.number for trial in drawn])
    going = contenders(best(search, scores), scores, len(search.seeds))
    return Taken(of, [], [trial.number for trial in going[: step.kept]])


def best(search: Search, scores: Scores) -> list[Trial]:
    """The trials that go on from the last step, best first, without diverged ones.

    After the steps that draw these are all trials; after another, those that it asked for. Of
    equal ones the earlier comes first.
    """
    last = search.steps[len(search.taken) - 1]
    asked = search.trials if last.drawn else search.asked_by(last.name)
    scored = [(scores.of(trial), trial) for trial in asked]
    alive = [(score, trial) for score, trial in scored if score is not None]
    return [trial for _, trial in sorted(alive, key=lambda each: (-each[0], each[1].number))]


def contenders(trials: list[Trial], scores: Scores, seeds: int) -> list[Trial]:
    """Those of `trials`, best first, that may still have the highest mean of all `seeds`.

    The difference between two means of n of N seeds is expected to change by the standard error
    s √(2 (1/n - 1/N)) until all are there, with s the standard deviation over seeds, pooled over
    the trials. One seed says nothing of it: then all may.
    """
    found = np.array([scores.each(trial) for trial in trials])
    if len(trials) < 2 or found.shape[1] in (1, seeds):
        return trials
    count = found.shape[1]
    error = math.sqrt(2 * found.var(axis=1, ddof=1).mean() * (1 / count - 1 / seeds))
    means = found.mean(axis=1)
    return [
        trial
        for trial, mean in zip(trials, means, strict=True)
        if means[0] - mean <= BEHIND * error
    ]


@dataclass(frozen=True)
class Winner:
    """The best trial of a search that has all epochs and seeds, and its mean score."""

    search: Search
    trial: Trial
    score: float

    @property
    def settings(self) -> dict[str, Any]:
        """All that the trial is trained with."""
        return {**self.search.settings, **self.trial.settings}


def winner(search: Search, scores: Scores) -> Winner | None:
    """The winner of a search whose steps are trained; None where all of the last diverged."""
    first = next(iter(best(search, scores)), None) if search.is_finished else None
    score = scores.of(first) if first else None
    return None if first is None or score is None else Winner(search, first, score)


def _draw(
    search: Search,
    step: Step,
    scores: Scores,
    model: Model,
    run_of: Callable[[Settings], str],
) -> list[Trial]:
    def whole(drawn: Settings) -> Settings:
        return model.hyperparameters.complete({**search.settings, **drawn})

    def problem(drawn: Settings) -> str | None:
        try:
            check(model, f"search.{search.name}", whole(drawn), drawn, [])
        except StudyError as error:
            return str(error)
        return None

    known = [Measured(trial.settings, scores.of(trial)) for trial in search.trials]
    return [
        Trial(len(known) + index, step.name, drawn, run_of(whole(drawn)), step.epochs, step.seeds)
        for index, drawn in enumerate(draw(search, known, step.drawn, problem))
    ]
