"""Measures searches, halving too, on a table of small perceptrons that this program trains once.

Each configuration of a grid is trained on a part of Fashion-MNIST, by the library's own code, and
its validation accuracy after each epoch is kept in a Parquet file. Then the study's own searches
ask, and the table answers: nothing more is trained.
"""

import argparse
import datetime
import functools
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import machine
from compare import commit
from output import table as in_words
from output import write_json
from tables import Driver, Table, Way, epochs_trained, mean

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from study.data import base, datasets
from study.runs.records import read_metadata, write_parquet
from study.support.errors import StudyError

ROOT = Path(__file__).parents[1]

# The grid: each setting's values in order. Nothing in it diverges.
GRID: dict[str, list[Any]] = {
    "optimizer": ["sgd", "adam"],
    "learning_rate": [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1],
    "hidden": [[32], [64], [128, 64]],
    "dropout": [0.0, 0.2, 0.4],
    "batch_size": [32, 100],
}
SEEDS, EPOCHS = 3, 9

# A search draws places in these lists: they need names that no setting of the program has.
PLACES = [f"{name}_place" for name in GRID]

# What one takes without a search: the reference study's baseline, by Adam at torch's own rate.
DEFAULT = {
    "optimizer": "adam",
    "learning_rate": 0.001,
    "hidden": [128, 64],
    "dropout": 0.2,
    "batch_size": 100,
}

# Both of the training images; the test images are never met.
TRAINING_IMAGES, VALIDATION_IMAGES = 6000, 2000

SCORE = "validation_accuracy"

# Rungs after 1, 3 and 9 epochs, and screening after one.
HALVING = {"min_epochs": 1, "reduction_factor": 3}
SCREENING = {"min_epochs": 1, "reduction_factor": 9}

# `confirm` is the default of a search.
WAYS = [
    Way("random, one seed", "random"),
    Way("random, seeds for the best", "random", confirm=3),
    Way("TPE, one seed", "tpe"),
    Way("TPE, seeds for the best", "tpe", confirm=3),
    Way("random, halving, seeds for the best", "random", confirm=3, halving=HALVING),
    Way("TPE, halving, one seed", "tpe", halving=HALVING),
    Way("TPE, halving, seeds for the best", "tpe", confirm=3, halving=HALVING),
    Way("TPE, screening, seeds for the best", "tpe", confirm=3, halving=SCREENING),
]

# What a search may train, as shares of the table's epochs. By a tenth, halving draws all there is.
BUDGETS = (0.025, 0.05)

# A share of the table's configurations: those that a search should find.
BEST = 0.01


def make(sources: Sequence[str], path: Path) -> None:
    """Train the table, with the data set's files from the first of `sources` that has them."""
    with tempfile.TemporaryDirectory() as folder:
        datasets.describe(base.REFERENCE).fetch(Path(folder), sources, print)
        train(Path(folder), path)


def train(data: Path, path: Path) -> None:
    """Train the whole grid, by one thread, and write a row for each replicate and epoch."""
    # Imported where they are needed: the rest does without torch.
    from evaluation import read_examples
    from own_model import trainer_of
    from study.learning.split import hold_out
    from study.runs import arithmetic

    arithmetic.settle()
    images = read_examples(data, "train").first(TRAINING_IMAGES + VALIDATION_IMAGES)
    learned, held_out = map(images.chosen, hold_out(images.targets, VALIDATION_IMAGES, 0))
    about = {"commit": commit(), "machine": machine.describe(1)}
    rows = []
    began = time.process_time()
    configurations = [dict(zip(GRID, values, strict=True)) for values in product(*GRID.values())]
    for number, values in enumerate(configurations, 1):
        trainer = trainer_of("mlp", learned, values, range(SEEDS))
        for epoch in range(1, EPOCHS + 1):
            trainer.train_epoch(learned)
            for seed, score in enumerate(trainer.evaluate(held_out)["accuracy"]):
                rows.append({**values, "seed": seed, "epoch": epoch, SCORE: score})
        if number % 12 == 0:
            seconds = time.process_time() - began
            print(f"{number} of {len(configurations)} trained, {seconds:.0f} s", flush=True)
    about["core_seconds"] = time.process_time() - began
    write_parquet(path, pa.Table.from_pylist(rows), about)


def load(path: Path) -> Table:
    """The table that `train` wrote; StudyError where the file is none, or not all of it."""
    curves = np.full([*map(len, GRID.values()), SEEDS, EPOCHS], np.nan)
    try:
        for row in pq.read_table(path).to_pylist():
            place = [values.index(row[name]) for name, values in GRID.items()]
            curves[*place, row["seed"], row["epoch"] - 1] = row[SCORE]
    except (OSError, pa.ArrowException, LookupError, ValueError) as error:
        raise StudyError(f"{path}: no table of this grid: {error}") from error
    if np.isnan(curves).any():
        raise StudyError(f"{path}: the table has gaps; remove the file to train it again")
    return Table("fashion", PLACES, curves)


def default() -> tuple[int, ...]:
    """The place of DEFAULT."""
    return tuple(values.index(DEFAULT[name]) for name, values in GRID.items())


def regret(table: Table, place: tuple[int, ...]) -> float:
    """By how many percentage points a configuration's mean is below the best one's."""
    return float(100 * (table.means.max() - table.means[place]))


def outcomes(seed: int, table: Table, budget: int) -> dict[str, dict[str, float]]:
    """How each way's search comes out that trains no more than `budget` epochs."""
    driver = Driver(table, seed)
    best = np.sort(table.means, axis=None)[-max(1, int(BEST * table.means.size))]
    found = {}
    for way in WAYS:
        search = way.finished(driver, budget)
        place = table.place(driver.winner(search))
        found[way.name] = {
            "trials": len(search.trials),
            "epochs": epochs_trained(search),
            "regret": regret(table, place),
            "worse": float(table.means[place] < table.means[default()]),
            "best": float(table.means[place] >= best),
        }
    return found


def shown(found: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """A table of the means over repeats, a row for each way."""
    rows = []
    for name, results in found.items():
        repeats = {name: results}
        value, error = mean(repeats, "regret")
        spread = "" if error is None else f" ± {error:.2f}"
        counts = [f"{mean(repeats, key)[0]:.0f}" for key in ("trials", "epochs")]
        shares = [f"{mean(repeats, key)[0]:.0%}" for key in ("worse", "best")]
        rows.append([name, *counts, f"{value:.2f}{spread}", *shares])
    header = ["way", "trials", "epochs", "regret", "worse than default", f"best {BEST:.0%}"]
    return in_words(header, rows)


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("table", type=Path, metavar="FILE", help="Parquet; trained if not there")
    parser.add_argument(
        "--data",
        default=str(ROOT / "results/data/FashionMNIST"),
        metavar="FOLDER",
        help="where the data set's files may lie; then as in every study",
    )
    parser.add_argument(
        "--repeats", type=int, default=30, metavar="N", help="searches of a way (default: 30)"
    )
    parser.add_argument(
        "--budgets",
        type=float,
        nargs="+",
        default=BUDGETS,
        metavar="SHARE",
        help="of the table's epochs, what a search may train (default: 0.025 and 0.05)",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="that of all draws")
    parser.add_argument(
        "--jobs", type=int, default=len(machine.available_cores()), metavar="N", help="processes"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here as well")
    options = parser.parse_args(arguments)
    if min(options.repeats, options.jobs) < 1 or options.seed < 0:
        parser.error("--repeats and --jobs begin at 1, --seed at 0")
    if not all(0.01 <= share <= 1 for share in options.budgets):
        parser.error("--budgets are shares of the table's epochs, from 0.01 to 1")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse_arguments(arguments)
    try:
        if not options.table.exists():
            make([options.data, "torchvision", "debian"], options.table)
        table = load(options.table)
    except StudyError as error:
        sys.exit(str(error))
    about = read_metadata(options.table)
    count, epochs = table.means.size, table.curves.size
    print(f"{count} configurations, {epochs} epochs, trained in {about['core_seconds']:.0f} s")
    print(f"regret of the default: {regret(table, default()):.2f} points")
    content = {
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "machine": machine.describe(len(machine.available_cores())),
        "table": about,
        "seed": options.seed,
        "found": {},
    }
    seeds = np.random.SeedSequence(options.seed).generate_state(options.repeats).tolist()
    with ProcessPoolExecutor(options.jobs) as pool:
        for share in options.budgets:
            search = functools.partial(outcomes, table=table, budget=int(share * epochs))
            repeats = list(pool.map(search, seeds))
            found = {way.name: [each[way.name] for each in repeats] for way in WAYS}
            print(f"\nat most {share:.1%} of its epochs, {options.repeats} repeats\n")
            print(shown(found), flush=True)
            content["found"][f"{share:g}"] = found
    if options.json:
        write_json(options.json, content)


if __name__ == "__main__":
    main()
