"""Verdicts hold under looking again and again: false ones stay below the level, true ones come."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from study.spec.looks import looks
from study.statistics import significance
from study.statistics.sequential import part
from study.statistics.significance import LEVEL, contrast, holm

DRAWS = 2000

PAIR = np.array([1.0, -1.0])

SPREADS = {
    "normal": lambda generator, shape: generator.normal(size=shape),
    # Most seeds do well and a few do badly, as near the best accuracy that can be had.
    "skewed": lambda generator, shape: -generator.exponential(size=shape),
    "heavy tails": lambda generator, shape: generator.standard_t(3, size=shape),
}


def p_values(first, second, n, paired):
    """Of each draw's first n seeds, (draws,)."""
    both = np.stack([first[:, :n], second[:, :n]], axis=1)
    found = contrast(both.mean(-1), both.std(-1, ddof=1), np.full(2, n), PAIR)
    if paired:
        differences = first[:, :n] - second[:, :n]
        error = differences.std(-1, ddof=1) / math.sqrt(n)
        found = replace(found, error=error, freedom=np.full(len(error), n - 1.0))
    return found.p


def ever_clear(samples, counts, parts, paired=False):
    """Which draws call a difference clear at any look, though no value gets fewer seeds.

    `samples` are (draws, values, seeds). The result is (draws, pairs), after Holm's correction.
    """
    pairs = list(itertools.combinations(range(samples.shape[1]), 2))
    clear = np.zeros((len(samples), len(pairs)), bool)
    for n in counts:
        p = np.stack([p_values(samples[:, a], samples[:, b], n, paired) for a, b in pairs], axis=1)
        p = np.minimum(1, p / parts(counts, n))
        clear |= np.apply_along_axis(holm, 1, p, len(pairs)) < LEVEL
    return clear


@pytest.mark.parametrize(("start", "most"), [(2, 9), (3, 20), (5, 100)])
def test_the_parts_of_all_looks_add_up_to_the_level(start, most):
    counts = looks(start, most)
    assert sum(part(counts, n) for n in counts) == pytest.approx(1)


def test_one_look_alone_is_the_plain_test():
    assert part(looks(5, 5), 5) == 1


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("values", [2, 4])
def test_without_any_effect_at_most_5_percent_call_something_clear(spread, values, paired):
    """Looks at 3, 6, 11 and 20 seeds, and no value is left out before the last.

    Paired draws are of one training each, read off at several epochs, so that they have most of
    their noise in common.
    """
    generator = np.random.default_rng(11)
    samples = SPREADS[spread](generator, (DRAWS, values, 20))
    if paired:
        samples = samples + 3 * SPREADS[spread](generator, (DRAWS, 1, 20))
    false = ever_clear(samples, looks(3, 20), part, paired).any(axis=1)
    assert false.mean() <= LEVEL


def test_equal_ones_among_others_are_called_different_in_at_most_5_percent():
    """Two of four values are equal, and as good as the best; the others are far behind."""
    samples = np.random.default_rng(12).normal(size=(DRAWS, 4, 20))
    samples[:, 2] -= 1
    samples[:, 3] -= 8
    clear = ever_clear(samples, looks(3, 20), part)
    assert clear[:, 0].mean() <= LEVEL
    assert clear[:, 2].mean() > 0.99


def test_plain_tests_looked_at_as_often_do_not_hold_it():
    """What the parts are for."""
    samples = np.random.default_rng(13).normal(size=(DRAWS, 2, 20))
    false = ever_clear(samples, looks(3, 20), lambda counts, n: 1.0).any(axis=1)
    assert false.mean() > 2 * LEVEL


@pytest.mark.parametrize(("effect", "count"), [(15, 3), (5, 6), (1.3, 20)])
def test_an_effect_is_clear_at_a_look_that_is_the_later_the_smaller_it_is(effect, count):
    """In nine of ten draws; the effect is in deviations between seeds."""
    samples = np.random.default_rng(14).normal(size=(DRAWS, 2, 20))
    samples[:, 0] += effect
    counts = looks(3, 20)
    until = counts[: counts.index(count) + 1]
    found = ever_clear(samples, until, lambda _, n: part(counts, n))
    assert found.mean() > 0.9


def test_p_and_interval_of_a_look_agree():
    """At the part of the level that the look spends."""
    generator = np.random.default_rng(15)
    samples = generator.normal(size=(1000, 2, 6)) + np.array([[1.5], [0.0]])
    found = contrast(samples.mean(-1), samples.std(-1, ddof=1), np.full(2, 6), PAIR)
    looked = replace(found, part=np.full(1000, part(looks(3, 20), 6)))
    assert ((looked.p < LEVEL) == (np.abs(looked.size) > looked.half)).all()
    assert (looked.half > found.half).all()
    assert significance.is_clear(looked.p.min())
