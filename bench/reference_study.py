"""The reference study as data: 24 separate trainings, and the arithmetic that they need."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace

WIDTH = 28
PIXELS = WIDTH * WIDTH
CLASSES = 10
TRAINING_IMAGES = 60_000
VALIDATION_IMAGES = 10_000


@dataclass(frozen=True)
class Training:
    """One network trained once; the defaults are the study's baseline."""

    name: str
    optimizer: str = "sgd"
    learning_rate: float = 0.001
    dropout: float = 0.2
    hidden: tuple[int, ...] = (128, 64)
    batch_size: int = 100
    epochs: int = 10

    @property
    def layers(self) -> list[tuple[int, int]]:
        """Inputs and outputs of each linear layer, first to last."""
        return list(itertools.pairwise((PIXELS, *self.hidden, CLASSES)))

    @property
    def flop(self) -> int:
        """Floating-point operations of all matrix products of the training, without evaluation.

        An image costs each layer one product forward, one for the gradient of the weights and one
        for the gradient of the inputs, which the first layer does not need.
        """
        products = [3 * inputs * outputs for inputs, outputs in self.layers]
        products[0] = products[0] * 2 // 3
        return 2 * sum(products) * TRAINING_IMAGES * self.epochs

    @property
    def evaluation_flop(self) -> int:
        """Floating-point operations of evaluating the validation images after every epoch."""
        products = [inputs * outputs for inputs, outputs in self.layers]
        return 2 * sum(products) * VALIDATION_IMAGES * self.epochs


EXPERIMENTS = {
    "learning_rate": [0.0001, 0.001, 0.01],
    "optimizer": ["sgd", "adam"],
    "dropout": [0.0, 0.2, 0.4, 0.6],
    "hidden": [(64, 32), (128, 64), (256, 128), (512, 256)],
    "epochs": [5, 10, 15, 20, 30],
    "batch_size": [32, 64, 100, 128, 256],
}


def _name(setting: str, value: object) -> str:
    text = "-".join(map(str, value)) if isinstance(value, tuple) else value
    return f"{setting}={text}"


TRAININGS = [
    Training(_name(setting, value), **{setting: value})
    for setting, values in EXPERIMENTS.items()
    for value in values
] + [Training("final", optimizer="adam", batch_size=32, epochs=30)]


def shared(trainings: Iterable[Training]) -> list[Training]:
    """The longest training of each configuration: what is left once equal ones are trained once."""
    longest = {
        replace(training, name="", epochs=0): training
        for training in sorted(trainings, key=lambda training: training.epochs)
    }
    return list(longest.values())
