"""Times the workflow against its peers: same study, same cores, one after another."""

import argparse
import contextlib
import datetime
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

import machine
import page
from measure import CommandFailedError, Measured, run
from output import write_json
from results import DATA_LOADER, IN_MEMORY, OPTUNA, RAY_TUNE, earlier, ours

BENCH = Path(__file__).parent
ROOT = BENCH.parent
DATA = Path("results/data/FashionMNIST")

# The peers' own packages are there, and those of this environment.
PEERS_PYTHON = BENCH / ".venv/bin/python"

PROGRAMS = {
    IN_MEMORY: "in_memory.py",
    RAY_TUNE: "ray_tune.py",
    OPTUNA: "optuna_joblib.py",
    DATA_LOADER: "data_loader.py",
}

# Added to the experiment of the same name of a finished study.
ADDED = ("learning_rate", 0.03)

# A trial shows in minutes that everything runs.
TRIAL_EPOCHS = 1


def study(
    seeds: int, added: bool = False, trial: bool = False, root: Path = ROOT
) -> dict[str, Any]:
    """The default study with `seeds`, perhaps with one value more, perhaps for a few epochs.

    As the clone at `root` writes it: an earlier commit does not know every key of today.
    """
    config = YAML(typ="safe").load(root / "config.yaml")
    config["seeds"] = seeds
    setting, value = ADDED
    if added:
        config["experiments"][setting]["vary"][setting].append(value)
    if trial:
        config["baseline"]["epochs"] = config["final"]["epochs"] = TRIAL_EPOCHS
        config["experiments"]["epochs"]["vary"]["epochs"] = [TRIAL_EPOCHS]
    return config


def configure(folder: Path, config: dict[str, Any]) -> Path:
    """Write `config` into `folder`; JSON is YAML too."""
    path = folder / "study.yaml"
    write_json(path, config)
    return path


def snakemake(target: str, folder: Path, cores: int, root: Path = ROOT) -> list[object]:
    """The command that makes `target` of the study that `folder` has the config of."""
    command = [sys.executable, "-m", "snakemake", target, "--snakefile", root / "Snakefile"]
    return [
        *command,
        "--directory",
        folder,
        "--cores",
        cores,
        "--configfile",
        folder / "study.yaml",
    ]


def prepare(folder: Path, data: Path | None, cores: int, root: Path = ROOT) -> None:
    """Have the workflow verify the data in `folder`, from the files in `data` if there are any."""
    folder.mkdir()
    if data:
        shutil.copytree(data, folder / DATA)
    configure(folder, study(1, root=root))
    run(snakemake("data", folder, cores, root), folder / "data.log", root)


class AnotherStudyError(Exception):
    """An earlier commit whose default study is not today's."""


def check_same_study(root: Path, commit: str) -> None:
    """Raises AnotherStudyError where the clone at `root` trains something else by default."""
    now, before = study(1), study(1, root=root)
    for key in ("baseline", "experiments", "final"):
        if now.get(key) != before.get(key):
            raise AnotherStudyError(
                f"--against {commit}: `{key}` of its config.yaml is not today's; nothing to compare"
            )


def git(*words: object, root: Path = ROOT) -> str:
    """What git prints; raises CalledProcessError where it refuses."""
    command = ["git", *map(str, words)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit_of(revision: str, root: Path = ROOT) -> str:
    """The short name of a commit; raises ArgumentTypeError where there is no such one."""
    try:
        # A name that begins with `-` is no option.
        words = ("--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return git("rev-parse", "--short=7", *words, root=root)
    except (OSError, subprocess.CalledProcessError):
        raise argparse.ArgumentTypeError(f"{revision}: no commit of this repository") from None


@contextlib.contextmanager
def checked_out(commit: str, folder: Path, root: Path = ROOT) -> Iterator[Path]:
    """The code at `commit` in `folder`, a worktree that is removed afterwards."""
    git("worktree", "add", "--detach", folder, commit, root=root)
    try:
        yield folder
    finally:
        git("worktree", "remove", "--force", folder, root=root)


def scaled(measured: Measured, times: dict[str, Any]) -> Measured:
    """What a peer takes with every training at its full number of epochs.

    `times` is the peer's JSON. Start-up, which is what the command took beyond its trainings,
    counts once.
    """
    trainings = times["trainings"]
    trained = sum(training["seconds"] for training in trainings) / times["at_once"]
    whole = sum(training["seconds_an_epoch"] * training["epochs"] for training in trainings)
    whole /= times["at_once"]
    return measured.times((measured.seconds - trained + whole) / measured.seconds)


class Benchmark:
    """Runs every way on the same prepared data, each in a folder of its own.

    `before` is the code at the commit that is measured too, if any.
    """

    def __init__(self, folder: Path, options: argparse.Namespace, before: Path | None = None):
        self.folder = folder
        self.options = options
        self.before = before
        self.prepared = folder / "prepared"
        prepare(self.prepared, options.data, options.cores)
        if before:
            check_same_study(before, options.against)
            # By its own programs: what they leave beside the files may differ.
            prepare(folder / "prepared-before", self.prepared / DATA, options.cores, before)

    def json_of(self, program: str, *words: object, python: object = sys.executable) -> Any:
        """Run a program of bench/ in a process of its own, and read the JSON that it writes.

        A child's peak memory begins at the size of the process that forks it, so that this one
        stays small: it imports neither torch nor pyarrow.
        """
        path = self.folder / "result.json"
        run([python, BENCH / program, *words, "--json", path], self.folder / "program.log", ROOT)
        return json.loads(path.read_text(encoding="utf-8"))

    def rate(self) -> dict[str, float]:
        return self.json_of("matrix_rate.py", "--cores", self.options.cores)

    def shares(self, seeds: int) -> Path:
        """The file with evaluation's part of the time under so many seeds."""
        words = ["--data", self.prepared / DATA, "--seeds", seeds, "--cores", self.options.cores]
        path = self.folder / f"shares-{seeds}.json"
        write_json(path, self.json_of("evaluation.py", *words))
        return path

    def peer(self, way: str) -> Measured:
        """Run a peer, and scale its trainings to all their epochs if it was asked for fewer."""
        times = self.folder / "times.json"
        words = ["--data", self.prepared / DATA, "--cores", self.options.cores, "--json", times]
        if self.options.trial or (way == DATA_LOADER and not self.options.full):
            words += ["--max-epochs", 1]
        python = PEERS_PYTHON if way in (RAY_TUNE, OPTUNA) else sys.executable
        measured = run([python, BENCH / PROGRAMS[way], *words], self.folder / "peer.log", ROOT)
        return scaled(measured, json.loads(times.read_text(encoding="utf-8")))

    def workflow(self, seeds: int, shares: Path) -> tuple[Measured, dict[str, Any], Path]:
        """The study from nothing to its report, where its time went, and its folder."""
        folder = self.folder / f"study-{seeds}"
        shutil.copytree(self.prepared, folder)
        configure(folder, study(seeds, trial=self.options.trial))
        began = time.time()
        measured = self.report(folder)
        return measured, self.split(folder, shares, began, time.time()), folder

    def workflow_before(self, seeds: int) -> Measured:
        """The study from nothing to its report, by the programs of the earlier commit."""
        assert self.before
        folder = self.folder / f"study-before-{seeds}"
        shutil.copytree(self.folder / "prepared-before", folder)
        configure(folder, study(seeds, trial=self.options.trial, root=self.before))
        measured = self.report(folder, self.before)
        shutil.rmtree(folder)
        return measured

    def report(self, folder: Path, root: Path = ROOT) -> Measured:
        command = snakemake("report", folder, self.options.cores, root)
        return run(command, folder / "workflow.log", root)

    def split(self, folder: Path, shares: Path, began: float, ended: float) -> dict[str, Any]:
        words = ["--shares", shares, "--began", began, "--ended", ended]
        return self.json_of("split.py", folder, *words, "--cores", self.options.cores)

    def extension(self, folder: Path, shares: Path, seeds: int) -> dict[str, float]:
        """A finished study with one value more: seconds to its report, and to see its plan."""
        known = {path.name for path in (folder / "results/runs").iterdir()}
        config = configure(folder, study(seeds, added=True, trial=self.options.trial))
        command = [sys.executable, ROOT / "scripts/show_plan.py", "--configfile", config]
        plan = run(command, folder / "plan.log", folder)
        began = time.time()
        measured = self.report(folder)
        epochs = self.split(folder, shares, began, time.time())["epochs"]
        return {
            "plan_seconds": plan.seconds,
            "seconds": measured.seconds,
            "epochs_seconds": sum(time for name, time in epochs.items() if name not in known),
        }


def order(ways: list[str], number: int) -> list[str]:
    """The ways of round `number`, counted from 0: each round begins with another one."""
    first = number % len(ways)
    return ways[first:] + ways[:first]


def measure_round(benchmark: Benchmark, number: int, shares: dict[int, Path]) -> dict[str, Any]:
    """Every way once, one after another."""
    options = benchmark.options
    of_seeds = {ours(seeds): seeds for seeds in options.seeds}
    commits = [options.against] if options.against else []
    before = {earlier(commit, seeds): seeds for commit in commits for seeds in options.seeds}
    peers = [way for way in PROGRAMS if way not in options.skip]
    ways = order([*of_seeds, *before, *peers], number)
    rate = benchmark.rate()
    print(
        f"round {number + 1}: {', '.join(ways)}; {rate['gflop_per_second']:.0f} GFLOP/s", flush=True
    )
    found: dict[str, Any] = {"rate": rate, "order": ways, "measured": {}, "split": {}}
    found["extension"] = None
    for way in ways:
        if way in of_seeds:
            seeds = of_seeds[way]
            measured, where, folder = benchmark.workflow(seeds, shares[seeds])
            found["split"][way] = where["parts"]
            if seeds == max(options.seeds):
                found["extension"] = benchmark.extension(folder, shares[seeds], seeds)
            shutil.rmtree(folder)
        elif way in before:
            measured = benchmark.workflow_before(before[way])
        else:
            measured = benchmark.peer(way)
        found["measured"][way] = asdict(measured)
        print(f"  {way}: {measured.seconds:.1f} s", flush=True)
    return found


def commit() -> str:
    """The commit of the code, `-dirty` where files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    available = machine.available_cores()
    parser.add_argument("--cores", type=int, default=len(available), metavar="N")
    parser.add_argument(
        "--seeds",
        type=int,
        nargs="+",
        default=[1, 5],
        metavar="N",
        help="studies of so many seeds; a peer's time for one seed is multiplied (default: 1 5)",
    )
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="rounds (default: 1)")
    parser.add_argument(
        "--skip", nargs="+", default=[], choices=PROGRAMS, metavar="WAY", help="leave these out"
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="run every epoch of the DataLoader script (40 minutes and more), instead of one epoch "
        "of each training, scaled",
    )
    parser.add_argument(
        "--trial",
        action="store_true",
        help="one epoch of each training, to see that everything runs; the figures mean nothing",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        default=ROOT / DATA if (ROOT / DATA).is_dir() else None,
        help="files of an earlier run to start from (default: results/data/FashionMNIST if it is "
        "there, else the workflow fetches them)",
    )
    parser.add_argument(
        "--against",
        type=commit_of,
        metavar="REV",
        help="measure the workflow of this earlier commit too, in the same rounds",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here as well")
    options = parser.parse_args()
    if not 1 <= options.cores <= len(available):
        parser.error(f"--cores {options.cores}: this process may use {len(available)}")
    if min(options.seeds) < 1 or options.repeat < 1:
        parser.error("--seeds and --repeat begin at 1")
    if not {RAY_TUNE, OPTUNA} <= set(options.skip) and not PEERS_PYTHON.exists():
        parser.error("Ray Tune and Optuna are not installed: `make bench` does it, or --skip them")
    return options


def main() -> None:
    options = parse_arguments()
    # The workflow's rules call `python`.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    machine.keep_to(machine.available_cores()[: options.cores])
    description = machine.describe(options.cores)
    for name, text in description.items():
        print(f"{name}: {text}", flush=True)

    content: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "against": options.against,
        "trial": options.trial,
        "machine": description,
        "cores": options.cores,
        "seeds": sorted(set(options.seeds)),
        "data_loader_scaled": options.trial or not options.full,
        "rounds": [],
    }
    try:
        with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
            before = None
            if options.against:
                before = stack.enter_context(checked_out(options.against, Path(name) / "before"))
            benchmark = Benchmark(Path(name), options, before)
            shares = {seeds: benchmark.shares(seeds) for seeds in content["seeds"]}
            for number in range(options.repeat):
                content["rounds"].append(measure_round(benchmark, number, shares))
                if options.json:
                    write_json(options.json, content)
    except (CommandFailedError, AnotherStudyError) as error:
        sys.exit(f"error: {error}")
    print(f"\n{page.text(content)}")


if __name__ == "__main__":
    main()
