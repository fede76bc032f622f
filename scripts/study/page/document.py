"""The report as a page: one file that answers the pointer, prints, and asks for nothing else.

Whatever the study's size, the page stays below 8 MB: what is left out is said in its place.
"""

import base64
import hashlib
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from study.data import pictures
from study.page import charts as page_charts
from study.page import confusion
from study.page import curves as page_curves
from study.page import static as page_static
from study.page import tables as page_tables
from study.page import text as page_text
from study.page.charts import Chart
from study.page.claims import UnfoldedClaims
from study.page.text import Parts
from study.report.data import ReportData, metrics_columns
from study.report.words import Words
from study.results import findings
from study.spec.plan import Plan
from study.spec.tasks import Task
from study.spec.texts import language_of
from study.support.language import Language
from study.support.resources import resource

FILES = resource("resources/page")


def columns(task: Task) -> list[str]:
    """What the page reads of metrics.parquet."""
    return [*metrics_columns(task), "train_loss"]


# Of static figures and of charts, those that come first in the report up to so many characters.
MOST_STATIC = 3_000_000
MOST_CHARTS = 1_500_000


# Parts of the report that a reader finds unfolded: with the first, the answer.
UNFOLDED = ("best", "conclusions")

# Figures that show pictures of the data, where these are pictures.
PICTURES = ("mosaic", "final_confused", "final_mistakes")


def scripts(*names: str) -> list[str]:
    """What runs in a page, in this order. The first lets its style know that scripts do."""
    read = [(FILES / name).read_text(encoding="utf-8") for name in names]
    return ['document.documentElement.classList.add("js")', *read]


# A page without the first shows its figures as pictures.
SCRIPTS = scripts("chart.js", "edges.js", "page.js")

# What page.js runs when the first chart and the first table come near the window.
LIBRARIES = {
    "charts": ["vega.min.js", "vega-lite.min.js", "vega-embed.min.js"],
    "tables": ["dataTables.min.js"],
}


def policy(own: Sequence[str], fetched: str = "") -> str:
    """A page's Content-Security-Policy: its own scripts run and no other, nothing else is fetched.

    No text is compiled as code: expressions of charts are interpreted.
    """
    digests = [hashlib.sha256(script.encode()).digest() for script in own]
    allowed = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        f"img-src data:; base-uri 'none'; form-action 'none'{fetched}"
    )


def figures_of(plan: Plan, folder: Path, code: str) -> list[Path]:
    """The figures of a plan in the language `code` that are there, as the page embeds them."""
    names = [each.name for each in [*plan.experiments, *plan.searches]]
    names += ["mosaic", "glance", "glance_cost"]
    names += ["final_*"] if plan.final else []
    return sorted(path for name in names for path in folder.glob(f"{name}.{code}.svg"))


def render(study: ReportData, language: Language, report: str, figures: Path) -> str:
    """The page in one language.

    `study` has these `columns` of the metrics, `report` is the text of report.<language>.md,
    `figures` the folder of the figures and `data` that of the data set's files.
    """
    return _Page(study, language, report, figures).render()


class _Page:
    def __init__(self, study: ReportData, language: Language, report: str, figures: Path):
        self.study = study
        self.words = Words(language)
        self.language = language
        self.text = language.text
        self.report = page_text.without_contents(report, self.words.text("contents"))
        self.figures = figures
        self.left = {"static": MOST_STATIC, "charts": MOST_CHARTS}
        self.claims = UnfoldedClaims(study, self.words, "").unfolded()
        self.environment = environment(language)
        self.environment.globals["words"] = self.words
        self.parts = self.environment.get_template("parts.html.jinja").module

    def render(self) -> str:
        parts = Parts(
            code=self.language.code,
            table_label=self.text("page.table"),
            figure=self._figure,
            claim=self.words.text("columns.claim"),
            choice=self.parts.verdicts(),
            claims=lambda count: self.parts.claims(list(itertools.islice(self.claims, count))),
            unfolded=self._unfolded(),
        )
        article = page_text.to_html(self.report, parts)
        tables = {
            "values": page_tables.values(self.study, self.words),
            "runs": page_tables.runs(self.study, self.words),
        }
        libraries = {
            what: [_file(f"vendor/{name}") for name in names] for what, names in LIBRARIES.items()
        }
        title = next(line for line in self.report.splitlines() if line.startswith("# "))
        return self.environment.get_template("page.html.jinja").render(
            code=self.language.code,
            plan=self.study.digest,
            title=Markup(page_text.inline(title[2:])).striptags(),
            languages={
                code: language_of(self.study.plan, code) for code in self.study.plan.languages
            },
            contents=page_text.contents(self.report),
            article=Markup(article),
            tables={name: asdict(table) for name, table in tables.items()},
            behaviour=self._behaviour(),
            scripts=[Markup(script) for script in SCRIPTS],
            libraries=libraries,
            policy=policy([*SCRIPTS, *itertools.chain.from_iterable(libraries.values())]),
        )

    def _unfolded(self) -> list[str]:
        """The titles of the parts that a reader finds unfolded."""
        titles = [self.words.text(f"{part}.title") for part in UNFOLDED]
        return titles if self.study.experiments else [*titles, self.text("search.title")]

    def _behaviour(self) -> dict[str, Any]:
        """What page.js needs to know: the charts' looks, and words and numbers of the language."""
        return {
            **looks(self.language),
            "table": self.language.entry("page.data_table"),
            "all": self.text("page.all"),
        }

    def _figure(self, name: str, alternative: str) -> str:
        """A figure: its charts, its static form for print and where there are none, its notes."""
        charts = {
            kind: chart
            for kind, chart in self._charts(name, alternative)
            if self._fits("charts", _json(chart.specification))
        }
        file = f"{name}.{self.language.code}.svg"
        static = page_static.image(
            (self.figures / file).read_text(encoding="utf-8"),
            colour_pictures=name in PICTURES and pictures.are_colour(self.study.data.train.x),
        )
        fitting = static if self._fits("static", static.source) else None
        matrix = None
        if name == "final_confusion" and self.study.evaluation:
            matrix = self._matrix()
        return self.parts.figure(
            name, alternative, charts, fitting, f"{self.figures.name}/{file}", matrix
        )

    def _fits(self, kind: str, content: str) -> bool:
        fits = len(content) <= self.left[kind]
        if fits:
            self.left[kind] -= len(content)
        return fits

    def _charts(self, name: str, alternative: str) -> Iterator[tuple[str, Chart]]:
        found = {each.name: each for each in self.study.experiments}
        if name in found:
            experiment = found[name]
            wanted = {value.run for value in page_charts.drawn(experiment)}
            metrics = self.study.metrics
            rows = metrics[metrics["run"].isin(wanted)]
            curves = page_curves.of_experiment(experiment, rows, self.words, alternative)
            accuracies = page_charts.accuracies(experiment, self.words, alternative)
            heatmap = page_charts.heatmap(experiment, self.words, alternative)
            if curves and accuracies:
                yield "curves", curves
                if heatmap:
                    yield "heatmap", heatmap
                yield "values", accuracies
        elif name == "final_curves" and self.study.final.n:
            rows = findings.replicates(self.study.final, self.study.metrics)
            yield "curves", page_curves.of_final(rows, self.words, alternative)

    def _matrix(self) -> dict[str, Any] | None:
        classes = self.study.data.targets.in_language(self.language.code)
        if len(classes) > confusion.MOST_CLASSES:
            return None
        data = self.study.data
        images = pictures.shown(data.test.x) if data.dataset.is_images else None
        cells = confusion.cells(self.study.evaluation, images, self.words)
        return {"classes": classes, "cells": cells, "seeds": len(self.study.evaluation.seeds)}


def environment(language: Language) -> Environment:
    """Where a page's templates are, and what they call."""
    made = Environment(
        loader=FileSystemLoader(FILES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.filters |= {
        "inline": lambda text: Markup(page_text.inline(text)),
        "as_json": _json,
    }
    made.globals |= {"text": language.text, "file": _file}
    return made


def looks(language: Language) -> dict[str, Any]:
    """What a page's script needs to know to draw charts: their looks, and numbers' signs."""
    decimal, thousands = (language.number(12345.6, 1)[place] for place in (-2, 2))
    return {
        "language": language.code,
        "themes": page_charts.themes(),
        "numbers": {
            "decimal": decimal,
            "thousands": thousands,
            "grouping": [3],
            "currency": ["", ""],
        },
    }


def _json(content: Any) -> Markup:
    """JSON as the content of a script element, which no text in it can end."""
    return Markup(json.dumps(content, ensure_ascii=False).replace("<", "\\u003c"))


def _file(name: str) -> Markup:
    """A file of style or script, to stand in the page as it is."""
    return Markup((FILES / name).read_text(encoding="utf-8"))
