"""A study's experiments with their numbers, and the differences between an experiment's values.

Made from the plan, summary.parquet's rows and, for values that share their training, those of
metrics.parquet. Accuracies and differences are fractions.
"""

import itertools
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.special import ndtr

from study.spec import plan, schemas, settings
from study.spec.plan import Plan
from study.spec.settings import Settings
from study.spec.tasks import Task, task_of
from study.statistics import sequential, significance
from study.statistics.estimates import NOTHING, Estimate, estimate, repeatability
from study.statistics.intervals import ROUNDING
from study.statistics.significance import Contrast, contrast, is_clear
from study.support.errors import StudyError

COMPARED_MEASURES = ("train_accuracy", "validation_accuracy")

# Of more values than this, not every pair is compared.
EVERY_PAIR = 100


@dataclass(frozen=True, eq=False)
class ValueResult:
    """One value of an experiment: what it sets, its run, and how it came out.

    `text` is the summary's; `n` replicates did not diverge, `diverged` did. Values of one
    `training` are read off the same course of it, seed by seed: after other epochs, or with the
    weights averaged otherwise. `train` and `validation` are scores, and `rmse` is the validation
    part's, None of classes.

    Where seeds are added until the answer is clear, `seeds` are those that it has been asked for,
    `looks` how many there are at each look (plan.Experiment), and it is `left_out` where others of
    the experiment have more.
    """

    text: str
    varied: dict[str, Any]
    run: str
    epochs: int
    n: int
    diverged: int
    train: Estimate
    validation: Estimate
    training: str = ""
    rmse: Estimate | None = None
    seeds: Sequence[int] = ()
    looks: Sequence[int] = ()
    left_out: bool = False

    @property
    def is_looked_at(self) -> bool:
        """Whether its tests are of a look, by measures that are known of each seed."""
        return bool(self.looks and self.validation.by_seed)

    def after(self, count: int) -> Self:
        """The same as it was with the first so many of its seeds."""
        if count == len(self.seeds):
            return self
        by_seed = self.validation.by_seed
        kept = {seed: by_seed[seed] for seed in self.seeds[:count] if seed in by_seed}
        found = NOTHING if not kept else estimate(np.array(list(kept.values())))
        measured = replace(found, by_seed=kept)
        return replace(self, n=len(kept), validation=measured, seeds=self.seeds[:count])

    def measure(self, name: str) -> Estimate:
        """The estimate of `train_accuracy` or `validation_accuracy`, of classes."""
        return {"train_accuracy": self.train, "validation_accuracy": self.validation}[name]


@dataclass(frozen=True)
class Difference:
    """The validation accuracy of `value` minus that of `other`; NaN is what is not known.

    `low` and `high` bound its 95 % interval by Welch, `p` is that of his test, and `p_corrected`
    Holm's over the tests of the experiment. `noise` is the pooled deviation between the seeds of
    the two, `effect` Hedges' g, and `superiority` the probability that a single training of
    `value` beats one of `other`. `seeds_needed` is how many seeds each of the two would take to
    be told apart with a probability of 80 %, at the level that Holm's correction asks of the
    smallest p; NaN where they are told apart already. Where it is `paired`, test, interval,
    superiority and seeds needed are those of the differences within the seeds. Where the
    experiment adds seeds, all numbers are of the seeds that both have, and test and interval at
    the part of the level that their last look spends.
    """

    value: ValueResult
    other: ValueResult
    size: float
    low: float
    high: float
    p: float
    p_corrected: float
    noise: float
    effect: float
    superiority: float
    seeds_needed: float
    paired: bool

    @property
    def is_tested(self) -> bool:
        """Whether there were replicates enough, and spread between them, to test it."""
        return not math.isnan(self.p_corrected)

    @property
    def is_clear(self) -> bool:
        return is_clear(self.p_corrected)

    @property
    def is_small(self) -> bool:
        """Whether it is below what two trainings of one configuration differ by."""
        return abs(self.size) < repeatability(self.noise)


@dataclass(frozen=True, eq=False)
class ExperimentResult:
    """One experiment: the keys varied, the settings it starts from, its values in order shown.

    `definitions` has the schema of each setting of the study.
    """

    name: str
    keys: list[str]
    settings: dict[str, Any]
    values: list[ValueResult]
    definitions: Mapping[str, Mapping[str, Any]] = field(default_factory=schemas.definitions)

    @cached_property
    def ranked(self) -> list[ValueResult]:
        """The values that have a result, the best first.

        First come those that were not left out, of these those of which the fewest replicates
        diverged, and of these the most accurate: the mean of the replicates that a bad value leaves
        says nothing of those that it lost.
        """
        alive = [value for value in self.values if value.n]
        return sorted(alive, key=rank)

    @property
    def contenders(self) -> list[ValueResult]:
        """The values that may be called best or worst: those that lost as few as the first."""
        return [value for value in self.ranked if value.diverged <= self.ranked[0].diverged]

    @property
    def bests(self) -> list[ValueResult]:
        """The first in rank and all that are just as accurate; none where all diverged."""
        return [
            value
            for value in self.contenders
            if value.left_out == self.ranked[0].left_out
            and math.isclose(value.validation.mean, self.ranked[0].validation.mean, rel_tol=1e-12)
        ]

    @property
    def in_question(self) -> list[ValueResult]:
        """The best and those that may be as good as it; none where it is clear which is the best.

        Further seeds go to these, where the experiment adds some.
        """
        if not self.ranked:
            return []
        best, *others = self.contenders
        found = self.differences([(best, other) for other in others])
        unclear = [each.other for each in found if not (each.is_clear and each.size > 0)]
        return [best, *unclear] if unclear else []

    @property
    def lost(self) -> list[ValueResult]:
        """The values at which every replicate diverged."""
        return [value for value in self.values if not value.n]

    @property
    def best(self) -> ValueResult | None:
        """The first in rank; None where every replicate diverged."""
        return self.ranked[0] if self.ranked else None

    @cached_property
    def baseline(self) -> ValueResult | None:
        """The value that is what the experiment starts from, if it is among those tried."""
        start = {key: self.settings[key] for key in self.keys}
        return next((value for value in self.values if value.varied == start), None)

    def settings_of(self, value: ValueResult) -> dict[str, Any]:
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
        values, part = _together(self.values)
        weights = significance.slope_weights(len(values))
        found = replace(contrast(*_moments(values), weights), part=np.array(part))
        if not all(are_paired(values[0], value) for value in values[1:]):
            return found
        by_seed = np.array([_by_seed(value) for value in values])
        error, freedom = significance.of_pairs(weights @ by_seed)
        return replace(found, error=np.array(error), freedom=np.array(freedom))

    @cached_property
    def compared(self) -> list[tuple[ValueResult, ValueResult]]:
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
    def _place(self) -> dict[ValueResult, int]:
        return {value: place for place, value in enumerate(self.ranked)}

    def _places(self, one: ValueResult, other: ValueResult) -> tuple[int, int] | None:
        """The ranks of two values, the better first; None where one has no result."""
        if not (one.n and other.n):
            return None
        first, second = sorted((self._place[one], self._place[other]))
        return first, second

    @cached_property
    def _contrasts(self) -> Contrast:
        """The differences of the pairs compared."""
        return between(self.compared)

    @cached_property
    def family(self) -> int:
        """How many tests Holm's correction is over: all pairs, and the slope where there is one.

        Not only the pairs with the best value: which one is the best is not known beforehand, and
        a test of the highest of many noisy means against the next would call too much clear. Pairs
        without replicates or spread to test by are none.
        """
        if len(self.compared) == math.comb(len(self.ranked), 2):
            return int(np.isfinite(self._contrasts.p).sum()) + self._tests_slope
        testable = [value.validation for value in self.ranked if value.n > 1]
        flat = sum(not each.has_spread for each in testable)
        return math.comb(len(testable), 2) - math.comb(flat, 2) + self._tests_slope

    @property
    def _uncorrected_slope(self) -> float:
        return float(self.slope.p) if self.slope else math.nan

    @property
    def _tests_slope(self) -> bool:
        return not math.isnan(self._uncorrected_slope)

    @cached_property
    def _corrected(self) -> tuple[dict[tuple[int, int], float], float]:
        """The corrected p-values of the pairs compared, by their ranks, and of the slope."""
        places = [places for pair in self.compared if (places := self._places(*pair))]
        p = np.array([*self._contrasts.p, self._uncorrected_slope])
        *pairs, slope = significance.holm(p, self.family).tolist()
        return dict(zip(places, pairs, strict=True)), slope

    @property
    def p_slope(self) -> float:
        """The corrected p-value of the slope; NaN where there is none."""
        return self._corrected[1]

    def p_between(self, one: ValueResult, other: ValueResult) -> float:
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

    def differences(self, pairs: Iterable[tuple[ValueResult, ValueResult]]) -> list[Difference]:
        """The first of each pair of values minus the second; each must have a result."""
        pairs = list(pairs)
        if not pairs:
            return []
        found = between(pairs)
        looked = itertools.chain(*(_together(pair)[0] for pair in pairs))
        mean, sd, n = (part.reshape(-1, 2) for part in _moments(looked))
        corrected = np.array([self.p_between(*pair) for pair in pairs])
        paired = np.array([are_paired(*pair) for pair in pairs])
        effect = significance.hedges_g(mean, sd, n)
        with np.errstate(divide="ignore", invalid="ignore"):
            # The mean of the differences within pairs, in units of their deviation.
            within = np.where(paired, found.size / (found.error * np.sqrt(n[:, 0])), np.nan)
        within[found.error <= ROUNDING] = np.nan
        is_open, level = corrected >= significance.LEVEL, significance.LEVEL / max(self.family, 1)
        needed = [
            significance.seeds_needed(np.where(is_open, size, np.nan), level, paired=by_pairs)
            for size, by_pairs in ((effect, False), (within, True))
        ]
        columns = (
            found.size,
            found.low,
            found.high,
            found.p,
            corrected,
            significance.pooled(sd, n),
            effect,
            np.where(paired, ndtr(within), significance.superiority(mean, sd)),
            np.where(paired, needed[1], needed[0]),
            paired,
        )
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return [Difference(*pair, *row) for pair, row in zip(pairs, rows, strict=True)]

    def difference(self, one: ValueResult, other: ValueResult) -> Difference:
        """One value minus another; each must have a result."""
        return self.differences([(one, other)])[0]


def _moments(values: Iterable[ValueResult]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, deviation and number of the validation accuracies of some values."""
    estimates = [value.validation for value in values]
    numbers = [(each.mean, each.sd, each.n) for each in estimates]
    mean, sd, n = np.array(numbers, float).reshape(-1, 3).T
    return mean, sd, n


def _together(values: Sequence[ValueResult]) -> tuple[list[ValueResult], float]:
    """The values at the last look that all of them have had, and what this may spend of the level.

    Values of other looks, as of several experiments, are taken as they are: there are as many looks
    at them as there are combinations of theirs.
    """
    looks = values[0].looks
    if all(value.is_looked_at and value.looks == looks for value in values):
        count = min(len(value.seeds) for value in values)
        return [value.after(count) for value in values], sequential.part(looks, count)
    return list(values), math.prod(map(part_of, values))


def part_of(value: ValueResult) -> float:
    """What the last look at a value alone may spend of the level."""
    return sequential.part(value.looks, len(value.seeds)) if value.is_looked_at else 1.0


def between(pairs: Sequence[tuple[ValueResult, ValueResult]]) -> Contrast:
    """The validation accuracy of the first of each pair (m) minus that of the second.

    By Welch, and seed by seed where the two share their training; where seeds are added, at the
    last look at both.
    """
    looked = [_together(pair) for pair in pairs]
    values = [value for found, _ in looked for value in found]
    mean, sd, n = (each.reshape(-1, 2) for each in _moments(values))
    found = contrast(mean, sd, n, np.array([1.0, -1.0]))
    found = replace(found, part=np.array([part for _, part in looked]))
    for place, ((one, other), _) in enumerate(looked):
        if are_paired(one, other):
            differences = _by_seed(one) - _by_seed(other)
            found.error[place], found.freedom[place] = significance.of_pairs(differences)
    return found


def are_paired(one: ValueResult, other: ValueResult) -> bool:
    """Whether the two are read off the same training, and of the same two seeds or more."""
    (one, other), _ = _together((one, other))
    seeds = one.validation.by_seed.keys()
    return (
        one.training == other.training
        and len(seeds) > 1
        and seeds == other.validation.by_seed.keys()
    )


def _by_seed(value: ValueResult) -> np.ndarray:
    """The validation accuracies (n,), in the order of the seeds."""
    return np.array([accuracy for _, accuracy in sorted(value.validation.by_seed.items())])


def rank(value: ValueResult) -> tuple[bool, int, float]:
    """What values with a result are sorted by, the best first (ExperimentResult.ranked)."""
    return value.left_out, value.diverged, -value.validation.mean


def experiments(
    plan: Plan, summary: pd.DataFrame, metrics: pd.DataFrame | None = None
) -> list[ExperimentResult]:
    """The plan's experiments with the summary's numbers; StudyError where one has no row.

    `metrics` has those columns of metrics.parquet that `paired` names; without it no two values are
    compared seed by seed, nor at the looks of an experiment that adds seeds.
    """
    rows = {(row["experiment"], row["value"]): row for row in summary.to_dict("records")}
    replicates = _Replicates(plan, metrics)
    found = []
    for planned in plan.experiments:
        name, keys, start = planned.name, planned.keys, dict(planned.settings)
        trials = planned.trials
        most = max(len(trial.seeds) for trial in trials)
        values = []
        for value, trial in zip(planned.values, trials, strict=True):
            found_value = _value(rows, name, value, start, replicates, trial.seeds)
            is_left_out = len(trial.seeds) < most
            values.append(replace(found_value, looks=planned.looks, left_out=is_left_out))
        known = plan.hyperparameters.definitions
        found.append(ExperimentResult(name, keys, start, _in_order(values, keys), known))
    return found


def final(
    plan: Plan, summary: pd.DataFrame, metrics: pd.DataFrame | None = None
) -> ValueResult | None:
    """The final model, if the plan has one; its `varied` are all its settings."""
    if not plan.final:
        return None
    rows = {
        ("final", row["value"]): row
        for row in summary[summary["experiment"] == "final"].to_dict("records")
    }
    return _value(rows, "final", plan.final, {}, _Replicates(plan, metrics), plan.seeds)


def paired(metrics: Iterable[str]) -> list[str]:
    """Of these columns of metrics.parquet, those that comparisons seed by seed are made from."""
    return ["run", "seed", "epoch", *_scores(task_of(metrics)), "status"]


def _scores(task: Task) -> list[str]:
    return [f"train_{task.score}", f"validation_{task.score}"]


class _Replicates:
    """The accuracies of each seed, of those values that share their training or are looked at."""

    def __init__(self, plan: Plan, metrics: pd.DataFrame | None):
        self._rows: dict[tuple[str, int], pd.DataFrame] = {}
        if metrics is None:
            return
        asked = [
            (_training(each.settings_of(value)), (value.run, value.epochs))
            for each, value in plan.values
        ]
        # Comparisons within experiments are made from a part of the plan without it.
        if final := getattr(plan, "final", None):
            asked.append((_training(final.settings), (final.run, final.epochs)))
        ends: dict[str, set[tuple[str, int]]] = defaultdict(set)
        for training, end in asked:
            ends[training].add(end)
        wanted = {end for found in ends.values() if len(found) > 1 for end in found}
        looked_at = [each for each in plan.experiments if each.looks]
        wanted |= {(value.run, value.epochs) for each in looked_at for value in each.values}
        is_asked = metrics["run"].isin({run for run, _ in wanted}) & (metrics["status"] == "ok")
        for end, own in metrics[is_asked].groupby(["run", "epoch"]):
            if end in wanted:
                self._rows[end] = own

    def of(self, run: str, epochs: int, measure: str, seeds: Sequence[int]) -> dict[int, float]:
        """Of these seeds; nothing where it is not to be known of each."""
        own = self._rows.get((run, epochs))
        if own is None:
            return {}
        found = zip(own["seed"].tolist(), own[measure].tolist(), strict=True)
        return {seed: number for seed, number in found if seed in seeds}


def _training(chosen: Settings) -> str:
    """What decides the course of training, seed by seed.

    Averaged weights are evaluated while training goes on from the others, so that averaging leaves
    the course as it is.
    """
    told = settings.essential(chosen) | {"weight_averaging": None}
    return json.dumps(told, sort_keys=True)


def _value(
    rows: Mapping[tuple[str, str], Mapping[str, Any]],
    experiment: str,
    planned: plan.Value,
    start: Settings,
    replicates: _Replicates,
    seeds: Sequence[int],
) -> ValueResult:
    row = rows.get((experiment, planned.value))
    if row is None:
        raise StudyError(
            f"summary: no row for experiment {experiment!r}, value {planned.value!r}; make it "
            "again for this plan"
        )
    run, epochs = planned.run, planned.epochs

    def estimated(measure: str, by_seed: dict[int, float]) -> Estimate:
        found = {name: float(row[f"{measure}_{name}"]) for name in _STATISTICS}
        return Estimate(n=row["n"], **found, by_seed=by_seed)

    task = task_of(row)
    train, validation = (
        estimated(measure, replicates.of(run, epochs, measure, seeds)) for measure in _scores(task)
    )
    return ValueResult(
        text=planned.value,
        varied=dict(planned.settings),
        run=run,
        epochs=epochs,
        n=row["n"],
        diverged=row["diverged"],
        train=train,
        validation=validation,
        training=_training({**start, **planned.settings}),
        rmse=estimated("validation_rmse", {}) if "rmse" in task.metrics else None,
        seeds=seeds,
    )


_STATISTICS = ("mean", "sd", "low", "high", "published")


def is_number(value: Any) -> bool:
    """Whether a setting's value is a number, which a truth value is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _in_order(values: list[ValueResult], keys: Sequence[str]) -> list[ValueResult]:
    """Numbers and layer sizes in ascending order, all else in the plan's."""

    def place(value: ValueResult) -> list[Any]:
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
