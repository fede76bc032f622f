"""Where a network's weights and biases lie in a replicate's row of parameters.

Works on torch tensors and NumPy arrays alike.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

# Elements in 128 bytes of float32. torch computes two of the widest vector registers at a time
# and what remains one by one, by functions that may differ in the last bit.
ALIGNMENT = 32


def aligned(count: int) -> int:
    """The least multiple of `ALIGNMENT` that holds `count` elements."""
    return -(-count // ALIGNMENT) * ALIGNMENT


def parameters_width(sizes: Sequence[int]) -> int:
    """Elements of a row of parameters, padding included, for layers of `sizes` units."""
    return sum(aligned(i * o) + aligned(o) for i, o in pairwise(sizes))


def split_layers(rows: Any, sizes: Sequence[int]) -> tuple[list[Any], list[Any]]:
    """Views of `rows` (replicates, P): each layer's weights and biases.

    Weights are (replicates, inputs, outputs), biases (replicates, 1, outputs).
    """
    weights, biases = [], []
    start = 0
    for inputs, outputs in pairwise(sizes):
        end = start + inputs * outputs
        weights.append(rows[:, start:end].reshape(len(rows), inputs, outputs))
        start += aligned(inputs * outputs)
        biases.append(rows[:, start : start + outputs].reshape(len(rows), 1, outputs))
        start += aligned(outputs)
    return weights, biases
