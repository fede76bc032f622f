"""The study at a glance: every experiment's effect on one axis."""

import itertools
import re

import numpy as np
import pytest
from PIL import Image

import madeup
from madeup_pages import level, small
from mnistlike import write_dataset
from study.figures import glance
from study.results import findings
from study.support.language import Language

pytestmark = pytest.mark.filterwarnings("error")

RATES = {"learning_rate": {"vary": {"learning_rate": [0.0001, 0.01, 0.1]}}}
EXPERIMENTS = {
    "dropout": {"vary": {"dropout": [0.0, 0.2]}},
    **RATES,
    "grid": {"vary": {"learning_rate": [0.001, 0.01], "batch_size": [32, 64]}},
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return str(write_dataset(folder, classes=["one", "two"], train=60, test=30, side=8))


def seen(study):
    return glance.collect(study.plan, findings.experiments(study.plan, study.summary))


def drawn(study, folder, code="en", **language):
    glance.draw(seen(study), Language(code, **language), folder)
    svg = (folder / f"glance.{code}.svg").read_text(encoding="utf-8")
    return re.findall("<!-- (.*?) -->", svg)


def test_experiments_come_by_effect_and_values_in_their_order(dataset):
    found = seen(madeup.make(small(dataset, EXPERIMENTS), level))
    effects = [group.effect for group in found.groups]
    assert effects == sorted(effects, reverse=True)
    assert [group.experiment.name for group in found.groups][-1] == "dropout"
    for group in found.groups:
        assert group.values == group.experiment.values
        assert group.effect == findings.spread(group.experiment).size


@pytest.mark.parametrize("code", ["en", "es"])
def test_every_number_is_that_of_the_summary(dataset, tmp_path, code):
    study = madeup.make(small(dataset, EXPERIMENTS), level)
    shown = drawn(study, tmp_path, code)
    write = Language(code).number
    for mean in study.summary["validation_accuracy_mean"]:
        assert write(100 * mean, 2) in shown
    apart = findings.scatter(findings.experiments(study.plan, study.summary)).apart
    assert any(write(100 * apart, 2) in text for text in shown)
    foreign = r"\d\.\d" if code == "es" else r"\d,\d"
    assert not [text for text in shown if re.search(foreign, text)]
    with Image.open(tmp_path / f"glance.{code}.png") as image:
        assert image.width == glance.WIDTH * 150


def test_of_many_values_the_best_the_worst_and_the_baseline_are_shown(dataset, tmp_path):
    many = {"many": {"vary": {"dropout": [i / 50 for i in range(45)]}}}
    config = small(dataset, many | RATES)
    config["baseline"]["dropout"] = 0.2
    study = madeup.make(config, level)
    [rates, group] = sorted(seen(study).groups, key=lambda each: len(each.experiment.values))
    assert rates.left_out == 0
    assert [value.varied["dropout"] for value in group.values] == [0.0, 0.2, 0.88]
    assert group.left_out == 42
    assert Language("en").text("figures.glance.left_out", n="42") in drawn(study, tmp_path)


def test_of_many_experiments_the_largest_effects_are_shown(dataset, tmp_path):
    many = {
        f"e{first}-{second}": {"vary": {"learning_rate": [10.0**-first, 10.0**-second]}}
        for first, second in itertools.combinations(range(7), 2)
    }
    study = madeup.make(small(dataset, many), level)
    found = seen(study)
    assert sum(group.rows for group in found.groups) <= glance.MOST_ROWS
    assert found.left_out == len(many) - len(found.groups)
    least = min(group.effect for group in found.groups)
    effects = [
        findings.spread(each).size for each in findings.experiments(study.plan, study.summary)
    ]
    assert sum(effect > least + 1e-12 for effect in effects) <= len(found.groups)
    left_out = str(found.left_out)
    assert any(text.endswith(f"{left_out}.") for text in drawn(study, tmp_path))


def test_what_learned_nothing_does_not_press_the_others_together(dataset, tmp_path):
    def chance(settings, epoch):
        return 0.1 if settings["learning_rate"] == 0.1 else 0.9 + settings["dropout"] / 50

    study = madeup.make(small(dataset, {**EXPERIMENTS}), chance)
    low, high = glance.limits(seen(study).scores)
    assert 0.8 < low < 0.9 < high
    assert "10.00" in drawn(study, tmp_path)


def test_equal_scores_keep_an_axis():
    equal = np.array([0.1, 0.9, 0.9 + 1e-16, 0.9, np.nan])
    for scores, low in ((equal, 0.1), (equal[1:], 0.89)):
        found, high = glance.limits(scores)
        assert low - 0.06 < found < low + 0.01
        assert high > 0.9
    assert glance.limits(equal, 0.01)[0] == pytest.approx(0.86, abs=0.01)


@pytest.mark.parametrize(("lost", "told"), [(1, "×1/3"), (3, "×3/3")])
def test_seeds_that_diverged_are_counted(dataset, tmp_path, lost, told):
    study = madeup.make(small(dataset, RATES), level, {"lr0.1-": lost})
    assert any(text.endswith(told) for text in drawn(study, tmp_path))


def test_where_all_diverged_something_is_drawn(dataset, tmp_path):
    study = madeup.make(small(dataset, RATES), level, {"lr": 3})
    assert drawn(study, tmp_path).count("×3/3") == 3


def test_one_seed_has_neither_intervals_nor_noise(dataset, tmp_path):
    study = madeup.make(small(dataset, RATES, seeds=1), level)
    text = " ".join(drawn(study, tmp_path))
    assert Language("en").text("figures.glance.one_seed")[:20] in text
    assert "interval" not in text
    assert "Shaded" not in text


def test_the_same_study_gives_the_same_bytes(dataset, tmp_path):
    study = madeup.make(small(dataset, RATES), level)
    for folder in ("one", "two"):
        drawn(study, tmp_path / folder)
    for name in ("glance.en.png", "glance.en.svg"):
        first, second = ((tmp_path / folder / name).read_bytes() for folder in ("one", "two"))
        assert first == second
