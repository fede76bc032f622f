"""Seconds that each export takes for a study of many runs, which are made up."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import madeup_search
from study.commands.export_results import EXPORTS

PROGRAM = Path(__file__).resolve().parents[1] / "scripts" / "export_results.py"


def write_study(results: Path, runs: int, epochs: int, seeds: int) -> None:
    """A search of so many trials, each of whose runs has all seeds in the metrics."""
    madeup_search.write(results, runs, epochs, 1, halving=False)
    metrics = pq.read_table(results / "metrics.parquet")
    place = metrics.column_names.index("seed")
    copies = [
        metrics.set_column(place, "seed", pa.array([seed] * metrics.num_rows))
        for seed in range(seeds)
    ]
    pq.write_table(pa.concat_tables(copies), results / "metrics.parquet")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=1)
    # Its own client writes one run after another, 10,000 in a quarter of an hour.
    default = [tool for tool in EXPORTS if tool != "wandb"]
    parser.add_argument("--to", nargs="+", choices=EXPORTS, default=default)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "study" / "results"
        write_study(results, options.runs, options.epochs, options.seeds)
        for tool in options.to:
            command = [sys.executable, PROGRAM, "--to", tool, "--results", results]
            before, start = os.times(), time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds, after = time.perf_counter() - start, os.times()
            processor = after.children_user + after.children_system
            processor -= before.children_user + before.children_system
            print(f"{tool:12} {seconds:6.1f} s, {processor:6.1f} s of the processor", flush=True)


if __name__ == "__main__":
    main()
