"""The page's tables of everything, to be sorted, filtered and searched: their columns and rows.

Cells are texts or bare numbers, which the browser writes in the reader's language.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from study.report.data import ReportData
from study.report.words import Words
from study.results.experiments import is_number, rank
from study.spec import settings
from study.spec.tasks import score_of

# More rows than these would make the page too large; it says so and keeps the best.
MOST_ROWS = 10_000

# How a column's numbers are written: as they are, in per cent with two decimals, or whole.
AS_IS, PERCENT, WHOLE = "as_is", "percent", "whole"


# Of a run of which every seed diverged.
NO_RESULT = [0, None, None, None]


@dataclass(frozen=True)
class Column:
    """`title`, how numbers are written, and whether rows can be chosen by this column's texts."""

    title: str
    form: str = AS_IS
    filters: bool = False


@dataclass(frozen=True)
class Table:
    """`count` is how many rows there would be without the limit."""

    columns: list[Column]
    rows: list[list[Any]]
    count: int


def values(study: ReportData, words: Words) -> Table:
    """Every value of every experiment, the best first; those that lost seeds come after others."""
    text = words.text
    columns = [
        Column(text("columns.experiment"), filters=True),
        Column(text("columns.value")),
        Column(text("columns.validation"), PERCENT),
        Column(words.language.text("page.low"), PERCENT),
        Column(words.language.text("page.high"), PERCENT),
        Column(text("columns.train"), PERCENT),
        Column(text("columns.epochs"), WHOLE),
        Column(text("columns.seeds"), WHOLE),
        Column(words.language.text("page.lost"), WHOLE),
    ]
    printed = study.has_published
    if printed:
        columns.append(Column(text("columns.published_validation"), PERCENT))
    ranked = sorted(study.values, key=lambda pair: (not pair[1].n, *rank(pair[1])))
    titles = {each.name: words.title(each) for each in study.experiments}
    rows = [
        [
            titles[experiment.name],
            words.short_alone(value),
            _percent(value.validation.mean),
            _percent(value.validation.low),
            _percent(value.validation.high),
            _percent(value.train.mean),
            value.epochs,
            value.n,
            value.diverged,
            *([_percent(value.validation.published)] if printed else []),
        ]
        for experiment, value in ranked[:MOST_ROWS]
    ]
    return Table(columns, rows, len(ranked))


def runs(study: ReportData, words: Words) -> Table:
    """Every run after its last epoch, the best first; those that lost seeds come after others."""
    planned = study.plan.runs
    names = study.plan.hyperparameters.names
    varied = _varied(names, [run.settings for run in planned])
    columns = [
        Column(words.text("columns.run")),
        *(Column(words.setting_title(key)) for key in varied),
        Column(words.text("columns.epochs"), WHOLE),
        Column(words.text("columns.seeds"), WHOLE),
        Column(words.text("columns.validation"), PERCENT),
        Column(words.language.text("page.deviation"), PERCENT),
        Column(words.text("columns.train"), PERCENT),
    ]
    results = _last(study.metrics)
    rows = [
        [
            run.run,
            *(_value(key, run.settings.get(key), words) for key in varied),
            run.epochs,
            *results.get(run.run, NO_RESULT),
        ]
        for run in planned
    ]
    accuracy = len(varied) + 3
    lost = {run.run: len(run.seeds) - results.get(run.run, NO_RESULT)[0] for run in planned}
    rows.sort(
        key=lambda row: (row[accuracy] is None, lost[row[0]], -(row[accuracy] or 0.0), row[0])
    )
    return Table(columns, rows[:MOST_ROWS], len(rows))


def _varied(names: Sequence[str], chosen: Sequence[Mapping[str, Any]]) -> list[str]:
    """The settings that are not the same in all runs."""
    return [
        key
        for key in names
        if key != "epochs" and len({settings.text(each.get(key)) for each in chosen}) > 1
    ]


def _value(key: str, value: Any, words: Words) -> Any:
    if value is None:
        return words.text("cells.none")
    return value if is_number(value) else words.value_name(key, value)


def _last(metrics: pd.DataFrame) -> dict[str, list[Any]]:
    """Of each run after its last epoch: seeds that did not diverge, and their accuracies.

    Mean and standard deviation of validation accuracy, and mean training accuracy, in per cent.
    """
    last = metrics.groupby("run")["epoch"].transform("max")
    rows = metrics[(metrics["epoch"] == last) & (metrics["status"] == "ok")]
    validation = rows.groupby("run")[score_of("validation", rows)].agg(["count", "mean", "std"])
    train = rows.groupby("run")[score_of("train", rows)].mean()
    return {
        run: [int(count), _percent(mean), _percent(deviation), _percent(train[run])]
        for run, count, mean, deviation in validation.itertuples()
    }


def _percent(fraction: float) -> float | None:
    return None if pd.isna(fraction) else round(100 * fraction, 4)
