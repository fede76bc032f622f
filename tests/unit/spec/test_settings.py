"""Settings are completed, told apart and written in one way only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import MANY, OPTIMIZERS
from study.spec.models import MLP
from study.spec.settings import identity, is_used, text, value_text

KNOWN = MLP.hyperparameters


def test_the_order_of_settings_is_that_of_tables_and_texts():
    assert KNOWN.names == [
        "optimizer",
        "learning_rate",
        "learning_rate_decay",
        "schedule",
        "warmup_epochs",
        "momentum",
        "nesterov",
        "weight_decay",
        "gradient_clip",
        "label_smoothing",
        "class_weights",
        "dropout",
        "hidden",
        "activation",
        "batch_size",
        "weight_averaging",
        "shift",
        "flip",
        "precision",
        "epochs",
    ]


def test_the_neutral_defaults_of_later_settings_stay_for_ever():
    """Another default would give older runs another name, or the same name another meaning."""
    named_only_where_they_differ = {
        "learning_rate_decay": 1.0,
        "schedule": "constant",
        "warmup_epochs": 0,
        "gradient_clip": 0.0,
        "momentum": 0.0,
        "nesterov": False,
        "weight_decay": 0.0,
        "label_smoothing": 0.0,
        "class_weights": "none",
        "activation": "relu",
        "weight_averaging": 0.0,
        "shift": 0,
        "flip": False,
        "precision": "float32",
    }
    assert {name: KNOWN.default(name) for name in named_only_where_they_differ} == (
        named_only_where_they_differ
    )


def test_complete_fills_in_defaults_in_order():
    completed = KNOWN.complete({"epochs": 3, "learning_rate": 0.5})
    assert list(completed) == KNOWN.names
    assert completed == KNOWN.complete({}) | {"epochs": 3, "learning_rate": 0.5}


def test_complete_gives_each_value_the_type_of_its_setting():
    """So that 1 and 1.0 are one configuration, with one name."""
    completed = KNOWN.complete(
        {"learning_rate": 1, "dropout": 0, "batch_size": 8.0, "hidden": (8.0, 4)}
    )
    assert repr(completed["learning_rate"]) == "1.0"
    assert repr(completed["dropout"]) == "0.0"
    assert repr(completed["batch_size"]) == "8"
    assert repr(completed["hidden"]) == "[8, 4]"


def test_completed_settings_share_no_list_with_the_schema():
    KNOWN.complete({})["hidden"].append(1)
    assert KNOWN.default("hidden") == [128, 64]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_identity_holds_what_the_optimizer_uses_without_epochs(optimizer):
    unused = {"momentum", "nesterov"}
    if optimizer == "sgd":
        unused = set()
    if optimizer == "rmsprop":
        unused = {"nesterov"}
    assert set(KNOWN.names) - set(identity(KNOWN.complete({"optimizer": optimizer}))) == unused | {
        "epochs"
    }
    assert {name for name in KNOWN.names if not is_used(name, optimizer)} == unused


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0001, "0.0001"),
        (1e-5, "0.00001"),
        (0.0, "0.0"),
        (1.0, "1.0"),
        (1000.0, "1000.0"),
        (1e-12, "1e-12"),
        (100, "100"),
        ([128, 64], "128-64"),
        ((8,), "8"),
        (True, "true"),
        (False, "false"),
        ("adam", "adam"),
    ],
)
def test_a_value_is_written_neutrally(value, written):
    assert text(value) == written


@MANY
@given(st.floats(min_value=0, max_value=1000))
def test_a_number_is_written_exactly(number):
    assert float(text(number)) == number
    assert number < 1e-9 or "e" not in text(number)


def test_a_value_of_a_grid_names_its_settings():
    assert value_text({"batch_size": 200}) == "200"
    assert value_text({"hidden": [8, 4]}) == "8-4"
    assert value_text({"learning_rate": 0.01, "batch_size": 200}) == (
        "learning_rate=0.01, batch_size=200"
    )
    assert value_text({"hidden": [8, 4], "nesterov": True}) == "hidden=8-4, nesterov=true"
