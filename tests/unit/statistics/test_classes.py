"""How the examples are divided among the classes, and among those held out of each."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from study.learning.split import hold_out
from study.statistics.classes import count


def test_a_class_that_never_occurs_is_missing():
    found = count(np.array([0, 0, 2, 0], np.uint8), 4)
    assert found.counts.tolist() == [3, 0, 1, 0]
    assert found.missing == [1, 3]


@pytest.mark.parametrize(
    ("counts", "most_frequent", "share", "is_even", "is_unbalanced"),
    [
        ([100, 100], [0, 1], 0.5, True, False),
        ([98, 2], [0], 0.98, False, True),
        ([9, 8, 9, 8], [0, 2], 9 / 34, False, False),
        ([70, 10, 10, 10], [0], 0.7, False, True),
    ],
)
def test_the_share_of_the_most_frequent(counts, most_frequent, share, is_even, is_unbalanced):
    """98 % of accuracy, with 2 % of positives, is had by always saying no."""
    found = count(np.repeat(np.arange(len(counts)), counts), len(counts))
    assert found.most_frequent == most_frequent
    assert found.share == pytest.approx(share)
    assert (found.is_even, found.is_unbalanced) == (is_even, is_unbalanced)


@given(st.lists(st.integers(0, 40), min_size=2, max_size=6), st.floats(0.05, 0.9))
def test_those_held_out_are_counted_without_drawing_them(counts, part):
    labels = np.repeat(np.arange(len(counts)), counts)
    size = int(part * len(labels))
    if not size:
        return
    learned, held_out = hold_out(torch.from_numpy(labels), size, 0)
    expected = np.bincount(labels[held_out.numpy()], minlength=len(counts))
    whole = count(labels, len(counts))
    found = whole.held_out(size)
    assert found.counts.sum() == size
    assert abs(found.counts - expected).max() <= 1
    assert whole.without(found).counts.sum() == len(learned)
