"""What the final model makes of each class, and where it is most sure and wrong."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors import SafetensorError
from safetensors.numpy import safe_open
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from study.errors import StudyError
from study.intervals import t_interval

SCORES = ("precision", "recall", "f1")
REMEDY = "run the workflow again to train the final model"


def load_predictions(
    path: str | Path, seeds: Sequence[int], epoch: int
) -> tuple[list[int], np.ndarray, np.ndarray]:
    """The predictions after `epoch` epochs, of those `seeds` that did not diverge.

    Gives the seeds, the predicted classes, uint8 (S, N), and the probability that each was
    predicted with, float32 (S, N). Without seeds these are empty, (0, 0), and the file is not
    read. Raises StudyError where the file is missing or damaged, or lacks a seed or the epoch.
    """
    path = Path(path)
    predicted, confidence = [], []
    if not seeds:
        return [], np.empty((0, 0), np.uint8), np.empty((0, 0), np.float32)
    try:
        with safe_open(path, framework="numpy") as file:
            names = set(file.keys())
            for seed in seeds:
                if f"seed_{seed}.epochs" not in names:
                    raise StudyError(f"{path}: has no predictions of seed {seed}; {REMEDY}")
                place = np.flatnonzero(file.get_tensor(f"seed_{seed}.epochs") == epoch)
                if not len(place):
                    raise StudyError(
                        f"{path}: has no predictions of seed {seed} at epoch {epoch}; {REMEDY}"
                    )
                predicted.append(file.get_tensor(f"seed_{seed}.predicted")[place[0]])
                confidence.append(file.get_tensor(f"seed_{seed}.confidence")[place[0]])
        return list(seeds), np.stack(predicted), np.stack(confidence)
    except FileNotFoundError:
        raise StudyError(f"{path}: is missing; {REMEDY}") from None
    except (SafetensorError, IndexError, ValueError) as error:
        raise StudyError(f"{path}: is damaged ({error}); remove it and {REMEDY}") from None


def confusion(labels: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """How many images of each class (row) are taken for each class (column).

    `labels` is (N,) and `predicted` (S, N), S >= 1; the counts, float (n_classes, n_classes), are
    means over the S seeds.
    """
    classes = np.arange(n_classes)
    return np.mean([confusion_matrix(labels, seed, labels=classes) for seed in predicted], axis=0)


def per_class(labels: np.ndarray, predicted: np.ndarray, n_classes: int) -> pd.DataFrame:
    """Precision, recall and F1 of each class: `<score>_mean`, `_sd`, `_low`, `_high`, over seeds.

    `labels` is (N,) and `predicted` (S, N), S >= 1; there is a row for each class. `_sd` divides
    by S - 1 and `_low` to `_high` is the 95 % t interval; all three are NaN with one seed. A score
    with nothing to divide by, such as the precision of a class never predicted, counts as 0.
    """
    classes = np.arange(n_classes)
    scores = np.array(
        [
            precision_recall_fscore_support(labels, seed, labels=classes, zero_division=0)[:3]
            for seed in predicted
        ]
    )
    mean, deviation, half = t_interval(scores)
    columns = {}
    for i, score in enumerate(SCORES):
        columns[f"{score}_mean"] = mean[i]
        columns[f"{score}_sd"] = deviation[i]
        columns[f"{score}_low"] = mean[i] - half[i]
        columns[f"{score}_high"] = mean[i] + half[i]
    return pd.DataFrame(columns, index=pd.Index(classes, name="class"))


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
