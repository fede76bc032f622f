"""The final model on the test images: which weights are taken, and what is made of the answers."""

import gzip
import json

import numpy as np
import pytest
from safetensors.numpy import save_file

import finished
from mnistlike import write_dataset
from study.data import datasets
from study.final import evaluation, weights
from study.final.evaluation import Evaluation, Provenance
from study.runs import completeness
from study.support.errors import StudyError
from study.support.files import write_text

# Three seeds, four images, two classes.
PROBABILITIES = np.array(
    [
        [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.6, 0.4]],
        [[0.8, 0.2], [0.9, 0.1], [0.4, 0.6], [0.6, 0.4]],
        [[0.7, 0.3], [0.4, 0.6], [0.6, 0.4], [0.9, 0.1]],
    ],
    np.float32,
)
LABELS = np.array([0, 0, 1, 1], np.uint8)


def made(seeds=(0, 1, 5), digest="c0ffee"):
    provenance = Provenance("run", 3, list(seeds), "Data", digest)
    return Evaluation(provenance, PROBABILITIES[: len(seeds)], LABELS)


def test_answers_by_hand():
    """Right: seed 0 two of four, seed 1 three, seed 2 one."""
    found = made()
    assert found.predicted.tolist() == [[0, 1, 1, 0], [0, 0, 1, 0], [0, 1, 0, 0]]
    assert found.correct.mean(axis=1).tolist() == [0.5, 0.75, 0.25]
    assert found.accuracy.mean == 0.5
    confidence = (0.9 + 0.6 + 0.8 + 0.6 + 0.8 + 0.9 + 0.6 + 0.6 + 0.7 + 0.6 + 0.6 + 0.9) / 12
    assert found.overconfidence.mean == pytest.approx(confidence - 0.5)
    assert found.confused() == [(0, 1, pytest.approx(2 / 3)), (1, 0, pytest.approx(4 / 3))][::-1]


def test_the_ensemble_by_hand():
    """Means for class 0: 0.8, 0.567, 0.4, 0.7: right but for the last image."""
    found = made()
    assert found.ensemble_correct.tolist() == [True, True, True, False]
    assert found.ensemble_accuracy[0] == 0.75
    gain, interval = found.ensemble_gain
    assert gain == pytest.approx(0.25)
    assert interval.low <= gain <= interval.high


def test_equal_networks_gain_nothing_together():
    alike = Evaluation(made().provenance, np.repeat(PROBABILITIES[:1], 3, axis=0), LABELS)
    assert alike.ensemble_gain[0] == 0.0
    assert alike.ensemble_calibration_error == pytest.approx(alike.calibration_error[0], abs=1e-6)
    assert np.isnan(alike.accuracy.over_seeds.half)


@pytest.fixture
def dataset(tmp_path):
    """Of as many test images as there are labels."""
    description = write_dataset(tmp_path / "packed", ["a", "b"], train=8, test=4, side=4)
    described = datasets.describe(description)
    folder = tmp_path / "data"
    folder.mkdir()
    for packed in (tmp_path / "packed").glob("*.gz"):
        (folder / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    return described, folder


def test_what_is_written_is_read_and_the_same_bytes(dataset, tmp_path):
    described, folder = dataset
    paths = [tmp_path / "one.safetensors", tmp_path / "two.safetensors"]
    for path in paths:
        evaluation.write(path, made(digest=described.digest))
    assert paths[0].read_bytes() == paths[1].read_bytes()
    found = evaluation.read_evaluation(paths[0], described.load(folder))
    assert found.provenance == made(digest=described.digest).provenance
    assert np.array_equal(found.probabilities, PROBABILITIES)
    assert found.probabilities.dtype == np.float32
    assert np.array_equal(found.labels, described.load(folder).test.y)


def test_without_seeds_there_is_nothing_and_no_failure(dataset, tmp_path):
    described, folder = dataset
    evaluation.write(tmp_path / "none.safetensors", made([], described.digest))
    found = evaluation.read_evaluation(tmp_path / "none.safetensors", described.load(folder))
    assert found.seeds == []
    assert found.probabilities.shape == (0, 4, 2)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_bytes(path.read_bytes()[:-5]), "is damaged"),
        (lambda path: save_file({"a": np.zeros(1)}, path), "is damaged"),
        (lambda path: evaluation.write(path, made()), "is about other images"),
    ],
)
def test_a_file_that_does_not_serve_is_named(dataset, tmp_path, damage, message):
    described, folder = dataset
    path = tmp_path / "final.safetensors"
    evaluation.write(path, made(digest=described.digest))
    damage(path)
    with pytest.raises(StudyError, match=f"final.safetensors: {message}"):
        evaluation.read_evaluation(path, described.load(folder))


def layer(value):
    return [(np.full((2, 3), value, np.float32), np.zeros(2, np.float32))]


@pytest.fixture
def run(tmp_path):
    """Seeds 0 and 1 have four epochs, seed 0 with those of epoch 2 kept; seed 2 diverged."""
    folder = tmp_path / "a-run"
    described = {
        "replicates": {
            "0": {"epochs": 4, "diverged": False},
            "1": {"epochs": 4, "diverged": False},
            "2": {"epochs": 3, "diverged": True},
        }
    }
    folder.mkdir()
    write_text(folder / "settings.json", json.dumps(completeness.sealed(described)))
    tensors = weights.tensors(layer(4), "seed_0") | weights.tensors(layer(2), "seed_0.epoch_2")
    save_file(tensors | weights.tensors(layer(14), "seed_1"), folder / "weights.safetensors")
    return folder


def values(networks):
    return {seed: float(layers[0][0][0, 0]) for seed, layers in networks.items()}


def test_the_weights_of_the_epoch_asked_for_are_taken(run):
    assert values(weights.of_run(run, [0, 1, 2], 4)) == {0: 4, 1: 14}
    assert values(weights.of_run(run, [0], 2)) == {0: 2}
    assert weights.of_run(run, [2], 4) == {}


@pytest.mark.parametrize(("seed", "epoch"), [(1, 2), (0, 3), (7, 4)])
def test_weights_of_another_epoch_never_stand_in(run, seed, epoch):
    with pytest.raises(StudyError, match=f"no weights of seed {seed} at epoch {epoch}"):
        weights.of_run(run, [seed], epoch)


def test_a_run_s_own_outputs_are_read(tmp_path):
    planned = finished.planned(final={"dropout": 0.1})
    folder = finished.finish(tmp_path, planned.runs[0])
    found = weights.of_run(folder, planned.seeds, planned.runs[0].epochs)
    assert list(found) == planned.seeds
    assert [weight.shape for weight, _ in found[0]] == [(128, 784), (64, 128), (10, 64)]


def test_an_altered_settings_file_is_named(run):
    (run / "settings.json").write_text("{}", encoding="utf-8")
    with pytest.raises(StudyError, match=r"settings\.json: is missing or damaged"):
        weights.of_run(run, [0], 4)
