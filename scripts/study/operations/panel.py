"""A panel at the foot of the terminal: how far the study is, while it runs."""

import contextlib
import json
import time
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.text import Text

from study.data import datasets
from study.operations import status
from study.operations.progress import Progress, Snapshot
from study.runs import fingerprint
from study.spec import choice, config, searches
from study.spec.resolution import resolve
from study.support.errors import StudyError

# A look at the runs comes so many seconds after the last one, and takes less than one part in
# `SHARE` of the time.
PERIOD, SHARE = 2.0, 20

# Lines of the terminal that are kept free above a panel full of runs.
FREE_LINES = 8


class Panel:
    """Shows, on stderr, the study whose resolved configuration is in `results`/config.json."""

    def __init__(self, results: Path):
        self.results = results
        self.console = Console(stderr=True)
        self.live: Live | None = None
        self.jobs: dict[int, str] = {}
        self._progress: tuple[object, Progress] | None = None
        self._snapshot: Snapshot | None = None
        self._due = 0.0

    def begin(self, job: int, step: str) -> None:
        """Show that `job` is at work on a step of the study; from the first one on, the panel."""
        self.jobs[job] = step
        if self.live is None:
            self.live = Live(
                console=self.console,
                get_renderable=self.picture,
                refresh_per_second=1,
                transient=True,
            )
            self.live.start()

    def end(self, job: int) -> None:
        self.jobs.pop(job, None)

    def tell(self, text: str) -> None:
        """Print `text` above the panel."""
        self.console.print(Text(text), soft_wrap=True)

    def close(self) -> None:
        """Take the panel away."""
        if self.live is not None:
            self.live.stop()

    def picture(self) -> Group:
        """The panel as it is to be drawn now."""
        if time.monotonic() >= self._due:
            start = time.monotonic()
            # What is being written may be unreadable just now; the next look is soon.
            with contextlib.suppress(StudyError, OSError):
                self._snapshot = self._current().snapshot()
            self._due = start + max(PERIOD, SHARE * (time.monotonic() - start))
        if self._snapshot is None:
            return Group(Text("looking at what is there"))
        snapshot = self._snapshot
        rows = max(1, self.console.height - FREE_LINES)
        lines = [
            status.counts(snapshot),
            status.table(snapshot, self._progress[1].plan.baseline, rows),
            _steps(list(self.jobs.values())),
        ]
        text = Text("\n".join(filter(None, lines)), no_wrap=True, overflow="ellipsis")
        # A bar alone does not end its line.
        bar = Padding(ProgressBar(total=max(1, snapshot.wanted), completed=snapshot.done), 0)
        return Group(bar, text)

    def _current(self) -> Progress:
        """Progress of the plan, which trials and a chosen final model change on the way."""
        steps = (self.results / searches.FOLDER).glob("*/*.json")
        chosen = choice.read_choice(self.results / choice.NAME), sorted(steps)
        if self._progress is None or self._progress[0] != chosen:
            name = self.results / "config.json"
            settings = config.validated(json.loads(name.read_text(encoding="utf-8")), str(name))
            resolved = resolve(settings, chosen[0], searches.history_in(self.results))
            dataset = datasets.describe(resolved.dataset)
            learning = fingerprint.learning(
                dataset.digest, resolved.validation, dataset.outputs, resolved.model, dataset.task
            )
            self._progress = chosen, Progress(resolved, self.results / "runs", learning)
        return self._progress[1]


def _steps(names: Iterable[str]) -> str:
    """What is at work beside training."""
    others = dict.fromkeys(name for name in names if name != "train")
    return f"at work: {', '.join(others)}" if others else ""
