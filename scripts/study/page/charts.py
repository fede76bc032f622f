"""What the page's charts share: Vega-Lite specifications made by Altair, their data and look.

A chart answers the pointer; the page draws it when it comes near the window.
"""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from study.report.sentences import Words
from study.results.experiments import Experiment, Value

# Of more values only the best and the worst are drawn.
MOST_VALUES, EXTREMES = 40, 20

PARTS = ("validation", "train")

ROW_HEIGHT = 30  # pixels

# As in study.figures.drawing: the palette of Okabe and Ito and viridis, here as far as they are
# seen on a light and on a dark ground.
_GROUNDS = {
    "light": {
        "ink": "#222222",
        "grid": "#e0e0e0",
        "category": ["#0072b2", "#b84d00", "#00805c", "#b0548e", "#946300", "#2f7fb5", "#000000"],
        "ordinal": {"scheme": "viridis", "extent": [0.0, 0.78]},
    },
    "dark": {
        "ink": "#dfe3eb",
        "grid": "#3a4150",
        "category": ["#56b4e9", "#f0935a", "#2fc49b", "#e09cc4", "#e6b84d", "#8fd0f5", "#ffffff"],
        "ordinal": {"scheme": "viridis", "extent": [0.32, 1.0]},
    },
}

_PLAIN = {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}


@dataclass(frozen=True)
class Chart:
    """A specification, and what has to be said beside it."""

    specification: dict[str, Any]
    note: str


def themes() -> dict[str, Any]:
    """Vega-Lite's configuration on a light and on a dark ground."""
    return {ground: _theme(**colours) for ground, colours in _GROUNDS.items()}


def _theme(ink: str, grid: str, category: list[str], ordinal: dict[str, Any]) -> dict[str, Any]:
    words = _PLAIN | {"labelColor": ink, "titleColor": ink}
    lines = {"gridColor": grid, "domainColor": grid, "tickColor": grid}
    return {
        "background": "transparent",
        "font": "system-ui, sans-serif",
        "axis": words | lines,
        "legend": words | {"labelLimit": 220},
        "range": {"category": category, "ordinal": ordinal},
        "view": {"stroke": "transparent"},
    }


def shown(experiment: Experiment) -> list[Value]:
    """All values, or of many the best and the worst, in the order of the report's tables."""
    if len(experiment.values) <= MOST_VALUES:
        return experiment.values
    ranked = [*experiment.ranked, *experiment.lost]
    return [*ranked[:EXTREMES], *ranked[-EXTREMES:]]


def title(experiment: Experiment, words: Words) -> str:
    """What an experiment varies, as the title of an axis or a legend."""
    return " × ".join(words.setting_title(key) for key in experiment.keys)


def accuracies(experiment: Experiment, words: Words, alternative: str) -> Chart | None:
    """Accuracy at each value with its interval, and what was published; None where none is left."""
    alive = [value for value in shown(experiment) if value.n]
    if not alive:
        return None
    text = words.language.text
    parts = {part: text(f"page.parts.{part}") for part in PARTS}
    rows = [
        {
            "value": words.short(value),
            "part": parts[part],
            "n": value.n,
            "mean": 100 * estimate.mean,
            "low": 100 * estimate.low,
            "high": 100 * estimate.high,
            "published": 100 * estimate.published,
        }
        for value in alive
        for part, estimate in zip(PARTS, (value.validation, value.train), strict=True)
    ]
    names = [words.short(value) for value in alive]
    base = alt.Chart().encode(
        y=alt.Y(
            "value:N",
            title=title(experiment, words),
            sort=names,
            axis=alt.Axis(grid=True, labelLimit=140),
        ),
        color=alt.Color(
            "part:N",
            title=None,
            scale=alt.Scale(domain=list(parts.values())),
            legend=alt.Legend(orient="bottom"),
        ),
        tooltip=[
            alt.Tooltip("value:N", title=title(experiment, words)),
            alt.Tooltip("part:N", title=text("page.images")),
            *(
                alt.Tooltip(f"{name}:Q", title=text(f"page.{name}"), format=".2f")
                for name in ("mean", "low", "high", "published")
            ),
            alt.Tooltip("n:Q", title=text("page.seeds"), format="d"),
        ],
    )
    place = {
        "title": text("page.accuracy"),
        "scale": alt.Scale(zero=False),
        "axis": alt.Axis(tickCount=alt.ExprRef("width / 80")),
    }
    layers = [
        base.mark_rule(strokeWidth=2, aria=False).encode(x=alt.X("low:Q", **place), x2="high:Q"),
        base.mark_point(filled=True, size=90).encode(x=alt.X("mean:Q", **place)),
    ]
    notes = [text("page.values_marks")]
    if any(math.isfinite(row["published"]) for row in rows):
        diamonds = base.mark_point(shape="diamond", size=90, strokeWidth=1.5)
        layers.append(diamonds.encode(x=alt.X("published:Q", **place)))
        notes.append(text("page.published_marks"))
    notes += extremes(experiment, words)
    chart = alt.layer(*layers, data=data(pd.DataFrame(rows))).properties(
        height=ROW_HEIGHT * (len(alive) + 1)
    )
    return Chart(finished(chart, alternative), " ".join(notes))


def extremes(experiment: Experiment, words: Words) -> list[str]:
    """A note that values are left out, if they are."""
    if len(experiment.values) <= MOST_VALUES:
        return []
    return [words.language.text("page.extremes", n=EXTREMES)]


def data(table: pd.DataFrame) -> alt.InlineData:
    """A table as CSV, far shorter than objects; numbers that are not finite are left empty."""
    numbers = dict.fromkeys(table.select_dtypes("number").columns, "number")
    texts = {name: "string" for name in table.columns if name not in numbers}
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([map(_field, row) for row in table.itertuples(index=False)])
    return alt.InlineData(
        values=lines.getvalue(),
        name="rows",
        format=alt.CsvDataFormat(type="csv", parse=numbers | texts),
    )


def _field(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    return f"{cell:.7g}" if math.isfinite(cell) else ""


def literal(names: Sequence[str]) -> str:
    """A list of texts in Vega's expression language."""
    quoted = (name.replace("\\", "\\\\").replace("'", "\\'") for name in names)
    return "[" + ", ".join(f"'{name}'" for name in quoted) + "]"


def finished(chart: alt.LayerChart, alternative: str) -> dict[str, Any]:
    """The specification of a chart as wide as its place, with its message for who cannot see it."""
    return chart.properties(width="container", description=alternative).to_dict(validate=False)
