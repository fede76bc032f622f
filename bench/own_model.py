"""What a module costs with one seed: beside a plain loop, and beside the stacked perceptron.

Both sides of a ratio learn from the same batches by SGD, with one thread, an epoch of one after an
epoch of the other. Timed is training alone, in the processor's time, of which waiting for a core is
no part; other processes still take a share of its caches.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from evaluation import read_examples
from output import write_json
from peer import ROOT
from reference_study import CLASSES

sys.path.insert(0, str(ROOT / "scripts"))

from study.data import scaling
from study.learning.examples import Examples
from study.learning.modules import ModuleReplicates
from study.learning.streams import stream
from study.learning.trainer import Trainer
from study.runs import arithmetic, models, replicates
from study.spec import settings
from study.spec.models import describe
from study.spec.tasks import CLASSIFICATION

SEED, BATCH, RATE = 0, 100, 0.01
SETTINGS = {"optimizer": "sgd", "learning_rate": RATE, "batch_size": BATCH, "dropout": 0.0}
PERCEPTRON = Path(__file__).with_name("perceptron.py")

# Trains an epoch and gives its mean loss.
Epoch = Callable[[], float]


@dataclass(frozen=True)
class Compared:
    """Two ways to train, by name, and what their ratio should not exceed.

    `seconds` are the median of an epoch's, `losses` the means of the last epoch, and `ratio` is the
    median of the first's time over the second's in epochs side by side.
    """

    names: tuple[str, str]
    seconds: tuple[float, float]
    losses: tuple[float, float]
    ratio: float
    target: float


def trainer_of(
    word: str,
    train: Examples,
    values: Mapping[str, Any] = SETTINGS,
    seeds: Sequence[int] = (SEED,),
) -> Trainer:
    """The program's training of the model that a config names by `word`, before its first epoch."""
    model = describe(word)
    chosen = settings.identity(model.hyperparameters.complete(values))
    network = models.architecture(model, chosen, train.shape, CLASSES, scaling.PIXELS)
    objective = models.objective(CLASSIFICATION, chosen, CLASSES)
    run = replicates.Training(
        chosen, train, train, network, CLASSIFICATION, objective, "cpu", "cpu"
    )
    return run.trainer(seeds)


def by_program(trainer: Trainer, train: Examples) -> Epoch:
    # As in a job of its own: the stacked perceptron needs no such care.
    settled = isinstance(trainer.model, ModuleReplicates)

    def epoch() -> float:
        torch.use_deterministic_algorithms(settled)
        return float(trainer.train_epoch(train)["loss"][0])

    return epoch


def by_hand(module: nn.Module, train: Examples) -> Epoch:
    """A plain loop over tensors in memory, in the program's batches."""
    scale, offset = scaling.PIXELS
    images = train.inputs.float().mul_(scale).sub_(offset).view(-1, *train.shape)
    labels: Tensor = train.targets
    optimizer = torch.optim.SGD(module.parameters(), lr=RATE, fused=True)
    done = 0

    def epoch() -> float:
        nonlocal done
        done += 1
        torch.use_deterministic_algorithms(False)
        module.train()
        loss_sum = correct = 0.0
        order = torch.randperm(len(images), generator=stream(SEED, "order", done))
        for chosen in order.split(BATCH):
            truth = labels[chosen]
            scores = module(images[chosen])
            loss = functional.cross_entropy(scores, truth)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(chosen)
            correct += (scores.detach().argmax(1) == truth).sum().item()
        return loss_sum / len(images)

    return epoch


def compare(ways: dict[str, Epoch], epochs: int, target: float) -> Compared:
    """Two ways side by side; the one that begins changes from epoch to epoch."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    losses = dict.fromkeys(ways, 0.0)
    for number in range(epochs):
        for name in sorted(ways, reverse=number % 2 == 1):
            start = time.process_time()
            losses[name] = ways[name]()
            seconds[name].append(time.process_time() - start)
    first, second = ways
    ratios = [a / b for a, b in zip(seconds[first], seconds[second], strict=True)]
    return Compared(
        (first, second),
        (statistics.median(seconds[first]), statistics.median(seconds[second])),
        (losses[first], losses[second]),
        statistics.median(ratios),
        target,
    )


def cnn_beside_plain_loop(train: Examples, epochs: int) -> Compared:
    """From the same parameters, so that the losses say whether both do the same."""
    trainer = trainer_of("cnn", train)
    [begun] = trainer.model.modules
    plain = type(begun)(train.shape, CLASSES)
    plain.load_state_dict(begun.state_dict())
    ways = {"cnn": by_program(trainer, train), "plain loop": by_hand(plain, train)}
    return compare(ways, epochs, 1.1)


def perceptron_beside_stacked(train: Examples, epochs: int) -> Compared:
    """A user's file and the hand-written perceptron, each from the parameters that it draws."""
    ways = {
        name: by_program(trainer_of(word, train), train)
        for name, word in [("perceptron.py", str(PERCEPTRON)), ("mlp", "mlp")]
    }
    return compare(ways, epochs, 1.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--data", type=Path, default=ROOT / "results/data/FashionMNIST", metavar="FOLDER"
    )
    parser.add_argument("--epochs", type=int, default=5, metavar="N")
    parser.add_argument(
        "--images", type=int, default=60_000, metavar="N", help="learn from the first N alone"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the times here as well")
    options = parser.parse_args()
    arithmetic.settle()
    train = read_examples(options.data, "train").first(options.images)
    print(f"load {os.getloadavg()[0]:.2f}; {len(train)} images, median of {options.epochs} epochs")
    found = []
    for measure in (cnn_beside_plain_loop, perceptron_beside_stacked):
        found.append(measure(train, options.epochs))
        print(in_words(found[-1]), flush=True)
    if options.json:
        write_json(options.json, [asdict(each) for each in found])


def in_words(found: Compared) -> str:
    ways = zip(found.names, found.seconds, found.losses, strict=True)
    shown = ", ".join(f"{name} {seconds:.2f} s (loss {loss:.4f})" for name, seconds, loss in ways)
    return f"{shown}: {found.ratio:.3f} times, at most {found.target} wanted"


if __name__ == "__main__":
    main()
