"""The numbers that the reference study printed (resources/published.yaml).

Accuracies are fractions. Settings have the names and forms of the config: `hidden` is a list of
layer sizes; epochs stand apart from the other settings.
"""

import functools
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML

from study.spec.models import MLP
from study.spec.settings import identity
from study.support.resources import resource

PUBLISHED = resource("resources/published.yaml")


@dataclass(frozen=True)
class PublishedResult:
    """One published result: `value` is the varied value, `settings` the baseline with it in place.

    `train_accuracy` is None where the study printed none.
    """

    experiment: str
    value: Any
    settings: dict[str, Any]
    epochs: int
    train_accuracy: float | None
    validation_accuracy: float


@dataclass(frozen=True)
class PublishedExperiment:
    """One of the study's experiments: the section that prints it, the varied key, its rows."""

    name: str
    section: str
    key: str
    rows: list[PublishedResult]


@dataclass(frozen=True)
class PublishedBest:
    """The value that the study calls an experiment's best."""

    experiment: str
    value: Any
    validation_accuracy: float


@dataclass(frozen=True)
class PublishedProgress:
    """The final model after `epoch` epochs; `train_accuracy` is None where none was printed."""

    epoch: int
    train_accuracy: float | None
    validation_accuracy: float


@dataclass(frozen=True)
class ReferenceStudy:
    """All of resources/published.yaml.

    `sections` has by language what its sections, as it calls them, are called there, where that is
    another language than its own. `baseline` has its epochs among its settings, as in the config;
    `recommended_epochs` is the lower and upper end of a range, and so is `expected_range`, of
    validation accuracy.
    """

    title: str
    course: str
    sections: dict[str, dict[str, str]]
    dataset: str
    validation: str
    baseline: dict[str, Any]
    experiments: list[PublishedExperiment]
    best: list[PublishedBest]
    recommended: dict[str, Any]
    recommended_epochs: tuple[int, int]
    final: PublishedResult
    progress: list[PublishedProgress]
    expected_range: tuple[float, float]


@dataclass(frozen=True)
class Noise:
    """Validation accuracy over `n` repetitions of one training; `sd` divides by n - 1."""

    n: int
    mean: float
    sd: float


@functools.cache
def load() -> ReferenceStudy:
    """Read resources/published.yaml."""
    content = YAML(typ="safe").load(PUBLISHED)
    baseline, final = content["baseline"], content["final"]
    return ReferenceStudy(
        title=content["source"]["title"],
        course=content["source"]["course"],
        sections=content["sections"],
        dataset=content["dataset"],
        validation=content["validation"],
        baseline=baseline,
        experiments=[
            _experiment(name, experiment, baseline)
            for name, experiment in content["experiments"].items()
        ],
        best=[PublishedBest(**row) for row in content["best"]["rows"]],
        recommended=content["recommended"]["settings"],
        recommended_epochs=tuple(content["recommended"]["epochs"]),
        final=_row("final", "final", final["settings"], final["result"]),
        progress=[PublishedProgress(**row) for row in final["progress"]],
        expected_range=tuple(final["expected_range"]),
    )


def _experiment(
    name: str, content: dict[str, Any], baseline: dict[str, Any]
) -> PublishedExperiment:
    key = content["key"]
    rows = [
        _row(name, row["value"], baseline | {key: row["value"]}, row) for row in content["rows"]
    ]
    return PublishedExperiment(name, content["section"], key, rows)


def _row(
    experiment: str, value: Any, settings: dict[str, Any], measured: dict[str, Any]
) -> PublishedResult:
    return PublishedResult(
        experiment=experiment,
        value=value,
        settings=_without_epochs(settings),
        epochs=settings["epochs"],
        train_accuracy=measured["train_accuracy"],
        validation_accuracy=measured["validation_accuracy"],
    )


def _without_epochs(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key != "epochs"}


def rows() -> list[PublishedResult]:
    """The rows of all experiments, in the document's order; the final model is not among them."""
    return [row for experiment in load().experiments for row in experiment.rows]


def lookup(
    experiment: str,
    settings: Mapping[str, Any],
    epochs: int,
    dataset: str,
    validation: str | Mapping[str, Any],
) -> PublishedResult | None:
    """The published row of an experiment's value, or None where the study printed none.

    `settings` are those that `experiment` ("final" for the final model) trained with for `epochs`
    epochs. Keys that the optimizer does not use may be absent, or have any value.
    """
    study = load()
    if (dataset, validation) != (study.dataset, study.validation):
        return None
    complete = MLP.hyperparameters.complete
    wanted = identity(complete(settings))
    for row in [*rows(), study.final]:
        if (row.experiment, row.epochs) != (experiment, epochs):
            continue
        if identity(complete(row.settings)) == wanted:
            return row
    return None


def baseline_noise() -> Noise:
    """What the study's repetitions of its baseline, one in each experiment, tell of its noise."""
    baseline = load().baseline
    accuracies = [
        row.validation_accuracy
        for row in rows()
        if row.settings | {"epochs": row.epochs} == baseline
    ]
    return Noise(len(accuracies), statistics.mean(accuracies), statistics.stdev(accuracies))
