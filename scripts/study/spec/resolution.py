"""From a configuration to its plan: what must be trained for it."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from study.data import datasets
from study.spec import models
from study.spec.beside import files_beside, final_beside
from study.spec.choice import Choice
from study.spec.models import Model
from study.spec.plan import Experiment, Plan, Value, run_name, runs_of
from study.spec.settings import (
    USED_BY,
    has_an_end,
    is_used,
    text,
    value_text,
)
from study.support.errors import StudyError


def resolve(config: Mapping[str, Any], choice: Choice | None = None) -> Plan:
    """The plan of a validated configuration; StudyError where its parts do not fit each other.

    `choice` is that of a final model that is chosen by results, once it is; one by the results of
    other experiments or seeds is none.
    """
    named = datasets.named(config["data"])
    dataset = datasets.describe(named).name
    other = config["report"].get("beside")
    if files_beside(other):
        final_beside(Path(other))
    validation = _validation(config["data"]["validation"])
    seeds = config["seeds"]
    # A whole number may be written 5.0.
    seeds = [int(seed) for seed in seeds] if isinstance(seeds, list) else list(range(int(seeds)))
    model = models.describe(config["model"])
    known = model.hyperparameters
    baseline = known.complete(config["baseline"])
    notes: list[str] = []

    def value(place: str, chosen: Mapping[str, Any], varied: Mapping[str, Any]) -> Value:
        settings = known.complete({**chosen, **varied})
        _check(model, place, settings, varied, notes)
        name = run_name(settings, dataset, validation, model)
        shown = {key: settings[key] for key in varied}
        return Value(value_text(shown), shown, name, settings["epochs"])

    experiments = []
    for name, description in config["experiments"].items():
        vary, other = description["vary"], description.get("with", {})
        for key in vary.keys() & other.keys():
            raise StudyError(f"experiments.{name}: {key!r} stands under both `vary` and `with`")
        start = known.complete(baseline | other)
        values = [value(f"experiments.{name}", start, varied) for varied in _grid(vary)]
        experiments.append(Experiment(name, list(vary), start, values))

    chooses_final = config.get("final") == "best"
    if choice and not choice.is_of(experiments, seeds):
        choice = None
    wanted = config.get("final")
    if chooses_final:
        wanted = choice.settings if choice and not choice.unchosen else None
    final = None
    if wanted is not None:
        settings = known.complete(baseline | wanted)
        _check(model, "final", settings, {}, notes)
        run = run_name(settings, dataset, validation, model)
        final = Value("final", settings, run, settings["epochs"])
        trained = {each.run: each.epochs for each in runs_of(experiments, None, seeds, True)}
        if chooses_final and trained.get(run, final.epochs) < final.epochs:
            # When results choose it, this run is finished, and one call trains no run twice: a
            # folder of its own takes the whole training.
            final = replace(final, run=f"final-{run}")

    return Plan(
        model=model,
        dataset=named,
        validation=validation,
        seeds=seeds,
        languages=list(config["report"]["languages"]),
        early_stopping=dict(config["report"]["early_stopping"]),
        beside=config["report"].get("beside"),
        device=config["device"],
        baseline=baseline,
        experiments=experiments,
        final=final,
        runs=runs_of(experiments, final, seeds, chooses_final),
        chooses_final=chooses_final,
        reasons=choice.reasons if chooses_final and choice else [],
        unchosen=choice.unchosen if chooses_final and choice else None,
        claims=config["claims"],
        notes=list(dict.fromkeys(notes)),
        missing=[],
    )


def _validation(described: str | Mapping[str, Any]) -> str | dict[str, Any]:
    """As the plan has it: with all keys, and whole numbers as such."""
    if isinstance(described, str):
        return described
    held_out = {"from": described["from"], "size": described["size"], "seed": 0, **described}
    return held_out | {key: int(held_out[key]) for key in ("size", "seed")}


def _grid(vary: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    for combination in itertools.product(*vary.values()):
        yield dict(zip(vary, combination, strict=True))


def _check(
    model: Model,
    place: str,
    settings: Mapping[str, Any],
    varied: Mapping[str, Any],
    notes: list[str],
) -> None:
    """Refuse settings that cannot go together; note inherited ones that are ignored."""
    optimizer = settings["optimizer"]
    for name in USED_BY:
        if is_used(name, optimizer):
            continue
        if name in varied:
            raise StudyError(
                f"{place}.vary.{name}: the optimizer {optimizer!r} does not use {name!r}; "
                "set another optimizer in this experiment's `with:`"
            )
        if settings[name] != model.hyperparameters.default(name):
            notes.append(f"{place}: {optimizer} ignores {name} = {text(settings[name])}")
    if model.has_loss and settings["label_smoothing"]:
        raise StudyError(
            f"{place}: label_smoothing changes nothing: {model.word} has a loss of its own"
        )
    warmup, epochs = settings["warmup_epochs"], settings["epochs"]
    if settings["schedule"] == "one_cycle" and warmup:
        raise StudyError(f"{place}: one_cycle warms up by itself; leave warmup_epochs at 0")
    if has_an_end(settings) and warmup >= epochs:
        raise StudyError(f"{place}: warmup_epochs: {warmup} of {epochs} epochs leave none after it")
    if has_an_end(settings):
        notes.append(
            f"{place}: under schedule {settings['schedule']} a training of {epochs} epochs is none "
            "of more or fewer: each length is trained from its beginning"
        )
    if is_used("nesterov", optimizer) and settings["nesterov"] and settings["momentum"] == 0:
        raise StudyError(f"{place}: nesterov needs a momentum above 0")
