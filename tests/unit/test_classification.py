"""The final model's classes, held against examples worked out by hand."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from study.classification import confident_mistakes, confusion, load_predictions, per_class
from study.errors import StudyError

LABELS = np.array([0, 0, 0, 1, 1, 2], np.uint8)
PREDICTED = np.array([[0, 0, 1, 1, 1, 1], [0, 1, 1, 1, 1, 0]], np.uint8)


@pytest.fixture
def predictions(tmp_path):
    """Two seeds, the second kept at two epochs."""
    path = tmp_path / "predictions.safetensors"
    tensors = {}
    for seed, epochs in ((0, [3]), (4, [2, 3])):
        shape = (len(epochs), 6)
        tensors[f"seed_{seed}.epochs"] = np.array(epochs, np.int64)
        tensors[f"seed_{seed}.predicted"] = np.full(shape, seed, np.uint8)
        tensors[f"seed_{seed}.confidence"] = np.full(shape, 0.5, np.float32)
    tensors["seed_4.predicted"][1] = 7
    save_file(tensors, path)
    return path


def test_the_asked_epoch_of_each_seed_is_loaded(predictions):
    seeds, predicted, confidence = load_predictions(predictions, [0, 4], 3)
    assert seeds == [0, 4]
    assert predicted.tolist() == [[0] * 6, [7] * 6]
    assert confidence.dtype == np.float32
    assert confidence.shape == (2, 6)


def test_without_seeds_there_are_no_predictions(tmp_path):
    """When every replicate has diverged, there may be no file at all."""
    seeds, predicted, confidence = load_predictions(tmp_path / "none.safetensors", [], 3)
    assert seeds == []
    assert len(predicted) == len(confidence) == 0


@pytest.mark.parametrize(("seeds", "epoch", "told"), [([0, 1], 3, "seed 1"), ([0], 2, "epoch 2")])
def test_what_is_missing_is_named(predictions, seeds, epoch, told):
    with pytest.raises(StudyError, match=f"predictions.safetensors.*{told}"):
        load_predictions(predictions, seeds, epoch)


def test_a_damaged_file_is_named(predictions):
    predictions.write_bytes(predictions.read_bytes()[:-5])
    with pytest.raises(StudyError, match="predictions.safetensors: is damaged"):
        load_predictions(predictions, [0], 3)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(StudyError, match="none.safetensors: is missing"):
        load_predictions(tmp_path / "none.safetensors", [0], 3)


def test_confusion_is_the_mean_of_the_seeds():
    assert confusion(LABELS, PREDICTED, 3).tolist() == [[1.5, 1.5, 0], [0, 2, 0], [0.5, 0.5, 0]]


def test_confusion_has_classes_that_nobody_saw():
    assert confusion(LABELS, PREDICTED, 4).shape == (4, 4)


def test_scores_of_each_class():
    """Seed 0: precision 2/2, 2/4, 0/0; recall 2/3, 2/2, 0/1. Seed 1: 1/2, 2/4, 0/0; 1/3, 1, 0."""
    scores = per_class(LABELS, PREDICTED, 3)
    assert scores["precision_mean"].tolist() == [0.75, 0.5, 0]
    assert scores["recall_mean"].tolist() == [0.5, 1, 0]
    assert scores["f1_mean"].to_numpy() == pytest.approx([(0.8 + 0.4) / 2, 2 / 3, 0])
    assert scores["precision_sd"].to_numpy() == pytest.approx([np.sqrt(0.125), 0, 0])
    # 12.706 is the 97.5 % quantile of t with one degree of freedom.
    half = 12.7062 * np.sqrt(0.125) / np.sqrt(2)
    assert scores["precision_low"][0] == pytest.approx(0.75 - half, abs=1e-4)
    assert scores["precision_high"][0] == pytest.approx(0.75 + half, abs=1e-4)


def test_one_seed_has_scores_without_intervals():
    scores = per_class(LABELS, PREDICTED[:1], 3)
    assert scores["recall_mean"].to_numpy() == pytest.approx([2 / 3, 1, 0])
    assert scores.filter(regex="_(sd|low|high)$").isna().all(axis=None)


def test_mistakes_are_those_of_more_than_half_of_the_seeds():
    labels = np.array([0, 0, 0, 0])
    predicted = np.array([[1, 1, 1, 0], [1, 1, 2, 0], [1, 0, 3, 2]])
    confidence = np.array([[0.6, 0.9, 1, 1], [0.7, 0.8, 1, 1], [0.5, 1, 1, 1]])
    mistakes = confident_mistakes(labels, predicted, confidence, 9)
    assert mistakes["image"].tolist() == [1, 0]
    assert mistakes["predicted"].tolist() == [1, 1]
    assert mistakes["seeds"].tolist() == [2, 3]
    assert mistakes["confidence"].to_numpy() == pytest.approx([0.85, 0.6])


def test_half_of_the_seeds_are_not_enough():
    mistakes = confident_mistakes(np.array([0]), np.array([[0], [1]]), np.ones((2, 1)), 9)
    assert mistakes.empty


def test_equally_sure_mistakes_come_by_index():
    labels = np.zeros(5, int)
    mistakes = confident_mistakes(labels, np.ones((1, 5), int), np.full((1, 5), 0.9), 3)
    assert mistakes["image"].tolist() == [0, 1, 2]
