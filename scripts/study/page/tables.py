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
from study.support.language import PERCENT_DIGITS, SCORE_DIGITS, for_browser

# More rows than these would make the page too large; it says so and keeps the best.
MOST_ROWS = 10_000

# How a column's numbers are written: as they are, in per cent with two decimals, as scores that are
# no shares, or whole.
AS_IS, PERCENT, SCORE, WHOLE = "as_is", "percent", "score", "whole"


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
    text, form = words.text, _form(words)
    columns = [
        Column(text("columns.experiment"), filters=True),
        Column(text("columns.value")),
        Column(text("columns.validation"), form),
        Column(words.language.text("page.low"), form),
        Column(words.language.text("page.high"), form),
        Column(text("columns.train"), form),
        Column(text("columns.epochs"), WHOLE),
        Column(text("columns.seeds"), WHOLE),
        Column(words.language.text("page.lost"), WHOLE),
    ]
    printed = study.has_published
    if printed:
        columns.append(Column(text("columns.published_validation"), form))
    ranked = sorted(study.values, key=lambda pair: (not pair[1].n, *rank(pair[1])))
    titles = {each.name: words.title(each) for each in study.experiments}
    rows = [
        [
            titles[experiment.name],
            words.short_alone(value),
            _scaled(form, value.validation.mean),
            _scaled(form, value.validation.low),
            _scaled(form, value.validation.high),
            _scaled(form, value.train.mean),
            value.epochs,
            value.n,
            value.diverged,
            *([_scaled(form, value.validation.published)] if printed else []),
        ]
        for experiment, value in ranked[:MOST_ROWS]
    ]
    return Table(columns, rows, len(ranked))


def runs(study: ReportData, words: Words) -> Table:
    """Every run after its last epoch, the best first; those that lost seeds come after others."""
    planned = study.plan.runs
    names, form = study.plan.hyperparameters.names, _form(words)
    varied = _varied(names, [run.settings for run in planned])
    columns = [
        Column(words.text("columns.run")),
        *(Column(words.setting_title(key)) for key in varied),
        Column(words.text("columns.epochs"), WHOLE),
        Column(words.text("columns.seeds"), WHOLE),
        Column(words.text("columns.validation"), form),
        Column(words.language.text("page.deviation"), form),
        Column(words.text("columns.train"), form),
    ]
    results = _last(study.metrics, form)
    rows = [
        [
            run.run,
            *(_value(key, run.settings.get(key), words) for key in varied),
            run.epochs,
            *results.get(run.run, NO_RESULT),
        ]
        for run in planned
    ]
    score = len(varied) + 3
    lost = {run.run: len(run.seeds) - results.get(run.run, NO_RESULT)[0] for run in planned}
    rows.sort(key=lambda row: (row[score] is None, lost[row[0]], -(row[score] or 0.0), row[0]))
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


def _form(words: Words) -> str:
    """How scores are written."""
    return PERCENT if words.language.scores_in_percent else SCORE


def _last(metrics: pd.DataFrame, form: str) -> dict[str, list[Any]]:
    """Of each run after its last epoch: seeds that did not diverge, and their scores.

    Mean and standard deviation of the validation score, and mean training score.
    """
    last = metrics.groupby("run")["epoch"].transform("max")
    rows = metrics[(metrics["epoch"] == last) & (metrics["status"] == "ok")]
    validation = rows.groupby("run")[score_of("validation", rows)].agg(["count", "mean", "std"])
    train = rows.groupby("run")[score_of("train", rows)].mean()
    return {
        run: [int(count), *(_scaled(form, each) for each in (mean, deviation, train[run]))]
        for run, count, mean, deviation in validation.itertuples()
    }


def _scaled(form: str, score: float) -> float | None:
    if pd.isna(score):
        return None
    if form == PERCENT:
        return for_browser(100 * score, PERCENT_DIGITS)
    return for_browser(score, SCORE_DIGITS)
