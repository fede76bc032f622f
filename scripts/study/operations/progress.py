"""How far a study is while it trains, and when all will be trained.

Read from what training jobs leave in their runs' folders as they go, wherever they run: who holds
the lock, the journal's last epochs, failure.json. No job and no scheduler is asked.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import numpy as np

from study.operations import job_logs, journals
from study.operations.journals import Entry
from study.operations.plan_table import RunTimes, last_end
from study.runs import attempts, failures
from study.runs.completeness import Completeness, completeness_of
from study.spec.plan import Plan, Run
from study.support import locks
from study.support.locks import Holder

# A job on another machine is taken for dead after so many seconds, and so many of its epochs,
# without a sign of life: an epoch may be long, and clocks may differ.
SILENT_SECONDS, SILENT_EPOCHS = 900, 10


class Situation(StrEnum):
    """What is going on with a run."""

    FINISHED = "finished"
    TRAINING = "training"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    WAITING = "waiting"


@dataclass(frozen=True)
class RunProgress:
    """One run: of `wanted` epochs, counting those of every seed, `done` are there.

    `holder` is the process that trains it, or was killed when it did; `entry` is the last epoch
    that this one has entered in the journal, and `heard` is when it gave a sign of life, in
    seconds of Unix. `seconds_left` of a core are what the run still takes, None where there is
    nothing to go by. `message` says why it failed or was interrupted.
    """

    run: Run
    situation: Situation
    wanted: int
    done: int
    holder: Holder | None = None
    entry: Entry | None = None
    heard: float = 0.0
    seconds_left: float | None = None
    message: str = ""


@dataclass(frozen=True)
class Snapshot:
    """All runs of a study, as they were at `time`, in seconds of Unix."""

    runs: list[RunProgress]
    time: float = field(default_factory=time.time)

    def of(self, *situations: Situation) -> list[RunProgress]:
        """The runs in any of these situations."""
        return [run for run in self.runs if run.situation in situations]

    @property
    def wanted(self) -> int:
        """The epochs that the study asks for, counting those of every seed."""
        return sum(run.wanted for run in self.runs)

    @property
    def done(self) -> int:
        """How many of them are there."""
        return sum(run.done for run in self.runs)

    @property
    def is_trained(self) -> bool:
        """Whether every run is finished."""
        return len(self.of(Situation.FINISHED)) == len(self.runs)

    @property
    def seconds_left(self) -> float | None:
        """When the last run will be trained, if as many train at once as do now.

        The longest begins first. Where none trains now, each core of this machine takes one. Runs
        that failed are left out. None where there is nothing to go by yet.
        """
        training = [run.seconds_left for run in self.of(Situation.TRAINING)]
        queued = [run.seconds_left for run in self.of(Situation.WAITING, Situation.INTERRUPTED)]
        if None in (*training, *queued):
            return None
        return last_end(queued, training or [0.0] * (os.cpu_count() or 1))


class Progress:
    """Takes snapshots of a study's runs, again and again at little cost.

    `folder` is that of all runs, `learning` as for completeness.completeness_of.
    """

    def __init__(self, plan: Plan, folder: Path, learning: Mapping[str, str]):
        self.plan = plan
        self.folder = folder
        self.learning = learning
        self.times = RunTimes(folder)
        self._finished: dict[str, RunProgress] = {}
        self._known: dict[str, tuple[object, Completeness]] = {}

    def snapshot(self) -> Snapshot:
        """What has become of each run."""
        seen = [self._finished.get(run.run) or self._seen(run) for run in self.plan.runs]
        # Only now: what trains already tells how long the others will take.
        return Snapshot([self._with_time_left(run) for run in seen])

    def _seen(self, run: Run) -> RunProgress:
        folder = self.folder / run.run
        holder = locks.holder(folder)
        entries = list(_entries(folder / journals.NAME, holder))
        heard = max(_written(folder / locks.NAME), _written(folder / journals.NAME))
        situation, message = _situation(folder, holder, entries, heard)
        found = self._completeness(run, holder if situation is Situation.TRAINING else None)
        wanted = run.epochs * len(run.seeds)
        if not found.reasons:
            finished = RunProgress(run, Situation.FINISHED, wanted, wanted)
            self._finished[run.run] = finished
            return finished
        done = wanted - found.epochs
        if situation is Situation.TRAINING:
            self._learn_rate(run, entries)
            done = _reached(run, found, entries)
        entry = entries[-1] if entries else None
        return RunProgress(
            run, situation, wanted, max(0, done), holder, entry, heard, message=message
        )

    def _completeness(self, run: Run, holder: Holder | None) -> Completeness:
        """What the run lacks; of one that `holder` trains, what it lacked at some time before.

        The saved state is large and changes all the time; the journal tells what came after.
        """
        folder = self.folder / run.run
        stamp = holder or (
            _written(folder / "settings.json"),
            _written(folder / "state.safetensors"),
        )
        known = self._known.get(run.run)
        if known is None or known[0] != stamp:
            known = stamp, completeness_of(run, self.folder, self.learning)
            self._known[run.run] = known
        return known[1]

    def _learn_rate(self, run: Run, entries: Sequence[Entry]) -> None:
        seconds = [entry["seconds"] for entry in entries if entry.get("seconds")]
        if seconds:
            self.times.learn(run, float(np.median(seconds)))

    def _with_time_left(self, seen: RunProgress) -> RunProgress:
        if seen.situation is Situation.FINISHED:
            return seen
        estimate = self.times.estimate(seen.run, seen.wanted - seen.done)
        return replace(seen, seconds_left=estimate.seconds if estimate else None)


def trained_since(folder: Path, moment: float) -> int:
    """Epochs, counting those of every seed, that were trained in `folder` since `moment`."""
    return sum(
        len(entry["seeds"])
        for path in folder.glob(f"*/{journals.NAME}")
        if _written(path) >= moment
        for entry in journals.entries(path)
        if entry["time"] >= moment
    )


def _situation(
    folder: Path, holder: Holder | None, entries: Sequence[Entry], heard: float
) -> tuple[Situation, str]:
    """The situation of a run that is not finished, and what there is to say of it."""
    if holder is None:
        failure = failures.read_failure(folder)
        if failure is None:
            # One that failed before it could say so has left it in its log alone.
            message = job_logs.told(folder / "train.log")
            return (Situation.FAILED if message else Situation.WAITING), message.partition("\n")[0]
        if failure.kind == failures.STOPPED:
            return Situation.INTERRUPTED, "was told to stop"
        return Situation.FAILED, f"{failure.kind}: {failure.message.splitlines()[0]}"
    if holder.is_here:
        if holder.is_alive:
            return Situation.TRAINING, ""
        return Situation.INTERRUPTED, f"was killed ({attempts.killed_by(folder)})"
    times = [holder.since, *(entry["time"] for entry in entries)]
    longest = max(np.diff(times), default=0)
    if time.time() - heard < max(SILENT_SECONDS, SILENT_EPOCHS * longest):
        return Situation.TRAINING, ""
    return Situation.INTERRUPTED, f"{holder.host} was not heard of any more"


def _reached(run: Run, before: Completeness, entries: Sequence[Entry]) -> int:
    """Epochs, counting those of every seed, of a run that trains: `before`, and in the journal."""
    reached = {
        int(seed): run.epochs if known["diverged"] else known["epochs"]
        for seed, known in before.replicates.items()
    }
    for entry in entries:
        reached |= dict.fromkeys(entry["seeds"], entry["epoch"])
    return sum(min(reached.get(seed, 0), run.epochs) for seed in run.seeds)


def _entries(path: Path, holder: Holder | None) -> Iterator[Entry]:
    """The epochs in the journal that `holder` has trained."""
    if holder is None:
        return
    for entry in journals.entries(path):
        if entry["pid"] == holder.pid and entry["time"] >= holder.since:
            yield entry


def _written(path: Path) -> float:
    """When the file was written, in seconds of Unix; 0 where there is none."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
