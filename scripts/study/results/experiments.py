"""A study's experiments with their numbers, and the differences between an experiment's values.

Made from the plan and from summary.parquet's rows. Accuracies and differences are fractions.
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from study.spec import settings
from study.statistics import significance
from study.statistics.estimates import Estimate, repeatability
from study.statistics.significance import Contrast, contrast, is_clear
from study.support.errors import StudyError

MEASURES = ("train_accuracy", "validation_accuracy")

# Of more values than this, not every pair is compared.
EVERY_PAIR = 100


@dataclass(frozen=True, eq=False)
class Value:
    """One value of an experiment: what it sets, its run, and how it came out.

    `text` is the summary's; `n` replicates did not diverge, `diverged` did.
    """

    text: str
    varied: dict[str, Any]
    run: str
    epochs: int
    n: int
    diverged: int
    train: Estimate
    validation: Estimate

    def measure(self, name: str) -> Estimate:
        """The estimate of `train_accuracy` or `validation_accuracy`."""
        return {"train_accuracy": self.train, "validation_accuracy": self.validation}[name]


@dataclass(frozen=True)
class Difference:
    """The validation accuracy of `value` minus that of `other`; NaN is what is not known.

    `low` and `high` bound its 95 % interval by Welch, `p` is that of his test, and `p_corrected`
    Holm's over the tests of the experiment. `noise` is the pooled deviation between the seeds of
    the two, `effect` Hedges' g, and `superiority` the probability that a single training of
    `value` beats one of `other`. `seeds_needed` is how many seeds each of the two would take to
    be told apart with a probability of 80 %, at the level that Holm's correction asks of the
    smallest p; NaN where they are told apart already.
    """

    value: Value
    other: Value
    size: float
    low: float
    high: float
    p: float
    p_corrected: float
    noise: float
    effect: float
    superiority: float
    seeds_needed: float

    @property
    def half(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2

    @property
    def is_tested(self) -> bool:
        """Whether there were replicates enough to test it."""
        return not math.isnan(self.p_corrected)

    @property
    def is_clear(self) -> bool:
        return is_clear(self.p_corrected)

    @property
    def is_small(self) -> bool:
        """Whether it is below what two trainings of one configuration differ by."""
        return abs(self.size) < repeatability(self.noise)


@dataclass(frozen=True, eq=False)
class Experiment:
    """One experiment: the keys varied, the settings it starts from, its values in order shown."""

    name: str
    keys: list[str]
    settings: dict[str, Any]
    values: list[Value]

    @cached_property
    def ranked(self) -> list[Value]:
        """The values that have a result, the best validation accuracy first."""
        alive = [value for value in self.values if value.n]
        return sorted(alive, key=lambda value: -value.validation.mean)

    @property
    def lost(self) -> list[Value]:
        """The values at which every replicate diverged."""
        return [value for value in self.values if not value.n]

    @property
    def best(self) -> Value | None:
        """The value with the highest mean; None where every replicate diverged."""
        return self.ranked[0] if self.ranked else None

    @cached_property
    def baseline(self) -> Value | None:
        """The value that is what the experiment starts from, if it is among those tried."""
        start = {key: self.settings[key] for key in self.keys}
        return next((value for value in self.values if value.varied == start), None)

    def settings_of(self, value: Value) -> dict[str, Any]:
        """All settings of one value."""
        return self.settings | value.varied

    @cached_property
    def is_ordered(self) -> bool:
        """Whether it varies one setting over three or more ascending values, each with a result."""
        if len(self.keys) > 1 or len(self.values) < 3 or self.lost:
            return False
        return is_ordered([value.varied[self.keys[0]] for value in self.values])

    @cached_property
    def slope(self) -> Contrast | None:
        """By how much accuracy changes from one value to the next, as a straight line has it.

        Fitted to the ranks of ordered values; None where these have no order.
        """
        if not self.is_ordered:
            return None
        weights = significance.slope_weights(len(self.values))
        return contrast(*_moments(self.values), weights)

    @cached_property
    def compared(self) -> list[tuple[Value, Value]]:
        """The pairs of values that are compared, the better first.

        These are all pairs, and of more than EVERY_PAIR values those with the best, with the
        baseline's, and of neighbours in the order shown, so that their number stays in proportion.
        """
        ranked = self.ranked
        if len(ranked) <= EVERY_PAIR:
            return list(itertools.combinations(ranked, 2))
        pairs = {self._places(*pair) for pair in itertools.pairwise(self.values)}
        for fixed in filter(None, (self.best, self.baseline)):
            pairs |= {self._places(fixed, value) for value in ranked if value is not fixed}
        return [(ranked[first], ranked[second]) for first, second in sorted(filter(None, pairs))]

    @cached_property
    def _place(self) -> dict[Value, int]:
        return {value: place for place, value in enumerate(self.ranked)}

    def _places(self, one: Value, other: Value) -> tuple[int, int] | None:
        """The ranks of two values, the better first; None where one has no result."""
        if not (one.n and other.n):
            return None
        first, second = sorted((self._place[one], self._place[other]))
        return first, second

    @cached_property
    def family(self) -> int:
        """How many tests Holm's correction is over: all pairs, and the slope where there is one.

        Not only the pairs with the best value: which one is the best is not known beforehand, and
        a test of the highest of many noisy means against the next would call too much clear.
        """
        testable = sum(value.n > 1 for value in self.ranked)
        return math.comb(testable, 2) + self._tests_slope

    @property
    def _tests_slope(self) -> bool:
        return self.slope is not None and not math.isnan(self.slope.p)

    @cached_property
    def _corrected(self) -> tuple[dict[tuple[int, int], float], float]:
        """The corrected p-values of the pairs compared, by their ranks, and of the slope."""
        places = [self._places(*pair) for pair in self.compared]
        p = np.array([*between(self.compared).p, self.slope.p if self._tests_slope else np.nan])
        *pairs, slope = significance.holm(p, self.family).tolist()
        return dict(zip(places, pairs, strict=True)), slope

    @property
    def p_slope(self) -> float:
        """The corrected p-value of the slope; NaN where there is none."""
        return self._corrected[1]

    def p_between(self, one: Value, other: Value) -> float:
        """The corrected p-value of two values that have a result; NaN of one and itself.

        Two that are not among those compared have Bonferroni's, which is never below Holm's.
        """
        if one is other:
            return math.nan
        corrected, _ = self._corrected
        places = self._places(one, other)
        if places in corrected:
            return corrected[places]
        return float(np.minimum(1, self.family * between([(one, other)]).p[0]))

    def differences(self, pairs: Iterable[tuple[Value, Value]]) -> list[Difference]:
        """The first of each pair of values minus the second; each must have a result."""
        pairs = list(pairs)
        if not pairs:
            return []
        mean, sd, n = (part.reshape(-1, 2) for part in _moments(itertools.chain(*pairs)))
        found = between(pairs)
        corrected = np.array([self.p_between(*pair) for pair in pairs])
        effect = significance.hedges_g(mean, sd, n)
        open_effect = np.where(corrected >= significance.LEVEL, effect, np.nan)
        columns = (
            found.size,
            found.size - found.half,
            found.size + found.half,
            found.p,
            corrected,
            significance.pooled(sd, n),
            effect,
            significance.superiority(mean, sd),
            significance.seeds_needed(open_effect, significance.LEVEL / max(self.family, 1)),
        )
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return [Difference(*pair, *row) for pair, row in zip(pairs, rows, strict=True)]

    def difference(self, one: Value, other: Value) -> Difference:
        """One value minus another; each must have a result."""
        return self.differences([(one, other)])[0]


def _moments(values: Iterable[Value]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, deviation and number of the validation accuracies of some values."""
    estimates = [value.validation for value in values]
    numbers = [(each.mean, each.sd, each.n) for each in estimates]
    return tuple(np.array(numbers, float).reshape(-1, 3).T)


def between(pairs: Sequence[tuple[Value, Value]]) -> Contrast:
    """The validation accuracy of the first of each pair (m) minus that of the second."""
    mean, sd, n = (part.reshape(-1, 2) for part in _moments(itertools.chain(*pairs)))
    return contrast(mean, sd, n, np.array([1.0, -1.0]))


def experiments(plan: Mapping[str, Any], summary: pd.DataFrame) -> list[Experiment]:
    """The plan's experiments with the summary's numbers; StudyError where one has no row."""
    rows = {(row["experiment"], row["value"]): row for row in summary.to_dict("records")}
    found = []
    for planned in plan["experiments"]:
        name, keys = planned["name"], planned["keys"]
        values = [_value(rows, name, value) for value in planned["values"]]
        found.append(
            Experiment(name, keys, settings.complete(planned["settings"]), _in_order(values, keys))
        )
    return found


def final(plan: Mapping[str, Any], summary: pd.DataFrame) -> Value | None:
    """The final model, if the plan has one; its `varied` are all its settings."""
    if not plan["final"]:
        return None
    rows = {
        ("final", row["value"]): row
        for row in summary[summary["experiment"] == "final"].to_dict("records")
    }
    return _value(rows, "final", plan["final"])


def _value(
    rows: Mapping[tuple[str, str], Mapping[str, Any]], experiment: str, planned: Mapping[str, Any]
) -> Value:
    row = rows.get((experiment, planned["value"]))
    if row is None:
        raise StudyError(
            f"summary: no row for experiment {experiment!r}, value {planned['value']!r}; make it "
            "again for this plan"
        )
    train, validation = (
        Estimate(row["n"], *(float(row[f"{measure}_{name}"]) for name in _STATISTICS))
        for measure in MEASURES
    )
    return Value(
        text=planned["value"],
        varied=planned["settings"],
        run=planned["run"],
        epochs=planned["epochs"],
        n=row["n"],
        diverged=row["diverged"],
        train=train,
        validation=validation,
    )


_STATISTICS = ("mean", "sd", "low", "high", "published")


def is_number(value: Any) -> bool:
    """Whether a setting's value is a number, which a truth value is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _in_order(values: list[Value], keys: Sequence[str]) -> list[Value]:
    """Numbers and layer sizes in ascending order, all else in the plan's."""

    def place(value: Value) -> list[Any]:
        places = []
        for key in keys:
            item = value.varied[key]
            if is_number(item):
                places.append(item)
            elif isinstance(item, list):
                places.append((sum(item), item))
            else:
                places.append([other.varied[key] for other in values].index(item))
        return places

    return sorted(values, key=place)


def is_ordered(items: Sequence[Any]) -> bool:
    """Whether these ascend: numbers, or layers as many and each as wide as the one before."""
    if all(map(is_number, items)):
        return all(a < b for a, b in itertools.pairwise(items))
    if all(isinstance(item, list) for item in items):
        return all(
            len(a) == len(b) and a != b and all(x <= y for x, y in zip(a, b, strict=True))
            for a, b in itertools.pairwise(items)
        )
    return False
