"""What follows from the order of a setting's values: trends, and values to try next."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jsonschema import Draft202012Validator

from study.results.experiments import ExperimentResult, ValueResult, is_ordered
from study.statistics.scales import WIDE, has_even_ratios, scale_of
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
    first: ValueResult
    last: ValueResult
    peak: ValueResult
    steps: int
    rises: int
    clear_steps: int
    slope: Contrast
    p: float


def trend(experiment: ExperimentResult) -> Trend | None:
    """The trend over one ordered setting of three or more values; None where there is none.

    The means have a shape only if they follow it without exception. The test of the slope may
    find a trend where no single step is clear.
    """
    if experiment.slope is None:
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


# The schema of a setting.
Definition = Mapping[str, Any]


@dataclass(frozen=True)
class Edge:
    """The best value is at one end of those tried of `key`, or the only one, and more could be.

    `side` is `largest`, `smallest` or `only`. `to_try` are the next values beyond it, in the order
    to try them in; none where replicates diverge already.
    """

    best: ValueResult
    key: str
    side: str
    to_try: list[Any]


def edges(experiment: ExperimentResult) -> list[Edge]:
    """The ordered settings of which the best value is at an end that is no bound of the setting.

    Where several values are equally good, all of them must be at that end.
    """
    best = experiment.best
    if best is None:
        return []
    found = []
    for key in experiment.keys:
        items = [value.varied[key] for value in experiment.values]
        items = [item for i, item in enumerate(items) if item not in items[:i]]
        items = sorted(items, key=lambda item: sum(item) if isinstance(item, list) else item)
        if not is_ordered(items):
            continue
        bounds = experiment.definitions[key]
        chosen, *others = [value.varied[key] for value in experiment.bests]
        if any(other != chosen for other in others):
            continue
        if len(items) == 1:
            found.append(_edge(best, key, items, bounds, "only"))
            continue
        if chosen == items[-1] and chosen != bounds.get("maximum"):
            found.append(_edge(best, key, items, bounds, "largest"))
        if chosen == items[0] and chosen != bounds.get("minimum"):
            found.append(_edge(best, key, items[::-1], bounds, "smallest"))
    return found


def _edge(
    best: ValueResult, key: str, items: Sequence[Any], definition: Definition, side: str
) -> Edge:
    return Edge(best, key, side, [] if best.diverged else to_try(key, items, definition))


# Settings that are thought of in ratios, with the ratio to take where the values tell none. What is
# not here goes by differences, unless three values or a wide span say otherwise.
RATIOS = {"learning_rate": 10, "weight_decay": 10, "batch_size": 2, "hidden": 2}

# Settings below 1 that are thought of by how much is left to 1: 0.9, 0.99, 0.999.
COMPLEMENTS = ("momentum", "weight_averaging")


def to_try(key: str, items: Sequence[Any], definition: Definition) -> list[Any]:
    """Up to TO_TRY values of the setting `key` that go on where `items`, which are in order, end.

    `definition` is the setting's schema.

    They go on by the last ratio where the setting is thought of in ratios or the items are spaced
    by them, and else by the last step; where that would leave the setting's bounds, halfway to the
    bound. After powers of two come powers of two, and layers are doubled or halved. For a single
    item there is one value on either side.
    """
    if len(items) == 1:
        return _around(key, items[0], definition)
    items = list(items)
    found = []
    for _ in range(TO_TRY):
        following = (
            _next_layers(items) if isinstance(items[0], list) else _next(key, items, definition)
        )
        if following in items or not _is_valid(definition, following):
            break
        items.append(following)
        found.append(following)
    return found


def _around(key: str, item: Any, definition: Definition) -> list[Any]:
    """One value below and one above, by the ratio of the setting, as far as these are valid."""
    ratio = RATIOS.get(key, 2)
    sides: list[Any] = []
    if isinstance(item, list):
        sides = [[units // ratio for units in item], [units * ratio for units in item]]
    elif key in COMPLEMENTS and item > 0:
        sides = [_rounded(key, 1 - (1 - item) * by, item, definition) for by in (ratio, 1 / ratio)]
    elif item > 0:
        sides = [_rounded(key, item * by, item, definition) for by in (1 / ratio, ratio)]
    return [value for value in sides if value != item and _is_valid(definition, value)]


def _next_layers(items: Sequence[list[int]]) -> list[int]:
    is_rising = sum(items[-1]) > sum(items[0])
    return [units * 2 if is_rising else units // 2 for units in items[-1]]


def _next(key: str, items: Sequence[float], definition: Definition) -> float:
    before, last = items[-2:]
    following = last + (last - before)
    if key in COMPLEMENTS and last > before > 0:
        following = 1 - (1 - last) ** 2 / (1 - before)
    elif _is_by_ratios(key, items):
        following = last * (last / before if before > 0 else RATIOS.get(key, 2))
    following = _rounded(key, following, last, definition)
    if isinstance(following, int):
        following = _as_before(items, following)
    if _is_valid(definition, following):
        return following
    side = ("maximum", "exclusiveMaximum") if last > before else ("minimum", "exclusiveMinimum")
    bound = next((definition[name] for name in side if name in definition), last)
    return _rounded(key, (last + bound) / 2, last, definition)


def _is_by_ratios(key: str, items: Sequence[float]) -> bool:
    if min(items) < 0 or sorted(items)[-1] <= 0:
        return False
    if key in RATIOS:
        return len(items) == 2 or has_even_ratios(items)
    if len(items) == 2:
        return 0 < WIDE * min(items) <= max(items)
    return scale_of(items) != "linear"


def _as_before(items: Sequence[float], following: int) -> int:
    """The power of two nearest to `following` where all `items` are powers of two."""
    if following < 1 or any(item < 1 or not math.log2(item).is_integer() for item in items):
        return following
    return 1 << round(math.log2(following))


def _rounded(key: str, number: float, last: float, definition: Definition) -> float:
    """A whole number where the setting has only these, else one of two digits.

    These are two digits of what is left to 1 where the setting is thought of in that way, and more
    of them where two would lead back to `last`.
    """
    if definition["type"] == "integer":
        return round(number)
    is_complement = key in COMPLEMENTS and 0.5 < number < 1
    for digits in range(2, 12):
        if is_complement:
            rounded = round(1 - float(f"{1 - number:.{digits}g}"), 12)
        else:
            rounded = float(f"{number:.{digits}g}")
        if rounded != last and (rounded > last) == (number > last):
            break
    return rounded


def _is_valid(definition: Definition, value: Any) -> bool:
    return bool(Draft202012Validator(definition).is_valid(value))
