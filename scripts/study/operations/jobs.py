"""What a training job is asked to do, and about what it takes."""

import math
from dataclasses import dataclass
from pathlib import Path

from study.data.base import Dataset
from study.learning.layout import parameters_width
from study.runs.completeness import Completeness
from study.spec.plan import Run
from study.spec.schemas import definitions
from study.support.errors import StudyError


@dataclass(frozen=True)
class Sizes:
    """What the work of a run depends on: numbers in an example, outputs, training examples."""

    features: int
    outputs: int
    examples: int


# Those of MNIST and its kind, as long as the data are not fetched.
ASSUMED = Sizes(784, 10, 60_000)

# A slow core: products in FLOP/s, and seconds of overhead for each step of a stack.
SLOW_RATE, SLOW_STEP = 10e9, 2e-3

# Megabytes of a process that has imported torch, and bytes for each parameter of a replicate:
# itself, its gradient, the optimizer's state and the copies that are saved.
PROCESS_MB, BYTES_PER_PARAMETER = 600, 4 * 8

# Megabytes that CUDA takes on the host for itself; a round figure, not measured.
CUDA_MB = 2000


# Assumed of modules of a file, which is not run to find out: multiplications of an example for each
# number in it, and parameters. The built-in cnn has 3,000 and 110,000 by default; a job that needs
# more is given more when it is tried again.
MODULE_MULTIPLICATIONS, MODULE_PARAMETERS = 20_000, 10_000_000

# Minutes of a job's time limit beside the bound on its work.
MARGIN = 10


def sizes(dataset: Dataset, folder: Path) -> Sizes:
    """The sizes of the data in `folder`, where they have been fetched."""
    try:
        data = dataset.load(folder)
        return Sizes(math.prod(data.inputs), len(data.targets), len(data.train))
    except (StudyError, OSError):  # damaged, which is found and told before any job
        return ASSUMED


def _parameters(run: Run, sizes: Sizes) -> int:
    if not _is_perceptron(run):
        return MODULE_PARAMETERS
    return parameters_width([sizes.features, *run.settings["hidden"], sizes.outputs])


def _multiplications(run: Run, sizes: Sizes) -> int:
    """Those of one example's way through the network."""
    if not _is_perceptron(run):
        return MODULE_MULTIPLICATIONS * sizes.features
    return _parameters(run, sizes)


def _is_perceptron(run: Run) -> bool:
    """Whether a run has the perceptron's settings: as good as knowing it, for estimates."""
    own = {name for name, schema in definitions().items() if "model" in schema}
    return own <= run.settings.keys()


def seconds(run: Run, sizes: Sizes) -> float:
    """Time that the whole run would take on a slow core: an order for jobs, and a bound."""
    # Forward, weight gradient and input gradient are a product each; evaluation is a third more.
    products = 8 * _multiplications(run, sizes) * sizes.examples * len(run.seeds)
    steps = math.ceil(sizes.examples / run.settings["batch_size"])
    return run.epochs * (products / SLOW_RATE + steps * SLOW_STEP)


def runtime_minutes(run: Run, sizes: Sizes) -> int:
    """A time limit for the job."""
    return MARGIN + math.ceil(seconds(run, sizes) / 60)


def memory_mb(run: Run, sizes: Sizes, device: str) -> int:
    """A memory limit for the job, where the config says `device`."""
    parameters = len(run.seeds) * _parameters(run, sizes)
    process = PROCESS_MB + (0 if device == "cpu" else CUDA_MB)
    return process + math.ceil(parameters * BYTES_PER_PARAMETER / 2**20)


def request(run: Run, found: Completeness) -> list[str]:
    """The words of train.py that say how much of the run is wanted.

    Where a finished run has all of it already, they are the words that it was made with: a
    smaller wish then changes no parameter of the job, and Snakemake has nothing to do.
    """
    if found.made is not None and found.epochs == 0:
        return _words(**found.made)
    return words(run)


def words(run: Run) -> list[str]:
    """The words of train.py that ask for all of a run."""
    return _words(run.seeds, run.epochs, run.kept_epochs)


def _words(seeds: list[int], epochs: int, kept_epochs: list[int]) -> list[str]:
    words = ["--seeds", *map(str, seeds), "--epochs", str(epochs)]
    if kept_epochs:
        words += ["--keep-epochs", *map(str, kept_epochs)]
    return words
