"""NumPy's networks are torch's: the same activations, the same probabilities."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from examples import ACTIVATIONS
from networks import random_layers
from study.data.scaling import PIXELS
from study.final import inference
from study.learning import stacked_mlp

TORCH = {
    "relu": torch.nn.ReLU,
    "leaky_relu": torch.nn.LeakyReLU,
    "elu": torch.nn.ELU,
    "gelu": torch.nn.GELU,
    "silu": torch.nn.SiLU,
    "tanh": torch.nn.Tanh,
    "sigmoid": torch.nn.Sigmoid,
}


def test_every_activation_is_there():
    assert (
        set(inference.ACTIVATIONS) == set(stacked_mlp.ACTIVATIONS) == set(ACTIVATIONS) == set(TORCH)
    )


@given(
    st.sampled_from(ACTIVATIONS),
    st.lists(st.integers(2, 40), min_size=2, max_size=5),
    st.integers(0, 2**32 - 1),
)
def test_probabilities_are_those_of_plain_torch(activation, sizes, seed):
    layers = random_layers(sizes, seed)
    pixels = np.random.default_rng(seed).integers(0, 256, (7, sizes[0]), dtype=np.uint8)
    modules = []
    for weight, bias in layers:
        linear = torch.nn.Linear(*weight.T.shape)
        linear.weight.data, linear.bias.data = torch.from_numpy(weight), torch.from_numpy(bias)
        modules += [linear, TORCH[activation]()]
    with torch.no_grad():
        inputs = (torch.from_numpy(pixels) / 255 - 0.5) / 0.5
        expected = torch.softmax(torch.nn.Sequential(*modules[:-1])(inputs), -1)
    found = inference.answers(pixels, layers, activation, PIXELS)
    assert found.dtype == np.float32
    assert found.sum(axis=1) == pytest.approx(np.ones(7), abs=1e-5)
    assert np.allclose(found, expected.numpy(), rtol=0, atol=1e-5)


def test_extreme_inputs_stay_finite():
    layers = [
        (np.full((2, 3), 1e4, np.float32), np.zeros(2, np.float32)),
        (np.eye(2, dtype=np.float32), np.zeros(2, np.float32)),
    ]
    pixels = np.array([[0, 0, 0], [255, 255, 255]], np.uint8)
    for activation in ACTIVATIONS:
        assert np.isfinite(inference.answers(pixels, layers, activation, PIXELS)).all()
