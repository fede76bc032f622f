"""What a training job is asked to do, and about what it takes."""

import math

from study.learning.layout import parameters_width
from study.runs.completeness import Standing
from study.spec.plan import Run

# Of the order of every data set like MNIST; the plan does not open the data.
FEATURES, CLASSES, IMAGES = 784, 10, 60_000

# A slow core: products in FLOP/s, and seconds of overhead for each step of a stack.
SLOW_RATE, SLOW_STEP = 10e9, 2e-3

# Megabytes of a process that has imported torch, and bytes for each parameter of a replicate:
# itself, its gradient, the optimizer's state and the copies that are saved.
PROCESS_MB, BYTES_PER_PARAMETER = 600, 4 * 8

# Megabytes that CUDA takes on the host for itself; a round figure, not measured.
CUDA_MB = 2000


# Minutes of a job's time limit beside the bound on its work.
MARGIN = 10


def _parameters(run: Run) -> int:
    return parameters_width([FEATURES, *run.settings["hidden"], CLASSES])


def seconds(run: Run) -> float:
    """Time that the whole run would take on a slow core: an order for jobs, and a bound."""
    # Forward, weight gradient and input gradient are a product each; evaluation is a third more.
    products = 8 * _parameters(run) * IMAGES * len(run.seeds)
    steps = math.ceil(IMAGES / run.settings["batch_size"])
    return run.epochs * (products / SLOW_RATE + steps * SLOW_STEP)


def runtime_minutes(run: Run) -> int:
    """A time limit for the job."""
    return MARGIN + math.ceil(seconds(run) / 60)


def memory_mb(run: Run, device: str) -> int:
    """A memory limit for the job, where the config says `device`."""
    parameters = len(run.seeds) * _parameters(run)
    process = PROCESS_MB + (0 if device == "cpu" else CUDA_MB)
    return process + math.ceil(parameters * BYTES_PER_PARAMETER / 2**20)


def request(run: Run, found: Standing) -> list[str]:
    """The words of train.py that say how much of the run is wanted.

    Where a finished run has all of it already, they are the words that it was made with: a
    smaller wish then changes no parameter of the job, and Snakemake has nothing to do.
    """
    if found.made is not None and found.epochs == 0:
        return _words(**found.made)
    return _words(run.seeds, run.epochs, run.kept_epochs)


def _words(seeds: list[int], epochs: int, kept_epochs: list[int]) -> list[str]:
    words = ["--seeds", *map(str, seeds), "--epochs", str(epochs)]
    if kept_epochs:
        words += ["--keep-epochs", *map(str, kept_epochs)]
    return words
