"""Tables of networks that are trained already: the study's searches ask, and a table answers."""

import functools
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from study.search.steps import Scores, take, winner
from study.spec.models import Model
from study.spec.searches import Search, Step, steps_of

# Trials of a round: the default of a search.
PARALLEL = 4


@dataclass(frozen=True)
class Table:
    """Scores of all configurations after each epoch.

    `curves` is (values of the first setting, ..., of the last, seeds, epochs); a table of final
    scores alone has one epoch. A setting stands here for the place of its value among those that
    the table has, in order.
    """

    name: str
    settings: list[str]
    curves: np.ndarray

    @property
    def seeds(self) -> int:
        return self.curves.shape[-2]

    @property
    def epochs(self) -> int:
        return self.curves.shape[-1]

    @property
    def scores(self) -> np.ndarray:
        """After all epochs: (values of the first setting, ..., of the last, seeds)."""
        return self.curves[..., -1]

    @functools.cached_property
    def means(self) -> np.ndarray:
        """Of all seeds: a configuration's true score."""
        return self.scores.mean(axis=-1)

    @property
    def space(self) -> dict[str, Any]:
        """The whole of it, as a search draws from it."""
        return {
            name: {"low": 0, "high": count - 1, "log": False}
            for name, count in zip(self.settings, self.means.shape, strict=True)
        }

    @property
    def model(self) -> Model:
        """One that has these settings, and no others of its own."""
        return Model("table", "table", parameters=dict.fromkeys(self.settings, {"default": 0}))

    def place(self, settings: Mapping[str, Any]) -> tuple[int, ...]:
        return tuple(settings[name] for name in self.settings)

    def regret(self, settings: Mapping[str, Any]) -> float:
        """How far below the best, in distances of the median from the best."""
        means = self.means
        return float((means.max() - means[self.place(settings)]) / (means.max() - np.median(means)))


class Driver:
    """A search on a table; its seeds are the table's in an order drawn anew for each repeat."""

    def __init__(self, table: Table, seed: int):
        self.table = table
        self.seed = seed
        self.order = np.random.default_rng(seed).permutation(table.seeds)

    def search(self, sampler: str, steps: list[Step]) -> Search:
        settings = self.table.model.hyperparameters.complete({"epochs": self.table.epochs})
        return Search(self.table.name, settings, self.table.space, sampler, self.seed, steps=steps)

    def scores(self, search: Search) -> Scores:
        """Of all that it has asked for so far."""
        rows = [
            (trial.run, seed, epoch, "ok", curves[self.order[seed], epoch - 1])
            for trial in search.trials
            for curves in [self.table.curves[self.table.place(trial.settings)]]
            for seed in trial.seeds
            for epoch in range(1, trial.epochs + 1)
        ]
        columns = ["run", "seed", "epoch", "status", "validation_accuracy"]
        return Scores(pd.DataFrame(rows, columns=columns))

    def next_step(self, search: Search) -> Search:
        taken = take(search, self.scores(search), self.table.model, self.named)
        return replace(search, taken=[*search.taken, taken])

    def finished(self, search: Search) -> Search:
        while not search.is_finished:
            search = self.next_step(search)
        return search

    def winner(self, search: Search) -> dict[str, Any]:
        """What the best trial of a finished search sets."""
        return winner(search, self.scores(search)).trial.settings

    def named(self, settings: Mapping[str, Any]) -> str:
        return "-".join(map(str, self.table.place(settings)))


def steps_within(
    budget: int,
    seeds: int,
    confirm: int,
    epochs: int,
    halving: Mapping[str, int] | None,
    most: int,
) -> list[Step]:
    """Those of the search of most trials, `most` at most, that trains no more than `budget` epochs.

    Epochs of every seed count.
    """
    for trials in range(min(budget, most), 0, -1):
        last = min(confirm, trials)
        steps = steps_of(trials, PARALLEL, epochs, range(seeds), halving, last)
        if epochs_of(steps) <= budget:
            return steps
    raise ValueError(f"a budget of {budget} epochs is too small for {seeds} seeds")


@dataclass(frozen=True)
class Way:
    """A way to search; `confirm` of the best get all seeds, or all trials have one."""

    name: str
    sampler: str
    confirm: int | None = None
    halving: Mapping[str, int] | None = None
    target: float | None = None

    def finished(self, driver: Driver, budget: int) -> Search:
        """Its search on the driver's table within a budget of epochs."""
        table = driver.table
        seeds, confirm = (table.seeds, self.confirm) if self.confirm else (1, 1)
        most = table.means.size
        steps = steps_within(budget, seeds, confirm, table.epochs, self.halving, most)
        return driver.finished(driver.search(self.sampler, steps))


def epochs_of(steps: Sequence[Step]) -> int:
    """Epochs that a search of these steps trains at most."""
    return Search("", {}, {}, "", 0, steps=list(steps)).epochs_to_come


def epochs_trained(search: Search) -> int:
    """Epochs that a finished search has trained, those of every seed."""
    return sum(trial.epochs * len(trial.seeds) for trial in search.trials)


def mean(found: Mapping[str, Sequence[Mapping[str, Any]]], key: str) -> tuple[float, float | None]:
    """Mean of the tables' means over repeats, and its standard error where there are repeats."""
    columns = [[float(each[key]) for each in results] for results in found.values()]
    value = statistics.fmean(map(statistics.fmean, columns))
    if min(map(len, columns)) < 2:
        return value, None
    variance = sum(statistics.variance(column) / len(column) for column in columns)
    return value, variance**0.5 / len(columns)
