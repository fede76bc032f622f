"""Two studies held side by side: what differs in settings, and which results beyond the noise."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from study.results import experiments, metrics
from study.results.experiments import ExperimentResult, ValueResult
from study.runs import records
from study.spec.plan import Plan
from study.spec.tasks import Task, score_of, task_of
from study.statistics import significance
from study.support.errors import StudyError

# An experiment's name, the keys that it varies, and one of its values' text.
Key = tuple[str, tuple[str, ...], str]

FINAL: Key = ("final", (), "final")


class Outcome(StrEnum):
    """What can be said of a value's two results."""

    CLEAR = "clear"
    OPEN = "open"
    SAME = "same"
    UNTESTED = "untested"


@dataclass(frozen=True, eq=False)
class StudyResults:
    """What is read of a study: plan.json, the numbers, and what made them."""

    name: str
    plan: Plan
    metrics: pd.DataFrame
    summary: pd.DataFrame
    made_by: dict[str, Any]

    @cached_property
    def experiments(self) -> dict[str, ExperimentResult]:
        """The experiments, by name."""
        return {each.name: each for each in experiments.experiments(self.plan, self.summary)}

    @cached_property
    def values(self) -> dict[Key, ValueResult]:
        """All values, the final model last."""
        found = {
            (name, tuple(experiment.keys), value.text): value
            for name, experiment in self.experiments.items()
            for value in experiment.values
        }
        final = experiments.final(self.plan, self.summary)
        return found | ({FINAL: final} if final else {})

    @cached_property
    def task(self) -> Task:
        """What the study's networks were to do."""
        return task_of(self.metrics.columns)

    def scores(self, value: ValueResult) -> pd.Series:
        """The validation score of each seed after each epoch of `value`."""
        is_asked = (self.metrics["run"] == value.run) & (self.metrics["epoch"] <= value.epochs)
        measured = self.metrics[is_asked].set_index(["seed", "epoch"])
        return measured[score_of("validation", measured)]


@dataclass(frozen=True)
class SharedValue:
    """A value that both studies have: its two results, and `b` minus `a`, accuracies as fractions.

    `low` and `high` bound the difference's 95 % interval, `p` is Holm's over the values tested; NaN
    where unknown.
    """

    key: Key
    a: ValueResult
    b: ValueResult
    size: float
    low: float
    high: float
    p: float
    outcome: Outcome


def read_results(folder: Path) -> StudyResults:
    """The study whose results are in `folder`; StudyError where they are not all there."""
    for name in ("plan.json", "metrics.parquet", "summary.parquet"):
        if not (folder / name).is_file():
            raise StudyError(
                f"{folder / name}: is missing; name the results folder of a finished study, or "
                "finish it by make report"
            )
    try:
        return StudyResults(
            folder.as_posix(),
            Plan.read(folder / "plan.json"),
            metrics.read(folder / "metrics.parquet", _columns),
            pd.read_parquet(folder / "summary.parquet"),
            records.read_metadata(folder / "metrics.parquet"),
        )
    except (ValueError, TypeError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise StudyError(f"{folder}: is damaged ({reason}); make it anew by make report") from None


def _columns(task: Task) -> list[str]:
    return ["run", "seed", "epoch", f"validation_{task.score}"]


def rows(a: StudyResults, b: StudyResults) -> list[SharedValue]:
    """The values that both studies have with a result, in the order of `a`."""
    keys = [
        key for key, value in a.values.items() if key in b.values and value.n and b.values[key].n
    ]
    if not keys:
        return []
    pairs = [(a.values[key], b.values[key]) for key in keys]
    found = experiments.between([(theirs, ours) for ours, theirs in pairs])
    same = np.array([_are_the_same(a, b, *pair) for pair in pairs])
    p = np.where(same, np.nan, found.p)
    corrected = significance.holm(p, int(np.isfinite(p).sum()))
    numbers = np.column_stack((found.size, found.low, found.high, corrected)).tolist()
    return [
        SharedValue(key, ours, theirs, size, low, high, p, _outcome(is_same, p))
        for key, (ours, theirs), is_same, (size, low, high, p) in zip(
            keys, pairs, same, numbers, strict=True
        )
    ]


def _are_the_same(a: StudyResults, b: StudyResults, ours: ValueResult, theirs: ValueResult) -> bool:
    """Whether the two are one training, whose common seeds have the same numbers in both."""
    if (ours.run, ours.epochs) != (theirs.run, theirs.epochs):
        return False
    one, other = a.scores(ours).align(b.scores(theirs), join="inner")
    return len(one) > 0 and one.equals(other)


def _outcome(is_same: bool, p: float) -> Outcome:
    if is_same:
        return Outcome.SAME
    if np.isnan(p):
        return Outcome.UNTESTED
    return Outcome.CLEAR if significance.is_clear(p) else Outcome.OPEN
