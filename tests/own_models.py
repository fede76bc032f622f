"""Models as users write them, for tests: their files, and runs of them on few random images."""

from pathlib import Path
from typing import Any

from examples import random_images
from study.data.scaling import PIXELS
from study.runs import models, replicates
from study.spec.models import describe
from study.spec.settings import identity
from study.spec.tasks import CLASSIFICATION

# With batch normalisation, dropout and a module of its own, imported from beside it.
CNN = '''\
"""A model, and what it is made from."""

from torch import nn

from blocks import block


class SmallCnn(nn.Module):
    """Convolutions and a linear layer.

    Args:
        channels: Feature maps of each convolution.
        batch_norm: Whether batch normalisation follows each.
        rate: Probability that a feature is dropped.
    """

    def __init__(
        self,
        inputs: tuple[int, ...],
        outputs: int,
        *,
        channels: list[int] = [3, 4],
        batch_norm: bool = True,
        rate: float = 0.0,
    ):
        super().__init__()
        layers = []
        before = inputs[0]
        for after in channels:
            layers.append(block(before, after, batch_norm))
            before = after
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(rate)
        self.head = nn.Linear(before, outputs)

    def forward(self, x):
        return self.head(self.dropout(self.features(x).mean((2, 3))))
'''

BLOCKS = '''\
from torch import nn


def block(before, after, batch_norm):
    """A convolution, normalised or not."""
    layers = [nn.Conv2d(before, after, 3, padding=1)]
    if batch_norm:
        layers.append(nn.BatchNorm2d(after))
    return nn.Sequential(*layers, nn.ReLU())
'''

# The multilayer perceptron, as a user would write it.
PERCEPTRON = '''\
from torch import nn

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}


def perceptron(
    inputs: tuple[int, ...], outputs: int, *, hidden: list[int] = [8], activation: str = "relu"
):
    """Linear layers."""
    features = 1
    for size in inputs:
        features *= size
    layers = [nn.Flatten()]
    for units in hidden:
        layers += [nn.Linear(features, units), ACTIVATIONS[activation]()]
        features = units
    return nn.Sequential(*layers, nn.Linear(features, outputs))
'''


def write(folder: Path, text: str = CNN) -> Path:
    """The file of a model in `folder`, with what it imports beside it."""
    (folder / "blocks.py").write_text(BLOCKS)
    path = folder / "small_cnn.py"
    path.write_text(text)
    return path


def settings_of(path: Path, **given: Any) -> dict[str, Any]:
    """The settings of a run of the model in `path`."""
    return identity(describe(str(path)).hyperparameters.complete(given))


def run_of(path: Path, settings: dict[str, Any], count: int = 37) -> replicates.Training:
    """A run of the model in `path` on few random images of two rows."""
    train, validation = random_images(count), random_images(23, seed=1)
    model = describe(str(path))
    architecture = models.module(model, settings, train.shape, 4, PIXELS)
    return replicates.Training(
        settings,
        train,
        validation,
        architecture,
        CLASSIFICATION,
        models.objective(CLASSIFICATION, settings, 4, loss=architecture.loss),
        "cpu",
        "cpu test",
    )
