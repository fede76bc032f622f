"""Drawing trials from a space, by Optuna's samplers, as a function of what is known alone.

Optuna is given the history anew for each draw, and its sampler a seed that follows from the
search's seed and the trial's number: so the draws are the same wherever and whenever they are made,
and its own storage, which nothing is resumed from, stays in memory. Tried on Optuna 5.0.0.
"""

import hashlib
import itertools
import json
import math
import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState, create_trial

from study.spec.search_config import choices
from study.spec.searches import Search
from study.spec.settings import Settings, is_used
from study.support.errors import StudyError

# Draws for one trial, of which all but the last were trials already or cannot be trained.
MOST_DRAWS = 100

# Significant digits of a number drawn between bounds; without a logarithm, of their distance.
DIGITS = 4

# After so many, they are drawn at random: a sampler may insist on what it has.
SAMPLED_DRAWS = 4


@dataclass(frozen=True)
class Measured:
    """What a trial sets, and its score, higher for better; None where it diverged."""

    settings: Settings
    score: float | None


def draw(
    search: Search,
    known: Sequence[Measured],
    count: int,
    problem: Callable[[Settings], str | None] = lambda settings: None,
) -> list[dict[str, Any]]:
    """What the next `count` trials set; fewer where the space has no more.

    Args:
        search: The space, the sampler and its seed.
        known: All trials drawn so far, in order.
        count: How many are drawn; none knows how the others of them come out.
        problem: Why settings cannot be trained, None where they can; these are drawn again.

    Raises:
        StudyError: Nothing in the space can be trained, or the sampler fails.
    """
    if search.sampler == "grid":
        return list(itertools.islice(_new(_combinations(search), known, problem), count))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    drawn: list[dict[str, Any]] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study = _study(search, known)
            for _ in range(count):
                so_far = [*known, *(Measured(new, None) for new in drawn)]
                found = _next(search, study, so_far, problem)
                if found is None:
                    break
                drawn.append(found)
    except (ValueError, RuntimeError, ArithmeticError) as error:
        raise StudyError(f"search.{search.name}: the sampler {search.sampler}: {error}") from error
    return drawn


def _next(
    search: Search,
    study: optuna.Study,
    known: Sequence[Measured],
    problem: Callable[[Settings], str | None],
) -> dict[str, Any] | None:
    """A draw that is no trial yet and can be trained; it stays a running trial of `study`."""
    seen = {_key(each.settings) for each in known}
    reason = None
    for attempt in range(MOST_DRAWS):
        name = search.sampler if attempt < SAMPLED_DRAWS else "random"
        if search.sampler != "qmc" or attempt:
            study.sampler = _sampler(name, _seed(search.seed, len(known), attempt))
        trial = study.ask()
        found = _suggest(search, trial)
        reason = problem(found)
        if _key(found) not in seen and reason is None:
            return found
        study.tell(trial, state=TrialState.FAIL)
    if reason is not None and not known:
        raise StudyError(f"search.{search.name}: nothing in its space can be trained: {reason}")
    return None


def _study(search: Search, known: Sequence[Measured]) -> optuna.Study:
    """What Optuna is to know: the trials with their scores, a diverged one the worst of all.

    The search's earlier ones come first. They are no trials of its own, which may be the same.
    """
    study = optuna.create_study(
        direction="maximize", sampler=_sampler(search.sampler, _seed(search.seed, 0, 0))
    )
    earlier = [Measured(each.settings, each.score) for each in search.earlier]
    scores = [each.score for each in [*earlier, *known] if each.score is not None]
    worst = min(scores, default=0.0)
    for each in [*earlier, *known]:
        if search.sampler == "qmc":
            # Its sequence is kept in the study, and goes on from trial to trial.
            _suggest(search, study.ask())
        distributions = {key: distribution(search.space[key]) for key in each.settings}
        params = {key: _to_optuna(search.space[key], value) for key, value in each.settings.items()}
        value = worst if each.score is None else each.score
        study.add_trial(create_trial(params=params, distributions=distributions, value=value))
    return study


def _sampler(name: str, seed: int) -> optuna.samplers.BaseSampler:
    match name:
        case "tpe":
            return optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True)
        case "gp":
            return optuna.samplers.GPSampler(seed=seed, deterministic_objective=False)
        case "qmc":
            return optuna.samplers.QMCSampler(
                seed=seed, scramble=True, warn_independent_sampling=False
            )
        case _:
            return optuna.samplers.RandomSampler(seed=seed)


def _suggest(search: Search, trial: optuna.Trial) -> dict[str, Any]:
    """One draw of all settings that its optimizer uses."""
    drawn: dict[str, Any] = {}
    # The optimizer first, since others hang on it.
    for key in sorted(search.space, key=lambda key: key != "optimizer"):
        if is_used(key, _optimizer(search, drawn)):
            drawn[key] = _suggested(trial, key, search.space[key])
    return {key: drawn[key] for key in search.space if key in drawn}


def _suggested(trial: optuna.Trial, key: str, form: Any) -> Any:
    if isinstance(form, list):
        return form[trial.suggest_categorical(key, range(len(form)))]
    low, high, log, step = form["low"], form["high"], form["log"], form.get("step")
    if isinstance(low, int):
        return trial.suggest_int(key, low, high, step=step or 1, log=log)
    value = trial.suggest_float(key, low, high, step=step, log=log)
    return _rounded(value, FloatDistribution(low, high, log, step))


def _rounded(value: float, within: FloatDistribution) -> float:
    """To DIGITS, which people can read, and machines that differ in a last bit agree on."""
    if within.step is not None:
        return float(f"{value:.12g}")
    scale = value if within.log else within.high - within.low
    rounded = round(value, DIGITS - 1 - math.floor(math.log10(scale)))
    return min(max(rounded, within.low), within.high)


def distribution(form: Any) -> BaseDistribution:
    """Optuna's own of a setting's form in the space; of a list, of the places in it."""
    if isinstance(form, list):
        return CategoricalDistribution(range(len(form)))
    low, high, log, step = form["low"], form["high"], form["log"], form.get("step")
    if isinstance(low, int):
        return IntDistribution(low, high, log=log, step=step or 1)
    return FloatDistribution(low, high, log=log, step=step)


def _to_optuna(form: Any, value: Any) -> Any:
    return form.index(value) if isinstance(form, list) else value


def _seed(*parts: int) -> int:
    digest = hashlib.sha256(json.dumps(parts).encode()).digest()
    return int.from_bytes(digest[:4], "big")


def _combinations(search: Search) -> Iterator[dict[str, Any]]:
    """All that the space has, in an order drawn by the search's seed."""
    # A grid's are no continuous ones (search_config.py).
    values = [choices(form) or [] for form in search.space.values()]
    combinations = list(itertools.product(*values))
    random.Random(search.seed).shuffle(combinations)
    for combination in combinations:
        drawn = dict(zip(search.space, combination, strict=True))
        optimizer = _optimizer(search, drawn)
        yield {key: value for key, value in drawn.items() if is_used(key, optimizer)}


def _optimizer(search: Search, drawn: Settings) -> str:
    """That of a trial that sets what is `drawn`."""
    return str({**search.settings, **drawn}["optimizer"])


def _new(
    drawn: Iterator[dict[str, Any]],
    known: Sequence[Measured],
    problem: Callable[[Settings], str | None],
) -> Iterator[dict[str, Any]]:
    """Those that are no trial yet and can be trained, each once."""
    seen = {_key(each.settings) for each in known}
    for found in drawn:
        if _key(found) not in seen and problem(found) is None:
            seen.add(_key(found))
            yield found


def _key(settings: Settings) -> str:
    return json.dumps(settings, sort_keys=True)
