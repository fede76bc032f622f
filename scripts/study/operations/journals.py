"""Journals of runs: what was trained, epoch by epoch, as training jobs enter it.

`study.runs.replicates.Journal` writes them.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.spec.plan import Run

NAME = "journal.jsonl"

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Point:
    """The means of some measures after `epoch`, over `seeds` seeds: those with numbers."""

    epoch: int
    seeds: int
    means: Mapping[str, float]


def curve(runs: Path, run: Run, measures: Sequence[str]) -> list[Point]:
    """A run's learning curve, of the seeds and epochs that are asked for, as far as it has come.

    `runs` is the folder of all runs.
    An entry has the mean of the seeds that trained together; each of them counts with it.
    """
    known: dict[int, dict[int, Entry]] = {seed: {} for seed in run.seeds}
    for entry in entries(runs / run.run / NAME):
        for seed in known.keys() & entry["seeds"]:
            epochs = known[seed]
            # What is trained again, as after a kill, is void from there on.
            while epochs and next(reversed(epochs)) >= entry["epoch"]:
                epochs.popitem()
            epochs[entry["epoch"]] = entry
    points = []
    for epoch in sorted({epoch for epochs in known.values() for epoch in epochs}):
        told = [epochs[epoch] for epochs in known.values() if epoch in epochs]
        told = [entry for entry in told if None not in map(entry.get, measures)]
        if told and epoch <= run.epochs:
            means = {name: sum(each[name] for each in told) / len(told) for name in measures}
            points.append(Point(epoch, len(told), means))
    return points


def entries(path: Path) -> Iterator[Entry]:
    """The whole lines of a journal; the last one may be on its way."""
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                entry = _entry(line) if line.endswith("\n") else None
                if entry is not None:
                    yield entry
    except (OSError, UnicodeDecodeError):
        return


def _entry(line: str) -> Entry | None:
    """A line of a journal; None where it is none, as where a disk damaged it."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict):
        return None
    seeds = entry.get("seeds")
    measures = [value for name, value in entry.items() if name != "seeds"]
    is_right = (
        type(entry.get("epoch")) is int
        and type(entry.get("pid")) is int
        and _is_number(entry.get("time"))
        and isinstance(seeds, list)
        and all(type(seed) is int for seed in seeds)
        and all(measure is None or _is_number(measure) for measure in measures)
    )
    return entry if is_right else None


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)
