"""What a study will cost is told before it is spent, and told rightly."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finished import LEARNING, finish, planned, replicate, write_state
from study.commands import door, show_plan
from study.operations import jobs, plan_table
from study.operations.plan_table import OVERHEAD, PlanTable, Row, TimeEstimate

ROOT = Path(show_plan.__file__).parents[3]


def table(plan, runs, learning=LEARNING, cores=2):
    return plan_table.table(plan, runs, learning, cores)


# What is wanted, by whom, and what is there.


def test_of_a_new_study_everything_is_to_train_and_no_time_is_made_up(tmp_path):
    plan = planned(seeds=3, baseline={"epochs": 4})
    found = table(plan, tmp_path / "missing")
    assert [row.reasons for row in found.rows] == [("new",), ("new",)]
    assert [row.to_train for row in found.rows] == [12, 12]
    assert found.to_train == 24
    assert found.core_seconds is found.wall_seconds is None
    words = plan_table.in_words(found)
    assert "2 runs, 2 with something to do; 24 epochs to train; no estimate" in words
    assert not (tmp_path / "missing").exists()


def test_of_a_finished_study_nothing_is_to_train(tmp_path):
    plan = planned(seeds=2, baseline={"epochs": 3})
    for run in plan.runs:
        finish(tmp_path, run)
    found = table(plan, tmp_path)
    assert found.jobs == []
    assert found.to_train == 0
    assert "nothing to train; 2 runs, all of them there" in plan_table.in_words(found)


def test_of_a_search_the_most_that_is_to_come_is_told(tmp_path):
    space = {"dropout": [0.0, 0.1, 0.2, 0.3]}
    search = {"tuned": {"space": space, "trials": 4, "parallel": 2, "confirm": 1}}
    plan = planned(seeds=2, baseline={"epochs": 3}, search=search, final="best")
    for run in plan.runs:
        finish(tmp_path, run)
    words = plan_table.in_words(table(plan, tmp_path))
    assert "search tuned: 0 of 4 trials drawn; at most 15 epochs to come" in words
    assert "a search's winner, not known before these are trained" in words
    assert "nothing to train before the next step, which goes by results" in words


def test_why_and_how_far_each_run_will_train(tmp_path):
    values = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    small = planned({"a": {"vary": {"dropout": values}}}, seeds=2, baseline={"epochs": 3})
    large = planned({"a": {"vary": {"dropout": values}}}, seeds=3, baseline={"epochs": 5})
    grown, done, diverged, unfinished, damaged, lost, _ = small.runs
    finish(tmp_path, grown)
    finish(tmp_path, done, {seed: replicate(done, 5) for seed in range(3)})
    finish(
        tmp_path,
        diverged,
        {seed: replicate(diverged, 5 - seed, diverged=seed > 0) for seed in range(3)},
    )
    write_state(tmp_path, unfinished, {0: replicate(unfinished, 4), 1: replicate(unfinished, 3)})
    finish(tmp_path, damaged, {seed: replicate(damaged, 5) for seed in range(3)})
    (tmp_path / damaged.run / "record.parquet").write_bytes(b"")
    write_state(tmp_path, lost, {0: replicate(lost, 4)})
    (tmp_path / lost.run / "state.safetensors").write_bytes(b"")

    found = table(large, tmp_path)
    told = [
        (", ".join(row.reasons), row.to_train, plan_table.replicates_in_words(row.there))
        for row in found.rows
    ]
    assert told == [
        ("more epochs, more seeds", 2 * 2 + 5, "2 x 3"),
        ("", 0, "3 x 5"),
        ("", 0, "1 x 5, 1 x 4 (diverged), 1 x 3 (diverged)"),
        ("unfinished", 1 + 2 + 5, "1 x 4, 1 x 3"),
        ("record.parquet is damaged", 0, "3 x 5"),
        ("damaged", 15, ""),
        ("new", 15, ""),
    ]
    changed = table(large, tmp_path, LEARNING | {"code": "other"})
    assert changed.rows[1].reasons == ("code changed",)
    assert changed.rows[1].to_train == 15


def test_a_run_tells_its_settings_and_all_who_ask_for_it():
    plan = planned(
        {
            "dropout": {"vary": {"dropout": [0.2, 0.4]}},
            "epochs": {"vary": {"epochs": [1, 3]}},
            "grid": {"vary": {"dropout": [0.2], "batch_size": [50]}},
        },
        baseline={"dropout": 0.2, "epochs": 2},
        final={"dropout": 0.4, "epochs": 7},
    )
    rows = table(plan, Path("missing")).rows
    assert [row.differs for row in rows] == [{}, {"dropout": 0.4}, {"batch_size": 50}]
    assert [row.asked_by for row in rows] == [
        {"dropout": ["0.2"], "epochs": ["1", "3"]},
        {"dropout": ["0.4"], "final": []},
        {"grid": ["dropout=0.2, batch_size=50"]},
    ]
    words = plan_table.in_words(table(plan, Path("missing")))
    assert "as the baseline" in words
    assert f"final: dropout=0.4, after 7 epochs ({rows[1].run})" in words
    assert "no final model" in plan_table.in_words(table(planned(), Path("missing")))


def test_what_is_ignored_is_noted():
    plan = planned(
        {"optimizer": {"vary": {"optimizer": ["sgd", "adam"]}}}, baseline={"momentum": 0.9}
    )
    words = plan_table.in_words(table(plan, Path("missing")))
    assert "note: experiments.optimizer: adam ignores momentum = 0.9" in words


# Time.


def test_a_run_takes_as_long_as_its_own_epochs_did(tmp_path):
    small, large = (planned(seeds=2, baseline={"epochs": epochs}) for epochs in (4, 10))
    for run, seconds in zip(small.runs, (3.0, 7.0), strict=True):
        finish(tmp_path, run, {seed: replicate(run, 4, seconds) for seed in run.seeds})
    found = table(large, tmp_path)
    names = [run.run for run in large.runs]
    assert [row.estimate for row in found.rows] == [
        TimeEstimate(OVERHEAD + 12 * 3.0, names[0]),
        TimeEstimate(OVERHEAD + 12 * 7.0, names[1]),
    ]
    assert found.core_seconds == 2 * OVERHEAD + 12 * 10.0


def test_a_new_run_takes_as_long_as_the_most_similar_one_scaled_by_arithmetic(tmp_path):
    vary = {"hidden": [[64], [256]], "optimizer": ["sgd", "adam"]}
    plan = planned({"grid": {"vary": vary}}, seeds=2, baseline={"epochs": 4})
    sgd_small, adam_small, sgd_large, adam_large = plan.runs
    finish(tmp_path, sgd_small, {seed: replicate(sgd_small, 4, 2.0) for seed in (0, 1)})
    finish(tmp_path, adam_large, {seed: replicate(adam_large, 4, 9.0) for seed in (0, 1)})
    rows = {row.run: row for row in table(plan, tmp_path).rows}
    assert rows[sgd_small.run].estimate is None
    # Each is one setting from both; the smaller one's arithmetic is nearer to the small run's.
    assert rows[adam_small.run].estimate == TimeEstimate(OVERHEAD + 8 * 2.0, sgd_small.run)
    assert rows[sgd_large.run].estimate == TimeEstimate(OVERHEAD + 8 * 9.0, adam_large.run)

    other = planned({"b": {"vary": {"hidden": [[128]]}}}, seeds=2, baseline={"epochs": 4})
    [row] = table(other, tmp_path).rows
    scale = jobs.seconds(other.runs[0], jobs.ASSUMED) / jobs.seconds(sgd_small, jobs.ASSUMED)
    assert row.estimate.source == sgd_small.run
    assert row.estimate.seconds == pytest.approx(OVERHEAD + 8 * 2.0 * scale)


def test_a_record_that_cannot_be_read_is_nothing_to_go_by(tmp_path):
    plan = planned(seeds=1)
    one, other = plan.runs
    folder = finish(tmp_path, one)
    for damaged in ("record.parquet", "settings.json"):
        (folder / damaged).write_bytes(b"PAR1 {")
        assert [row.estimate for row in table(plan, tmp_path).rows] == [None, None]
    finish(tmp_path, other)
    assert table(plan, tmp_path).rows[0].estimate.source == other.run


@given(st.lists(st.floats(0.1, 1e5), max_size=30), st.integers(1, 8))
def test_the_wall_time_lies_within_its_bounds(durations, cores):
    rows = [
        Row("run-0", {}, {}, [0], 1, {}, ("new",), 1, TimeEstimate(seconds, "run-0"))
        for seconds in durations
    ]
    found = PlanTable(rows, None, False, [], cores)
    total, longest = sum(durations), max(durations, default=0)
    assert found.core_seconds == pytest.approx(total)
    assert found.wall_seconds <= total * (1 + 1e-9)
    assert found.wall_seconds >= max(longest, total / cores) * (1 - 1e-9)
    # What longest-first guarantees (Graham 1969).
    assert found.wall_seconds <= (total / cores + longest) * (1 + 1e-9)


def test_two_long_jobs_run_beside_three_short_ones():
    rows = [
        Row("run-0", {}, {}, [0], 1, {}, ("new",), 1, TimeEstimate(seconds, "run-0"))
        for seconds in (2.0, 2.0, 6.0, 2.0, 6.0)
    ]
    assert PlanTable(rows, None, False, [], 2).wall_seconds == 10
    assert PlanTable(rows, None, False, [], 5).wall_seconds == 6


# The printed table.


def test_a_large_study_stays_readable(tmp_path):
    values = [round(0.0005 * index, 4) for index in range(1000)]
    plan = planned({"dropout": {"vary": {"dropout": values}}}, seeds=1)
    finish(tmp_path, plan.runs[7])
    found = table(plan, tmp_path)
    words = plan_table.in_words(found)
    assert len(words.splitlines()) < 60
    assert "959 more runs with something to do, 1 with nothing to do" in words
    assert "1000 runs, 999 with something to do" in words
    assert plan.runs[7].run.rpartition("-")[2] not in words
    everything = plan_table.in_words(found, everything=True)
    assert all(run.run.rpartition("-")[2] in everything for run in plan.runs)


def test_the_table_for_programs_says_the_same(tmp_path):
    plan = planned(seeds=2, baseline={"epochs": 3}, final={"dropout": 0.2, "epochs": 5})
    finish(tmp_path, plan.runs[0])
    found = table(plan, tmp_path)
    content = json.loads(plan_table.to_json(found))
    assert content["totals"] == {
        "runs": 2,
        "runs_with_something_to_do": 1,
        "epochs_to_train": 10,
        "core_seconds": found.core_seconds,
        "wall_seconds": found.wall_seconds,
        "cores": 2,
    }
    first, last = content["runs"]
    assert first["reasons"] == []
    assert first["there"]["1"]["epochs"] == 3
    assert last["asked_by"] == {"dropout": ["0.2"], "final": []}
    assert last["estimate"]["source"] == plan.runs[0].run
    assert content["final"]["epochs"] == 5


# The program.


@pytest.fixture
def show(monkeypatch, capsys):
    def run(*words):
        monkeypatch.setattr(sys, "argv", ["show_plan.py", *map(str, words)])
        door.enter(show_plan)
        return capsys.readouterr().out

    return run


def test_a_changed_config_is_priced_and_nothing_is_written(show, tmp_path):
    config = {
        "data": {"dataset": "FashionMNIST", "validation": "test"},
        "seeds": 2,
        "experiments": {"dropout": {"vary": {"dropout": [0.1]}}},
    }
    (tmp_path / "changed.yaml").write_text(json.dumps(config))
    by_file = show("--configfile", tmp_path / "changed.yaml", "--runs", tmp_path / "runs")
    by_json = show("--config-json", json.dumps(config), "--runs", tmp_path / "runs")
    assert by_file == by_json
    assert "1 run, 1 with something to do; 20 epochs to train" in by_file
    totals = json.loads(show("--config-json", json.dumps(config), "--json"))["totals"]
    assert totals["runs"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["changed.yaml"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--config-json", "{"], "error: --config-json: not JSON"),
        (["--configfile", "missing.yaml"], "error: missing.yaml: "),
        (["--cores", "0"], 2),
    ],
)
def test_what_is_asked_wrongly_is_told_in_a_line(show, words, message):
    with pytest.raises(SystemExit) as end:
        show(*words)
    assert end.value.code == message or str(end.value.code).startswith(str(message))


def test_the_default_study_is_planned_without_a_heavy_library(tmp_path):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", ROOT / "scripts" / "show_plan.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert "15 runs, 15 with something to do; 950 epochs to train" in done.stdout
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "numpy" in imported
    assert not imported & {"torch", "pandas", "matplotlib", "scipy", "snakemake"}
