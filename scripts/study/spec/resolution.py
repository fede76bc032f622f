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
from study.spec.compatibility import check
from study.spec.looks import enough, looks
from study.spec.plan import Experiment, Plan, Value, run_name, runs_of
from study.spec.search_config import search_of
from study.spec.searches import History, Search, Step
from study.spec.settings import Settings, value_text
from study.support.errors import StudyError


def resolve(
    config: Mapping[str, Any], choice: Choice | None = None, history: History | None = None
) -> Plan:
    """The plan of a validated configuration; StudyError where its parts do not fit each other.

    `choice` is that of a final model that is chosen by results, once it is; one by the results of
    other experiments, searches or seeds is none. `history` says which steps the searches have
    taken; one of other searches is none.
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

    def run_of(settings: Settings) -> str:
        return run_name(settings, dataset, validation, model)

    def value(place: str, chosen: Mapping[str, Any], varied: Mapping[str, Any]) -> Value:
        settings = known.complete({**chosen, **varied})
        check(model, place, settings, varied, notes)
        shown = {key: settings[key] for key in varied}
        return Value(value_text(shown), shown, run_of(settings), settings["epochs"])

    experiments = []
    for name, description in config["experiments"].items():
        vary, other = description["vary"], description.get("with", {})
        for key in vary.keys() & other.keys():
            raise StudyError(f"experiments.{name}: {key!r} stands under both `vary` and `with`")
        start = known.complete(baseline | other)
        values = [value(f"experiments.{name}", start, varied) for varied in _grid(vary)]
        experiment = Experiment(name, start, list(vary), values, seeds)
        if "seeds" in description:
            experiment = _by_need(experiment, description["seeds"])
        experiments.append(experiment.with_history(history, run_of) if history else experiment)

    searches = []
    for name, description in config.get("search", {}).items():
        search = search_of(name, description, baseline, seeds, model, notes)
        if name in config["experiments"]:
            raise StudyError(f"search.{name}: an experiment has this name too")

        def run_of_trial(drawn: Settings, search: Search = search) -> str:
            return run_of(known.complete({**search.settings, **drawn}))

        searches.append(search.with_history(history, run_of_trial) if history else search)

    chooses_final = config.get("final") == "best"
    if choice and not choice.is_of(experiments, seeds, searches):
        choice = None
    wanted = config.get("final")
    if chooses_final:
        wanted = choice.settings if choice and not choice.unchosen else None
    final = None
    if wanted is not None:
        settings = known.complete(baseline | wanted)
        check(model, "final", settings, {}, notes)
        run = run_of(settings)
        final = Value("final", settings, run, settings["epochs"])
        trained = {each.run: each for each in runs_of(experiments, searches, None, seeds, True)}
        part = trained.get(run)
        lacks = part and (part.epochs < final.epochs or not {*seeds} <= {*part.seeds})
        if chooses_final and lacks:
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
        searches=searches,
        runs=runs_of(experiments, searches, final, seeds, chooses_final),
        chooses_final=chooses_final,
        reasons=choice.reasons if chooses_final and choice else [],
        unchosen=choice.unchosen if chooses_final and choice else None,
        claims=config["claims"],
        notes=list(dict.fromkeys(notes)),
        missing=[],
    )


def _by_need(experiment: Experiment, described: Mapping[str, Any]) -> Experiment:
    """The experiment with seeds added only where its answer is not clear."""
    place = f"experiments.{experiment.name}.seeds"
    start, most = int(described["start"]), int(described["most"])
    if start > most:
        raise StudyError(f"{place}: start, {start}, must not be above most, {most}")
    if len(experiment.values) < 2:
        raise StudyError(
            f"{place}: an experiment of one value has no answer for which seeds could be needed; "
            "leave out `seeds`, or list more values"
        )
    seeds, counts = enough(experiment.seeds, most), looks(start, most)
    kept, epochs = len(experiment.values), max(value.epochs for value in experiment.values)
    steps = [Step(f"seeds-{count:04d}", 0, kept, epochs, seeds[:count]) for count in counts[1:]]
    return replace(experiment, seeds=seeds, looks=counts, steps=steps)


def _validation(described: str | Mapping[str, Any]) -> str | dict[str, Any]:
    """As the plan has it: with all keys, and whole numbers as such."""
    if isinstance(described, str):
        return described
    held_out = {"from": described["from"], "size": described["size"], "seed": 0, **described}
    return held_out | {key: int(held_out[key]) for key in ("size", "seed")}


def _grid(vary: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    for combination in itertools.product(*vary.values()):
        yield dict(zip(vary, combination, strict=True))
