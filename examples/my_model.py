"""A model of one's own: plain PyTorch, which imports nothing of the program.

Copy it and change it. docs/model.md says what such a file must hold.
"""

from torch import nn


class SmallCnn(nn.Module):
    """Convolutions that each halve the image, and a linear layer of each map's mean.

    Args:
        channels: Feature maps of each convolution.
        batch_norm: Whether each convolution is followed by batch normalisation.
        dropout: Probability that a feature is dropped in a training step.
    """

    def __init__(
        self,
        inputs: tuple[int, ...],
        outputs: int,
        *,
        channels: tuple[int, ...] = (16, 32),
        batch_norm: bool = True,
        dropout: float = 0.0,
    ):
        super().__init__()
        layers: list[nn.Module] = []
        before = inputs[0]
        for after in channels:
            layers.append(nn.Conv2d(before, after, 3, stride=2, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(after))
            layers.append(nn.ReLU())
            before = after
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(before, outputs)

    def forward(self, x):
        return self.head(self.dropout(self.features(x).mean((2, 3))))
