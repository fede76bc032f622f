"""Training a stack of replicates, an epoch at a time, and measuring what it learned.

Everything that decides what a replicate learns is in this folder, as fingerprint.py has it: an
edit here trains every run anew. Nothing depends on how many epochs there will be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from study.learning.augmentation import Views
from study.learning.averaging import Average
from study.learning.network import Stack
from study.learning.optimizers import Optimizer
from study.learning.streams import stream

# Images judged at once, and training images judged without dropout after every epoch.
EVALUATION_BATCH = 250
TRAIN_EVALUATION = 10_000


@dataclass(frozen=True)
class Images:
    """Pixels (n, height * width) uint8 and labels (n,) int64, on the device."""

    pixels: Tensor
    labels: Tensor
    width: int

    @classmethod
    def from_arrays(
        cls, pixels: np.ndarray, labels: np.ndarray, width: int, device: str
    ) -> "Images":
        """Take arrays as they are; on the CPU, pixels mapped from a file stay shared."""
        return cls(
            torch.from_numpy(pixels).to(device),
            torch.from_numpy(labels.astype(np.int64)).to(device),
            width,
        )

    def chosen(self, images: Tensor) -> "Images":
        """A copy of the images with these indices."""
        return Images(self.pixels[images], self.labels[images], self.width)

    def first(self, count: int) -> "Images":
        return Images(self.pixels[:count], self.labels[:count], self.width)


@dataclass(frozen=True)
class Judgement:
    """How logits compare with labels: the mean loss and the accuracy of each replicate."""

    loss: list[float]
    accuracy: list[float]


def judge(logits: Tensor, labels: Tensor) -> Judgement:
    """Judge `logits` (replicates, n, classes) by `labels`, (n,) or (replicates, n).

    One replicate after the other: the order of a sum must not depend on the stack.
    """
    loss, accuracy = [], []
    for own, right in zip(logits.cpu(), labels.cpu().expand(logits.shape[:2]), strict=True):
        losses = torch.nn.functional.cross_entropy(own, right, reduction="none")
        loss.append(losses.double().mean().item())
        accuracy.append((own.argmax(-1) == right).double().mean().item())
    return Judgement(loss, accuracy)


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
            settings["precision"],
        )
        self.stack.initialise(self.seeds)
        self.optimizer = Optimizer(settings, self.stack.parameters, self.stack.gradient)
        decay = settings["weight_averaging"]
        self.average = Average(self.stack.parameters, decay) if decay else None

    @torch.inference_mode()
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
        views = Views(train.pixels, train.width, self.settings["shift"], self.settings["flip"])
        drawn = torch.stack(
            [views.draw(count, stream(seed, "views", self.epoch)) for seed in self.seeds]
        ).to(self.device)
        logits = torch.empty(len(self.seeds), count, self.classes, device=self.device)
        for start in range(0, count, batch_size):
            batch = order[:, start : start + batch_size]
            chosen = batch.reshape(-1)
            seen = drawn[:, start : start + batch_size].reshape(-1)
            pixels = views.take(chosen, seen).view(*batch.shape, -1)
            wanted = targets.index_select(0, chosen).view(*batch.shape, -1)
            logits[:, start : start + batch_size] = self.stack.forward(pixels, streams)
            self.stack.backward(wanted)
            self.optimizer.step(learning_rate)
            if self.average:
                self.average.update(self.stack.parameters)
        return judge(logits, train.labels[order])

    @torch.inference_mode()
    def evaluate(self, images: Images) -> Judgement:
        """Judge the networks, dropout off; under weight averaging those of the averaged weights."""
        moving = self.stack.parameters.clone() if self.average else None
        if self.average:
            self.stack.parameters.copy_(self.average.rows)
        logits = [
            self.stack.forward(pixels[None]).clone()
            for pixels in images.pixels.split(EVALUATION_BATCH)
        ]
        if self.average:
            self.stack.parameters.copy_(moving)
        return judge(torch.cat(logits, 1), images.labels)

    def _tensors(self) -> dict[str, Tensor]:
        """All that training changes: a row for each replicate, or one number for all."""
        tensors = {"parameters": self.stack.parameters}
        tensors |= {f"optimizer.{name}": each for name, each in self.optimizer.state.items()}
        if self.average:
            tensors |= {"average": self.average.rows, "average_share": self.average.share}
        return tensors

    def state(self) -> list[dict[str, Tensor]]:
        """Each replicate's parameters and optimizer state, enough to go on from this epoch."""
        return [
            {
                name: (tensor[replicate] if tensor.ndim else tensor).cpu().clone()
                for name, tensor in self._tensors().items()
            }
            for replicate in range(len(self.seeds))
        ]

    def restore(self, epoch: int, states: Sequence[Mapping[str, Tensor]]) -> None:
        """Go back to what `state` gave at `epoch`, for the same seeds in the same order."""
        self.epoch = epoch
        for replicate, state in enumerate(states):
            for name, tensor in self._tensors().items():
                part = tensor[replicate] if tensor.ndim else tensor
                part.copy_(state[name])

    def keep(self, seeds: Sequence[int]) -> "Training":
        """The same training with only the replicates of `seeds`."""
        states = dict(zip(self.seeds, self.state(), strict=True))
        kept = Training(self.settings, seeds, self.stack.sizes[0], self.classes, self.device)
        kept.restore(self.epoch, [states[seed] for seed in seeds])
        return kept
