"""SQLite files whose tables another tool makes, and which are filled in bulk.

The tools' own functions write a row at a time: Optuna's takes 0.1 s a trial and MLflow's 0.2 s a
run, half an hour for 10,000. Their functions make the tables, so that these are of the installed
version; the rows come from here; tests read all of it back by the tools.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from study.support.files import atomic_path

# The indexes of a table, with the statements that make them, but for those of its own keys.
INDEXES = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql > ''"

# A table's columns, and its rows in their order.
Rows = tuple[tuple[str, ...], Iterable[tuple[Any, ...]]]


@contextmanager
def new_database(output: Path) -> Iterator[Path]:
    """Yield where to make a SQLite file that takes the place of `output` in the end.

    It is made on this machine's own disk: on some that are shared, SQLite cannot lock.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.db"
        yield made
        with atomic_path(output) as temporary:
            shutil.copyfile(made, temporary)


def insert(database: Path, tables: Mapping[str, Rows]) -> None:
    """Add rows to tables of the file, one table after another."""
    with closing(sqlite3.connect(database)) as connection:
        # Whoever is interrupted begins anew.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        with connection:
            for table, (columns, rows) in tables.items():
                # An index is made faster of all rows than it grows with each.
                found = connection.execute(INDEXES, [table]).fetchall()
                for name, _ in found:
                    connection.execute(f"DROP INDEX {name}")
                names = ", ".join(f'"{column}"' for column in columns)
                marks = ", ".join("?" * len(columns))
                connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)
                for _, made_by in found:
                    connection.execute(made_by)
