"""What a config says of a search: its space, its budget, and what of these fits together."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from study.spec.models import Model
from study.spec.searches import Search, steps_of
from study.spec.settings import USED_BY, Settings, has_an_end, is_used
from study.support.errors import StudyError


def search_of(
    name: str,
    described: Mapping[str, Any],
    baseline: Settings,
    seeds: Sequence[int],
    model: Model,
    notes: list[str],
) -> Search:
    """The search that the config describes under `name`, none of its steps taken.

    StudyError where its parts do not fit each other; what a reader should know goes to `notes`.
    """
    place = f"search.{name}"
    space, other = described["space"], described.get("with", {})
    for key in space.keys() & other.keys():
        raise StudyError(f"{place}: {key!r} stands under both `space` and `with`")
    start = model.hyperparameters.complete({**baseline, **other})
    for message in itertools.chain(
        *(_bounds(f"{place}.space.{key}", form) for key, form in space.items()),
        _unused(place, space, start),
    ):
        raise StudyError(message)

    trials, halving = int(described["trials"]), described.get("halving")
    count = combinations(space)
    if count is not None and count < trials:
        notes.append(f"{place}: its space has {count} combinations, fewer than {trials} trials")
        trials = count
    if halving:
        halving = {"reduction_factor": 3, **halving}
        halving = {key: int(value) for key, value in halving.items()}
        _check_halving(place, halving, space, start)
    steps = steps_of(
        trials,
        int(described.get("parallel", 4)),
        start["epochs"],
        list(seeds),
        halving,
        min(int(described.get("confirm", 3)), trials),
    )
    typed = {key: _typed(model, key, form) for key, form in space.items()}
    sampler, seed = described.get("sampler", "tpe"), int(described.get("seed", 0))
    if sampler == "grid" and count is None:
        raise StudyError(f"{place}.sampler: a grid takes lists, or bounds with a `step`")
    return Search(name, typed, start, sampler, seed, steps)


def combinations(space: Mapping[str, Any]) -> int | None:
    """How many draws the space has at most; None where a setting is continuous."""
    total = 1
    for form in space.values():
        values = choices(form)
        if values is None:
            return None
        total *= len(values)
    return total


def choices(form: Any) -> Sequence[Any] | None:
    """The values that a setting can take, by its form in a space; None where it is continuous."""
    if isinstance(form, list):
        return form
    step = form.get("step", 1 if isinstance(form["low"], int) and not form.get("log") else None)
    if isinstance(form["low"], int) and isinstance(form["high"], int):
        return range(form["low"], form["high"] + 1, int(step or 1))
    if step is None:
        return None
    # As decimal numbers: three times 0.1 is 0.3 for who wrote it.
    low, width = Decimal(str(form["low"])), Decimal(str(step))
    count = int((Decimal(str(form["high"])) - low) / width) + 1
    return [float(low + index * width) for index in range(count)]


def _bounds(place: str, form: Any) -> Iterator[str]:
    if isinstance(form, list):
        return
    low, high, step = (Decimal(str(form.get(key, 0))) for key in ("low", "high", "step"))
    if low >= high:
        yield f"{place}: low, {form['low']}, must be below high, {form['high']}"
    if form.get("log") and low <= 0:
        yield f"{place}: log needs a low above 0, is {form['low']}"
    if form.get("log") and step:
        yield f"{place}: has both log and step; a step is between numbers at even distances"
    if step and (high - low) % step:
        yield (
            f"{place}: the step {form['step']} does not lead from {form['low']} to {form['high']}"
        )


def _unused(place: str, space: Mapping[str, Any], start: Settings) -> Iterator[str]:
    """Settings of the space that no trial's optimizer uses."""
    optimizers = space.get("optimizer", [start["optimizer"]])
    for key in space.keys() & USED_BY.keys():
        if not any(is_used(key, optimizer) for optimizer in optimizers):
            told = ", ".join(optimizers)
            yield f"{place}.space.{key}: {told}, the optimizer of all trials, does not use it"


def _check_halving(
    place: str, halving: Mapping[str, int], space: Mapping[str, Any], start: Settings
) -> None:
    epochs = start["epochs"]
    if halving["min_epochs"] >= epochs:
        raise StudyError(
            f"{place}.halving.min_epochs: {halving['min_epochs']} leave nothing to halve: a whole "
            f"training has {epochs} epochs"
        )
    schedules = space.get("schedule", [start["schedule"]])
    for schedule in schedules:
        if has_an_end({"schedule": schedule}):
            raise StudyError(
                f"{place}.halving: under schedule {schedule} a training of fewer epochs is not the "
                "beginning of a longer one, so that no trial can go on; leave out one of the two"
            )


def _typed(model: Model, key: str, form: Any) -> Any:
    """The form with its numbers in the type of the setting, as runs have them."""
    known = model.hyperparameters

    def typed(value: Any) -> Any:
        return known.complete({key: value})[key]

    if isinstance(form, list):
        return [typed(value) for value in form]
    numbers = {name: typed(form[name]) for name in ("low", "high", "step") if name in form}
    return {**numbers, "log": bool(form.get("log", False))}
