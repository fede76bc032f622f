"""What follows from the order of a setting's values: trends, and values to try next."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jsonschema import Draft202012Validator

from study.results.experiments import Experiment, Value, is_ordered
from study.spec.config import schema
from study.statistics.scales import WIDE, scale_of
from study.statistics.significance import Contrast, is_clear

# How many values to try are named.
TO_TRY = 2


@dataclass(frozen=True)
class Trend:
    """How accuracy follows an ordered setting, and the slope of a straight line over the ranks.

    The `shape` is `rising`, `falling`, with a `peak` between, or `uneven`. Of the `steps` from one
    value to the next, `rises` go up, and `clear_steps` are clear by themselves; `p` is the slope's
    corrected p-value, NaN where it could not be tested.
    """

    shape: str
    first: Value
    last: Value
    peak: Value
    steps: int
    rises: int
    clear_steps: int
    slope: Contrast
    p: float


def trend(experiment: Experiment) -> Trend | None:
    """The trend over one ordered setting of three or more values; None where there is none.

    The means have a shape only if they follow it without exception. The test of the slope may
    find a trend where no single step is clear.
    """
    if not experiment.is_ordered:
        return None
    values = experiment.values
    signs = np.sign(np.diff([value.validation.mean for value in values]))
    if (signs > 0).all():
        shape = "rising"
    elif (signs < 0).all():
        shape = "falling"
    elif signs.all() and (np.diff(signs) <= 0).all():
        shape = "peak"
    else:
        shape = "uneven"
    steps = [experiment.p_between(*step) for step in itertools.pairwise(values)]
    return Trend(
        shape=shape,
        first=values[0],
        last=values[-1],
        peak=experiment.ranked[0],
        steps=len(steps),
        rises=int((signs > 0).sum()),
        clear_steps=sum(map(is_clear, steps)),
        slope=experiment.slope,
        p=experiment.p_slope,
    )


@dataclass(frozen=True)
class Edge:
    """The best value is the largest or the smallest tried of `key`, and more could be tried.

    `to_try` are the next values beyond it, in the order to try them in; none where replicates
    diverge already.
    """

    best: Value
    key: str
    is_largest: bool
    to_try: list[Any]


def edges(experiment: Experiment) -> list[Edge]:
    """The ordered settings of which the best value is at an end that is no bound of the setting."""
    found = []
    for key in experiment.keys if experiment.ranked else []:
        items = [value.varied[key] for value in experiment.values]
        items = [item for i, item in enumerate(items) if item not in items[:i]]
        items = sorted(items, key=lambda item: sum(item) if isinstance(item, list) else item)
        if len(items) < 2 or not is_ordered(items):
            continue
        bounds = schema()["$defs"][key]
        chosen = experiment.best.varied[key]
        if chosen == items[-1] and chosen != bounds.get("maximum"):
            found.append(_edge(experiment.best, key, items, is_largest=True))
        if chosen == items[0] and chosen != bounds.get("minimum"):
            found.append(_edge(experiment.best, key, items[::-1], is_largest=False))
    return found


def _edge(best: Value, key: str, items: Sequence[Any], is_largest: bool) -> Edge:
    return Edge(best, key, is_largest, [] if best.diverged else to_try(key, items))


def to_try(key: str, items: Sequence[Any]) -> list[Any]:
    """Up to TO_TRY values of the setting `key` that go on where `items`, which are in order, end.

    Numbers go on by the last step, or by the last ratio where they are spaced by ratios; where
    that would leave the setting's bounds, halfway to the bound. Layers are doubled or halved.
    """
    items = list(items)
    found = []
    for _ in range(TO_TRY):
        following = _next_layers(items) if isinstance(items[0], list) else _next(key, items)
        if following in items or not _is_valid(key, following):
            break
        items.append(following)
        found.append(following)
    return found


def _next_layers(items: Sequence[list[int]]) -> list[int]:
    is_rising = sum(items[-1]) > sum(items[0])
    return [units * 2 if is_rising else units // 2 for units in items[-1]]


def _next(key: str, items: Sequence[float]) -> float:
    before, last = items[-2:]
    following = last + (last - before)
    if _is_by_ratios(items):
        following = last * last / before
    following = _rounded(key, following)
    if _is_valid(key, following):
        return following
    bounds = schema()["$defs"][key]
    side = ("maximum", "exclusiveMaximum") if last > before else ("minimum", "exclusiveMinimum")
    bound = next((bounds[name] for name in side if name in bounds), last)
    return _rounded(key, (last + bound) / 2)


def _is_by_ratios(items: Sequence[float]) -> bool:
    if len(items) == 2:
        return 0 < WIDE * min(items) <= max(items)
    return scale_of(items) != "linear"


def _rounded(key: str, number: float) -> float:
    """A whole number where the setting has only these, else one of two digits."""
    if schema()["$defs"][key]["type"] == "integer":
        return round(number)
    return float(f"{number:.2g}")


def _is_valid(key: str, value: Any) -> bool:
    return Draft202012Validator(schema()["$defs"][key]).is_valid(value)
