"""The stacked networks compute what PyTorch's own modules and gradients do."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch.nn import functional

from examples import ACTIVATIONS
from study.data.scaling import PIXELS
from study.learning import stacked_mlp
from study.learning.classification import Classification
from study.learning.stacked_mlp import StackedMLP
from study.learning.streams import stream
from study.spec.schemas import definitions

SIZES = [12, 9, 7, 5]
SEEDS = [3, 1, 4]
ROWS = 11


def made(activation="relu", dropout=0.0, sizes=SIZES, seeds=SEEDS, precision="float32"):
    stack = StackedMLP(sizes, activation, dropout, len(seeds), precision=precision, scaling=PIXELS)
    stack.initialise(seeds)
    return stack


def random_pixels(rows=ROWS, features=SIZES[0], seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = (len(SEEDS), rows, features)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def random_targets(smoothing=0.0):
    labels = torch.randint(0, SIZES[-1], (len(SEEDS), ROWS))
    hot = functional.one_hot(labels, SIZES[-1]).float()
    return labels, hot * (1 - smoothing) + smoothing / SIZES[-1]


def dropout_streams(epoch=1):
    return [stream(seed, "dropout", epoch) for seed in SEEDS]


def learn(stack, targets):
    """Step back from the cross-entropy of the batch just forwarded."""
    _, _, outputs, _ = stack._memory_for(targets.shape[:2])
    stack.backward(Classification(SIZES[-1]).gradient(outputs.matrix, targets))


def masks(stack, rows=ROWS):
    """What the last training step multiplied each hidden layer's outputs by."""
    _, layers, _, _ = stack._memory_for(torch.Size((stack.replicates, rows)))
    return [layer.mask.matrix for layer in layers]


def logits_by_autograd(stack, pixels, activation, replicate, masks=None):
    """One replicate's logits by plain operations, and its parameters as leaves of the graph."""
    parameters = [
        part[replicate].clone().requires_grad_()
        for layer in zip(stack.weights, stack.biases, strict=True)
        for part in layer
    ]
    values = (pixels[replicate].float() / 255 - 0.5) / 0.5
    layers = list(zip(parameters[::2], parameters[1::2], strict=True))
    for index, (weight, bias) in enumerate(layers):
        values = values @ weight + bias
        if index < len(layers) - 1:
            values = getattr(functional, activation)(values)
            if masks:
                values = values * masks[index][replicate]
    return values, parameters


def assert_same_gradients(stack, parameters, replicate):
    gradients = [
        part[replicate]
        for layer in zip(stack.weight_gradients, stack.bias_gradients, strict=True)
        for part in layer
    ]
    for gradient, parameter in zip(gradients, parameters, strict=True):
        torch.testing.assert_close(gradient, parameter.grad, rtol=1e-4, atol=1e-6)


def test_every_activation_of_the_schema_is_there():
    assert sorted(stacked_mlp.ACTIVATIONS) == sorted(ACTIVATIONS)


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_logits_and_gradients_are_those_of_autograd(activation, dropout):
    stack = made(activation, dropout)
    pixels = random_pixels()
    labels, targets = random_targets()
    logits = stack.forward(pixels, dropout_streams()).clone()
    learn(stack, targets)
    replayed = masks(stack) if dropout else None
    for replicate in range(len(SEEDS)):
        expected, parameters = logits_by_autograd(stack, pixels, activation, replicate, replayed)
        torch.testing.assert_close(logits[replicate], expected, rtol=1e-4, atol=1e-5)
        functional.cross_entropy(expected, labels[replicate]).backward()
        assert_same_gradients(stack, parameters, replicate)


@pytest.mark.parametrize("smoothing", [0.1, 0.9])
def test_smoothed_targets_give_the_gradient_of_torchs_smoothed_cross_entropy(smoothing):
    stack = made()
    pixels = random_pixels()
    labels, targets = random_targets(smoothing)
    stack.forward(pixels)
    learn(stack, targets)
    for replicate in range(len(SEEDS)):
        logits, parameters = logits_by_autograd(stack, pixels, "relu", replicate)
        functional.cross_entropy(logits, labels[replicate], label_smoothing=smoothing).backward()
        assert_same_gradients(stack, parameters, replicate)


def test_batches_of_different_sizes_do_not_disturb_each_other():
    """Memory is kept for each size: the last, shorter batch of an epoch finds its own."""
    stack, fresh = made(), made()
    pixels, short = random_pixels(), random_pixels(rows=3)
    _, targets = random_targets()
    stack.forward(short)
    stack.forward(pixels)
    stack.forward(short)
    learn(stack, targets[:, :3])
    fresh.forward(short)
    learn(fresh, targets[:, :3])
    assert torch.equal(stack.gradient, fresh.gradient)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_one_batch_for_all_replicates_gives_the_same_bytes_as_a_copy_for_each(precision):
    stack = made(precision=precision)
    shared = random_pixels()[:1]
    alike = stack.forward(shared).clone()
    assert torch.equal(stack.forward(shared.expand(len(SEEDS), -1, -1)), alike)


def test_a_gradient_replaces_the_one_before():
    stack = made()
    _, targets = random_targets()
    for _ in range(2):
        stack.forward(random_pixels())
        learn(stack, targets)
    once = made()
    once.forward(random_pixels())
    learn(once, targets)
    assert torch.equal(stack.gradient, once.gradient)


def test_without_streams_dropout_is_off():
    on, off = made(dropout=0.5), made(dropout=0.0)
    assert torch.equal(on.forward(random_pixels()), off.forward(random_pixels()))


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.5, 0.9])
def test_dropout_drops_at_its_rate_and_scales_what_it_keeps(rate):
    stack = made(dropout=rate, sizes=[2, 500, 500, 2])
    stack.forward(random_pixels(200, 2), dropout_streams())
    for mask in masks(stack, 200):
        kept = mask != 0
        assert torch.allclose(mask[kept], torch.tensor(1 / (1 - rate)), rtol=1e-4)
        # Five standard deviations of what 100,000 or 500 independent draws would give.
        share = kept.double()
        deviation = math.sqrt(rate * (1 - rate))
        assert (share.mean((1, 2)) - (1 - rate)).abs().max() < 5 * deviation / math.sqrt(1e5)
        assert (share.mean(2) - (1 - rate)).abs().max() < 5 * deviation / math.sqrt(500)
        assert (share.mean(1) - (1 - rate)).abs().max() < 5 * deviation / math.sqrt(200)


def test_dropout_is_drawn_anew_for_each_replicate_layer_batch_and_epoch():
    stack = made(dropout=0.5, sizes=[2, 64, 64, 2])
    drawn = []
    for epoch in (1, 2):
        streams = dropout_streams(epoch)
        for _ in range(2):
            stack.forward(random_pixels(8, 2), streams)
            drawn += [part.numpy().tobytes() for mask in masks(stack, 8) for part in mask]
    assert len(set(drawn)) == len(drawn) == 2 * 2 * 2 * len(SEEDS)


def test_the_highest_dropout_that_the_schema_lets_pass_is_computed():
    stack = made(dropout=definitions()["dropout"]["maximum"])
    assert stack.forward(random_pixels(), dropout_streams()).isfinite().all()


def test_parameters_begin_as_linear_layers_do():
    """Uniform within 1 / sqrt(inputs), weights and biases alike."""
    stack = made(sizes=[784, 128, 64, 10])
    for weight, bias in zip(stack.weights, stack.biases, strict=True):
        inputs = weight.shape[1]
        bound = 1 / math.sqrt(inputs)
        linear = torch.nn.Linear(inputs, weight.shape[2])
        for part, reference in ((weight, linear.weight), (bias, linear.bias)):
            assert part.abs().max() <= bound
            scaled = part.numpy().ravel() / bound
            assert stats.kstest(scaled, stats.uniform(-1, 2).cdf).pvalue > 1e-3
            assert stats.ks_2samp(scaled, reference.detach().numpy().ravel() / bound).pvalue > 1e-3


def test_parameters_depend_on_the_seed_alone():
    stack = made()
    assert not torch.equal(stack.parameters[0], stack.parameters[1])
    assert torch.equal(stack.parameters[1], made(seeds=[SEEDS[1]]).parameters[0])
    assert torch.equal(stack.parameters, made(activation="tanh", dropout=0.5).parameters)


def test_pixels_are_normalised_as_the_reference_study_does():
    stack = StackedMLP([256, 256], "relu", 0.0, 1, scaling=PIXELS)
    stack.weights[0][0] = torch.eye(256)
    pixels = torch.arange(256, dtype=torch.uint8).view(1, 1, 256)
    logits = stack.forward(pixels)[0, 0]
    expected = (np.arange(256) / 255 - 0.5) / 0.5
    np.testing.assert_allclose(logits.numpy(), expected, atol=1e-6)
    assert (logits[0], logits[255]) == (-1, 1)


def test_the_padding_between_layers_stays_zero():
    """Else it would reach the optimizer, whose state is kept and saved."""
    stack = made("sigmoid", 0.5)
    _, targets = random_targets()
    stack.forward(random_pixels(), dropout_streams())
    learn(stack, targets)
    used = torch.zeros_like(stack.gradient)
    for parts in zip(*stacked_mlp.split_layers(used, SIZES), strict=True):
        for part in parts:
            part.fill_(1)
    assert not stack.gradient[used == 0].any()
    assert not stack.parameters[used == 0].any()


def test_random_streams_depend_on_seed_purpose_and_epoch():
    def drawn(*of):
        return torch.rand(4, generator=stream(*of)).numpy().tobytes()

    different = [
        (seed, purpose, epoch)
        for seed in (0, 1, 11, 2**32 - 1)
        for purpose in ("initialisation", "order", "dropout")
        for epoch in (0, 1, 11)
    ]
    assert len({drawn(*of) for of in different}) == len(different)
    assert drawn(1, "order", 2) == drawn(1, "order", 2)
