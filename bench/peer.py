"""What the two peers have in common: options, clock, printed table and JSON."""

import argparse
import time
from collections.abc import Callable, Iterator
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


Train = Callable[[Training], Iterator[Epoch]]


def run(description: str, open_data: Callable[[Path], Train]) -> None:
    """Run the study's trainings one after another as the command line says.

    `open_data` takes the folder of IDX files and gives the function that trains one network and
    yields after each of its epochs.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--data",
        type=Path,
        default=ROOT / "results/data/FashionMNIST",
        metavar="FOLDER",
        help="decompressed IDX files (default: results/data/FashionMNIST)",
    )
    parser.add_argument("--threads", type=int, default=len(available_cores()), metavar="N")
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

    torch.set_num_threads(options.threads)
    train = open_data(options.data)
    results = []
    print(f"{'training':24}{'epochs':>7}{'s/epoch':>9}{'train %':>9}{'val. %':>9}", flush=True)
    for training in trainings:
        torch.manual_seed(options.seed)
        result = timed(train, training, options.max_epochs or training.epochs)
        results.append(result)
        print(
            f"{training.name:24}{result['epochs_trained']:7}{result['seconds_an_epoch']:9.3f}"
            f"{result['train_accuracy']:9.2%}{result['validation_accuracy']:9.2%}",
            flush=True,
        )
    seconds = sum(result["seconds"] for result in results)
    epochs = sum(result["epochs_trained"] for result in results)
    print(f"{len(results)} trainings, {epochs} epochs: {seconds:.1f} s")
    if options.json:
        content = {"threads": options.threads, "seed": options.seed, "trainings": results}
        write_json(options.json, content)


def timed(train: Train, training: Training, max_epochs: int) -> dict[str, Any]:
    """Train for the training's epochs, or for `max_epochs` if that is less; times in seconds."""
    shortened = replace(training, epochs=min(training.epochs, max_epochs))
    start = time.perf_counter()
    epochs = list(train(shortened))
    seconds = time.perf_counter() - start
    return {
        "name": training.name,
        "epochs": training.epochs,
        "epochs_trained": len(epochs),
        "seconds": seconds,
        "seconds_an_epoch": seconds / len(epochs),
        "train_accuracy": epochs[-1].train_accuracy,
        "validation_accuracy": epochs[-1].validation_accuracy,
    }
