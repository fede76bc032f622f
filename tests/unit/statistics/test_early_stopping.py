"""Early stopping read off a record, against examples by hand and a plain reading of the rule."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.statistics.early_stopping import read_off, stop


@pytest.mark.parametrize(
    ("losses", "patience", "stopped", "taken"),
    [
        ([5, 4, 3, 2], 1, 4, 4),
        ([5, 4, 4, 3], 1, 3, 2),
        ([5, 4, 4, 3], 2, 4, 4),
        ([5, 3, 4, 4, 1], 2, 4, 2),
        ([5, 3, 4, 4], 9, 4, 2),
        ([1, 2], 1, 2, 1),
        ([7], 3, 1, 1),
        ([math.nan, 2, math.nan, math.nan], 2, 4, 2),
    ],
)
def test_by_hand(losses, patience, stopped, taken):
    assert stop(losses, patience, lower_is_better=True) == (stopped, taken)
    assert stop([-loss for loss in losses], patience, lower_is_better=False) == (stopped, taken)


@given(
    st.lists(st.integers(0, 9).map(float), min_size=1, max_size=30),
    st.integers(1, 12),
    st.lists(st.integers(0, 9).map(float), max_size=10),
)
def test_what_holds_for_any_losses(losses, patience, later):
    stopped, taken = stop(losses, patience, lower_is_better=True)
    seen = losses[:stopped]
    assert taken == seen.index(min(seen)) + 1
    assert stopped == len(losses) or stopped - taken == patience
    # Nothing in the epochs before was reason enough, and nothing behind matters.
    for epoch in range(1, stopped):
        before = losses[:epoch]
        assert epoch - (before.index(min(before)) + 1) < patience
    if stopped < len(losses):
        assert stop(losses + later, patience, lower_is_better=True) == (stopped, taken)


def test_the_record_of_two_seeds():
    losses = {3: [0.5, 0.4, 0.45, 0.46, 0.3], 1: [0.5, 0.4, 0.3, 0.2, 0.1]}
    accuracies = {3: [0.7, 0.8, 0.81, 0.82, 0.9], 1: [0.7, 0.75, 0.8, 0.85, 0.86]}
    rows = pd.DataFrame(
        [
            {"seed": seed, "epoch": epoch + 1, "validation_loss": loss}
            | {"validation_accuracy": accuracies[seed][epoch]}
            for seed in losses
            for epoch, loss in enumerate(losses[seed])
        ]
    ).sample(frac=1, random_state=0)
    found = read_off(rows, "validation_loss", 2)
    assert found.loc[3, ["stopped", "taken", "saved"]].tolist() == [4, 2, 1]
    assert found.loc[3, "gained"] == pytest.approx(0.8 - 0.9)
    assert found.loc[1].tolist() == [5, 5, 0, 0]
    assert (read_off(rows, "validation_accuracy", 2)["taken"] == 5).all()
