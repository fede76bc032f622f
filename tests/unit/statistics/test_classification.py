"""The final model's classes, held against examples worked out by hand."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import balanced_accuracy_score, f1_score

from study.statistics.classification import (
    averages,
    confident_mistakes,
    confused_pairs,
    confusion,
    examples,
    per_class,
)

LABELS = np.array([0, 0, 0, 1, 1, 2], np.uint8)
PREDICTED = np.array([[0, 0, 1, 1, 1, 1], [0, 1, 1, 1, 1, 0]], np.uint8)


def test_confusion_is_the_mean_of_the_seeds():
    assert confusion(LABELS, PREDICTED, 3).tolist() == [[1.5, 1.5, 0], [0, 2, 0], [0.5, 0.5, 0]]


def test_confusion_has_classes_that_nobody_saw():
    assert confusion(LABELS, PREDICTED, 4).shape == (4, 4)


def test_the_most_frequent_confusions_come_first():
    counts = np.array([[9, 2.5, 0], [4, 9, 0], [1, 2.5, 9]])
    assert confused_pairs(counts, 3) == [(1, 0, 4.0), (0, 1, 2.5), (2, 1, 2.5)]
    assert confused_pairs(np.diag([3, 3]), 3) == []


def test_examples_are_what_more_than_half_of_the_seeds_confuse():
    """Class 0 taken for 1: image 0 by both of two seeds, image 2 by one, image 3 is of class 1."""
    labels = np.array([0, 0, 0, 1])
    predicted = np.array([[1, 1, 1, 1], [1, 1, 0, 1]])
    probability = np.array([[0.6, 0.9, 0.9, 0.9], [0.8, 0.7, 0.4, 0.9]])
    found = examples(labels, predicted, probability, 0, 1, 9)
    assert found["image"].tolist() == [1, 0]
    assert found["seeds"].tolist() == [2, 2]
    assert found["confidence"].to_numpy() == pytest.approx([0.8, 0.7])
    assert examples(labels, predicted, probability, 0, 1, 1)["image"].tolist() == [1]
    assert examples(labels, predicted, probability, 1, 0, 9).empty


def test_scores_of_each_class():
    """Seed 0: precision 2/2, 2/4, 0/0; recall 2/3, 2/2, 0/1. Seed 1: 1/2, 2/4, 0/1; 1/3, 1, 0.

    Precision of class 2, 0/0 for one seed, is undefined: the other's is no mean of both.
    """
    scores = per_class(LABELS, PREDICTED, 3)
    assert scores["precision_mean"].to_numpy() == pytest.approx([0.75, 0.5, np.nan], nan_ok=True)
    assert scores["recall_mean"].tolist() == [0.5, 1, 0]
    assert scores["f1_mean"].to_numpy() == pytest.approx([(0.8 + 0.4) / 2, 2 / 3, 0])
    assert scores["precision_sd"].to_numpy()[:2] == pytest.approx([np.sqrt(0.125), 0])
    # 12.706 is the 97.5 % quantile of t with one degree of freedom.
    half = 12.7062 * np.sqrt(0.125) / np.sqrt(2)
    assert half > 0.75
    assert (scores["precision_low"][0], scores["precision_high"][0]) == (0, 1)
    assert scores["recall_low"].isna().tolist() == [False, True, True]


def test_a_class_that_never_occurs_has_no_scores():
    """Issue 18, entry 2: it was called the worst, with 0.00 %."""
    scores = per_class(LABELS, np.vstack([PREDICTED, [0, 0, 0, 1, 3, 2]]), 5)
    means = scores.filter(regex="_mean$")
    assert means.loc[3:].isna().all(axis=None)
    assert scores["f1_mean"].notna().tolist() == [True, True, True, False, False]
    assert scores["f1_mean"].idxmin() == 2


def test_one_seed_has_scores_without_intervals():
    scores = per_class(LABELS, PREDICTED[:1], 3)
    assert scores["recall_mean"].to_numpy() == pytest.approx([2 / 3, 1, 0])
    assert scores.filter(regex="_(sd|low|high)$").isna().all(axis=None)


@st.composite
def answered(draw):
    """Labels (N,) of a part of five classes, and what one to three seeds predict of all five."""
    n, seeds = draw(st.integers(1, 20)), draw(st.integers(1, 3))
    classes = draw(st.lists(st.integers(0, 4), min_size=1, unique=True))
    labels = draw(arrays(np.uint8, n, elements=st.sampled_from(classes)))
    return labels, draw(arrays(np.int64, (seeds, n), elements=st.integers(0, 4)))


@given(answered())
def test_averages_are_those_of_scikit_learn(data):
    """Classes without a label, only one of them, and one seed are among what is drawn."""
    labels, predicted = data
    found = averages(labels, predicted)
    with warnings.catch_warnings():
        # Of predicted classes that are not in the labels.
        warnings.simplefilter("ignore", UserWarning)
        balanced = [balanced_accuracy_score(labels, seed) for seed in predicted]
    macro_f1 = [
        f1_score(labels, seed, labels=np.unique(labels), average="macro") for seed in predicted
    ]
    for estimate, by_seed in zip(found, (balanced, macro_f1), strict=True):
        assert estimate.n == len(predicted)
        assert estimate.mean == pytest.approx(np.mean(by_seed))
        if len(predicted) == 1:
            assert np.isnan([estimate.sd, estimate.low, estimate.high]).all()
        else:
            assert estimate.sd == pytest.approx(np.std(by_seed, ddof=1))


def test_averages_where_all_classes_occur_are_scikit_learns_own():
    """Recall 2/3, 1, 0 and 1/3, 1, 0; F1 4/5, 2/3, 0 and 2/5, 2/3, 0."""
    balanced_accuracy, macro_f1 = averages(LABELS, PREDICTED)
    assert balanced_accuracy.mean == pytest.approx((5 / 9 + 4 / 9) / 2)
    assert macro_f1.mean == pytest.approx((22 / 45 + 16 / 45) / 2)
    by_seed = [f1_score(LABELS, seed, average="macro") for seed in PREDICTED]
    assert macro_f1.mean == pytest.approx(np.mean(by_seed))
    assert macro_f1.low < macro_f1.mean < macro_f1.high


def test_a_class_that_only_predictions_have_is_no_part_of_averages():
    balanced_accuracy, macro_f1 = averages(np.array([0, 0, 0, 0]), np.array([[0, 0, 0, 1]]))
    assert balanced_accuracy.mean == 0.75
    assert macro_f1.mean == pytest.approx(6 / 7)


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
