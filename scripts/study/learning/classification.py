"""Classification: cross-entropy, and the accuracy of the most probable class."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from study.learning.objective import Metrics


@dataclass(frozen=True)
class Classification:
    """Cross-entropy over `classes`; training spreads `smoothing` of a target over all of them.

    Where it `is_balanced`, training weighs each example by n / (k n_c): of the n that are learned
    from, n_c are of its class, and k classes occur. The weights' mean is 1. Source: King and Zeng,
    Logistic Regression in Rare Events Data, Political Analysis 9 (2001); scikit-learn's `balanced`.
    """

    classes: int
    smoothing: float = 0.0
    is_balanced: bool = False

    def wanted(self, targets: Tensor) -> Tensor:
        """The wanted distribution over classes, float32 (n, classes), for labels (n,).

        Each is times the weight of its example, where these have weights.
        """
        hot = functional.one_hot(targets, self.classes).float()
        wanted = hot.mul_(1 - self.smoothing).add_(self.smoothing / self.classes)
        if self.is_balanced:
            counts = torch.bincount(targets, minlength=self.classes)
            weights = len(targets) / (counts.count_nonzero() * counts)
            wanted.mul_(weights[targets, None])
        return wanted

    def gradient(self, outputs: Tensor, wanted: Tensor) -> Tensor:
        """Softmax minus target, over the examples."""
        probabilities = torch.softmax(outputs, -1)
        if self.is_balanced:
            probabilities.mul_(wanted.sum(-1, keepdim=True))
        return probabilities.sub_(wanted).mul_(1 / wanted.shape[1])

    def evaluate(self, outputs: Tensor, targets: Tensor) -> Metrics:
        """Mean loss, without smoothing and weights, and accuracy.

        One replicate after the other: the order of a sum must not depend on the stack.
        """
        loss, accuracy = [], []
        for own, right in zip(outputs.cpu(), targets.cpu().expand(outputs.shape[:2]), strict=True):
            losses = functional.cross_entropy(own, right, reduction="none")
            loss.append(losses.double().mean().item())
            accuracy.append((own.argmax(-1) == right).double().mean().item())
        return {"loss": loss, "accuracy": accuracy}
