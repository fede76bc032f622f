"""The report of made-up studies: complete, clean, and saying what the numbers say."""

import functools
import math
import re
import runpy
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import madeup
from mnistlike import write_dataset
from study.report import appendix, document, recommendations, sentences, training_sentences
from study.report.data import collect
from study.report.words import Words
from study.results import findings, published
from study.results.findings import experiments
from study.spec import config
from study.support import markdown
from study.support.language import Language

ROOT = Path(__file__).parents[3]
CODES = ["es", "en"]

language = functools.cache(Language)


def level(settings, epoch):
    """Accuracies somewhat like the real ones: every setting matters, and more epochs help."""
    reached = 0.6 + 0.05 * math.log10(settings["learning_rate"] / 0.0001)
    reached += 0.14 * (settings["optimizer"] != "sgd") - 0.05 * settings["dropout"]
    reached += 0.01 * math.log2(sum(settings["hidden"]) / 192)
    reached -= 0.02 * math.log2(settings["batch_size"] / 100) + settings["weight_decay"]
    return min(reached + 0.0008 * epoch, 0.99)


def render(study, folder, code):
    madeup.write(study, folder)
    return document.render(collected(study, folder), language(code), "figures")


def collected(study, folder):
    tables = (study.plan, study.metrics, study.summary)
    judged = pq.read_table(folder / "claims.parquet").to_pylist()
    evaluated = folder / "final.safetensors"
    return collect(*tables, folder / "runs", folder / "data", evaluated, judged)


def reports(study, folder):
    return {code: render(study, folder / code, code) for code in CODES}


@pytest.fixture(scope="module")
def default():
    """The default study."""
    return madeup.make(config.load([ROOT / "config.yaml"]), level)


@pytest.fixture(scope="module")
def default_reports(default, tmp_path_factory):
    return reports(default, tmp_path_factory.mktemp("default"))


@pytest.fixture(scope="module")
def own_dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return str(write_dataset(folder, classes=["a|b", "c_d", "e"], train=60, test=30, side=8))


def tables(text):
    """Each table of a report as a list of rows of cells, headings first."""
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", markdown.unfolded(text), re.M):
        rows = [
            [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in block.splitlines()
        ]
        found.append([rows[0], *rows[2:]])
    return found


def section(text, heading):
    """The text under a heading, up to the next of its level or above."""
    lines = text.splitlines()
    start = lines.index(heading)
    depth = heading.count("#")
    ends = [i for i, line in enumerate(lines) if re.match(f"#{{1,{depth}}} ", line) and i > start]
    return "\n".join(lines[start + 1 : ends[0] if ends else None]) + "\n"


def check_clean(text):
    """What any Markdown parser needs to see headings, tables, lists and figures as such."""
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "\n\n\n" not in text
    assert not re.search(r"[ \t]+$", text, re.M)
    # What can be pasted into a config is YAML.
    prose = re.sub(r"`final: \{[^`]*\}`", "", text)
    assert not re.search(r"\bNone\b|\bnan\b|\binf\b|\{|\}|\\n", prose)
    lines = text.splitlines()
    kinds = [re.match(r"#+ |\||- |!\[|  ", line) for line in lines]
    kinds = [kind[0].strip("# ") or kind[0][0] if kind else "" for kind in kinds]
    for i in range(1, len(lines)):
        if kinds[i] in ("#", "|", "![") and kinds[i] != kinds[i - 1]:
            assert lines[i - 1] == "", lines[i]
        if kinds[i - 1] in ("#", "|", "![") and kinds[i] != kinds[i - 1]:
            assert lines[i] == "", lines[i - 1]
        if kinds[i] == "-" and kinds[i - 1] not in ("-", " "):
            assert lines[i - 1] == "", lines[i]
    for rows in tables(text):
        assert len({len(row) for row in rows}) == 1
        assert len(rows) > 1
        assert len(set(rows[0])) == len(rows[0])
    for block in re.findall(r"(?:^\|.*\n)+", markdown.unfolded(text), re.M):
        assert len({len(line) for line in block.splitlines()}) == 1


@pytest.mark.parametrize("code", CODES)
class TestDefault:
    def test_is_clean(self, default_reports, code):
        check_clean(default_reports[code])

    def test_contents_lead_to_every_heading(self, default_reports, code):
        text = default_reports[code]
        anchors = [anchor for depth, _, anchor in markdown.headings(text) if depth > 1]
        links = re.findall(r"^ *- \[.*\]\(#(.+)\)$", text, re.M)
        assert links == anchors[2:]

    def test_has_every_figure_with_a_message(self, default, default_reports, code):
        names = [experiment.name for experiment in default.plan.experiments]
        parts = ("curves", "confusion", "classes", "calibration", "confused", "mistakes")
        names += [*(f"final_{part}" for part in parts), "mosaic", "glance", "glance_cost"]
        pattern = rf"^!\[(.+)\]\(figures/(\w+)\.{code}\.png\)$"
        found = re.findall(pattern, default_reports[code], re.M)
        assert sorted(name for _, name in found) == sorted(names)
        assert all(re.search(r"\d", alternative) for alternative, _ in found)

    def test_has_every_value_and_number(self, default, default_reports, code):
        text, words = default_reports[code], Words(language(code))
        for number, experiment in enumerate(experiments(default.plan, default.summary), 1):
            name = words.text(
                "experiments.heading", number=number, settings=words.label(experiment)
            )
            rows, differences = tables(section(text, f"### {name}"))
            assert len(rows) == 1 + len(experiment.values)
            assert len(differences) >= len(experiment.values)
            for value, row in zip(experiment.values, rows[1:], strict=True):
                assert row[:3] == [
                    words.short(value),
                    words.with_half(value.train),
                    words.with_half(value.validation),
                ]
                assert words.points(value.validation.published) in row[3:]
                assert words.points(value.train.published) in row[3:]

    def test_only_dropout_has_the_column_of_differences(self, default_reports, code):
        heading = Words(language(code)).text("columns.gap")
        with_gap = [rows for rows in tables(default_reports[code]) if heading in rows[0]]
        assert [rows[0][0] for rows in with_gap] == ["Dropout"]

    def test_explains_each_setting(self, default_reports, code):
        words = Words(language(code))
        for key in ("learning_rate", "optimizer", "dropout", "hidden", "epochs", "batch_size"):
            part = section(default_reports[code], f"### {words.setting_title(key)}")
            for text in ("what", "intuition", "why"):
                assert words.language.text(f"settings.{key}.{text}") in part
        assert words.setting_title("momentum") not in default_reports[code]

    def test_every_published_row_is_compared(self, default_reports, code):
        words = Words(language(code))
        for part, count in (("validation", 24), ("train", 23)):
            [rows] = tables(
                section(default_reports[code], f"### {words.text(f'published.{part}')}")
            )
            assert len(rows) == 1 + count

    def test_work_saved(self, default_reports, code):
        part = section(default_reports[code], f"## {Words(language(code)).text('method.title')}")
        sentence = next(line for line in part.splitlines() if "290" in line)
        for number in (24, 15, 190):
            assert re.search(rf"\b{number}\b", sentence)
        assert re.search(r"\b950\b.*\b1[.,]450\b", sentence)

    def test_final_model_by_fifth_epoch(self, default_reports, code):
        words = Words(language(code))
        part = section(default_reports[code], f"### {words.text('final.progress')}")
        [rows] = tables(part)
        assert [row[0] for row in rows[1:]] == ["5", "10", "15", "20", "25", "30"]
        printed = [words.points(row.validation_accuracy) for row in published.load().progress]
        assert [row[-2] for row in rows[1:]] == printed

    def test_the_same_bytes_again(self, default, default_reports, code, tmp_path):
        assert render(default, tmp_path, code) == default_reports[code]


def test_spanish_has_decimal_commas(default_reports):
    """Points separate thousands at most; versions, addresses and names of runs are apart."""
    apart = r"`[^`]*`|https?://\S+|^\| (?:python|torch) .*$"
    text = re.sub(apart, "", default_reports["es"], flags=re.M)
    assert re.findall(r"\d\.\d(?!\d\d)", text) == []
    assert re.search(r"\d,\d\d\xa0±\xa0\d,\d\d", text)


def test_says_that_validation_is_on_the_test_images(default_reports):
    assert "Validation images are the official test images" in default_reports["en"]
    assert "Las imágenes de validación son las de prueba oficiales" in default_reports["es"]


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("place", range(6))
def test_a_flipped_order_changes_what_is_said(default, code, place):
    """Each experiment's best and worst value exchange their numbers in the summary alone."""
    words = Words(language(code))
    before = experiments(default.plan, default.summary)[place]
    best, worst = before.ranked[0], before.ranked[-1]
    flipped = default.swap(before.name, best.text, worst.text)
    after = experiments(flipped.plan, flipped.summary)[place]
    old = sentences.analysis_of(before, default.metrics, words)
    new = sentences.analysis_of(after, flipped.metrics, words)
    assert f"**{words.phrase(best)}**" in old[0]
    assert f"**{words.phrase(worst)}**" in new[0]
    for paragraph in set(old) & set(new):
        assert words.phrase(best) not in paragraph
        assert words.phrase(worst) not in paragraph
    assert recommendations.recommendation(before, words) != recommendations.recommendation(
        after, words
    )


def test_no_sentence_of_analysis_is_without_a_number(default):
    words = Words(language("en"))
    for experiment in experiments(default.plan, default.summary):
        for paragraph in sentences.analysis_of(experiment, default.metrics, words):
            assert re.search(r"\d", paragraph)


def small(own_dataset, experiments, **other):
    """A config on the made-up data set."""
    baseline = {"learning_rate": 0.01, "hidden": [16, 8], "batch_size": 50, "epochs": 4}
    return {
        "data": {"dataset": own_dataset},
        "seeds": 3,
        "baseline": baseline,
        "experiments": experiments,
    } | other


class TestOtherStudies:
    def test_own_experiments(self, own_dataset, tmp_path):
        """Sections, tables and figures for what the default study does not have."""
        study = madeup.make(
            small(
                own_dataset,
                {
                    "weight_decay": {"vary": {"weight_decay": [0.0, 0.0001, 0.01]}},
                    "grid": {"vary": {"learning_rate": [0.01, 0.1], "batch_size": [20, 50]}},
                    "long_or-dropped": {"vary": {"epochs": [2, 5], "dropout": [0.0, 0.5]}},
                    "switch": {
                        "vary": {"nesterov": [True, False]},
                        "with": {"momentum": 0.9, "hidden": [16, 8, 4]},
                    },
                },
            ),
            level,
        )
        for code, text in reports(study, tmp_path).items():
            check_clean(text)
            words = Words(language(code))
            for name, rows in (
                ("weight_decay", 3),
                ("grid", 4),
                ("long_or-dropped", 4),
                ("switch", 2),
            ):
                figure = f"(figures/{name}.{code}.png)"
                before = text[: text.index(figure)]
                assert len(tables(before)[-2]) == 1 + rows
            assert words.setting_title("momentum") in text
            assert words.text("final.title") not in text
            assert words.text("published.title") not in text
            assert words.text("columns.published_validation") not in text
            assert r"a\|b" in text
            assert r"c\_d" in text
            assert r"(long\_or-dropped)" in text

    @pytest.mark.parametrize("seeds", [1, 3])
    def test_why_the_final_model_was_chosen(self, own_dataset, tmp_path, seeds):
        """Weight decay that was measured with AdamW stays behind where the model has Adam."""
        settings = small(
            own_dataset,
            {
                "optimizer": {"vary": {"optimizer": ["sgd", "adam"]}},
                "decay": {"with": {"optimizer": "adamw"}, "vary": {"weight_decay": [0.0, 0.1]}},
            },
            final="best",
            seeds=seeds,
        )
        worth = {"sgd": 0.6, "adam": 0.8, "adamw": 0.7}
        study = madeup.choose(
            settings, lambda run, epoch: worth[run["optimizer"]] + run["weight_decay"] / 2
        )
        for code, text in reports(study, tmp_path).items():
            check_clean(text)
            words = Words(language(code))
            left = {"experiment": words.setting_name("weight_decay") + " (decay)"}
            left |= {"best": words.setting_phrase("weight_decay", 0.1)}
            left |= {
                "accuracy": words.percent(0.75),
                "settings": words.joined(
                    [words.setting_name("optimizer"), words.setting_name("weight_decay")]
                ),
            }
            assert words.text("final.not_taken", **left) in text
            counted = words.counted("seeds", seeds)
            leads = "clear" if seeds == 3 else "untested"
            assert words.text(f"final.leads_{leads}", seeds=counted) in text
            brief = words.text("brief.untested", seeds=counted)
            assert (brief in text) == (seeds == 1)

    def test_one_seed(self, default, tmp_path):
        settings = config.load([ROOT / "config.yaml"]) | {"seeds": 1}
        study = madeup.make(settings, level)
        for code, text in reports(study, tmp_path).items():
            check_clean(text)
            assert "\xa0±\xa0" not in text
            assert not re.search(r"\bp\xa0[=<]", text)
            words = Words(language(code))
            assert words.text("method.one_seed") in text
            assert "Hahn" not in text

    def test_diverged(self, tmp_path):
        settings = config.load([ROOT / "config.yaml"])
        settings["experiments"]["learning_rate"]["vary"]["learning_rate"] += [0.1, 100.0]
        study = madeup.make(settings, level, {"lr100": 5, "lr0.1-": 2, "512x256": 4})
        for code, text in reports(study, tmp_path).items():
            check_clean(text)
            words = Words(language(code))
            rows = next(rows for rows in tables(text) if words.text("columns.train") in rows[0])
            diverged = words.text("cells.diverged")
            assert rows[-1][1:3] == [diverged, diverged]
            assert rows[-1][-1] == words.text("cells.some_diverged", n=0, all=5, diverged=5)
            assert rows[-2][-1] == words.text("cells.some_diverged", n=3, all=5, diverged=2)
            best = next(rows for rows in tables(text) if words.text("columns.best") in rows[0])
            assert best[1][1] == words.language.value("0.01")
            assert words.text("cells.lost", n=2, all=5) in text

    def test_everything_diverged(self, tmp_path):
        settings = config.load([ROOT / "config.yaml"])
        study = madeup.make(settings, level, {"lr": 5})
        for code, text in reports(study, tmp_path).items():
            check_clean(text)
            words = Words(language(code))
            assert words.text("final.diverged", seeds=words.counted("seeds", 5)) in text

    def test_very_many_values(self, own_dataset, tmp_path):
        rates = [round(0.001 * k, 3) for k in range(1, 54)]
        study = madeup.make(
            small(own_dataset, {"rates": {"vary": {"learning_rate": rates}}}, seeds=2), level
        )
        text = render(study, tmp_path, "en")
        check_clean(text)
        rows = next(rows for rows in tables(text) if "Training (%)" in rows[0])
        assert len(rows) == 41
        assert "left out between them: 13 values" in text

    def test_one_value(self, own_dataset, tmp_path):
        one = {"dropout": {"vary": {"dropout": [0.0]}}}
        study = madeup.make(small(own_dataset, one, final={"epochs": 1}), level)
        for text in reports(study, tmp_path).values():
            check_clean(text)

    def test_ignored_settings(self, own_dataset, tmp_path):
        settings = small(own_dataset, {"optimizer": {"vary": {"optimizer": ["sgd", "adam"]}}})
        settings["baseline"]["momentum"] = 0.9
        text = render(madeup.make(settings, level), tmp_path, "en")
        assert "- Optimizer: Adam ignores momentum 0.9" in text

    def test_very_many_equals_are_counted(self, own_dataset):
        rates = {"learning_rate": [0.01 + k / 10**6 for k in range(8)]}
        study = madeup.make(small(own_dataset, {"rates": {"vary": rates}}), level)
        experiment = experiments(study.plan, study.summary)[0]
        assert "3 further values" in recommendations.recommendation(
            experiment, Words(language("en"))
        )

    def test_all_values_lost_in_one_experiment(self, own_dataset, tmp_path):
        """The rest of the study is told as ever."""
        both = {
            "batch_size": {"vary": {"batch_size": [20, 50]}},
            "rates": {"vary": {"learning_rate": [10.0, 100.0]}},
        }
        study = madeup.make(small(own_dataset, both), level, {"lr10.0": 3, "lr100.0": 3})
        for code, text in reports(study, tmp_path).items():
            check_clean(text)
            words = Words(language(code))
            both = words.text("parts.values.both")
            assert words.text("analysis.all_diverged", values=both) in text
            [best] = tables(section(text, f"## {words.text('best.title')}"))
            assert best[1][1] == "20"
            assert best[2][1] == words.text("cells.diverged")

    @pytest.mark.parametrize(
        ("final", "key"),
        [
            ({"batch_size": 20, "dropout": 0.0}, "combination_trained"),
            ({"batch_size": 20, "dropout": 0.0}, "final_follows_all.other"),
            ({"batch_size": 20, "dropout": 0.5}, "combination_untrained"),
            ({"batch_size": 20, "dropout": 0.5}, "final_follows"),
            ({"batch_size": 50, "dropout": 0.5}, "final_follows_none.other"),
            ({"batch_size": 20, "dropout": 0.0, "momentum": 0.9}, "combination_final"),
        ],
    )
    def test_best_values_together(self, own_dataset, tmp_path, final, key):
        both = {
            "batch_size": {"vary": {"batch_size": [20, 50]}},
            "dropout": {"vary": {"dropout": [0.0, 0.5]}},
        }
        settings = small(own_dataset, both, final=final)
        settings["baseline"]["dropout"] = 0.2
        text = render(madeup.make(settings, level), tmp_path, "en")
        begin = language("en").entry(f"report.conclusions.{key}").split("{")[0]
        assert begin in section(text, "## Conclusions and recommendations")

    def test_some_seeds_of_the_final_model_diverged(self, own_dataset, tmp_path):
        one = {"dropout": {"vary": {"dropout": [0.0, 0.2]}}}
        settings = small(own_dataset, one, final={"optimizer": "adam"})
        text = render(madeup.make(settings, level, {"adam": 1}), tmp_path, "en")
        check_clean(text)
        assert "Seeds that diverged and are not counted: 1 of 3." in text
        assert "of the validation images correctly after 4 epochs" in text
        assert re.search(r"classifies \d\d\.\d\d\s% \(1 of 3 seeds diverged\) of the", text)
        assert "Mean and 95 % interval over 2 seeds." in text

    def test_machines_that_differ_are_counted(self, default, tmp_path):
        madeup.write(default, tmp_path)
        path = tmp_path / "runs" / madeup.run_of(default) / "settings.json"
        path.write_text(path.read_text().replace("A processor", "Another"), encoding="utf-8")
        told = collected(default, tmp_path)
        text = document.render(told, language("en"), "figures")
        assert "A processor (14 runs); Another (1 run)" in text
        assert text.count("0123456789ab") == 1

    def test_perfect_final_model(self, own_dataset, tmp_path):
        one = {"dropout": {"vary": {"dropout": [0.0, 0.2]}}}
        study = madeup.make(small(own_dataset, one, final={}), level)
        madeup.write(study, tmp_path)
        told = collected(study, tmp_path)
        right = np.zeros_like(told.evaluation.probabilities)
        right[:, np.arange(len(told.evaluation.labels)), told.evaluation.labels] = 1
        told = replace(told, evaluation=replace(told.evaluation, probabilities=right))
        text = document.render(told, language("en"), "figures")
        check_clean(text)
        assert "every image lies on the diagonal (200)" in text


class TestProgram:
    @staticmethod
    def run(monkeypatch, arguments):
        monkeypatch.setattr(sys, "argv", ["write_report.py", *arguments])
        runpy.run_path(str(ROOT / "scripts" / "write_report.py"), run_name="__main__")

    def test_writes_each_language(self, default, default_reports, monkeypatch, tmp_path):
        self.run(monkeypatch, madeup.write(default, tmp_path))
        for code in CODES:
            assert (tmp_path / f"report.{code}.md").read_text("utf-8") == default_reports[code]

    @pytest.mark.parametrize(
        ("content", "message"), [(None, "is missing"), ("{", "is damaged"), ("{}", "is damaged")]
    )
    def test_names_a_run_without_settings(self, default, monkeypatch, tmp_path, content, message):
        arguments = madeup.write(default, tmp_path)
        path = tmp_path / "runs" / madeup.run_of(default) / "settings.json"
        path.unlink()
        if content:
            path.write_text(content)
        with pytest.raises(SystemExit) as stopped:
            self.run(monkeypatch, arguments)
        assert str(stopped.value).startswith(f"error: {path}: {message}")
        assert not list(tmp_path.glob("report.*"))


@pytest.mark.parametrize(
    ("seeds", "text"),
    [([0, 1, 2, 3], "0–3"), ([7], "7"), ([5, 0, 1, 9, 10, 11], "0, 1, 5, and 9–11")],
)
def test_seeds_in_words(seeds, text):
    assert appendix.seeds_in_words(seeds, Words(language("en"))) == text


@pytest.mark.parametrize(
    ("gain", "seeds", "key"),
    [
        (0.01, 3, "course_falling"),
        (0.0, 3, "course_level"),
        (-0.01, 3, "course_rising"),
        (-0.01, 1, "course_one_seed"),
    ],
)
@pytest.mark.parametrize("code", CODES)
def test_course_in_words(own_dataset, gain, seeds, key, code):
    one = {"dropout": {"vary": {"dropout": [0.0]}}}
    study = madeup.make(
        small(own_dataset, one, seeds=seeds), lambda settings, epoch: 0.8 + gain * epoch
    )
    [experiment] = experiments(study.plan, study.summary)
    words = Words(language(code))
    course = findings.course(experiment.best, study.metrics)
    expected = words.text(
        f"analysis.{key}",
        value="X",
        epoch=course.lowest_epoch,
        epochs=4,
        lowest=words.nats(course.lowest),
        last=words.nats(course.last),
        gained=words.signed(course.gained),
    )
    assert training_sentences.course_in_words(course, "X", words) == expected


@pytest.mark.parametrize("code", ["es", "en"])
def test_no_line_is_broken_within_a_number_and_its_interval(default_reports, code):
    """In any width: `68.82 ± 0.73`, `p = 0.012` and both ends of an interval stay together."""
    text = default_reports[code]
    assert len(re.findall(r"\d\xa0±\xa0\d", text)) > 50
    assert re.findall(r"\d[ \n]±|±[ \n]\d|\bp[ \n]=|=[ \n]\d", text) == []
    assert re.findall(r"\([−+]?\d[\d.,]*[ \n](?:to|a)[ \n]", text) == []
