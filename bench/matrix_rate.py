"""How fast this machine does the study's matrix products in float32, one process on each core.

By the library that training would take here: the fastest of those that are right.
"""

import argparse
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import torch

from machine import available_cores
from output import write_json
from peer import ROOT
from reference_study import TRAINING_IMAGES, TRAININGS, Training, shared

sys.path.insert(0, str(ROOT / "scripts"))

from study.runs import arithmetic, libraries, product_library

BLOCKS = 5
BLOCK_SECONDS = 0.02


def products(training: Training) -> Iterator[tuple[int, Callable[[], object]]]:
    """The matrix products of one training step: operations of each, and a call that does it."""
    for index, (inputs, outputs) in enumerate(training.layers):
        rows = torch.randn(training.batch_size, inputs)
        weights = torch.randn(outputs, inputs)
        gradients = torch.randn(training.batch_size, outputs)
        flop = 2 * training.batch_size * inputs * outputs
        yield flop, lambda a=rows, b=weights: a @ b.t()
        yield flop, lambda a=gradients, b=rows: a.t() @ b
        if index > 0:
            yield flop, lambda a=gradients, b=weights: a @ b


def seconds_a_call(call: Callable[[], object]) -> float:
    """The fastest of several blocks, so that a disturbance does not count."""
    repeats, block = 1, 0.0
    while block < BLOCK_SECONDS:
        repeats *= 2
        block = _seconds(call, repeats)
    return min(_seconds(call, repeats) for _ in range(BLOCKS)) / repeats


def _seconds(call: Callable[[], object], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return time.perf_counter() - start


def measure_core(_: int) -> tuple[float, dict[tuple, float]]:
    """On one core: the fastest product's operations a second, and seconds a step of each shape."""
    fastest = 0.0
    steps = {}
    for training in TRAININGS:
        shape = (training.hidden, training.batch_size)
        if shape not in steps:
            times = [(flop, seconds_a_call(call)) for flop, call in products(training)]
            fastest = max(fastest, *(flop / seconds for flop, seconds in times))
            steps[shape] = sum(seconds for _, seconds in times)
    return fastest, steps


def measure(cores: int) -> dict[str, Any]:
    """All cores at once.

    `library` is what multiplies, and `gflop_per_second` the rate of the fastest of the products on
    every core together; `trainings_seconds` and `shared_seconds` are what the study's products take
    at their own rates, spread evenly over the cores.
    """
    library = product_library.chosen(libraries.AUTO, "float32")
    context = multiprocessing.get_context("spawn")
    with context.Pool(cores, _start_together, [context.Barrier(cores), library]) as pool:
        results = pool.map(measure_core, range(cores), chunksize=1)

    def seconds(trainings: list[Training]) -> float:
        return sum(
            training.epochs
            * (TRAINING_IMAGES / training.batch_size)
            * statistics.mean(steps[training.hidden, training.batch_size] for _, steps in results)
            / cores
            for training in trainings
        )

    return {
        "cores": cores,
        "library": library,
        "gflop_per_second": sum(fastest for fastest, _ in results) / 1e9,
        "trainings_seconds": seconds(TRAININGS),
        "shared_seconds": seconds(shared(TRAININGS)),
    }


def _start_together(barrier: Barrier, library: str) -> None:
    arithmetic.settle(library)
    barrier.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--cores", type=int, default=len(available_cores()), metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rates here as well")
    options = parser.parse_args()
    result = measure(options.cores)
    for name, value in result.items():
        print(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")
    if options.json:
        write_json(options.json, result)


if __name__ == "__main__":
    main()
