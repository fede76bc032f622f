"""How closely a study's results reproduce the published ones.

Works on the summary (summary.parquet as a data frame) alone: accuracies are fractions, and its
columns `<measure>_published` hold the published ones.
"""

import math
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
from scipy.special import stdtrit

from study.results import published
from study.statistics.intervals import SHARE
from study.statistics.uncertainty import within
from study.support.errors import StudyError

PUBLISHED_MEASURES = ("train_accuracy", "validation_accuracy")
CONFIDENCE = 0.95

ENOUGH_INSIDE = 40
LARGEST_DIFFERENCE = 0.008
FINAL_RANGE = (0.875, 0.890)

# At this learning rate training stops far from convergence, and one seed differs from the next by
# several points: no measure of agreement.
UNCONVERGED = ("learning_rate", "0.0001")


@dataclass(frozen=True)
class Comparison:
    """One published accuracy beside ours: `mean` and `sd` over `n` replicates.

    `low` and `high` bound the prediction interval in which a single further run would lie.
    """

    experiment: str
    value: str
    measure: str
    n: int
    mean: float
    sd: float
    published: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        """Ours minus published, a fraction."""
        return self.mean - self.published

    @property
    def inside(self) -> bool:
        """Whether the published accuracy lies in the prediction interval."""
        return self.low <= self.published <= self.high


@dataclass(frozen=True)
class Fidelity:
    """All comparisons, and the mean validation accuracy of the final model."""

    comparisons: list[Comparison]
    final_accuracy: float

    @property
    def inside(self) -> int:
        """How many published accuracies lie in their prediction intervals."""
        return sum(comparison.inside for comparison in self.comparisons)

    @property
    def mean_difference(self) -> float:
        """The mean absolute difference of validation accuracy, where training converges."""
        return statistics.mean(
            abs(comparison.difference)
            for comparison in self.comparisons
            if comparison.measure == "validation_accuracy"
            and (comparison.experiment, comparison.value) != UNCONVERGED
        )

    @property
    def enough_inside(self) -> bool:
        return self.inside >= ENOUGH_INSIDE

    @property
    def close_enough(self) -> bool:
        return self.mean_difference < LARGEST_DIFFERENCE

    @property
    def final_in_range(self) -> bool:
        return FINAL_RANGE[0] <= self.final_accuracy <= FINAL_RANGE[1]

    @property
    def reached(self) -> bool:
        """Whether all three figures are reached."""
        return self.enough_inside and self.close_enough and self.final_in_range


def prediction_interval(mean: float, sd: float, n: int) -> tuple[float, float]:
    """Where one further accuracy lies with 95 % probability, given n normal ones (n >= 2).

    mean ± t(0.975, n - 1) * sd * sqrt(1 + 1/n), with `sd` dividing by n - 1: Hahn & Meeker,
    Statistical Intervals (Wiley, 1991), chapter 4, for a single future observation. The interval
    ends where accuracies do.
    """
    margin = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) * sd * math.sqrt(1 + 1 / n)
    return within((mean - margin, mean + margin), SHARE)


def assess(summary: pd.DataFrame) -> Fidelity:
    """Hold the summary's rows against their published accuracies.

    Raises StudyError where a published row or the final model is missing, or where fewer than two
    replicates leave nothing to tell the spread from.
    """
    _require_columns(summary)
    final = summary[summary["experiment"] == "final"]
    rows = summary[
        (summary["experiment"] != "final") & summary["validation_accuracy_published"].notna()
    ]
    _require_published(rows)
    if final.empty:
        raise StudyError(
            "summary: no row for experiment 'final'; add `final` to the config and run the study"
        )
    _require_replicates(pd.concat([rows, final]))
    return Fidelity(
        comparisons=list(_comparisons(rows)),
        final_accuracy=float(final["validation_accuracy_mean"].iloc[0]),
    )


def _comparisons(rows: pd.DataFrame) -> Iterator[Comparison]:
    for row in rows.to_dict("records"):
        for measure in PUBLISHED_MEASURES:
            mean, sd = row[f"{measure}_mean"], row[f"{measure}_sd"]
            low, high = prediction_interval(mean, sd, row["n"])
            yield Comparison(
                experiment=row["experiment"],
                value=row["value"],
                measure=measure,
                n=row["n"],
                mean=mean,
                sd=sd,
                published=row[f"{measure}_published"],
                low=low,
                high=high,
            )


def _require_columns(summary: pd.DataFrame) -> None:
    measured = [
        f"{measure}_{part}"
        for measure in PUBLISHED_MEASURES
        for part in ("mean", "sd", "published")
    ]
    missing = [
        column
        for column in ["experiment", "value", "n", *measured]
        if column not in summary.columns
    ]
    if missing:
        raise StudyError(
            f"summary: no column {', '.join(missing)}; is this the study's summary.parquet?"
        )


def _require_published(rows: pd.DataFrame) -> None:
    expected = Counter(row.experiment for row in published.rows())
    found = Counter(rows["experiment"])
    if found != expected:
        differing = ", ".join(
            f"{name} has {found[name]} of {expected[name]}"
            for name in expected | found
            if found[name] != expected[name]
        )
        raise StudyError(
            f"summary: {found.total()} of the {expected.total()} published rows are there"
            f" ({differing}); run the default study"
        )


def _require_replicates(rows: pd.DataFrame) -> None:
    few = rows[rows["n"] < 2]
    if not few.empty:
        row = few.iloc[0]
        raise StudyError(
            f"summary: experiment {row['experiment']}, value {row['value']}: n is {row['n']};"
            " a spread needs at least 2 replicates that did not diverge: raise `seeds`"
        )
