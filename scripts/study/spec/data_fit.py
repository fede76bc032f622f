"""Whether a study and its data fit each other: by the description, then by the files."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from study.data.base import Classes, Data, Dataset
from study.spec.plan import Plan
from study.support.errors import StudyError

# Images looked at for whether their pixels reach beyond 1; all, only where these do not.
LOOKED_AT = 1000


def check_description(plan: Plan, dataset: Dataset) -> None:
    """Raise StudyError where the data set's description lacks what the study needs."""
    if isinstance(dataset.targets, Classes):
        for language in plan.languages:
            dataset.targets.in_language(language)


def check_files(plan: Plan, dataset: Dataset, folder: Path) -> list[str]:
    """Raise StudyError where the study cannot be of these files; else what is odd, a line each.

    The files are those that the data set has found to be right.
    """
    check_description(plan, dataset)
    data = dataset.load(folder)
    _refuse_untrained(data)
    _, height, width = data.inputs
    learned, held_out = len(data.train), 0
    if not isinstance(plan.validation, str):
        held_out = plan.validation["size"]
        if held_out >= learned:
            raise StudyError(
                f"data.validation.size: {held_out} of {learned} training images leave none to "
                "train on"
            )
    for run in plan.runs:
        shift = run.settings["shift"]
        if shift >= min(height, width):
            raise StudyError(
                f"shift: {shift} pixels move an image of {height} x {width} out of sight; at most "
                f"{min(height, width) - 1} are possible"
            )
    return [
        *data.notes,
        *_large_batches(plan, learned - held_out),
        *_odd_labels(data),
        *dark_pixels(data.train.x, "the training images"),
    ]


def _refuse_untrained(data: Data) -> None:
    """Networks learn classes of grey images so far."""
    is_grey = data.is_images and data.inputs[0] == 1 and data.train.x.dtype == np.uint8
    if is_grey and isinstance(data.targets, Classes):
        return
    shape = " x ".join(map(str, data.inputs))
    kind = "classes" if isinstance(data.targets, Classes) else "quantities"
    raise StudyError(
        f"data.dataset: {data.dataset.name} has {kind} of {data.train.x.dtype} examples {shape}; "
        "networks learn classes of grey 8-bit images so far"
    )


def dark_pixels(pixels: np.ndarray, which: str) -> Iterator[str]:
    """A line where no pixel exceeds 1: they were fractions, or are marks, and are read as black."""
    if pixels[:LOOKED_AT].max(initial=0) <= 1 and pixels.max(initial=0) <= 1:
        yield (
            f"no pixel of {which} is brighter than {pixels.max(initial=0)} of 255, which is black "
            "to the network; multiply fractions by 255 before they become whole numbers"
        )


def _large_batches(plan: Plan, learned: int) -> Iterator[str]:
    sizes = sorted({run.settings["batch_size"] for run in plan.runs})
    for size in sizes:
        if size > learned:
            yield f"batch_size: {size} is more than the {learned} training images: a batch is all"


def _odd_labels(data: Data) -> Iterator[str]:
    counts = np.bincount(data.train.y, minlength=len(data.targets))
    absent = [str(label) for label in np.flatnonzero(counts == 0)]
    if absent:
        word = "class" if len(absent) == 1 else "classes"
        yield f"no training image is of the {word} {', '.join(absent)} (counted from 0)"
