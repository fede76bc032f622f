"""Training a stack of replicates, an epoch at a time, and measuring what it learned.

Everything that decides what a replicate learns is in the modules that fingerprint.py lists:
an edit here trains every run anew. Nothing depends on how many epochs there will be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from study.network import Stack
from study.optimizers import Optimizer
from study.streams import stream

# Images judged at once, and training images judged without dropout after every epoch.
EVALUATION_BATCH = 250
TRAIN_EVALUATION = 10_000


@dataclass(frozen=True)
class Images:
    """Pixels (n, features) uint8 and labels (n,) int64, on the device."""

    pixels: Tensor
    labels: Tensor

    @classmethod
    def from_arrays(cls, pixels: np.ndarray, labels: np.ndarray, device: str) -> "Images":
        """Take arrays as they are; on the CPU, pixels mapped from a file stay shared."""
        return cls(
            torch.from_numpy(pixels).to(device),
            torch.from_numpy(labels.astype(np.int64)).to(device),
        )

    def first(self, count: int) -> "Images":
        return Images(self.pixels[:count], self.labels[:count])


@dataclass(frozen=True)
class Judgement:
    """How logits compare with labels: loss and accuracy for each replicate, class for each image.

    `predicted` (replicates, n) uint8 and `confidence` (replicates, n) float32, its probability.
    """

    loss: list[float]
    accuracy: list[float]
    predicted: Tensor
    confidence: Tensor


def judge(logits: Tensor, labels: Tensor) -> Judgement:
    """Judge `logits` (replicates, n, classes) by `labels`, (n,) or (replicates, n).

    One replicate after the other: the order of a sum must not depend on the stack.
    """
    loss, accuracy, predicted, confidence = [], [], [], []
    for own, right in zip(logits.cpu(), labels.cpu().expand(logits.shape[:2]), strict=True):
        log_probabilities = torch.log_softmax(own, -1)
        losses = log_probabilities.gather(-1, right.unsqueeze(-1)).neg_()
        best, chosen = log_probabilities.max(-1)
        loss.append(losses.double().mean().item())
        accuracy.append((chosen == right).double().mean().item())
        predicted.append(chosen.to(torch.uint8))
        confidence.append(best.exp_())
    return Judgement(loss, accuracy, torch.stack(predicted), torch.stack(confidence))


class Training:
    """Replicates of one run at the same epoch, in one stack.

    `settings` is the run's training configuration (config.schema.yaml), `seeds` one for each
    replicate, `epoch` the number of epochs already done.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        seeds: Sequence[int],
        features: int,
        classes: int,
        device: str = "cpu",
    ):
        self.settings = settings
        self.seeds = list(seeds)
        self.classes = classes
        self.device = device
        self.epoch = 0
        self.stack = Stack(
            [features, *settings["hidden"], classes],
            settings["activation"],
            settings["dropout"],
            len(self.seeds),
            device,
        )
        self.stack.initialise(self.seeds)
        self.optimizer = Optimizer(settings, self.stack.parameters, self.stack.gradient)

    @torch.no_grad()
    def train_epoch(self, train: Images) -> Judgement:
        """Train one epoch; judge each batch by the network that met it, dropout on."""
        self.epoch += 1
        decay = self.settings["learning_rate_decay"] ** (self.epoch - 1)
        learning_rate = self.settings["learning_rate"] * decay
        count = len(train.labels)
        batch_size = self.settings["batch_size"]
        order = torch.stack(
            [
                torch.randperm(count, generator=stream(seed, "order", self.epoch))
                for seed in self.seeds
            ]
        ).to(self.device)
        # Other devices than these two lack a generator of 64 random bits.
        drawn_on = "cuda" if self.device == "cuda" else "cpu"
        streams = [stream(seed, "dropout", self.epoch, drawn_on) for seed in self.seeds]
        smoothing = self.settings["label_smoothing"]
        targets = torch.nn.functional.one_hot(train.labels, self.classes).float()
        targets.mul_(1 - smoothing).add_(smoothing / self.classes)
        logits = torch.empty(len(self.seeds), count, self.classes, device=self.device)
        for start in range(0, count, batch_size):
            batch = order[:, start : start + batch_size]
            chosen = batch.reshape(-1)
            pixels = train.pixels.index_select(0, chosen).view(*batch.shape, -1)
            wanted = targets.index_select(0, chosen).view(*batch.shape, -1)
            logits[:, start : start + batch_size] = self.stack.forward(pixels, streams)
            self.stack.backward(wanted)
            self.optimizer.step(learning_rate)
        return judge(logits, train.labels[order])

    @torch.no_grad()
    def evaluate(self, images: Images) -> Judgement:
        """Judge the networks as they are, dropout off."""
        logits = [
            self.stack.forward(pixels.expand(len(self.seeds), -1, -1)).clone()
            for pixels in images.pixels.split(EVALUATION_BATCH)
        ]
        return judge(torch.cat(logits, 1), images.labels)

    def state(self) -> list[dict[str, Tensor]]:
        """Each replicate's parameters and optimizer state, enough to go on from this epoch."""
        tensors = {"parameters": self.stack.parameters} | {
            f"optimizer.{name}": tensor for name, tensor in self.optimizer.state.items()
        }
        return [
            {
                name: (tensor[replicate] if tensor.ndim else tensor).cpu().clone()
                for name, tensor in tensors.items()
            }
            for replicate in range(len(self.seeds))
        ]

    def restore(self, epoch: int, states: Sequence[Mapping[str, Tensor]]) -> None:
        """Go back to what `state` gave at `epoch`, for the same seeds in the same order."""
        self.epoch = epoch
        for replicate, state in enumerate(states):
            self.stack.parameters[replicate] = state["parameters"]
            for name, tensor in self.optimizer.state.items():
                part = tensor[replicate] if tensor.ndim else tensor
                part.copy_(state[f"optimizer.{name}"])

    def keep(self, seeds: Sequence[int]) -> "Training":
        """The same training with only the replicates of `seeds`."""
        states = dict(zip(self.seeds, self.state(), strict=True))
        kept = Training(self.settings, seeds, self.stack.sizes[0], self.classes, self.device)
        kept.restore(self.epoch, [states[seed] for seed in seeds])
        return kept
