"""Whether a study and its data fit each other: by the description, then by the files."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from study.data.base import Classes, Data, Dataset
from study.data.decoded import Decoded
from study.spec import claims
from study.spec.plan import Plan
from study.spec.settings import Settings
from study.spec.tasks import REGRESSION, TASKS, Task
from study.support.errors import StudyError

# Dimensions of an image: channels, height and width.
IMAGE = 3

# Images looked at for whether their pixels reach beyond 1; all, only where these do not.
LOOKED_AT = 1000


def check_description(plan: Plan, dataset: Dataset) -> None:
    """Raise StudyError where the data set's description lacks what the study needs."""
    if isinstance(dataset.targets, Classes):
        for language in plan.languages:
            dataset.targets.in_language(language)
    task = TASKS[dataset.task]
    metric = plan.early_stopping["metric"]
    known = ["validation_loss", *(f"validation_{each}" for each in task.metrics)]
    if metric not in known:
        raise StudyError(
            f"report.early_stopping.metric: {metric} is none of {task.name}; it has "
            f"{', '.join(known)}"
        )
    if task is REGRESSION:
        _refuse_of_classes(plan)
    _refuse_unmeasured(plan, task)


def check_files(plan: Plan, dataset: Dataset, folder: Path) -> list[str]:
    """Raise StudyError where the study cannot be of these files; else what is odd, a line each.

    The files are those that the data set has found to be right.
    """
    check_description(plan, dataset)
    data = dataset.load(folder)
    if data.task != dataset.task:
        raise StudyError(f"data.task: {dataset.name} is for {data.task}; say `task: {data.task}`")
    _refuse_no_images(data)
    learned, held_out = len(data.train), 0
    if not isinstance(plan.validation, str):
        held_out = plan.validation["size"]
        if held_out >= learned:
            raise StudyError(
                f"data.validation.size: {held_out} of {learned} training {dataset.plural} leave "
                "none to train on"
            )
    for run in plan.runs:
        _refuse_unseen(run.settings, data)
    return [
        *data.notes,
        *_large_batches(plan, learned - held_out, dataset.plural),
        *_odd_labels(data),
        *_odd_pixels(data),
    ]


def _refuse_of_classes(plan: Plan) -> None:
    """Raise StudyError where a study of quantities asks for what only classes have."""
    if any(run.settings["label_smoothing"] for run in plan.runs):
        raise StudyError(
            "label_smoothing: spreads a class over all others, which regression has none of; "
            "leave it out"
        )
    if any(run.settings["class_weights"] != "none" for run in plan.runs):
        raise StudyError(
            "class_weights: has classes count the same, which regression has none of; leave it out"
        )
    if plan.beside:
        raise StudyError("report.beside: compares accuracies, which regression has none of")


def _refuse_unmeasured(plan: Plan, task: Task) -> None:
    """Raise StudyError for a claim about what is not measured of the task."""
    for claim, measure in claims.measured(plan):
        if measure not in task.columns:
            raise StudyError(
                f"claims: {claim}: {measure} is none of {task.name}; say `measure: "
                f"validation_{task.score}` or another of {', '.join(task.columns)}"
            )


def _refuse_no_images(data: Data) -> None:
    """Raise StudyError where examples are to be shown as images that are none."""
    if data.dataset.is_images and len(data.inputs) != IMAGE:
        shape = " x ".join(map(str, data.inputs))
        raise StudyError(
            f"data.dataset: the examples of {data.dataset.name} are no images, as the config says, "
            f"but {shape}"
        )


def _refuse_unseen(settings: Settings, data: Data) -> None:
    """Raise StudyError for a shift or mirroring that examples do not have, or that hides them."""
    shift = settings["shift"]
    moves = {"shift": shift, "flip": settings["flip"]}
    used = [name for name, value in moves.items() if value]
    if used and len(data.inputs) != IMAGE:
        raise StudyError(
            f"{used[0]}: moves images, which the examples of {data.dataset.name} are not; leave it "
            "out"
        )
    *_, height, width = data.inputs if used else (math.inf, math.inf)
    if shift >= min(height, width):
        raise StudyError(
            f"shift: {shift} pixels move an image of {height} x {width} out of sight; at most "
            f"{min(height, width) - 1} are possible"
        )


def _odd_pixels(data: Data) -> Iterator[str]:
    if data.dataset.is_images and data.train.x.dtype == np.uint8:
        yield from dark_pixels(data.train.x, "the training images")


def dark_pixels(pixels: np.ndarray, which: str) -> Iterator[str]:
    """A line where no pixel exceeds 1: they were fractions, or are marks, and are read as black."""
    if pixels[:LOOKED_AT].max(initial=0) <= 1 and pixels.max(initial=0) <= 1:
        yield (
            f"no pixel of {which} is brighter than {pixels.max(initial=0)} of 255, which is black "
            "to the network; multiply fractions by 255 before they become whole numbers"
        )


def _large_batches(plan: Plan, learned: int, examples: str) -> Iterator[str]:
    sizes = sorted({run.settings["batch_size"] for run in plan.runs})
    for size in sizes:
        if size > learned:
            told = f"is more than the {learned} training {examples}"
            yield f"batch_size: {size} {told}: a batch is all"


def _odd_labels(data: Data) -> Iterator[str]:
    """Classes that nothing is learned of, where decoding has not told already."""
    if isinstance(data.dataset, Decoded):
        return
    counts = np.bincount(data.train.y, minlength=len(data.targets))
    absent = [str(label) for label in np.flatnonzero(counts == 0)]
    if absent:
        word = "class" if len(absent) == 1 else "classes"
        yield f"no training image is of the {word} {', '.join(absent)} (counted from 0)"
