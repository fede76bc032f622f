"""Claims that are put to the test: the published study's (resources/claims.yaml) and one's own."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from study import predicates
from study.predicates import FINAL, Known, Predicate, Study, UnknownError
from study.settings import complete, value_text

LEDGER = Path(__file__).parents[2] / "resources" / "claims.yaml"

LANGUAGES = ("es", "en")


@dataclass(frozen=True)
class Claim:
    """A claim: its statement by language, and its predicate over a study's quantities.

    `section` is that of the document that makes it, if any does.
    """

    id: str
    section: str | None
    statement: Mapping[str, str]
    predicate: Predicate


def ledger() -> list[dict[str, Any]]:
    """The published study's claims, in the form of claims.schema.yaml."""
    # By libyaml: the strict reader takes half a second.
    return YAML(typ="safe").load(LEDGER)


def read(form: Mapping[str, Any], study: Study, place: str) -> Claim:
    """The claim of a form that the schema accepts; UnknownError as predicates.read raises it."""
    statement = form["statement"]
    if isinstance(statement, str):
        statement = dict.fromkeys(LANGUAGES, statement)
    predicate = predicates.read(form["predicate"], study, f"{place}.predicate")
    return Claim(form["id"], form.get("section"), statement, predicate)


def published(plan: Mapping[str, Any]) -> list[Claim]:
    """Those of the published study's claims of which `plan` has every experiment and value."""
    return list(_readable(ledger(), study_of(plan)))


def own(plan: Mapping[str, Any]) -> list[Claim]:
    """The study's own claims; those that name what a partial plan leaves out are left out too."""
    return list(_readable(plan["claims"], study_of(plan)))


def _readable(forms: list[dict[str, Any]], study: Study) -> Iterator[Claim]:
    for form in forms:
        try:
            yield read(form, study, form["id"])
        except UnknownError:
            continue


def study_of(plan: Mapping[str, Any]) -> Study:
    """What predicates may name in a study whose plan.json is `plan`."""
    study = {
        experiment["name"]: [
            Known(value["value"], value["settings"], value["epochs"])
            for value in experiment["values"]
        ]
        for experiment in plan["experiments"]
    }
    if plan["final"]:
        study[FINAL] = [Known(FINAL, {}, plan["final"]["epochs"])]
    return study


def faults(config: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong in the claims of a config that the schema accepts, with the key of each."""
    if not config["claims"]:
        return
    study = _asked_for(config)
    taken = {form["id"] for form in ledger()}
    for i, form in enumerate(config["claims"]):
        place = f"claims[{i}]"
        if form["id"] in taken:
            yield f"{place}.id: another claim is called {form['id']!r}"
        taken.add(form["id"])
        if isinstance(form["statement"], Mapping):
            for language in config["report"]["languages"]:
                if language not in form["statement"]:
                    yield f"{place}.statement: key {language!r} is missing, a language of the report"
        try:
            read(form, study, place)
        except UnknownError as error:
            yield str(error)


def _asked_for(config: Mapping[str, Any]) -> Study:
    """What predicates may name in a study, from its config."""
    study = {}
    for name, experiment in config["experiments"].items():
        vary = experiment["vary"]
        start = {**config["baseline"], **experiment.get("with", {})}
        study[name] = []
        for combination in itertools.product(*vary.values()):
            settings = complete(start | dict(zip(vary, combination, strict=True)))
            varied = {key: settings[key] for key in vary}
            study[name].append(Known(value_text(varied), varied, settings["epochs"]))
    if "final" in config:
        epochs = complete({**config["baseline"], **config["final"]})["epochs"]
        study[FINAL] = [Known(FINAL, {}, epochs)]
    return study
