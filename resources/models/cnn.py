from typing import Literal

from torch import nn

ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "tanh": nn.Tanh}
POOLING = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}


class Cnn(nn.Module):
    """Convolutions that each halve the image, then linear layers.

    Args:
        channels: Feature maps of each convolution.
        kernel_size: Height and width of the kernels; odd, so that an image keeps its size.
        batch_norm: Whether each convolution is followed by batch normalisation.
        pooling: How each convolution's image is halved.
        hidden: Units of each linear layer before the last.
        dropout: Probability that a unit before a linear layer is dropped in a training step.
        activation: Activation function after each layer but the last.
    """

    def __init__(
        self,
        inputs: tuple[int, ...],
        outputs: int,
        *,
        channels: list[int] = (16, 32),
        kernel_size: int = 3,
        batch_norm: bool = True,
        pooling: Literal["max", "average", "none"] = "max",
        hidden: list[int] = (64,),
        dropout: float = 0.0,
        activation: Literal["relu", "gelu", "silu", "tanh"] = "relu",
    ):
        super().__init__()
        before, height, width = inputs
        layers: list[nn.Module] = []
        for after in channels:
            layers.append(nn.Conv2d(before, after, kernel_size, padding=kernel_size // 2))
            if batch_norm:
                layers.append(nn.BatchNorm2d(after))
            layers.append(ACTIVATIONS[activation]())
            if pooling != "none":
                layers.append(POOLING[pooling](2, ceil_mode=True))
                height, width = -(-height // 2), -(-width // 2)
            before = after
        layers.append(nn.Flatten())
        features = before * height * width
        for units in hidden:
            layers += [nn.Dropout(dropout), nn.Linear(features, units), ACTIVATIONS[activation]()]
            features = units
        self.layers = nn.Sequential(*layers, nn.Dropout(dropout), nn.Linear(features, outputs))

    def forward(self, x):
        return self.layers(x)
