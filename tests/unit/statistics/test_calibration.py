"""The expected calibration error, by hand and by what must hold for any predictions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from study.statistics.calibration import BINS, expected_error, reliability, weighted_gaps


def test_the_error_by_hand():
    """Three in the bin up to 14/15 (mean 0.9, two right), one in the last (0.98, wrong)."""
    table = reliability(np.array([0.88, 0.9, 0.92, 0.98]), np.array([True, True, False, False]))
    assert table["share"].to_numpy().nonzero()[0].tolist() == [13, 14]
    assert table.loc[13].tolist() == pytest.approx([0.75, 0.9, 2 / 3])
    assert table.loc[14].tolist() == pytest.approx([0.25, 0.98, 0.0])
    assert weighted_gaps(table)[13] == pytest.approx(0.75 * (0.9 - 2 / 3))
    assert expected_error(table) == pytest.approx(0.75 * (0.9 - 2 / 3) + 0.25 * 0.98)


def test_bins_hold_their_upper_edge():
    table = reliability(np.array([1 / BINS, 2 / BINS, 1.0]), np.ones(3, bool))
    assert table["share"].to_numpy().nonzero()[0].tolist() == [0, 1, BINS - 1]


def test_probabilities_that_are_right_have_little_error():
    random = np.random.default_rng(0)
    confidence = random.uniform(0.1, 1, 100_000)
    table = reliability(confidence, random.random(100_000) < confidence)
    assert expected_error(table) < 0.01


@given(
    arrays.arrays(np.float32, st.integers(1, 60), elements=st.floats(0, 1, width=32)),
    st.integers(0, 2**32 - 1),
)
def test_what_holds_for_any_predictions(confidence, seed):
    """Errors of opposite sign cancel between bins at most: the whole gap is a lower bound."""
    correct = np.random.default_rng(seed).random(len(confidence)) < 0.5
    table = reliability(confidence, correct)
    error = expected_error(table)
    assert table["share"].sum() == pytest.approx(1)
    assert abs(confidence.mean(dtype=float) - correct.mean()) - 1e-9 <= error <= 1
    order = np.random.default_rng(seed).permutation(len(confidence))
    assert expected_error(reliability(confidence[order], correct[order])) == pytest.approx(error)
