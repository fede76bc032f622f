"""Validation images held out of the training images: which, how many, and of which classes."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from study.learning.split import hold_out

LABELS = st.lists(st.integers(0, 5), min_size=2, max_size=200)


@given(labels=LABELS, seed=st.integers(0, 2**32 - 1), data=st.data())
def test_every_image_is_on_one_side_and_each_class_gives_its_share(labels, seed, data):
    size = data.draw(st.integers(1, len(labels) - 1))
    labels = torch.tensor(labels)
    kept, held_out = hold_out(labels, size, seed)
    assert len(held_out) == size
    assert sorted([*kept.tolist(), *held_out.tolist()]) == list(range(len(labels)))
    assert kept.tolist() == sorted(kept.tolist())
    share = size / len(labels)
    for label in labels.unique():
        given_away = (labels[held_out] == label).sum().item()
        assert abs(given_away - share * (labels == label).sum().item()) <= 1


def test_fashion_mnist_gives_a_thousand_of_each_class():
    labels = torch.arange(60_000) % 10
    kept, held_out = hold_out(labels, 10_000, 0)
    assert np.bincount(labels[held_out]).tolist() == [1000] * 10
    assert np.bincount(labels[kept]).tolist() == [5000] * 10


def test_the_seed_alone_decides_which():
    labels = torch.arange(500) % 7
    first, again, other = (hold_out(labels, 100, seed)[1].tolist() for seed in (0, 0, 1))
    assert first == again != other
