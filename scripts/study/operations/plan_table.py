"""What a plan asks for, how much of it is there, and what the rest will take."""

import heapq
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tabulate import tabulate

from study.operations import jobs
from study.runs.completeness import completeness_of
from study.spec.plan import Experiment, Plan, Run, Value
from study.spec.searches import Search, Stepwise
from study.spec.settings import identity, text
from study.support.durations import duration

# Seconds of a job beside its epochs: importing torch, checking the data, writing the outputs.
OVERHEAD = 2.5

# Finished runs to go by at most: each run to come is compared with every one of them.
MOST_SOURCES = 50

# Rows of the printed table, where not all are asked for.
SHOWN = 40

HEADINGS = ("run", "settings", "wanted", "there", "why", "to train", "time", "asked for by")

WIDTHS = (None, 30, None, 24, 24, None, None, 44)

LEGEND = """\
run: the end of its folder's name in results/runs; wanted, there: seeds x epochs
to train: epochs, counting those of every seed; time: of a core, going by finished runs"""


@dataclass(frozen=True)
class TimeEstimate:
    """That a job will take `seconds` of a core, going by the record of the run `source`."""

    seconds: float
    source: str


@dataclass(frozen=True)
class Row:
    """One run: what is wanted of it, what is there, why its job must run and how far it trains.

    `differs` are the settings in which it is not the baseline; `asked_by` maps an experiment, or
    `final`, to its values, and a search to its trials; `there` maps a seed to the replicate that
    can be gone on from, as in settings.json. `to_train` counts the epochs of every seed. `estimate`
    is None where there is nothing to do, or no finished run to go by.
    """

    run: str
    differs: dict[str, Any]
    asked_by: dict[str, list[str]]
    seeds: list[int]
    epochs: int
    there: Mapping[str, Mapping[str, Any]]
    reasons: tuple[str, ...]
    to_train: int
    estimate: TimeEstimate | None


@dataclass(frozen=True)
class PlanTable:
    """All runs of a plan, to be trained on so many cores.

    Where results choose the final model (`chooses_final`), `final` is what they chose last, and
    `unchosen` why they chose nothing, if so.
    """

    rows: list[Row]
    final: Value | None
    chooses_final: bool
    notes: list[str]
    cores: int
    unchosen: str | None = None
    stepwise: list[Stepwise] = field(default_factory=list)

    @property
    def open_steps(self) -> list[Stepwise]:
        """What may ask for more, which follows from what is trained until then."""
        return [each for each in self.stepwise if not each.is_finished]

    @property
    def jobs(self) -> list[Row]:
        """The rows that have something to do."""
        return [row for row in self.rows if row.reasons]

    @property
    def to_train(self) -> int:
        """Epochs to train, counting those of every seed."""
        return sum(row.to_train for row in self.rows)

    @property
    def chooses_later(self) -> bool:
        """Whether the results that choose the final model are still to come."""
        experiments = (row for row in self.jobs if set(row.asked_by) != {"final"})
        is_chosen = self.final is not None or self.unchosen is not None
        is_open = not is_chosen or any(experiments) or bool(self.open_steps)
        return self.chooses_final and is_open

    @property
    def core_seconds(self) -> float | None:
        """What all jobs take together; None where there is no finished run to go by."""
        estimates = [row.estimate for row in self.jobs]
        return None if None in estimates else sum(estimate.seconds for estimate in estimates)

    @property
    def wall_seconds(self) -> float | None:
        """When the last job ends, each having a core for itself and the longest beginning first."""
        if self.core_seconds is None:
            return None
        return last_end([row.estimate.seconds for row in self.jobs], [0.0] * self.cores)


def last_end(queued: Iterable[float], busy_until: Iterable[float]) -> float:
    """When the last of several jobs ends that take so many seconds, the longest beginning first.

    `busy_until` says of each core when it is free for the next one.
    """
    cores = list(busy_until)
    heapq.heapify(cores)
    for seconds in sorted(queued, reverse=True):
        heapq.heapreplace(cores, cores[0] + seconds)
    return max(cores)


class RunTimes:
    """What the runs in a folder took, by which the time of others is estimated."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.finished = {
            path.parent.name: run
            for path in _sample(sorted(folder.glob("*/settings.json")), MOST_SOURCES)
            if (run := _finished(path))
        }
        self.seconds: dict[str, float] = {}

    def estimate(self, run: Run, epochs: int) -> TimeEstimate | None:
        """What `epochs` epochs of single seeds take: as long as the most similar run's did.

        By arithmetic, where that is another run or had other seeds at a time.
        """
        while self.finished:
            source = self._most_similar(run)
            try:
                scale = _work(run) / _work(self.finished[source])
                return TimeEstimate(OVERHEAD + epochs * self._seconds(source) * scale, source)
            except (OSError, ValueError, pa.ArrowException):
                del self.finished[source]
        return None

    def learn(self, run: Run, seconds: float) -> None:
        """Go by `run` too, of which an epoch of one seed takes so many `seconds`."""
        if run.run in self.finished or len(self.finished) < 2 * MOST_SOURCES:
            self.finished[run.run] = run
            self.seconds[run.run] = seconds

    def _most_similar(self, run: Run) -> str:
        if run.run in self.finished:
            return run.run

        def differing(name: str) -> int:
            settings = self.finished[name].settings
            return sum(run.settings[key] != settings[key] for key in run.settings.keys() & settings)

        distances = {name: differing(name) for name in self.finished}
        least = min(distances.values())
        nearest = [name for name, distance in distances.items() if distance == least]
        return min(nearest, key=lambda name: abs(math.log(_work(self.finished[name]) / _work(run))))

    def _seconds(self, run: str) -> float:
        """Seconds for an epoch of one seed."""
        if run not in self.seconds:
            record = pq.read_table(self.folder / run / "record.parquet", columns=["seconds"])
            self.seconds[run] = float(np.median(record["seconds"]))
        return self.seconds[run]


def _sample(paths: list[Path], most: int) -> list[Path]:
    """At most so many of `paths`, evenly spaced."""
    step = max(1, math.ceil(len(paths) / most))
    return paths[::step]


def _finished(path: Path) -> Run | None:
    """The run that a settings.json describes; None where it cannot be read."""
    try:
        made = json.loads(path.read_text(encoding="utf-8"))
        settings = identity(made["settings"])
        run = Run(path.parent.name, settings, 1, [int(seed) for seed in made["replicates"]])
        return run if _work(run) > 0 else None
    except (OSError, ArithmeticError, LookupError, TypeError, ValueError):
        return None


def _work(run: Run) -> float:
    """The arithmetic of an epoch of one seed, among as many as the run has, in any unit.

    It is compared with that of others alone, so that the sizes of the data matter little.
    """
    return jobs.seconds(replace(run, epochs=1), jobs.ASSUMED) / len(run.seeds)


def table(plan: Plan, runs: Path, learning: Mapping[str, str], cores: int) -> PlanTable:
    """Compare `plan` with what the folder `runs` holds; `learning` as for `completeness_of`."""
    asked_by = _asked_by(plan)
    times = RunTimes(runs)
    rows = []
    for run in plan.runs:
        found = completeness_of(run, runs, learning)
        rows.append(
            Row(
                run=run.run,
                differs=differences(run.settings, plan.baseline),
                asked_by=asked_by[run.run],
                seeds=run.seeds,
                epochs=run.epochs,
                there=found.replicates,
                reasons=found.reasons,
                to_train=found.epochs,
                estimate=times.estimate(run, found.epochs) if found.reasons else None,
            )
        )
    return PlanTable(
        *(rows, plan.final, plan.chooses_final, plan.notes, cores, plan.unchosen, plan.stepwise)
    )


def differences(settings: Mapping[str, Any], baseline: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a run that are not those of the baseline."""
    return {key: value for key, value in settings.items() if value != baseline[key]}


def _asked_by(plan: Plan) -> dict[str, dict[str, list[str]]]:
    """For each run, the experiments and searches that ask for it, with their values and trials."""
    asked_by: dict[str, dict[str, list[str]]] = {run.run: {} for run in plan.runs}
    for experiment in plan.experiments:
        for value in experiment.values:
            asked_by[value.run].setdefault(experiment.name, []).append(value.value)
    for search in plan.searches:
        for trial in search.trials:
            asked_by[trial.run].setdefault(search.name, []).append(f"trial {trial.number}")
    if plan.final:
        asked_by[plan.final.run]["final"] = []
    return asked_by


# As text.


def in_words(found: PlanTable, everything: bool = False) -> str:
    """The table and what it comes to, for a terminal; with `everything`, all of its rows."""
    rows = found.rows if everything or len(found.rows) <= SHOWN else found.jobs[:SHOWN]
    parts = []
    if rows:
        cells = [_cells(row) for row in rows]
        parts.append(
            tabulate(
                cells,
                HEADINGS,
                maxcolwidths=list(WIDTHS),
                disable_numparse=True,
                colalign=["right" if name == "to train" else "left" for name in HEADINGS],
            )
        )
    if len(rows) < len(found.rows):
        more = len(found.jobs) - len(rows)
        parts.append(
            f"… and {more} more runs with something to do, {len(found.rows) - len(found.jobs)} with"
            " nothing to do (--all shows every run)"
        )
    parts += [LEGEND, "", *map(steps_in_words, found.stepwise), _final(found), _total(found)]
    parts += [f"note: {note}" for note in found.notes]
    return "\n".join(parts)


def _cells(row: Row) -> list[str]:
    if not row.reasons:
        time = ""
    elif row.estimate is None:
        time = "no estimate"
    else:
        time = duration(row.estimate.seconds)
    return [
        # The rest of the name says no more than the settings do.
        row.run.rpartition("-")[2],
        settings_in_words(row.differs),
        f"{len(row.seeds)} x {row.epochs}",
        replicates_in_words(row.there),
        ", ".join(row.reasons) or "nothing to do",
        str(row.to_train),
        time,
        "; ".join(
            f"{name}: {', '.join(values)}" if values else name
            for name, values in row.asked_by.items()
        ),
    ]


def steps_in_words(stepwise: Stepwise) -> str:
    """How far a search has come, or an experiment that adds seeds, and what is still to come."""
    if isinstance(stepwise, Experiment):
        return _seeds_in_words(stepwise)
    return _search_in_words(stepwise)


def _seeds_in_words(experiment: Experiment) -> str:
    counts = Counter(len(trial.seeds) for trial in experiment.trials)
    values = ", ".join(f"{number} with {seeds}" for seeds, number in sorted(counts.items()))
    told = f"experiment {experiment.name}: {experiment.looks[0]} to {experiment.looks[-1]} seeds"
    told = f"{told} a value, as it needs them; values: {values}"
    left = experiment.epochs_to_come
    if not left:
        return f"{told}; no more to come"
    return f"{told}; at most {left} epochs to come by how these do, fewer where others share them"


def _search_in_words(search: Search) -> str:
    if search.is_finished:
        return f"search {search.name}: all of its {len(search.trials)} trials are drawn"
    return (
        f"search {search.name}: {len(search.trials)} of {search.most_trials} trials drawn; at most "
        f"{search.epochs_to_come} epochs to come by how these do, fewer where others share them"
    )


def _final(found: PlanTable) -> str:
    if found.final is None and not found.chooses_final:
        return "final: this study has no final model"
    known = ""
    best = "the best value of each experiment"
    if any(isinstance(each, Search) for each in found.stepwise):
        best += " or a search's winner"
    if found.final:
        run = next(row for row in found.rows if row.run == found.final.run)
        known = f"{settings_in_words(run.differs)}, after {found.final.epochs} epochs ({run.run})"
    if not found.chooses_final:
        return f"final: {known}"
    if not found.chooses_later and found.unchosen:
        return f"final: none, since {found.unchosen}"
    if not found.chooses_later:
        return f"final: {known}, chosen by results"
    is_unknown = found.jobs or found.open_steps
    when = "not known before these are trained" if is_unknown else "chosen by what is there"
    later = f"final: {best}, {when}; if it is a run of its own, its epochs are trained then"
    return f"{later}; chosen last: {known}" if known else later


def _total(found: PlanTable) -> str:
    count = len(found.rows)
    runs = f"{count} run" if count == 1 else f"{count} runs"
    if not found.jobs:
        final = " before the final model" if found.chooses_later else ""
        if found.open_steps:
            final = " before the next step, which goes by results"
        return f"total: nothing to train{final}; {runs}, all of them there"
    total = (
        f"total: {runs}, {len(found.jobs)} with something to do; {found.to_train} epochs to train"
    )
    if found.core_seconds is None:
        return f"{total}; no estimate of the time: there is no finished run to go by"
    cores = "1 core" if found.cores == 1 else f"{found.cores} cores"
    return (
        f"{total}; about {duration(found.core_seconds)} of one core's time,"
        f" {duration(found.wall_seconds)} on {cores}, without figures and report"
    )


def settings_in_words(differs: Mapping[str, Any]) -> str:
    """`dropout=0.4, hidden=128-64`, or that they are the baseline's."""
    return assignments(differs) or "as the baseline"


def assignments(settings: Mapping[str, Any]) -> str:
    """`dropout=0.4, hidden=128-64`; nothing of none."""
    return ", ".join(f"{key}={text(value)}" for key, value in settings.items())


def replicates_in_words(replicates: Mapping[str, Mapping[str, Any]]) -> str:
    """`3 x 10, 1 x 4 (diverged)` for three seeds of 10 epochs and one that ended in its fourth."""
    counts = Counter((known["epochs"], known["diverged"]) for known in replicates.values())
    return ", ".join(
        f"{count} x {epochs}" + (" (diverged)" if diverged else "")
        for (epochs, diverged), count in sorted(counts.items(), key=lambda item: -item[0][0])
    )


# As data.


def to_json(found: PlanTable) -> str:
    """The table as JSON; times in seconds."""
    totals = {
        "runs": len(found.rows),
        "runs_with_something_to_do": len(found.jobs),
        "epochs_to_train": found.to_train,
        "core_seconds": found.core_seconds,
        "wall_seconds": found.wall_seconds,
        "cores": found.cores,
    }
    content = {
        "runs": [asdict(row) for row in found.rows],
        "final": found.final and asdict(found.final),
        "totals": totals,
        "notes": found.notes,
    }
    return json.dumps(content, indent=1, ensure_ascii=False)
