"""Training does what a plain PyTorch loop does, and each replicate as if it were alone."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional

from examples import (
    OPTIMIZERS,
    learnable_images,
    random_images,
    run_settings,
    tensor_bytes,
    trainer,
    training_settings,
)
from study.learning import trainer as trainers
from study.learning.examples import Examples
from study.learning.stacked_mlp import StackedMLP
from study.learning.streams import stream

TORCH_OPTIMIZERS = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
    "adadelta": torch.optim.Adadelta,
    "adamax": torch.optim.Adamax,
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
}


def trained(settings, seeds, images, epochs=2, classes=4):
    made = trainer(settings, seeds, images, classes)
    judged = [made.train_epoch(images) for _ in range(epochs)]
    return made, judged


def assert_same_metrics(one, replicate, other, other_replicate=0):
    """To the byte."""
    for name in ("loss", "accuracy"):
        numbers = [one[name][replicate], other[name][other_replicate]]
        assert np.float64(numbers[0]).tobytes() == np.float64(numbers[1]).tobytes()


# The whole training against a plain loop.


def plain_network(made, settings, replicate):
    """The network of a replicate as PyTorch's modules."""
    names = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "gelu": torch.nn.GELU}
    modules = []
    for weight, bias in zip(made.model.weights, made.model.biases, strict=True):
        linear = torch.nn.Linear(weight.shape[1], weight.shape[2])
        linear.weight.data.copy_(weight[replicate].T)
        linear.bias.data.copy_(bias[replicate, 0])
        modules += [linear, names[settings["activation"]]()]
    return torch.nn.Sequential(*modules[:-1])


def normalised(images):
    return (images.inputs.float() / 255 - 0.5) / 0.5


def train_plainly(model, settings, seed, images, epochs):
    """Losses and accuracies of each epoch, as the reference study counts them."""
    options = {"lr": settings["learning_rate"], "weight_decay": settings["weight_decay"]}
    options |= {name: settings[name] for name in ("momentum", "nesterov") if name in settings}
    optimizer = TORCH_OPTIMIZERS[settings["optimizer"]](model.parameters(), **options)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, settings["learning_rate_decay"])
    inputs, count = normalised(images), len(images.targets)
    labels = images.targets.numpy()
    balanced = compute_class_weight("balanced", classes=np.unique(labels), y=labels)
    weights = torch.from_numpy(balanced).float()
    measures = []
    for epoch in range(1, epochs + 1):
        loss_sum = correct = 0
        order = torch.randperm(count, generator=stream(seed, "order", epoch))
        for batch in order.split(settings["batch_size"]):
            labels = images.targets[batch]
            logits = model(inputs[batch])
            loss_sum += functional.cross_entropy(logits, labels, reduction="sum").item()
            correct += (logits.argmax(1) == labels).sum().item()
            optimizer.zero_grad()
            losses = functional.cross_entropy(
                logits,
                labels,
                weights if settings["class_weights"] == "balanced" else None,
                reduction="sum",
                label_smoothing=settings["label_smoothing"],
            )
            (losses / len(batch)).backward()
            optimizer.step()
        schedule.step()
        measures.append((loss_sum / count, correct / count))
    return measures


CASES = (
    [{"optimizer": optimizer, "learning_rate": 0.01} for optimizer in OPTIMIZERS]
    + [
        {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9},
        {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
        {"optimizer": "sgd", "learning_rate": 0.1, "weight_decay": 0.05},
        {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.5, "weight_decay": 0.05},
        {"optimizer": "rmsprop", "learning_rate": 0.001, "momentum": 0.9},
        {"optimizer": "sgd", "learning_rate": 0.2, "learning_rate_decay": 0.5},
        {"optimizer": "adam", "learning_rate": 0.02, "learning_rate_decay": 0.7},
        {"optimizer": "sgd", "learning_rate": 0.1, "label_smoothing": 0.2},
        {"optimizer": "sgd", "learning_rate": 0.1, "class_weights": "balanced"},
        {"optimizer": "sgd", "learning_rate": 0.1, "activation": "gelu", "hidden": [16, 8, 8]},
    ]
    + [
        {"optimizer": optimizer, "learning_rate": 0.01, "weight_decay": 0.05}
        for optimizer in OPTIMIZERS[1:]
    ]
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_whole_training_is_that_of_a_plain_pytorch_loop(case):
    """Same first weights and order of images, dropout 0; batches that do not divide the data."""
    settings = run_settings(**{"hidden": [16, 8], "activation": "tanh", "batch_size": 32} | case)
    images, validation = learnable_images(150), learnable_images(60, seed=1)
    seeds, epochs = [0, 5], 3
    made = trainer(settings, seeds, images)
    models = [plain_network(made, settings, replicate) for replicate in range(len(seeds))]
    judged = [made.train_epoch(images) for _ in range(epochs)]
    evaluated = made.evaluate(validation)
    for replicate, (seed, model) in enumerate(zip(seeds, models, strict=True)):
        expected = train_plainly(model, settings, seed, images, epochs)
        losses = [epoch["loss"][replicate] for epoch in judged]
        accuracies = [epoch["accuracy"][replicate] for epoch in judged]
        np.testing.assert_allclose(losses, [loss for loss, _ in expected], rtol=1e-4)
        np.testing.assert_allclose(accuracies, [accuracy for _, accuracy in expected], atol=0.01)
        for layer, linear in enumerate(model[::2]):
            torch.testing.assert_close(
                made.model.weights[layer][replicate].T, linear.weight.data, rtol=1e-3, atol=1e-4
            )
            torch.testing.assert_close(
                made.model.biases[layer][replicate, 0], linear.bias.data, rtol=1e-3, atol=1e-4
            )
        with torch.no_grad():
            logits = model(normalised(validation))
        loss = functional.cross_entropy(logits, validation.targets).item()
        assert evaluated["loss"][replicate] == pytest.approx(loss, rel=1e-3)
        accuracy = (logits.argmax(1) == validation.targets).double().mean().item()
        assert evaluated["accuracy"][replicate] == pytest.approx(accuracy, abs=0.02)


def test_validation_loss_is_plain_cross_entropy_whatever_the_smoothing():
    images = learnable_images(50)
    plain, smoothed = (
        trainer(run_settings(hidden=[8], label_smoothing=smoothing), [0], images).evaluate(images)
        for smoothing in (0.0, 0.5)
    )
    assert plain["loss"] == smoothed["loss"]


# How an epoch is counted.


def test_train_accuracy_is_counted_with_dropout_on():
    """A network that cannot move is judged by what dropout leaves of it."""
    images = learnable_images(400)
    made, _ = trained(run_settings(learning_rate=0.1, hidden=[64], batch_size=20), [0], images, 5)

    def counted(dropout):
        settings = run_settings(learning_rate=1e-30, hidden=[64], batch_size=20, dropout=dropout)
        still = trainer(settings, [0], images)
        still.model.parameters.copy_(made.model.parameters)
        learned, evaluated = still.train_epoch(images), still.evaluate(images)
        assert torch.equal(still.model.parameters, made.model.parameters)
        return learned, evaluated

    learned, evaluated = counted(dropout=0.9)
    assert learned["accuracy"][0] < evaluated["accuracy"][0] - 0.1
    learned, evaluated = counted(dropout=0.0)
    assert learned["accuracy"][0] == evaluated["accuracy"][0]
    assert learned["loss"][0] == pytest.approx(evaluated["loss"][0], rel=1e-6)


def test_dropout_is_drawn_anew_in_every_epoch():
    """Where neither weights nor the order of images make a difference, dropout alone does."""
    images = random_images(40)
    images.inputs[:] = images.inputs[0]
    images.targets[:] = 1
    settings = run_settings(hidden=[8], batch_size=16, dropout=0.5, learning_rate=1e-30)
    _, judged = trained(settings, [0, 1], images, 3)
    assert len({loss for epoch in judged for loss in epoch["loss"]}) == 3 * 2


def test_train_accuracy_is_counted_while_the_weights_move():
    """Each batch is judged by the network that met it, before it learned from it."""
    images = learnable_images(60)
    settings = run_settings(learning_rate=0.1, hidden=[8], batch_size=60)
    made = trainer(settings, [0], images)
    before = made.evaluate(images)
    learned = made.train_epoch(images)
    assert learned["loss"][0] == pytest.approx(before["loss"][0], rel=1e-6)
    assert made.evaluate(images)["loss"][0] < learned["loss"][0]


def test_every_epoch_meets_every_image_once_in_an_order_of_its_own(monkeypatch):
    met = []
    forward = StackedMLP.forward

    def watched(stack, inputs, streams=None):
        met.append(inputs[:, :, 0].clone())
        return forward(stack, inputs, streams)

    monkeypatch.setattr(StackedMLP, "forward", watched)
    images = random_images(50, features=3)
    images.inputs[:, 0] = torch.arange(50)
    trained(run_settings(hidden=[4], batch_size=7), [0, 1], images)
    epochs = [torch.cat(met[:8], 1), torch.cat(met[8:], 1)]
    orders = [row.tolist() for epoch in epochs for row in epoch]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert all(one != other for one, other in itertools.combinations(orders, 2))


def test_judging_in_batches_gives_what_judging_at_once_does(monkeypatch):
    images = random_images(101)
    made = trainer(run_settings(hidden=[8]), [0, 1], images)
    at_once = made.evaluate(images)
    monkeypatch.setattr(trainers, "EVALUATION_BATCH", 10)
    in_batches = made.evaluate(images)
    assert at_once["accuracy"] == in_batches["accuracy"]
    assert at_once["loss"] == pytest.approx(in_batches["loss"], rel=1e-6)


def test_judging_changes_nothing():
    images = random_images(40)
    settings = run_settings(hidden=[8], dropout=0.3, batch_size=16, optimizer="adam")
    disturbed, quiet = (trainer(settings, [0], images) for _ in range(2))
    for _ in range(2):
        disturbed.evaluate(images)
        disturbed.train_epoch(images)
        disturbed.evaluate(images.first(16))
        quiet.train_epoch(images)
    assert tensor_bytes(disturbed.state()[0]) == tensor_bytes(quiet.state()[0])


def test_pixels_on_the_cpu_are_not_copied():
    """So that processes which map one file share it."""
    pixels = np.zeros((3, 4), np.uint8)
    images = Examples.from_arrays(pixels, np.zeros(3, np.uint8), "cpu")
    pixels[1, 2] = 7
    assert images.inputs[1, 2] == 7
    assert images.targets.dtype == torch.int64


# Exactness: a replicate's bytes depend on nothing but its seed.

PEERS = st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=10, unique=True)


@given(
    settings=training_settings(),
    seeds=PEERS,
    count=st.integers(1, 90),
    features=st.sampled_from([1, 2, 3, 9, 16, 25, 49, 64]),
    classes=st.sampled_from([2, 3, 4, 10]),
    data=st.data(),
)
def test_a_replicate_has_the_same_bytes_alone_in_any_stack_and_order(
    settings, seeds, count, features, classes, data
):
    images = random_images(count, features, classes)
    validation = random_images(data.draw(st.integers(1, 40)), features, classes, seed=1)
    seed = data.draw(st.sampled_from(seeds))
    stacks = [[seed], seeds, data.draw(st.permutations(seeds))]
    results = []
    for stack in stacks:
        made, judged = trained(settings, stack, images, 2, classes)
        results.append((stack.index(seed), made, judged, made.evaluate(validation)))
    _, alone, alone_judged, alone_evaluated = results[0]
    for place, made, judged, evaluated in results[1:]:
        assert tensor_bytes(made.state()[place]) == tensor_bytes(alone.state()[0])
        assert_same_metrics(evaluated, place, alone_evaluated)
        for one, other in zip(judged, alone_judged, strict=True):
            assert_same_metrics(one, place, other)


@pytest.mark.parametrize("stack", [2, 5, 10])
@pytest.mark.parametrize("batch_size", [32, 100])
def test_the_networks_of_the_study_are_exact_too(batch_size, stack):
    """At their real widths, where matrix products are cut into tiles."""
    settings = run_settings(optimizer="adam", hidden=[128, 64], dropout=0.2, batch_size=batch_size)
    images = random_images(250, features=784, classes=10)
    made, judged = trained(settings, range(stack), images, 1, 10)
    for replicate in (0, stack - 1):
        alone, alone_judged = trained(settings, [replicate], images, 1, 10)
        assert tensor_bytes(made.state()[replicate]) == tensor_bytes(alone.state()[0])
        assert_same_metrics(judged[0], replicate, alone_judged[0])


@given(training_settings(), PEERS)
def test_trained_twice_gives_the_same_bytes(settings, seeds):
    images = random_images(45)
    (one, judged), (other, judged_again) = (trained(settings, seeds, images) for _ in range(2))
    for replicate in range(len(seeds)):
        assert tensor_bytes(one.state()[replicate]) == tensor_bytes(other.state()[replicate])
        assert_same_metrics(judged[1], replicate, judged_again[1], replicate)


@given(training_settings(), PEERS, st.data())
def test_a_restored_training_goes_on_with_the_same_bytes_in_any_stack(settings, seeds, data):
    images = random_images(45)
    straight, _ = trained(settings, seeds, images, 3)
    made, _ = trained(settings, seeds, images, 1)
    states = dict(zip(seeds, made.state(), strict=True))
    kept = data.draw(st.lists(st.sampled_from(seeds), min_size=1, unique=True))
    restored = trainer(settings, kept, images)
    restored.restore(1, [states[seed] for seed in kept])
    for _ in range(2):
        restored.train_epoch(images)
    for place, seed in enumerate(kept):
        expected = straight.state()[seeds.index(seed)]
        assert tensor_bytes(restored.state()[place]) == tensor_bytes(expected)


@given(training_settings(), PEERS)
def test_leaving_replicates_out_does_not_disturb_the_others(settings, seeds):
    images = random_images(45)
    whole, _ = trained(settings, seeds, images, 2)
    made, _ = trained(settings, seeds, images, 1)
    kept = made.keep(seeds[1:])
    assert (kept.epoch, kept.seeds) == (1, seeds[1:])
    kept.train_epoch(images)
    for place in range(len(seeds) - 1):
        assert tensor_bytes(kept.state()[place]) == tensor_bytes(whole.state()[place + 1])


def test_a_diverged_neighbour_does_not_disturb_the_others():
    settings = run_settings(optimizer="adam", hidden=[8], batch_size=16, dropout=0.2)
    images = random_images(45)
    alone, _ = trained(settings, [1], images, 3)
    made, _ = trained(settings, [0, 1, 2], images, 1)
    made.model.parameters[0] = torch.nan
    made.model.parameters[2] = torch.inf
    for _ in range(2):
        judged = made.train_epoch(images)
    assert np.isnan(judged["loss"][0])
    assert tensor_bytes(made.state()[1]) == tensor_bytes(alone.state()[0])


def test_a_state_is_a_copy():
    made, _ = trained(run_settings(optimizer="adam", hidden=[8]), [0], random_images(30), 1)
    state = made.state()[0]
    before = tensor_bytes(state)
    made.train_epoch(random_images(30))
    assert tensor_bytes(state) == before
