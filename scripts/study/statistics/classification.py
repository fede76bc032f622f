"""What the final model makes of each class, and where it is most sure and wrong."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from study.statistics.estimates import Estimate, estimate
from study.statistics.intervals import SHARE, t_interval

SCORES = ("precision", "recall", "f1")


class Averages(NamedTuple):
    """Means over the classes, in which a rare class counts as much as a frequent one."""

    balanced_accuracy: Estimate
    macro_f1: Estimate


def confusion(labels: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """How many images of each class (row) are taken for each class (column).

    `labels` is (N,) and `predicted` (S, N), S >= 1; the counts, float (n_classes, n_classes), are
    means over the S seeds.
    """
    pairs = n_classes * labels.astype(np.intp) + predicted
    counts = [np.bincount(seed, minlength=n_classes**2) for seed in pairs]
    return np.mean(counts, axis=0).reshape(n_classes, n_classes)


def confused_pairs(confusion: np.ndarray, count: int) -> list[tuple[int, int, float]]:
    """Class, what it is taken for, and how many images: at most `count`, the most frequent first.

    `confusion` is that of the function of this name; pairs that never occur are left out.
    """
    pairs = [
        (label, taken, float(images))
        for (label, taken), images in np.ndenumerate(confusion)
        if label != taken and images > 0
    ]
    return sorted(pairs, key=lambda pair: -pair[2])[:count]


def examples(
    labels: np.ndarray,
    predicted: np.ndarray,
    probability: np.ndarray,
    label: int,
    taken: int,
    count: int,
) -> pd.DataFrame:
    """At most `count` images of class `label` that more than half of the seeds take for `taken`.

    `labels` is (N,), `predicted` (S, N) and `probability`, which each seed gives to `taken`,
    (S, N), S >= 1. Columns: `image` (index), `seeds` (how many take it so), `confidence` (the mean
    probability over all seeds); the highest first, and of equals the lower index.
    """
    votes = (predicted == taken).sum(axis=0)
    images = np.flatnonzero((labels == label) & (2 * votes > len(predicted)))
    found = pd.DataFrame(
        {
            "image": images,
            "seeds": votes[images],
            "confidence": probability[:, images].mean(axis=0),
        }
    )
    best_first = found.sort_values(["confidence", "image"], ascending=[False, True])
    return best_first.head(count).reset_index(drop=True)


def per_class(labels: np.ndarray, predicted: np.ndarray, n_classes: int) -> pd.DataFrame:
    """Precision, recall and F1 of each class: `<score>_mean`, `_sd`, `_low`, `_high`, over seeds.

    `labels` is (N,) and `predicted` (S, N), S >= 1; there is a row for each class. `_sd` divides
    by S - 1 and `_low` to `_high` is the 95 % t interval; all three are NaN with one seed. A score
    is NaN where any seed leaves it undefined: every score of a class without an image in `labels`,
    and the precision of one that is never predicted. The mean of the other seeds would be that of
    those which did better.
    """
    # scikit-learn takes two seconds to import, which a page need not wait for.
    from sklearn.metrics import precision_recall_fscore_support

    classes = np.arange(n_classes)
    scores = np.array(
        [
            precision_recall_fscore_support(labels, seed, labels=classes, zero_division=np.nan)[:3]
            for seed in predicted
        ]
    )
    scores[:, :, ~np.isin(classes, labels)] = np.nan
    found = t_interval(scores, SHARE)
    columns = {
        f"{score}_{name}": part[i]
        for i, score in enumerate(SCORES)
        for name, part in found._asdict().items()
    }
    return pd.DataFrame(columns, index=pd.Index(classes, name="class"))


def averages(labels: np.ndarray, predicted: np.ndarray) -> Averages:
    """Balanced accuracy and macro F1: the means of the classes' recall and of their F1.

    `labels` is (N,), N >= 1, and `predicted` (S, N), S >= 1; the estimates are over the S seeds.
    The classes are those with an image in `labels`. scikit-learn's balanced accuracy has the same
    ones; its macro F1 would count one that is only predicted too, with an F1 of 0. Sources:
    Brodersen and others: The Balanced Accuracy and Its Posterior Distribution, ICPR 2010; Opitz and
    Burst: Macro F1 and Macro F1, arXiv 1911.03347, whose "averaged F1" this one is.
    """
    from sklearn.metrics import precision_recall_fscore_support

    classes = np.unique(labels)
    by_seed = [
        precision_recall_fscore_support(
            labels, seed, labels=classes, average="macro", zero_division=np.nan
        )
        for seed in predicted
    ]
    _, recall, f1, _ = zip(*by_seed, strict=True)
    return Averages(estimate(np.array(recall)), estimate(np.array(f1)))


def confident_mistakes(
    labels: np.ndarray, predicted: np.ndarray, confidence: np.ndarray, count: int
) -> pd.DataFrame:
    """The images that the model is most sure about, and wrong: at most `count` of them.

    A mistake of the model, rather than of one lucky or unlucky seed, is one that more than half
    of the seeds make: they take the image for the same wrong class. Its confidence is the mean of
    the probabilities with which these seeds do so. Shapes are (N,), (S, N) and (S, N),
    S >= 1.

    Columns: `image` (index), `label`, `predicted`, `seeds` (how many make the mistake),
    `confidence`; the highest confidence first, and of equals the lower index.
    """
    n_seeds = len(predicted)
    # If any class is predicted by more than half, it is in the middle of the sorted predictions.
    common = np.sort(predicted, axis=0)[n_seeds // 2]
    agree = predicted == common
    votes = agree.sum(axis=0)
    images = np.flatnonzero((2 * votes > n_seeds) & (common != labels))
    sure = np.where(agree, confidence, 0.0).sum(axis=0)[images] / votes[images]
    mistakes = pd.DataFrame(
        {
            "image": images,
            "label": labels[images],
            "predicted": common[images],
            "seeds": votes[images],
            "confidence": sure,
        }
    )
    best_first = mistakes.sort_values(["confidence", "image"], ascending=[False, True])
    return best_first.head(count).reset_index(drop=True)
