"""Each replicate's weights lie where no operation treats them differently in a stack."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from study.learning.layout import ALIGNMENT, aligned, parameters_width, split_layers

SIZES = st.lists(st.integers(1, 70), min_size=2, max_size=5)


@pytest.mark.parametrize(("count", "expected"), [(0, 0), (1, 32), (32, 32), (33, 64), (100, 128)])
def test_aligned_rounds_up_to_whole_pairs_of_vector_registers(count, expected):
    assert aligned(count) == expected


@given(SIZES, st.integers(1, 3))
def test_layers_share_no_element_and_begin_aligned(sizes, replicates):
    rows = np.arange(replicates * parameters_width(sizes)).reshape(replicates, -1)
    weights, biases = split_layers(rows, sizes)
    parts = [part for layer in zip(weights, biases, strict=True) for part in layer]
    seen = np.concatenate([part.ravel() for part in parts])
    assert len(np.unique(seen)) == len(seen)
    for part in parts:
        assert (part[:, 0, 0] % ALIGNMENT == 0).all()
        assert np.shares_memory(part, rows)
    for weight, bias, inputs, outputs in zip(weights, biases, sizes, sizes[1:], strict=False):
        assert weight.shape == (replicates, inputs, outputs)
        assert bias.shape == (replicates, 1, outputs)


@given(SIZES)
def test_tensors_and_arrays_are_split_alike_and_written_through(sizes):
    rows = torch.zeros(2, parameters_width(sizes))
    for number, parts in enumerate(zip(*split_layers(rows, sizes), strict=True), start=1):
        for part in parts:
            part[1].fill_(number)
    assert rows[0].eq(0).all()
    for number, parts in enumerate(zip(*split_layers(rows.numpy(), sizes), strict=True), start=1):
        for part in parts:
            assert (part[1] == number).all()
