"""The study as a tuned script by hand: decoded once, tensors in memory, a plain PyTorch loop."""

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

import peer
from reference_study import Training

EVALUATION_BATCH = 2000


def read_images(path: Path) -> Tensor:
    """Pixels (N, 784) as float32 in [-1, 1]."""
    pixels = np.fromfile(path, np.uint8, offset=16).reshape(-1, 784)
    return torch.from_numpy(pixels).float().div_(255).sub_(0.5).div_(0.5)


def read_labels(path: Path) -> Tensor:
    """Classes (N,) as int64."""
    return torch.from_numpy(np.fromfile(path, np.uint8, offset=8)).long()


def network(training: Training) -> nn.Sequential:
    hidden = [
        module
        for inputs, outputs in training.layers[:-1]
        for module in (
            nn.Linear(inputs, outputs),
            nn.ReLU(inplace=True),
            nn.Dropout(training.dropout),
        )
    ]
    return nn.Sequential(*hidden, nn.Linear(*training.layers[-1]))


def optimizer_of(training: Training, model: nn.Module) -> torch.optim.Optimizer:
    optimizers = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}
    rate = training.learning_rate
    return optimizers[training.optimizer](model.parameters(), lr=rate, fused=True)


@torch.inference_mode()
def evaluate(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[float, float]:
    """Mean loss and accuracy with dropout off."""
    model.eval()
    batches = zip(images.split(EVALUATION_BATCH), labels.split(EVALUATION_BATCH), strict=True)
    loss = correct = 0.0
    for batch, truth in batches:
        scores = model(batch)
        loss += functional.cross_entropy(scores, truth, reduction="sum").item()
        correct += (scores.argmax(1) == truth).sum().item()
    return loss / len(labels), correct / len(labels)


def train(
    training: Training,
    images: Tensor,
    labels: Tensor,
    validation_images: Tensor,
    validation_labels: Tensor,
) -> Iterator[peer.Epoch]:
    model = network(training)
    optimizer = optimizer_of(training, model)
    for _ in range(training.epochs):
        model.train()
        loss_sum = correct = 0.0
        for chosen in torch.randperm(len(images)).split(training.batch_size):
            truth = labels[chosen]
            scores = model(images[chosen])
            loss = functional.cross_entropy(scores, truth)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(chosen)
            correct += (scores.detach().argmax(1) == truth).sum().item()
        yield peer.Epoch(
            loss_sum / len(images),
            correct / len(images),
            *evaluate(model, validation_images, validation_labels),
        )


@functools.cache
def open_data(folder: Path) -> peer.Train:
    return functools.partial(
        train,
        images=read_images(folder / peer.FILES["train_images"]),
        labels=read_labels(folder / peer.FILES["train_labels"]),
        validation_images=read_images(folder / peer.FILES["test_images"]),
        validation_labels=read_labels(folder / peer.FILES["test_labels"]),
    )


if __name__ == "__main__":
    peer.run(__doc__, peer.one_by_one(open_data))
