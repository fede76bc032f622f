"""What a configuration comes to: experiments, their values, and the runs that they share."""

import copy
import hashlib
import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self, TypeVar

from study.spec.choice import Reason
from study.spec.models import MLP, Model
from study.spec.searches import Search, Stepwise, Trial, steps_from_json
from study.spec.settings import Hyperparameters, Settings, essential, identity, text
from study.support.errors import StudyError

AnyStepwise = TypeVar("AnyStepwise", bound=Stepwise)

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
class Experiment(Stepwise):
    """What is varied (`keys`), from which `settings`, over which values.

    All values have the `seeds`. Where further ones go to those that may still be the best, `looks`
    are how many seeds they then have, the first what all begin with and the last all `seeds`; after
    the first, each look is a step.
    """

    keys: list[str]
    values: list[Value]
    seeds: list[int]
    looks: list[int] = field(default_factory=list)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Of what `Plan.to_json` wrote."""
        values = list(map(Value.from_json, content["values"]))
        return cls(**{**content, "values": values, **steps_from_json(content)})

    @property
    def first_seeds(self) -> list[int]:
        """Those that all its values have."""
        return self.seeds[: self.looks[0]] if self.looks else self.seeds

    @property
    def trials(self) -> list[Trial]:
        """Its values in their order, each with the seeds that it has been asked for so far."""
        seeds = dict.fromkeys(range(len(self.values)), self.first_seeds)
        for step, taken in zip(self.steps, self.taken, strict=False):
            seeds |= dict.fromkeys(taken.asked, step.seeds)
        return [
            Trial(number, "", value.settings, value.run, value.epochs, seeds[number])
            for number, value in enumerate(self.values)
        ]

    @property
    def epochs_to_come(self) -> int:
        """Epochs that the steps not taken yet train at most, counting those of every seed.

        Values that share a run are counted each.
        """
        if self.is_finished or (self.taken and not self.taken[-1].asked):
            return 0
        left = (trial.epochs * (len(self.seeds) - len(trial.seeds)) for trial in self.trials)
        return sum(left)

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
    partial plan leaves out, and by their names alone the experiments and searches that go on.

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
            # Nor seeds of experiments, which all had the study's.
            past = {"seeds": content.get("seeds", []), "steps": [], "taken": []}
            found = [{**past, **experiment} for experiment in content["experiments"]]
            content = {**content, "experiments": found}
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
    def seeds_of_values(self) -> tuple[int, int]:
        """How few and how many seeds values of experiments have; the study's, without any."""
        counts = [len(trial.seeds) for each in self.experiments for trial in each.trials]
        counts = counts or [len(self.seeds)]
        return min(counts), max(counts)

    @property
    def stepwise(self) -> list[Stepwise]:
        """What goes on by how it has come out so far: searches, and experiments that add seeds."""
        return [*self.searches, *(each for each in self.experiments if each.steps)]

    @property
    def final_run(self) -> Run:
        """The run of the final model, which the plan must have, with the study's seeds alone."""
        run = next(run for run in self.runs if self.final and run.run == self.final.run)
        return replace(run, seeds=[seed for seed in run.seeds if seed in self.seeds])

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
        seeds: dict[str, set[int]] = {}
        stepwise: list[Stepwise] = [*experiments, *searches]
        requests = [
            (trial.run, trial.epochs, trial.seeds) for each in stepwise for trial in each.trials
        ]
        if final:
            requests.append((final.run, final.epochs, self.seeds))
        for name, until, wanted in requests:
            epochs[name] = max(until, epochs.get(name, 0))
            seeds.setdefault(name, set()).update(wanted)
        runs = [
            replace(
                run,
                epochs=epochs[run.run],
                seeds=[seed for seed in run.seeds if seed in seeds[run.run]],
                kept_epochs=[],
            )
            for run in self.runs
            if run.run in epochs
        ]
        own = {"experiments": experiments, "searches": list(searches), "final": final}
        return self._with(runs=runs, **own)

    def of_experiment(self, experiment: Experiment) -> Self:
        """The plan of this experiment alone, as far as its results need one."""
        return self._with(experiments=[experiment], final=None)

    def _with(self, **own: Any) -> Self:
        """A copy with these fields in place of its own, be it a part of a plan."""
        part = copy.copy(self)
        for name, content in own.items():
            object.__setattr__(part, name, content)
        return part

    def restricted_to(self, epochs_of: Mapping[str, Mapping[int, float]]) -> "Plan":
        """What can be reported from the records that exist.

        `epochs_of` has, for each finished run, the epochs of its seeds, infinity for a diverged
        one. A value stays where at least one of its seeds has all of its epochs.
        """

        def there(value: Value, seeds: list[int]) -> bool:
            return any(epochs_of.get(value.run, {}).get(seed, 0) >= value.epochs for seed in seeds)

        missing = []
        experiments = []
        for experiment in self.experiments:
            values = [value for value in experiment.values if there(value, experiment.first_seeds)]
            if len(values) < len(experiment.values):
                missing += [
                    f"{experiment.name}: {value.value}"
                    for value in experiment.values
                    if value not in values
                ]
                # Its values are compared, and seeds added, once all are there.
                experiment = replace(experiment, values=values, taken=[])
            experiment = _trained(experiment, epochs_of)
            if values:
                experiments.append(experiment)
                if not experiment.is_finished:
                    missing.append(experiment.name)
        searches = [_trained(search, epochs_of) for search in self.searches]
        missing += [each.name for each in searches if not each.is_finished]
        searches = [each for each in searches if each.taken]
        final = self.final if self.final and there(self.final, self.seeds) else None
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


def _trained(search: AnyStepwise, epochs_of: Mapping[str, Mapping[int, float]]) -> AnyStepwise:
    """The same as far as the trials of its steps are trained."""

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


def in_order(seeds: list[int], experiments: Sequence[Experiment]) -> list[int]:
    """All seeds of a study: whoever has more of them has those of the others first."""
    return max([seeds, *(each.seeds for each in experiments)], key=len)


def runs_of(
    experiments: Sequence[Experiment],
    searches: Sequence[Search],
    final: Value | None,
    seeds: list[int],
    chooses_final: bool,
) -> list[Run]:
    """Each distinct run once, as long as anyone asks for, in order of first mention.

    It has the seeds that are asked for, of which a final model wants the study's `seeds`.
    """
    # Who asks, for what, with which seeds, and whether it may become the final model.
    requests: list[tuple[Value | Trial, Settings, list[int], bool]] = [
        (trial, {**experiment.settings, **trial.settings}, trial.seeds, chooses_final)
        for experiment in experiments
        for trial in experiment.trials
    ]
    known = in_order(seeds, experiments)
    for search in searches:
        for trial in search.trials:
            is_whole = trial.epochs == search.epochs
            whole = {**search.settings, **trial.settings}
            requests.append((trial, whole, trial.seeds, chooses_final and is_whole))
    if final:
        requests.append((final, final.settings, seeds, True))
    runs: dict[str, Run] = {}
    for value, settings, wanted, is_kept in requests:
        run = runs.get(value.run) or Run(value.run, identity(settings), 0, [])
        kept = {value.epochs} if is_kept else set()
        runs[value.run] = replace(
            run,
            epochs=max(run.epochs, value.epochs),
            seeds=[seed for seed in known if seed in run.seeds or seed in wanted],
            kept_epochs=sorted({*run.kept_epochs, *kept}),
        )
    return list(runs.values())
