"""From a configuration to what must be trained: experiments, their values, their runs."""

import hashlib
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from study.data.datasets import describe
from study.spec import settings as training_settings
from study.spec.beside import files_beside, plan_beside
from study.spec.choice import Choice, Reason
from study.spec.settings import (
    complete,
    default,
    essential,
    identity,
    is_used,
    text,
    value_text,
)
from study.support.errors import StudyError

# Longest readable part of a run's name: with the hash well below file systems' 255 bytes.
SLUG_LENGTH = 120


@dataclass(frozen=True)
class Value:
    """One value of an experiment: the first `epochs` epochs of `run`."""

    value: str
    settings: dict[str, Any]
    run: str
    epochs: int


@dataclass(frozen=True)
class Experiment:
    """What is varied (`keys`), from which `settings`, over which values."""

    name: str
    keys: list[str]
    settings: dict[str, Any]
    values: list[Value]


@dataclass(frozen=True)
class Run:
    """A training configuration and how much of it the study asks for.

    `settings` are those that change its learning. `kept_epochs` are those at which the final
    model is, or may turn out to be, read off this run, so that its weights then are kept.
    """

    run: str
    settings: dict[str, Any]
    epochs: int
    seeds: list[int]
    kept_epochs: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """Everything a configuration asks for, resolved.

    `final` is the final model, if there is one; where `chooses_final` is set, it is chosen by the
    experiments' results (choice.py), for `reasons`, and None until then, or for good where these
    leave nothing to choose from, of which `unchosen` is the reason. `claims` are the config's
    own (claims.schema.yaml); `notes` tell what is ignored; `missing` names the values that a
    partial plan leaves out.
    """

    dataset: str
    validation: str | dict[str, Any]
    seeds: list[int]
    languages: list[str]
    early_stopping: dict[str, Any]
    beside: str | None
    device: str
    baseline: dict[str, Any]
    experiments: list[Experiment]
    final: Value | None
    runs: list[Run]
    chooses_final: bool = False
    reasons: list[Reason] = field(default_factory=list)
    unchosen: str | None = None
    claims: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        """The plan as results/plan.json holds it."""
        # `asdict` would copy every setting of every run first.
        return json.dumps(self, default=vars, indent=1, ensure_ascii=False) + "\n"

    def restricted_to(self, epochs_of: Mapping[str, Mapping[int, float]]) -> "Plan":
        """What can be reported from the records that exist.

        `epochs_of` has, for each finished run, the epochs of its seeds, infinity for a diverged
        one. A value stays where at least one of its seeds has all of its epochs.
        """

        def there(value: Value) -> bool:
            return any(
                epochs_of.get(value.run, {}).get(seed, 0) >= value.epochs for seed in self.seeds
            )

        missing = []
        experiments = []
        for experiment in self.experiments:
            missing += [
                f"{experiment.name}: {value.value}"
                for value in experiment.values
                if not there(value)
            ]
            values = [value for value in experiment.values if there(value)]
            if values:
                experiments.append(replace(experiment, values=values))
        final = self.final if self.final and there(self.final) else None
        if not final and (self.final or (self.chooses_final and not self.unchosen)):
            missing.append("final")
        wanted = {run.run: run for run in _runs(experiments, final, self.seeds, self.chooses_final)}
        runs = [
            replace(
                run,
                seeds=[seed for seed in self.seeds if epochs_of[name].get(seed, 0) >= run.epochs],
            )
            for name, run in wanted.items()
        ]
        return replace(self, experiments=experiments, final=final, runs=runs, missing=missing)


def run_name(settings: Mapping[str, Any], dataset: str, validation: str | Mapping[str, Any]) -> str:
    """A name that tells a person what the run is, made unique by a hash of its identity.

    The hash is over what `settings.essential` keeps.
    """
    told = essential(settings)
    data = {"dataset": dataset, "validation": validation}
    canonical = json.dumps({"settings": told, "data": data}, sort_keys=True)
    digest = hashlib.sha256(canonical.encode()).hexdigest()[:12]
    short = {"optimizer": "", "learning_rate": "lr", "hidden": "", "batch_size": "batch"}
    slug = "-".join(
        short.get(name, name.replace("_", ""))
        + ("x".join(map(str, value)) if name == "hidden" else text(value))
        for name, value in told.items()
    )
    return f"{re.sub(r'[^A-Za-z0-9._-]', '_', slug)[:SLUG_LENGTH]}-{digest}"


def resolve(config: Mapping[str, Any], choice: Choice | None = None) -> Plan:
    """Resolve a validated configuration; StudyError where its parts do not fit each other.

    `choice` is that of a final model that is chosen by results, once it is; one by the results of
    other experiments or seeds is none.
    """
    dataset = describe(config["data"]["dataset"]).name
    other = config["report"].get("beside")
    if files_beside(other):
        plan_beside(Path(other))
    validation = _validation(config["data"]["validation"])
    seeds = config["seeds"]
    # A whole number may be written 5.0.
    seeds = [int(seed) for seed in seeds] if isinstance(seeds, list) else list(range(int(seeds)))
    baseline = complete(config["baseline"])
    notes: list[str] = []

    def value(place: str, chosen: Mapping[str, Any], varied: Mapping[str, Any]) -> Value:
        settings = complete(chosen | varied)
        _check(place, settings, varied, notes)
        name = run_name(settings, dataset, validation)
        shown = {key: settings[key] for key in varied}
        return Value(value_text(shown), shown, name, settings["epochs"])

    experiments = []
    for name, description in config["experiments"].items():
        vary, other = description["vary"], description.get("with", {})
        for key in vary.keys() & other.keys():
            raise StudyError(f"experiments.{name}: {key!r} stands under both `vary` and `with`")
        start = complete(baseline | other)
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
        settings = complete(baseline | wanted)
        _check("final", settings, {}, notes)
        run = run_name(settings, dataset, validation)
        final = Value("final", settings, run, settings["epochs"])
        trained = {each.run: each.epochs for each in _runs(experiments, None, seeds, True)}
        if chooses_final and trained.get(run, final.epochs) < final.epochs:
            # When results choose it, this run is finished, and one call trains no run twice: a
            # folder of its own takes the whole training.
            final = replace(final, run=f"final-{run}")

    return Plan(
        dataset=config["data"]["dataset"],
        validation=validation,
        seeds=seeds,
        languages=list(config["report"]["languages"]),
        early_stopping=dict(config["report"]["early_stopping"]),
        beside=config["report"].get("beside"),
        device=config["device"],
        baseline=baseline,
        experiments=experiments,
        final=final,
        runs=_runs(experiments, final, seeds, chooses_final),
        chooses_final=chooses_final,
        reasons=choice.reasons if chooses_final and choice else [],
        unchosen=choice.unchosen if chooses_final and choice else None,
        claims=config["claims"],
        notes=list(dict.fromkeys(notes)),
    )


def part(plan: Mapping[str, Any], experiment: str | None) -> dict[str, Any]:
    """What `plan`, as in plan.json, has of one experiment, or else of the final model alone.

    Raises StudyError where the plan has it not.
    """
    experiments = [each for each in plan["experiments"] if each["name"] == experiment]
    if experiment is None and plan["final"] is None:
        raise StudyError("the plan has no final model: add `final:` to the configuration")
    if experiment is not None and not experiments:
        names = ", ".join(each["name"] for each in plan["experiments"])
        raise StudyError(f"the plan has no experiment {experiment!r}; it has: {names}")
    final = plan["final"] if experiment is None else None
    epochs: dict[str, int] = {}
    for value in [
        *(value for each in experiments for value in each["values"]),
        *filter(None, [final]),
    ]:
        epochs[value["run"]] = max(value["epochs"], epochs.get(value["run"], 0))
    runs = [run | {"epochs": epochs[run["run"]]} for run in plan["runs"] if run["run"] in epochs]
    return dict(plan) | {"experiments": experiments, "final": final, "runs": runs}


def _validation(described: str | Mapping[str, Any]) -> str | dict[str, Any]:
    """As the plan has it: with all keys, and whole numbers as such."""
    if isinstance(described, str):
        return described
    held_out = {"from": described["from"], "size": described["size"], "seed": 0} | described
    return held_out | {key: int(held_out[key]) for key in ("size", "seed")}


def _grid(vary: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    for combination in itertools.product(*vary.values()):
        yield dict(zip(vary, combination, strict=True))


def _check(
    place: str, settings: Mapping[str, Any], varied: Mapping[str, Any], notes: list[str]
) -> None:
    """Refuse settings that cannot go together; note inherited ones that are ignored."""
    optimizer = settings["optimizer"]
    for name in training_settings.USED_BY:
        if is_used(name, optimizer):
            continue
        if name in varied:
            raise StudyError(
                f"{place}.vary.{name}: the optimizer {optimizer!r} does not use {name!r}; "
                "set another optimizer in this experiment's `with:`"
            )
        if settings[name] != default(name):
            notes.append(f"{place}: {optimizer} ignores {name} = {text(settings[name])}")
    if is_used("nesterov", optimizer) and settings["nesterov"] and settings["momentum"] == 0:
        raise StudyError(f"{place}: nesterov needs a momentum above 0")


def _runs(
    experiments: list[Experiment], final: Value | None, seeds: list[int], chooses_final: bool
) -> list[Run]:
    """Each distinct run once, as long as its longest asker wants it, in order of first mention."""
    askers = [
        (value, experiment.settings | value.settings)
        for experiment in experiments
        for value in experiment.values
    ]
    if final:
        askers.append((final, final.settings))
    runs: dict[str, Run] = {}
    for value, settings in askers:
        known = runs.get(value.run) or Run(value.run, identity(settings), 0, seeds)
        kept = {value.epochs} if value is final or chooses_final else set()
        runs[value.run] = replace(
            known,
            epochs=max(known.epochs, value.epochs),
            kept_epochs=sorted({*known.kept_epochs, *kept}),
        )
    return list(runs.values())
