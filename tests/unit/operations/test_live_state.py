"""The state that the live page fetches is what is so, and stays small."""

import json
import os
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

import study.operations.live_state as live_state
from finished import LEARNING, finish, planned, replicate
from study.operations import journals, watching
from study.operations.live_state import LiveStudy
from study.runs import failures
from study.support import locks

CONFIG = {
    "seeds": 2,
    "baseline": {"epochs": 4, "hidden": [4]},
    "experiments": {
        "dropout": {"vary": {"dropout": [0.1, 0.2, 0.3]}},
        "epochs": {"with": {"dropout": 0.1}, "vary": {"epochs": [2, 4]}},
    },
}


@pytest.fixture
def at_work():
    """Take the locks of runs for this process."""
    with ExitStack() as stack:
        yield lambda folder: stack.enter_context(locks.run_lock(folder))


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """The plan of a study, its results and what tells its state anew at every call."""
    monkeypatch.setattr(watching.fingerprint, "learning", lambda *_: LEARNING)
    monkeypatch.setattr(watching, "PERIOD", 0.0)
    monkeypatch.setattr(watching, "SHARE", 0)
    results = tmp_path / "results"
    results.mkdir()
    (results / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    study = LiveStudy(results, lambda: False)
    return planned(**CONFIG), results, study


def state(study):
    return json.loads(study.state())


def enter(folder, scores, seeds=(0, 1), first=1):
    """Add epochs with these scores to a run's journal, as a process of ours has trained them."""
    folder.mkdir(exist_ok=True, parents=True)
    with (folder / journals.NAME).open("a", encoding="utf-8") as file:
        for epoch, score in enumerate(scores, first):
            entry = {"epoch": epoch, "seeds": seeds, "time": time.time(), "pid": os.getpid()}
            entry |= {"seconds": 1.0, "validation_accuracy": score, "validation_loss": 0.25}
            file.write(json.dumps(entry) + "\n")


def test_before_there_is_a_study_it_says_so(tmp_path):
    found = state(LiveStudy(tmp_path / "results", lambda: False))
    assert found["state"] == "not begun"
    assert found["listed"] == found["curves"] == []


def test_of_a_new_study_all_runs_wait(begun):
    plan, _, study = begun
    found = state(study)
    assert found["state"] == "not begun"
    assert found["runs"] == {"waiting": 3}
    assert [run["run"] for run in found["listed"]] == [run.run for run in plan.runs]
    assert [(each["name"], each["runs"], each["best"]) for each in found["experiments"]] == [
        ("dropout", 3, None),
        ("epochs", 1, None),
    ]


def test_curves_of_what_trains_grow(begun, at_work):
    plan, results, study = begun
    run = plan.runs[1]
    folder = results / "runs" / run.run
    folder.mkdir(parents=True)
    at_work(folder)
    enter(folder, [0.5])
    found = state(study)
    assert found["state"] == "running"
    assert found["runs"] == {"training": 1, "waiting": 2}
    [curve] = found["curves"]
    assert (curve["run"], curve["epochs"], curve["scores"]) == (run.run, [1], [50.0])
    enter(folder, [0.70025], first=2)
    found = state(study)
    [curve] = found["curves"]
    assert curve["epochs"] == [1, 2]
    # As it is told everywhere: 70.02, where a browser would make 70.03 of 70.025.
    assert f"{curve['scores'][1]:.2f}" == "70.02"
    first = found["listed"][0]
    assert (first["run"], first["epoch"], first["done"]) == (run.run, 2, 4)
    assert first["settings"] == "dropout=0.2"
    assert 0 <= first["heard"] < 60
    assert found["seconds_left"] > 0


def test_the_best_is_that_of_finished_values_at_their_own_epoch(begun):
    plan, results, study = begun
    runs = results / "runs"
    for run, scores in zip(plan.runs, [[0.6, 0.9, 0.7, 0.7], [0.1, 0.2, 0.3, 0.8]], strict=False):
        finish(runs, run)
        enter(runs / run.run, scores)
    enter(runs / plan.runs[2].run, [0.99])
    dropout, epochs = state(study)["experiments"]
    assert (dropout["finished"], dropout["best"]["value"]) == (2, "0.2")
    assert dropout["best"]["score"] == 80.0
    # After two epochs it was better than after four.
    assert (epochs["best"]["value"], epochs["best"]["score"]) == ("2", 90.0)


def test_a_value_that_lost_a_seed_is_behind_one_that_lost_none(begun):
    plan, results, study = begun
    runs = results / "runs"
    first, second, _ = plan.runs
    diverged = {0: replicate(first, 4), 1: replicate(first, 1, diverged=True)}
    finish(runs, first, diverged)
    enter(runs / first.run, [None])
    enter(runs / first.run, [0.9, 0.9, 0.9], seeds=(0,), first=2)
    finish(runs, second)
    enter(runs / second.run, [0.1, 0.1, 0.1, 0.1])
    best = state(study)["experiments"][0]["best"]
    assert (best["value"], best["lost"]) == ("0.2", 0)


def test_a_failure_comes_first_with_the_end_of_its_log(begun):
    plan, results, study = begun
    run = plan.runs[2]
    folder = results / "runs" / run.run
    folder.mkdir(parents=True)
    failures.note(folder, OSError("no training today"), Path(__file__))
    long = "".join(f"{number:>9}\n" for number in range(20_000))
    (folder / "train.log").write_text(f"{long}error: no training today\n", encoding="utf-8")
    found = state(study)
    assert found["state"] == "failed"
    first = found["listed"][0]
    assert (first["run"], first["state"]) == (run.run, "failed")
    assert "no training today" in first["message"]
    log = study.log(first["log"])
    assert log.endswith(b"19999\nerror: no training today\n")
    assert len(log) <= live_state.MOST_LOG


def test_a_job_that_failed_is_named_with_its_log(begun):
    plan, results, study = begun
    for run in plan.runs:
        finish(results / "runs", run)
    log = results / "logs" / "summarise.log"
    log.parent.mkdir()
    log.write_text("error: no numbers\n", encoding="utf-8")
    [step] = state(study)["failed_steps"]
    assert (step["name"], step["message"]) == ("summarise", "no numbers")
    assert study.log(step["log"]) == b"error: no numbers\n"


def test_no_other_log_is_given(begun):
    plan, results, study = begun
    folder = results / "runs" / plan.runs[0].run
    folder.mkdir(parents=True)
    (folder / "train.log").write_text("as it should be", encoding="utf-8")
    (results / "secret").write_text("secret", encoding="utf-8")
    assert study.log(plan.runs[0].run) is None
    state(study)
    assert study.log(plan.runs[0].run) == b"as it should be"
    for name in ("../secret", "secret", "", f"{plan.runs[0].run}/train.log"):
        assert study.log(name) is None
    # Nor what a link in its place leads to.
    (folder / "train.log").unlink()
    (folder / "train.log").symlink_to(results / "secret")
    assert study.log(plan.runs[0].run) is None


def test_another_config_is_another_plan(begun):
    _, results, study = begun
    assert state(study)["wanted"] == 3 * 2 * 4
    changed = CONFIG | {"seeds": 3}
    (results / "config.json").write_text(json.dumps(changed), encoding="utf-8")
    assert state(study)["wanted"] == 3 * 3 * 4
    # What cannot be read just now is not looked at: what was there is shown on.
    (results / "config.json").write_text("{", encoding="utf-8")
    assert state(study)["wanted"] == 3 * 3 * 4


def test_what_cannot_be_read_just_now_is_read_at_the_next_look(begun, monkeypatch):
    """As a report that is replaced between two calls that look at it."""
    _, _, study = begun
    before = study.state()
    with monkeypatch.context() as context:
        context.setattr(live_state.status, "status_of", lambda *_: Path("missing").stat())
        assert study.state() == before


def test_between_looks_the_state_is_kept(begun, monkeypatch):
    _, _, study = begun
    monkeypatch.setattr(watching, "PERIOD", 60.0)
    study.state()
    monkeypatch.setattr(watching.Watched, "look", lambda _: pytest.fail("looked again"))
    study.state()


def test_of_many_runs_and_epochs_so_many_are_told(tmp_path, monkeypatch, at_work):
    monkeypatch.setattr(live_state, "MOST_RUNS", 5)
    monkeypatch.setattr(live_state, "MOST_POINTS", 10)
    values = [number / 100 for number in range(20)]
    config = CONFIG | {
        "baseline": {"epochs": 95, "hidden": [4]},
        "experiments": {"dropout": {"vary": {"dropout": values}}},
    }
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    plan = planned(**config)
    folder = tmp_path / "runs" / plan.runs[7].run
    folder.mkdir(parents=True)
    at_work(folder)
    enter(folder, [0.5] * 94)
    found = state(LiveStudy(tmp_path, lambda: False))
    assert found["runs"] == {"waiting": 19, "training": 1}
    assert [run["run"] for run in found["listed"]][0] == plan.runs[7].run
    assert len(found["listed"]) == 5
    [curve] = found["curves"]
    assert len(curve["epochs"]) <= 10
    assert curve["epochs"][-1] == 94
