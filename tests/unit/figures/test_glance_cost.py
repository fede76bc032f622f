"""What accuracy costs, drawn."""

import re

import pytest

import madeup
from madeup_pages import level, small
from mnistlike import write_dataset
from study.data import datasets
from study.figures import glance_cost
from study.results import findings
from study.results.costs import costs
from study.support.language import Language

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return str(write_dataset(folder, classes=["one", "two"], train=60, test=30, side=8))


def drawn(dataset, folder, experiments, code="en", diverged=None, devices=("cpu",)):
    study = madeup.make(small(dataset, experiments), level, diverged)
    madeup.write(study, folder)
    results = findings.experiments(study.plan, study.summary, study.metrics)
    found = costs(results, study.metrics, devices)
    data = datasets.describe(study.plan.dataset).load(folder / "data")
    told = glance_cost.collect(study.plan, found, data, 0.005) if found else None
    glance_cost.draw(told, Language(code), folder)
    svg = (folder / f"glance_cost.{code}.svg").read_text(encoding="utf-8")
    return told, re.findall("<!-- (.*?) -->", svg)


@pytest.mark.parametrize("code", ["en", "es"])
def test_networks_of_other_sizes_are_drawn_over_their_parameters(dataset, tmp_path, code):
    vary = {"hidden": {"vary": {"hidden": [[4], [16, 8]]}}}
    told, texts = drawn(dataset, tmp_path, vary, code)
    assert sorted(told.parameters.values()) == [
        64 * 4 + 4 + 4 * 2 + 2,
        64 * 16 + 16 + 16 * 8 + 8 + 8 * 2 + 2,
    ]
    text = Language(code).text
    assert text("figures.cost.parameters") in texts
    assert text("figures.cost.seconds") in texts
    assert text("figures.cost.title") in texts


def test_networks_of_one_size_have_one_panel(dataset, tmp_path):
    _, texts = drawn(dataset, tmp_path, {"epochs": {"vary": {"epochs": [1, 4, 40]}}})
    assert Language("en").text("figures.cost.parameters") not in texts
    assert any(re.match(r"\d  Epochs 40: \d", text) for text in texts)


def test_on_several_kinds_of_devices_it_is_drawn_over_epochs(dataset, tmp_path):
    vary = {"epochs": {"vary": {"epochs": [1, 4]}}}
    _, texts = drawn(dataset, tmp_path, vary, devices=["cpu", "cuda"])
    assert Language("en").text("figures.cost.epochs") in texts


def test_where_all_diverged_it_says_so(dataset, tmp_path):
    vary = {"rates": {"vary": {"learning_rate": [0.01, 0.1]}}}
    told, texts = drawn(dataset, tmp_path, vary, diverged={"lr": 3})
    assert told is None
    assert Language("en").text("figures.cost.nothing") in texts
