"""The report's part on claims says what became of them, in both languages, with the numbers."""

import functools
import re

import pytest

import madeup
from study.data import datasets
from study.report.claims import Claims
from study.report.data import ReportData
from study.report.words import Words
from study.results import experiments, published
from study.spec import config, schemas
from study.support.language import Language

DEFAULT = schemas.SCHEMAS.parents[1] / "config.yaml"
CODES = ["es", "en"]

BEST_DROPOUT = {"es": "El mejor dropout es 0,2.", "en": "The best dropout is 0.2."}

language = functools.cache(Language)


def level(settings, epoch):
    """Dropout costs accuracy, small batches and Adam gain it, and the final model is the best."""
    gained = 0.1 * (settings["optimizer"] == "adam") - 0.1 * settings["dropout"]
    return 0.6 + gained + 0.001 * (100 - settings["batch_size"]) + 0.002 * epoch


def parts(study):
    """The part of a made-up study's report by language; it needs nothing else of the report."""
    told = ReportData(
        plan=study.plan,
        data=datasets.describe(study.plan.dataset).load("nowhere"),
        shapes={},
        class_counts={},
        experiments=experiments.experiments(study.plan, study.summary),
        final=experiments.final(study.plan, study.summary),
        evaluation=None,
        held_out=None,
        beside=None,
        metrics=study.metrics,
        made_by=[],
        claims=madeup.judged(study).to_pylist(),
    )
    return {code: Claims(told, Words(language(code)), "figures") for code in CODES}


def made(**changes):
    return madeup.make(config.load([DEFAULT]) | changes, level)


@pytest.fixture(scope="module")
def default():
    return made()


@pytest.fixture(scope="module")
def told(default):
    return parts(default)


@pytest.fixture(scope="module")
def rows(told):
    return told["en"].study.claims


@pytest.fixture(scope="module")
def flipped(default):
    """Dropout 0.2 and 0.0 exchange their numbers in the summary alone."""
    return parts(default.swap("dropout", "0.2", "0.0"))


@pytest.mark.parametrize("code", CODES)
class TestDefault:
    def test_lists_the_claims_that_do_not_hold_and_no_others(self, told, rows, code):
        failing = [row[f"statement_{code}"] for row in rows if row["verdict"] == "fails"]
        listed = told[code].failing()
        assert len(listed) == len(failing) > 5
        for statement, item in zip(failing, listed, strict=True):
            assert item.startswith(f"**{statement}** ")
            assert re.search(r"\(\d+,?\d* |\(\d+[,.]\d+\xa0±\xa0", item)

    def test_counts_every_verdict(self, told, rows, code):
        _, _, counts, by_its_own = told[code].about()
        found = [sum(row["verdict"] == key for row in rows) for key in ("holds", "fails", "open")]
        told = list(map(int, re.findall(r": (\d+)", counts)))
        assert told == [len(rows), *found]
        printed = [row for row in rows if row["published_verdict"]]
        contradicted = sum(row["published_verdict"] == "fails" for row in printed)
        assert list(map(int, re.findall(r"\d+", by_its_own)))[:2] == [len(printed), contradicted]

    def test_has_a_row_for_each_claim_under_its_section(self, told, rows, code):
        words = Words(language(code))
        tables = dict(told[code].tables())
        names = published.load().sections.get(code, {})
        sections = [names.get(row["section"], row["section"]) for row in rows]
        assert list(tables) == list(dict.fromkeys(sections))
        assert {"en": "Main findings", "es": "Hallazgos Principales"}[code] in tables
        for row, section in zip(rows, sections, strict=True):
            [line] = [
                line
                for line in tables[section].splitlines()
                if line.startswith(f"| {row[f'statement_{code}']} ")
            ]
            verdict = words.text(f"claims.verdicts.{row['verdict']}")
            assert f"| {verdict} " in line

    def test_tells_the_numbers_of_the_comparison_that_decides(self, told, default, code):
        words = Words(language(code))
        [item] = [item for item in told[code].failing() if BEST_DROPOUT[code] in item]
        [dropout] = [
            each
            for each in experiments.experiments(default.plan, default.summary)
            if each.name == "dropout"
        ]
        values = {value.text: value for value in dropout.values}
        for text in ("0.2", "0.0"):
            number = words.with_half(values[text].validation)
            assert f"{words.phrase(values[text])} ({number})" in item
        assert words.p(dropout.p_between(values["0.2"], values["0.0"])) in item
        assert item.endswith(words.text("claims.printed_fails"))

    def test_a_flipped_order_changes_what_is_listed(self, told, flipped, code):
        statement = BEST_DROPOUT[code]
        before, after = told[code].failing(), flipped[code].failing()
        assert any(statement in item for item in before)
        assert not any(statement in item for item in after)


def test_spanish_writes_numbers_with_commas(told):
    spanish = told["es"]
    text = "\n".join([*spanish.about(), *spanish.failing(), *map(str, spanish.tables())])
    assert not re.search(r"\d\.\d", text.replace("128-64", ""))


OWN = {
    "id": "mine",
    "statement": "Dropout | *helps*.",
    "predicate": {
        "any": [
            {"highest": {"experiment": "dropout", "value": 0.4, "measure": "train_loss"}},
            {
                "greater": {
                    "left": {"experiment": "final", "epoch": 5, "measure": "seconds"},
                    "right": 0.1,
                    "by": 0.05,
                }
            },
        ]
    },
}


@pytest.mark.parametrize("code", CODES)
def test_ones_own_claims_have_a_table_of_their_own(code):
    told = parts(made(claims=[OWN]))[code]
    _, row = told.own().splitlines()[1:]
    assert row.startswith(r"| Dropout \| \*helps\*. |")
    assert row.count("|") == 5
    counts = list(told.about())[3]
    assert re.findall(r": (\d+)", counts)[0] == "1"


def test_measures_and_epochs_are_named_and_numbers_have_their_unit():
    study = made(
        claims=[
            OWN | {"predicate": form, "id": str(i)}
            for i, form in enumerate(
                [
                    {
                        "greater": {
                            "left": {
                                "experiment": "dropout",
                                "value": 0.4,
                                "measure": "train_loss",
                            },
                            "right": {
                                "experiment": "dropout",
                                "value": 0.0,
                                "measure": "train_loss",
                            },
                            "by": 0.02,
                        }
                    },
                    {
                        "greater": {
                            "left": {"experiment": "final", "epoch": 5},
                            "right": {"experiment": "final", "measure": "train_accuracy"},
                        }
                    },
                ]
            )
        ]
    )
    first, second = parts(study)["en"].own().splitlines()[2:]
    assert re.search(
        r"training loss: dropout 0\.4 \(0\.\d{3}\xa0±\xa00\.\d{3}\) against dropout", first
    )
    assert "margin +0.020, p\xa0<\xa00.001" in first
    assert re.search(r"final model, epoch 5, validation \(\d\d\.\d\d\xa0±\xa0", second)
    assert re.search(r"against final model, training \(\d\d\.\d\d\xa0±\xa0", second)


def test_one_seed_cannot_tell():
    told = parts(made(seeds=1))["en"]
    assert told.failing() == []
    assert "it cannot be told with 1 seed" in list(told.about())[2]


def test_a_study_without_claims_has_none_to_tell():
    other = {
        "experiments": {"mine": {"vary": {"dropout": [0.0, 0.3]}}},
        "data": {"dataset": "FashionMNIST"},
    }
    told = parts(madeup.make(other, level))["en"]
    assert told.study.claims == []
    assert list(told.tables()) == []
    assert told.own() == ""
