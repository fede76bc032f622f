"""Learning curves that answer the pointer: each seed's and their mean, switched on and off."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import altair as alt
import pandas as pd

from study.page import charts
from study.page.charts import Chart
from study.report.words import Words
from study.results import findings
from study.results.experiments import ExperimentResult, ValueResult
from study.spec.tasks import score_of, task_of
from study.statistics.scales import scale_of
from study.support.language import PERCENT_DIGITS, SCORE_DIGITS

# Of more seeds the first are drawn, and of curves with more points than this, only every
# so-many-th epoch and the last.
MOST_SEEDS = 10
MOST_POINTS = 2000

PARTS = ("validation", "train", "train_eval")

HEIGHT = 320  # pixels, as what a name in the legend has: its mark, and each of its characters
LEGEND_MARK, LEGEND_CHARACTER = 40, 7
# What is beside the axis. Vega settles the curves' own width only after the height, and would cut a
# legend that follows it; its being named has the legend follow the window.
LEGEND_WIDTH = "(containerSize()[0] - 60 + 0 * width)"


@dataclass(frozen=True)
class Curves:
    """What is drawn of some lines, by name: frames with seed, epoch and `measures`.

    `title` says what tells the lines apart, if it takes saying; `is_ordered` gives them colours in
    an order.
    """

    lines: Mapping[str, pd.DataFrame]
    measures: Sequence[str]
    title: str | None
    is_ordered: bool

    @property
    def seeds(self) -> list[int]:
        return sorted({int(seed) for rows in self.lines.values() for seed in rows["seed"].unique()})

    @property
    def points(self) -> int:
        return sum(map(len, self.lines.values()))


def of_experiment(
    experiment: ExperimentResult, metrics: pd.DataFrame, words: Words, alternative: str
) -> Chart | None:
    """A line for each value; None where every replicate diverged.

    `metrics` has the rows of metrics.parquet of the runs shown. Of values that are read off the
    same run, the longest stands for all.
    """
    longest: dict[str, ValueResult] = {}
    for value in charts.drawn(experiment):
        known = longest.get(value.run)
        if value.n and (known is None or known.epochs < value.epochs):
            longest[value.run] = value
    if not longest:
        return None
    varied = [value.varied[experiment.keys[0]] for value in experiment.values]
    drawn = Curves(
        {
            charts.named(experiment, value, words): findings.replicates(value, metrics)
            for value in longest.values()
        },
        (score_of("validation", metrics), "validation_loss", *_of_training(metrics)),
        charts.title(experiment, words),
        len(experiment.keys) == 1 and scale_of(varied) != "names",
    )
    notes = charts.extremes(experiment, words)
    if any(value.diverged for value in experiment.values):
        notes.append(words.language.text("page.diverged"))
    return _chart(drawn, notes, words, alternative)


def _of_training(metrics: pd.DataFrame) -> tuple[str, str]:
    return score_of("train", metrics), score_of("train_eval", metrics)


def of_final(metrics: pd.DataFrame, words: Words, alternative: str) -> Chart:
    """A line each for validation images, training images, and these with dropout off.

    `metrics` has the final model's rows of metrics.parquet, of the seeds that did not diverge.
    """
    lines = {}
    measures = (task_of(metrics).score, "loss")
    for part in PARTS:
        own = {f"{part}_{measure}": measure for measure in measures}
        known = ["seed", "epoch", *(column for column in own if column in metrics)]
        lines[words.language.text(f"page.parts.{part}")] = metrics[known].rename(columns=own)
    return _chart(Curves(lines, measures, None, False), [], words, alternative)


def _chart(curves: Curves, notes: Iterable[str], words: Words, alternative: str) -> Chart:
    curves, left_out = _limited(curves, words)
    marks = words.language.text("page.curves_marks")
    rows = charts.rows_of(_table(curves))
    specification = charts.finished(_drawn(curves, words), alternative, rows)
    return Chart(specification, " ".join([marks, *notes, *left_out]))


def _limited(curves: Curves, words: Words) -> tuple[Curves, list[str]]:
    """The curves with as many seeds and epochs as can be drawn, and notes on what is left out."""
    notes = []
    seeds = curves.seeds
    if len(seeds) > MOST_SEEDS:
        text = words.language.text("page.first_seeds", n=MOST_SEEDS, count=len(seeds))
        notes.append(text)
        first = seeds[:MOST_SEEDS]
        curves = _with(curves, lambda rows: rows[rows["seed"].isin(first)])
    step = math.ceil(curves.points / MOST_POINTS)
    if step > 1:
        notes.append(words.language.text("page.epochs_left_out", step=words.number(step)))
        curves = _with(
            curves,
            lambda rows: rows[(rows["epoch"] % step == 0) | (rows["epoch"] == rows["epoch"].max())],
        )
    return curves, notes


def _with(curves: Curves, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Curves:
    return replace(curves, lines={name: change(rows) for name, rows in curves.lines.items()})


def _drawn(curves: Curves, words: Words) -> alt.LayerChart:
    text = words.language.text
    titles = {name: text(f"page.measures.{name}") for name in curves.measures}
    measure = alt.param(
        name="measure",
        value=curves.measures[0],
        bind=alt.binding_select(
            options=list(titles), labels=list(titles.values()), name=text("page.shown")
        ),
    )
    chart = (
        alt.layer(*_layers(curves, titles, words))
        .transform_calculate(
            line=f"{charts.literal(list(curves.lines))}[datum.code]", shown="datum[measure]"
        )
        .add_params(measure)
        .properties(height=HEIGHT, title=charts.title_above(titles))
    )
    seeds = curves.seeds
    if len(seeds) == 1:
        return chart
    switches = [
        alt.param(
            name=f"seed_{seed}",
            value=True,
            bind=alt.binding_checkbox(name=text("page.seed", seed=seed)),
        )
        for seed in seeds
    ]
    on = " || ".join(f"(seed_{seed} && datum.seed === {seed})" for seed in seeds)
    return chart.transform_filter(on).add_params(*switches)


def _layers(curves: Curves, titles: Mapping[str, str], words: Words) -> list[alt.Chart]:
    """Each seed's line, the means of the seeds, and points that the pointer finds."""
    text = words.language.text
    chosen = alt.selection_point(name="chosen", fields=["line"], bind="legend")
    near = alt.selection_point(
        name="near", on="pointerover", clear="pointerout", nearest=True, empty=False
    )
    base = alt.Chart().encode(
        x=alt.X(
            "epoch:Q",
            title=text("figures.epoch"),
            axis=alt.Axis(format="d", tickMinStep=1),
            scale=alt.Scale(zero=False, nice=False),
        ),
        color=_colour(curves),
    )
    height = alt.Y("shown:Q", title=None, scale=alt.Scale(zero=False))
    seeds = base.mark_line(strokeWidth=1, aria=False).encode(
        y=height,
        detail="seed:N",
        opacity=alt.when(chosen).then(alt.value(0.45)).otherwise(alt.value(0.08)),
    )
    means = base.mark_line(strokeWidth=2.5, aria=False).encode(
        y=alt.Y("mean(shown):Q", title=None),
        opacity=alt.when(chosen).then(alt.value(1)).otherwise(alt.value(0.15)),
    )
    points = base.mark_point(filled=True, size=80, aria=False).encode(
        y=height,
        opacity=alt.when(near).then(alt.value(1)).otherwise(alt.value(0)),
        tooltip=[
            alt.Tooltip("line:N", title=curves.title or text("page.line")),
            alt.Tooltip("seed:Q", title=text("page.seed_title"), format="d"),
            alt.Tooltip("epoch:Q", title=text("figures.epoch"), format="d"),
            *(
                alt.Tooltip(f"{name}:Q", title=label, format=f".{_digits(name)}f")
                for name, label in titles.items()
            ),
        ],
    )
    # Names of its own would be counted on from chart to chart.
    return [
        seeds.properties(name="seeds"),
        means.properties(name="means").add_params(chosen),
        points.properties(name="points").add_params(near),
    ]


def _colour(curves: Curves) -> alt.Color:
    names = list(curves.lines)
    longest = max(len(line) for name in names for line in charts.lines(name, charts.LEGEND))
    column = LEGEND_MARK + LEGEND_CHARACTER * longest
    return alt.Color(
        "line:O" if curves.is_ordered else "line:N",
        title=charts.lines(curves.title, charts.LEGEND) if curves.title else None,
        scale=alt.Scale(domain=names),
        legend=alt.Legend(
            orient="bottom",
            columns=alt.ExprRef(f"max(1, floor({LEGEND_WIDTH} / {column}))"),
            labelExpr=charts.in_lines(names, charts.LEGEND),
            symbolLimit=len(names),
            symbolOpacity=1,
            symbolType="stroke",
            symbolStrokeWidth=3,
        ),
    )


def _table(curves: Curves) -> pd.DataFrame:
    """All lines in one table, accuracies in per cent; `code` is the place of a line's name."""
    columns = ["code", "seed", "epoch", *curves.measures]
    frames = [rows.assign(code=code) for code, rows in enumerate(curves.lines.values())]
    table = pd.concat(frames, ignore_index=True).reindex(columns=columns)
    for name in curves.measures:
        scale, digits = (100 if "accuracy" in name else 1), _digits(name)
        table[name] = [charts.shown(scale * number, digits) for number in table[name].tolist()]
    return table


def _digits(measure: str) -> int:
    """The decimals of a measure: of accuracies, in per cent; of losses and scores."""
    return PERCENT_DIGITS if "accuracy" in measure else SCORE_DIGITS
