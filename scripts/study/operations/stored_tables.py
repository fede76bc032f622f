"""Whether a table in a Parquet file is the one that is expected, bit for bit."""

import pyarrow as pa
import pyarrow.parquet as pq


def holds(stored: pa.Table, table: pa.Table) -> bool:
    """Whether `stored` is what `table` is when stored, bit for bit, its columns' types included."""
    return _bits(stored).equals(_bits(as_stored(table)))


def as_stored(table: pa.Table) -> pa.Table:
    """`table` as it comes back from a Parquet file, which names the items of lists otherwise."""
    file = pa.BufferOutputStream()
    pq.write_table(table, file)
    return pq.read_table(file.getvalue())


def _bits(table: pa.Table) -> pa.Table:
    """`table` with its float64 as integers of the same bits, among which NaN equals itself."""
    columns = [
        column.combine_chunks().view(pa.int64()) if column.type == pa.float64() else column
        for column in table.columns
    ]
    return pa.table(columns, [f"{field.name}: {field.type}" for field in table.schema])
