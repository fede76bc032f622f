"""The exponential moving average of the weights over the steps, evaluated in place of the last.

Its lack of a past is made up for, as in Kingma and Ba, Adam: A Method for Stochastic Optimization
(ICLR 2015), section 7.2, temporal averaging. It depends on the steps done, not on how many there
will be.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


class Average:
    """The averages `rows` of `tensors`, which training moves; `share` is 1 - decay^steps.

    BatchNorm's statistics are averaged along with the parameters: they then are those of the
    averaged network, as near as the average of what its networks saw comes to it, and no pass over
    the training examples is needed. (timm's ModelEmaV3 and torch's AveragedModel with
    `use_buffers` do so too.)
    """

    def __init__(self, tensors: Sequence[Tensor], decay: float):
        self.tensors = list(tensors)
        self.gain = 1 - decay
        self.rows = [torch.zeros_like(tensor) for tensor in tensors]
        self.share = torch.zeros((), dtype=torch.float64)

    def update(self) -> None:
        """Take in the tensors after a step."""
        self.share.lerp_(torch.ones_like(self.share), self.gain)
        weight = self.gain / self.share.item()
        for row, tensor in zip(self.rows, self.tensors, strict=True):
            row.lerp_(tensor, weight)

    def swap(self) -> None:
        """Exchange the tensors with their averages; once more puts them back."""
        for row, tensor in zip(self.rows, self.tensors, strict=True):
            moving = tensor.clone()
            tensor.copy_(row)
            row.copy_(moving)
