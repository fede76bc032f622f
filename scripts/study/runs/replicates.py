"""Bringing a run's replicates to the epochs that are asked for, from wherever they stand."""

import itertools
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from study.learning.layout import parameters_width
from study.learning.training import TRAIN_EVALUATION, Images, Judgement, Training
from study.runs.checkpoint import MEASURES, Replicate, Request, State

# Replicates trained in one stack, and the parameters of all of them: more gain little, and take
# memory. A single replicate may have any number of parameters.
LARGEST_STACK = 10
STACK_PARAMETERS = 1_500_000

# Saving takes less than one part in this many of the time.
SAVING_SHARE = 50


class Saver:
    """Saves the state as often as its cost allows, and when asked to."""

    def __init__(self, write: Callable[[State], None]):
        self.write = write
        self.saved_at = time.monotonic()
        self.duration = 0.0

    def save(self, state: State) -> None:
        start = time.monotonic()
        self.write(state)
        self.saved_at = time.monotonic()
        self.duration = self.saved_at - start

    def save_last(self, state: State) -> None:
        """Save, and once more where a signal to stop came into it; the next ones are ignored."""
        try:
            self.save(state)
        except (SystemExit, KeyboardInterrupt):
            self.save(state)
            raise

    def save_if_due(self, state: State) -> None:
        if time.monotonic() - self.saved_at >= SAVING_SHARE * self.duration:
            self.save(state)


class Journal:
    """journal.jsonl: what was really trained, an object for each epoch, only ever added to.

    Beside the epoch, its seeds, the time and the process it has the record's measures, as means
    over these seeds, null where they are no numbers: how training goes can be read there before
    there is a record. A last line that was cut short, by a full disk or a power cut, is taken away
    first.
    """

    def __init__(self, path: Path):
        self.path = path
        if path.exists():
            with path.open("rb+") as file:
                content = file.read()
                if content and not content.endswith(b"\n"):
                    file.truncate(content.rfind(b"\n") + 1)

    def add(self, epoch: int, seeds: Sequence[int], measures: np.ndarray) -> None:
        """Add an epoch of `seeds`, whose `measures` are (seeds, 6)."""
        entry = {"epoch": epoch, "seeds": list(seeds), "time": time.time(), "pid": os.getpid()}
        means = dict(zip(MEASURES, measures.mean(axis=0).tolist(), strict=True))
        entry |= {name: mean if math.isfinite(mean) else None for name, mean in means.items()}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def sync(self) -> None:
        """Bring what was added to the disk: a state never tells more than the journal."""
        if self.path.exists():
            with self.path.open("rb") as file:
                os.fsync(file.fileno())


@dataclass(frozen=True)
class Run:
    """What a run's replicates learn, from what, and where.

    `kind` is device.kind(device), `arithmetic` is arithmetic.digest(device).
    """

    settings: Mapping[str, Any]
    train: Images
    validation: Images
    classes: int
    device: str
    kind: str
    arithmetic: str = ""


def extend(
    run: Run,
    state: State,
    request: Request,
    saver: Saver,
    journal: Journal,
    log: Callable[[str], None],
) -> None:
    """Train until `state` holds all that `request` asks for, saving on the way.

    Replicates that stand at the same epoch go on as one stack. However this ends, `state` holds
    whole epochs, and `saver` is given it once more.
    """
    try:
        for seeds, start, end in _stacks(run, state, request, log):
            training = Training(
                run.settings, seeds, run.train.pixels.shape[1], run.classes, run.device
            )
            if start:
                training.restore(start, [_as_torch(state.replicates[seed]) for seed in seeds])
            reached = {
                seed: replace(
                    state.replicates[seed] if start else Replicate(run.kind),
                    arithmetic=run.arithmetic,
                )
                for seed in seeds
            }
            if start in request.kept_epochs:
                reached = {seed: _keeping(replicate) for seed, replicate in reached.items()}
            while training.epoch < end and training.seeds:
                reached, line = _epoch(run, training, end, reached, request, journal)
                # In one assignment: a signal finds the state before this epoch, or after it.
                state.replicates = state.replicates | _further(reached, state)
                log(line)
                saver.save_if_due(state)
                training = _without_diverged(training, reached, log)
    finally:
        saver.save_last(state)


def _as_torch(replicate: Replicate) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(tensor) for name, tensor in replicate.tensors.items()}


def _largest_stack(run: Run) -> int:
    sizes = [run.train.pixels.shape[1], *run.settings["hidden"], run.classes]
    return max(1, min(LARGEST_STACK, STACK_PARAMETERS // parameters_width(sizes)))


def _stacks(
    run: Run, state: State, request: Request, log: Callable[[str], None]
) -> Iterator[tuple[list[int], int, int]]:
    """Seeds to train together, the epoch they stand at and the one they are to reach.

    A replicate is trained again from its beginning, as far as it had come and further, where
    weights of an epoch gone by are missing, and where its numbers could not go on: on another kind
    of device, or where the same kind computes otherwise. One that does not say how it was computed
    is taken at its device's word.
    """

    def span(seed: int) -> tuple[int, int]:
        known = state.replicates.get(seed)
        if known is None:
            return 0, request.epochs
        gone_by = {epoch for epoch in request.kept_epochs if epoch <= known.epochs}
        unkept = not known.diverged and not known.weights.keys() >= gone_by
        elsewhere = known.device != run.kind
        otherwise = known.arithmetic not in ("", run.arithmetic)
        if elsewhere:
            log(f"seed {seed} was trained on {known.device}, this is {run.kind}: training it anew")
        elif otherwise:
            log(
                f"seed {seed} was trained by other arithmetic ({known.arithmetic}, here "
                f"{run.arithmetic}): training it anew"
            )
        if unkept or elsewhere or otherwise:
            return 0, max(known.epochs, request.epochs)
        return known.epochs, request.epochs

    largest = _largest_stack(run)
    spans = {seed: span(seed) for seed in request.open_seeds(state)}
    open_seeds = sorted(spans, key=lambda seed: (spans[seed], seed))
    for (start, end), group in itertools.groupby(open_seeds, key=spans.__getitem__):
        seeds = list(group)
        for first in range(0, len(seeds), largest):
            yield seeds[first : first + largest], start, end


def _further(reached: Mapping[int, Replicate], state: State) -> dict[int, Replicate]:
    """Those that have come at least as far as `state` has them, or have diverged."""
    return {
        seed: replicate
        for seed, replicate in reached.items()
        if replicate.diverged
        or seed not in state.replicates
        or replicate.epochs >= state.replicates[seed].epochs
    }


def _epoch(
    run: Run,
    training: Training,
    end: int,
    before: Mapping[int, Replicate],
    request: Request,
    journal: Journal,
) -> tuple[dict[int, Replicate], str]:
    """Train and judge one epoch of the replicates that stand as in `before`; tell it in a line."""
    start = time.perf_counter()
    learned = training.train_epoch(run.train)
    judged = training.evaluate(run.validation)
    judged_train = training.evaluate(run.train.first(TRAIN_EVALUATION))
    seconds = (time.perf_counter() - start) / len(training.seeds)

    reached = {}
    for index, (seed, tensors) in enumerate(zip(training.seeds, training.state(), strict=True)):
        measures = (
            learned.loss[index],
            learned.accuracy[index],
            judged.loss[index],
            judged.accuracy[index],
            judged_train.accuracy[index],
            seconds,
        )
        reached[seed] = _with_epoch(
            before[seed],
            measures,
            {name: tensor.numpy() for name, tensor in tensors.items()},
        )
        if training.epoch in request.kept_epochs:
            reached[seed] = _keeping(reached[seed])
    last = np.array([reached[seed].measures[-1] for seed in training.seeds])
    journal.add(training.epoch, training.seeds, last)
    return reached, _progress(training, end, learned, judged, seconds)


def _without_diverged(
    training: Training, reached: Mapping[int, Replicate], log: Callable[[str], None]
) -> Training:
    diverged = [seed for seed in training.seeds if reached[seed].diverged]
    if not diverged:
        return training
    log(f"diverged in epoch {training.epoch}: seeds {diverged}")
    return training.keep([seed for seed in training.seeds if seed not in diverged])


def _with_epoch(
    before: Replicate,
    measures: tuple[float, ...],
    tensors: dict[str, np.ndarray],
) -> Replicate:
    after = replace(before, measures=np.vstack([before.measures, measures]))
    if not (all(map(math.isfinite, measures)) and np.isfinite(tensors["parameters"]).all()):
        return replace(after, diverged=True, tensors={}, kept={})
    return replace(after, tensors=tensors)


def _keeping(replicate: Replicate) -> Replicate:
    """With the weights of its last epoch kept, however far it goes on."""
    return replace(replicate, kept=replicate.weights)


def _progress(
    training: Training, end: int, learned: Judgement, judged: Judgement, seconds: float
) -> str:
    def mean(values: list[float]) -> str:
        return f"{sum(values) / len(values):.4f}"

    return (
        f"epoch {training.epoch}/{end}  seeds {','.join(map(str, training.seeds))}  "
        f"train loss {mean(learned.loss)} accuracy {mean(learned.accuracy)}  "
        f"validation loss {mean(judged.loss)} accuracy {mean(judged.accuracy)}  "
        f"{seconds * len(training.seeds):.2f} s"
    )
