"""What values cost, and the cheapest that is not clearly worse than the best."""

import math

import pytest

import madeup
from madeup_pages import small
from mnistlike import write_dataset
from study.results import findings
from study.results.costs import costs

LENGTHS = {"length": {"vary": {"epochs": [2, 4, 8, 16]}}}
RATES = {"rate": {"vary": {"learning_rate": [0.01, 0.1], "epochs": [2, 8]}}}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return str(write_dataset(folder, classes=["one", "two"], train=60, test=30, side=8))


def found(dataset, experiments, level, devices=("cpu",), **others):
    diverged = others.pop("diverged", None)
    study = madeup.make(small(dataset, experiments, **others), level, diverged)
    results = findings.experiments(study.plan, study.summary, study.metrics)
    return costs(results, study.metrics, devices)


def saturating(settings, epoch):
    """No better after the eighth epoch than after the fourth."""
    return {2: 0.7, 4: 0.8}.get(epoch, 0.8001)


def test_costs_are_seconds_of_training_a_seed(dataset):
    told = found(dataset, LENGTHS, saturating)
    assert told.in_seconds
    assert {each.value.epochs: each.cost for each in told.values} == {
        epochs: pytest.approx(0.25 * epochs) for epochs in (2, 4, 8, 16)
    }


def test_on_several_kinds_of_devices_costs_are_epochs(dataset):
    told = found(dataset, LENGTHS, saturating, devices=["cpu", "cuda"])
    assert not told.in_seconds
    assert {each.cost for each in told.values} == {2, 4, 8, 16}


def test_the_cheapest_that_is_not_clearly_worse(dataset):
    told = found(dataset, LENGTHS, saturating, seeds=5)
    cheapest, p = told.cheapest
    assert told.best.value.epochs in (8, 16)
    assert cheapest.value.epochs == 4
    assert p >= 0.05


def test_where_everything_cheaper_is_clearly_worse_the_best_is_the_cheapest(dataset):
    told = found(dataset, LENGTHS, lambda settings, epoch: 0.5 + 0.02 * epoch, seeds=5)
    cheapest, p = told.cheapest
    assert cheapest is told.best
    assert math.isnan(p)
    assert told.is_tested


def test_the_front_has_what_no_cheaper_value_reaches(dataset):
    def level(settings, epoch):
        return 0.5 + 0.02 * epoch + 2 * settings["learning_rate"]

    told = found(dataset, RATES, level)
    front = [(each.value.varied["learning_rate"], each.value.epochs) for each in told.front]
    assert front == [(0.1, 2), (0.1, 8)]


def test_values_that_lost_seeds_are_neither_best_nor_cheapest(dataset):
    told = found(dataset, RATES, lambda settings, epoch: 0.8, diverged={"lr0.01-": 1}, seeds=5)
    assert told.best.value.varied["learning_rate"] == 0.1
    assert {each.value.varied["learning_rate"] for each in told.contenders} == {0.1}


def test_one_seed_leaves_nothing_to_test(dataset):
    told = found(dataset, LENGTHS, saturating, seeds=1)
    assert not told.is_tested
    assert told.cheapest[0] is told.best


def test_where_all_diverged_there_are_no_costs(dataset):
    assert found(dataset, RATES, saturating, diverged={"lr": 3}) is None
