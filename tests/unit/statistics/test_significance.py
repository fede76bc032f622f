"""The tests keep their level, and give what R, SPSS and textbooks print for the same numbers."""

import gc
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower, TTestPower

from study.statistics import significance
from study.statistics.estimates import repeatability
from study.statistics.significance import (
    LEVEL,
    contrast,
    hedges_g,
    holm,
    pooled,
    seeds_needed,
    superiority,
)

PAIR = np.array([1.0, -1.0])


@pytest.fixture(autouse=True, scope="module")
def _little_garbage():
    """multipletests collects garbage at every call: what is there by now need not be looked at."""
    gc.freeze()
    yield
    gc.unfreeze()


def moments(*samples):
    """Mean, deviation and number of each sample."""
    means = [np.mean(sample) for sample in samples]
    return (
        np.array(means),
        np.array([np.std(s, ddof=1) for s in samples]),
        np.array([len(sample) for sample in samples]),
    )


# R's data set `sleep` (Student 1908): extra hours of sleep under two drugs.
SLEEP = (
    [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],
    [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
)

# Field, Discovering Statistics Using SPSS (3rd edition, 2009), chapter 10: libido after a placebo,
# a low and a high dose of a drug.
LIBIDO = ([3, 2, 1, 1, 4], [5, 2, 4, 2, 3], [7, 4, 5, 3, 6])


class TestWelch:
    def test_as_r_prints_it(self):
        """t.test(extra ~ group, data = sleep): t = -1.8608, df = 17.776, p-value = 0.07939,
        95 percent confidence interval: -3.3654832 0.2054832."""
        found = contrast(*moments(*SLEEP), PAIR)
        t = found.size / found.error
        assert t == pytest.approx(-1.8608, abs=5e-5)
        assert found.freedom == pytest.approx(17.776, abs=5e-4)
        assert 2 * stats.t.sf(-t, found.freedom) == pytest.approx(0.07939, abs=5e-6)
        half = stats.t.isf(0.025, found.freedom) * found.error
        assert found.size - half == pytest.approx(-3.3654832, abs=5e-8)
        assert found.size + half == pytest.approx(0.2054832, abs=5e-8)

    def test_its_degrees_of_freedom_are_rounded_down(self):
        """So that p and the interval are a little wider than R's, and agree with each other."""
        found = contrast(*moments(*SLEEP), PAIR)
        assert found.whole_freedom == 17
        assert found.p == pytest.approx(2 * stats.t.sf(1.8608, 17), abs=1e-5)
        assert 0.07939 < found.p < 0.081
        assert found.half == pytest.approx(stats.t.isf(0.025, 17) * found.error)

    def test_whole_numbers_stay_whole(self):
        found = contrast(np.zeros(2), np.array([0.1, 0.1]), np.array([5, 5]), PAIR)
        assert found.whole_freedom == 8

    @given(st.integers(2, 9), st.integers(2, 9), st.floats(0.1, 10), st.integers(0, 2**32 - 1))
    def test_before_rounding_it_is_scipys(self, n, m, ratio, seed):
        generator = np.random.default_rng(seed)
        samples = generator.normal(0.7, 0.01, n), generator.normal(0.71, 0.01 * ratio, m)
        expected = stats.ttest_ind(*samples, equal_var=False)
        found = contrast(*moments(*samples), PAIR)
        assert found.size / found.error == pytest.approx(expected.statistic)
        assert found.freedom == pytest.approx(expected.df)
        assert found.p >= expected.pvalue * (1 - 1e-9)

    @given(st.lists(st.floats(0.001, 0.1), min_size=2, max_size=2), st.floats(-0.1, 0.1))
    def test_p_and_interval_agree(self, sd, difference):
        found = contrast(np.array([difference, 0]), np.array(sd), np.array([5, 5]), PAIR)
        assert (found.p < LEVEL) == (abs(found.size) > found.half)

    @pytest.mark.parametrize("n", [3, 5])
    @pytest.mark.parametrize("ratio", [1, 2, 3, 5, 10])
    def test_it_keeps_its_level_where_spreads_differ(self, n, ratio):
        """Of two values of which one scatters `ratio` times as wide as the other. Without rounding,
        5.4 % come out below 0.05 at 5 seeds and ratio 4; the more seeds, the less it matters."""
        generator = np.random.default_rng(7)
        samples = generator.normal(size=(200_000, 2, n)) * np.array([[1.0], [ratio]])
        found = contrast(samples.mean(-1), samples.std(-1, ddof=1), np.full(2, n), PAIR)
        assert (found.p < LEVEL).mean() <= 0.05

    def test_one_replicate_is_no_test(self):
        found = contrast(np.array([0.7, 0.9]), np.array([0.1, np.nan]), np.array([5, 1]), PAIR)
        assert np.isnan(found.p)
        assert np.isnan(found.half)

    def test_without_spread_nothing_is_clear(self):
        """Two networks that always reach 10 % and 100 % have no noise to compare them with."""
        found = contrast(np.array([0.1, 1.0]), np.zeros(2), np.array([3, 3]), PAIR)
        assert np.isnan(found.p)
        assert np.isnan(found.half)

    @given(st.integers(2, 9), st.floats(0.05, 0.95), st.floats(0.01, 0.9))
    def test_rounding_is_no_spread(self, n, accuracy, other):
        """Five equal values against five others: SciPy finds p = 1.6e-110."""
        samples = [accuracy * 3 / 3 + np.zeros(n), np.full(n, other) * 7 / 7]
        found = contrast(*moments(*samples), PAIR)
        assert np.isnan(found.p)
        assert np.isnan(found.low)
        assert np.isnan(found.high)

    @given(st.lists(st.floats(0, 1), min_size=4, max_size=4))
    def test_no_interval_goes_beyond_what_is_possible(self, numbers):
        one, other = np.array(numbers[:2]), np.array(numbers[2:])
        found = contrast(*moments(one, other), PAIR)
        if np.isfinite(found.p):
            assert -1 <= found.low <= found.size <= found.high <= 1


class TestPairs:
    def test_as_r_prints_it(self):
        """t.test(extra ~ group, data = sleep, paired = TRUE): t = -4.0621, df = 9, p = 0.002833."""
        differences = np.subtract(*SLEEP)
        error, freedom = significance.of_pairs(differences)
        assert differences.mean() / error == pytest.approx(-4.0621, abs=5e-5)
        assert freedom == 9
        expected = stats.ttest_rel(*SLEEP)
        assert 2 * stats.t.sf(-differences.mean() / error, freedom) == pytest.approx(
            expected.pvalue
        )

    @given(st.floats(0.3, 3))
    def test_seeds_needed_are_those_of_one_sample(self, effect):
        [needed] = seeds_needed(np.array([effect]), LEVEL, paired=True)
        power = TTestPower().power
        assert power(effect, needed, LEVEL / 2, alternative="larger") >= 0.8
        assert needed <= seeds_needed(np.array([effect]), LEVEL)[0]


def test_equal_means_that_rounding_tells_apart_need_a_number_of_seeds():
    """Counting up from 1e28 by one never ended."""
    assert seeds_needed(np.array([1e-14, 0.0]), LEVEL)[0] == significance.MOST_NEEDED


class TestContrast:
    @pytest.mark.parametrize(
        ("weights", "size", "error", "t", "freedom", "p"),
        [
            ([-2, 1, 1], 3.8, 1.4832, 2.562, 8.740, 0.031),
            ([0, -1, 1], 1.8, 0.9165, 1.964, 7.720, 0.086),
        ],
    )
    def test_as_spss_prints_it(self, weights, size, error, t, freedom, p):
        """Contrast tests of Field's example, in the rows 'Does not assume equal variances'."""
        found = contrast(*moments(*LIBIDO), np.array(weights, float))
        assert found.size == pytest.approx(size)
        assert found.error == pytest.approx(error, abs=5e-5)
        assert found.size / found.error == pytest.approx(t, abs=5e-4)
        assert found.freedom == pytest.approx(freedom, abs=5e-4)
        exact = 2 * stats.t.sf(found.size / found.error, found.freedom)
        assert exact == pytest.approx(p, abs=5e-4)

    def test_degrees_of_freedom_of_groups_of_unequal_size(self):
        """WelchDegreeOfFreedom in the documentation of R's package superb: 1.898876."""
        found = contrast(*moments([3, 6], [2, 2, 5]), PAIR)
        assert found.freedom == pytest.approx(1.898876, abs=5e-7)

    @given(st.lists(st.floats(0, 1), min_size=3, max_size=9))
    def test_the_slope_is_that_of_least_squares(self, means):
        slope = significance.slope_weights(len(means)) @ np.array(means)
        assert slope == pytest.approx(np.polyfit(range(len(means)), means, 1)[0], abs=1e-9)

    def test_the_slope_of_two_is_their_difference(self):
        assert significance.slope_weights(2).tolist() == [-1.0, 1.0]


class TestHolm:
    def test_published_examples(self):
        """The documentation of padjust in stdlib, which follows R's p.adjust."""
        found = holm(np.array([0.319, 0.201, 0.4, 0.374, 0.113]), 5)
        assert found.round(3).tolist() == [0.957, 0.804, 0.957, 0.957, 0.565]

    def test_worked_example(self):
        """That of Wikipedia's article on the method: at 0.05 the first and the last are rejected.
        The least of m p-values times m, the next times m - 1, never below the one before."""
        found = holm(np.array([0.01, 0.04, 0.03, 0.005]), 4)
        assert found == pytest.approx([0.03, 0.06, 0.06, 0.02])

    @given(
        st.lists(st.floats(0, 1), min_size=1, max_size=20),
        st.integers(0, 30),
    )
    def test_tests_not_made_count_as_not_significant(self, p, others):
        padded = np.array([*p, *[1.0] * others])
        expected = multipletests(padded, method="holm")[1][: len(p)]
        assert holm(np.array(p), len(padded)) == pytest.approx(expected)

    def test_what_is_no_test_stays_so(self):
        found = holm(np.array([np.nan, 0.01, 0.03]), 2)
        assert math.isnan(found[0])
        assert found[1:].tolist() == [0.02, 0.03]


class TestEffects:
    def test_hedges_g(self):
        """Borenstein, Hedges, Higgins and Rothstein, Introduction to Meta-Analysis (2009),
        chapter 4: means 103 and 100, deviations 5.5 and 4.5, 50 each: g = 0.5924."""
        numbers = np.array([103, 100]), np.array([5.5, 4.5]), np.array([50, 50])
        assert pooled(*numbers[1:]) == pytest.approx(5.0249, abs=5e-5)
        assert hedges_g(*numbers) == pytest.approx(0.5924, abs=5e-5)

    def test_superiority(self):
        """McGraw and Wong (1992): men of 69.7 inches (deviation 2.8) beside women of 64.3 (2.6);
        in 92 of 100 pairs the man is taller."""
        found = superiority(np.array([69.7, 64.3]), np.array([2.8, 2.6]))
        assert found == pytest.approx(0.92, abs=0.005)

    def test_superiority_is_the_share_of_pairs(self):
        generator = np.random.default_rng(3)
        one, other = generator.normal([[0.75], [0.74]], [[0.01], [0.03]], (2, 100_000))
        found = superiority(np.array([0.75, 0.74]), np.array([0.01, 0.03]))
        assert (one > other).mean() == pytest.approx(found, abs=0.005)

    def test_without_spread_there_is_none(self):
        numbers = np.array([1.0, 0.1]), np.zeros(2), np.array([3, 3])
        assert np.isnan(hedges_g(*numbers))
        assert np.isnan(superiority(*numbers[:2]))

    def test_repeatability(self):
        """2.8 times the deviation, as ISO 5725-6 rounds it; and 19 of 20 pairs stay within."""
        assert repeatability(1.0) == pytest.approx(2.8, abs=0.03)
        one, other = np.random.default_rng(4).normal(0.7, 0.01, (2, 200_000))
        assert (abs(one - other) < repeatability(0.01)).mean() == pytest.approx(0.95, abs=0.002)


class TestSeedsNeeded:
    @pytest.mark.parametrize(
        ("effect", "level", "power", "seeds"),
        [
            # R's documentation of power.t.test: power = .90, delta = 1 gives n = 22.02110.
            (1.0, 0.05, 0.90, 23),
            # Cohen, A Power Primer, Psychological Bulletin 112 (1992), table 2: means. Of his
            # numbers, rounded to the nearest, those that are rounded up.
            (0.5, 0.05, 0.80, 64),
            (0.8, 0.05, 0.80, 26),
            (0.2, 0.01, 0.80, 586),
            (0.2, 0.10, 0.80, 310),
        ],
    )
    def test_published_numbers(self, effect, level, power, seeds):
        assert seeds_needed(np.array([effect]), level, power)[0] == seeds

    @given(st.floats(0.05, 8), st.sampled_from([0.05, 0.05 / 10, 0.05 / 4950]))
    def test_one_seed_less_is_not_enough(self, effect, level):
        def power(n):
            return TTestIndPower().power(effect, n, level / 2, alternative="larger")

        [n] = seeds_needed(np.array([effect]), level)
        assert power(n) >= 0.8
        assert n == 2 or power(n - 1) < 0.8

    def test_no_effect_is_never_shown(self):
        assert np.isnan(seeds_needed(np.array([0.0, np.nan]), 0.05)).all()

    def test_its_sign_does_not_matter(self):
        more, less = seeds_needed(np.array([0.7, -0.7]), 0.05)
        assert more == less
