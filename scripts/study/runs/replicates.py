"""Training a run's replicates to the epochs that are wanted, from wherever they stand."""

import functools
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

from study.learning.examples import Examples
from study.learning.objective import Metrics, Objective
from study.learning.trainer import TRAIN_EVALUATION, Trainer
from study.runs import libraries
from study.runs.checkpoint import Checkpoint, Replicate, Target
from study.runs.models import Architecture
from study.spec.tasks import Task

# Saving takes less than one part in this many of the time.
SAVING_SHARE = 50


class Saver:
    """Saves the state as often as its cost allows, and when asked to."""

    def __init__(self, write: Callable[[Checkpoint], None]):
        self.write = write
        self.saved_at = time.monotonic()
        self.duration = 0.0

    def save(self, state: Checkpoint) -> None:
        start = time.monotonic()
        self.write(state)
        self.saved_at = time.monotonic()
        self.duration = self.saved_at - start

    def save_last(self, state: Checkpoint) -> None:
        """Save, and once more where a signal to stop came into it; the next ones are ignored."""
        try:
            self.save(state)
        except (SystemExit, KeyboardInterrupt):
            self.save(state)
            raise

    def save_if_due(self, state: Checkpoint) -> None:
        if time.monotonic() - self.saved_at >= SAVING_SHARE * self.duration:
            self.save(state)


class Journal:
    """journal.jsonl: what was really trained, an object for each epoch, only ever added to.

    Beside the epoch, its seeds, the time and the process it has the record's columns, as means
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

    def add(self, epoch: int, seeds: Sequence[int], means: Mapping[str, float]) -> None:
        """Add an epoch of `seeds`, whose measures have these `means`."""
        entry = {"epoch": epoch, "seeds": list(seeds), "time": time.time(), "pid": os.getpid()}
        entry |= {name: mean if math.isfinite(mean) else None for name, mean in means.items()}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def sync(self) -> None:
        """Bring what was added to the disk: a state never tells more than the journal."""
        if self.path.exists():
            with self.path.open("rb") as file:
                os.fsync(file.fileno())


@dataclass(frozen=True)
class Training:
    """What a run's replicates learn, from what, and where.

    `kind` is device.kind(device), `arithmetic` is libraries.named its digest.
    """

    settings: Mapping[str, Any]
    train: Examples
    validation: Examples
    architecture: Architecture
    task: Task
    objective: Objective
    device: str
    kind: str
    arithmetic: str = ""

    def trainer(self, seeds: Sequence[int]) -> Trainer:
        """Untrained replicates of `seeds`."""
        build = functools.partial(self.architecture.build, device=self.device)
        return Trainer(self.settings, seeds, build, self.objective)


def extend(
    run: Training,
    state: Checkpoint,
    target: Target,
    saver: Saver,
    journal: Journal,
    log: Callable[[str], None],
) -> None:
    """Train until `state` has reached `target`, saving on the way.

    Replicates that stand at the same epoch go on as one stack. However this ends, `state` holds
    whole epochs, and `saver` is given it once more.
    """
    try:
        for seeds, start, end in _stacks(run, state, target, log):
            trainer = run.trainer(seeds)
            if start:
                trainer.restore(start, [_as_torch(state.replicates[seed]) for seed in seeds])
            reached = {
                seed: replace(
                    state.replicates[seed] if start else Replicate(run.kind),
                    arithmetic=run.arithmetic,
                )
                for seed in seeds
            }
            if start in target.kept_epochs:
                reached = {seed: _keeping(replicate) for seed, replicate in reached.items()}
            while trainer.epoch < end and trainer.seeds:
                reached, line = _epoch(run, trainer, end, reached, target, journal)
                # In one assignment: a signal finds the state before this epoch, or after it.
                state.replicates = state.replicates | _further(reached, state)
                log(line)
                saver.save_if_due(state)
                trainer = _without_diverged(trainer, reached, log)
    finally:
        saver.save_last(state)


def _as_torch(replicate: Replicate) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(tensor) for name, tensor in replicate.tensors.items()}


def _stacks(
    run: Training, state: Checkpoint, target: Target, log: Callable[[str], None]
) -> Iterator[tuple[list[int], int, int]]:
    """Seeds to train together, the epoch they stand at and the one they are to reach.

    A replicate is trained again from its beginning, as far as it had come and further, where
    weights of an epoch gone by are missing, and where its numbers could not go on: on another kind
    of device, or where the same kind computes otherwise. One that does not say how it was computed
    was multiplied by MKL, and is otherwise taken at its device's word.
    """

    def span(seed: int) -> tuple[int, int]:
        known = state.replicates.get(seed)
        if known is None:
            return 0, target.epochs
        gone_by = {epoch for epoch in target.kept_epochs if epoch <= known.epochs}
        unkept = not known.diverged and not known.weights.keys() >= gone_by
        elsewhere = known.device != run.kind
        other_library = libraries.of(known.arithmetic) != libraries.of(run.arithmetic)
        otherwise = other_library or known.arithmetic not in ("", run.arithmetic)
        if elsewhere:
            log(f"seed {seed} was trained on {known.device}, this is {run.kind}: training it anew")
        elif otherwise:
            log(
                f"seed {seed} was trained by other arithmetic "
                f"({known.arithmetic or libraries.MKL}, here {run.arithmetic}): training it anew"
            )
        if unkept or elsewhere or otherwise:
            return 0, max(known.epochs, target.epochs)
        return known.epochs, target.epochs

    largest = run.architecture.largest_stack
    spans = {seed: span(seed) for seed in target.open_seeds(state)}
    open_seeds = sorted(spans, key=lambda seed: (spans[seed], seed))
    for (start, end), group in itertools.groupby(open_seeds, key=spans.__getitem__):
        seeds = list(group)
        for first in range(0, len(seeds), largest):
            yield seeds[first : first + largest], start, end


def _further(reached: Mapping[int, Replicate], state: Checkpoint) -> dict[int, Replicate]:
    """Those that have come at least as far as `state` has them, or have diverged."""
    return {
        seed: replicate
        for seed, replicate in reached.items()
        if replicate.diverged
        or seed not in state.replicates
        or replicate.epochs >= state.replicates[seed].epochs
    }


def _epoch(
    run: Training,
    trainer: Trainer,
    end: int,
    before: Mapping[int, Replicate],
    target: Target,
    journal: Journal,
) -> tuple[dict[int, Replicate], str]:
    """Train and evaluate an epoch of the replicates that stand as in `before`; say it in a line."""
    start = time.perf_counter()
    measured = {
        "train": trainer.train_epoch(run.train),
        "validation": trainer.evaluate(run.validation),
        "train_eval": trainer.evaluate(run.train.first(TRAIN_EVALUATION)),
    }
    seconds = (time.perf_counter() - start) / len(trainer.seeds)
    columns = {
        f"{part}_{metric}": values
        for part, metrics in measured.items()
        for metric, values in metrics.items()
    }
    columns["seconds"] = [seconds] * len(trainer.seeds)
    rows = zip(*(columns[name] for name in run.task.columns), strict=True)
    measures = np.array(list(rows))

    reached = {}
    for seed, own, tensors in zip(trainer.seeds, measures, trainer.state(), strict=True):
        reached[seed] = _with_epoch(
            before[seed], own, {name: tensor.numpy() for name, tensor in tensors.items()}
        )
        if trainer.epoch in target.kept_epochs:
            reached[seed] = _keeping(reached[seed])
    means = dict(zip(run.task.columns, measures.mean(axis=0).tolist(), strict=True))
    journal.add(trainer.epoch, trainer.seeds, means)
    return reached, _progress(trainer, end, measured, seconds)


def _without_diverged(
    trainer: Trainer, reached: Mapping[int, Replicate], log: Callable[[str], None]
) -> Trainer:
    diverged = [seed for seed in trainer.seeds if reached[seed].diverged]
    if not diverged:
        return trainer
    log(f"diverged in epoch {trainer.epoch}: seeds {diverged}")
    return trainer.keep([seed for seed in trainer.seeds if seed not in diverged])


def _with_epoch(
    before: Replicate, measures: np.ndarray, tensors: dict[str, np.ndarray]
) -> Replicate:
    known = before.measures if before.epochs else np.empty((0, len(measures)))
    after = replace(before, measures=np.vstack([known, measures]))
    if not (np.isfinite(measures).all() and np.isfinite(tensors["parameters"]).all()):
        return replace(after, diverged=True, tensors={}, kept={})
    return replace(after, tensors=tensors)


def _keeping(replicate: Replicate) -> Replicate:
    """With the weights of its last epoch kept, however far it goes on."""
    return replace(replicate, kept=replicate.weights)


def _progress(trainer: Trainer, end: int, measured: Mapping[str, Metrics], seconds: float) -> str:
    def means(part: str) -> str:
        return " ".join(
            f"{metric} {sum(values) / len(values):.4f}" for metric, values in measured[part].items()
        )

    return (
        f"epoch {trainer.epoch}/{end}  seeds {','.join(map(str, trainer.seeds))}  "
        f"train {means('train')}  validation {means('validation')}  "
        f"{seconds * len(trainer.seeds):.2f} s"
    )
