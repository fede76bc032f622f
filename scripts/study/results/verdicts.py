"""What a study's numbers, and the published ones, say of claims: the rows of claims.parquet.

All tests are two-sided, at significance.LEVEL:

- Two values of an experiment after their last epoch: Welch's test, Holm-corrected over the tests of
  the experiment, as everywhere in the report.
- Any other two quantities, and a difference with a margin: Welch's test, Holm-corrected over all
  such comparisons of the claim.
- Either of these is a paired test, seed by seed, where both quantities are of one training, as
  accuracy after two epochs of a run is.
- A quantity against a number: the 95 % t interval of its mean.
- Where seeds are added until an answer is clear, each of these is made at the part of the level
  that its look may spend (statistics/sequential.py).

A comparison holds or fails where it is clear, and is open where it is not, or where fewer than two
replicates or no spread leave nothing to tell by. Printed numbers have no noise: there a comparison
holds or fails, unless the document does not print what it needs.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from study.results import experiments, findings, published
from study.results.experiments import COMPARED_MEASURES, ExperimentResult, ValueResult
from study.spec import predicates
from study.spec.claims import CLAIMS, OWN, Claim
from study.spec.plan import Plan
from study.spec.predicates import FINAL, Greater, Predicate, Quantity, Verdict
from study.spec.tasks import Task, bounds_of
from study.statistics import significance
from study.statistics.estimates import NOTHING, Estimate, estimate
from study.statistics.intervals import of_differences


def columns(task: Task) -> list[str]:
    """What claims read of metrics.parquet."""
    return ["run", "seed", "epoch", *task.columns, "status"]


class Quantities:
    """A study's quantities: `metrics` has these `columns` of metrics.parquet."""

    def __init__(self, plan: Plan, summary: pd.DataFrame, metrics: pd.DataFrame):
        tables = plan, summary, metrics
        self._experiments = {each.name: each for each in experiments.experiments(*tables)}
        self._values = {name: each.values for name, each in self._experiments.items()}
        if final := experiments.final(*tables):
            self._values[FINAL] = [final]
        self._metrics = metrics
        self._estimates: dict[Quantity, Estimate] = {}
        self._measured: dict[Quantity, ExperimentResult] = {}

    def value(self, quantity: Quantity) -> ValueResult:
        """The experiment's value that a quantity is of."""
        values = self._values[quantity.experiment]
        return next(value for value in values if value.text == quantity.value)

    def estimate(self, quantity: Quantity) -> Estimate:
        """Its mean over the replicates; n is 0 where every one diverged."""
        if quantity not in self._estimates:
            self._estimates[quantity] = self._estimate(quantity)
        return self._estimates[quantity]

    def _estimate(self, quantity: Quantity) -> Estimate:
        value = self.value(quantity)
        if quantity.measure in COMPARED_MEASURES and not quantity.minus and quantity.epoch is None:
            return value.measure(quantity.measure)
        last = quantity.epoch or value.epochs
        rows = findings.replicates(value, self._metrics)
        if quantity.measure == "seconds":
            samples = rows[rows["epoch"] <= last].groupby("epoch")["seconds"].mean()
            if len(value.seeds) == 1:
                # As with all else, one training proves nothing.
                samples = pd.Series([samples.mean()]).dropna()
        else:
            measured = rows[rows["epoch"] == last].set_index("seed")
            samples = measured[quantity.measure]
            if quantity.minus:
                samples = samples - measured[quantity.minus]
        printed = self._printed(quantity)
        if samples.empty:
            return replace(NOTHING, published=printed)
        bounds = bounds_of(quantity.measure)
        if quantity.minus:
            bounds = of_differences(bounds)
        found = estimate(samples.to_numpy(), printed, bounds)
        if quantity.measure == "seconds":
            return found
        return replace(found, by_seed={int(seed): float(each) for seed, each in samples.items()})

    def _printed(self, quantity: Quantity) -> float:
        """What the document prints of a quantity, NaN where it does not."""
        if quantity.minus:
            parts = (quantity.measure, quantity.minus)
            first, second = (replace(quantity, measure=part, minus=None) for part in parts)
            return self._printed(first) - self._printed(second)
        if quantity.measure not in COMPARED_MEASURES:
            return math.nan
        value = self.value(quantity)
        if quantity.epoch is None:
            return value.measure(quantity.measure).published
        if quantity.experiment != FINAL or math.isnan(value.validation.published):
            return math.nan
        progress = {row.epoch: row for row in published.load().progress}
        printed = getattr(progress.get(quantity.epoch), quantity.measure, None)
        return math.nan if printed is None else printed

    def measured(self, quantity: Quantity) -> ValueResult:
        """The value that a quantity is of, with what this measures in place of its accuracy."""
        measured = self.estimate(quantity)
        return replace(self.value(quantity), n=measured.n, validation=measured)

    def interval(self, quantity: Quantity) -> tuple[float, float]:
        """Of its mean, wide enough that it holds at every look at once, where seeds are added."""
        estimate, part = self.estimate(quantity), experiments.part_of(self.measured(quantity))
        if part == 1 or estimate.n < 2:
            return estimate.low, estimate.high
        half = significance.half_width(estimate.sd, estimate.n, part)
        return estimate.mean - half, estimate.mean + half

    def is_published(self, predicate: Predicate) -> bool:
        """Whether the document has results of every value that the predicate names."""
        return not any(
            math.isnan(self.value(quantity).validation.published)
            for comparison in predicates.comparisons(predicate)
            for quantity in comparison.quantities
        )

    def are_one(self, left: Quantity, right: Quantity) -> bool:
        """Whether two quantities are one and the same, be it under different names."""
        one, other = (
            (value.run, quantity.epoch or value.epochs, quantity.measure, quantity.minus)
            for quantity in (left, right)
            for value in [self.value(quantity)]
        )
        return one == other

    def p_within(self, left: Quantity, right: Quantity) -> float:
        """The p-value of two values of an experiment, corrected over the experiment's tests."""
        kind = replace(left, value="")
        if kind not in self._measured:
            self._measured[kind] = self._experiment(kind)
        values = {value.text: value for value in self._measured[kind].values}
        one, other = values[left.value], values[right.value]
        return self._measured[kind].p_between(one, other) if one.n and other.n else math.nan

    def _experiment(self, kind: Quantity) -> ExperimentResult:
        """An experiment with what `kind` measures in place of validation accuracy."""
        experiment = self._experiments[kind.experiment]
        values = [self.measured(replace(kind, value=each.text)) for each in experiment.values]
        return replace(experiment, values=values)


@dataclass(frozen=True)
class Weighed:
    """A comparison with both sides' numbers; `p` is NaN where an interval decides, or nothing can.

    `published_verdict` is what the printed numbers alone say.
    """

    comparison: Greater
    left: Estimate
    right: Estimate
    p: float
    verdict: Verdict
    published_verdict: Verdict


def weigh(predicate: Predicate, numbers: Quantities) -> dict[Greater, Weighed]:
    """Every comparison of a predicate, in the order in which they are written."""
    asked = predicates.comparisons(predicate)
    p = _p_values(asked, numbers)
    return {each: _weighed(each, p.get(each, math.nan), numbers) for each in asked}


def _weighed(comparison: Greater, p: float, numbers: Quantities) -> Weighed:
    left, right = (_side(side, numbers) for side in (comparison.left, comparison.right))
    ahead = left.mean - right.mean - comparison.by
    if len(comparison.quantities) == 1:
        known = left if isinstance(comparison.left, Quantity) else right
        # Where the known side would have to lie for neither to be ahead.
        level = known.mean - ahead if known is left else known.mean + ahead
        low, high = numbers.interval(*comparison.quantities)
        # Without a spread between the seeds nothing tells how far the mean may be off.
        is_clear = known.sd > 0 and not low <= level <= high
    else:
        # Of one thing under two names there is nothing to test.
        is_clear = significance.is_clear(p) or numbers.are_one(*comparison.quantities)
    return Weighed(
        comparison=comparison,
        left=left,
        right=right,
        p=p,
        verdict=_by_sign(ahead) if is_clear else Verdict.OPEN,
        published_verdict=_by_sign(left.published - right.published - comparison.by),
    )


def _side(side: Quantity | float, numbers: Quantities) -> Estimate:
    if isinstance(side, Quantity):
        return numbers.estimate(side)
    return Estimate(0, side, math.nan, math.nan, math.nan, side)


def _by_sign(ahead: float) -> Verdict:
    if math.isnan(ahead):
        return Verdict.OPEN
    return Verdict.HOLDS if ahead > 0 else Verdict.FAILS


def _p_values(asked: Sequence[Greater], numbers: Quantities) -> dict[Greater, float]:
    """The corrected p-values of the comparisons of two quantities."""
    pairs = [
        each
        for each in asked
        if len(each.quantities) == 2 and not numbers.are_one(*each.quantities)
    ]
    within = {
        each: numbers.p_within(*each.quantities) for each in pairs if _is_within_experiment(each)
    }
    others = [each for each in pairs if each not in within]
    return within | dict(zip(others, _p_alone(others, numbers), strict=True))


def _is_within_experiment(comparison: Greater) -> bool:
    left, right = comparison.quantities
    is_alike = replace(left, value=right.value) == right and left.epoch is None
    return is_alike and left.experiment != FINAL and comparison.by == 0


def _p_alone(pairs: Sequence[Greater], numbers: Quantities) -> list[float]:
    """The p-values of comparisons that are corrected among themselves."""
    if not pairs:
        return []
    sides = [[numbers.measured(side) for side in each.quantities] for each in pairs]
    found = experiments.between([(left, right) for left, right in sides])
    p = replace(found, size=found.size - np.array([each.by for each in pairs])).p
    corrected: list[float] = significance.holm(p, int(np.isfinite(p).sum())).tolist()
    return corrected


def judge(
    asked: Sequence[Claim],
    plan: Plan,
    summary: pd.DataFrame,
    metrics: pd.DataFrame,
) -> pa.Table:
    """The rows of claims.parquet; `metrics` has these `columns` of metrics.parquet.

    Of the published study's claims, those are left out of which this study does not have every
    value with the settings that the document trained.
    """
    if not asked:
        return CLAIMS.empty_table()
    numbers = Quantities(plan, summary, metrics)
    rows = [
        _row(claim, weigh(claim.predicate, numbers))
        for claim in asked
        if claim.source == OWN or numbers.is_published(claim.predicate)
    ]
    return pa.Table.from_pylist(rows, CLAIMS)


def _row(claim: Claim, weighed: Mapping[Greater, Weighed]) -> dict[str, Any]:
    verdict = predicates.verdict(claim.predicate, lambda each: weighed[each].verdict)
    printed = predicates.verdict(claim.predicate, lambda each: weighed[each].published_verdict)
    deciding = predicates.deciding(claim.predicate, lambda each: weighed[each].verdict)
    is_printed = printed is not Verdict.OPEN
    return {
        "id": claim.id,
        "source": claim.source,
        "section": claim.section,
        "statement_es": claim.statement.get("es"),
        "statement_en": claim.statement.get("en"),
        "verdict": verdict,
        "published_verdict": printed if is_printed else None,
        "agrees": verdict is printed if is_printed and verdict is not Verdict.OPEN else None,
        "evidence": [_evidence(each, each.comparison in deciding) for each in weighed.values()],
    }


def _evidence(weighed: Weighed, decides: bool) -> dict[str, Any]:
    comparison, printed = weighed.comparison, weighed.published_verdict
    return {
        "left": _told(comparison.left, weighed.left),
        "right": _told(comparison.right, weighed.right),
        "by": comparison.by,
        "p": _known(weighed.p),
        "verdict": weighed.verdict,
        "published_verdict": None if printed is Verdict.OPEN else printed,
        "decides": decides,
    }


def _told(side: Quantity | float, estimate: Estimate) -> dict[str, Any]:
    if not isinstance(side, Quantity):
        return {"mean": side}
    numbers = ("mean", "low", "high", "published")
    return asdict(side) | {
        "n": estimate.n,
        **{name: _known(getattr(estimate, name)) for name in numbers},
    }


def _known(number: float) -> float | None:
    return None if math.isnan(number) else number
