"""What a few replicates tell: a mean, how far they scatter, and how sure the mean is."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtri

from study.statistics.intervals import SHARE, has_spread, t_interval


@dataclass(frozen=True)
class Estimate:
    """A mean over `n` replicates with its deviation (n - 1) and 95 % interval; NaN if unknown.

    The interval is that of intervals.t_interval: unknown, too, where all replicates are equal.
    `by_seed` has the replicates themselves where they may be compared pair by pair, else nothing.
    """

    n: int
    mean: float
    sd: float
    low: float
    high: float
    published: float = math.nan
    by_seed: Mapping[int, float] = field(default_factory=dict, compare=False, repr=False)

    @property
    def has_spread(self) -> bool:
        """Whether replicates differ from each other; never with a single one."""
        return bool(has_spread(self.mean, self.sd))


# Of no replicates.
NOTHING = Estimate(0, math.nan, math.nan, math.nan, math.nan)


def estimate(
    samples: np.ndarray,
    published: float | None = None,
    bounds: tuple[float, float] = SHARE,
) -> Estimate:
    """Mean and interval of `samples` (n,), n >= 1, with what was published of it, if anything.

    `bounds` are those of what is measured: accuracies unless said.
    """
    mean, sd, low, high = map(float, t_interval(samples, bounds))
    printed = math.nan if published is None else published
    return Estimate(len(samples), mean, sd, low, high, printed)


def noise(estimates: Sequence[Estimate]) -> float:
    """The standard deviation between seeds, pooled; NaN where nothing has two replicates."""
    spreading = [estimate for estimate in estimates if estimate.n > 1]
    freedom = sum(estimate.n - 1 for estimate in spreading)
    if not freedom:
        return math.nan
    squares = sum((estimate.n - 1) * estimate.sd**2 for estimate in spreading)
    return math.sqrt(squares / freedom)


def repeatability(deviation: float) -> float:
    """What two trainings of one configuration differ by at most, 19 times in 20.

    The repeatability limit of ISO 5725-6:1994: 1.96 * sqrt(2) times the `deviation` between
    seeds, if these scatter normally. A smaller difference is one that a single training of each
    value could not have shown.
    """
    return float(ndtri(0.975)) * math.sqrt(2) * deviation
