"""What every model must do: the same tests for each implementation of the seam."""

import itertools
import runpy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from examples import run_settings, tensor_bytes
from study.data.scaling import PIXELS
from study.learning.examples import Examples
from study.learning.trainer import Trainer
from study.runs import models
from study.spec.models import MLP
from study.spec.tasks import CLASSIFICATION
from study.support import resources

SHAPE, CLASSES = (1, 6, 6), 3
SEEDS = [3, 0, 11]


class Everything(nn.Module):
    """Convolution, batch norm, dropout, a shared and a frozen parameter, a buffer put anew."""

    def __init__(self, inputs, outputs, *, dropout=0.3):
        super().__init__()
        self.convolution = nn.Conv2d(inputs[0], 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(3)
        self.linear = nn.Linear(27, 27)
        self.again = self.linear
        self.frozen = nn.Parameter(torch.full((1, 27), 0.5), requires_grad=False)
        self.register_buffer("seen", torch.zeros(()))
        self.dropout = nn.Dropout(dropout)
        self.last = nn.Linear(27, outputs)

    def forward(self, x):
        if self.training:
            self.seen = self.seen + len(x)
        x = functional.max_pool2d(self.norm(self.convolution(x)).tanh(), 2).flatten(1)
        x = self.dropout(self.again(self.linear(x).tanh()).tanh() + self.frozen)
        return self.last(x)


def perceptron(settings, dropout):
    settings = settings | {"hidden": [9, 5], "dropout": dropout}
    return models.architecture(MLP, settings, SHAPE, CLASSES, PIXELS)


def module(settings, dropout):
    return models.Module(Everything, {"dropout": dropout}, SHAPE, CLASSES, PIXELS)


def cnn(settings, dropout):
    made = runpy.run_path(str(resources.resource("resources/models/cnn.py")))["Cnn"]
    varied = {"channels": [4, 5], "hidden": [6], "dropout": dropout}
    return models.Module(made, varied, SHAPE, CLASSES, PIXELS)


# Of each implementation a network with everything that draws random numbers or keeps statistics.
MODELS = {"mlp": perceptron, "module": module, "cnn": cnn}

# With and without state, and with averaged weights.
OPTIMIZERS = [
    {"optimizer": "sgd", "learning_rate": 0.1},
    {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9, "weight_averaging": 0.9},
    {"optimizer": "adam", "learning_rate": 0.01, "weight_averaging": 0.5, "shift": 1},
    {"optimizer": "rmsprop", "learning_rate": 0.01, "label_smoothing": 0.1},
    {"optimizer": "adamw", "learning_rate": 0.01, "class_weights": "balanced"},
]


@pytest.fixture(scope="module", params=MODELS)
def kind(request):
    return MODELS[request.param]


@pytest.fixture(scope="module")
def network(kind):
    return kind(run_settings(), 0.3)


@pytest.fixture(scope="module")
def images():
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (45, *SHAPE), dtype=np.uint8)
    return Examples.from_arrays(pixels, random.integers(0, CLASSES, 45, np.uint8), "cpu")


def trainer(kind, optimizer, seeds, dropout=0.3):
    settings = run_settings(**{"batch_size": 16} | optimizer)
    architecture = kind(settings, dropout)
    objective = models.objective(CLASSIFICATION, settings, CLASSES)
    return Trainer(settings, seeds, lambda some: architecture.build(some, "cpu"), objective)


def trained(kind, optimizer, seeds, images, epochs):
    made = trainer(kind, optimizer, seeds)
    return made, [(made.train_epoch(images), made.evaluate(images)) for _ in range(epochs)]


def everything(made, measured, replicate):
    """All of a replicate that must be the same to the byte."""
    numbers = [
        metrics[name][replicate]
        for epoch in measured
        for metrics in epoch
        for name in ("loss", "accuracy")
    ]
    return tensor_bytes(made.state()[replicate]), np.array(numbers).tobytes()


def test_its_rows_and_outputs_have_the_shapes_of_the_seam(network, images):
    model = network.build(SEEDS, "cpu")
    assert model.parameters.dtype == model.gradient.dtype == torch.float32
    assert model.parameters.shape == model.gradient.shape
    assert len(model.parameters) == len(SEEDS)
    assert all(len(rows) == len(SEEDS) for rows in model.buffers.values())
    assert model.outputs == CLASSES
    outputs = model.forward(images.inputs[None, :7])
    assert outputs.shape == (len(SEEDS), 7, CLASSES)
    assert outputs.isfinite().all()


def test_each_replicate_may_see_a_batch_of_its_own(network, images):
    model = network.build(SEEDS, "cpu")
    shared = images.inputs[None, :7]
    once = model.forward(shared).clone()
    assert torch.equal(model.forward(shared.expand(len(SEEDS), -1, -1)), once)


def test_networks_begin_by_their_seed_alone(network):
    torch.manual_seed(1)
    together = network.build(SEEDS, "cpu").parameters
    torch.manual_seed(2)
    for replicate, seed in enumerate(SEEDS):
        assert torch.equal(network.build([seed], "cpu").parameters[0], together[replicate])
    assert not any(torch.equal(one, other) for one, other in itertools.combinations(together, 2))


def test_building_and_training_leave_torch_s_own_random_numbers_alone(kind, images):
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    trained(kind, OPTIMIZERS[0], SEEDS, images, 1)
    assert torch.equal(torch.rand(3), expected)


def test_the_gradient_is_that_of_the_loss(kind, images):
    """Along a direction, by differences: without dropout, in training."""
    made = trainer(kind, OPTIMIZERS[0], SEEDS, dropout=0.0)
    model, objective = made.model, made.objective
    inputs = images.inputs[None, :16].expand(len(SEEDS), -1, -1)
    wanted = objective.wanted(images.targets[:16]).expand(len(SEEDS), -1, -1)
    streams = model.streams(SEEDS, 1)
    outputs = model.forward(inputs, streams)
    model.backward(objective.gradient(outputs, wanted))
    direction = model.gradient / model.gradient.norm(dim=1, keepdim=True)
    slopes = (model.gradient * direction).sum(1)
    start, step = model.parameters.clone(), 1e-2

    def losses(way):
        model.parameters.copy_(start + way * step * direction)
        logs = model.forward(inputs, streams).double().log_softmax(-1)
        return -(logs * wanted).sum(-1).mean(1)

    differences = (losses(1) - losses(-1)) / (2 * step)
    np.testing.assert_allclose(slopes.numpy(), differences.numpy(), rtol=0.02)


def test_a_gradient_replaces_the_one_before(network, images):
    model, once = network.build(SEEDS, "cpu"), network.build(SEEDS, "cpu")
    delta = torch.full((len(SEEDS), 7, CLASSES), 0.1)
    for made, count in ((model, 2), (once, 1)):
        for _ in range(count):
            made.forward(images.inputs[None, :7].expand(len(SEEDS), -1, -1), made.streams(SEEDS, 1))
            made.backward(delta)
    assert torch.equal(model.gradient, once.gradient)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_alone_beside_others_stopped_and_gone_on_it_has_the_same_bytes(kind, optimizer, images):
    made, measured = trained(kind, optimizer, SEEDS, images, 3)
    again, measured_again = trained(kind, optimizer, SEEDS, images, 3)
    stopped, before = trained(kind, optimizer, SEEDS, images, 1)
    states = dict(zip(SEEDS, stopped.state(), strict=True))
    for replicate, seed in enumerate(SEEDS):
        whole = everything(made, measured, replicate)
        assert everything(again, measured_again, replicate) == whole
        assert everything(*trained(kind, optimizer, [seed], images, 3), 0) == whole
        resumed = trainer(kind, optimizer, [SEEDS[0], seed])
        resumed.restore(1, [states[SEEDS[0]], states[seed]])
        after = [(resumed.train_epoch(images), resumed.evaluate(images)) for _ in range(2)]
        state, _ = everything(resumed, after, 1)
        assert state == whole[0]


@pytest.mark.parametrize("optimizer", OPTIMIZERS[:3], ids=str)
def test_evaluating_changes_nothing(kind, optimizer, images):
    quiet = trainer(kind, optimizer, SEEDS)
    quiet.train_epoch(images)
    quiet.train_epoch(images)
    made, _ = trained(kind, optimizer, SEEDS, images, 2)
    for one, other in zip(quiet.state(), made.state(), strict=True):
        assert tensor_bytes(one) == tensor_bytes(other)


def test_a_network_is_named_tensor_by_tensor(kind, network, images):
    """As weights.safetensors holds it, with the numbers that it has learned."""
    made, _ = trained(kind, OPTIMIZERS[0], [0], images, 1)
    state = {name: tensor.numpy() for name, tensor in made.state()[0].items()}
    named = network.layers(state)
    rows = [rows for name, rows in state.items() if name == "parameters" or "buffers." in name]
    held = np.concatenate([tensor.ravel() for tensor in named.values()])
    total = sum(np.abs(row).astype(float).sum() for row in rows)
    assert np.isclose(np.abs(held).astype(float).sum(), total, rtol=1e-5)
