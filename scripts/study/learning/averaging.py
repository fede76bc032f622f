"""The average of the weights over the steps of training, which is judged in place of the last.

An exponential moving average whose lack of a past is made up for, as in Kingma and Ba, Adam: A
Method for Stochastic Optimization (ICLR 2015), section 7.2, temporal averaging. It depends on the
steps done, not on how many there will be.
"""

import torch
from torch import Tensor


class Average:
    """The averages `rows` of parameters (replicates, P); `share` is 1 - decay^steps."""

    def __init__(self, parameters: Tensor, decay: float):
        self.gain = 1 - decay
        self.rows = torch.zeros_like(parameters)
        self.share = torch.zeros((), dtype=torch.float64)

    def update(self, parameters: Tensor) -> None:
        """Take in the parameters after a step."""
        self.share.lerp_(torch.ones_like(self.share), self.gain)
        self.rows.lerp_(parameters, self.gain / self.share.item())
