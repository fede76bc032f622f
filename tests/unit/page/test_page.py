"""The page of made-up studies: the report's text, charts and tables of its numbers, bounded."""

import base64
import hashlib
import io
import json
import re
import runpy
import sys
from dataclasses import replace
from html import unescape
from pathlib import Path

import altair as alt
import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

import madeup
from madeup_pages import Made, language, level, small
from mnistlike import write_dataset
from study.page import confusion, curves, document, tables
from study.page import text as page_text
from study.report.words import Words
from study.spec import config
from study.support import markdown
from study.support.files import sha256

ROOT = Path(__file__).parents[3]
CODES = ["es", "en"]


@pytest.fixture(scope="module")
def own_dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return str(write_dataset(folder, classes=["a|b", "<c_d>", "e"], train=60, test=30, side=8))


@pytest.fixture(scope="module")
def default(tmp_path_factory):
    """The default study."""
    study = madeup.make(config.load([ROOT / "config.yaml"]), level)
    return Made(study, tmp_path_factory.mktemp("default"))


@pytest.fixture(scope="module")
def pages(default):
    return {code: default.page(code) for code in CODES}


@pytest.fixture(scope="module")
def made(own_dataset, tmp_path_factory):
    """A study with more values and seeds than are drawn, and a long run."""
    rates = [round(0.001 * k, 3) for k in range(1, 54)]
    experiments = {
        "rates": {"vary": {"learning_rate": rates}},
        "long": {"vary": {"epochs": [40]}},
    }
    study = madeup.make(small(own_dataset, experiments, seeds=12), level)
    return Made(study, tmp_path_factory.mktemp("bounds"))


# What runs at once, and what page.js runs when it is needed.
SCRIPT = re.compile(r'<script(?: type="text/plain" data-library="\w+")?>(.*?)</script>', re.S)


def embedded(text, name):
    """The JSON of a script element."""
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', text, re.S)
    return json.loads(found[1])


def rows_of(specification):
    """The rows of a chart's data, by column."""
    values = specification["data"]["values"]
    return [dict(zip(values["columns"], row, strict=True)) for row in values["rows"]]


def controls(specification):
    """The names of what can be switched, without the selections."""
    return [each["name"] for each in specification["params"] if "select" not in each]


def plain(html):
    """What a reader sees of HTML, without scripts and style."""
    text = re.sub(r"<(script|style|noscript).*?</\1>", " ", html, flags=re.S)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", text)))


@pytest.mark.parametrize("code", CODES)
class TestDefault:
    def test_the_same_bytes_again(self, default, pages, code):
        assert default.page(code) == pages[code]

    def test_asks_for_nothing(self, pages, code):
        """Addresses are only there to be followed."""
        text = SCRIPT.sub("", pages[code])
        assert not re.search(r'(src|srcset|action|data)="(?!data:)', text)
        assert not re.search(r"@import|url\((?!\"?data:)", text)
        assert not re.search(r'<link(?! rel="icon" href="data:)', text)

    def test_every_heading_is_led_to(self, default, pages, code):
        anchors = [
            anchor
            for depth, title, anchor in markdown.headings(default.report(code))
            if depth > 1 and title != Words(language(code)).text("contents")
        ]
        beside = re.search(r'<nav class="contents".*?</nav>', pages[code], re.S)[0]
        links = re.findall(r'href="#(.+?)"', beside)
        assert links == [*anchors, "all-values", "all-runs"]
        for anchor in links:
            assert len(re.findall(rf'<h[23] id="{anchor}">', pages[code])) == 1

    def test_has_the_reports_text(self, default, pages, code):
        shown = plain(pages[code])
        for line in default.report(code).splitlines():
            if re.match(r"(- )?[\wÁ-ú*][^|]{40,}$", line) and "](#" not in line:
                words = plain(page_text.inline(line.removeprefix("- ")))
                assert words.strip() in shown

    def test_every_figure_is_there_with_its_message(self, default, pages, code):
        messages = re.findall(r"^!\[(.+)\]\(figures/(\w+)\.\w+\.png\)$", default.report(code), re.M)
        assert len(messages) == 6 + 6 + 3
        for message, name in messages:
            figure = re.search(rf'<figure id="figure-{name}".*?</figure>', pages[code], re.S)[0]
            image = re.search(r'src="data:image/svg\+xml;base64,(.+?)" alt="(.+?)"', figure)
            assert base64.b64decode(image[1]).decode().count(f"<title>{name}<") == 1
            assert unescape(image[2]) == message

    def test_curves_hold_the_measures_of_every_seed(self, default, pages, code):
        specification = embedded(pages[code], "learning_rate-curves")
        assert controls(specification) == ["measure", *(f"seed_{seed}" for seed in range(5))]
        rows = rows_of(specification)
        assert len(rows) == 3 * 5 * 10
        experiment = default.told.experiments[0]
        metrics = default.study.metrics.set_index(["run", "seed", "epoch"])
        for row in rows:
            value = experiment.values[row["code"]]
            measured = metrics.loc[value.run, row["seed"], row["epoch"]]
            assert row["validation_loss"] == pytest.approx(measured.validation_loss, abs=1e-4)
            accuracy = 100 * measured.validation_accuracy
            assert row["validation_accuracy"] == pytest.approx(accuracy, abs=1e-4)

    def test_accuracies_by_value_hold_the_summarys_numbers(self, default, pages, code):
        rows = rows_of(embedded(pages[code], "dropout-values"))
        values = default.told.experiments[2].values
        words = Words(language(code))
        assert [row["value"] for row in rows[::2]] == [words.short(value) for value in values]
        for row, value in zip(rows[::2], values, strict=True):
            expected = value.validation
            for column, number in (
                ("mean", expected.mean),
                ("low", expected.low),
                ("high", expected.high),
                ("published", expected.published),
            ):
                assert row[column] == pytest.approx(100 * number, abs=1e-4)

    def test_numbers_of_charts_and_tables_round_to_those_of_the_report(self, default, pages, code):
        words = Words(language(code))
        told = default.report(code)
        for experiment in default.told.experiments:
            rows = rows_of(embedded(pages[code], f"{experiment.name}-values"))
            for row, value in zip(rows[::2], experiment.values, strict=True):
                # As a browser does: with these numbers Python rounds as it.
                shown = words.number(float(f"{row['mean']:.2f}"), 2)
                assert shown == words.points(value.validation.mean)
                assert shown in told

    def test_charts_tell_their_message_too(self, default, pages, code):
        messages = re.findall(r"^!\[(.+)\]\(figures/(\w+)\.\w+\.png\)$", default.report(code), re.M)
        experiments = [each.name for each in default.study.plan.experiments]
        shown = [each for each in messages if each[1] in experiments]
        assert len(shown) == len(experiments) == 6
        for message, name in shown:
            for kind in ("curves", "values"):
                assert embedded(pages[code], f"{name}-{kind}")["description"] == message

    def test_every_claim_unfolds_to_all_its_comparisons(self, default, pages, code):
        found = re.findall(r'<details class="claim (\w+)">(.*?)</details>', pages[code], re.S)
        claims = default.told.claims
        assert [verdict for verdict, _ in found] == [claim["verdict"] for claim in claims]
        for (_, text), claim in zip(found, claims, strict=True):
            assert claim[f"statement_{code}"] in plain(text)
            body = text.partition("<tbody>")[2]
            assert body.count("<tr") == len(claim["evidence"])
            assert body.count('class="decides"') == sum(
                each["decides"] for each in claim["evidence"]
            )

    def test_all_runs_and_values_are_listed(self, default, pages, code):
        runs = embedded(pages[code], "table-runs")
        assert {row[0] for row in runs["rows"]} == {run.run for run in default.study.plan.runs}
        values = embedded(pages[code], "table-values")
        assert len(values["rows"]) == sum(len(each.values) for each in default.told.experiments)
        best = max((value.validation.mean, value) for _, value in default.told.values)[1]
        assert values["rows"][0][2] == pytest.approx(100 * best.validation.mean, abs=1e-4)
        for table in (runs, values):
            assert {len(row) for row in table["rows"]} == {len(table["columns"])}

    def test_tables_are_sorted_by_their_numbers(self, pages, code):
        orders = re.findall(r'data-order="(.*?)">(.*?)</td>', pages[code])
        assert len(orders) > 200
        for order, shown in orders:
            number = re.search(r"[−-]?\d[\d.,]*", shown)
            if number is None:
                assert order == ""
                continue
            signs = str.maketrans({"−": "-", "," if code == "en" else ".": None})
            text = number[0].translate(signs).replace(",", ".").rstrip(".")
            if re.fullmatch(r"-?\d+(\.\d+)?", text):
                assert float(order) == float(text)

    def test_other_languages_are_linked(self, pages, code):
        for other in CODES:
            assert f'href="report.{other}.html" lang="{other}"' in pages[code]
        assert pages[code].startswith(f'<!doctype html>\n<html lang="{code}">')

    def test_cells_of_the_confusion_matrix_have_their_examples(self, default, pages, code):
        table = re.search(r'<table class="confusion">.*?</table>', pages[code], re.S)[0]
        counts = default.told.evaluation.confusion
        assert table.count("<button") == np.count_nonzero(counts)
        assert table.count("<div id=") == np.count_nonzero(counts)
        classes = default.told.data.targets.in_language(code)
        shown = Words(language(code)).number(counts[0, 0], 1)
        text = language(code).text(
            "page.taken.other", true=classes[0], predicted=classes[0], count=shown
        )
        assert f'aria-label="{text}">{shown}</button>' in table


@pytest.mark.parametrize("code", CODES)
def test_a_cell_of_one_image_is_no_plural(own_dataset, tmp_path, code):
    one = {"dropout": {"vary": {"dropout": [0.0, 0.2]}}}
    languages = {"report": {"languages": [code]}}
    made = Made(
        madeup.make(small(own_dataset, one, seeds=1, final={}, **languages), level), tmp_path
    )
    labels = made.told.evaluation.labels
    wrong = np.flatnonzero(labels == 0)[0]
    probabilities = np.eye(3, dtype=np.float32)[labels]
    probabilities[wrong] = [0.0, 1.0, 0.0]
    found = replace(made.told.evaluation, probabilities=probabilities[np.newaxis])
    made.told = replace(made.told, evaluation=found)
    text = plain(made.page(code))
    assert f"→ <c_d>: 1 {'image' if code == 'en' else 'imagen'} (" in text
    assert not re.search(r": 1 im\w+es\b|: 1 images", text)


def test_pictures_of_cells_are_the_examples_side_by_side():
    images = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
    uri = confusion._picture(images)
    strip = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))))
    assert strip.shape == (4, 3 * 5 + 2 * confusion.GAP)
    for place, image in enumerate(images):
        left = place * (5 + confusion.GAP)
        assert np.array_equal(strip[:, left : left + 5], 255 - image)


@pytest.mark.parametrize(
    ("cell", "code", "order"),
    [
        ("83.82\xa0±\xa00.10", "en", "83.82"),
        ("83,82\xa0±\xa00,10", "es", "83.82"),
        ("1.450", "es", "1450"),
        ("1,450", "en", "1450"),
        ("−1,00", "es", "-1.00"),
        ("< 0.001", "en", "0.001"),
        ("128-64", "en", "128"),
        ("–", "en", ""),
        ("diverged", "en", ""),
    ],
)
def test_what_a_cell_is_sorted_by(cell, code, order):
    assert page_text._order(cell, code) == order


class TestBounds:
    """However large the study, the page says what it leaves out."""

    def test_curves_of_extreme_values_first_seeds_and_some_epochs(self, made):
        text = made.page()
        specification = embedded(text, "rates-curves")
        rows = rows_of(specification)
        assert len({row["code"] for row in rows}) == 40
        assert len({row["seed"] for row in rows}) == curves.MOST_SEEDS
        assert len(rows) <= curves.MOST_POINTS + 40 * curves.MOST_SEEDS
        figure = re.search(r'<figure id="figure-rates".*?</figure>', text, re.S)[0]
        assert language("en").text("page.extremes", n=20) in figure
        assert language("en").text("page.first_seeds", n=10, count=12) in figure
        assert len(rows_of(embedded(text, "rates-values"))) == 2 * 40

    def test_epochs_are_left_out_of_long_curves(self, made, monkeypatch):
        monkeypatch.setattr(curves, "MOST_POINTS", 100)
        text = made.page()
        rows = rows_of(embedded(text, "long-curves"))
        assert {row["epoch"] for row in rows} == {4, 8, 12, 16, 20, 24, 28, 32, 36, 40}
        assert language("en").text("page.epochs_left_out", step=4) in text

    def test_tables_keep_the_best(self, made, monkeypatch):
        monkeypatch.setattr(tables, "MOST_ROWS", 5)
        text = made.page()
        table = embedded(text, "table-runs")
        assert len(table["rows"]) == 5
        assert table["count"] == 53
        assert language("en").text("page.rows_left_out", shown=5, count=53) in text
        kept = [row[-3] for row in table["rows"]]
        assert kept == sorted(kept, reverse=True)

    def test_figures_and_charts_beyond_the_limit_are_named(self, made, monkeypatch):
        monkeypatch.setattr(document, "MOST_STATIC", 200)
        monkeypatch.setattr(document, "MOST_CHARTS", 0)
        text = made.page()
        assert 'class="chart"' not in text
        figure = re.search(r'<figure id="figure-rates".*?</figure>', text, re.S)[0]
        assert 'href="figures/rates.en.svg"' in figure
        assert "<img" not in figure

    def test_very_many_classes_have_the_static_figure_alone(self, default, monkeypatch):
        monkeypatch.setattr(confusion, "MOST_CLASSES", 9)
        assert 'class="confusion"' not in default.page()


@pytest.fixture(scope="module")
def grid(own_dataset, tmp_path_factory):
    """A grid of two settings, in part of which seeds diverged."""
    study = madeup.make(small(own_dataset, TestGrids.GRID, final={}), level, {"lr0.1": 2})
    return Made(study, tmp_path_factory.mktemp("grid"))


class TestGrids:
    """Charts of two and more settings: names that are told apart, and a cell for each pair."""

    GRID = {"grid": {"vary": {"learning_rate": [0.01, 0.1], "batch_size": [50, 20]}}}
    LONG = {
        "long": {
            "vary": {
                "hidden": [[16, 16, 16, 16, 16, 16, 16], [16, 16, 16, 16, 16, 16, 8]],
                "optimizer": ["sgd", "adam"],
                "learning_rate": [0.01, 0.1],
            }
        }
    }

    def test_names_say_what_the_titles_do_not(self, grid):
        rows = rows_of(embedded(grid.page("es"), "grid-values"))
        assert [row["value"] for row in rows[::2]][:2] == ["0,01 · 20", "0,01 · 50"]

    @pytest.mark.parametrize("code", CODES)
    def test_a_heatmap_holds_the_summarys_numbers(self, grid, code):
        specification = embedded(grid.page(code), "grid-heatmap")
        alt.LayerChart.from_dict(specification)
        assert specification["layer"][0]["encoding"]["x"]["sort"] == ["20", "50"]
        rows = rows_of(specification)
        assert len(rows) == 2 * 4
        [experiment] = grid.told.experiments
        for row, value in zip(rows[::2], experiment.values, strict=True):
            assert row["mean"] == pytest.approx(100 * value.validation.mean, abs=1e-4)
            rate, size = value.varied.values()
            assert (row["down"], row["across"]) == (language(code).value(str(rate)), str(size))
            assert row["lost"] == (f"✕ {value.diverged}/3" if value.diverged else "")
        assert any(row["lost"] for row in rows)

    def test_one_or_three_settings_have_no_heatmap(self, own_dataset, tmp_path, pages):
        text = Made(madeup.make(small(own_dataset, self.LONG, final={}), level), tmp_path).page()
        assert 'data-specification="long-values"' in text
        assert "-heatmap" not in text + pages["en"]

    def test_no_label_is_cut(self, own_dataset, tmp_path):
        text = Made(madeup.make(small(own_dataset, self.LONG, final={}), level), tmp_path).page()
        themes = document.page_charts.themes()
        assert all(theme["legend"]["labelLimit"] == 0 for theme in themes.values())
        axis = embedded(text, "long-values")["layer"][0]["encoding"]["y"]["axis"]
        assert axis["labelLimit"] == 0
        assert "'16-16-16-16-16-16-8'" in axis["labelExpr"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0.1", ["0.1"]),
        ("0.1 · 32 · Adam", ["0.1 · 32 ·", "Adam"]),
        ("128-128-128-64", ["128-128-", "128-64"]),
        ("unbreakable1234", ["unbreakable1234"]),
        ("0.1 (2 of 3 seeds diverged)", ["0.1 (2 of", "3 seeds", "diverged)"]),
    ],
)
def test_labels_are_broken_and_not_cut(text, told):
    assert document.page_charts.lines(text, 10) == told


class TestOtherStudies:
    def test_one_seed_has_nothing_to_switch(self, own_dataset, tmp_path):
        one = {"dropout": {"vary": {"dropout": [0.0, 0.2]}}}
        study = madeup.make(small(own_dataset, one, seeds=1, final={}), level)
        specification = embedded(Made(study, tmp_path).page(), "dropout-curves")
        assert controls(specification) == ["measure"]

    def test_names_cannot_become_markup(self, own_dataset, tmp_path):
        one = {"dropout": {"vary": {"dropout": [0.0, 0.2]}}}
        claims = [
            {
                "id": "own",
                "statement": "</script><b>0.2</b> is 'better' | <i>than</i> 0.0",
                "predicate": {
                    "greater": {
                        "left": {"experiment": "dropout", "value": 0.2},
                        "right": {"experiment": "dropout", "value": 0.0},
                    }
                },
            }
        ]
        study = madeup.make(small(own_dataset, one, final={}, claims=claims), level)
        text = Made(study, tmp_path).page()
        assert "<c_d>" not in text
        assert "<b>" not in text
        assert "&lt;i&gt;than&lt;/i&gt;" in text

    def test_texts_of_files_cannot_become_markup(self, own_dataset, tmp_path):
        """Source and licence of a description; machine, versions and devices of a run."""
        markup = "<i id='raw'>text</i>\n\n# A heading\n[link](javascript:0) & more"
        description = YAML(typ="safe").load(Path(own_dataset))
        [name] = description
        description[name] |= {"source": markup, "licence": markup}
        described = tmp_path / "described.yaml"
        YAML().dump(description, described)
        one = {"dropout": {"vary": {"dropout": [0.0, 0.2]}}}
        study = madeup.make(small(str(described), one, final={}), level)
        madeup.write(study, tmp_path / "first")
        made = Made(study, tmp_path / "study")
        made.told.made_by[0] |= {
            "commit": markup,
            "versions": {"python": markup, markup: "1"},
            "machine": {"processor": markup, "cores": "2", "system": markup},
            "devices": [markup],
        }
        report = made.report("en")
        assert not re.search(r"(?<!\\)<i id|^# A heading|(?<!\\)\[link\]", report, re.M)
        text = made.page()
        assert "<i id" not in text
        assert "&lt;i id='raw'&gt;text" in text
        assert 'href="javascript' not in text

    def test_the_policy_names_every_script_and_allows_no_other(self, pages):
        for text in pages.values():
            [policy] = re.findall(r'Content-Security-Policy" content="(.*?)"', text)
            scripts = SCRIPT.findall(text)
            digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
            allowed = [f"'sha256-{base64.b64encode(each).decode()}'" for each in digests]
            directives = dict(each.strip().split(" ", 1) for each in unescape(policy).split(";"))
            assert sorted(directives["script-src"].split()) == sorted(allowed)
            assert directives["default-src"] == "'none'"

    def test_everything_diverged(self, tmp_path):
        study = madeup.make(config.load([ROOT / "config.yaml"]), level, {"lr": 5})
        for code in CODES:
            text = Made(study, tmp_path / code).page(code)
            assert 'class="chart"' not in text
            assert 'class="confusion"' not in text
            assert not re.search(r"\bnan\b|\bNaN\b|\bNone\b", plain(text))

    def test_some_seeds_diverged(self, own_dataset, tmp_path):
        one = {"rates": {"vary": {"learning_rate": [0.01, 10.0, 100.0]}}}
        study = madeup.make(small(own_dataset, one), level, {"lr10.0": 1, "lr100.0": 3})
        text = Made(study, tmp_path).page()
        rows = rows_of(embedded(text, "rates-curves"))
        assert len(rows) == 4 * 3 + 4 * 2
        assert language("en").text("page.diverged") in text
        [lost] = [row for row in embedded(text, "table-values")["rows"] if row[7] == 0]
        assert lost[2:6] == [None] * 4

    def test_values_read_off_one_run_are_drawn_once(self, default, pages):
        rows = rows_of(embedded(pages["en"], "epochs-curves"))
        assert {row["code"] for row in rows} == {0}
        assert max(row["epoch"] for row in rows) == 30


def test_what_comes_from_elsewhere_is_as_published():
    """Each file has the checksum noted beside it, a licence, and nothing that ends a script."""
    vendor = document.FILES / "vendor"
    noted = re.findall(r"^\| (\S+) \|.*\| (\w{64}) \|$", (vendor / "README.md").read_text(), re.M)
    assert {name for name, _ in noted} == {path.name for path in vendor.glob("*.min.*")}
    for name, digest in noted:
        assert sha256(vendor / name) == digest
        assert (vendor / f"{name.split('.')[0]}.LICENSE").is_file()
        assert "</script" not in (vendor / name).read_text(encoding="utf-8")


def test_charts_are_what_vega_lite_asks_for(pages):
    """Against its schema: the page is written without this check, which takes a second."""
    names = re.findall(r'data-specification="(.+?)"', pages["en"])
    assert len(names) == 2 * 6 + 1
    for name in names:
        alt.LayerChart.from_dict(embedded(pages["en"], name))


def test_the_program_writes_a_page(default, pages, monkeypatch, tmp_path):
    (tmp_path / "report.en.md").write_text(default.report("en"), encoding="utf-8")
    words = [*default.arguments[:-2], "--report", str(tmp_path / "report.en.md")]
    words += ["--language", "en", "--output", str(tmp_path / "report.en.html")]
    monkeypatch.setattr(sys, "argv", ["write_page.py", *words])
    runpy.run_path(str(ROOT / "scripts" / "write_page.py"), run_name="__main__")
    assert (tmp_path / "report.en.html").read_text("utf-8") == pages["en"]
