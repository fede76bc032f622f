"""Training the replicates of a run, an epoch at a time, and measuring what they learned.

Everything that decides what a replicate learns is in this folder, as fingerprint.py has it: an
edit here trains every run anew. Nothing depends on how many epochs there will be, but for schedules
that end (schedules.py).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from study.learning.augmentation import RandomShiftFlip
from study.learning.averaging import Average
from study.learning.clipping import clip
from study.learning.examples import Examples
from study.learning.model import Model
from study.learning.objective import Metrics, Objective
from study.learning.optimizers import Optimizer
from study.learning.schedules import learning_rate
from study.learning.streams import stream

# Examples evaluated at once, and training examples evaluated without dropout after every epoch.
EVALUATION_BATCH = 250
TRAIN_EVALUATION = 10_000


class Trainer:
    """Replicates of one run at the same epoch.

    `settings` is the run's training configuration (config.schema.yaml), `seeds` one for each
    replicate, `build` gives the untrained networks of such seeds, `epoch` is the number of epochs
    already done.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        seeds: Sequence[int],
        build: Callable[[Sequence[int]], Model],
        objective: Objective,
    ):
        self.settings = settings
        self.seeds = list(seeds)
        self.build = build
        self.objective = objective
        self.epoch = 0
        self.model = build(self.seeds)
        self.optimizer = Optimizer(settings, self.model.parameters, self.model.gradient)
        self.average = None
        if decay := settings["weight_averaging"]:
            self.average = Average([self.model.parameters, *self._statistics().values()], decay)

    def _statistics(self) -> dict[str, Tensor]:
        """The buffers that can be averaged."""
        buffers = self.model.buffers.items()
        return {name: rows for name, rows in buffers if rows.is_floating_point()}

    @torch.inference_mode()
    def train_epoch(self, train: Examples) -> Metrics:
        """Train one epoch; evaluate each batch by the network that met it, dropout on."""
        self.epoch += 1
        count, device = len(train), train.inputs.device
        batch_size = self.settings["batch_size"]
        steps, longest = math.ceil(count / batch_size), self.settings["gradient_clip"]
        order = torch.stack(
            [
                torch.randperm(count, generator=stream(seed, "order", self.epoch))
                for seed in self.seeds
            ]
        ).to(device)
        streams = self.model.streams(self.seeds, self.epoch)
        targets = self.objective.wanted(train.targets)
        views = RandomShiftFlip(
            train.inputs, train.shape, self.settings["shift"], self.settings["flip"]
        )
        drawn = torch.stack(
            [views.draw(count, stream(seed, "views", self.epoch)) for seed in self.seeds]
        ).to(device)
        met = torch.empty(len(self.seeds), count, self.model.outputs, device=device)
        for start in range(0, count, batch_size):
            batch = order[:, start : start + batch_size]
            chosen = batch.reshape(-1)
            seen = drawn[:, start : start + batch_size].reshape(-1)
            inputs = views.take(chosen, seen).view(*batch.shape, -1)
            wanted = targets.index_select(0, chosen).view(*batch.shape, *targets.shape[1:])
            outputs = self.model.forward(inputs, streams)
            met[:, start : start + batch_size] = outputs
            self.model.backward(self.objective.gradient(outputs, wanted))
            if longest:
                clip(self.model.gradient, longest)
            step = start // batch_size
            self.optimizer.step(learning_rate(self.settings, self.epoch, step, steps))
            if self.average:
                self.average.update()
        return self.objective.evaluate(met, train.targets[order])

    @torch.inference_mode()
    def evaluate(self, examples: Examples) -> Metrics:
        """Evaluate the networks, dropout off; under weight averaging the averaged ones."""
        if self.average:
            self.average.swap()
        outputs = [
            self.model.forward(inputs[None]).clone()
            for inputs in examples.inputs.split(EVALUATION_BATCH)
        ]
        if self.average:
            self.average.swap()
        return self.objective.evaluate(torch.cat(outputs, 1), examples.targets)

    def _tensors(self) -> dict[str, Tensor]:
        """All that training changes: a row for each replicate, or one number for all."""
        tensors = {"parameters": self.model.parameters}
        tensors |= {f"optimizer.{name}": each for name, each in self.optimizer.state.items()}
        tensors |= {f"buffers.{name}": rows for name, rows in self.model.buffers.items()}
        if self.average:
            names = ["average", *(f"average.buffers.{name}" for name in self._statistics())]
            tensors |= dict(zip(names, self.average.rows, strict=True))
            tensors["average_share"] = self.average.share
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

    def keep(self, seeds: Sequence[int]) -> "Trainer":
        """The same training with only the replicates of `seeds`."""
        states = dict(zip(self.seeds, self.state(), strict=True))
        kept = Trainer(self.settings, seeds, self.build, self.objective)
        kept.restore(self.epoch, [states[seed] for seed in seeds])
        return kept
