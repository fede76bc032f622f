"""Gradients that are cut to a length, as torch.nn.utils.clip_grad_norm_ does."""

import torch
from torch import Tensor


def clip(gradient: Tensor, longest: float) -> None:
    """Shorten each replicate's gradient, a row (P,) of `gradient`, to the length `longest`.

    Row by row: the order of a sum must not depend on the stack.
    """
    for row in gradient:
        length = torch.linalg.vector_norm(row)
        row.mul_(torch.clamp(longest / (length + 1e-6), max=1.0))
