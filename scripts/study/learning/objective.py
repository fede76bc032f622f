"""What the trainer asks of a task: a loss with its gradient, and the metrics of an epoch."""

from typing import Protocol

from torch import Tensor

# Each metric of each replicate, by name; `loss` is one of them.
Metrics = dict[str, list[float]]


class Objective(Protocol):
    """A loss at a network's outputs, and how outputs are evaluated."""

    def wanted(self, targets: Tensor) -> Tensor:
        """`targets` (n, ...) in the form that `gradient` takes, made once an epoch."""

    def gradient(self, outputs: Tensor, wanted: Tensor) -> Tensor:
        """That of each replicate's mean loss at `outputs` (replicates, n, outputs)."""

    def evaluate(self, outputs: Tensor, targets: Tensor) -> Metrics:
        """Compare `outputs` with `targets`, (n, ...) or (replicates, n, ...)."""
