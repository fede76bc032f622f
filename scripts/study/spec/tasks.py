"""Tasks: what a study's networks are to do, and how that is measured. Imports no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Task:
    """What is measured after each epoch.

    Attributes:
        name: As `data.task` of the config has it.
        metrics: Measured beside the loss, most telling first.
        higher_is_better: The direction of each metric; the loss is better where it is lower.
    """

    name: str
    metrics: tuple[str, ...]
    higher_is_better: Mapping[str, bool] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a record that measure an epoch; the last is its seconds."""
        whole = ("loss", *self.metrics)
        parts = {"train": whole, "validation": whole, "train_eval": self.metrics}
        return (
            *(f"{part}_{metric}" for part, metrics in parts.items() for metric in metrics),
            "seconds",
        )


CLASSIFICATION = Task("classification", ("accuracy",), {"accuracy": True})

# R² has no unit, RMSE that of the target.
REGRESSION = Task("regression", ("r2", "rmse"), {"r2": True, "rmse": False})

# By the name that the config has under `data.task`.
TASKS = {task.name: task for task in [CLASSIFICATION, REGRESSION]}
