"""Statistical tests between values, and what goes with them: effect sizes, seeds needed.

The test is Welch's. A permutation test would assume nothing about the distribution, but has too
few permutations here: of 5 seeds against 5 there are 252 divisions, and the smallest two-sided p
is 2/252 = 0.0079, which a correction over more than six pairs cannot leave below 0.05, however far
two values are apart. Every value is trained with the same seeds, so that two samples may be
correlated. Shared initial weights and orders of images make the correlation positive if anything;
differences then scatter less than the test takes them to, and it errs towards finding nothing.

Where two values are read off one and the same training, as its weights and their average are, or
its state after 10 and after 20 epochs, each seed gives a pair, and the test is Student's t of the
differences within the pairs.

Where seeds are added until an answer is clear, each test spends the part of the level that its look
has (sequential.py).

Arguments are arrays that broadcast against each other, or single numbers. NaN, as the deviation of
a single replicate is, makes all that follows from it NaN.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from study.statistics.intervals import ROUNDING

# A difference is called clear when its corrected p-value is below this.
LEVEL = 0.05

# The probability with which the seeds that are said to be needed would show a difference.
POWER = 0.8

# Equal means that rounding tells apart would need a number of seeds with 28 digits.
MOST_NEEDED = 1_000_000_000


def is_clear(p: float) -> bool:
    """Whether a corrected p-value tells an effect from noise; one that does not exist does not."""
    return p < LEVEL


@dataclass(frozen=True)
class Contrast:
    """A weighted sum of mean accuracies, its standard error, and Welch's degrees of freedom.

    It cannot be below `least` or above `most`, whatever the accuracies are. Where it is looked at
    again and again, `part` is what this look may spend of the level (sequential.part).
    """

    size: np.ndarray
    error: np.ndarray
    freedom: np.ndarray
    least: np.ndarray
    most: np.ndarray
    part: np.ndarray = field(default_factory=lambda: np.array(1.0))

    @property
    def whole_freedom(self) -> np.ndarray:
        """The degrees of freedom, rounded down.

        As they are, two values of which one scatters three to five times as wide as the other
        would be called different in 5.4 % of all cases at 5 seeds, and in 5.8 % at 3, without any
        difference. Rounded down, it is at most 5 % (`tests/unit/statistics/test_significance.py`).
        """
        return np.floor(self.freedom + 1e-9)

    @property
    def _known_error(self) -> np.ndarray:
        """The standard error; NaN where there is no spread to hold the size against.

        Rounding gives replicates that are all equal a spread of 1e-17, and a test by it a p of
        1e-110.
        """
        return np.where(np.asarray(self.error) <= ROUNDING, np.nan, self.error)

    @property
    def p(self) -> np.ndarray:
        """The two-sided p-value; NaN where there is no spread, and so no test."""
        p = 2 * stdtr(self.whole_freedom, -np.abs(self.size) / self._known_error)
        return np.minimum(1, p / self.part)

    @property
    def half(self) -> np.ndarray:
        """Half the width of the 95 % interval before it is cut; NaN where there is no spread."""
        return stdtrit(self.whole_freedom, 1 - LEVEL * self.part / 2) * self._known_error

    @property
    def low(self) -> np.ndarray:
        """The lower end of the size's 95 % interval, no lower than is possible."""
        return np.maximum(self.size - self.half, self.least)

    @property
    def high(self) -> np.ndarray:
        """The upper end of the size's 95 % interval, no higher than is possible."""
        return np.minimum(self.size + self.half, self.most)


def contrast(mean: np.ndarray, sd: np.ndarray, n: np.ndarray, weights: np.ndarray) -> Contrast:
    """The sum of `weights` times `mean` over the last axis, whose parts scatter by `sd`.

    All are (..., k). Spreads need not be equal. For weights of 1 and -1 this is Welch's test; his
    paper has the general case (Welch, Biometrika 34, 1947, 28-35).
    """
    parts = np.square(weights * sd) / n
    variance = parts.sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.square(variance) / (np.square(parts) / (np.asarray(n) - 1)).sum(-1)
    return Contrast(
        (weights * mean).sum(-1),
        np.sqrt(variance),
        freedom,
        least=np.minimum(weights, 0).sum(-1),
        most=np.maximum(weights, 0).sum(-1),
    )


def half_width(sd: float, n: int, part: float) -> float:
    """Half the interval of a mean of n >= 2, at the part of the level that a look may spend."""
    return float(stdtrit(n - 1, 1 - LEVEL * part / 2) * sd / np.sqrt(n))


def of_pairs(differences: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """Standard error and degrees of freedom of the mean of `differences` (n,), n >= 2.

    With one difference for each pair of replicates, the test is Student's paired one.
    """
    n = len(differences)
    return float(np.std(differences, ddof=1) / np.sqrt(n)), n - 1.0


def slope_weights(k: int) -> np.ndarray:
    """The weights (k,) with which k means give the slope of a straight line over their ranks.

    As a contrast it tests for a trend; see Maxwell and Delaney, Designing Experiments and
    Analyzing Data (2nd edition, 2004), chapter 6.
    """
    ranks = np.arange(k) - (k - 1) / 2
    return ranks / np.square(ranks).sum()


def holm(p: np.ndarray, family: int) -> np.ndarray:
    """Holm's correction of `p` (m,), which are some of a `family` of at least m tests.

    The tests that are not among `p` count as if their p-values were larger, which can only
    overstate the corrected ones; R's p.adjust(p, "holm", n = family) does so too. NaN is no test
    and stays NaN.
    """
    order = np.argsort(p)  # NaN last
    factors = family - np.arange(len(p))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(1, np.maximum.accumulate(factors * np.asarray(p)[order]))
    return corrected


def pooled(sd: np.ndarray, n: np.ndarray) -> np.ndarray:
    """The pooled standard deviation over the last axis."""
    freedom = np.asarray(n) - 1
    with np.errstate(invalid="ignore"):
        return np.sqrt((freedom * np.square(sd)).sum(-1) / freedom.sum(-1))


def hedges_g(mean: np.ndarray, sd: np.ndarray, n: np.ndarray) -> np.ndarray:
    """The first of two means (..., 2) minus the second, in units of their pooled deviation.

    With Hedges' correction for small samples, 1 - 3/(4 (n1 + n2) - 9); Hedges, Journal of
    Educational Statistics 6 (1981), 107-128. NaN where there is no spread.
    """
    # statsmodels takes a second to import, which few programs need.
    from statsmodels.stats.meta_analysis import effectsize_smd

    (m1, m2), (s1, s2), (n1, n2) = (np.moveaxis(np.asarray(each), -1, 0) for each in (mean, sd, n))
    with np.errstate(divide="ignore", invalid="ignore"):
        g = effectsize_smd(m1, s1, n1, m2, s2, n2)[0]
    return np.where(s1 + s2 <= ROUNDING, np.nan, g)


def superiority(mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """The probability that one training of the first of two (..., 2) beats one of the second.

    Of normal samples with these means and deviations: McGraw and Wong, Psychological Bulletin 111
    (1992), 361-365. Counting pairs of replicates, as Mann and Whitney do, would know only steps of
    1/25 at 5 seeds, and give 1 as soon as the samples lie apart. NaN where there is no spread.
    """
    mean, apart = np.asarray(mean), np.sqrt(np.square(sd).sum(-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        probability = ndtr((mean[..., 0] - mean[..., 1]) / apart)
    return np.where(apart <= ROUNDING, np.nan, probability)


def seeds_needed(
    effect: np.ndarray, level: float, power: float = POWER, paired: bool = False
) -> np.ndarray:
    """How many seeds of each of two values show an `effect` (m,) with the probability `power`.

    `effect` is the difference in units of the deviation between seeds, or of the differences
    within pairs of them where it is `paired`; `level` is the p-value below which it counts. NaN for
    an effect that is 0 or NaN; at most MOST_NEEDED.
    """
    effect = np.abs(effect)
    exists = effect > 0
    found = effect[exists]
    # A t-test needs somewhat more than a test that knows the deviation.
    quantiles = ndtri(1 - level / 2) + ndtri(power)
    n = np.maximum(2, np.ceil((1 if paired else 2) * np.square(quantiles / found)))
    n = np.minimum(n, MOST_NEEDED)
    # Of very many, the t-test needs no more, and adding one to a float may change nothing.
    while (short := (n < 1e6) & (_power(found, n, level, paired) < power)).any():
        n += short
    needed = np.full(effect.shape, np.nan)
    needed[exists] = n
    return needed


def _power(effect: np.ndarray, n: np.ndarray, level: float, paired: bool) -> np.ndarray:
    """Of the two-sided t-test, but for finding an effect of the other sign, as R has it too."""
    from statsmodels.stats.power import TTestIndPower, TTestPower

    test = TTestPower() if paired else TTestIndPower()
    return test.power(effect, n, level / 2, alternative="larger")
