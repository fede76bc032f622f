"""A search's trials with their scores: the rows of trials.parquet."""

from dataclasses import dataclass, replace

import pyarrow as pa

from study.results.metrics import settings_columns
from study.search.steps import Scores
from study.spec import settings
from study.spec.searches import Search, Trial
from study.spec.settings import Hyperparameters

# What became of a trial: it has all epochs, it was stopped at an earlier rung, or it diverged.
COMPLETE, PRUNED, DIVERGED = "complete", "pruned", "diverged"


@dataclass(frozen=True)
class ScoredTrial:
    """A trial as far as it was asked for, and how it came out.

    Attributes:
        value: Mean score over its seeds after its epochs; None where a seed diverged.
        first: Its score in the step that drew it, which all trials have; None where it diverged.
        state: COMPLETE, PRUNED or DIVERGED.
    """

    trial: Trial
    value: float | None
    first: float | None
    state: str


def scored(search: Search, scores: Scores) -> list[ScoredTrial]:
    """All trials of a search whose steps are trained, in the order in which they were drawn."""
    drawn = search.steps[0]
    found = []
    for trial in search.trials:
        value = scores.of(trial)
        first = scores.of(replace(trial, epochs=drawn.epochs, seeds=drawn.seeds))
        state = PRUNED if trial.epochs < search.epochs else COMPLETE
        found.append(ScoredTrial(trial, value, first, DIVERGED if value is None else state))
    return found


def ranked(trials: list[ScoredTrial]) -> list[ScoredTrial]:
    """Best first: of trials that went further, whatever the others had; diverged ones last."""

    def key(each: ScoredTrial) -> tuple[bool, int, int, float, int]:
        trial = each.trial
        value = 0.0 if each.value is None else each.value
        return each.value is None, -trial.epochs, -len(trial.seeds), -value, trial.number

    return sorted(trials, key=key)


def table(search: Search, trials: list[ScoredTrial], hyperparameters: Hyperparameters) -> pa.Table:
    """The rows of trials.parquet; a setting that a trial does not use is null.

    `round` counts the steps that draw trials from 1.
    """
    rounds = {step.name: number for number, step in enumerate(search.steps, 1)}
    columns: dict[str, pa.Array] = {
        "number": pa.array([each.trial.number for each in trials], pa.int64()),
        "round": pa.array([rounds[each.trial.step] for each in trials], pa.int64()),
    }
    for column in settings_columns(hyperparameters):
        if column.name in search.space:
            values = [each.trial.settings.get(column.name) for each in trials]
            columns[column.name] = pa.array(values, column.type)
            if pa.types.is_list(column.type):
                written = [None if value is None else settings.text(value) for value in values]
                columns[f"{column.name}_text"] = pa.array(written, pa.string())
    columns |= {
        "run": pa.array([each.trial.run for each in trials], pa.string()),
        "epochs": pa.array([each.trial.epochs for each in trials], pa.int64()),
        "seeds": pa.array([each.trial.seeds for each in trials], pa.list_(pa.int64())),
        "value": pa.array([each.value for each in trials], pa.float64()),
        "state": pa.array([each.state for each in trials], pa.string()),
    }
    return pa.table(columns)
