"""Whether the plan, the tables and the final model's evaluation follow from the runs."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from study.final import evaluation as evaluations
from study.operations.checks import CheckedStudy, Finding, other_content, reading, wrong
from study.operations.stored_tables import holds
from study.results import comparisons as compared
from study.results import experiments, verdicts
from study.results import metrics as measured
from study.results import summary as summaries
from study.runs import records
from study.search import best_of_each, by_need, importance, steps, trials
from study.spec import claims as claimed
from study.spec.plan import Experiment
from study.spec.searches import Search, importance_of, path_of
from study.support import receipts
from study.support.files import sha256

# Processors sum in another order, which may change a probability by this, and a prediction by so
# much of its target's spread.
ANOTHER_PROCESSOR = 1e-5


def plan(study: CheckedStudy) -> Iterator[Finding]:
    """plan.json against the config."""
    yield from other_content(
        study.plan.to_json().encode(),
        study.plan_file,
        Path.read_bytes,
        "is not what the config asks for",
        "name the config that it was made with, or run the workflow again",
        told=study.unlike,
    )


def noted(study: CheckedStudy, not_right: set[Path]) -> Iterator[Finding]:
    """Every file against the receipt of its part; `not_right` gets those that are not as noted."""
    for receipt in sorted(study.receipts.glob("*.json")):
        made = receipts.read_receipt(receipt)
        if made is None:
            yield wrong(receipt, "cannot be read")
            continue
        for name, stamp in made.outputs.items():
            path = study.own(name)
            if path.is_file() and sha256(path) != stamp.sha256:
                not_right.add(path)
                yield wrong(path, f"is not what {receipt} notes, by its checksum")


def metrics(study: CheckedStudy) -> Iterator[Finding]:
    """The metrics against the runs' records."""
    with reading(study.metrics):
        rows = measured.collect(study.plan.runs, study.runs, study.plan.hyperparameters)
    yield from _table(study, study.metrics, rows, "is not what the runs' records hold")


def summary(study: CheckedStudy) -> Iterator[Finding]:
    """The summary against the metrics."""
    columns = summaries.columns(pq.read_schema(study.metrics).names)
    measures = pd.read_parquet(study.metrics, columns=columns)
    expected = summaries.summarise(study.plan, measures, study.dataset.name)
    yield from _table(study, study.summary, expected, f"does not follow from {study.metrics}")


def comparisons(study: CheckedStudy) -> Iterator[Finding]:
    """The comparisons against the summary."""
    expected = compared.compare(_experiments(study))
    yield from _table(study, study.comparisons, expected, f"does not follow from {study.summary}")


def claims(study: CheckedStudy) -> Iterator[Finding]:
    """The claims' verdicts against the summary and the metrics."""
    measures = measured.read(study.metrics, verdicts.columns)
    numbers = pd.read_parquet(study.summary)
    expected = verdicts.judge(claimed.asked(study.plan), study.plan, numbers, measures)
    yield from _table(study, study.claims, expected, f"does not follow from {study.summary}")


def trials_of(study: CheckedStudy, search: Search, path: Path) -> Iterator[Finding]:
    """A search's trials, and the importance of its settings, against the metrics."""
    names = pq.read_schema(study.metrics).names
    scores = steps.Scores(pd.read_parquet(study.metrics, columns=steps.columns(names)))
    found = trials.scored(search, scores)
    problem = f"does not follow from {study.metrics}"
    expected = trials.table(search, found, study.plan.hyperparameters)
    yield from _table(study, path, expected, problem)
    matter = importance.table(importance.importance(search, found))
    yield from _table(study, study.results / importance_of(search.name), matter, problem)


def further_seeds(study: CheckedStudy, experiment: Experiment) -> Iterator[Finding]:
    """Which values of an experiment got further seeds, step by step, against the metrics."""
    names = pq.read_schema(study.metrics).names
    measures = pd.read_parquet(study.metrics, columns=summaries.columns(names))
    known = replace(experiment, taken=[])
    for step in experiment.steps[: len(experiment.taken)]:
        taken = by_need.take(known, study.plan, measures)
        known = replace(known, taken=[*known.taken, taken])
        yield from other_content(
            taken.to_json().encode(),
            study.results / path_of(experiment.name, step.name),
            Path.read_bytes,
            f"does not follow from {study.metrics}",
            told=study.unlike,
        )


def choice(study: CheckedStudy) -> Iterator[Finding]:
    """The choice of the final model against the summary, and the trials of searches."""
    names = pq.read_schema(study.metrics).names
    measures = pd.read_parquet(study.metrics, columns=steps.columns(names))
    winners = best_of_each.winners(study.plan, measures)
    yield from other_content(
        best_of_each.choose(_experiments(study), study.plan, winners).to_json().encode(),
        study.choice,
        Path.read_bytes,
        f"does not follow from {study.summary}",
        told=study.unlike,
    )


def evaluation(study: CheckedStudy, run: Path) -> Iterator[Finding]:
    """The final model's evaluation against the weights in the folder `run`."""
    expected = evaluations.evaluate(study.plan, run, study.data)
    data = study.dataset.load(study.data)
    spread = evaluations.spread_of(data)
    near = ANOTHER_PROCESSOR * (np.array(spread[1]) if spread else 1)
    with reading(study.evaluation):
        found = evaluations.read_evaluation(study.evaluation, data)
        same = found.provenance == expected.provenance and np.allclose(
            found.answers, expected.answers, rtol=0, atol=near
        )
    if not same:
        yield study.unlike(study.evaluation, f"does not follow from the weights in {run}")


def _experiments(study: CheckedStudy) -> list[experiments.ExperimentResult]:
    read = experiments.paired(pq.read_schema(study.metrics).names)
    measures = pd.read_parquet(study.metrics, columns=read)
    return experiments.experiments(study.plan, pd.read_parquet(study.summary), measures)


def _table(study: CheckedStudy, path: Path, expected: pa.Table, problem: str) -> Iterator[Finding]:
    with reading(path):
        records.read_metadata(path)
        same = holds(pq.read_table(path), expected)
    if not same:
        yield study.unlike(path, problem)
