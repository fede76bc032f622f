"""From arrays of any numbers to what networks take."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from study.data import preparing
from study.data.base import Examples, Quantities
from study.data.decoded import ARRAYS, TEST, Content
from study.data.scaling import AS_STORED, PIXELS, Scaling
from study.support.errors import StudyError


def content(arrays: Mapping[str, Any], options: Mapping[str, Any], place: str) -> Content:
    """What the arrays hold; the two of the test part may be left out together."""
    wanted = ARRAYS if {"x_test", "y_test"} & arrays.keys() else ARRAYS[:2]
    missing = [name for name in wanted if arrays.get(name) is None]
    if missing:
        raise StudyError(f"{place}: has no {' and no '.join(missing)}")
    notes: list[str] = []
    x = {name: numbers(arrays[name], f"{place}: {name}") for name in wanted[::2]}
    scaling = fit(x[wanted[0]])
    if note := _told(x[wanted[0]], scaling):
        notes.append(f"{place}: {note}")
    x = {name: transform(each, scaling) for name, each in x.items()}
    fitted: dict[str, Any] = {} if scaling == AS_STORED else {"scaling": list(scaling)}
    y = {name: np.asarray(arrays[name]) for name in wanted[1::2]}
    for (x_name, examples), (y_name, own) in zip(x.items(), y.items(), strict=True):
        if len(own) != len(examples):
            text = f"has {len(own)} targets for {len(examples)} examples of {x_name}"
            raise StudyError(f"{place}: {y_name}: {text}")
    if len({(each.shape[1:], each.dtype) for each in x.values()}) > 1:
        raise StudyError(f"{place}: x_train and x_test differ in shape or type")
    labels, targets = _targets(np.concatenate(list(y.values())), options.get("task"), place)
    both = np.concatenate(list(x.values()))
    if "x_test" in x:
        if "test" in options:
            raise StudyError(f"data.test: {place} brings its own test part")
        count = len(x["x_train"])
        train, test = np.arange(count), np.arange(count, len(both))
    else:
        is_classes = labels.ndim == 1
        fitted["test"] = TEST | options.get("test", {})
        train, test = preparing.parts(labels, fitted["test"], is_classes, place)
    learned, tested = (Examples(both[chosen], labels[chosen]) for chosen in (train, test))
    given = np.concatenate(list(y.values()))
    if labels.ndim == 1 and np.issubdtype(given.dtype, np.integer):
        least = given.min()
        if least != 0:
            notes.append(f"labels begin at {least}: they are the classes' names")
    notes += preparing.oddities(learned, tested, targets)
    return Content(learned, tested, targets, fitted, notes)


def plain_task(values: np.ndarray, place: str) -> str:
    """The task of targets (n,) or (n, targets) by their values."""
    if values.ndim == 2 and values.shape[1] > 1:
        return "regression"
    if values.ndim not in (1, 2):
        return "classification"
    column = pd.Series(values.reshape(len(values)))
    is_classes = preparing.is_classes(column, None, f"{place}: y_train")
    return "classification" if is_classes else "regression"


def _targets(values: np.ndarray, task: str | None, place: str) -> tuple[np.ndarray, Any]:
    if values.ndim == 2 and values.shape[1] > 1:
        if task == "classification" or not np.issubdtype(values.dtype, np.number):
            raise StudyError(f"{place}: y_train: one label for each example, not {values.shape}")
        found = [
            preparing.targets(pd.Series(column, name=f"target {i}"), "regression", place)
            for i, column in enumerate(values.T, start=1)
        ]
        names = [name for _, each in found for name in each.names]
        quantities = Quantities(names, [""] * len(names))
        return np.concatenate([numbers for numbers, _ in found], axis=1), quantities
    values = values.reshape(len(values)) if values.ndim == 2 else values
    if values.ndim != 1 or values.dtype.kind not in "biufUS":
        raise StudyError(
            f"{place}: y_train: one number or text for each example, not {values.dtype} "
            f"{values.shape}"
        )
    values = values.astype(str) if values.dtype.kind == "S" else values
    return preparing.targets(pd.Series(values, name="target"), task, f"{place}: y_train")


def numbers(given: Any, place: str) -> np.ndarray:
    """Examples (n, ...) of finite numbers; images as (n, channels, height, width)."""
    array = np.asarray(given)
    if array.ndim < 2 or 0 in array.shape:
        raise StudyError(f"{place}: (examples, numbers) or images are needed, not {array.shape}")
    if array.dtype.kind not in "biuf":
        raise StudyError(f"{place}: holds {array.dtype}, where numbers are needed")
    if not np.isfinite(array).all():
        count = int((~np.isfinite(array)).sum())
        raise StudyError(f"{place}: {count} numbers are missing or not finite; fill them in")
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4 and array.shape[3] in (1, 3) and array.shape[1] not in (1, 3):
        array = np.moveaxis(array, 3, 1)
    return array.astype(np.uint8) * 255 if array.dtype == bool else array


def fit(train: np.ndarray) -> Scaling:
    """How numbers are stored, by those of the training part: pixels become -1 to 1.

    Pixels of 8 bits are stored as they are, and other numbers too.
    """
    if train.ndim != 4 or train.dtype == np.uint8:
        return AS_STORED
    if train.dtype.kind == "u":
        return 2 / float(np.iinfo(train.dtype).max), 1.0
    if train.min() < 0:
        return AS_STORED
    high = float(train.max())
    return (PIXELS[0] if 1 < high <= 255 else 2 / (high or 1.0)), 1.0


def transform(array: np.ndarray, scaling: Scaling) -> np.ndarray:
    """Numbers as they are stored: uint8 where they are, else float32."""
    if scaling == AS_STORED:
        return array if array.dtype == np.uint8 else array.astype(np.float32)
    scale, offset = scaling
    return (array * scale - offset).astype(np.float32)


def _told(train: np.ndarray, scaling: Scaling) -> str:
    """What is made of pixels that are not of 8 bits."""
    if scaling in (AS_STORED, PIXELS):
        return ""
    if train.dtype.kind == "u":
        return f"pixels of {8 * train.itemsize} bits become -1 to 1"
    return f"pixels from {train.min():g} to {train.max():g} become -1 to 1"
