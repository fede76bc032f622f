"""The multilayer perceptron as a user's own file, for own_model.py."""

import math

from torch import nn


class Perceptron(nn.Module):
    """Linear layers with a ReLU between them.

    Args:
        hidden: Units of each hidden layer.
    """

    def __init__(
        self, inputs: tuple[int, ...], outputs: int, *, hidden: tuple[int, ...] = (128, 64)
    ):
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        features = math.prod(inputs)
        for units in hidden:
            layers += [nn.Linear(features, units), nn.ReLU()]
            features = units
        self.layers = nn.Sequential(*layers, nn.Linear(features, outputs))

    def forward(self, x):
        return self.layers(x)
