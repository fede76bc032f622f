"""From a table of any columns to numbers that networks take."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from study.data import preparing
from study.data.base import Classes, Examples, Quantities, Targets
from study.data.decoded import TEST, Content
from study.data.table import listed
from study.support.errors import StudyError
from study.support.strict_yaml import suggestion

# Of a table, and of the numbers that its columns become.
MOST_COLUMNS = 10_000
# Different texts of one column: more are names or notes, and no classes of anything.
MOST_TEXTS = 100

_DATE = r"\d{4}-\d{1,2}-\d{1,2}([T ].*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}( .*)?"


@dataclass(frozen=True)
class TableFile:
    """A table file, and what the config says of it."""

    path: Path
    options: Mapping[str, Any]

    def read(self) -> Content:
        """Numbers standardised and texts one-hot, as the training part has them."""
        place = str(self.path)
        frame = read_table(self.path)
        targets = listed(self.options["target"])
        left_out = listed(self.options.get("leave_out", []))
        for name in [*targets, *left_out]:
            if name not in frame:
                hint = suggestion(name, frame.columns)
                raise StudyError(f"{place}: has no column {name!r}{hint}")
        frame = frame.drop(columns=left_out)
        _refuse_dates_and_mixtures(frame.drop(columns=targets), place)
        if self.options.get("missing") == "drop":
            frame = frame.dropna()
        if len(frame) < 2:
            raise StudyError(f"{place}: has {len(frame)} rows to learn from")
        y, described = self._targets(frame, targets)
        features = frame.drop(columns=targets)
        if not len(features.columns):
            raise StudyError(f"{place}: has no column beside {', '.join(targets)}")
        self._refuse_missing(features)
        wanted = TEST | self.options.get("test", {})
        train, test = preparing.parts(y, wanted, isinstance(described, Classes), place)
        fitted = fit(features.iloc[train], self.options.get("missing"), place)
        names = columns(fitted)
        if len(names) > MOST_COLUMNS:
            raise StudyError(f"{place}: becomes {len(names):,} columns; {MOST_COLUMNS:,} are most")
        x = transform(features, fitted)
        learned, tested = Examples(x[train], y[train]), Examples(x[test], y[test])
        return Content(
            learned,
            tested,
            described,
            {**fitted, "test": wanted},
            preparing.oddities(learned, tested, described, names),
        )

    def _refuse_missing(self, features: pd.DataFrame) -> None:
        if "missing" in self.options:
            return
        counts = features.isna().sum()
        found = [f"{name} ({count})" for name, count in counts.items() if count]
        if found:
            shown = ", ".join(found[:5]) + (f" and {len(found) - 5} more" if found[5:] else "")
            raise StudyError(
                f"{self.path}: values are missing: {shown}; say `missing: mean`, `indicator` or "
                "`drop` under data.dataset"
            )

    def _targets(self, frame: pd.DataFrame, names: list[str]) -> tuple[np.ndarray, Targets]:
        task = self.options.get("task")
        if len(names) == 1:
            place = f"{self.path}: column {names[0]!r}"
            return preparing.targets(frame[names[0]], task, place)
        if task == "classification":
            raise StudyError("data.task: several targets are for regression")
        found = [
            preparing.targets(frame[name], "regression", f"{self.path}: column {name!r}")[0]
            for name in names
        ]
        return np.concatenate(found, axis=1), Quantities(names, [""] * len(names))


@functools.lru_cache(maxsize=64)
def plain_task(path: Path, target: str, digest: str) -> str:
    """The task of a table by the values of its `target`; `digest` is that of the file.

    What is wrong with the file is told when all of it is read.
    """
    try:
        values = _column(path, target)
    except Exception:
        return "classification"
    is_classes = preparing.is_classes(values.dropna(), None, f"{path}: column {target!r}")
    return "classification" if is_classes else "regression"


def _column(path: Path, name: str) -> pd.Series:
    if path.suffix == ".parquet":
        return pd.read_parquet(path, columns=[name])[name]
    return pd.read_csv(path, usecols=[name])[name]


def read_table(path: Path) -> pd.DataFrame:
    """The table in a .parquet file or, of any other name, in one of CSV."""
    try:
        if path.suffix == ".parquet":
            import pyarrow.parquet

            _refuse_many(path, len(pyarrow.parquet.read_schema(path).names))
            frame = pd.read_parquet(path)
        else:
            _refuse_many(path, len(pd.read_csv(path, nrows=0).columns))
            frame = pd.read_csv(path)
    except StudyError:
        raise
    except Exception as error:
        # The readers end with whatever a damaged file makes of them.
        text = str(error).strip().splitlines() or [type(error).__name__]
        raise StudyError(f"{path}: is no table that can be read ({text[0]:.100})") from None
    frame.columns = frame.columns.map(str)
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise StudyError(f"{path}: has two columns {twice!r}")
    return frame


def _refuse_many(path: Path, count: int) -> None:
    if count > MOST_COLUMNS:
        raise StudyError(f"{path}: has {count:,} columns; {MOST_COLUMNS:,} are the most")


def fit(frame: pd.DataFrame, missing: str | None, place: str) -> dict[str, Any]:
    """What `transform` needs to know of the training part, as JSON."""
    found: list[dict[str, Any]] = []
    for name, values in frame.items():
        known: dict[str, Any] = {"name": name}
        if _is_number(values):
            numbers = values.astype(np.float64)
            if np.isinf(numbers).any():
                raise StudyError(f"{place}: column {name!r} holds infinite numbers")
            if numbers.isna().all():
                raise StudyError(f"{place}: column {name!r} has no value in the training part")
            deviation = float(numbers.std(ddof=0))
            known |= {"mean": float(numbers.mean()), "sd": deviation if deviation > 0 else 1.0}
        else:
            known["values"] = sorted(values.dropna().astype(str).unique())
            if len(known["values"]) > MOST_TEXTS:
                raise StudyError(
                    f"{place}: column {name!r} has {len(known['values']):,} different texts, which "
                    f"tell little; {MOST_TEXTS} are the most; name it under `leave_out`"
                )
        if missing == "indicator" and values.isna().any():
            known["indicator"] = True
        found.append(known)
    return {"columns": found}


def columns(fitted: Mapping[str, Any]) -> list[str]:
    """The names of the numbers that an example becomes."""
    names = []
    for known in fitted["columns"]:
        name = known["name"]
        names += [f"{name} = {value}" for value in known["values"]] if "values" in known else [name]
        names += [f"{name} is missing"] if known.get("indicator") else []
    return names


def transform(frame: pd.DataFrame, fitted: Mapping[str, Any]) -> np.ndarray:
    """Rows as networks take them, float32 (rows, columns).

    A missing number becomes the training part's mean; a missing or unknown text is none of those
    known.
    """
    found: list[np.ndarray] = []
    for known in fitted["columns"]:
        values = frame[known["name"]]
        if "values" in known:
            texts = values.astype(object).where(values.notna()).map(str, na_action="ignore")
            found += [(texts == value).to_numpy(np.float32) for value in known["values"]]
        else:
            numbers = (values.astype(np.float64) - known["mean"]) / known["sd"]
            found.append(numbers.fillna(0).to_numpy(np.float32))
        if known.get("indicator"):
            found.append(values.isna().to_numpy(np.float32))
    return np.stack(found, axis=1)


def _is_number(values: pd.Series) -> bool:
    is_bool = pd.api.types.is_bool_dtype(values)
    return pd.api.types.is_numeric_dtype(values) and not is_bool


def _refuse_dates_and_mixtures(frame: pd.DataFrame, place: str) -> None:
    for name, values in frame.items():
        if _is_number(values) or pd.api.types.is_bool_dtype(values):
            continue
        texts = values.dropna().astype(str)
        is_date = pd.api.types.is_datetime64_any_dtype(values)
        if is_date or (len(texts) and texts.str.fullmatch(_DATE, flags=re.ASCII).all()):
            raise StudyError(
                f"{place}: column {name!r} holds dates; make numbers of them (year, weekday), or "
                "name it under `leave_out`"
            )
        is_number = pd.to_numeric(texts, errors="coerce").notna()
        if 0.5 < is_number.mean() < 1:
            row = is_number.idxmin()
            raise StudyError(
                f"{place}: column {name!r} mixes numbers and texts, as {texts[row]!r:.40} in row "
                f"{row + 1}"
            )
