"""Times the workflow against two scripts by hand: same study, same cores, one after another."""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import machine
from output import table, write_json
from reference_study import TRAININGS, shared

BENCH = Path(__file__).parent
ROOT = BENCH.parent
DATA = Path("results/data/FashionMNIST")

OURS, IN_MEMORY, DATA_LOADER = "workflow", "in memory", "DataLoader"


@dataclass(frozen=True)
class Measured:
    """One command: wall-clock seconds, seconds of all cores, and MB of its largest process."""

    seconds: float
    core_seconds: float
    peak_mb: float

    def times(self, factor: float) -> "Measured":
        """As long as `factor` such commands one after another."""
        return replace(self, seconds=self.seconds * factor, core_seconds=self.core_seconds * factor)


Round = dict[str, Measured]


def run(command: list[Any], log: Path) -> Measured:
    """Run a command to its end, its output in `log`; end the benchmark where it fails."""
    start = time.perf_counter()
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            list(map(str, command)), cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
        )
        # Not `process.wait()`: only wait4 tells what this command and its children used.
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        last_lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-10:]
        sys.exit("\n".join([f"error: this failed: {' '.join(map(str, command))}", *last_lines]))
    return Measured(
        seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * machine.MAXRSS_BYTES / 1e6
    )


def snakemake(target: str, folder: Path, cores: int, seeds: int) -> list[Any]:
    """The command that makes `target` in `folder` from the default config."""
    command = [sys.executable, "-m", "snakemake", target, "--snakefile", ROOT / "Snakefile"]
    return [*command, "--directory", folder, "--cores", cores, "--config", f"seeds={seeds}"]


def prepare(folder: Path, data: Path | None, cores: int, seeds: int) -> None:
    """Have the workflow verify the data in `folder`, from the files in `data` if there are any."""
    folder.mkdir()
    if data:
        shutil.copytree(data, folder / DATA)
    run(snakemake("data", folder, cores, seeds), folder / "data.log")


def measure_peer(program: str, folder: Path, data: Path, cores: int, *options: Any) -> Measured:
    """Run a peer, and scale its trainings to all their epochs if it was asked for fewer."""
    times = folder / "times.json"
    command = [sys.executable, BENCH / program, "--data", data, "--threads", cores]
    measured = run([*command, "--json", times, *options], folder / "peer.log")
    return scaled(measured, json.loads(times.read_text(encoding="utf-8"))["trainings"])


def scaled(measured: Measured, trainings: list[dict[str, Any]]) -> Measured:
    """What the command takes with every training at its full number of epochs.

    Start-up, which is what the command took beyond its trainings, counts once.
    """
    trained = sum(training["seconds"] for training in trainings)
    whole = sum(training["seconds_an_epoch"] * training["epochs"] for training in trainings)
    return measured.times((measured.seconds - trained + whole) / measured.seconds)


def measure_round(prepared: Path, options: argparse.Namespace) -> Iterator[tuple[str, Measured]]:
    """Every way once, in folders of its own that are gone afterwards."""
    with tempfile.TemporaryDirectory(dir=prepared.parent) as name:
        folder = Path(name)
        shutil.copytree(prepared, folder / "study")
        command = snakemake("report", folder / "study", options.cores, options.seeds)
        yield OURS, run(command, folder / "workflow.log")
        shared_options = (folder, prepared / DATA, options.cores)
        in_memory = measure_peer("in_memory.py", *shared_options)
        yield IN_MEMORY, in_memory.times(options.seeds)
        if not options.skip_data_loader:
            limit = () if options.full else ("--max-epochs", 1)
            data_loader = measure_peer("data_loader.py", *shared_options, *limit)
            yield DATA_LOADER, data_loader.times(options.seeds)


def median(rounds: list[Round], way: str, quantity: str) -> float:
    return statistics.median(getattr(measured[way], quantity) for measured in rounds)


def times_table(rounds: list[Round]) -> str:
    """Seconds, core seconds and peak memory of each way, medians over the rounds."""
    rows = [
        [
            way,
            f"{median(rounds, way, 'seconds'):.1f}",
            f"{median(rounds, way, 'core_seconds'):.1f}",
            f"{median(rounds, way, 'peak_mb'):.0f}",
        ]
        for way in rounds[0]
    ]
    return table(["way", "seconds", "core seconds", "largest process (MB)"], rows)


def ratios(rounds: list[Round]) -> dict[str, list[float]]:
    """Ratios of seconds, one for each round: within a round the machine was the same."""
    pairs = [(OURS, IN_MEMORY), (IN_MEMORY, OURS), (DATA_LOADER, OURS), (DATA_LOADER, IN_MEMORY)]
    return {
        f"{way} / {other}": [measured[way].seconds / measured[other].seconds for measured in rounds]
        for way, other in pairs
        if {way, other} <= rounds[0].keys()
    }


def ratios_table(rounds: list[Round]) -> str:
    rows = [
        [
            name,
            *(f"{number:.2f}" for number in (statistics.median(values), min(values), max(values))),
        ]
        for name, values in ratios(rounds).items()
    ]
    return table(["seconds of", "median", "least", "most"], rows)


def limits(rate: dict[str, float], seeds: int) -> list[dict[str, Any]]:
    """The study's arithmetic, as separate and as shared trainings, at the measured rate.

    Evaluation is stated apart: it is no part of `seconds`, nor of `seconds_at_own_rates`.
    """
    rows = []
    for work, trainings, own_rates in [
        ("separate trainings", TRAININGS, rate["trainings_seconds"]),
        ("equal ones shared", shared(TRAININGS), rate["shared_seconds"]),
    ]:
        flop = seeds * sum(training.flop for training in trainings)
        evaluation_flop = seeds * sum(training.evaluation_flop for training in trainings)
        rows.append(
            {
                "work": work,
                "trainings": len(trainings),
                "epochs": seeds * sum(training.epochs for training in trainings),
                "training_tflop": flop / 1e12,
                "evaluation_tflop": evaluation_flop / 1e12,
                "seconds": flop / (1e9 * rate["gflop_per_second"]),
                "seconds_at_own_rates": seeds * own_rates,
            }
        )
    return rows


def limits_table(rows: list[dict[str, Any]]) -> str:
    header = [
        "arithmetic",
        "trainings",
        "epochs",
        "training TFLOP",
        "evaluation TFLOP",
        "limit (s)",
        "at own rates (s)",
    ]
    cells = [
        [
            row["work"],
            f"{row['trainings']}",
            f"{row['epochs']}",
            f"{row['training_tflop']:.2f}",
            f"{row['evaluation_tflop']:.2f}",
            f"{row['seconds']:.0f}",
            f"{row['seconds_at_own_rates']:.0f}",
        ]
        for row in rows
    ]
    return table(header, cells)


def measure_rate(folder: Path, cores: int) -> dict[str, float]:
    """In a process of its own: torch must not be in this one's memory.

    A child's peak memory begins at the size of the process that forks it.
    """
    rate = folder / "rate.json"
    command = [sys.executable, BENCH / "matrix_rate.py", "--cores", cores, "--json", rate]
    run(command, folder / "rate.log")
    return json.loads(rate.read_text(encoding="utf-8"))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    available = machine.available_cores()
    parser.add_argument("--cores", type=int, default=len(available), metavar="N")
    parser.add_argument(
        "--seeds",
        type=int,
        default=1,
        metavar="N",
        help="seeds of the workflow; the scripts' times for one are multiplied by N (default: 1)",
    )
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="rounds (default: 1)")
    parser.add_argument("--skip-data-loader", action="store_true")
    parser.add_argument(
        "--full",
        action="store_true",
        help="run every epoch of the DataLoader script (40 minutes and more), instead of one epoch "
        "of each training, scaled",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        default=ROOT / DATA if (ROOT / DATA).is_dir() else None,
        help="files of an earlier run to start from (default: results/data/FashionMNIST if it is "
        "there, else the workflow fetches them)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here as well")
    options = parser.parse_args()
    if not 1 <= options.cores <= len(available):
        parser.error(f"--cores {options.cores}: this process may use {len(available)}")
    if options.seeds < 1 or options.repeat < 1:
        parser.error("--seeds and --repeat begin at 1")
    return options


def main() -> None:
    options = parse_arguments()
    machine.keep_to(machine.available_cores()[: options.cores])
    description = machine.describe(options.cores)
    for name, text in description.items():
        print(f"{name}: {text}", flush=True)

    rounds: list[Round] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rate = measure_rate(folder, options.cores)
        print(f"matrix products: {rate['gflop_per_second']:.0f} GFLOP/s\n", flush=True)
        prepared = folder / "prepared"
        prepare(prepared, options.data, options.cores, options.seeds)
        for number in range(options.repeat):
            measured: Round = {}
            for way, result in measure_round(prepared, options):
                measured[way] = result
                print(f"round {number + 1}: {way} {result.seconds:.1f} s", flush=True)
            rounds.append(measured)

    limit_rows = limits(rate, options.seeds)
    print(f"\nThe whole study, seeds: {options.seeds}, medians of rounds: {options.repeat}.")
    if options.seeds > 1:
        print(f"The scripts ran one seed; their seconds are multiplied by {options.seeds}.")
    if not options.skip_data_loader and not options.full:
        print("The DataLoader script ran one epoch of each training; its seconds are scaled.")
    print(f"\n{times_table(rounds)}\n\n{ratios_table(rounds)}\n\n{limits_table(limit_rows)}")
    distance = median(rounds, OURS, "seconds") / limit_rows[-1]["seconds"]
    print(f"\nThe workflow takes {distance:.1f} times the limit of the shared trainings.")

    if options.json:
        content = {
            "machine": description,
            "seeds": options.seeds,
            "data_loader_scaled": not options.full,
            "matrix_rate": rate,
            "limits": limit_rows,
            "rounds": [
                {way: asdict(result) for way, result in measured.items()} for measured in rounds
            ],
            "ratios": ratios(rounds),
        }
        write_json(options.json, content)


if __name__ == "__main__":
    main()
