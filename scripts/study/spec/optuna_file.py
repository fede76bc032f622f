"""Trials of an Optuna study in an SQLite file, read for the plan, which imports no Optuna.

Optuna keeps the layout of its tables under a number; tests compare what is read here with what
Optuna's own reader finds.
"""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.support.errors import StudyError

# Of Optuna 3 to 5.
LAYOUT = 12

TRIALS = """
SELECT number, value, param_name, param_value, distribution_json
FROM trials JOIN trial_values USING (trial_id) JOIN trial_params USING (trial_id)
WHERE study_id = ? AND state = 'COMPLETE' AND value_type = 'FINITE'
ORDER BY number, param_id
"""


@dataclass(frozen=True)
class FoundTrial:
    """A complete trial, with its finite value."""

    number: int
    value: float
    params: Mapping[str, Any]


def read(path: Path, study: str) -> list[FoundTrial]:
    """The complete trials of the file's only study, or else of the one called `study`, by number.

    StudyError, whose message begins with the file, where there is no such study, or one whose
    values are not a single one that is higher for better.
    """
    if not path.is_file():
        raise StudyError(f"{path}: is missing")
    try:
        # Nothing is written, and a study that goes on is read as it is at one moment.
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            database.execute("BEGIN")
            return _read(database, path, study)
    except (sqlite3.Error, ValueError, LookupError) as error:
        raise StudyError(f"{path}: is no SQLite file of Optuna's ({error})") from error


def _read(database: sqlite3.Connection, path: Path, name: str) -> list[FoundTrial]:
    [[layout]] = database.execute("SELECT schema_version FROM version_info")
    if layout != LAYOUT:
        raise StudyError(
            f"{path}: has layout {layout} of Optuna's tables, and {LAYOUT} is known; copy it by "
            "`optuna.copy_study` of Optuna 3, 4 or 5"
        )
    studies = dict(database.execute("SELECT study_name, study_id FROM studies"))
    if len(studies) != 1 and name not in studies:
        told = ", ".join(studies) or "none"
        raise StudyError(f"{path}: none of its studies has the search's name {name!r}: {told}")
    study = studies[name] if name in studies else next(iter(studies.values()))
    query = "SELECT direction FROM study_directions WHERE study_id = ?"
    directions = [direction for (direction,) in database.execute(query, [study])]
    if directions != ["MAXIMIZE"]:
        told = " and ".join(directions).lower()
        raise StudyError(f"{path}: its study is to {told}, a search to maximize a score")
    values: dict[int, float] = {}
    params: dict[int, dict[str, Any]] = {}
    for number, value, param, stored, distribution in database.execute(TRIALS, [study]):
        values[number] = value
        params.setdefault(number, {})[param] = _param(stored, json.loads(distribution))
    return [FoundTrial(number, value, params[number]) for number, value in values.items()]


def _param(stored: float, distribution: Mapping[str, Any]) -> Any:
    """A param by Optuna's number of it and its distribution."""
    match distribution["name"]:
        case "CategoricalDistribution":
            return distribution["attributes"]["choices"][int(stored)]
        case "IntDistribution" | "IntUniformDistribution" | "IntLogUniformDistribution":
            return int(stored)
        case _:
            return float(stored)
