"""Searches as Optuna studies in one SQLite file, for Optuna's functions and optuna-dashboard."""

import itertools
import json
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
from optuna.distributions import BaseDistribution, CategoricalDistribution, distribution_to_json
from optuna.trial import FrozenTrial, TrialState, create_trial

from study.exports import reading
from study.exports.databases import Rows, insert, new_database
from study.search import steps, trials
from study.search.samplers import distribution
from study.search.steps import Scores
from study.spec.searches import Search, Trial, path_of_trials
from study.spec.settings import text
from study.spec.tasks import score_of
from study.support.errors import StudyError

STATES = {
    trials.COMPLETE: TrialState.COMPLETE,
    trials.PRUNED: TrialState.PRUNED,
    trials.DIVERGED: TrialState.FAIL,
}


def export(results: Path, output: Path) -> str:
    """Write the study's searches; gives what to tell the person who asked.

    A search is a study of its name, which maximizes the score of the validation. A trial has the
    numbers of trials.parquet and, as intermediate values, its mean scores after each epoch. Its
    duration is the time that its replicates were trained.
    """
    plan = reading.plan(results)
    if not plan.searches:
        raise StudyError(f"{results / 'plan.json'}: has no search, and only these are Optuna's")
    rows = {
        search.name: reading.table(results / path_of_trials(search.name)).to_pylist()
        for search in plan.searches
    }
    path = results / "metrics.parquet"
    score = score_of("validation", reading.names(path))
    metrics = reading.frame(path, ["run", "seed", "epoch", "status", score, "seconds"])
    measured = _Measured.of(metrics)
    studies = {}
    for search in plan.searches:
        try:
            studies[search.name] = [
                _trial(search, row, measured, datetime.now()) for row in rows[search.name]
            ]
        except (KeyError, ValueError) as error:
            raise StudyError(
                f"{results / path_of_trials(search.name)}: does not fit the plan and the metrics "
                f"beside it ({error}); run `make report` first"
            ) from error
    with new_database(output) as made:
        numbers = [_create(made, search, measured.scores, score) for search in plan.searches]
        insert(made, _tables(zip(numbers, studies.values(), strict=True)))
    count = sum(map(len, studies.values()))
    return f"{count} trials are in {output}. Then:\n  optuna-dashboard sqlite:///{output.resolve()}"


@dataclass(frozen=True)
class _Measured:
    """What the trials' runs had: their scores, and each replicate's seconds, by epoch."""

    scores: Scores
    seconds: dict[tuple[str, int], list[float]]

    @classmethod
    def of(cls, metrics: pd.DataFrame) -> "_Measured":
        by_replicate = metrics.groupby(["run", "seed"])["seconds"]
        return cls(Scores(metrics), {key: rows.tolist() for key, rows in by_replicate})

    def trained(self, trial: Trial) -> float:
        """Seconds that all of a trial took."""
        return sum(sum(self.seconds[trial.run, seed][: trial.epochs]) for seed in trial.seeds)

    def curve(self, trial: Trial) -> dict[int, float]:
        """Its mean scores after each epoch, until a seed diverged."""
        epochs = range(1, trial.epochs + 1)
        known = ((epoch, self.scores.of(_until(trial, epoch))) for epoch in epochs)
        return {
            epoch: score
            for epoch, score in itertools.takewhile(lambda each: each[1] is not None, known)
            if score is not None
        }


def _until(trial: Trial, epochs: int) -> Trial:
    return Trial(trial.number, trial.step, trial.settings, trial.run, epochs, trial.seeds)


def _trial(
    search: Search, row: dict[str, Any], measured: _Measured, start: datetime
) -> FrozenTrial:
    """A row of trials.parquet as a trial of Optuna's."""
    settings = {key: row[key] for key in search.space if row[key] is not None}
    trial = Trial(row["number"], "", settings, row["run"], row["epochs"], row["seeds"])
    made = create_trial(
        state=STATES[row["state"]],
        value=row["value"],
        params={key: _choice(value) for key, value in settings.items()},
        distributions={key: _distribution(search.space[key]) for key in settings},
        user_attrs={key: row[key] for key in ("run", "epochs", "seeds", "round", "state")},
        intermediate_values=measured.curve(trial),
    )
    made.number = row["number"]
    made.datetime_start = start
    made.datetime_complete = start + timedelta(seconds=measured.trained(trial))
    return made


def _distribution(form: Any) -> BaseDistribution:
    """That of the space; a list's has the choices themselves, for people to see."""
    if isinstance(form, list):
        return CategoricalDistribution([_choice(value) for value in form])
    return distribution(form)


def _choice(value: Any) -> Any:
    """A list as text, since Optuna's choices are plain values."""
    return text(value) if isinstance(value, list) else value


def _create(database: Path, search: Search, scores: Scores, score: str) -> int:
    """Make the study of a search, without trials; its number in the file."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = optuna.storages.RDBStorage(f"sqlite:///{database}")
    study = optuna.create_study(storage=storage, study_name=search.name, direction="maximize")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names([score])
    study.set_user_attr("sampler", search.sampler)
    study.set_user_attr("seed", search.seed)
    # Optuna's best trial is the one of the highest value, with however few seeds.
    won = steps.winner(search, scores)
    study.set_user_attr("winner", won.trial.number if won else None)
    number = storage.get_study_id_from_name(search.name)
    storage.remove_session()
    storage.engine.dispose()
    return number


def _tables(studies: Iterator[tuple[int, Sequence[FrozenTrial]]]) -> dict[str, Rows]:
    """The rows of all trials in Optuna's tables, by the number of their study."""
    pairs = ((study, trial) for study, found in studies for trial in found)
    numbered = [(trial_id, study, trial) for trial_id, (study, trial) in enumerate(pairs, 1)]
    return {
        "trials": (
            ("trial_id", "number", "study_id", "state", "datetime_start", "datetime_complete"),
            (
                (at, each.number, study, each.state.name, _time(each.datetime_start), _time(end))
                for at, study, each in numbered
                for end in [each.datetime_complete]
            ),
        ),
        "trial_params": (
            ("trial_id", "param_name", "param_value", "distribution_json"),
            (
                (at, key, known.to_internal_repr(each.params[key]), distribution_to_json(known))
                for at, _, each in numbered
                for key, known in each.distributions.items()
            ),
        ),
        "trial_values": (
            ("trial_id", "objective", "value", "value_type"),
            ((at, 0, *_stored(each.value)) for at, _, each in numbered if each.value is not None),
        ),
        "trial_intermediate_values": (
            ("trial_id", "step", "intermediate_value", "intermediate_value_type"),
            (
                (at, step, *_stored(value))
                for at, _, each in numbered
                for step, value in each.intermediate_values.items()
            ),
        ),
        "trial_user_attributes": (
            ("trial_id", "key", "value_json"),
            (
                (at, key, json.dumps(value))
                for at, _, each in numbered
                for key, value in each.user_attrs.items()
            ),
        ),
    }


def _stored(value: float) -> tuple[float | None, str]:
    """A number, with Optuna's word for its kind; SQLite has none that is not finite."""
    if math.isfinite(value):
        return value, "FINITE"
    return None, "NAN" if math.isnan(value) else "INF_POS" if value > 0 else "INF_NEG"


def _time(moment: datetime | None) -> str:
    """As SQLAlchemy keeps it in SQLite."""
    assert moment is not None
    return moment.isoformat(sep=" ", timespec="microseconds")
