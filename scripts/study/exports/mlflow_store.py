"""All runs as an MLflow store in one SQLite file."""

import logging
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from study.exports import reading
from study.exports.databases import Rows, insert, new_database
from study.spec.settings import text
from study.spec.tasks import task_of
from study.support.errors import StudyError

# MLflow itself requires an older pyarrow than this program; its core does not.
PACKAGE = "mlflow-skinny==3.17.2"


def export(results: Path, output: Path) -> str:
    """Write the study's replicates; gives what to tell the person who asked.

    A replicate is a run of MLflow's, with the settings and the seed as params and the measures as
    metrics by epoch; its tags say of which `run` it is, by which MLflow groups, and for which
    experiments and searches. One that diverged has failed. Times are those of training, from
    the export on.
    """
    path = results / "metrics.parquet"
    measures = task_of(reading.names(path)).columns
    metrics = reading.frame(path, ["run", "seed", "epoch", "status", *measures])
    settings = reading.settings_of_runs(path)
    tags = reading.asked_by(reading.plan(results))
    with new_database(output) as made:
        experiment = _create(made, results.resolve().parent.name or "study")
        insert(made, _tables(metrics, settings, tags, experiment))
    count = len(metrics[["run", "seed"]].drop_duplicates())
    viewer = Path(sys.executable).with_name("mlflow")
    address = f"sqlite:///{output.resolve()}"
    return f"{count} replicates are in {output}. Then:\n  {viewer} ui --backend-store-uri {address}"


def _create(database: Path, name: str) -> int:
    """Make a store with one experiment, without runs; its number."""
    try:
        from mlflow import MlflowClient
    except ImportError as error:
        raise StudyError(
            f"--to mlflow: the package MLflow is missing here; `make mlflow` installs it apart, "
            f"or call: {sys.executable} -m pip install {PACKAGE}"
        ) from error
    for talkative in ("mlflow", "alembic"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    client = MlflowClient(f"sqlite:///{database}")
    # Where a server looks for what a run has left beside its numbers: nothing.
    return int(client.create_experiment(name, artifact_location="mlflow-artifacts:/1"))


def _tables(
    metrics: pd.DataFrame,
    settings: Mapping[str, Mapping[str, Any]],
    tags: Mapping[str, Mapping[str, str]],
    experiment: int,
) -> dict[str, Rows]:
    """The rows of MLflow's tables, in the order of their keys, in which SQLite is fast."""
    replicate = ["run", "seed"]
    metrics = metrics.sort_values([*replicate, "epoch"], kind="stable")
    start = time.time_ns() // 1_000_000
    trained = metrics.groupby(replicate)["seconds"].cumsum()
    metrics = metrics.assign(time=start + (trained * 1000).round().astype("int64"))
    groups = metrics.groupby(replicate)
    last = groups.tail(1)
    replicates = last[[*replicate, "status", "time"]].to_dict("records")
    ids = [reading.replicate_id(row["run"], row["seed"]) for row in replicates]
    own = np.repeat(np.array(ids), groups.size().to_numpy())
    measures = task_of(metrics.columns).columns
    params = sorted(
        (key, at, text(value))
        for at, row in zip(ids, replicates, strict=True)
        for key, value in {**settings[row["run"]], "seed": row["seed"]}.items()
    )
    tag_rows = sorted(
        (key, at, value)
        for at, row in zip(ids, replicates, strict=True)
        for key, value in {
            "mlflow.runName": _name(row),
            "run": row["run"],
            "status": row["status"],
            **tags.get(row["run"], {}),
        }.items()
    )
    return {
        "runs": (
            (
                *("run_uuid", "name", "experiment_id", "status", "start_time", "end_time"),
                *("lifecycle_stage", "artifact_uri", "user_id", "source_type", "source_name"),
                *("source_version", "entry_point_name"),
            ),
            (
                (
                    *(at, _name(row), experiment, _status(row), start, row["time"]),
                    *("active", f"mlflow-artifacts:/1/{at}/artifacts", "", "UNKNOWN", "", "", ""),
                )
                for at, row in zip(ids, replicates, strict=True)
            ),
        ),
        "params": (("key", "run_uuid", "value"), params),
        "tags": (("key", "run_uuid", "value"), tag_rows),
        "metrics": (
            ("key", "value", "is_nan", "timestamp", "step", "run_uuid"),
            _measured(metrics, measures, own),
        ),
        "latest_metrics": (
            ("key", "value", "is_nan", "timestamp", "step", "run_uuid"),
            _measured(last, measures, np.array(ids)),
        ),
    }


def _measured(
    rows: pd.DataFrame, measures: Sequence[str], ids: np.ndarray
) -> Iterator[tuple[Any, ...]]:
    """The measures of all rows: one after another, each by time, epoch and replicate."""
    times, epochs = rows["time"].to_numpy(), rows["epoch"].to_numpy()
    order = np.lexsort((ids, epochs, times))
    times, epochs, ids = times[order].tolist(), epochs[order].tolist(), ids[order].tolist()
    for name in sorted(measures):
        values = rows[name].to_numpy()[order]
        is_nan = np.isnan(values).tolist()
        # As MLflow keeps what is not finite.
        known = np.nan_to_num(values, nan=0.0).tolist()
        for value, nan, at, epoch, run in zip(known, is_nan, times, epochs, ids, strict=True):
            yield name, value, nan, at, epoch, run


def _name(row: Mapping[str, Any]) -> str:
    return reading.replicate_name(row["run"], row["seed"])


def _status(row: Mapping[str, Any]) -> str:
    return "FAILED" if row["status"] == "diverged" else "FINISHED"
