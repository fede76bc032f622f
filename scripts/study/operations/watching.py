"""A study that is looked at again and again while it runs, by a panel or a page.

Its resolved configuration is in results/config.json, which every call of the workflow brings up to
date.
"""

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

from study.data import datasets
from study.operations import job_logs
from study.operations.progress import Progress, Snapshot
from study.runs import fingerprint
from study.spec import choice, config, searches
from study.spec.plan import Plan
from study.spec.resolution import resolve
from study.support.errors import StudyError

# A look at the runs comes so many seconds after the last one, and takes less than one part in
# `SHARE` of a core, however long it waits for one while all of them train.
PERIOD, SHARE = 2.0, 20


class Pace:
    """When the next look is due."""

    def __init__(self) -> None:
        self._due = 0.0

    @property
    def is_due(self) -> bool:
        """Whether it is time to look."""
        return time.monotonic() >= self._due

    @contextlib.contextmanager
    def look(self) -> Iterator[None]:
        """Around a look."""
        start = time.thread_time()
        try:
            yield
        finally:
            self._due = time.monotonic() + max(PERIOD, SHARE * (time.thread_time() - start))


class Watched:
    """The study whose results are in the folder `results`, as it was at the last look.

    `plan` and `snapshot` are None before there is a study.
    """

    def __init__(self, results: Path):
        self.results = results
        self.plan: Plan | None = None
        self.snapshot: Snapshot | None = None
        self._progress: tuple[object, Progress] | None = None

    def look(self) -> None:
        """Take a new snapshot."""
        # What is being written may be unreadable just now; the next look is soon.
        with contextlib.suppress(StudyError, OSError, json.JSONDecodeError):
            progress = self._current()
            self.snapshot = progress.snapshot()
            self.plan = progress.plan

    def _current(self) -> Progress:
        """Progress of the plan, which trials and a chosen final model change on the way."""
        name = self.results / "config.json"
        steps = (self.results / searches.FOLDER).glob("*/*.json")
        known = (
            name.stat().st_mtime_ns,
            choice.read_choice(self.results / choice.NAME),
            sorted(steps),
            job_logs.calls(self.results),
        )
        if self._progress is None or self._progress[0] != known:
            settings = config.validated(json.loads(name.read_text(encoding="utf-8")), str(name))
            resolved = resolve(settings, known[1], searches.history_in(self.results))
            dataset = datasets.describe(resolved.dataset)
            learning = fingerprint.learning(
                dataset.digest, resolved.validation, dataset.outputs, resolved.model, dataset.task
            )
            self._progress = known, Progress(resolved, self.results / "runs", learning)
        return self._progress[1]
