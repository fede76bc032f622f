"""A loss of a model's own file, beside the metrics of the task."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from study.learning.modules import ModelError
from study.learning.objective import Metrics, Objective


@dataclass(frozen=True)
class OwnLoss:
    """`loss(outputs, targets)`, which gives one number for each example; the rest is `task`'s.

    `outputs` are (n, outputs) float32, `targets` labels (n,) or, where `standardised`, what the
    task makes of quantities (n, targets).
    """

    loss: Callable[[Tensor, Tensor], Tensor]
    task: Objective
    standardised: bool

    def wanted(self, targets: Tensor) -> Tensor:
        """The targets as the loss takes them."""
        return self.task.wanted(targets) if self.standardised else targets

    def gradient(self, outputs: Tensor, wanted: Tensor) -> Tensor:
        """By automatic differentiation, one replicate after the other."""
        found = []
        for own, right in zip(outputs, wanted, strict=True):
            # Autograd keeps no tensors that were made in inference mode.
            with torch.inference_mode(False), torch.enable_grad():
                met = own.clone().requires_grad_()
                mean = self._of_each(met, right.clone()).mean()
                found += torch.autograd.grad(mean, met)
        return torch.stack(found)

    def evaluate(self, outputs: Tensor, targets: Tensor) -> Metrics:
        """The task's metrics, with this loss in the place of its own."""
        metrics = self.task.evaluate(outputs, targets)
        wanted = self.wanted(targets)
        rows = wanted if wanted.shape[:2] == outputs.shape[:2] else [wanted] * len(outputs)
        losses = []
        for own, right in zip(outputs, rows, strict=True):
            with torch.inference_mode(False), torch.no_grad():
                losses.append(self._of_each(own.clone(), right.clone()).double().mean().item())
        return metrics | {"loss": losses}

    def _of_each(self, outputs: Tensor, targets: Tensor) -> Tensor:
        found = self.loss(outputs, targets)
        if not isinstance(found, Tensor) or found.shape != outputs.shape[:1]:
            shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise ModelError(
                f"loss gives {shape} for {len(outputs)} examples, not one number for each: "
                f"({len(outputs)},)"
            )
        return found
