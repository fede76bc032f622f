"""What a study's report tells, put together from the plan, the tables and the runs' outputs."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from study.data import datasets
from study.data.base import Classes, Data
from study.final import evaluation, protocols
from study.final.evaluation import Evaluated
from study.final.protocols import HeldOut
from study.results import findings
from study.results.fidelity import PUBLISHED_MEASURES, Comparison
from study.results.findings import ExperimentResult, ValueResult
from study.search import importance
from study.search.importance import Importance
from study.spec import schemas
from study.spec.plan import Plan
from study.spec.searches import importance_of
from study.spec.tasks import Task
from study.statistics import classes
from study.statistics.classes import ClassCounts
from study.support.errors import StudyError
from study.support.files import read_text


def metrics_columns(task: Task) -> list[str]:
    """What the report reads of metrics.parquet: all measures but the loss of training."""
    measured = [name for name in task.columns if name != "train_loss"]
    return ["run", "seed", "epoch", *measured, "status"]


_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}

# What is read of a run's settings.json.
_MADE_BY = {
    "type": "object",
    "required": ["commit", "versions", "machine", "devices"],
    "properties": {
        "commit": {"type": "string"},
        "versions": _TEXTS,
        "machine": _TEXTS | {"required": ["processor", "cores", "system"]},
        "devices": {"type": "array", "items": {"type": "string"}},
    },
}


@dataclass(frozen=True)
class ReportData:
    """All that the report tells, the same in every language.

    `shapes` are those of the training and the test examples, (n, *inputs), and `class_counts` those
    of those learned from (`train`), validated and tested on, and empty of quantities; `made_by`
    tells for each run what code, versions, machine and devices trained it. `final` is None where
    the plan has no final model, and `evaluation` where none of its networks is left. `held_out` is
    the final model where the study holds its validation images out, and `beside` that of another
    study which does.
    """

    plan: Plan
    data: Data
    shapes: dict[str, tuple[int, ...]]
    class_counts: dict[str, ClassCounts]
    experiments: list[ExperimentResult]
    final: ValueResult | None
    evaluation: Evaluated | None
    held_out: HeldOut | None
    beside: HeldOut | None
    metrics: pd.DataFrame
    made_by: list[dict[str, Any]]
    claims: Sequence[Mapping[str, Any]] = ()
    importances: Mapping[str, Sequence[Importance]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The digest of the plan, by which `make status` knows whose report this is."""
        return self.plan.digest

    @property
    def n_seeds(self) -> int:
        """How many seeds the study has; experiments may add further ones."""
        return len(self.plan.seeds)

    @property
    def is_of_one_seed(self) -> bool:
        """Whether nothing was trained with more than one seed, so that nothing can be tested."""
        return max(self.n_seeds, *self.plan.seeds_of_values) == 1

    @property
    def validation_images(self) -> int:
        """How many images a validation accuracy is the share of."""
        validation = self.plan.validation
        return self.shapes["test"][0] if validation == "test" else validation["size"]

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """The accuracies published of experiments beside ours, where ours have a spread."""
        found = [
            findings.published_comparison(experiment.name, value, measure)
            for experiment, value in self.values
            for measure in PUBLISHED_MEASURES
        ]
        return [comparison for comparison in found if comparison]

    @property
    def values(self) -> list[tuple[ExperimentResult, ValueResult]]:
        """Every value with its experiment."""
        return [
            (experiment, value) for experiment in self.experiments for value in experiment.values
        ]

    def used(self, key: str) -> list[Any]:
        """The values of a setting in all that was trained."""
        return [run.settings[key] for run in self.plan.runs if key in run.settings]

    @property
    def has_published(self) -> bool:
        """Whether any published number stands beside one of ours."""
        measured = [value for _, value in self.values] + [self.final] * bool(self.final)
        return any(
            not math.isnan(part.published)
            for value in measured
            for part in (value.train, value.validation)
        )


def collect(
    plan: Plan,
    metrics: pd.DataFrame,
    summary: pd.DataFrame,
    runs: Path,
    data: Path,
    evaluated: Path | None,
    claims: Sequence[Mapping[str, Any]] = (),
    importances: Mapping[str, Sequence[Importance]] | None = None,
) -> ReportData:
    """Put together what the report tells.

    `metrics` and `summary` are the tables of these names, `runs` the folder of the runs' outputs,
    `data` that of the data set's files, and `evaluated` what evaluate_final.py wrote, if the plan
    has a final model; `claims` are the rows of claims.parquet, and `importances` those of the
    searches, which the model card does without. Raises StudyError where something is missing.
    """
    content = datasets.describe(plan.dataset).load(data)
    final = findings.final(plan, summary, metrics)
    found = _evaluation(evaluated, content) if final else None
    return ReportData(
        plan=plan,
        data=content,
        shapes={"train": content.train.x.shape, "test": content.test.x.shape},
        class_counts=_class_counts(content, plan.validation),
        experiments=findings.experiments(plan, summary, metrics),
        final=final,
        evaluation=found,
        held_out=protocols.held_out(plan, metrics, found),
        beside=protocols.beside(plan, content),
        metrics=metrics,
        made_by=[_made_by(runs / run.run / "settings.json") for run in plan.runs],
        claims=claims,
        importances=importances or {},
    )


def importances(plan: Plan, results: Path) -> dict[str, Sequence[Importance]]:
    """What list_trials.py found of each search, in the folder `results`."""
    return {
        search.name: importance.read(results / importance_of(search.name))
        for search in plan.searches
    }


def _class_counts(data: Data, validation: str | Mapping[str, Any]) -> dict[str, ClassCounts]:
    if not isinstance(data.targets, Classes):
        return {}
    return classes.by_part(data.train.y, data.test.y, len(data.targets), validation)


def _evaluation(path: Path | None, data: Data) -> Evaluated | None:
    if path is None:
        raise StudyError(
            "--evaluation: the plan has a final model; name its results/final.safetensors"
        )
    found = evaluation.read_evaluation(path, data)
    return found if found.seeds else None


def _made_by(path: Path) -> dict[str, Any]:
    """The commit, versions, machine and devices that a run's settings.json names."""
    try:
        described = json.loads(read_text(path))
    except FileNotFoundError:
        raise StudyError(f"{path}: is missing; run the workflow again") from None
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from None
    fault = next(schemas.errors(described, _MADE_BY), None)
    if fault:
        place = ".".join(map(str, fault.absolute_path))
        raise _damaged(path, f"{place}: {fault.message}" if place else fault.message)
    return {key: described[key] for key in _MADE_BY["required"]}


def _damaged(path: Path, reason: str) -> StudyError:
    return StudyError(f"{path}: is damaged ({reason:.100}); remove it and run the workflow again")
