"""What a study's numbers say: findings, which the report puts into words.

Everything is computed from the plan and from summary.parquet's rows; what these do not hold comes
from metrics.parquet. Accuracies and differences are fractions, losses are in nats.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests

from study import fidelity, published, settings
from study.config import schema
from study.errors import StudyError
from study.intervals import t_interval

# A difference is called clear when its corrected p-value is below this.
LEVEL = 0.05

# What rounding alone makes of the deviation of equal accuracies is smaller.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Estimate:
    """A mean over `n` replicates with its deviation (n - 1) and 95 % interval; NaN if unknown."""

    n: int
    mean: float
    sd: float
    low: float
    high: float
    published: float = math.nan

    @property
    def half(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2


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

    @cached_property
    def p(self) -> np.ndarray:
        """As `corrected_p_values`, of the ranked values."""
        return corrected_p_values([value.validation for value in self.ranked])

    @property
    def best(self) -> Value | None:
        """The value with the highest mean; None where every replicate diverged."""
        return self.ranked[0] if self.ranked else None

    def p_between(self, one: Value, other: Value) -> float:
        """The corrected p-value of two ranked values."""
        return float(self.p[self.ranked.index(one), self.ranked.index(other)])

    def settings_of(self, value: Value) -> dict[str, Any]:
        """All settings of one value."""
        return self.settings | value.varied


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
        for measure in fidelity.MEASURES
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


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _in_order(values: list[Value], keys: Sequence[str]) -> list[Value]:
    """Numbers and layer sizes in ascending order, all else in the plan's."""

    def place(value: Value) -> list[Any]:
        places = []
        for key in keys:
            item = value.varied[key]
            if _is_number(item):
                places.append(item)
            elif isinstance(item, list):
                places.append((sum(item), item))
            else:
                places.append([other.varied[key] for other in values].index(item))
        return places

    return sorted(values, key=place)


def is_ordered(items: Sequence[Any]) -> bool:
    """Whether these ascend: numbers, or layers as many and each as wide as the one before."""
    if all(map(_is_number, items)):
        return all(a < b for a, b in itertools.pairwise(items))
    if all(isinstance(item, list) for item in items):
        return all(
            len(a) == len(b) and a != b and all(x <= y for x, y in zip(a, b, strict=True))
            for a, b in itertools.pairwise(items)
        )
    return False


def corrected_p_values(estimates: Sequence[Estimate]) -> np.ndarray:
    """Holm-corrected p-values of Welch's test for every pair of means, (k, k) and symmetric.

    Welch's test does not assume equal spread, and values far from convergence spread many times
    as wide as others. Every value has the same seeds, so that samples may be correlated; where
    they are, positively as under shared initial weights, the test errs towards finding nothing.
    The correction is over all pairs, not only those with the best: which one is the best is not
    known beforehand, and a test of the highest of many noisy means against the next would call
    too much clear. NaN on the diagonal, and where a value has fewer than two replicates; 1 where
    neither of two has any spread to hold a difference against.
    """
    k = len(estimates)
    corrected = np.full((k, k), np.nan)
    first, second = np.triu_indices(k, 1)
    if not len(first):
        return corrected
    mean, sd, n = (
        np.array([getattr(estimate, name) for estimate in estimates], float)
        for name in ("mean", "sd", "n")
    )
    corrected[first, second] = _holm(_welch(mean, sd, n, first, second))
    return np.fmax(corrected, corrected.T)


def _welch(mean: np.ndarray, sd: np.ndarray, n: np.ndarray, first, second) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        p = stats.ttest_ind_from_stats(
            mean[first], sd[first], n[first], mean[second], sd[second], n[second], equal_var=False
        ).pvalue
    testable = (n[first] > 1) & (n[second] > 1)
    scatters = sd[first] + sd[second] > ROUNDING
    return np.where(testable, np.where(scatters, p, 1.0), np.nan)


def _holm(p: np.ndarray) -> np.ndarray:
    corrected = np.full(len(p), np.nan)
    tested = np.isfinite(p)
    if tested.any():
        corrected[tested] = multipletests(p[tested], LEVEL, method="holm")[1]
    return corrected


def is_clear(p: float) -> bool:
    """Whether a corrected p-value tells an effect from noise; one that does not exist does not."""
    return p < LEVEL


@dataclass(frozen=True)
class Lead:
    """The best value, how far it is ahead of the next, and which others it may be equal to."""

    best: Value
    runner_up: Value
    size: float
    p: float
    equals: list[Value]

    @property
    def is_tested(self) -> bool:
        """Whether there were replicates enough to test it."""
        return not math.isnan(self.p)

    @property
    def is_clear(self) -> bool:
        return is_clear(self.p)


def lead(experiment: Experiment) -> Lead | None:
    """The lead of the best value; None where fewer than two values have a result.

    `equals` are the values, the runner-up maybe among them, that were tested against the best and
    are not clearly worse.
    """
    if len(experiment.ranked) < 2:
        return None
    best, runner_up, *_ = experiment.ranked
    return Lead(
        best=best,
        runner_up=runner_up,
        size=best.validation.mean - runner_up.validation.mean,
        p=float(experiment.p[0, 1]),
        equals=[
            value for value, p in zip(experiment.ranked, experiment.p[0], strict=True) if p >= LEVEL
        ],
    )


@dataclass(frozen=True)
class Spread:
    """How far best and worst are apart, beside the noise: the pooled deviation between seeds.

    `noise` is NaN where no value has two replicates. Of `pairs` pairs of values that could be
    tested, `clear_pairs` differ clearly.
    """

    best: Value
    worst: Value
    size: float
    noise: float
    pairs: int
    clear_pairs: int


def spread(experiment: Experiment) -> Spread | None:
    """The spread over all values; None where fewer than two have a result."""
    if len(experiment.ranked) < 2:
        return None
    best, worst = experiment.ranked[0], experiment.ranked[-1]
    pairs = experiment.p[np.triu_indices(len(experiment.p), 1)]
    return Spread(
        best=best,
        worst=worst,
        size=best.validation.mean - worst.validation.mean,
        noise=noise([value.validation for value in experiment.ranked]),
        pairs=int(np.isfinite(pairs).sum()),
        clear_pairs=int((pairs < LEVEL).sum()),
    )


def noise(estimates: Sequence[Estimate]) -> float:
    """The standard deviation between seeds, pooled; NaN where nothing has two replicates."""
    spreading = [estimate for estimate in estimates if estimate.n > 1]
    freedom = sum(estimate.n - 1 for estimate in spreading)
    if not freedom:
        return math.nan
    squares = sum((estimate.n - 1) * estimate.sd**2 for estimate in spreading)
    return math.sqrt(squares / freedom)


@dataclass(frozen=True)
class Trend:
    """How accuracy follows an ordered setting: `rising`, `falling`, or with a `peak` between.

    Of the `steps` from one value to the next, `clear_steps` are clear by themselves; `is_tested`
    tells whether any of them could be tested.
    """

    shape: str
    first: Value
    last: Value
    peak: Value
    steps: int
    clear_steps: int
    is_tested: bool


def trend(experiment: Experiment) -> Trend | None:
    """The trend over one ordered setting of three or more values; None where there is none.

    A trend is one only if the means follow it without exception.
    """
    values = experiment.values
    if len(experiment.keys) > 1 or len(values) < 3 or len(experiment.ranked) < len(values):
        return None
    if not is_ordered([value.varied[experiment.keys[0]] for value in values]):
        return None
    signs = np.sign(np.diff([value.validation.mean for value in values]))
    if (signs > 0).all():
        shape = "rising"
    elif (signs < 0).all():
        shape = "falling"
    elif signs.all() and (np.diff(signs) <= 0).all():
        shape = "peak"
    else:
        return None
    p = np.array([experiment.p_between(a, b) for a, b in itertools.pairwise(values)])
    return Trend(
        shape=shape,
        first=values[0],
        last=values[-1],
        peak=experiment.ranked[0],
        steps=len(signs),
        clear_steps=int((p < LEVEL).sum()),
        is_tested=bool(np.isfinite(p).any()),
    )


@dataclass(frozen=True)
class Edge:
    """The best value is the largest or the smallest tried of `key`, and more could be tried."""

    best: Value
    key: str
    is_largest: bool


def edges(experiment: Experiment) -> list[Edge]:
    """The ordered settings of which the best value is at an end that is no bound of the setting."""
    found = []
    for key in experiment.keys if experiment.ranked else []:
        items = [value.varied[key] for value in experiment.values]
        items = [item for i, item in enumerate(items) if item not in items[:i]]
        items = sorted(items, key=lambda item: sum(item) if isinstance(item, list) else item)
        if len(items) < 2 or not is_ordered(items):
            continue
        bounds = schema()["$defs"][key]
        chosen = experiment.best.varied[key]
        if chosen == items[-1] and chosen != bounds.get("maximum"):
            found.append(Edge(experiment.best, key, is_largest=True))
        if chosen == items[0] and chosen != bounds.get("minimum"):
            found.append(Edge(experiment.best, key, is_largest=False))
    return found


def replicates(value: Value, metrics: pd.DataFrame) -> pd.DataFrame:
    """The rows of metrics.parquet up to the value's epochs, of the seeds that did not diverge."""
    rows = metrics[(metrics["run"] == value.run) & (metrics["epoch"] <= value.epochs)]
    diverged = rows.loc[rows["status"] == "diverged", "seed"]
    return rows[~rows["seed"].isin(diverged)]


def seen_accuracy(value: Value, metrics: pd.DataFrame) -> Estimate:
    """Accuracy on images trained on, judged like validation images: dropout off, training over."""
    rows = replicates(value, metrics)
    return estimate(rows.loc[rows["epoch"] == value.epochs, "train_eval_accuracy"].to_numpy())


def generalisation_gap(value: Value, metrics: pd.DataFrame) -> Estimate:
    """How much better a network does on images that it was trained on than on validation images.

    Both are judged with dropout off, after the last epoch.
    """
    rows = replicates(value, metrics)
    last = rows[rows["epoch"] == value.epochs]
    return estimate((last["train_eval_accuracy"] - last["validation_accuracy"]).to_numpy())


def estimate(samples: np.ndarray, published: float | None = None) -> Estimate:
    """Mean and interval of `samples` (n,), n >= 1, with what was published of it, if anything."""
    mean, sd, half = map(float, t_interval(samples))
    printed = math.nan if published is None else published
    return Estimate(len(samples), mean, sd, mean - half, mean + half, printed)


def widest_gap(experiment: Experiment, metrics: pd.DataFrame) -> tuple[Value, Estimate]:
    """The value with the widest generalisation gap; a replicate must be left of some value."""
    ranked = experiment.ranked
    rows = metrics[metrics["run"].isin({value.run for value in ranked})]
    last = pd.DataFrame(
        {
            "place": range(len(ranked)),
            "run": [value.run for value in ranked],
            "epoch": [value.epochs for value in ranked],
        }
    ).merge(rows[rows["status"] == "ok"])
    gaps = (last["train_eval_accuracy"] - last["validation_accuracy"]).groupby(last["place"])
    widest = ranked[int(gaps.mean().idxmax())]
    return widest, generalisation_gap(widest, metrics)


@dataclass(frozen=True)
class RunningGap:
    """Where the accuracy that is counted during training lies below that of validation.

    Of `count` values, those `below`; at `widest` the distance is largest.
    """

    count: int
    below: list[Value]
    widest: Value


def running_gap(experiment: Experiment) -> RunningGap | None:
    """Validation accuracy minus training accuracy; None where it is positive for no value."""

    def gap(value: Value) -> float:
        return value.validation.mean - value.train.mean

    below = [value for value in experiment.values if value.n and gap(value) > 0]
    if not below:
        return None
    return RunningGap(len(experiment.ranked), below, max(below, key=gap))


@dataclass(frozen=True)
class Course:
    """How a value's mean validation loss went: `lowest` after `lowest_epoch`, `last` at the end.

    `rise` is from the one to the other; `gained` is accuracy in the last epoch, NaN if only one.
    """

    value: Value
    lowest_epoch: int
    lowest: float
    last: float
    rise: Estimate
    gained: float

    @property
    def is_falling(self) -> bool:
        """Whether the last epoch had the lowest loss."""
        return self.lowest_epoch == self.value.epochs


def course(value: Value, metrics: pd.DataFrame) -> Course:
    """The course of the validation loss of a value, of which a replicate must be left."""
    rows = replicates(value, metrics)
    loss = rows.pivot(index="seed", columns="epoch", values="validation_loss")
    mean = loss.mean()
    lowest = int(mean.idxmin())
    accuracy = rows.groupby("epoch")["validation_accuracy"].mean()
    return Course(
        value=value,
        lowest_epoch=lowest,
        lowest=float(mean[lowest]),
        last=float(mean[value.epochs]),
        rise=estimate((loss[value.epochs] - loss[lowest]).to_numpy()),
        gained=float(accuracy.diff()[value.epochs]),
    )


@dataclass(frozen=True)
class PublishedOrder:
    """How the published numbers order an experiment's values, beside our numbers.

    `named` is what the study's text calls the best, `foremost` what its table has ahead; `behind`
    is how far `named` (or else `foremost`) is from our best, and `p` of that. Of `pairs` pairs of
    published values that ours tell apart clearly, `agreeing` are ordered alike.
    """

    best: Value
    named: Value | None
    foremost: Value
    behind: float
    p: float
    pairs: int
    agreeing: int

    @property
    def claimed(self) -> Value:
        """What the study holds for the best."""
        return self.named or self.foremost


def published_order(experiment: Experiment) -> PublishedOrder | None:
    """The published order; None where fewer than two of the values have a published accuracy."""
    printed = [value for value in experiment.ranked if not math.isnan(value.validation.published)]
    if len(printed) < 2:
        return None
    said = {row.experiment: settings.text(row.value) for row in published.load().best}
    named = next((value for value in printed if value.text == said.get(experiment.name)), None)
    foremost = max(printed, key=lambda value: value.validation.published)
    clear = [
        (better, worse)
        for better, worse in itertools.combinations(printed, 2)
        if is_clear(experiment.p_between(better, worse))
    ]
    claimed = named or foremost
    return PublishedOrder(
        best=experiment.best,
        named=named,
        foremost=foremost,
        behind=experiment.best.validation.mean - claimed.validation.mean,
        p=experiment.p_between(experiment.best, claimed),
        pairs=len(clear),
        agreeing=sum(
            better.validation.published > worse.validation.published for better, worse in clear
        ),
    )


@dataclass(frozen=True)
class AgainstFinal:
    """The best value of one experiment beside the final model: `ahead` is the final model's."""

    experiment: Experiment
    ahead: float
    p: float


def against_final(final: Value, found: Sequence[Experiment]) -> list[AgainstFinal]:
    """The final model against the best value of each experiment that has one.

    The p-values are of Welch's test, Holm-corrected over these comparisons; NaN where the best
    value is the final model itself, or where either has fewer than two replicates.
    """
    found = [experiment for experiment in found if experiment.best]
    compared = [final.validation, *(experiment.best.validation for experiment in found)]
    mean, sd, n = (
        np.array([getattr(item, name) for item in compared], float) for name in ("mean", "sd", "n")
    )
    others = np.arange(1, len(compared))
    p = _welch(mean, sd, n, np.zeros(len(others), int), others)
    same = [
        (experiment.best.run, experiment.best.epochs) == (final.run, final.epochs)
        for experiment in found
    ]
    p[np.array(same, bool)] = np.nan
    return [
        AgainstFinal(experiment, float(mean[0] - other), float(corrected))
        for experiment, other, corrected in zip(found, mean[1:], _holm(p), strict=True)
    ]


def published_comparison(name: str, value: Value, measure: str) -> fidelity.Comparison | None:
    """A published accuracy beside ours; None where there is none, or ours has no spread.

    `name` is the experiment's, `measure` one of fidelity.MEASURES.
    """
    ours = value.measure(measure)
    if math.isnan(ours.published) or ours.n < 2:
        return None
    low, high = fidelity.prediction_interval(ours.mean, ours.sd, ours.n)
    return fidelity.Comparison(
        experiment=name,
        value=value.text,
        measure=measure,
        n=ours.n,
        mean=ours.mean,
        sd=ours.sd,
        published=ours.published,
        low=low,
        high=high,
    )


def mean_distance(comparisons: Sequence[fidelity.Comparison]) -> float:
    """The mean absolute difference between our accuracies and the published ones."""
    return float(np.mean([abs(each.difference) for each in comparisons]))


@dataclass(frozen=True)
class Scatter:
    """How validation accuracy scatters between seeds: the `median` deviation, and the `largest`.

    `apart` is the difference between two trainings that the median deviation makes larger one time
    in twenty, if seeds scatter normally.
    """

    median: float
    largest: Value

    @property
    def apart(self) -> float:
        return float(stats.norm.ppf(1 - LEVEL / 2)) * math.sqrt(2) * self.median


def scatter(found: Sequence[Experiment]) -> Scatter | None:
    """The scatter over all distinct values; None where none has two replicates."""
    distinct = {
        (value.run, value.epochs): value
        for experiment in found
        for value in experiment.values
        if value.n > 1
    }
    if not distinct:
        return None
    deviations = [value.validation.sd for value in distinct.values()]
    largest = max(distinct.values(), key=lambda value: value.validation.sd)
    return Scatter(float(np.median(deviations)), largest)
