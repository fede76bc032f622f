"""The page of a study while it runs: its script fetches the state again and again and shows it.

It has the report's look, and asks nobody but who served it.
"""

from typing import Any

import altair as alt
from markupsafe import Markup

from study.page import charts, document
from study.page.curves import LEGEND_WIDTH
from study.spec.tasks import TASKS, Task
from study.support.language import PERCENT_DIGITS, SCORE_DIGITS, Language, available

PERIOD = 2000  # milliseconds between two looks

HEIGHT = 320  # pixels, as what a name in the legend has at most
LEGEND = 340

SCRIPTS = document.scripts(
    *("vendor/vega.min.js", "vendor/vega-lite.min.js", "vendor/vega-embed.min.js"),
    *("chart.js", "edges.js", "live.js"),
)


def render(code: str) -> str:
    """The page in one language."""
    language = Language(code)
    tasks = {task.name: (task, Language(code, task=task.name)) for task in TASKS.values()}
    behaviour = document.looks(language) | {
        "period": PERIOD,
        "words": language.entry("live"),
        "digits": {name: _digits(task) for name, (task, _) in tasks.items()},
        "measures": {name: _measures(*each) for name, each in tasks.items()},
        "charts": {name: _chart(*each) for name, each in tasks.items()},
    }
    template = document.environment(language).get_template("live.html.jinja")
    return template.render(
        code=code,
        languages={other: Language(other) for other in available()},
        numbers={"epoch", "score", "loss", "all_seeds", "time_left"},
        behaviour=behaviour,
        scripts=[Markup(script) for script in SCRIPTS],
        policy=document.policy(SCRIPTS, "; connect-src 'self'"),
    )


def _digits(task: Task) -> int:
    return PERCENT_DIGITS if task.score == "accuracy" else SCORE_DIGITS


def _measures(task: Task, language: Language) -> dict[str, str]:
    """Titles of what the state calls score and loss."""
    return {
        "score": language.text(f"page.measures.validation_{task.score}"),
        "loss": language.text("page.measures.validation_loss"),
    }


def _chart(task: Task, language: Language) -> dict[str, Any]:
    """A line for each run; rows of line, epoch, score and loss come with the state."""
    titles = _measures(task, language)
    measure = alt.param(
        name="measure",
        value="score",
        bind=alt.binding_select(
            options=list(titles), labels=list(titles.values()), name=language.text("page.shown")
        ),
    )
    near = alt.selection_point(
        name="near", on="pointerover", clear="pointerout", nearest=True, empty=False
    )
    base = alt.Chart().encode(
        x=alt.X(
            "epoch:Q",
            title=language.text("figures.epoch"),
            axis=alt.Axis(format="d", tickMinStep=1),
            scale=alt.Scale(zero=False, nice=False),
        ),
        y=alt.Y("shown:Q", title=None, scale=alt.Scale(zero=False)),
        color=alt.Color(
            "line:N",
            title=None,
            sort=None,
            legend=alt.Legend(
                orient="bottom",
                columns=alt.ExprRef(f"max(1, floor({LEGEND_WIDTH} / {LEGEND}))"),
                labelLimit=LEGEND - 40,
                symbolType="stroke",
                symbolStrokeWidth=3,
            ),
        ),
    )
    tooltip = [
        alt.Tooltip("line:N", title=language.text("live.settings")),
        alt.Tooltip("epoch:Q", title=language.text("figures.epoch"), format="d"),
        alt.Tooltip("score:Q", title=titles["score"], format=f".{_digits(task)}f"),
        alt.Tooltip("loss:Q", title=titles["loss"], format=".4f"),
    ]
    points = base.mark_point(filled=True, size=60, aria=False).encode(
        opacity=alt.when(near).then(alt.value(1)).otherwise(alt.value(0.35)), tooltip=tooltip
    )
    chart = (
        alt.layer(
            base.mark_line(strokeWidth=2, aria=False).properties(name="lines"),
            points.properties(name="points").add_params(near),
        )
        .transform_calculate(shown="datum[measure]")
        .add_params(measure)
        .properties(height=HEIGHT, title=charts.title_above(titles))
    )
    return charts.finished(chart, language.text("live.curves_label"), [])
