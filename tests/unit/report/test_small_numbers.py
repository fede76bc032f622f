"""What reports say of few images, few seeds, ties and rare classes: no number misleads.

Sentences are tested with one, two, all and none, in every language.
"""

import functools
import re

import numpy as np
import pytest
from test_report import check_clean, collected, section, small, tables

import madeup
from mnistlike import idx_bytes, write_dataset
from one_experiment import drawn
from study.data import datasets
from study.report import document, sentences
from study.report.words import Words
from study.results.experiments import experiments
from study.support.language import Language, available

CODES = available()
CLASSES = ["a", "b", "c", "d"]

language = functools.cache(Language)
each_language = pytest.mark.parametrize("code", CODES)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return str(write_dataset(folder, classes=CLASSES, train=60, test=30, side=8))


def told(study, folder, code, **labels):
    """The report; `labels` of a part stand in place of those of equally frequent classes."""
    madeup.write(study, folder)
    described = datasets.describe(study.plan.dataset)
    for part, given in labels.items():
        path = folder / "data" / described.files[f"{part}_labels"].name
        path.write_bytes(idx_bytes(np.asarray(given, np.uint8)))
    text = document.render(collected(study, folder), language(code), "figures")
    check_clean(text)
    return text


def flat(text):
    return re.sub(r"\s+", " ", text)


RATES = {"rates": {"vary": {"learning_rate": [0.001, 1.0]}}}


def wild_is_best(settings, epoch):
    return 0.9 if settings["learning_rate"] == 1.0 else 0.7


class TestDiverged:
    """Entry 1: the survivors' mean was best, and the summaries were silent."""

    @each_language
    def test_every_summary_takes_the_value_that_lost_nothing(self, dataset, tmp_path, code):
        study = madeup.make(small(dataset, RATES), wild_is_best, {"lr1.0-": 1})
        words = Words(language(code))
        text = told(study, tmp_path, code)
        whole = words.setting_phrase("learning_rate", 0.001)
        lost = words.text("cells.lost", n=1, all=3)
        brief = section(text, f"## {words.text('brief.title')}")
        assert whole in brief
        assert words.setting_phrase("learning_rate", 1.0) not in brief
        [best] = tables(section(text, f"## {words.text('best.title')}"))
        assert best[1][1] == words.value_name("learning_rate", 0.001)
        named = re.findall(rf"{re.escape(words.setting_phrase('learning_rate', 1.0))}[^.;]*", text)
        assert lost in text
        assert named

    @each_language
    def test_where_all_lose_seeds_each_summary_says_so(self, dataset, tmp_path, code):
        study = madeup.make(small(dataset, RATES), wild_is_best, {"lr": 1})
        words = Words(language(code))
        text = told(study, tmp_path, code)
        named = (
            words.setting_phrase("learning_rate", 1.0) + " " + words.text("cells.lost", n=1, all=3)
        )
        for title in ("brief.title", "experiments.title"):
            assert named in section(text, f"## {words.text(title)}")

    @each_language
    def test_where_nothing_can_be_chosen_the_report_says_why(self, dataset, tmp_path, code):
        config = small(dataset, RATES, final="best")
        study = madeup.choose(config, wild_is_best, {"lr": 3})
        assert study.plan.final is None
        text = told(study, tmp_path, code)
        words = Words(language(code))
        assert words.text("brief.final_unchosen", count=2) in text
        assert f"## {words.text('final.title')}" not in text


class TestClasses:
    @each_language
    def test_one_that_never_occurs_has_dashes_and_is_not_the_worst(self, dataset, tmp_path, code):
        """Entry 2: 'the worst, with 0.00 %'."""
        study = madeup.make(small(dataset, RATES, final={"epochs": 2}), lambda settings, epoch: 0.7)
        labels = {
            "train": np.arange(600) % 3,
            "test": np.arange(200) % 3,
        }
        text, words = told(study, tmp_path, code, **labels), Words(language(code))
        method = section(text, f"## {words.text('method.title')}")
        for part in ("train", "test"):
            assert words.text(f"method.without.{part}", classes="d") in method
        classes = section(text, f"### {words.text('tested.classes')}")
        [scores] = tables(classes)
        assert scores[4] == ["d", *[words.text("cells.none")] * 3]
        about = classes.strip().splitlines()[0]
        assert not re.search(r"\bd\b", about)

    @each_language
    @pytest.mark.parametrize(("rare", "warns"), [(4, True), (100, False)])
    def test_the_share_of_the_most_frequent_stands_beside_accuracy(
        self, tmp_path, tmp_path_factory, code, rare, warns
    ):
        """Entry 6: 98 % of accuracy with 2 % of positives."""
        folder = tmp_path_factory.mktemp("two")
        two = str(write_dataset(folder, classes=["no", "yes"], train=60, test=30, side=8))
        study = madeup.make(small(two, RATES, final={"epochs": 2}), lambda settings, epoch: 0.98)
        labels = (np.arange(200) < rare).astype(int)
        text, words = told(study, tmp_path, code, test=labels), Words(language(code))
        share = words.percent(0.98 if warns else 0.5)
        assert share in section(text, f"## {words.text('method.title')}")
        warning = words.text("brief.unbalanced", classes="no", share=share)
        assert (warning in text) == warns
        note = words.text("experiments.unbalanced", classes="no", share=share)
        assert (note in text) == warns
        tested = words.text("tested.unbalanced", classes="no", share=share)
        assert (tested in text) == warns
        averages = language(code).entry("report.tested.averages").split("{")[0]
        assert (f"{tested} {averages}" in text) == warns
        result = section(text, f"### {words.text('final.result')}")
        assert (note in result) == warns

    @each_language
    def test_the_share_stands_beside_the_accuracies_of_both_protocols(
        self, tmp_path, tmp_path_factory, code
    ):
        folder = tmp_path_factory.mktemp("two")
        two = str(write_dataset(folder, classes=["no", "yes"], train=60, test=30, side=8))
        data = {"dataset": two, "validation": {"from": "train", "size": 20}}
        config = small(two, RATES, final={"epochs": 2}, data=data)
        study = madeup.make(config, lambda settings, epoch: 0.98)
        labels = (np.arange(200) < 4).astype(int)
        text, words = told(study, tmp_path, code, test=labels), Words(language(code))
        share = words.text("tested.unbalanced", classes="no", share=words.percent(0.98))
        assert share in section(text, f"### {words.text('protocols.title')}")


class TestFewImages:
    @each_language
    def test_without_spread_there_is_no_test_and_no_interval(self, dataset, tmp_path, code):
        """Entry 3: 100.00 ± 0.00 against 80.00 ± 0.00, p = 1.000."""
        experiment = drawn([[1.0, 1.0], [0.8, 0.8]])
        words = Words(language(code))
        paragraph = sentences.compared(experiment, words, images=5)[0]
        assert words.text("analysis.one_image", points=words.number(20, 2)) in paragraph
        assert "±" not in paragraph
        assert not re.search(r"\bp [=<]", paragraph)
        assert words.with_half(experiment.best.validation) == words.number(100, 2)
        assert experiment.family == 0

    @each_language
    def test_what_one_image_is_worth_is_said(self, dataset, tmp_path, code):
        study = madeup.make(small(dataset, RATES), wild_is_best)
        words = Words(language(code))
        method = section(told(study, tmp_path, code), f"## {words.text('method.title')}")
        assert words.number(0.5, 2) in method

    @each_language
    def test_no_interval_goes_beyond_what_is_possible(self, code):
        """Entry 4: '105.29 %', '33.33 ± 143.42', '102.29 points remain possible'."""
        samples = [[0.2, 0.6], [0.95, 1.0], [0.3, 0.9]]
        experiment, words = drawn(samples), Words(language(code))
        cells = [words.with_half(value.validation) for value in experiment.values]
        paragraphs = [*cells, *sentences.compared(experiment, words)]
        for text in paragraphs:
            for number in re.findall(r"\d+[.,]\d\d", text):
                assert float(number.replace(",", ".")) <= 100, text
        assert cells[0] == words.text(
            "cells.ends", mean=words.points(0.4), low=words.points(0), high=words.points(1)
        )


class TestFinalBehind:
    """Entry 5: 82.80 % after 84.23 % had been measured, and not a word of it in the conclusions."""

    EXPERIMENTS = {
        "batch_size": {"vary": {"batch_size": [20, 50]}},
        "dropout": {"vary": {"dropout": [0.0, 0.5]}},
    }

    @staticmethod
    def level(settings, epoch):
        """Each of two changes is better than none, and both together are worse."""
        small_batch, dropped = settings["batch_size"] == 20, settings["dropout"] == 0.5
        return 0.80 + 0.04 * (small_batch != dropped) - 0.02 * (small_batch and dropped)

    @each_language
    def test_the_conclusions_say_so_first_and_how_to_take_it(self, dataset, tmp_path, code):
        config = small(dataset, self.EXPERIMENTS, final="best")
        study = madeup.choose(config, self.level)
        assert study.plan.final.settings["dropout"] == 0.5
        words, text = Words(language(code)), told(study, tmp_path, code)
        conclusions = section(text, f"## {words.text('conclusions.title')}").strip()
        start = language(code).entry("report.conclusions.final_behind_clear").split("{")[0]
        assert conclusions.startswith(start.strip())
        assert words.points(0.06) in conclusions.split("\n\n")[0]
        pasted = re.search(r"`final: \{(.*?)\}`", conclusions)[1]
        assert pasted in ("batch_size: 20", "dropout: 0.5")
        assert words.points(0.06) in section(text, f"## {words.text('brief.title')}")

    def test_nothing_is_said_of_one_that_is_ahead(self, dataset, tmp_path):
        config = small(dataset, self.EXPERIMENTS, final={"batch_size": 20})
        text = told(madeup.make(config, self.level), tmp_path, "en")
        assert "than a value that was measured" not in text


class TestWords:
    """Entry 19: '6 of these 6', 'the 1 most frequent', ties told as order, p 0.000."""

    @each_language
    @pytest.mark.parametrize("what", ["values", "experiments", "seeds"])
    def test_parts(self, code, what):
        words = Words(language(code))
        found = [words.part(what, *each) for each in ((1, 1), (2, 2), (6, 6), (0, 6), (1, 6))]
        assert len(set(found)) == 5
        assert all("1" not in text and "2" not in text for text in found[:2])
        assert found[2].count("6") == 1
        assert all(text.count("6") == 1 for text in found[3:])

    @each_language
    @pytest.mark.parametrize(
        "what", ["values", "seeds", "epochs", "trainings", "images", "further"]
    )
    def test_one_is_no_plural(self, code, what):
        words = Words(language(code))
        one, two = words.counted(what, 1), words.counted(what, 2)
        assert one.replace("1", "2") != two

    @each_language
    @pytest.mark.parametrize("tied", [2, 3])
    def test_ties_are_no_order(self, code, tied):
        words = Words(language(code))
        experiment = drawn([[0.7, 0.8]] * tied + [[0.5, 0.52]])
        best = sentences.compared(experiment, words)[0]
        named = words.joined(
            [f"**{words.phrase(experiment.values[0])}**"]
            + [words.phrase(value) for value in experiment.values[1:tied]]
        )
        accuracy = words.percent(0.75)
        assert best == words.text("analysis.best_level", accuracy=accuracy, values=named)

    @each_language
    def test_equal_effects_are_no_order(self, dataset, tmp_path, code):
        both = {
            "batch_size": {"vary": {"batch_size": [20, 50]}},
            "dropout": {"vary": {"dropout": [0.0, 0.5]}},
        }
        study = madeup.make(small(dataset, both), TestFinalBehind.level)
        text, words = told(study, tmp_path, code), Words(language(code))
        assert words.text("brief.effects_equal", count=2, size=words.points(0.04)) in text
        clear = words.text("brief.clear", experiments=words.text("parts.experiments.both"))
        assert clear in text

    @each_language
    @pytest.mark.parametrize(
        ("gap", "key"),
        [
            ([0.1, 0.11, 0.12], "gap"),
            ([0.0, 0.3, 0.15], "gap_open"),
            ([-0.1, -0.11, -0.12], "no_gap"),
        ],
    )
    def test_overfitting_is_told_as_far_as_it_is_known(self, dataset, code, gap, key):
        """'No overfitting shows' was said of 14.93 ± 15.14 points."""
        one = {"dropout": {"vary": {"dropout": [0.0]}}}
        study = madeup.make(small(dataset, one), lambda settings, epoch: 0.6)
        metrics = study.metrics.copy()
        metrics["train_eval_accuracy"] = (
            metrics["validation_accuracy"] + np.array(gap)[metrics["seed"]]
        )
        [experiment] = experiments(study.plan, study.summary)
        words = Words(language(code))
        paragraphs = flat(" ".join(sentences.analysis_of(experiment, metrics, words)))
        start = language(code).entry(f"report.analysis.{key}").split("{")[0]
        assert flat(start) in paragraphs

    @each_language
    def test_p_is_never_zero_nor_on_the_other_side_of_the_level(self, code):
        words = Words(language(code))
        assert words.p_alone(0.0) == f"<\xa0{words.number(0.001, 3)}"
        assert words.p_alone(0.0496) == words.number(0.0496, 4)
        assert words.p_alone(0.0504) == words.number(0.05, 3)
        assert words.p_alone(float("nan")) == words.text("cells.none")

    @each_language
    def test_a_loss_on_its_way_out_is_written(self, code):
        words = Words(language(code))
        assert re.fullmatch(r"3[.,]4e38", words.nats(3.4e38))

    @each_language
    def test_minus_is_no_hyphen_and_zero_has_none(self, code):
        words = Words(language(code))
        assert words.number(-0.25, 2)[0] == "−"
        assert words.signed(-0.0025)[0] == "−"
        assert words.signed(-1e-9) == words.signed(1e-9) == words.number(0, 2)
        assert words.nats(-0.5)[0] == "−"


class TestOneSeedAndMore:
    """The study has one seed, and an experiment adds others: what these tell is not left out."""

    ADDING = {
        "rates": {
            "vary": {"learning_rate": [0.001, 0.01, 1.0]},
            "seeds": {"start": 5, "most": 5},
        },
        "dropout": {"vary": {"dropout": [0.0, 0.5]}},
    }

    CLAIM = {
        "id": "rate",
        "statement": {"en": "A low rate is better.", "es": "Una tasa baja es mejor."},
        "predicate": {
            "greater": {
                "left": {"experiment": "rates", "value": "0.001"},
                "right": {"experiment": "rates", "value": "1.0"},
            }
        },
    }

    @each_language
    def test_no_part_says_that_there_is_one_seed_alone(self, dataset, tmp_path, code):
        about = {"claims": [self.CLAIM], "report": {"languages": CODES}}
        settings = small(dataset, self.ADDING, seeds=1, final="best", **about)
        study = madeup.choose(settings, lambda chosen, _: 0.9 - 0.1 * chosen["learning_rate"])
        text, words = flat(told(study, tmp_path, code)), Words(language(code))

        def says(key, **about):
            return flat(words.text(key, **about)) in text

        assert not says("claims.one_seed")
        assert not says("method.one_seed")
        assert says("claims.tests", level=words.level())
        asked = {"count": 1, "holds": 1, "fails": 0, "open": 0}
        assert says("claims.counts_own", seeds=words.seeds(1, 5), **asked)
        assert says("final.leads_open", seeds=words.seeds(1, 5))
        assert "Welch: The Generalization" in text
        assert says("appendix.seeds", seeds="0–4")
        assert says("experiments.by_need.even", seeds=words.counted("seeds", 5))
