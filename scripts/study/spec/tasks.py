"""Tasks: what a study's networks are to do, and how that is measured. Imports no torch."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Task:
    """What is measured after each epoch.

    Attributes:
        name: As `data.task` of the config has it.
        metrics: Measured beside the loss, most telling first.
        higher_is_better: The direction of each metric; the loss is better where it is lower.
        bounds: What each metric cannot go below or above.
        symbol: What the score is called on a terminal.
    """

    name: str
    metrics: tuple[str, ...]
    higher_is_better: Mapping[str, bool] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    symbol: str = "accuracy"

    @property
    def score(self) -> str:
        """The metric that values are compared and chosen by."""
        return self.metrics[0]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a record that measure an epoch; the last is its seconds."""
        whole = ("loss", *self.metrics)
        parts = {"train": whole, "validation": whole, "train_eval": self.metrics}
        return (
            *(f"{part}_{metric}" for part, metrics in parts.items() for metric in metrics),
            "seconds",
        )


CLASSIFICATION = Task("classification", ("accuracy",), {"accuracy": True}, {"accuracy": (0.0, 1.0)})

# R² has no unit, RMSE that of the target.
REGRESSION = Task(
    "regression",
    ("r2", "rmse"),
    {"r2": True, "rmse": False},
    {"r2": (-math.inf, 1.0), "rmse": (0.0, math.inf)},
    "R²",
)

# By the name that the config has under `data.task`.
TASKS = {task.name: task for task in [CLASSIFICATION, REGRESSION]}


def bounds_of(measure: str) -> tuple[float, float]:
    """What a column of a record, such as `validation_r2`, cannot go below or above."""
    metric = measure.rpartition("_")[2]
    known = {name: ends for task in TASKS.values() for name, ends in task.bounds.items()}
    return known.get(metric, (0.0, math.inf))


def score_of(part: str, columns: Iterable[str]) -> str:
    """The column of a table of metrics by which `part` is scored, as `validation_accuracy`."""
    return f"{part}_{task_of(columns).score}"


def task_of(columns: Iterable[str]) -> Task:
    """The task whose scores a table has, metrics or summary, by its columns' names."""
    names = list(columns)
    for task in TASKS.values():
        if any(name.startswith(f"validation_{task.score}") for name in names):
            return task
    return CLASSIFICATION
