"""What the page's charts share: Vega-Lite specifications made by Altair, their data and look.

A chart answers the pointer; the page draws it when it comes near the window.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from study.report.words import Words
from study.results.experiments import ExperimentResult, ValueResult
from study.statistics.estimates import Estimate
from study.statistics.scales import scale_of
from study.support.language import PERCENT_DIGITS, SCORE_DIGITS, for_browser

# Of more values only the best and the worst are drawn.
MOST_VALUES, EXTREMES = 40, 20

PARTS = ("validation", "train")

ROW_HEIGHT = 30  # pixels, with labels of up to two lines
LINE_HEIGHT = 15

# Characters that a line of a label has at most, beside a chart and below it, on a phone too.
LABEL, LEGEND = 20, 36

CELL_HEIGHT, CELL_WIDTH = 40, 40  # pixels; a narrower cell has its numbers under the pointer only
MOST_CELLS = 600  # pixels that the rows of a heatmap have together

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
        "legend": words | {"labelLimit": 0, "titleLimit": 0},
        "title": {"color": ink, "fontSize": 12, "fontWeight": "normal"},
        "range": {
            "category": category,
            "ordinal": ordinal,
            "heatmap": {"scheme": "viridis"},
        },
        "view": {"stroke": "transparent"},
    }


def drawn(experiment: ExperimentResult) -> list[ValueResult]:
    """All values, or of many the best and the worst, in the order of the report's tables."""
    if len(experiment.values) <= MOST_VALUES:
        return experiment.values
    ranked = [*experiment.ranked, *experiment.lost]
    return [*ranked[:EXTREMES], *ranked[-EXTREMES:]]


def title(experiment: ExperimentResult, words: Words) -> str:
    """What an experiment varies, as the title of an axis or a legend."""
    return " × ".join(words.setting_title(key) for key in experiment.keys)


def named(experiment: ExperimentResult, value: ValueResult, words: Words) -> str:
    """A value where the experiment's settings are named beside it, in the order of `title`."""
    names = [words.value_name(key, value.varied[key]) for key in experiment.keys]
    return " · ".join(names) + words.lost(value)


def lines(text: str, width: int) -> list[str]:
    """A text in lines of about so many characters, broken at spaces and within sizes, never cut."""
    found = [""]
    for piece in re.findall(r"[^ -]*(?:[ -]+|$)", text):
        if found[-1] and len(found[-1]) + len(piece.rstrip()) > width:
            found.append("")
        found[-1] += piece
    return [line.strip() for line in found if line.strip()]


def in_lines(names: Sequence[str], width: int) -> str:
    """What labels of these names say, in Vega's expression language: each in its lines."""
    told = ", ".join(literal(lines(name, width)) for name in names)
    return f"[{told}][indexof({literal(names)}, datum.label)]"


def _digits(words: Words) -> int:
    """The decimals of scores."""
    return PERCENT_DIGITS if words.language.scores_in_percent else SCORE_DIGITS


def _scores(estimate: Estimate, words: Words) -> dict[str, float]:
    """A score with its interval and what was published, as the report's tables write them."""
    scale = 100 if words.language.scores_in_percent else 1
    names = ("mean", "low", "high", "published")
    return {name: shown(scale * getattr(estimate, name), _digits(words)) for name in names}


def shown(number: float, digits: int) -> float:
    """A number for a chart that shows it with `digits` decimals, those that the report tells."""
    return for_browser(number, digits) if math.isfinite(number) else number


def accuracies(experiment: ExperimentResult, words: Words, alternative: str) -> Chart | None:
    """Accuracy at each value with its interval, and what was published; None where none is left."""
    alive = [value for value in drawn(experiment) if value.n]
    if not alive:
        return None
    text = words.language.text
    parts = {part: text(f"page.parts.{part}") for part in PARTS}
    decimals = f".{_digits(words)}f"
    rows = [
        {
            "value": named(experiment, value, words),
            "part": parts[part],
            "n": value.n,
            **_scores(estimate, words),
        }
        for value in alive
        for part, estimate in zip(PARTS, (value.validation, value.train), strict=True)
    ]
    names = [named(experiment, value, words) for value in alive]
    base = alt.Chart().encode(
        y=alt.Y(
            "value:N",
            title=None,
            sort=names,
            axis=alt.Axis(grid=True, labelLimit=0, labelExpr=in_lines(names, LABEL)),
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
                alt.Tooltip(f"{name}:Q", title=text(f"page.{name}"), format=decimals)
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
    most = max(len(lines(name, LABEL)) for name in names)
    chart = alt.layer(*layers).properties(
        height=max(ROW_HEIGHT, LINE_HEIGHT * most) * (len(alive) + 1),
        title=alt.Title(lines(title(experiment, words), LEGEND), anchor="start"),
    )
    return Chart(finished(chart, alternative, rows_of(pd.DataFrame(rows))), " ".join(notes))


def heatmap(experiment: ExperimentResult, words: Words, alternative: str) -> Chart | None:
    """Accuracies of a grid of two settings, the first down and the second across.

    None where there is no such grid, or where every replicate diverged.
    """
    if len(experiment.keys) != 2 or not any(value.n for value in experiment.values):
        return None
    text = words.language.text
    parts = {part: text(f"page.parts.{part}") for part in PARTS}
    decimals = f".{_digits(words)}f"
    rows = []
    for value in experiment.values:
        down, across = (words.value_name(key, value.varied[key]) for key in experiment.keys)
        lost = f"✕ {value.diverged}/{value.n + value.diverged}" if value.diverged else ""
        rows += [
            {
                "down": down,
                "across": across,
                "part": part,
                "n": value.n,
                "diverged": value.diverged,
                "lost": lost,
                "short": _short(estimate.mean, words),
                **_scores(estimate, words),
            }
            for part, estimate in zip(PARTS, (value.validation, value.train), strict=True)
        ]
    known = [row["mean"] for row in rows if math.isfinite(row["mean"])]
    down, across = (_along(experiment, key, words) for key in experiment.keys)
    height = min(CELL_HEIGHT, max(MOST_CELLS // len(down), 2))
    told = ["mean", "low", "high"]
    if any(math.isfinite(row["published"]) for row in rows):
        told.append("published")
    names = [words.setting_title(key) for key in experiment.keys]
    base = alt.Chart().encode(
        y=alt.Y(
            "down:N",
            title=None,
            sort=down,
            axis=alt.Axis(labelLimit=0, labelOverlap="greedy", labelExpr=in_lines(down, LABEL)),
        ),
        x=alt.X(
            "across:N",
            title=names[1],
            sort=across,
            axis=alt.Axis(
                labelLimit=0,
                labelOverlap="greedy",
                labelAngle=0 if sum(map(len, across)) <= LEGEND else -90,
            ),
        ),
        tooltip=[
            alt.Tooltip("down:N", title=names[0]),
            alt.Tooltip("across:N", title=names[1]),
            *(
                alt.Tooltip(f"{name}:Q", title=text(f"page.{name}"), format=decimals)
                for name in told
            ),
            alt.Tooltip("n:Q", title=text("page.seeds"), format="d"),
            alt.Tooltip("diverged:Q", title=text("page.lost"), format="d"),
        ],
    )
    cells = base.mark_rect(aria=False).encode(
        color=alt.Color(
            "mean:Q",
            title=text("page.accuracy"),
            scale=alt.Scale(domain=[min(known), max(known)]),
            legend=alt.Legend(orient="bottom", tickCount=4),
        )
    )
    wide = alt.ExprRef(f"width < {CELL_WIDTH * len(across)} || {height} < {ROW_HEIGHT} ? 0 : 1")
    # Black or white, whichever is read better on the cell's colour.
    middle = min(known) + 0.45 * (max(known) - min(known))
    numbers = base.mark_text(aria=False, opacity=wide, lineHeight=LINE_HEIGHT, fontSize=12).encode(
        text="told:N",
        color=alt.when(f"isValid(datum.mean) && datum.mean > {middle}")
        .then(alt.value("black"))
        .otherwise(alt.value("white")),
    )
    unknown = base.transform_filter("!isValid(datum.mean)").mark_rect(color="#666666", aria=False)
    measure = alt.param(
        name="images",
        value=PARTS[0],
        bind=alt.binding_select(
            options=list(parts), labels=list(parts.values()), name=text("page.shown")
        ),
    )
    chart = (
        alt.layer(cells, unknown, numbers)
        .transform_filter("datum.part === images")
        .transform_calculate(told="datum.lost ? [datum.short, datum.lost] : datum.short")
        .add_params(measure)
        .properties(height=height * len(down), title=alt.Title(names[0], anchor="start"))
    )
    notes = [text("page.heatmap_marks")]
    if any(row["lost"] for row in rows):
        notes.append(text("page.heatmap_lost"))
    return Chart(finished(chart, alternative, rows_of(pd.DataFrame(rows))), " ".join(notes))


def _short(score: float, words: Words) -> str:
    """A score in a cell, of accuracies with one decimal."""
    if math.isnan(score):
        return "–"
    return words.number(100 * score, 1) if words.language.scores_in_percent else words.points(score)


def _along(experiment: ExperimentResult, key: str, words: Words) -> list[str]:
    """The names of a setting's values along an axis: those that have an order are in it."""
    values = {
        words.value_name(key, each): each for each in (v.varied[key] for v in experiment.values)
    }
    kind = scale_of(list(values.values()))
    if kind == "sizes":
        return sorted(values, key=lambda name: (sum(values[name]), values[name]))
    return list(values) if kind == "names" else sorted(values, key=lambda name: values[name])


def extremes(experiment: ExperimentResult, words: Words) -> list[str]:
    """A note that values are left out, if they are."""
    if len(experiment.values) <= MOST_VALUES:
        return []
    return [words.language.text("page.extremes", n=EXTREMES)]


def rows_of(table: pd.DataFrame) -> dict[str, Any]:
    """A table as its columns and its rows, far shorter than the objects that page.js makes of them.

    Numbers that are not finite are null.
    """
    rows = [[_cell(cell) for cell in row] for row in table.itertuples(index=False)]
    return {"columns": list(table.columns), "rows": rows}


def _cell(cell: str | float) -> str | float | None:
    if isinstance(cell, str):
        return cell
    if not math.isfinite(cell):
        return None
    return int(cell) if float(cell).is_integer() else float(cell)


def literal(names: Sequence[str]) -> str:
    """A list of texts in Vega's expression language."""
    quoted = (name.replace("\\", "\\\\").replace("'", "\\'") for name in names)
    return "[" + ", ".join(f"'{name}'" for name in quoted) + "]"


def title_above(measures: Mapping[str, str]) -> alt.Title:
    """What the heights of a chart are: the title of the measure that its parameter `measure` names.

    It stands above the axis, whose own title cannot follow a choice.
    """
    names, titles = literal(list(measures)), literal(list(measures.values()))
    return alt.Title(alt.ExprRef(f"{titles}[indexof({names}, measure)]"), anchor="start")


def finished(chart: alt.LayerChart, alternative: str, rows: Any) -> dict[str, Any]:
    """The specification of a chart as wide as its place, with its message for who cannot see it.

    `rows` are its data. Altair copies a chart with all that it holds at each step: they come last.
    """
    name = "rows"
    made = chart.properties(
        data=alt.NamedData(name), width="container", description=alternative
    ).to_dict(validate=False)
    return made | {"data": {"values": rows, "name": name}}
