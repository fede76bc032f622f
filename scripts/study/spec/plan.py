"""What a configuration comes to: experiments, their values, and the runs that they share."""

import copy
import hashlib
import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

from study.spec.choice import Reason
from study.spec.models import MLP, Model
from study.spec.searches import Search, Trial
from study.spec.settings import Hyperparameters, Settings, essential, identity, text
from study.support.errors import StudyError

# Longest readable part of a run's name: with the hash well below file systems' 255 bytes.
SLUG_LENGTH = 120


@dataclass(frozen=True)
class Value:
    """One value of an experiment: the first `epochs` epochs of `run`."""

    value: str
    settings: Settings
    run: str
    epochs: int

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Of what `Plan.to_json` wrote."""
        return cls(**content)


@dataclass(frozen=True)
class Experiment:
    """What is varied (`keys`), from which `settings`, over which values."""

    name: str
    keys: list[str]
    settings: Settings
    values: list[Value]

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Of what `Plan.to_json` wrote."""
        return cls(**{**content, "values": list(map(Value.from_json, content["values"]))})

    def settings_of(self, value: Value) -> dict[str, Any]:
        """All settings of one of its values."""
        return {**self.settings, **value.settings}


@dataclass(frozen=True)
class Run:
    """A training configuration and how much of it the study asks for.

    `settings` are those that change its learning. `kept_epochs` are those at which the final
    model is, or may turn out to be, read off this run, so that its weights then are kept.
    """

    run: str
    settings: Settings
    epochs: int
    seeds: list[int]
    kept_epochs: list[int] = field(default_factory=list)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Of what `Plan.to_json` wrote."""
        return cls(**content)


@dataclass(frozen=True)
class Plan:
    """Everything a configuration asks for, resolved.

    `final` is the final model, if there is one; where `chooses_final` is set, it is chosen by the
    experiments' results (choice.py), for `reasons`, and None until then, or for good where these
    leave nothing to choose from, of which `unchosen` is the reason. `claims` are the config's
    own (claims.schema.yaml); `notes` tell what is ignored; `missing` names the values that a
    partial plan leaves out.

    A part of a plan (shares.py) is one that has some of these attributes alone: what it is not made
    of, a program cannot read by mistake.
    """

    model: Model
    dataset: str | Mapping[str, Any]
    validation: str | Mapping[str, Any]
    seeds: list[int]
    languages: list[str]
    early_stopping: Mapping[str, Any]
    beside: str | None
    device: str
    baseline: Settings
    experiments: list[Experiment]
    searches: list[Search]
    final: Value | None
    runs: list[Run]
    chooses_final: bool
    reasons: list[Reason]
    unchosen: str | None
    claims: list[Mapping[str, Any]]
    notes: list[str]
    missing: list[str]

    def to_json(self) -> str:
        """The plan as results/plan.json holds it."""
        # `asdict` would copy every setting of every run first.
        return json.dumps(self, default=vars, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The plan that `to_json` wrote, or a part of it (shares.py)."""
        plan = object.__new__(cls)
        if "experiments" in content:
            # One of the time before there were other models names none.
            content = {"model": vars(MLP), **content}
        if "chooses_final" in content:
            # Nor any search, in a whole plan.
            content = {"searches": [], **content}
        for name in (each.name for each in fields(cls)):
            if name in content:
                read = _READERS.get(name, _as_it_is)
                object.__setattr__(plan, name, read(content[name]))
        return plan

    @classmethod
    def read(cls, path: Path) -> Self:
        """The plan in plan.json, or in the file of a part of it."""
        return cls.from_json(json.loads(path.read_text(encoding="utf-8")))

    @property
    def hyperparameters(self) -> Hyperparameters:
        """All settings that the study has."""
        return self.model.hyperparameters

    @property
    def digest(self) -> str:
        """The first 12 hexadecimal digits of the SHA-256 of plan.json; reports name it."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]

    @property
    def values(self) -> list[tuple[Experiment, Value]]:
        """Every value with its experiment; the final model is none."""
        return [(each, value) for each in self.experiments for value in each.values]

    @property
    def final_run(self) -> Run:
        """The run of the final model, which the plan must have."""
        return next(run for run in self.runs if self.final and run.run == self.final.run)

    def only(self, experiment: str | None) -> Self:
        """What the plan has of one experiment, or else of the final model, with its runs alone.

        Raises StudyError where the plan has it not.
        """
        if experiment is None:
            if self.final is None:
                raise StudyError("the plan has no final model: add `final:` to the configuration")
            return self.with_own_runs([], self.final)
        named = [each for each in self.experiments if each.name == experiment]
        if not named:
            names = ", ".join(each.name for each in self.experiments)
            raise StudyError(f"the plan has no experiment {experiment!r}; it has: {names}")
        return self.with_own_runs(named, None)

    def with_own_runs(
        self,
        experiments: list[Experiment],
        final: Value | None,
        searches: Sequence[Search] = (),
    ) -> Self:
        """The plan of these experiments, searches and final model, its runs as long as they ask."""
        epochs: dict[str, int] = {}
        askers: list[Value | Trial] = [value for each in experiments for value in each.values]
        askers += [trial for each in searches for trial in each.trials]
        for asker in [*askers, *filter(None, [final])]:
            epochs[asker.run] = max(asker.epochs, epochs.get(asker.run, 0))
        runs = [
            replace(run, epochs=epochs[run.run], kept_epochs=[])
            for run in self.runs
            if run.run in epochs
        ]
        part = copy.copy(self)
        own = {
            "experiments": experiments,
            "searches": list(searches),
            "final": final,
            "runs": runs,
        }
        for name, content in own.items():
            object.__setattr__(part, name, content)
        return part

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
        searches = [_trained(search, epochs_of) for search in self.searches]
        missing += [each.name for each in searches if not each.is_finished]
        searches = [each for each in searches if each.taken]
        final = self.final if self.final and there(self.final) else None
        if not final and (self.final or (self.chooses_final and not self.unchosen)):
            missing.append("final")
        runs = [
            replace(
                run,
                seeds=[seed for seed in run.seeds if epochs_of[run.run].get(seed, 0) >= run.epochs],
            )
            for run in runs_of(experiments, searches, final, self.seeds, self.chooses_final)
        ]
        return replace(
            self,
            experiments=experiments,
            searches=searches,
            final=final,
            runs=runs,
            missing=missing,
        )


def _trained(search: Search, epochs_of: Mapping[str, Mapping[int, float]]) -> Search:
    """The search as far as the trials of its steps are trained."""

    def there(trial: Trial) -> bool:
        reached = epochs_of.get(trial.run, {})
        return all(reached.get(seed, 0) >= trial.epochs for seed in trial.seeds)

    taken = itertools.takewhile(
        lambda step: all(map(there, search.asked_by(step.name))),
        search.steps[: len(search.taken)],
    )
    return replace(search, taken=search.taken[: len(list(taken))])


def _as_it_is(content: Any) -> Any:
    return content


# How a field of the plan comes out of JSON, where it is no plain value.
_READERS: Mapping[str, Callable[[Any], Any]] = {
    "model": Model.from_json,
    "experiments": lambda content: list(map(Experiment.from_json, content)),
    "searches": lambda content: list(map(Search.from_json, content)),
    "final": lambda content: Value.from_json(content) if content else None,
    "runs": lambda content: list(map(Run.from_json, content)),
    "reasons": lambda content: [Reason(**reason) for reason in content],
}


def run_name(
    settings: Mapping[str, Any],
    dataset: str,
    validation: str | Mapping[str, Any],
    model: Model = MLP,
) -> str:
    """A name that tells a person what the run is, made unique by a hash of its identity.

    The hash is over what `settings.essential` keeps, the data and, unless it is the
    perceptron, the model.
    """
    told = essential(settings)
    known: dict[str, Any] = {
        "settings": told,
        "data": {"dataset": dataset, "validation": validation},
    }
    if not model.is_perceptron:
        known["model"] = model.name
    canonical = json.dumps(known, sort_keys=True)
    digest = hashlib.sha256(canonical.encode()).hexdigest()[:12]
    short = {"optimizer": "", "learning_rate": "lr", "hidden": "", "batch_size": "batch"}
    slug = "-".join(
        short.get(name, name.replace("_", ""))
        + ("x".join(map(str, value)) if isinstance(value, list) else text(value))
        for name, value in told.items()
    )
    if not model.is_perceptron:
        slug = f"{model.name}-{slug}"
    return f"{re.sub(r'[^A-Za-z0-9._-]', '_', slug)[:SLUG_LENGTH]}-{digest}"


def runs_of(
    experiments: list[Experiment],
    searches: Sequence[Search],
    final: Value | None,
    seeds: list[int],
    chooses_final: bool,
) -> list[Run]:
    """Each distinct run once, as long as its longest asker wants it, in order of first mention.

    It has all `seeds`, unless only trials of searches ask for it.
    """
    # Who asks, for what, with which seeds, and whether it may become the final model.
    askers: list[tuple[Value | Trial, Settings, list[int], bool]] = [
        (value, experiment.settings_of(value), seeds, chooses_final)
        for experiment in experiments
        for value in experiment.values
    ]
    for search in searches:
        for trial in search.trials:
            is_whole = trial.epochs == search.epochs
            whole = {**search.settings, **trial.settings}
            askers.append((trial, whole, trial.seeds, chooses_final and is_whole))
    if final:
        askers.append((final, final.settings, seeds, True))
    runs: dict[str, Run] = {}
    for asker, settings, wanted, is_kept in askers:
        run = runs.get(asker.run) or Run(asker.run, identity(settings), 0, [])
        kept = {asker.epochs} if is_kept else set()
        runs[asker.run] = replace(
            run,
            epochs=max(run.epochs, asker.epochs),
            seeds=[seed for seed in seeds if seed in run.seeds or seed in wanted],
            kept_epochs=sorted({*run.kept_epochs, *kept}),
        )
    return list(runs.values())
