"""What a config says of a search: its space, its budget, and what of these fits together."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from study.spec import optuna_file
from study.spec.models import Model
from study.spec.searches import EarlierTrial, Search, steps_of
from study.spec.settings import USED_BY, Settings, has_an_end, is_used, text
from study.support.errors import StudyError

# Samplers that draw by what is known of other trials.
LEARNING = ("tpe", "gp")


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
    search = Search(name, start, typed, sampler, seed, steps=steps)
    if "from" in described:
        search = replace(search, earlier=_earlier(search, Path(described["from"]), notes))
    return search


def _earlier(search: Search, path: Path, notes: list[str]) -> list[EarlierTrial]:
    """The trials of an Optuna study that lie in the space; those that do not are told in `notes`.

    StudyError where none does, or the study varies other settings.
    """
    place = f"search.{search.name}.from"
    if search.sampler not in LEARNING:
        raise StudyError(f"{place}: the sampler {search.sampler} does not learn from trials")
    try:
        found = optuna_file.read(path, search.name)
    except StudyError as error:
        raise StudyError(f"{place}: {error}") from error
    varied = {key for trial in found for key in trial.params}
    for key in sorted(varied - search.space.keys()):
        raise StudyError(f"{place}: {path}: its study varies {key!r}, which the space has not")
    used = {key for trial in found for key in _used(search, trial.params)}
    for key in sorted(used - varied):
        raise StudyError(f"{place}: {path}: its study has no {key!r}, which the space has")
    inside = [(_inside(search, trial.params), trial.value) for trial in found]
    earlier = [EarlierTrial(known, value) for known, value in inside if known is not None]
    if not earlier:
        raise StudyError(
            f"{place}: {path}: none of its {len(found)} complete trials is in the space"
        )
    if len(earlier) < len(found):
        outside = len(found) - len(earlier)
        notes.append(f"{place}: {outside} of {len(found)} trials are not in the space, left out")
    return earlier


def _inside(search: Search, params: Mapping[str, Any]) -> dict[str, Any] | None:
    """A trial's params as settings of the space; None where it lies outside."""
    known = {key: _known(form, params[key]) for key, form in search.space.items() if key in params}
    used = _used(search, known)
    if any(known.get(key) is None for key in used):
        return None
    return {key: known[key] for key in used}


def _used(search: Search, drawn: Mapping[str, Any]) -> list[str]:
    """The settings of the space that a trial's optimizer uses."""
    optimizer = str({**search.settings, **drawn}["optimizer"])
    return [key for key in search.space if is_used(key, optimizer)]


def _known(form: Any, value: Any) -> Any:
    """The value of a setting that a param is; None where the setting has no such value."""
    if isinstance(form, list):
        return next((choice for choice in form if _same(choice, value)), None)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    low, high, step = form["low"], form["high"], form.get("step", 1 if _whole(form) else 0)
    count = (value - low) / step if step else 0.0
    # As near as Optuna takes it, which counts in steps of 0.1 to 0.30000000000000004.
    if not low <= value <= high or abs(count - round(count)) >= 1e-8:
        return None
    return type(low)(float(f"{value:.12g}") if step else value)


def _same(choice: Any, value: Any) -> bool:
    """Whether a param is a choice of the space's; a list may be its text."""
    if isinstance(choice, float) and not isinstance(value, bool):
        return bool(value == choice)
    return text(value) == text(choice)


def _whole(form: Mapping[str, Any]) -> bool:
    return isinstance(form["low"], int)


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
