"""What a few replicates say about the mean."""

import math
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

# What a measure cannot go below or above: accuracies are fractions, losses are never negative.
SHARE = (0.0, 1.0)
LOSS = (0.0, math.inf)

# What rounding alone makes of the deviation of equal numbers is smaller, relative to them.
ROUNDING = 1e-12


class TInterval(NamedTuple):
    """Mean, standard deviation (n - 1) and both ends of the 95 % t interval; NaN if unknown."""

    mean: np.ndarray
    sd: np.ndarray
    low: np.ndarray
    high: np.ndarray


def of_differences(bounds: tuple[float, float]) -> tuple[float, float]:
    """The bounds of the difference of two numbers that have these `bounds`."""
    least, most = bounds
    return least - most, most - least


def t_interval(samples: np.ndarray, bounds: tuple[float, float]) -> TInterval:
    """The mean of `samples` (n, ...), n >= 1, over the first axis, with its 95 % t interval.

    Each part of what is returned is (...). The interval ends at the `bounds` of what is measured,
    where it would go on beyond: the mean lies between these, so that the interval holds it as often
    as before. It is unknown for a single replicate, and where all replicates are equal: few equal
    numbers, as a handful of images allows, do not show that the next would be equal too.
    """
    samples = np.asarray(samples, float)
    n = len(samples)
    mean = samples.mean(axis=0)
    if n == 1:
        return TInterval(mean, *[mean * np.nan] * 3)
    sd = samples.std(axis=0, ddof=1)
    half = stdtrit(n - 1, 0.975) * np.where(has_spread(mean, sd), sd, np.nan) / np.sqrt(n)
    return TInterval(mean, sd, *np.clip((mean - half, mean + half), *bounds))


def has_spread(mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Whether replicates differ from each other by more than rounding; False for NaN."""
    return np.asarray(sd) > ROUNDING * np.maximum(1, np.abs(mean))
