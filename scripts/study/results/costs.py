"""What the values of a study cost, and the cheapest that is not clearly worse than the best."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from study.results.experiments import ExperimentResult, ValueResult, between, rank
from study.statistics import significance
from study.statistics.intervals import ROUNDING
from study.statistics.significance import LEVEL


@dataclass(frozen=True, eq=False)
class Cost:
    """A value of an experiment and what a seed of it costs."""

    experiment: ExperimentResult
    value: ValueResult
    cost: float

    @property
    def score(self) -> float:
        return self.value.validation.mean


@dataclass(frozen=True, eq=False)
class Costs:
    """The distinct values that have a result, the best first, with their costs.

    A cost is seconds of training a seed, or where trainings ran on several kinds of devices, whose
    seconds cannot be compared, epochs (`in_seconds` is False).
    """

    values: list[Cost]
    in_seconds: bool

    @property
    def best(self) -> Cost:
        return self.values[0]

    @cached_property
    def contenders(self) -> list[Cost]:
        """The best and those of which as few seeds diverged."""
        return [each for each in self.values if each.value.diverged == self.best.value.diverged]

    @property
    def front(self) -> list[Cost]:
        """The contenders that no cheaper or equally dear one is as good as, the cheapest first."""
        return self.front_by({each: each.cost for each in self.contenders})

    def front_by(self, costs: Mapping[Cost, float]) -> list[Cost]:
        """As `front`, by other costs."""
        found: list[Cost] = []
        for each in sorted(self.contenders, key=lambda each: (costs[each], -each.score)):
            if not found or each.score > found[-1].score + ROUNDING:
                found.append(each)
        return found

    @cached_property
    def _p(self) -> list[float]:
        """Of each contender against the best: Welch's p, or within seeds, after Holm's correction.

        NaN where it cannot be tested.
        """
        others = self.contenders[1:]
        if not others:
            return [math.nan]
        p = between([(self.best.value, each.value) for each in others]).p
        return [math.nan, *significance.holm(p, int(np.isfinite(p).sum())).tolist()]

    @property
    def is_tested(self) -> bool:
        """Whether any value could be tested against the best."""
        return bool(np.isfinite(self._p).any())

    @cached_property
    def cheapest(self) -> tuple[Cost, float]:
        """The cheapest value not clearly worse than the best, and the p-value; NaN of the best."""
        equals = [(each, p) for each, p in zip(self.contenders, self._p, strict=True) if p >= LEVEL]
        return min([(self.best, math.nan), *equals], key=lambda pair: pair[0].cost)


def costs(
    experiments: Sequence[ExperimentResult], metrics: pd.DataFrame, devices: Iterable[str]
) -> Costs | None:
    """The costs of all values; None where none has a result.

    `metrics` has run, seed, epoch, seconds and status, and `devices` are the kinds that trained.
    """
    in_seconds = len(set(devices)) == 1
    distinct = {
        (value.run, value.epochs): (experiment, value)
        for experiment in reversed(experiments)
        for value in experiment.values
        if value.n
    }
    rows = dict(list(metrics.groupby("run")))
    found = [
        Cost(experiment, value, _seconds(rows[run], epochs) if in_seconds else float(epochs))
        for (run, epochs), (experiment, value) in distinct.items()
    ]
    return Costs(sorted(found, key=lambda each: rank(each.value)), in_seconds) if found else None


def _seconds(rows: pd.DataFrame, epochs: int) -> float:
    """The mean of the seeds that did not diverge, of one run up to so many epochs."""
    until = rows[rows["epoch"] <= epochs]
    lost = until.loc[until["status"] == "diverged", "seed"]
    return float(until[~until["seed"].isin(lost)].groupby("seed")["seconds"].sum().mean())
