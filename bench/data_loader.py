"""The study as notebooks do it: a data set with transforms for each sample, and DataLoaders."""

import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import datasets, transforms

import peer
from in_memory import network
from reference_study import Training

OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}


def evaluate(model: nn.Module, loader: DataLoader) -> tuple[float, float]:
    """Mean loss and accuracy with dropout off."""
    criterion = nn.CrossEntropyLoss()
    model.eval()
    loss = correct = images = 0.0
    with torch.no_grad():
        for batch, truth in loader:
            scores = model(batch)
            loss += criterion(scores, truth).item() * len(truth)
            correct += (scores.argmax(1) == truth).sum().item()
            images += len(truth)
    return loss / images, correct / images


def train(training: Training, images: Dataset, validation_images: Dataset) -> Iterator[peer.Epoch]:
    loader = DataLoader(images, batch_size=training.batch_size, shuffle=True)
    validation_loader = DataLoader(validation_images, batch_size=training.batch_size)
    model = nn.Sequential(nn.Flatten(), *network(training))
    optimizer = OPTIMIZERS[training.optimizer](model.parameters(), lr=training.learning_rate)
    criterion = nn.CrossEntropyLoss()
    for _ in range(training.epochs):
        model.train()
        loss_sum = correct = 0.0
        for batch, truth in loader:
            optimizer.zero_grad()
            scores = model(batch)
            loss = criterion(scores, truth)
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(truth)
            correct += (scores.argmax(1) == truth).sum().item()
        yield peer.Epoch(
            loss_sum / len(images), correct / len(images), *evaluate(model, validation_loader)
        )


def open_data(folder: Path) -> peer.Train:
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    # torchvision looks for <root>/FashionMNIST/raw, and reads the files into memory at once.
    with tempfile.TemporaryDirectory() as root:
        raw = Path(root, "FashionMNIST/raw")
        raw.parent.mkdir()
        raw.symlink_to(folder.resolve())
        return functools.partial(
            train,
            images=datasets.FashionMNIST(root, train=True, transform=transform),
            validation_images=datasets.FashionMNIST(root, train=False, transform=transform),
        )


if __name__ == "__main__":
    peer.run(__doc__, peer.one_by_one(open_data))
