"""Models, evaluations and studies beside that are not what was written: used, or told."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finished import planned
from fuzzing import INPUTS, altered, damaged, in_time, told
from madeup import make, write
from networks import made_up_model, random_images
from study.data import datasets
from study.final import evaluation, export, protocols, weights
from study.support.errors import StudyError

DATASET = datasets.describe("FashionMNIST")

COMPLETE = {"activation": "tanh", "hidden": [9, 5], "epochs": 7, "learning_rate": 0.1}


def parts(model):
    """What model.safetensors holds: the description, and the tensors by name."""
    tensors = {}
    for seed, layers in model.networks.items():
        tensors |= weights.tensors(layers, f"seed_{seed}")
    return model.description.told() | {"settings": COMPLETE}, tensors


DESCRIBED, TENSORS = parts(made_up_model("tanh"))


@st.composite
def altered_tensors(draw, whole):
    """Tensors of which some are left out, renamed, of another form or no numbers."""
    tensors = dict(whole)
    with np.errstate(all="ignore"):
        return _altered(draw, tensors)


def _altered(draw, tensors):
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from(sorted(tensors)))
        tensor = tensors[name]
        match draw(st.sampled_from(["leave out", "rename", "NaN", "type", "shape", "add", "huge"])):
            case "leave out":
                del tensors[name]
            case "rename":
                tensors[draw(st.text(min_size=1, max_size=9))] = tensors.pop(name)
            case "NaN":
                tensors[name] = tensor * np.float32(np.nan)
            case "type":
                tensors[name] = tensor.astype(draw(st.sampled_from(["f8", "i4", "u1", "f2"])))
            case "shape":
                tensors[name] = tensor.reshape(-1)[: draw(st.integers(0, tensor.size))]
            case "huge":
                tensors[name] = tensor * np.float32(1e30)
            case _:
                tensors["seed_9.layers.0.weight"] = tensor
        if not tensors:
            break
    return tensors


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("model")


def used(path):
    """The probabilities that a model gives, which make sense; None where the fault was told."""
    with in_time():
        try:
            model = export.read_model(path)
        except StudyError as error:
            told(error, str(path))
            return None
        described = model.description
        assert len(set(described.classes)) == len(described.classes) >= 2
        assert not any(mark < " " for name in described.classes for mark in name)
        if not model.networks:
            return None
        with np.errstate(over="ignore"):
            images = np.zeros((2, described.height, described.width), np.uint8)
            return model.probabilities(images)


@INPUTS
@given(described=altered(DESCRIBED, most=2) | st.just(DESCRIBED), tensors=altered_tensors(TENSORS))
def test_any_altered_model_is_used_rightly_or_told(folder, described, tensors):
    path = folder / export.FILE
    try:
        weights.write_described(path, tensors, described)
    except (ValueError, TypeError):
        return
    found = used(path)
    if found is not None and np.isfinite(found).all():
        assert np.allclose(found.sum(axis=1), 1, atol=1e-4)


@INPUTS
@given(data=st.data())
def test_any_damaged_model_is_told(folder, data):
    path = folder / export.FILE
    weights.write_described(path, TENSORS, DESCRIBED)
    whole = path.read_bytes()
    content = data.draw(damaged(whole))
    path.write_bytes(content)
    if used(path) is not None:
        # Padding of the header alone says nothing.
        assert json.loads(content[8:].split(b"}}", 1)[0].decode() + "}}")
        assert len(content) == len(whole)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": ["a", "b\x1b[31m", "c"]}, "description classes.1"),
        ({"classes": ["a", "b"]}, "no float32 tensor"),
        ({"seeds": [0, 3]}, "holds more than its networks"),
        ({"seeds": [0, 3, 4, 5]}, "seed_5.layers.0.weight is no float32 tensor"),
        ({"settings": COMPLETE | {"hidden": [9]}}, "no float32 tensor"),
        ({"settings": COMPLETE | {"activation": "swish"}}, "activation: unknown value 'swish'"),
        ({"border": "dark"}, "description border"),
    ],
)
def test_a_model_of_another_form_is_told(folder, change, message):
    path = folder / export.FILE
    weights.write_described(path, TENSORS, DESCRIBED | change)
    with pytest.raises(StudyError) as caught:
        export.read_model(path)
    assert message in told(caught.value, str(path))


def test_weights_that_are_no_numbers_are_told(folder):
    path = folder / export.FILE
    name = "seed_3.layers.1.bias"
    changed = TENSORS | {name: TENSORS[name] * np.float32(np.nan)}
    weights.write_described(path, changed, DESCRIBED)
    with pytest.raises(StudyError, match=f"{name} holds values that are no numbers"):
        export.read_model(path)


def test_a_model_is_read_as_it_was_written(folder):
    path = folder / export.FILE
    weights.write_described(path, TENSORS, DESCRIBED)
    expected = made_up_model("tanh").probabilities(random_images(2))
    assert np.allclose(export.read_model(path).probabilities(random_images(2)), expected)


# A study beside another.

HELD_OUT = {
    "data": {"validation": {"from": "train", "size": 100}},
    "seeds": 2,
    "baseline": {"epochs": 2},
    "experiments": {"dropout": {"vary": {"dropout": [0.0, 0.2]}}},
    "final": {"dropout": 0.1},
}


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    place = tmp_path_factory.mktemp("beside")
    write(make(HELD_OUT, lambda settings, epoch: 0.6), place)
    return place


def shown(folder):
    """Whether the study in a folder is shown beside another; else the fault was told."""
    with in_time():
        try:
            found = protocols.beside(
                replace(planned(), beside=str(folder)), DATASET.load(folder / "data")
            )
        except StudyError as error:
            told(error, str(folder))
            return False
    assert found
    assert np.isfinite(found.optimism[0])
    return True


@INPUTS
@given(data=st.data())
def test_any_altered_plan_beside_is_shown_or_told(beside, data):
    path = beside / "plan.json"
    whole = path.read_text(encoding="utf-8")
    plan = json.loads(whole)
    kept = {key: plan[key] for key in ("validation", "final", "seeds", "dataset")}
    try:
        changed = data.draw(altered(kept))
        path.write_bytes(json.dumps(changed).encode("utf-8", "surrogatepass"))
        shown(beside)
    finally:
        path.write_text(whole, encoding="utf-8")


@INPUTS
@given(data=st.data(), name=st.sampled_from(["plan.json", "metrics.parquet", "final.safetensors"]))
def test_any_damaged_file_beside_is_shown_or_told(beside, data, name):
    path = beside / name
    whole = path.read_bytes()
    try:
        path.write_bytes(data.draw(damaged(whole)))
        shown(beside)
    finally:
        path.write_bytes(whole)


def test_the_study_that_is_altered_is_shown(beside):
    assert shown(beside)


def test_an_evaluation_that_holds_no_probabilities_is_told(beside):
    path = beside / "final.safetensors"
    whole = path.read_bytes()
    read = evaluation.read_evaluation(path, DATASET.load(beside / "data"))
    wrong = evaluation.Evaluation(read.provenance, 2 * read.probabilities, read.labels)
    try:
        evaluation.write(path, wrong)
        with pytest.raises(StudyError, match="holds no probabilities"):
            evaluation.read_evaluation(path, DATASET.load(beside / "data"))
    finally:
        path.write_bytes(whole)
