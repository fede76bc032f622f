"""Configs and claims that nobody would write: planned, or told; never a traceback, never a hang."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from fuzzing import FULL, INPUTS, altered, damaged, in_time, told
from study.data import datasets
from study.spec import claims, predicates
from study.spec.beside import files_beside
from study.spec.config import MOST_VALUES, load, validated
from study.spec.models import MLP
from study.spec.plan import Plan
from study.spec.resolution import resolve
from study.spec.schemas import errors
from study.support.errors import StudyError
from study.support.strict_yaml import MOST_BYTES, MOST_DEPTH, read_yaml

CONFIG = {
    "data": {"dataset": "FashionMNIST", "validation": {"from": "train", "size": 9, "seed": 0}},
    "seeds": [0, 3],
    "baseline": {"optimizer": "adam", "learning_rate": 0.01, "hidden": [16, 8], "epochs": 3},
    "experiments": {
        "rates": {"vary": {"learning_rate": [0.1, 0.2], "dropout": [0.0, 0.5]}},
        "decay": {"with": {"optimizer": "adamw"}, "vary": {"weight_decay": [0.0, 0.1]}},
    },
    "final": {"dropout": 0.2},
    "claims": [
        {
            "id": "a",
            "statement": {"en": "This.", "es": "Esto."},
            "predicate": {
                "all": [
                    {
                        "greater": {
                            "left": {"experiment": "decay", "value": 0.1, "epoch": 2},
                            "right": 0.5,
                            "by": 0.01,
                        }
                    },
                    {"not": {"highest": {"experiment": "decay", "value": 0.0}}},
                    {
                        "rising": {
                            "experiment": "final",
                            "over": {"epochs": [1, 2]},
                            "measure": "train_loss",
                        }
                    },
                    {"between": {"quantity": {"experiment": "final"}, "low": 0.1, "high": 0.9}},
                ]
            },
        }
    ],
    "report": {"languages": ["en", "es"], "beside": "other/results", "early_stopping": {}},
    "container": "docker://ghcr.io/someone/study:1.0",
}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("configs") / "config.yaml"


def planned(path, text):
    """The plan of a config of this text, which makes sense; None where the fault was told."""
    path.write_bytes(text)
    with in_time():
        try:
            config = load([path])
            plan = resolve(config)
        except StudyError as error:
            told(error)
            return None
        assert Plan.from_json(json.loads(plan.to_json().encode())) == plan
    assert len(plan.experiments) >= 1
    for run in plan.runs:
        assert run.epochs >= 1
        assert all(0 <= seed < 2**32 for seed in run.seeds)
        assert len(set(run.seeds)) == len(run.seeds)
        assert run.settings.keys() <= set(MLP.hyperparameters.names)
        numbers = [value for value in run.settings.values() if isinstance(value, float)]
        assert all(map(math.isfinite, numbers))
    for claim in claims.asked(plan):
        for comparison in predicates.comparisons(claim.predicate):
            assert comparison.left != comparison.right
    return plan


def test_the_config_that_is_altered_is_right(path):
    assert planned(path, json.dumps(CONFIG).encode())


@INPUTS
@given(content=altered(CONFIG))
def test_any_altered_config_is_planned_or_told(path, content):
    planned(path, json.dumps(content, allow_nan=True).encode("utf-8", "surrogatepass"))


@INPUTS
@given(content=damaged(json.dumps(CONFIG, indent=1).encode()))
def test_any_damaged_file_is_planned_or_told(path, content):
    planned(path, content)


@INPUTS
@given(claims=altered(CONFIG["claims"], most=2))
def test_any_altered_claims_are_taken_or_told(path, claims):
    planned(path, json.dumps(CONFIG | {"claims": claims}).encode("utf-8", "surrogatepass"))


def aliases(levels):
    """A text of few lines that stands for 10 to the power of `levels` values."""
    lines = ["x0: &x0 [1, 1]"]
    lines += [
        f"x{level}: &x{level} [{', '.join([f'*x{level - 1}'] * 10)}]" for level in range(1, levels)
    ]
    return "\n".join(lines)


def merges(levels):
    lines = ["x0: &x0 {a: 1, b: 2}"]
    lines += [
        f"x{level}: &x{level} {{<<: [*x{level - 1}, *x{level - 1}], c{level}: 1}}"
        for level in range(1, levels)
    ]
    return "\n".join(lines)


# A bound is tested from just above: without it, these would be read in seconds.
JUST_TOO_MUCH = {
    "aliases": (aliases(5), "stands for more than 20,000"),
    "merges": (merges(16), "stands for more than 20,000"),
    "values": (f"a: [{'1,' * 20_001}]", "stands for more than 20,000"),
    "nested": ("[" * (MOST_DEPTH + 1) + "]" * (MOST_DEPTH + 1), "nested deeper than 50 levels"),
    "bytes": ("# x\n" * (MOST_BYTES // 4 + 1), "is larger than 500,000 bytes"),
    "digits": (f"a: {'9' * 101}", "is a number of 101 characters"),
    "hexadecimal": (f"a: 0x{'f' * 100}", "is a number of 102 characters"),
    "itself": ("a: &a [*a]", "a part of it contains itself"),
    "itself in data": ("data: &a {sources: [*a]}", "a part of it contains itself"),
    "tag": ("a: !!bool x", "does not fit the tag"),
}


@pytest.mark.parametrize(("text", "message"), JUST_TOO_MUCH.values(), ids=JUST_TOO_MUCH)
def test_what_a_file_may_expand_to_is_bounded(path, text, message):
    path.write_text(text, encoding="utf-8")
    with in_time(), pytest.raises(StudyError) as caught:
        read_yaml(path)
    assert message in told(caught.value, str(path))


def test_aliases_that_stand_for_little_are_taken(path):
    path.write_text("a: &a [1, 2]\nb: [*a, *a]\nc: {<<: {d: *a}}\n", encoding="utf-8")
    assert read_yaml(path) == {"a": [1, 2], "b": [[1, 2], [1, 2]], "c": {"d": [1, 2]}}


def grid(one, other):
    return {
        "learning_rate": [0.001 + index / 1e5 for index in range(one)],
        "momentum": [index / 1000 for index in range(other)],
    }


def test_a_grid_that_is_too_large_is_told_with_its_size(path):
    side = 1 + math.isqrt(MOST_VALUES)
    with in_time(), pytest.raises(StudyError) as caught:
        validated({"experiments": {"rates": {"vary": grid(side, side)}}}, "config.yaml")
    message = told(caught.value, "config.yaml: experiments: ask for 20,164 values")
    assert "rates has 20,164" in message


@pytest.mark.parametrize(
    ("read", "place"), [(datasets.describe, "data.dataset"), (files_beside, "report.beside")]
)
def test_a_name_longer_than_the_file_system_takes_is_told(read, place):
    with pytest.raises(StudyError) as caught:
        read(f"{'a' * 300}/data.yaml")
    assert told(caught.value, place).endswith("a: File name too long")


def test_claims_over_many_values_are_told_before_they_are_looked_up():
    claim = {"statement": "This.", "predicate": {"highest": {"experiment": "rates", "value": "x"}}}
    asked = [claim | {"id": str(index)} for index in range(300)]
    config = {"experiments": {"rates": {"vary": grid(100, 100)}}, "claims": asked}
    with in_time(), pytest.raises(StudyError) as caught:
        validated(config, "config.yaml")
    assert "claims: look up 6,000,000 values" in told(caught.value)


@pytest.mark.skipif(not FULL, reason="takes seconds")
def test_the_largest_grid_is_planned_in_time():
    with in_time():
        plan = resolve(validated({"experiments": {"rates": {"vary": grid(200, 100)}}}, "x.yaml"))
    assert len(plan.runs) == MOST_VALUES


@INPUTS
@given(items=st.lists(st.sampled_from([0, 1, 1.0, True, False, "1", None, "a"])))
def test_equal_items_are_those_of_json_schema(items):
    wanted = {"uniqueItems": True}
    refused = list(errors(items, wanted)) != []
    assert refused is not Draft202012Validator(wanted).is_valid(items)


def test_equal_items_in_lists_are_found_which_jsonschema_misses():
    """It sorts first, and finds equal neighbours alone: true and 1 sort alike."""
    items = [[True], [1], [True]]
    assert Draft202012Validator({"uniqueItems": True}).is_valid(items)
    assert list(errors(items, {"uniqueItems": True}))
