"""A stack's step as one CUDA graph: what launching each operation from Python costs."""

import torch

from study.learning.examples import Examples
from study.learning.schedules import learning_rate
from study.learning.streams import stream
from study.learning.trainer import Trainer

# Steps before the capture, which libraries and the allocator want.
WARMING = 3


class GraphedEpochs:
    """Epochs of `trainer` on `train`, as its own, whose full batches replay one captured step.

    For what the default study sets: a constant learning rate, and images as they are.
    """

    @torch.inference_mode()
    def __init__(self, trainer: Trainer, train: Examples):
        self.trainer, self.train = trainer, train
        replicates, size = len(trainer.seeds), trainer.settings["batch_size"]
        device = train.inputs.device
        self.wanted = trainer.objective.wanted(train.targets)
        self.batch = torch.zeros(replicates, size, dtype=torch.int64, device=device)
        self.met = torch.empty(replicates, size, trainer.model.outputs, device=device)
        self.streams = trainer.model.streams(trainer.seeds, 0)
        self.rate = learning_rate(trainer.settings, 1, 0, 1)
        before = trainer.state()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARMING):
                self.met.copy_(self._step(self.batch))
        torch.cuda.current_stream().wait_stream(side)
        self.graph = torch.cuda.CUDAGraph()
        for generator in self.streams:
            self.graph.register_generator_state(generator)
        with torch.cuda.graph(self.graph):
            self.met.copy_(self._step(self.batch))
        trainer.restore(trainer.epoch, before)

    def _step(self, batch: torch.Tensor) -> torch.Tensor:
        """Train on the examples `batch` (replicates, n); their outputs."""
        trainer, chosen = self.trainer, batch.reshape(-1)
        inputs = self.train.inputs.index_select(0, chosen).view(*batch.shape, -1)
        wanted = self.wanted.index_select(0, chosen).view(*batch.shape, -1)
        outputs = trainer.model.forward(inputs, self.streams)
        trainer.model.backward(trainer.objective.gradient(outputs, wanted))
        trainer.optimizer.step(self.rate)
        return outputs

    @torch.inference_mode()
    def train_epoch(self) -> dict[str, list[float]]:
        """As `Trainer.train_epoch`."""
        trainer, count, size = self.trainer, len(self.train), self.batch.shape[1]
        trainer.epoch += 1
        streams = trainer.model.streams(trainer.seeds, trainer.epoch)
        for generator, fresh in zip(self.streams, streams, strict=True):
            generator.manual_seed(fresh.initial_seed())
        orders = [
            torch.randperm(count, generator=stream(seed, "order", trainer.epoch))
            for seed in trainer.seeds
        ]
        order = torch.stack(orders).to(self.train.inputs.device)
        met = torch.empty(*order.shape, trainer.model.outputs, device=order.device)
        for start in range(0, count - size + 1, size):
            self.batch.copy_(order[:, start : start + size])
            self.graph.replay()
            met[:, start : start + size] = self.met
        rest = count % size
        if rest:
            met[:, -rest:] = self._step(order[:, -rest:])
        return trainer.objective.evaluate(met, self.train.targets[order])
