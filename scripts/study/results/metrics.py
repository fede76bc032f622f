"""The rows of metrics.parquet: all measures that a study asks for."""

import itertools
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset
import pyarrow.parquet as pq

from study.runs.records import RECORDS, read_metadata
from study.spec import settings
from study.spec.plan import Run
from study.spec.settings import Hyperparameters
from study.spec.tasks import Task, task_of
from study.support.errors import StudyError

# By the type that a setting's schema names; one that lists words instead is of strings.
_TYPES = {
    None: pa.string(),
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "string": pa.string(),
}

# Records that are joined and sorted at a time: what that takes in memory stays within bounds.
AT_A_TIME = 500


def settings_columns(hyperparameters: Hyperparameters) -> pa.Schema:
    """The columns of metrics.parquet that have a run's settings."""
    columns = []
    for name, definition in hyperparameters.definitions.items():
        if definition.get("type") == "array":
            columns.append((name, pa.list_(_TYPES[definition["items"]["type"]])))
        elif name != "epochs":
            columns.append((name, _TYPES[definition.get("type")]))
    return pa.schema(columns)


def settings_in(columns: Iterable[str]) -> list[str]:
    """The settings among the columns of metrics.parquet, which stand between run and seed."""
    _, *between = itertools.takewhile(lambda name: name != "seed", columns)
    return [name for name in between if not name.endswith("_text")]


def collect(runs: Iterable[Run], folder: Path, hyperparameters: Hyperparameters) -> pa.Table:
    """Of each record in `folder`, the rows that `runs` (of a plan) ask for, by run, seed, epoch.

    `hyperparameters` are the plan's.
    """
    runs = list(runs)
    for run in runs:
        path = _record(run, folder)
        if not path.is_file():
            raise StudyError(f"{path}: is missing; run the workflow again to train that run")
    starts = range(0, len(runs), AT_A_TIME)
    return pa.concat_tables(
        _collect(runs[start : start + AT_A_TIME], folder, hyperparameters) for start in starts
    )


def files(runs: Iterable[Run], folder: Path) -> list[Path]:
    """What `collect` reads."""
    return [_record(run, folder) for run in runs]


def _record(run: Run, folder: Path) -> Path:
    return folder / run.run / "record.parquet"


def _collect(runs: list[Run], folder: Path, hyperparameters: Hyperparameters) -> pa.Table:
    paths = [_record(run, folder) for run in runs]
    try:
        # Of one study, all are of one task.
        record = _form(paths[0])
        rows = pa.dataset.dataset(list(map(str, paths)), schema=record).to_table()
    except pa.ArrowInvalid:
        damaged = next(path for path in paths if not _is_readable(path))
        raise StudyError(
            f"{damaged}: is damaged, or of another version of this program; remove it and run again"
        ) from None

    wanted = pa.table(
        {
            "run": [run.run for run in runs for _ in run.seeds],
            "seed": [seed for run in runs for seed in run.seeds],
            "until": [run.epochs for run in runs for _ in run.seeds],
            "order": [index for index, run in enumerate(runs) for _ in run.seeds],
        }
    )
    rows = rows.join(wanted, ["run", "seed"], join_type="inner")
    rows = rows.filter(pc.less_equal(rows["epoch"], rows["until"]))
    _check_complete(rows, wanted, folder)
    rows = rows.sort_by([("order", "ascending"), ("seed", "ascending"), ("epoch", "ascending")])

    order = rows["order"]
    columns = {"run": rows["run"]}
    for column in settings_columns(hyperparameters):
        values = pa.array([run.settings.get(column.name) for run in runs], column.type)
        columns[column.name] = values.take(order)
        if pa.types.is_list(column.type):
            # pandas neither groups by lists nor finds duplicates among them.
            written = [settings.text(run.settings[column.name]) for run in runs]
            columns[f"{column.name}_text"] = pa.array(written, pa.string()).take(order)
    columns |= {name: rows[name] for name in record.names if name != "run"}
    return pa.table(columns)


def read(path: Path, wanted: Callable[[Task], list[str]]) -> pd.DataFrame:
    """Of metrics.parquet in `path`, the columns that are `wanted` of a study of its task."""
    return pd.read_parquet(path, columns=wanted(task_of(pq.read_schema(path).names)))


def devices(runs: Iterable[Run], folder: Path) -> list[str]:
    """The kinds of devices that trained `runs`."""
    found: set[str] = set()
    for run in runs:
        found.update(read_metadata(_record(run, folder))["devices"])
    return sorted(found)


def _form(path: Path) -> pa.Schema:
    """The columns of a record, by its task; pa.ArrowInvalid where they are of none."""
    names = pq.read_schema(path).names
    for record in RECORDS:
        if record.names == names:
            return record
    raise pa.ArrowInvalid(f"{path}: has other columns")


def _is_readable(path: Path) -> bool:
    try:
        return bool(pq.read_table(path).schema.equals(_form(path)))
    except pa.ArrowInvalid:
        return False


def _check_complete(rows: pa.Table, wanted: pa.Table, folder: Path) -> None:
    """Every seed must have its epochs; only one that has diverged ends before."""
    ended = rows.append_column("ended", pc.equal(rows["status"], "diverged"))
    found = ended.group_by(["run", "seed"]).aggregate([("epoch", "count"), ("ended", "any")])
    held = wanted.join(found, ["run", "seed"], join_type="left outer")
    whole = pc.or_(pc.equal(held["epoch_count"], held["until"]), held["ended_any"])
    lacking = held.filter(pc.invert(pc.fill_null(whole, False)))
    if lacking.num_rows:
        run, seed = lacking["run"][0].as_py(), lacking["seed"][0].as_py()
        raise StudyError(
            f"{folder / run / 'record.parquet'}: lacks epochs of seed {seed}; run again"
        )
