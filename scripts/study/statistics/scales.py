"""How the values of a setting are spaced."""

from collections.abc import Sequence
from typing import Any

import numpy as np

# Numbers that span less than this factor are never taken to be spaced by ratios.
WIDE = 8


def scale_of(values: Sequence[Any]) -> str:
    """The kind of axis that suits the values of a setting.

    `names` for words and booleans, `sizes` for lists (in order, but without distances), and for
    numbers `linear`, `log` where they span a factor of WIDE or more and are spaced more evenly in
    their ratios than in their differences, or `zero_and_log` where that is so but for a 0.
    """
    if all(isinstance(value, list) for value in values):
        return "sizes"
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return "names"
    numbers = np.unique(np.array(values, float))
    positive = numbers[numbers > 0]
    kind = "log" if len(positive) == len(numbers) else "zero_and_log"
    if len(numbers) < 3 or numbers[0] < 0 or positive[-1] / positive[0] < WIDE:
        return "linear"
    ratios = np.diff(np.log(positive))
    if kind == "zero_and_log":
        ratios = np.append(ratios, ratios.mean())
    return kind if _unevenness(ratios) <= _unevenness(np.diff(numbers)) else "linear"


def _unevenness(steps: np.ndarray) -> float:
    return steps.std() / steps.mean()
