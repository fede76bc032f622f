"""What the peers have in common: options, clock, printed table and JSON."""

import argparse
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from machine import available_cores
from output import write_json
from reference_study import TRAININGS, Training

ROOT = Path(__file__).parents[1]
FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}


@dataclass(frozen=True)
class Epoch:
    """Mean cross-entropy in nats and accuracies as fractions, as the reference study counts them.

    The training ones are counted during the epoch, with dropout on and the weights moving.
    """

    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True)
class Result:
    """One training: `seconds` for the `epochs_trained` of its `epochs`, and the last epoch."""

    training: Training
    epochs_trained: int
    seconds: float
    last: Epoch

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.training.name,
            "epochs": self.training.epochs,
            "epochs_trained": self.epochs_trained,
            "seconds": self.seconds,
            "seconds_an_epoch": self.seconds / self.epochs_trained,
            "train_accuracy": self.last.train_accuracy,
            "validation_accuracy": self.last.validation_accuracy,
        }


@dataclass(frozen=True)
class Work:
    """What the command line asks for: `trainings`, each for `max_epochs` at most if that is set."""

    trainings: list[Training]
    data: Path
    cores: int
    seed: int
    max_epochs: int | None

    def shortened(self, training: Training) -> Training:
        return replace(training, epochs=min(training.epochs, self.max_epochs or training.epochs))

    def longest_first(self) -> list[Training]:
        """The order that leaves the fewest cores waiting at the end."""
        return sorted(self.trainings, key=lambda training: training.epochs, reverse=True)


# Trains one network and yields after each of its epochs.
Train = Callable[[Training], Iterator[Epoch]]


def one_by_one(open_data: Callable[[Path], Train]) -> Callable[[Work], Iterator[Result]]:
    """Trains one network after another, on all cores; `open_data` takes the folder of IDX files."""

    def train_all(work: Work) -> Iterator[Result]:
        torch.set_num_threads(work.cores)
        train = open_data(work.data)
        for training in work.trainings:
            torch.manual_seed(work.seed)
            start = time.perf_counter()
            epochs = list(train(work.shortened(training)))
            yield Result(training, len(epochs), time.perf_counter() - start, epochs[-1])

    return train_all


def run(
    description: str, train_all: Callable[[Work], Iterable[Result]], at_once: bool = False
) -> None:
    """Run the study's trainings as the command line says, and print and write their times.

    `at_once` says that the peer trains as many networks at once as there are cores, each on one.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--data",
        type=Path,
        default=ROOT / "results/data/FashionMNIST",
        metavar="FOLDER",
        help="decompressed IDX files (default: results/data/FashionMNIST)",
    )
    parser.add_argument("--cores", type=int, default=len(available_cores()), metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument(
        "--max-epochs", type=int, metavar="N", help="a trial: stop each training after N epochs"
    )
    parser.add_argument(
        "--only", metavar="TEXT", default="", help="a trial: trainings whose name contains TEXT"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the times here as well")
    options = parser.parse_args()

    missing = [name for name in FILES.values() if not (options.data / name).is_file()]
    if missing:
        parser.error(f"--data {options.data}: no {missing[0]}; `snakemake data` fetches the files")
    trainings = [training for training in TRAININGS if options.only in training.name]
    if not trainings:
        parser.error(f"--only {options.only}: no such training")

    work = Work(trainings, options.data, options.cores, options.seed, options.max_epochs)
    results = []
    print(f"{'training':24}{'epochs':>7}{'s/epoch':>9}{'train %':>9}{'val. %':>9}", flush=True)
    start = time.perf_counter()
    for result in train_all(work):
        results.append(result)
        print(
            f"{result.training.name:24}{result.epochs_trained:7}"
            f"{result.seconds / result.epochs_trained:9.3f}"
            f"{result.last.train_accuracy:9.2%}{result.last.validation_accuracy:9.2%}",
            flush=True,
        )
    seconds = time.perf_counter() - start
    epochs = sum(result.epochs_trained for result in results)
    print(f"{len(results)} trainings, {epochs} epochs: {seconds:.1f} s")
    if options.json:
        content = {
            "cores": options.cores,
            "at_once": options.cores if at_once else 1,
            "seed": options.seed,
            "trainings": [result.as_json() for result in results],
        }
        write_json(options.json, content)
