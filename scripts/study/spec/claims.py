"""Claims that are put to the test: the published study's (resources/claims.yaml) and one's own."""

import contextlib
import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from ruamel.yaml import YAML

from study.spec import models, predicates
from study.spec.plan import Plan
from study.spec.predicates import FINAL, Known, Predicate, UnknownError, Vocabulary
from study.spec.settings import value_text
from study.support.resources import resource

LEDGER = resource("resources/claims.yaml")

LANGUAGES = ("es", "en")

# How often values are looked up or compared for all claims together: more takes minutes.
MOST_LOOKUPS = 5_000_000

# Who makes a claim: the published study, or the config.
PUBLISHED, OWN = "published", "own"

_QUANTITY = pa.struct(
    [
        ("experiment", pa.string()),
        ("value", pa.string()),
        ("measure", pa.string()),
        ("minus", pa.string()),
        ("epoch", pa.int64()),
        ("n", pa.int64()),
        ("mean", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("published", pa.float64()),
    ]
)

_COMPARISON = pa.struct(
    [
        ("left", _QUANTITY),
        ("right", _QUANTITY),
        ("by", pa.float64()),
        ("p", pa.float64()),
        ("verdict", pa.string()),
        ("published_verdict", pa.string()),
        ("decides", pa.bool_()),
    ]
)

# The columns of claims.parquet. The evidence are the comparisons that a predicate comes down to;
# of a bare number in it, only the mean is told. `decides` marks those that the verdict rests on.
CLAIMS = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),
        ("section", pa.string()),
        ("statement_es", pa.string()),
        ("statement_en", pa.string()),
        ("verdict", pa.string()),
        ("published_verdict", pa.string()),
        ("agrees", pa.bool_()),
        ("evidence", pa.list_(_COMPARISON)),
    ]
)


@dataclass(frozen=True)
class Claim:
    """A claim: its statement by language, and its predicate over a study's quantities.

    `source` is PUBLISHED or OWN; `section` is that of the document that makes it, if any does.
    """

    source: str
    id: str
    section: str | None
    statement: Mapping[str, str]
    predicate: Predicate


@functools.cache
def ledger() -> tuple[Mapping[str, Any], ...]:
    """The published study's claims, in the form of claims.schema.yaml."""
    # By libyaml: the strict reader takes half a second.
    return tuple(YAML(typ="safe").load(LEDGER))


def asked(plan: Plan) -> list[Claim]:
    """The published study's claims and the config's own, of which `plan` has all that they name.

    A partial plan may lack what a claim of the config names.
    """
    vocabulary = vocabulary_of(plan)
    return [*_known(PUBLISHED, ledger(), vocabulary), *_known(OWN, plan.claims, vocabulary)]


def measured(plan: Plan) -> Iterator[tuple[str, str]]:
    """What the config's own claims are about: the id of each, and each measure that it names."""
    for claim in _known(OWN, plan.claims, vocabulary_of(plan)):
        for comparison in predicates.comparisons(claim.predicate):
            for quantity in comparison.quantities:
                yield from ((claim.id, each) for each in (quantity.measure, quantity.minus) if each)


def _known(
    source: str, forms: Iterable[Mapping[str, Any]], vocabulary: Vocabulary
) -> Iterator[Claim]:
    for form in forms:
        with contextlib.suppress(UnknownError):
            yield _read(source, form, vocabulary)


def _read(source: str, form: Mapping[str, Any], vocabulary: Vocabulary) -> Claim:
    statement = form["statement"]
    if isinstance(statement, str):
        statement = dict.fromkeys(LANGUAGES, statement)
    predicate = predicates.read_predicate(form["predicate"], vocabulary, "predicate")
    return Claim(source, form["id"], form.get("section"), statement, predicate)


def vocabulary_of(plan: Plan) -> Vocabulary:
    """What predicates may name in a study of this plan."""
    vocabulary = {
        experiment.name: [
            Known(value.value, value.settings, value.epochs) for value in experiment.values
        ]
        for experiment in plan.experiments
    }
    if plan.final:
        vocabulary[FINAL] = [Known(FINAL, {}, plan.final.epochs)]
    return vocabulary


def faults(config: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong in the claims of a config that the schema accepts, with the key of each."""
    if not config["claims"]:
        return
    vocabulary = _asked_for(config)
    lookups = sum(_lookups(form["predicate"], vocabulary) for form in config["claims"])
    if lookups > MOST_LOOKUPS:
        yield (
            f"claims: look up {lookups:,} values of experiments, {MOST_LOOKUPS:,} are the most; "
            "claim less, or of fewer values"
        )
        return
    taken: set[str] = set()
    for i, form in enumerate(config["claims"]):
        place = f"claims[{i}]"
        if form["id"] in taken:
            yield f"{place}.id: another claim is called {form['id']!r}"
        taken.add(form["id"])
        if isinstance(form["statement"], Mapping):
            for language in config["report"]["languages"]:
                if language not in form["statement"]:
                    yield f"{place}.statement: {language!r}, a language of the report, is missing"
        try:
            predicates.read_predicate(form["predicate"], vocabulary, f"{place}.predicate")
        except UnknownError as error:
            yield str(error)


def _lookups(form: Any, vocabulary: Vocabulary) -> int:
    """How many values of experiments reading a predicate goes through."""
    match form:
        case {"experiment": str(name)}:
            steps = form.get("over", {}).get("values", ()), form.get("among", ())
            return len(vocabulary.get(name, ())) * (2 + sum(map(len, steps)))
        case Mapping():
            return sum(_lookups(part, vocabulary) for part in form.values())
        case list():
            return sum(_lookups(part, vocabulary) for part in form)
        case _:
            return 0


def _asked_for(config: Mapping[str, Any]) -> Vocabulary:
    """What predicates may name in a study, from its config."""
    vocabulary: dict[str, list[Known]] = {}
    settings_of_study = models.describe(config["model"]).hyperparameters
    for name, experiment in config["experiments"].items():
        vary = experiment["vary"]
        start = {**config["baseline"], **experiment.get("with", {})}
        vocabulary[name] = []
        for combination in itertools.product(*vary.values()):
            settings = settings_of_study.complete(start | dict(zip(vary, combination, strict=True)))
            varied = {key: settings[key] for key in vary}
            vocabulary[name].append(Known(value_text(varied), varied, settings["epochs"]))
    if config.get("final") == "best":
        # Which value's epochs it will have is not known yet.
        longest = max(known.epochs for values in vocabulary.values() for known in values)
        vocabulary[FINAL] = [Known(FINAL, {}, longest)]
    elif "final" in config:
        epochs = settings_of_study.complete({**config["baseline"], **config["final"]})["epochs"]
        vocabulary[FINAL] = [Known(FINAL, {}, epochs)]
    return vocabulary
