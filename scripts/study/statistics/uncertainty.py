"""How sure a mean over seeds and test images is: of another training, of other images, of both.

Seeds are few and images many. Resampling five seeds gives four fifths of the variance and the
quantiles of a normal distribution in place of a t, so that a bootstrap over seeds, or over seeds
and images at once, covers too rarely (Hesterberg: What Teachers Should Know about the Bootstrap,
The American Statistician 69, 2015). Seeds therefore get the t interval and images the bootstrap.
The interval for both has on either side the root of the sum of the squares of their two distances
from the mean (Zou and Donner: Construction of Confidence Limits about Effect Measures, Statistics
in Medicine 27, 2008). What seed and image do only together counts on both sides of that sum, which
errs to the wide side. tests/unit/statistics/test_uncertainty.py shows the coverage.
"""

import math
from dataclasses import dataclass

import numpy as np
import scipy

from study.statistics.intervals import SHARE, t_interval

# Enough for percentiles: another draw moves an end by a sixteenth of the standard error.
RESAMPLES = 1_999
# Resamples that are drawn at once: what they take in memory is this times the images.
BATCH = 200
BOOTSTRAP_SEED = 0


@dataclass(frozen=True)
class Interval:
    """From `low` to `high`, at 95 %; NaN where it is unknown."""

    low: float
    high: float

    @property
    def half(self) -> float:
        """Half its width."""
        return (self.high - self.low) / 2


@dataclass(frozen=True)
class MeanOfSeeds:
    """A mean over seeds and images, with its intervals.

    `over_seeds`: for other seeds and these images; `over_images`: for these networks and other
    images; `over_both`: for other seeds and other images. The first and the last are NaN with one
    seed.
    """

    mean: float
    over_seeds: Interval
    over_images: Interval
    over_both: Interval

    @property
    def widest(self) -> Interval:
        """The interval over all that is known to vary."""
        return self.over_images if math.isnan(self.over_both.low) else self.over_both


def mean_of_seeds(values: np.ndarray, bounds: tuple[float, float] = SHARE) -> MeanOfSeeds:
    """The mean of `values` (seeds, images), such as 1 for a right and 0 for a wrong answer.

    `bounds` are what a value cannot go below or above, and so no interval does.
    """
    return of_seeds(values.mean(axis=1), bootstrap_images(values.mean(axis=0)), bounds)


def of_seeds(
    by_seed: np.ndarray, over_images: Interval, bounds: tuple[float, float]
) -> MeanOfSeeds:
    """The mean of what each seed gives, `by_seed` (seeds,), with its interval over images."""
    mean, _, low, high = map(float, t_interval(by_seed, bounds))
    over_seeds = Interval(low, high)
    both = (
        mean - math.hypot(mean - over_seeds.low, mean - over_images.low),
        mean + math.hypot(over_seeds.high - mean, over_images.high - mean),
    )
    return MeanOfSeeds(mean, over_seeds, over_images, Interval(*within(both, bounds)))


def within(ends: tuple[float, float], bounds: tuple[float, float]) -> tuple[float, float]:
    """Both `ends` of an interval, cut at the `bounds` of what is measured."""
    low, high = np.clip(ends, *bounds)
    return float(low), float(high)


def bootstrap_images(values: np.ndarray) -> Interval:
    """The bootstrap's percentile interval of the mean of `values` (images,).

    The same values give the same numbers: the resamples are always the same.
    """
    if len(values) == 1 or (values == values[0]).all():
        mean = float(values.mean())
        return Interval(mean, mean)
    # SciPy imports its statistics, which take half a second, when they are asked for.
    found = scipy.stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=BATCH,
        method="percentile",
        rng=np.random.default_rng(BOOTSTRAP_SEED),
    )
    return Interval(*map(float, found.confidence_interval))
