"""From what a form has read to what is kept: test part, classes, quantities, and what is odd."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from study.data.base import Classes, Examples, Quantities, Targets
from study.support.errors import StudyError

# Whole numbers are classes up to so many different ones, and quantities from so many on.
MOST_CLASSES, FEWEST_QUANTITIES = 20, 100

# Beyond this, networks learn badly from numbers that are used as they are.
LARGE = 100


def parts(
    labels: np.ndarray, test: Mapping[str, Any], is_classes: bool, place: str
) -> tuple[np.ndarray, np.ndarray]:
    """The indices of the training and of the test part of examples that come in one part.

    `test` has `size`, a share or a number, and `seed`; classes keep their shares in both.
    """
    # It takes a second to import, when data are fetched alone.
    from sklearn.model_selection import train_test_split

    try:
        train, tested = train_test_split(
            np.arange(len(labels)),
            test_size=test["size"],
            random_state=test["seed"],
            stratify=labels if is_classes else None,
        )
    except ValueError as error:
        raise StudyError(f"{place}: data.test: cannot be split ({error})") from None
    return np.sort(train), np.sort(tested)


def is_classes(values: pd.Series, task: str | None, place: str) -> bool:
    """Whether targets are classes: as `task` says, or as they plainly are."""
    if task:
        return task == "classification"
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return True
    if (values != values.round()).any():
        return False
    different: int = values.nunique()
    if MOST_CLASSES < different < FEWEST_QUANTITIES:
        raise StudyError(
            f"{place}: {different} different whole numbers may be classes or quantities; say "
            "`task: classification` or `task: regression` under `data`"
        )
    return different <= MOST_CLASSES


def targets(
    values: pd.Series, task: str | None, place: str, names: Sequence[str] | None = None
) -> tuple[np.ndarray, Targets]:
    """Targets as they are learned: labels (n,) int64, or float32 (n, 1)."""
    if values.isna().any():
        raise StudyError(
            f"{place}: {int(values.isna().sum())} examples have no target; remove them"
        )
    if values.nunique() < 2:
        raise StudyError(f"{place}: has the one value {values.iloc[0]!s:.40}; nothing to learn")
    if is_classes(values, task, place):
        labels, found = pd.factorize(values, sort=True)
        return labels.astype(np.int64), Classes(list(names or map(_text, found)), place)
    try:
        numbers = values.astype(np.float32).to_numpy()
    except (TypeError, ValueError):
        raise StudyError(f"{place}: holds no numbers, which regression needs") from None
    if not np.isfinite(numbers).all():
        raise StudyError(f"{place}: holds numbers that are not finite")
    return numbers[:, None], Quantities([str(values.name)], [""])


def _text(value: Any) -> str:
    is_whole = isinstance(value, float | np.floating) and value == int(value)
    return str(int(value) if is_whole else value)


def oddities(
    train: Examples, test: Examples, targets_: Targets, columns: Sequence[str] = ()
) -> list[str]:
    """What a person should know of the examples, a line each."""
    notes = []
    learned = {hashlib.sha256(row.tobytes()).digest() for row in np.ascontiguousarray(train.x)}
    tested = [hashlib.sha256(row.tobytes()).digest() for row in np.ascontiguousarray(test.x)]
    shared = sum(row in learned for row in tested)
    if shared:
        notes.append(f"{shared} of {len(test)} test examples are among the training examples too")
    if isinstance(targets_, Classes):
        for part, name in ((train, "training"), (test, "test")):
            counts = np.bincount(part.y, minlength=len(targets_))
            names = targets_.names if isinstance(targets_.names, list) else range(len(counts))
            absent = [str(names[label]) for label in np.flatnonzero(counts == 0)]
            if absent:
                notes.append(f"no {name} example is of class {_listed(absent)}")
    if train.x.ndim == 2:
        constant = np.flatnonzero((train.x == train.x[:1]).all(axis=0)).tolist()
        if constant:
            names = [columns[i] if columns else f"column {i}" for i in constant]
            notes.append(f"the same in all training examples: {_listed(names)}")
    if train.x.dtype == np.float32 and (largest := float(np.abs(train.x).max())) > LARGE:
        notes.append(
            f"numbers reach {largest:.4g}; networks learn best from numbers between about -3 and 3"
        )
    return notes


def _listed(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
