"""What a GPU makes of the study: is it right, is it exact, how fast, with how much memory.

One command of at most five minutes, for torch, NumPy and this repository alone, on made-up images
of Fashion-MNIST's form. `--device cpu --quick` shows in seconds that it runs.
"""

import argparse
import platform
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from in_memory import network, optimizer_of
from output import table, write_json
from peer import ROOT
from reference_study import CLASSES, TRAINING_IMAGES, TRAININGS, VALIDATION_IMAGES, WIDTH, Training
from reference_study import PIXELS as FEATURES
from reference_study import shared as shared_trainings

sys.path.insert(0, str(ROOT / "scripts"))

from cuda_graphs import GraphedEpochs
from study.data.scaling import PIXELS
from study.learning.classification import Classification
from study.learning.examples import Examples
from study.learning.layout import parameters_width
from study.learning.stacked_mlp import ACTIVATIONS, StackedMLP
from study.learning.trainer import TRAIN_EVALUATION, Trainer
from study.runs import arithmetic

# What the default study leaves as it is; the reference study's `Training` has the rest.
NEUTRAL = {
    "learning_rate_decay": 1.0,
    "schedule": "constant",
    "warmup_epochs": 0,
    "weight_decay": 0.0,
    "gradient_clip": 0.0,
    "label_smoothing": 0.0,
    "class_weights": "none",
    "activation": "relu",
    "weight_averaging": 0.0,
    "shift": 0,
    "flip": False,
    "precision": "float32",
}
MOMENTUM = {"momentum": 0.0, "nesterov": False}

# As runs/models.py has them, which needs more packages.
LARGEST_STACK, STACK_PARAMETERS = 10, 1_500_000

SEEDS = 5
STACKS = (1, 5, 20)

# After so many the command begins nothing more.
SECONDS = 300

# How far a GPU's numbers may be from the CPU's: losses and gradients relative, accuracies as
# shares. An epoch of float32 with other orders of sums moves losses by some 1e-5.
LOSS, ACCURACY, GRADIENT = 1e-3, 5e-3, 1e-4

# A row of a part's table: its cells by column.
Row = dict[str, Any]

BASELINE = Training("baseline")
WIDEST = Training("512-256", hidden=(512, 256))


@dataclass(frozen=True)
class Setup:
    """What is measured on: the device and the images there, until when."""

    device: str
    train: Examples
    validation: Examples
    quick: bool
    deadline: float

    @property
    def is_cuda(self) -> bool:
        return self.device == "cuda"

    def synchronise(self) -> None:
        if self.is_cuda:
            torch.cuda.synchronize()

    def seconds(self, work: Callable[[], object]) -> float:
        self.synchronise()
        start = time.perf_counter()
        work()
        self.synchronise()
        return time.perf_counter() - start


def made_up(count: int, device: str, seed: int) -> Examples:
    """Images of noise, brighter in a row that their class chooses: something to learn."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, CLASSES, count)
    pixels = random.integers(0, 128, (count, WIDTH, WIDTH), np.uint8)
    pixels[np.arange(count), 2 * labels + 4] += 64
    return Examples.from_arrays(pixels[:, None], labels, device)


def trainer_of(
    training: Training, seeds: Sequence[int], device: str, **settings: object
) -> Trainer:
    """The program's training of replicates, before its first epoch."""
    chosen: dict[str, Any] = NEUTRAL | asdict(training) | settings
    if training.optimizer == "sgd":
        chosen |= MOMENTUM

    def build(seeds: Sequence[int]) -> StackedMLP:
        stack = StackedMLP(
            (FEATURES, *training.hidden, CLASSES),
            chosen["activation"],
            chosen["dropout"],
            len(seeds),
            device,
            chosen["precision"],
            PIXELS,
        )
        stack.initialise(seeds)
        return stack

    return Trainer(chosen, seeds, build, Classification(CLASSES))


def stacks_of(training: Training, seeds: Sequence[int]) -> list[Sequence[int]]:
    """The seeds that the program trains together."""
    most = STACK_PARAMETERS // parameters_width((FEATURES, *training.hidden, CLASSES))
    size = max(1, min(LARGEST_STACK, most))
    return [seeds[first : first + size] for first in range(0, len(seeds), size)]


def difference(a: Tensor, b: Tensor) -> float:
    """Relative to the length of `b`."""
    a, b = a.double().cpu(), b.double().cpu()
    return ((a - b).norm() / b.norm()).item()


# The parts. Each yields the rows of its table.


def correctness(setup: Setup) -> Iterator[Row]:
    """An epoch against the same on the CPU, without dropout, whose numbers differ by device."""
    part = setup.train.first(10_000)
    on_cpu = Examples(part.inputs.cpu(), part.targets.cpu(), part.shape)
    cases = {name: replace(BASELINE, optimizer=name) for name in ("sgd", "adam")}
    checked = [(name, training, {}) for name, training in cases.items()]
    checked += [(name, BASELINE, {"activation": name}) for name in ACTIVATIONS if name != "relu"]
    for name, training, settings in checked:
        still = replace(training, dropout=0.0)
        here, there = (
            trainer_of(still, range(SEEDS), device, **settings) for device in (setup.device, "cpu")
        )
        gradients = [
            first_gradient(trainer, examples)
            for trainer, examples in ((here, part), (there, on_cpu))
        ]
        measured, right = here.train_epoch(part), there.train_epoch(on_cpu)
        pairs = {
            metric: list(zip(measured[metric], right[metric], strict=True)) for metric in measured
        }
        row = {
            "case": name,
            "gradient": difference(*gradients),
            "loss": max(abs(a - b) / b for a, b in pairs["loss"]),
            "accuracy": max(abs(a - b) for a, b in pairs["accuracy"]),
        }
        row["right"] = (
            row["gradient"] <= GRADIENT and row["loss"] <= LOSS and row["accuracy"] <= ACCURACY
        )
        yield row


@torch.inference_mode()
def first_gradient(trainer: Trainer, examples: Examples) -> Tensor:
    """That of the first batch, (replicates, P), from the untrained networks."""
    first = examples.first(trainer.settings["batch_size"])
    outputs = trainer.model.forward(first.inputs[None], trainer.model.streams(trainer.seeds, 0))
    wanted = trainer.objective.wanted(first.targets)[None].expand_as(outputs)
    trainer.model.backward(trainer.objective.gradient(outputs, wanted))
    return trainer.model.gradient.clone()


def stacks(setup: Setup) -> Iterator[Row]:
    """Whether a replicate has the same bits in stacks of several sizes as alone."""
    part = setup.train.first(10_000)

    def trained(training: Training, seeds: Sequence[int]) -> list[Tensor]:
        trainer = trainer_of(training, seeds, setup.device)
        trainer.train_epoch(part)
        return [state["parameters"] for state in trainer.state()]

    for training in (BASELINE, replace(BASELINE, name="adam, 32", optimizer="adam", batch_size=32)):
        alone = [trained(training, [seed])[0] for seed in range(SEEDS)]
        for size in STACKS:
            stacked = trained(training, range(size))
            pairs = list(zip(stacked, alone, strict=False))
            yield {
                "case": f"{training.name}, {size} against alone",
                "same bits": all(torch.equal(a, b) for a, b in pairs),
                "difference": max(difference(a, b) for a, b in pairs),
            }


def epochs(setup: Setup) -> Iterator[Row]:
    """Seconds of an epoch of five seeds in the default study's shapes; dropout's rate is none."""
    # The first has all that is loaded on the way.
    trainer_of(BASELINE, range(SEEDS), setup.device).train_epoch(setup.train.first(1000))
    for name, training in shapes().items():
        stacked = trainer_of(training, range(SEEDS), setup.device)
        alone = trainer_of(training, [0], setup.device)
        yield {
            "shape": name,
            "stacked": setup.seconds(lambda own=stacked: own.train_epoch(setup.train)),
            "graph": graphed(setup, training),
            "one by one": SEEDS * setup.seconds(lambda own=alone: own.train_epoch(setup.train)),
            "plain loop": SEEDS * plain_epoch(setup, training),
            "evaluation": setup.seconds(lambda own=stacked: evaluate(setup, own)),
        }


def shapes() -> dict[str, Training]:
    """The default study's trainings that take different times, by name."""
    found = {
        (each.optimizer, each.dropout > 0, each.hidden, each.batch_size): each for each in TRAININGS
    }
    return {
        f"{optimizer}, {'dropout, ' if dropout else ''}{'-'.join(map(str, hidden))}, {size}": each
        for (optimizer, dropout, hidden, size), each in found.items()
    }


def graphed(setup: Setup, training: Training) -> float | None:
    if not setup.is_cuda:
        return None
    graph = GraphedEpochs(trainer_of(training, range(SEEDS), setup.device), setup.train)
    return setup.seconds(graph.train_epoch)


def plain_epoch(setup: Setup, training: Training) -> float:
    """Seconds of an epoch of one network, trained as a user's careful loop does."""
    model = network(training).to(setup.device)
    optimizer = optimizer_of(training, model)
    scale, offset = PIXELS
    images = setup.train.inputs.float().mul_(scale).sub_(offset)
    labels = setup.train.targets

    def epoch() -> None:
        model.train()
        loss_sum = torch.zeros((), device=setup.device)
        correct = torch.zeros((), device=setup.device)
        order = torch.randperm(len(images)).to(setup.device)
        for chosen in order.split(training.batch_size):
            truth = labels[chosen]
            scores = model(images[chosen])
            loss = functional.cross_entropy(scores, truth)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            loss_sum += loss.detach() * len(chosen)
            correct += (scores.detach().argmax(1) == truth).sum()

    return setup.seconds(epoch)


def evaluate(setup: Setup, trainer: Trainer) -> None:
    """What the program evaluates after each epoch."""
    trainer.evaluate(setup.validation)
    trainer.evaluate(setup.train.first(TRAIN_EVALUATION))


def graphs(setup: Setup) -> Iterator[Row]:
    """Whether a captured step trains the same bits as its operations one after another."""
    if not setup.is_cuda:
        return
    part = setup.train.first(10_000)
    for training in (BASELINE, replace(BASELINE, name="adam, 64", optimizer="adam", batch_size=64)):
        eager, captured = (trainer_of(training, range(SEEDS), setup.device) for _ in range(2))
        graph = GraphedEpochs(captured, part)
        for _ in range(2):
            eager.train_epoch(part)
            graph.train_epoch()
        yield {
            "case": training.name,
            "same bits": torch.equal(eager.model.parameters, captured.model.parameters),
            "difference": difference(captured.model.parameters, eager.model.parameters),
        }


def precisions(setup: Setup) -> Iterator[Row]:
    """The products' precision: seconds of an epoch of five seeds, and the loss that it ends at."""
    ways = {"float32": ("float32", "highest"), "bfloat16": ("bfloat16", "highest")}
    if setup.is_cuda:
        ways["TF32"] = ("float32", "high")
    for training in (BASELINE, WIDEST):
        for name, (precision, factors) in ways.items():
            torch.set_float32_matmul_precision(factors)
            try:
                trainer = trainer_of(training, range(SEEDS), setup.device, precision=precision)
                trainer.train_epoch(setup.train.first(1000))
                found: list[dict[str, list[float]]] = []
                seconds = setup.seconds(
                    lambda own=trainer, found=found: found.append(own.train_epoch(setup.train))
                )
            finally:
                arithmetic.settle()
            losses = found[0]["loss"]
            yield {
                "case": f"{training.name}, {name}",
                "seconds": seconds,
                "loss": sum(losses) / len(losses),
            }


def synchronisations(setup: Setup) -> Iterator[Row]:
    """How often the host waits for the GPU in an epoch, of few steps and of many."""
    if not setup.is_cuda:
        return
    for training in (BASELINE, replace(BASELINE, name="adam", optimizer="adam")):
        trainer = trainer_of(training, range(SEEDS), setup.device)
        trainer.train_epoch(setup.train.first(1000))
        waits = []
        for images in (1000, 10_000):
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                torch.cuda.set_sync_debug_mode("warn")
                try:
                    trainer.train_epoch(setup.train.first(images))
                finally:
                    torch.cuda.set_sync_debug_mode("default")
            waits.append([each for each in told if "synchroniz" in str(each.message)])
        few, many = waits
        steps = (10_000 - 1000) // training.batch_size
        yield {
            "case": training.name,
            "an epoch": len(many),
            "a step": (len(many) - len(few)) / steps,
            "where": " ".join(sorted({f"{Path(w.filename).name}:{w.lineno}" for w in many})),
        }


def memory(setup: Setup) -> Iterator[Row]:
    """What training holds on the GPU at most, the images among it."""
    if not setup.is_cuda:
        return
    for training, count in ((BASELINE, 1), (BASELINE, 5), (BASELINE, 20), (WIDEST, 5)):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        trainer = trainer_of(training, range(count), setup.device)
        trainer.train_epoch(setup.train)
        evaluate(setup, trainer)
        yield {
            "case": f"{training.name}, {count}",
            "MB": torch.cuda.max_memory_allocated() / 1e6,
        }


def study(setup: Setup) -> Iterator[Row]:
    """The default study's runs with five seeds each, training and evaluation alone.

    On an H100 they should take 30 s.
    """
    trainings = shared_trainings(TRAININGS)
    if setup.quick:
        trainings = [replace(each, epochs=1) for each in trainings[:2]]
    total = 0.0
    for number, training in enumerate(trainings, 1):
        seconds = 0.0
        for seeds in stacks_of(training, range(SEEDS)):
            trainer = trainer_of(training, seeds, setup.device)
            for _ in range(training.epochs):
                seconds += setup.seconds(lambda own=trainer: whole_epoch(setup, own))
        total += seconds
        yield {
            "run": f"{number} of {len(trainings)}: {training.name}",
            "epochs": training.epochs,
            "seconds": seconds,
            "so far": total,
        }


def whole_epoch(setup: Setup, trainer: Trainer) -> None:
    """All that the program does in an epoch, but for writing files."""
    trainer.train_epoch(setup.train)
    evaluate(setup, trainer)
    trainer.state()


PARTS: dict[str, Callable[[Setup], Iterator[Row]]] = {
    "correctness": correctness,
    "stacks": stacks,
    "graphs": graphs,
    "epochs": epochs,
    "precisions": precisions,
    "synchronisations": synchronisations,
    "memory": memory,
    "study": study,
}


def measured(part: Callable[[Setup], Iterator[Row]], setup: Setup) -> tuple[list[Row], str]:
    """The rows of a part, and what went wrong: one part's fault leaves the others."""
    rows: list[Row] = []
    try:
        for row in part(setup):
            rows.append(row)
            if time.monotonic() > setup.deadline:
                return rows, f"ended after {SECONDS} s"
    except (RuntimeError, ValueError, TypeError, AttributeError) as error:
        return rows, f"{type(error).__name__}: {error}"
    wrong = [str(row["case"]) for row in rows if row.get("right") is False]
    return rows, f"not right: {', '.join(wrong)}" if wrong else ""


def cell(value: object) -> str:
    """As a table shows it."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def description(device: str) -> dict[str, str]:
    name = torch.cuda.get_device_name() if device == "cuda" else platform.machine()
    return {"device": name, "torch": torch.__version__, "python": platform.python_version()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument(
        "--quick", action="store_true", help="few images, to see that everything runs"
    )
    parser.add_argument(
        "--json",
        type=Path,
        default=Path("on_gpu.json"),
        metavar="FILE",
        help="(default: %(default)s)",
    )
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        print("no GPU that torch can use is here: nothing measured", file=sys.stderr)
        sys.exit(2)

    start = time.monotonic()
    arithmetic.settle()
    share = 200 if options.quick else 1
    setup = Setup(
        options.device,
        made_up(TRAINING_IMAGES // share, options.device, 0),
        made_up(VALIDATION_IMAGES // share, options.device, 1),
        options.quick,
        start + SECONDS,
    )
    content: dict[str, Any] = {"made_by": description(options.device), "parts": {}, "failed": {}}
    print(", ".join(content["made_by"].values()), flush=True)
    for name, part in PARTS.items():
        rows, failure = measured(part, setup)
        print(f"\n{name}: {' '.join(str(part.__doc__).split())}\n")
        if rows:
            print(table(list(rows[0]), [list(map(cell, row.values())) for row in rows]))
        if failure:
            content["failed"][name] = failure
            print(f"failed: {failure}")
        elif not rows:
            print("nothing to see on this device")
        content["parts"][name] = rows
        # After each part: a machine that dies in the next leaves what was measured.
        write_json(options.json, content | {"seconds": time.monotonic() - start})
        sys.stdout.flush()
    print(f"\n{time.monotonic() - start:.0f} s; {options.json}")
    sys.exit(1 if content["failed"] else 0)


if __name__ == "__main__":
    main()
