"""What every search does, however it chooses."""

from copy import deepcopy
from dataclasses import replace

import pandas as pd
import pytest

from madeup import record
from study.data import datasets
from study.search.base import Request
from study.search.best_of_each import BestOfEach
from study.search.by_need import SeedsByNeed
from study.search.listed_values import ListedValues
from study.search.sampled import Sampled
from study.spec.config import validated
from study.spec.plan import Plan, Run, run_name
from study.spec.resolution import resolve
from study.spec.settings import identity

CONFIG = {
    "data": {"validation": {"from": "train", "size": 10_000}},
    "baseline": {"dropout": 0.2, "epochs": 3},
    "experiments": {
        "dropout": {"vary": {"dropout": [0.0, 0.2, 0.4]}},
        "grid": {"vary": {"learning_rate": [0.001, 0.01], "batch_size": [32, 100]}},
    },
    "seeds": 3,
    "final": "best",
}

ONLY_SEARCHED = {
    **{key: value for key, value in CONFIG.items() if key not in ("experiments", "final")},
    "search": {
        "tuned": {
            "space": {"dropout": {"low": 0.0, "high": 0.5}, "learning_rate": [0.001, 0.01, 0.1]},
            "trials": 6,
            "parallel": 3,
            "confirm": 2,
        }
    },
}

# Seeds of a run at most.
MOST_SEEDS = 6

BY_NEED = {
    **{key: value for key, value in CONFIG.items() if key != "final"},
    "experiments": {
        "grid": CONFIG["experiments"]["grid"] | {"seeds": {"start": 2, "most": MOST_SEEDS}}
    },
}

# More rounds than any of them takes.
MANY = 20

SEARCHES = [ListedValues(), BestOfEach(), Sampled(), SeedsByNeed()]

CONFIGS = {Sampled: ONLY_SEARCHED, SeedsByNeed: BY_NEED}


@pytest.fixture(params=SEARCHES, ids=lambda search: type(search).__name__)
def search(request):
    return request.param


@pytest.fixture
def plan(search) -> Plan:
    return resolve(validated(CONFIGS.get(type(search), CONFIG), "made up"))


def level(settings, epoch):
    """Best with dropout 0.0, small batches and 0.01."""
    accuracy = 0.7 + 0.1 * (settings["learning_rate"] == 0.01) - 0.05 * settings["dropout"]
    return accuracy - 0.0005 * settings["batch_size"] + 0.01 * epoch


def with_requests(plan: Plan, requests: list[Request]) -> Plan:
    """The plan with these runs too, or as long and with as many seeds as they ask for."""
    runs = {run.run: run for run in plan.runs}
    dataset = datasets.describe(plan.dataset).name
    for request in requests:
        name = run_name(request.settings, dataset, plan.validation)
        known = runs.get(name, Run(name, request.settings, 0, []))
        seeds = sorted({*known.seeds, *request.seeds})
        runs[name] = replace(known, epochs=max(known.epochs, request.epochs), seeds=seeds)
    return replace(plan, runs=list(runs.values()))


def trained(runs: list[Run], diverged: dict[str, int] | None = None) -> pd.DataFrame:
    """Made-up rows of metrics.parquet; those of a seed do not depend on which others there are."""
    seeds = list(range(MOST_SEEDS))
    frames = []
    for run in runs:
        frame = record(replace(run, seeds=seeds), level, diverged or {})
        frames.append(frame[frame["seed"].isin(run.seeds)])
    return pd.concat(frames, ignore_index=True)


def nothing_trained(plan: Plan) -> pd.DataFrame:
    return trained(resolve(validated(CONFIG, "made up")).runs).head(0)


def rounds(search, plan, diverged=None):
    """The plan, metrics and requests of each round, to the search's end."""
    metrics = nothing_trained(plan)
    for _ in range(MANY):
        requests = search.propose(plan, metrics)
        yield plan, metrics, requests
        if not requests:
            return
        plan = with_requests(plan, requests)
        asked = [run for run in plan.runs if run.settings in [each.settings for each in requests]]
        rest = metrics[~metrics["run"].isin([run.run for run in asked])]
        metrics = pd.concat([rest, trained(asked, diverged)], ignore_index=True)
    pytest.fail(f"not at its end after {MANY} rounds")


def test_it_comes_to_an_end_and_all_that_it_asked_for_is_trained(search, plan):
    *_, (ended, metrics, last) = rounds(search, plan)
    assert last == []
    assert {*metrics["run"]} == {run.run for run in ended.runs} >= {run.run for run in plan.runs}


def test_a_request_is_a_whole_configuration_and_asked_for_once(search, plan):
    for _, _, requests in rounds(search, plan):
        for request in requests:
            assert request.settings == identity(request.settings)
            assert request.epochs > 0
            assert len(set(request.seeds)) == len(request.seeds) > 0
        settings = [request.settings for request in requests]
        assert all(settings.count(each) == 1 for each in settings)


def test_it_proposes_the_same_again_and_changes_nothing_given(search, plan):
    for asked, metrics, requests in rounds(search, plan):
        before = deepcopy((asked.to_json(), metrics))
        assert type(search)().propose(asked, metrics) == requests
        assert asked.to_json() == before[0]
        pd.testing.assert_frame_equal(metrics, before[1])


def test_the_order_in_which_runs_finished_is_no_matter(search, plan):
    for asked, metrics, requests in rounds(search, plan):
        shuffled = metrics.sample(frac=1, random_state=1)
        assert search.propose(asked, shuffled) == requests


def test_records_beyond_what_was_asked_for_are_no_matter(search, plan):
    """Left there by another search or a longer study, and saying the contrary."""
    for asked, metrics, requests in rounds(search, plan):
        contrary = metrics.assign(validation_accuracy=5 * (1 - metrics["validation_accuracy"]))
        beyond = [
            contrary.assign(run="another"),
            contrary.assign(seed=contrary["seed"] + 100),
            contrary.assign(epoch=contrary["epoch"] + 100),
        ]
        assert search.propose(asked, pd.concat([metrics, *beyond])) == requests


def test_what_a_stop_left_half_trained_comes_next(search, plan):
    for asked, metrics, _ in rounds(search, plan):
        for run in asked.runs:
            own = metrics["run"] == run.run
            if not own.any():
                continue
            for cut in (own & (metrics["seed"] == run.seeds[-1]), own & (metrics["epoch"] > 1)):
                [again] = search.propose(asked, metrics[~cut])
                assert again.settings == run.settings
                # With all seeds, or with those that come before another search goes further.
                assert (again.epochs, again.seeds) == (run.epochs, run.seeds[: len(again.seeds)])
                assert search.propose(with_requests(asked, [again]), metrics[~cut]) == [again]


def test_a_run_that_diverged_is_not_asked_for_again(search, plan):
    lost = {"lr0.01-": MOST_SEEDS, "dropout0.0-": 1}
    *_, (_, _, last) = rounds(search, plan, lost)
    assert last == []


def test_where_everything_diverged_it_ends(search, plan):
    asked = [each for _, _, requests in rounds(search, plan, {"": MOST_SEEDS}) for each in requests]
    assert len(asked) == len({str(request.settings) for request in asked})


def test_a_run_longer_than_asked_for_is_trained(search, plan):
    """As one is that another experiment, or a study before, has asked for."""
    first = search.propose(plan, nothing_trained(plan))
    asked = with_requests(plan, first)
    longer = [replace(run, epochs=run.epochs + 2) for run in asked.runs]
    assert len(first) == len(asked.runs)
    assert not set(map(str, first)) & set(map(str, search.propose(asked, trained(longer))))
