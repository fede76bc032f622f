"""From arrays of any numbers to what networks take."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from study.data import preparing
from study.data.base import Examples, Quantities
from study.data.decoded import ARRAYS, TEST, Content
from study.support.errors import StudyError


def content(arrays: Mapping[str, Any], options: Mapping[str, Any], place: str) -> Content:
    """What the arrays hold; the two of the test part may be left out together."""
    wanted = ARRAYS if {"x_test", "y_test"} & arrays.keys() else ARRAYS[:2]
    missing = [name for name in wanted if arrays.get(name) is None]
    if missing:
        raise StudyError(f"{place}: has no {' and no '.join(missing)}")
    notes: list[str] = []
    x = {name: _examples(arrays[name], f"{place}: {name}", notes) for name in wanted[::2]}
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
        train, test = preparing.parts(labels, TEST | options.get("test", {}), is_classes, place)
    learned, tested = (Examples(both[chosen], labels[chosen]) for chosen in (train, test))
    if labels.ndim == 1:
        least = np.concatenate(list(y.values())).min() if labels.ndim == 1 else 0
        if np.issubdtype(np.asarray(least).dtype, np.integer) and least != 0:
            notes.append(f"labels begin at {least}: they are the classes' names")
    notes += preparing.oddities(learned, tested, targets)
    return Content(learned, tested, targets, {}, notes)


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


def _examples(given: Any, place: str, notes: list[str]) -> np.ndarray:
    """Examples as networks take them: pixels as uint8, other numbers as float32."""
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
    if array.dtype == bool:
        return array.astype(np.uint8) * 255
    if array.dtype == np.uint8:
        return array
    if array.ndim == 4 and array.dtype.kind == "u":
        notes.append(f"{place}: pixels of {8 * array.itemsize} bits become -1 to 1")
        return (array * (2 / np.iinfo(array.dtype).max) - 1).astype(np.float32)
    if array.ndim == 4 and array.min() >= 0:
        low, high = array.min(), array.max()
        if high <= 1 or high > 255:
            notes.append(f"{place}: pixels from {low:g} to {high:g} become -1 to 1")
            return (array * (2 / high if high else 1) - 1).astype(np.float32)
        return (array / 127.5 - 1).astype(np.float32)
    return array.astype(np.float32)
