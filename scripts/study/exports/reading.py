"""The files in results/ that exports are made from."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from study.results.metrics import settings_in
from study.spec.plan import Plan
from study.support.errors import StudyError


def table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """A Parquet file's columns, or all of them; StudyError where the file is not there."""
    _check(path)
    return pq.read_table(path, columns=columns)


def names(path: Path) -> list[str]:
    """The columns of a Parquet file."""
    _check(path)
    return list(pq.read_schema(path).names)


def frame(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """The same for pandas."""
    _check(path)
    return pd.read_parquet(path, columns=columns)


def settings_of_runs(metrics: Path) -> dict[str, dict[str, Any]]:
    """Those that each run of metrics.parquet uses."""
    found = table(metrics, ["run", *settings_in(names(metrics))])
    _, first = np.unique(found["run"].to_numpy(), return_index=True)
    rows = found.take(first).to_pylist()
    return {
        row.pop("run"): {key: value for key, value in row.items() if value is not None}
        for row in rows
    }


def plan(results: Path) -> Plan:
    """That of the study; StudyError where there is none."""
    path = results / "plan.json"
    _check(path)
    return Plan.read(path)


def asked_by(plan: Plan) -> dict[str, dict[str, str]]:
    """Who asks for each run: of each experiment the values (`experiment.<name>`), the trial."""
    found: dict[str, dict[str, str]] = {}
    for experiment, value in plan.values:
        known = found.setdefault(value.run, {})
        key = f"experiment.{experiment.name}"
        known[key] = f"{known[key]}, {value.value}" if key in known else value.value
    for search in plan.searches:
        for trial in search.trials:
            found.setdefault(trial.run, {})[f"search.{search.name}"] = str(trial.number)
    return found


def replicate_id(run: str, seed: int) -> str:
    """A tool's name of a replicate: the same at each export, so that links to it stay."""
    return hashlib.sha256(f"{run}/{seed}".encode()).hexdigest()[:32]


def replicate_name(run: str, seed: int) -> str:
    """What a person reads instead."""
    return f"{run}/seed_{seed}"


def _check(path: Path) -> None:
    if not path.is_file():
        raise StudyError(f"{path}: is missing; run `make report` first")
