#!/bin/sh
# DuckDB 2.0.0: isnan(), max() and comparisons on a Parquet file do not see NaN where the file has
# statistics; the same rows in a table of DuckDB's own answer otherwise.
#
# The Parquet format keeps NaN out of a column's minimum and maximum, and says that a reader who
# looks for NaN must not go by them. pyarrow writes such statistics by default, and so do pandas and
# polars. DuckDB prunes by them: a diverged training's loss is not found, and its maximum is that of
# the others. DuckDB itself holds NaN to be greater than every number.
#
# Output seen (duckdb 2.0.0, pyarrow 26.0.1), of the losses 0.1, 0.2, NaN and 0.3:
#   rows where isnan(loss): file 0, table 1, file without statistics 1
#   rows where loss > 0.5: file 0, table 1, file without statistics 1
#   max(loss): file 0.3, table nan, file without statistics nan
#
# What to do: write float columns without statistics (pyarrow: write_statistics=[other columns]).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    duckdb==2.0.0 pyarrow==26.0.1
cd "$folder"
venv/bin/python - <<'PYTHON'
import math
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

rows = pa.table({"run": [0, 1, 2, 3], "loss": [0.1, 0.2, math.nan, 0.3]})
pq.write_table(rows, "with.parquet")
pq.write_table(rows, "without.parquet", write_statistics=["run"])
duckdb.sql("create table own as from 'with.parquet'")

places = {"file": "'with.parquet'", "table": "own", "file without statistics": "'without.parquet'"}
found = []
for asked, query in {
    "rows where isnan(loss)": "select count(*) from {} where isnan(loss)",
    "rows where loss > 0.5": "select count(*) from {} where loss > 0.5",
    "max(loss)": "select max(loss) from {}",
}.items():
    answers = [str(duckdb.sql(query.format(place)).fetchall()[0][0]) for place in places.values()]
    found.append(answers)
    print(f"{asked}:", ", ".join(map(" ".join, zip(places, answers))))

as_seen = found == [["0", "1", "1"], ["0", "1", "1"], ["0.3", "nan", "nan"]]
sys.exit(None if as_seen else "DuckDB behaves otherwise now")
PYTHON
