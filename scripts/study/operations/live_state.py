"""The state of a running study as JSON, for a page that renews itself.

It is read from files alone, and its size is bounded whatever the study's: of many runs the first
are listed, of long curves every so-many-th epoch.
"""

import contextlib
import json
import math
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from study.data import datasets
from study.operations import journals, status
from study.operations.best_so_far import BestSoFar, ExperimentProgress
from study.operations.journals import Point
from study.operations.plan_table import assignments, differences
from study.operations.progress import RunProgress, Situation, Snapshot
from study.operations.status import State
from study.operations.watching import Pace, Watched
from study.spec.plan import Plan, Run
from study.spec.tasks import CLASSIFICATION, TASKS
from study.support.errors import StudyError
from study.support.files import read_own
from study.support.language import PERCENT_DIGITS, SCORE_DIGITS, for_browser

# Runs that are listed, those that need a person first; curves of runs at work and of the best;
# points of a curve; bytes of a log's end.
MOST_RUNS, MOST_AT_WORK, MOST_BEST, MOST_POINTS, MOST_LOG = 100, 8, 8, 300, 64_000
ORDER = (
    Situation.FAILED,
    Situation.TRAINING,
    Situation.INTERRUPTED,
    Situation.WAITING,
    Situation.FINISHED,
)
LOSS_DIGITS = 4


@dataclass(frozen=True)
class ListedRun:
    """A run: what it is at, after which `epoch`, and its score and loss then, as they are shown.

    `log` is the name of its log, empty where it has none.
    """

    run: str
    settings: str
    state: Situation
    epoch: int | None
    epochs: int
    done: int
    wanted: int
    score: float | None
    loss: float | None
    seconds_left: float | None
    heard: float | None
    host: str
    message: str
    log: str


@dataclass(frozen=True)
class LiveCurve:
    """A run's learning curve, means of its seeds; `best_of` names experiments whose best it is."""

    run: str
    settings: str
    best_of: list[str]
    epochs: list[int]
    scores: list[float]
    losses: list[float]


@dataclass(frozen=True)
class FailedStep:
    """A job beside trainings that failed, and the name of its log."""

    name: str
    message: str
    log: str


@dataclass(frozen=True)
class LiveState:
    """All that the page shows. Times are in seconds, scores of classification in per cent.

    `reports` are the languages of the finished reports. `listed` are the first of the runs.
    """

    state: State = State.NEW
    task: str = CLASSIFICATION.name
    reports: list[str] = field(default_factory=list)
    runs: dict[str, int] = field(default_factory=dict)
    done: int = 0
    wanted: int = 0
    seconds_left: float | None = None
    experiments: list[ExperimentProgress] = field(default_factory=list)
    curves: list[LiveCurve] = field(default_factory=list)
    listed: list[ListedRun] = field(default_factory=list)
    failed_steps: list[FailedStep] = field(default_factory=list)


class LiveStudy:
    """Tells the state of the study in `results`, to many browsers at once.

    `is_at_work` says whether a workflow is. Nobody looks while nobody asks.
    """

    def __init__(self, results: Path, is_at_work: Callable[[], bool]):
        self.results = results
        self.is_at_work = is_at_work
        self._watched = Watched(results)
        self._pace = Pace()
        self._lock = threading.Lock()
        self._runs: _Runs | None = None
        self._state = _as_json(LiveState())
        self._logs: dict[str, Path] = {}

    def state(self) -> bytes:
        """The state as JSON: that of the last look, or of one taken now if it is due."""
        with self._lock:
            if self._pace.is_due:
                # As for Watched: what is being written is read at the next look.
                with self._pace.look(), contextlib.suppress(StudyError, OSError):
                    self._watched.look()
                    self._state = _as_json(self._live())
            return self._state

    def log(self, name: str) -> bytes | None:
        """The end of a log that the state names; None where there is none of this name."""
        path = self._logs.get(name)
        return None if path is None else read_own(path, MOST_LOG, end=True)

    def _live(self) -> LiveState:
        plan, snapshot = self._watched.plan, self._watched.snapshot
        if plan is None or snapshot is None:
            return LiveState()
        if self._runs is None or self._runs.plan is not plan:
            self._runs = _Runs(plan, self.results / "runs")
        found = status.status_of(snapshot, plan, self.results, self.is_at_work())
        experiments = self._runs.experiments(snapshot)
        in_order = [seen for situation in ORDER for seen in snapshot.of(situation)]
        listed = [self._runs.listed(seen, snapshot.time) for seen in in_order[:MOST_RUNS]]
        failed = found.failed_jobs[:MOST_RUNS]
        self._logs = {run.log: self._runs.log(run.run) for run in listed if run.log}
        self._logs |= {job.log.name: job.log for job in failed}
        return LiveState(
            state=found.state,
            task=self._runs.task.name,
            reports=list(plan.languages) if found.state is State.FINISHED else [],
            runs=dict(Counter(str(seen.situation) for seen in snapshot.runs)),
            done=snapshot.done,
            wanted=snapshot.wanted,
            seconds_left=snapshot.seconds_left,
            experiments=experiments,
            curves=self._runs.curves(in_order, experiments),
            listed=listed,
            failed_steps=[FailedStep(job.name, job.message, job.log.name) for job in failed],
        )


def _as_json(state: LiveState) -> bytes:
    return json.dumps(asdict(state)).encode()


class _Runs:
    """The runs of one plan, in the folder `folder`, as they are shown."""

    def __init__(self, plan: Plan, folder: Path):
        self.plan = plan
        self.folder = folder
        self.task = TASKS[datasets.describe(plan.dataset).task]
        self.score = f"validation_{self.task.score}"
        self.best = BestSoFar(plan, folder, self.score)
        self._curves: dict[str, tuple[object, list[Point]]] = {}

    def log(self, run: str) -> Path:
        return self.folder / run / "train.log"

    def experiments(self, snapshot: Snapshot) -> list[ExperimentProgress]:
        """Experiments and searches, after a look at what has finished; scores as they are shown."""
        self.best.look(snapshot)
        return [
            replace(each, best=replace(each.best, score=self._scaled(each.best.score)))
            if each.best
            else each
            for each in self.best.experiments()
        ]

    def listed(self, seen: RunProgress, now: float) -> ListedRun:
        """A run of a snapshot that was taken at `now`."""
        run, entry, end = seen.run, seen.entry or {}, self.best.end(seen.run)
        if end:
            entry = {"epoch": end.epoch, **end.means}
        score, loss = entry.get(self.score), entry.get("validation_loss")
        trains = seen.situation is Situation.TRAINING
        return ListedRun(
            run=run.run,
            settings=self._settings(run),
            state=seen.situation,
            epoch=entry.get("epoch"),
            epochs=run.epochs,
            done=seen.done,
            wanted=seen.wanted,
            score=None if score is None else self._scaled(score),
            loss=None if loss is None else for_browser(loss, LOSS_DIGITS),
            seconds_left=seen.seconds_left,
            heard=max(0.0, now - entry["time"]) if trains and entry else None,
            host=seen.holder.host if trains and not seen.holder.is_here else "",
            message=seen.message,
            log=run.run if self.log(run.run).is_file() else "",
        )

    def curves(
        self, in_order: Sequence[RunProgress], experiments: Sequence[ExperimentProgress]
    ) -> list[LiveCurve]:
        """Those of runs that train or could go on, and of the best, in the plan's order."""
        at_work = [seen.run.run for seen in in_order if seen.situation in ORDER[:3]]
        wanted: dict[str, list[str]] = {run: [] for run in at_work[:MOST_AT_WORK]}
        for experiment in [experiment for experiment in experiments if experiment.best][:MOST_BEST]:
            wanted.setdefault(experiment.best.run, []).append(experiment.name)
        self._curves = {run: known for run, known in self._curves.items() if run in wanted}
        return [
            self._drawn(run, points, wanted[run.run])
            for run in self.plan.runs
            if run.run in wanted and (points := self._points(run))
        ]

    def _drawn(self, run: Run, points: Sequence[Point], best_of: Sequence[str]) -> LiveCurve:
        # The last one is among them.
        shown = points[:: -math.ceil(len(points) / MOST_POINTS)][::-1]
        return LiveCurve(
            run=run.run,
            settings=self._settings(run),
            best_of=list(best_of),
            epochs=[point.epoch for point in shown],
            scores=[self._scaled(point.means[self.score]) for point in shown],
            losses=[for_browser(point.means["validation_loss"], LOSS_DIGITS) for point in shown],
        )

    def _points(self, run: Run) -> list[Point]:
        """The run's learning curve, read again where its journal has changed."""
        try:
            found = (self.folder / run.run / journals.NAME).stat()
        except OSError:
            return []
        stamp = found.st_ino, found.st_size, found.st_mtime_ns
        if self._curves.get(run.run, (None,))[0] != stamp:
            points = journals.curve(self.folder, run, (self.score, "validation_loss"))
            self._curves[run.run] = stamp, points
        return self._curves[run.run][1]

    def _settings(self, run: Run) -> str:
        return assignments(differences(run.settings, self.plan.baseline))

    def _scaled(self, score: float) -> float:
        if self.task is CLASSIFICATION:
            return for_browser(100 * score, PERCENT_DIGITS)
        return for_browser(score, SCORE_DIGITS)
