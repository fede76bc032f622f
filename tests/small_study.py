"""A small study on made-up images, run by the real Snakefile in a folder of its own."""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
from ruamel.yaml import YAML

import forkserver
from mnistlike import write_dataset

ROOT = Path(__file__).parents[1]

CLASSES = ["zero", "one", "two", "three"]

# As small as a study can be that still has every kind of figure and table.
STUDY = {
    "data": {"dataset": "data/mnistlike.yaml", "sources": ["data"]},
    "seeds": 2,
    "baseline": {
        "learning_rate": 0.1,
        "dropout": 0.2,
        "hidden": [16, 8],
        "batch_size": 50,
        "epochs": 2,
    },
    "experiments": {"dropout": {"vary": {"dropout": [0.0, 0.2]}}},
    "report": {"languages": ["en"]},
}


# A file in a study's folder with the number of an epoch, after which training waits.
HOLD = "hold"

WAITING = f"""

_save_if_due = Saver.save_if_due


def _save_and_wait(saver, state):
    _save_if_due(saver, state)
    epochs = min(replicate.epochs for replicate in state.replicates.values())
    while True:
        try:
            wanted = int(Path("{HOLD}").read_text())
        except FileNotFoundError:
            return
        if epochs < wanted:
            return
        time.sleep(0.02)


Saver.save_if_due = _save_and_wait
"""


@dataclass
class Result:
    """How one call of Snakemake ended: its exit code, what it printed, and its jobs by rule."""

    returncode: int
    output: str

    @property
    def jobs(self) -> dict[str, int]:
        table = self.output.partition("Job stats:")[2].partition("total")[0]
        return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.M)}


class Study:
    """A folder with a config, the data set and its results."""

    def __init__(self, folder: Path, snakefile: Path = ROOT / "Snakefile"):
        self.folder = folder
        self.snakefile = snakefile
        if not (folder / "data").exists():
            write_dataset(folder / "data", classes=CLASSES, train=600, test=200, side=8)

    def copy(self, folder: Path) -> "Study":
        """The same study, with all its results, in another folder."""
        shutil.copytree(self.folder, folder)
        return Study(folder, self.snakefile)

    def configure(self, **changes: object) -> dict:
        """Write config.yaml: the small study with `changes` at its top level; None drops a key."""
        wanted = {key: value for key, value in (STUDY | changes).items() if value is not None}
        config = json.loads(json.dumps(wanted))
        with (self.folder / "study.yaml").open("w", encoding="utf-8") as file:
            YAML().dump(config, file)
        return config

    def command(self, *words: str) -> list[str]:
        return [
            "snakemake",
            "--snakefile",
            str(self.snakefile),
            "--directory",
            str(self.folder),
            "--configfile",
            str(self.folder / "study.yaml"),
            "--cores",
            "2",
            *words,
        ]

    def run(self, *words: str, forked: bool = True, **environment: str) -> Result:
        """Call Snakemake; without `words`, for the report.

        It and its jobs are forks (tests/forkserver.py), or else real processes, as users start.
        """
        known = forkserver.environment() if forked else os.environ
        done = subprocess.run(
            self.command(*words),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # For a call that hangs; a busy machine may take minutes.
            timeout=1800,
            env=known | environment,
        )
        return Result(done.returncode, done.stdout)

    def ok(self, *words: str, forked: bool = True) -> Result:
        """Call Snakemake, which must succeed."""
        result = self.run(*words, forked=forked)
        assert result.returncode == 0, result.output
        return result

    def call(self, program: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Call one of our programs in the study's folder, as a fork."""
        return subprocess.run(
            ["python", program, *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env=forkserver.environment(),
        )

    def hold(self, epoch: int) -> None:
        """Have training, by the code of `copy_code_for_make`, wait after this epoch."""
        path = self.folder / HOLD
        path.with_suffix(".new").write_text(str(epoch))
        path.with_suffix(".new").rename(path)

    def release(self) -> None:
        """Have training wait no longer."""
        (self.folder / HOLD).unlink()

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def trained(self) -> list[tuple[str, int, tuple[int, ...]]]:
        """Every epoch ever trained, from the journals: run, epoch, seeds."""
        lines = []
        for path in sorted(self.results.glob("runs/*/journal.jsonl")):
            for line in path.read_text(encoding="utf-8").splitlines():
                entry = json.loads(line)
                lines.append((path.parent.name, entry["epoch"], tuple(entry["seeds"])))
        return lines

    def newly_trained(self, before: list) -> int:
        """Epochs of single replicates that have been trained since `before`."""
        count = sum(len(seeds) for *_, seeds in self.trained())
        return count - sum(len(seeds) for *_, seeds in before)

    def content(self) -> dict[str, object]:
        """What must be the same bytes: measures and weights of all runs, without times.

        Weights as a digest: pytest takes minutes to show how two files differ.
        """
        found: dict[str, object] = {}
        for folder in sorted(self.results.glob("runs/*")):
            record = pq.read_table(folder / "record.parquet").drop_columns("seconds")
            found[folder.name] = (
                record.replace_schema_metadata(None).to_pydict(),
                hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest(),
            )
        return found


def copy_code(folder: Path) -> None:
    """A clone of the program in `folder`, without its history, tests and results."""
    folders = ("profiles", "workflow", "scripts", "resources")
    for name in folders:
        # With what is compiled, which is valid there too, but for what is being written just now.
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.pyc.*"))
    for name in ("Snakefile", "config.yaml", "Makefile"):
        shutil.copy(ROOT / name, folder / name)


def copy_code_for_make(folder: Path) -> None:
    """The same, where `make` works too, and training waits where `Study.hold` says."""
    copy_code(folder)
    (folder / ".venv").symlink_to(sys.prefix)
    with (folder / "scripts/study/runs/replicates.py").open("a", encoding="utf-8") as file:
        file.write(WAITING)


def called_by_make(*arguments: str) -> list[str]:
    """The words with which `make report` and `arguments` call Snakemake, without a panel."""
    command = ["make", "-n", "report", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    [line] = [line for line in done.stdout.splitlines() if line.startswith("snakemake")]
    return shlex.split(re.sub(r"\$\(.*?\) ", "", line))
