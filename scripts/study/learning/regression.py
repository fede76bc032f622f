"""Regression: the mean squared error of standardised targets, R² and the error in their units."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from study.learning.objective import Metrics


@dataclass(frozen=True)
class Regression:
    """Mean squared error over examples and targets, each less its mean and over its deviation.

    `means` and `deviations` have one number for each target, in its unit.
    """

    means: Sequence[float]
    deviations: Sequence[float]

    def wanted(self, targets: Tensor) -> Tensor:
        """Standardised targets, float32 (n, targets)."""
        means, deviations = (
            torch.tensor(each, dtype=torch.float64, device=targets.device)
            for each in (self.means, self.deviations)
        )
        return ((targets.double() - means) / deviations).float()

    def gradient(self, outputs: Tensor, wanted: Tensor) -> Tensor:
        """Twice the error, over the examples and targets."""
        return outputs.sub(wanted).mul_(2 / wanted.shape[1:].numel())

    def evaluate(self, outputs: Tensor, targets: Tensor) -> Metrics:
        """Mean squared error of standardised targets; R² and RMSE, each the targets' mean.

        R² is against the mean of the targets evaluated. Where these are all equal it is 0. One
        replicate after the other: the order of a sum must not depend on the stack.
        """
        means, deviations = (torch.tensor(each).double() for each in (self.means, self.deviations))
        metrics: Metrics = {"loss": [], "r2": [], "rmse": []}
        for own, right in zip(outputs.cpu(), targets.cpu().expand(outputs.shape), strict=True):
            right = right.double()
            errors = own.double() - (right - means) / deviations
            squares = errors.square().mean(0)
            spread = ((right - right.mean(0)) / deviations).square().mean(0)
            explained = torch.where(spread > 0, 1 - squares / spread, 0.0)
            metrics["loss"].append(squares.mean().item())
            metrics["r2"].append(explained.mean().item())
            metrics["rmse"].append((squares.sqrt() * deviations).mean().item())
        return metrics
