"""Records of runs, and Parquet files that say what made them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from study.runs.checkpoint import Checkpoint
from study.spec.tasks import CLASSIFICATION, TASKS, Task
from study.support.files import atomic_path


def schema(task: Task) -> pa.Schema:
    """The columns of a run's record."""
    return pa.schema(
        [("run", pa.string()), ("seed", pa.int64()), ("epoch", pa.int64())]
        + [(name, pa.float64()) for name in task.columns]
        + [("status", pa.string())]
    )


RECORD = schema(CLASSIFICATION)

# The records of all tasks.
RECORDS = tuple(map(schema, TASKS.values()))


def write_parquet(path: Path, table: pa.Table, metadata: Mapping[str, Any]) -> None:
    """Write `table` atomically, with each of `metadata` as JSON in the file's own.

    Columns of floating-point numbers have no statistics: these leave NaN out, so that a reader
    who prunes by them, as DuckDB does, finds no diverged run.
    """
    exact = [field.name for field in table.schema if not pa.types.is_floating(field.type)]
    encoded = {key: json.dumps(value, sort_keys=True) for key, value in sorted(metadata.items())}
    with atomic_path(path) as temporary:
        table = table.replace_schema_metadata(encoded)
        pq.write_table(table, temporary, write_statistics=exact)


def read_metadata(path: Path) -> dict[str, Any]:
    """What `write_parquet` was given as metadata."""
    found = pq.read_schema(path).metadata or {}
    return {key.decode(): json.loads(value) for key, value in found.items() if key != b"pandas"}


def record(run: str, state: Checkpoint, task: Task = CLASSIFICATION) -> pa.Table:
    """A row for each replicate and epoch; `diverged` is the epoch in which a replicate did so."""
    wanted = schema(task)
    tables = []
    for seed, replicate in sorted(state.replicates.items()):
        epochs = replicate.epochs
        status = ["ok"] * epochs
        if replicate.diverged:
            status[-1] = "diverged"
        columns = [[run] * epochs, [seed] * epochs, range(1, epochs + 1)]
        # A measure that is not a number is a result here, not a gap: NaN stays NaN.
        columns += [pa.array(column, pa.float64()) for column in replicate.measures.T]
        tables.append(pa.table([pa.array(column) for column in [*columns, status]], wanted.names))
    return pa.concat_tables(tables).cast(wanted)
