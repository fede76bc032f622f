"""What a study's numbers say: findings, which the report puts into words.

Everything is computed from the experiments, which hold summary.parquet's numbers; what these do
not hold comes from metrics.parquet. Scores and their differences are fractions, those of R² too;
losses are in nats, or of standardised targets.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from study.results import fidelity, published
from study.results.experiments import Difference, ExperimentResult, ValueResult, between, rank
from study.results.experiments import experiments as experiments
from study.results.experiments import final as final
from study.spec import settings
from study.spec.tasks import score_of, task_of
from study.statistics import significance
from study.statistics.estimates import Estimate, estimate, noise, repeatability
from study.statistics.intervals import LOSS, of_differences
from study.statistics.significance import LEVEL, is_clear


@dataclass(frozen=True)
class Lead:
    """How far the best value is ahead of the next, and which others it may be equal to."""

    difference: Difference
    equals: list[ValueResult]

    @property
    def best(self) -> ValueResult:
        return self.difference.value

    @property
    def runner_up(self) -> ValueResult:
        return self.difference.other

    @property
    def size(self) -> float:
        return self.difference.size

    @property
    def p(self) -> float:
        """The corrected p-value."""
        return self.difference.p_corrected

    @property
    def is_tested(self) -> bool:
        """Whether there were replicates enough to test it."""
        return self.difference.is_tested

    @property
    def is_clear(self) -> bool:
        return self.difference.is_clear


def lead(experiment: ExperimentResult) -> Lead | None:
    """The lead of the best value over the next contender; None where there is no other.

    `equals` are the contenders, the runner-up maybe among them, that were tested against the best
    and are not clearly worse.
    """
    if len(experiment.contenders) < 2:
        return None
    best, *others = experiment.contenders
    return Lead(
        difference=experiment.difference(best, others[0]),
        equals=[value for value in others if experiment.p_between(best, value) >= LEVEL],
    )


@dataclass(frozen=True)
class Spread:
    """How far best and worst are apart, beside the noise: the pooled deviation between seeds.

    `noise` is NaN where no value has two replicates. Of `pairs` pairs of values that were tested,
    `clear_pairs` differ clearly.
    """

    best: ValueResult
    worst: ValueResult
    size: float
    noise: float
    pairs: int
    clear_pairs: int


def spread(experiment: ExperimentResult) -> Spread | None:
    """The spread over all contenders; None where fewer than two are left."""
    contenders = experiment.contenders
    if len(contenders) < 2:
        return None
    best, worst = contenders[0], contenders[-1]
    p = np.array(
        [
            experiment.p_between(one, other)
            for one, other in experiment.compared
            if one.diverged == other.diverged == best.diverged
        ]
    )
    return Spread(
        best=best,
        worst=worst,
        size=best.validation.mean - worst.validation.mean,
        noise=noise([value.validation for value in contenders]),
        pairs=int(np.isfinite(p).sum()),
        clear_pairs=int((p < LEVEL).sum()),
    )


def replicates(value: ValueResult, metrics: pd.DataFrame) -> pd.DataFrame:
    """The rows of metrics.parquet up to the value's epochs, of its seeds that did not diverge."""
    rows = metrics[(metrics["run"] == value.run) & (metrics["epoch"] <= value.epochs)]
    rows = rows[rows["seed"].isin(value.seeds)]
    diverged = rows.loc[rows["status"] == "diverged", "seed"]
    return rows[~rows["seed"].isin(diverged)]


def seen_score(value: ValueResult, metrics: pd.DataFrame) -> Estimate:
    """The score on images trained on, judged like validation images: dropout off, training over."""
    rows = replicates(value, metrics)
    task = task_of(metrics)
    last = rows.loc[rows["epoch"] == value.epochs, f"train_eval_{task.score}"]
    return estimate(last.to_numpy(), bounds=task.bounds[task.score])


def generalisation_gap(value: ValueResult, metrics: pd.DataFrame) -> Estimate:
    """How much better a network does on images that it was trained on than on validation images.

    Both are judged with dropout off, after the last epoch.
    """
    rows = replicates(value, metrics)
    last = rows[rows["epoch"] == value.epochs]
    task = task_of(metrics)
    gaps = last[f"train_eval_{task.score}"] - last[f"validation_{task.score}"]
    return estimate(gaps.to_numpy(), bounds=of_differences(task.bounds[task.score]))


def widest_gap(experiment: ExperimentResult, metrics: pd.DataFrame) -> tuple[ValueResult, Estimate]:
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
    gap = last[score_of("train_eval", last)] - last[score_of("validation", last)]
    gaps = gap.groupby(last["place"])
    widest = ranked[int(gaps.mean().idxmax())]
    return widest, generalisation_gap(widest, metrics)


@dataclass(frozen=True)
class RunningGap:
    """How the accuracy that is counted during training compares with that of validation.

    Of `count` values, it lies lower for those `below`. At `widest` it lies lowest where there are
    any, and else farthest above.
    """

    count: int
    below: list[ValueResult]
    widest: ValueResult


def running_gap(experiment: ExperimentResult) -> RunningGap:
    """Validation accuracy beside training accuracy; a replicate must be left of some value."""

    def gap(value: ValueResult) -> float:
        return value.validation.mean - value.train.mean

    below = [value for value in experiment.ranked if gap(value) > 0]
    widest = max(below, key=gap) if below else min(experiment.ranked, key=gap)
    return RunningGap(len(experiment.ranked), below, widest)


@dataclass(frozen=True)
class Course:
    """How a value's mean validation loss went: `lowest` after `lowest_epoch`, `last` at the end.

    `rise` is from the one to the other; `gained` is the score in the last epoch, NaN if only one.
    """

    value: ValueResult
    lowest_epoch: int
    lowest: float
    last: float
    rise: Estimate
    gained: float

    @property
    def is_falling(self) -> bool:
        """Whether the last epoch had the lowest loss."""
        return self.lowest_epoch == self.value.epochs


def course(value: ValueResult, metrics: pd.DataFrame) -> Course:
    """The course of the validation loss of a value, of which a replicate must be left."""
    rows = replicates(value, metrics)
    loss = rows.pivot(index="seed", columns="epoch", values="validation_loss")
    mean = loss.mean()
    lowest = int(mean.idxmin())
    score = rows.groupby("epoch")[score_of("validation", rows)].mean()
    return Course(
        value=value,
        lowest_epoch=lowest,
        lowest=float(mean[lowest]),
        last=float(mean[value.epochs]),
        rise=estimate((loss[value.epochs] - loss[lowest]).to_numpy(), bounds=of_differences(LOSS)),
        gained=float(score.diff()[value.epochs]),
    )


@dataclass(frozen=True)
class PublishedOrder:
    """How the published numbers order an experiment's values, beside our numbers.

    `named` is what the study's text calls the best, `foremost` what its table has ahead; `behind`
    is how far `named` (or else `foremost`) is from our best, and `p` of that. Of `pairs` pairs of
    published values that ours tell apart clearly, `agreeing` are ordered alike.
    """

    best: ValueResult
    named: ValueResult | None
    foremost: ValueResult
    behind: float
    p: float
    pairs: int
    agreeing: int

    @property
    def claimed(self) -> ValueResult:
        """What the study holds for the best."""
        return self.named or self.foremost


def published_order(experiment: ExperimentResult) -> PublishedOrder | None:
    """The published order; None where fewer than two of the values have a published accuracy."""
    printed = [value for value in experiment.ranked if not math.isnan(value.validation.published)]
    best = experiment.best
    if best is None or len(printed) < 2:
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
        best=best,
        named=named,
        foremost=foremost,
        behind=best.validation.mean - claimed.validation.mean,
        p=experiment.p_between(best, claimed),
        pairs=len(clear),
        agreeing=sum(
            better.validation.published > worse.validation.published for better, worse in clear
        ),
    )


@dataclass(frozen=True)
class AgainstFinal:
    """The best value of one experiment beside the final model: `ahead` is the final model's."""

    experiment: ExperimentResult
    best: ValueResult
    ahead: float
    p: float


def against_final(model: ValueResult, found: Sequence[ExperimentResult]) -> list[AgainstFinal]:
    """The final `model` against the best value of each experiment that has one.

    The p-values are of Welch's test, Holm-corrected over these comparisons; NaN where the best
    value is the final model itself, or where either has fewer than two replicates.
    """
    bests = [(experiment, experiment.best) for experiment in found if experiment.best]
    ahead = between([(model, best) for _, best in bests])
    same = [(best.run, best.epochs) == (model.run, model.epochs) for _, best in bests]
    p = np.where(same, np.nan, ahead.p)
    corrected = significance.holm(p, int(np.isfinite(p).sum()))
    rows = zip(bests, ahead.size.tolist(), corrected.tolist(), strict=True)
    return [AgainstFinal(*best, size, p) for best, size, p in rows]


def ahead_of_final(
    model: ValueResult | None, found: Sequence[ExperimentResult]
) -> AgainstFinal | None:
    """The most accurate best value that is ahead of the final `model`; None where none is."""
    if model is None or not model.n:
        return None
    ahead = [
        each
        for each in against_final(model, found)
        if each.ahead < 0 and rank(each.best) < rank(model)
    ]
    return min(ahead, key=lambda each: rank(each.best), default=None)


def published_comparison(name: str, value: ValueResult, measure: str) -> fidelity.Comparison | None:
    """A published accuracy beside ours; None where there is none, or ours has no spread.

    `name` is the experiment's, `measure` one of fidelity.PUBLISHED_MEASURES.
    """
    ours = value.measure(measure)
    if math.isnan(ours.published) or not ours.has_spread:
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
    largest: ValueResult

    @property
    def apart(self) -> float:
        return repeatability(self.median)


def scatter(found: Sequence[ExperimentResult]) -> Scatter | None:
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
