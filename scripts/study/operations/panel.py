"""A panel at the foot of the terminal: how far the study is, while it runs."""

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.text import Text

from study.operations import status
from study.operations.watching import Pace, Watched

# Lines of the terminal that are kept free above a panel full of runs.
FREE_LINES = 8


class Panel:
    """Shows, on stderr, the study whose resolved configuration is in `results`/config.json."""

    def __init__(self, results: Path):
        self.watched = Watched(results)
        self.pace = Pace()
        self.console = Console(stderr=True)
        self.live: Live | None = None
        self.jobs: dict[int, str] = {}

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
        if self.pace.is_due:
            with self.pace.look():
                self.watched.look()
        snapshot = self.watched.snapshot
        if snapshot is None:
            return Group(Text("looking at what is there"))
        rows = max(1, self.console.height - FREE_LINES)
        lines = [
            status.counts(snapshot),
            status.table(snapshot, self.watched.plan.baseline, rows),
            _steps(list(self.jobs.values())),
        ]
        text = Text("\n".join(filter(None, lines)), no_wrap=True, overflow="ellipsis")
        # A bar alone does not end its line.
        bar = Padding(ProgressBar(total=max(1, snapshot.wanted), completed=snapshot.done), 0)
        return Group(bar, text)


def _steps(names: Iterable[str]) -> str:
    """What is at work beside training."""
    others = dict.fromkeys(name for name in names if name != "train")
    return f"at work: {', '.join(others)}" if others else ""
