"""Examples to learn from, as tensors on the device."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Examples:
    """Inputs and targets, on the device.

    Attributes:
        inputs: A row for each example, (n, features), as stored: uint8 or float32.
        targets: Labels (n,) int64, or numbers (n, targets) float32.
        shape: That of one example, such as (channels, height, width); its product is `features`.
    """

    inputs: Tensor
    targets: Tensor
    shape: tuple[int, ...]

    @classmethod
    def from_arrays(cls, inputs: np.ndarray, targets: np.ndarray, device: str) -> "Examples":
        """Take arrays, (n, *shape) and (n, ...); on the CPU, mapped inputs stay shared."""
        kind = np.float32 if np.issubdtype(targets.dtype, np.floating) else np.int64
        return cls(
            torch.from_numpy(inputs.reshape(len(inputs), -1)).to(device),
            torch.from_numpy(targets.astype(kind)).to(device),
            inputs.shape[1:],
        )

    def __len__(self) -> int:
        return len(self.targets)

    def chosen(self, examples: Tensor) -> "Examples":
        """A copy of the examples with these indices."""
        return Examples(self.inputs[examples], self.targets[examples], self.shape)

    def first(self, count: int) -> "Examples":
        return Examples(self.inputs[:count], self.targets[:count], self.shape)
