"""Runs that share jobs of a cluster: which, and how much time each adds to its job."""

import heapq
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from study.operations import jobs
from study.operations.plan_table import OVERHEAD, RunTimes
from study.runs.completeness import Completeness
from study.spec.plan import Run

# A run may take so many times as long as one like it took before, maybe on another machine.
PATIENCE = 3


@dataclass(frozen=True)
class Share:
    """A run's part of a job that several runs share: the job's name, and minutes of its limit."""

    job: str
    minutes: int


def shares(
    runs: Sequence[Run],
    completeness_of: Callable[[Run], Completeness],
    folder: Path,
    minutes: float,
    sizes: jobs.Sizes,
    name: str = "runs",
) -> dict[str, Share]:
    """The share of each run that is to share a job with others, where a job takes about `minutes`.

    Jobs are called `name` and a number. Times go by what finished runs in `folder` took, and
    otherwise by arithmetic for a slow core and data of these `sizes`.
    """
    times = RunTimes(folder)
    expected, limit = {}, {}
    for run in runs:
        epochs = completeness_of(run).epochs
        bound = OVERHEAD + jobs.seconds(run, sizes) * epochs / (run.epochs * len(run.seeds))
        estimate = times.estimate(run, epochs)
        likely = bound if estimate is None else estimate.seconds
        expected[run.run] = likely
        limit[run.run] = min(bound, PATIENCE * likely)
    found = {}
    for number, names in enumerate(divide(expected, 60 * minutes), start=1):
        if len(names) > 1:
            job = f"{name}{number}"
            parts = whole_parts([jobs.MARGIN / len(names) + limit[run] / 60 for run in names])
            found |= {run: Share(job, part) for run, part in zip(names, parts, strict=True)}
    return found


def divide(seconds: Mapping[str, float], most: float) -> list[list[str]]:
    """Put runs into as many jobs as their `seconds` fill at `most` each, and fill these evenly.

    The longest first, each into the job with the least so far: the longest job is at most a third
    longer than it need be (R. L. Graham, Bounds on multiprocessing timing anomalies, 1969).
    """
    count = min(len(seconds), math.ceil(sum(seconds.values()) / most))
    loads = [(0.0, number) for number in range(count)]
    divided: list[list[str]] = [[] for _ in range(count)]
    for run in sorted(seconds, key=lambda run: -seconds[run]):
        load, number = loads[0]
        heapq.heapreplace(loads, (load + seconds[run], number))
        divided[number].append(run)
    return divided


def whole_parts(parts: Sequence[float]) -> list[int]:
    """Whole numbers near `parts`, none negative, whose sum is theirs, rounded up."""
    whole, total = [], 0.0
    for part in parts:
        total += part
        # So much is rounding error, which must not cost a whole one.
        whole.append(math.ceil(total - 1e-9) - sum(whole))
    return whole
