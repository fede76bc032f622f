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
    if len(numbers) < 3 or numbers[0] < 0 or positive[-1] / positive[0] < WIDE:
        return "linear"
    if not has_even_ratios(values):
        return "linear"
    return "log" if len(positive) == len(numbers) else "zero_and_log"


def has_even_ratios(values: Sequence[float]) -> bool:
    """Whether three or more numbers, none below 0, are spaced by ratios rather than differences.

    That is, more evenly, a 0 apart.
    """
    numbers = np.unique(np.array(values, float))
    positive = numbers[numbers > 0]
    if len(positive) < 2:
        return False
    ratios = np.diff(np.log(positive))
    if len(positive) < len(numbers):
        ratios = np.append(ratios, ratios.mean())
    return bool(_unevenness(ratios) <= _unevenness(np.diff(numbers)))


def _unevenness(steps: np.ndarray) -> float:
    return steps.std() / steps.mean()
