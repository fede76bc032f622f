"""How much each setting of a space matters: the share of the scores' variance that it explains.

A forest of regression trees learns the scores; a setting's share is the variance of the forest's
mean prediction for each of its values, over that of all predictions, for settings spread evenly
over the space: functional ANOVA (Hutter, Hoos and Leyton-Brown, ICML 2014), its main effects alone,
by partial dependence. A forest finds a share in noise too: beside each share stands the one that it
has where the scores are shuffled among the trials.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from study.search.trials import ScoredTrial
from study.spec.searches import Search

# Fewer tell nothing.
LEAST_TRIALS = 10

# Bootstrap samples, and as many shuffles, each with a forest of its own of so many trees.
RESAMPLINGS = 20
TREES = 50

# Settings drawn from the space, and values of one of them, for which the forest is asked.
BACKGROUND = 128
VALUES = 16

Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@dataclass(frozen=True)
class Importance:
    """The share of a setting, its 95 % bootstrap interval, and what is had of shuffled scores.

    `noise` is the 95th percentile of that: a share below it is what chance gives.
    """

    setting: str
    share: float
    low: float
    high: float
    noise: float

    @property
    def is_clear(self) -> bool:
        """Whether it is more than chance gives."""
        return self.share > self.noise


def importance(search: Search, trials: Sequence[ScoredTrial]) -> list[Importance]:
    """Of the settings that all trials have, the most important first; none of too few trials.

    It goes by the scores in the steps that drew the trials, which all but diverged ones have.
    """
    known = [(each.trial.settings, each.first) for each in trials if each.first is not None]
    varied = [key for key in search.space if all(key in settings for settings, _ in known)]
    scores = np.array([score for _, score in known])
    if len(known) < LEAST_TRIALS or not varied:
        return []
    places = np.array(
        [[_place(search.space[key], drawn[key]) for key in varied] for drawn, _ in known]
    )
    random = np.random.default_rng(search.seed)
    background = np.column_stack([_even(search.space[key], BACKGROUND, random) for key in varied])

    def resampled() -> tuple[Numbers, Numbers]:
        chosen = random.integers(len(scores), size=len(scores))
        return places[chosen], scores[chosen]

    def shuffled() -> tuple[Numbers, Numbers]:
        return places, random.permutation(scores)

    effects, totals = variances(places, scores, background)
    shares = _shares(effects, totals)
    again = np.array([_shares(*variances(*resampled(), background)) for _ in range(RESAMPLINGS)])
    # Of the scores' own variance: that of a forest that learned noise is nothing to go by.
    noise = np.array(
        [_shares(variances(*shuffled(), background)[0], totals) for _ in range(RESAMPLINGS)]
    )
    found = [
        Importance(
            setting=key,
            share=float(shares[index]),
            low=float(np.percentile(again[:, index], 2.5)),
            high=float(np.percentile(again[:, index], 97.5)),
            noise=float(np.percentile(noise[:, index], 95)),
        )
        for index, key in enumerate(varied)
    ]
    return sorted(found, key=lambda each: -each.share)


def _shares(effects: Numbers, totals: Numbers) -> Numbers:
    return np.divide(effects, totals, out=np.zeros_like(effects), where=totals > 0)


def variances(places: Numbers, scores: Numbers, background: Numbers) -> tuple[Numbers, Numbers]:
    """Of each setting's main effect, and of all predictions for that setting's values: (settings,).

    The forest learns from the places of trials in the space, (trials, settings).
    """
    # The report reads what is found here, and scikit-learn takes two seconds to import.
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(TREES, random_state=0).fit(places, scores)
    count = background.shape[1]
    asked = np.tile(background, (count, VALUES, 1, 1))
    for index in range(count):
        # Evenly again: of numbers in order, each the middle of its part.
        ordered = np.sort(background[:, index])[BACKGROUND // VALUES // 2 :: BACKGROUND // VALUES]
        asked[index, :, :, index] = ordered[:, None]
    predicted = forest.predict(asked.reshape(-1, count)).reshape(count, VALUES, BACKGROUND)
    return predicted.mean(axis=2).var(axis=1), predicted.var(axis=(1, 2))


def _place(form: Any, value: Any) -> float:
    """Where a value lies among a list's, or on the scale of its bounds."""
    if isinstance(form, list):
        return float(form.index(value))
    return math.log(value) if form["log"] else float(value)


def _even(form: Any, count: int, random: np.random.Generator) -> Numbers:
    """So many places, spread evenly over a setting's, in random order."""
    shares = (np.arange(count) + 0.5) / count
    if isinstance(form, list):
        found = np.floor(shares * len(form))
    else:
        low, high = _place(form, form["low"]), _place(form, form["high"])
        found = low + shares * (high - low)
    return random.permutation(found)


def read(path: Path) -> list[Importance]:
    """What importance.parquet holds."""
    return [Importance(**row) for row in pq.read_table(path).to_pylist()]


def table(found: Sequence[Importance]) -> pa.Table:
    """The rows of importance.parquet."""
    numbers = ("share", "low", "high", "noise")
    return pa.table(
        {"setting": pa.array([each.setting for each in found], pa.string())}
        | {
            name: pa.array([getattr(each, name) for each in found], pa.float64())
            for name in numbers
        }
    )
