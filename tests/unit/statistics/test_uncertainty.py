"""Intervals over seeds, images and both hold what they promise, by simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from study.statistics import uncertainty
from study.statistics.uncertainty import bootstrap_images, mean_of_seeds

SEEDS, IMAGES, DRAWS = 5, 150, 300
TRUTH = 0.8
# Of 300 intervals that hold the truth with 95 %, so few do so once in a thousand times.
LEAST = stats.binom.ppf(0.001, DRAWS, 0.95) / DRAWS


@pytest.fixture
def few_resamples(monkeypatch):
    monkeypatch.setattr(uncertainty, "RESAMPLES", 399)


def draw(random, seeds_sd, images_sd, both_sd):
    """Values with effects of seed, of image, and of the two together."""
    return (
        TRUTH
        + seeds_sd * random.normal(size=(SEEDS, 1))
        + images_sd * random.normal(size=(1, IMAGES))
        + both_sd * random.normal(size=(SEEDS, IMAGES))
    )


@pytest.mark.parametrize(
    ("seeds_sd", "images_sd", "both_sd"),
    [(0.02, 0.0, 0.01), (0.001, 0.4, 0.1), (0.03, 0.4, 0.1), (0.0, 0.0, 0.3)],
)
def test_the_interval_over_both_covers_the_truth(few_resamples, seeds_sd, images_sd, both_sd):
    random = np.random.default_rng(1)
    covered = 0
    for _ in range(DRAWS):
        found = mean_of_seeds(draw(random, seeds_sd, images_sd, both_sd)).over_both
        covered += found.low <= TRUTH <= found.high
    assert covered / DRAWS >= LEAST


def test_each_interval_covers_what_it_is_about(few_resamples):
    """Seeds: the mean of all seeds on these images. Images: that of these seeds on all images."""
    random = np.random.default_rng(2)
    by_seeds = by_images = 0
    for _ in range(DRAWS):
        seeds, images = random.normal(size=(SEEDS, 1)), random.normal(size=(1, IMAGES))
        found = mean_of_seeds(0.03 * seeds + 0.4 * images, (-math.inf, math.inf))
        by_seeds += found.over_seeds.low <= 0.4 * images.mean() <= found.over_seeds.high
        by_images += found.over_images.low <= 0.03 * seeds.mean() <= found.over_images.high
    assert by_seeds / DRAWS >= LEAST
    assert by_images / DRAWS >= LEAST


def test_resampling_five_seeds_would_cover_too_rarely():
    """Why seeds are not resampled."""
    random = np.random.default_rng(3)
    means = random.normal(size=(2000, SEEDS))
    resampled = means[:, random.integers(0, SEEDS, (500, SEEDS))].mean(axis=2)
    low, high = np.quantile(resampled, [0.025, 0.975], axis=1)
    assert np.mean((low <= 0) & (high >= 0)) < 0.87


def test_both_are_wider_than_each_and_narrower_than_their_sum():
    found = mean_of_seeds((np.random.default_rng(0).random((4, 300)) < 0.9).astype(float))
    for one in (found.over_seeds, found.over_images):
        assert found.over_both.low < one.low < found.mean < one.high < found.over_both.high
    assert found.over_both.half < found.over_seeds.half + found.over_images.half
    assert found.widest == found.over_both


def test_the_bootstrap_of_a_share_is_near_the_binomial_interval():
    values = np.repeat([1.0, 0.0], [880, 120])
    expected = stats.binomtest(880, 1000).proportion_ci(method="wilson")
    found = bootstrap_images(values)
    assert found.low == pytest.approx(expected.low, abs=0.003)
    assert found.high == pytest.approx(expected.high, abs=0.003)


def test_the_same_values_give_the_same_numbers():
    values = np.random.default_rng(0).random((3, 50))
    assert mean_of_seeds(values) == mean_of_seeds(values.copy())


def test_one_seed_tells_nothing_of_others():
    found = mean_of_seeds(np.array([[1.0, 0.0, 1.0, 1.0]]))
    assert found.mean == 0.75
    assert math.isnan(found.over_seeds.low)
    assert math.isnan(found.over_both.high)
    assert found.widest == found.over_images


def test_seeds_that_are_right_equally_often_tell_nothing_of_others():
    found = mean_of_seeds(np.ones((3, 20)))
    assert math.isnan(found.over_seeds.low)
    assert math.isnan(found.over_both.high)
    assert found.widest == found.over_images


def test_no_interval_goes_beyond_what_is_possible():
    """Two seeds of 20 and 90 %: the t interval alone would go from -390 to 500 %."""
    found = mean_of_seeds(np.array([[1.0] * 2 + [0.0] * 8, [1.0] * 9 + [0.0]]))
    for interval in (found.over_seeds, found.over_both):
        assert (interval.low, interval.high) == (0, 1)
