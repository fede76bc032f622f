"""Classification: cross-entropy, and the accuracy of the most probable class."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from study.learning.objective import Metrics


@dataclass(frozen=True)
class Classification:
    """Cross-entropy over `classes`; training spreads `smoothing` of a target over all of them."""

    classes: int
    smoothing: float = 0.0

    def wanted(self, targets: Tensor) -> Tensor:
        """The wanted distribution over classes, float32 (n, classes), for labels (n,)."""
        hot = functional.one_hot(targets, self.classes).float()
        return hot.mul_(1 - self.smoothing).add_(self.smoothing / self.classes)

    def gradient(self, outputs: Tensor, wanted: Tensor) -> Tensor:
        """Softmax minus target, over the examples."""
        return torch.softmax(outputs, -1).sub_(wanted).mul_(1 / wanted.shape[1])

    def evaluate(self, outputs: Tensor, targets: Tensor) -> Metrics:
        """Mean loss, without smoothing, and accuracy.

        One replicate after the other: the order of a sum must not depend on the stack.
        """
        loss, accuracy = [], []
        for own, right in zip(outputs.cpu(), targets.cpu().expand(outputs.shape[:2]), strict=True):
            losses = functional.cross_entropy(own, right, reduction="none")
            loss.append(losses.double().mean().item())
            accuracy.append((own.argmax(-1) == right).double().mean().item())
        return {"loss": loss, "accuracy": accuracy}
