"""The rows of metrics.parquet as a CSV file: one for each run, seed and epoch."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from study.exports import reading
from study.support.files import atomic_path

# As R writes them, which reads no others; pandas, polars and DuckDB read these too.
NOT_FINITE = {"nan": "NaN", "inf": "Inf", "-inf": "-Inf"}


def export(results: Path, output: Path) -> str:
    """Write the study's CSV file; gives what to tell the person who asked.

    A setting that is a list is its text. A setting that a run does not use is empty, a measure that
    is not a number is NaN. Numbers have as many digits as it takes to read the same ones back.
    """
    table = reading.table(results / "metrics.parquet")
    lists = {field.name for field in table.schema if pa.types.is_list(field.type)}
    columns = {
        name: _written(table[f"{name}_text" if name in lists else name])
        for name in table.column_names
        if name.removesuffix("_text") not in lists or name in lists
    }
    with atomic_path(output) as temporary:
        options = pa.csv.WriteOptions(quoting_style="needed")
        pa.csv.write_csv(pa.table(columns), temporary, options)
    return f"{table.num_rows} rows are in {output}"


def _written(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers as text where some are not finite, others as they are."""
    is_special = pa.types.is_floating(column.type) and not pc.all(pc.is_finite(column)).as_py()
    if not is_special:
        return column
    column = pc.cast(column, pa.string())
    for text, written in NOT_FINITE.items():
        column = pc.if_else(pc.equal(column, text), written, column)
    return column
