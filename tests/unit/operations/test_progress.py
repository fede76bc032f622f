"""How far a study is, is read rightly from what its jobs leave, whatever became of them."""

import json
import os
import time
from contextlib import ExitStack

import pytest

from finished import LEARNING, finish, planned, replicate, write_state
from study.operations import progress
from study.operations.plan_table import OVERHEAD
from study.operations.progress import Progress, RunProgress, Situation, Snapshot, trained_since
from study.runs import attempts, failures
from study.support import control_group, locks
from study.support.errors import StudyError

SECONDS = 3.0


@pytest.fixture
def plan():
    return planned(seeds=2, baseline={"epochs": 4, "hidden": [4]})


@pytest.fixture
def at_work():
    """Take the locks of runs for this process."""
    with ExitStack() as stack:
        yield lambda folder: stack.enter_context(locks.run_lock(folder))


def snapshot(plan, runs) -> Snapshot:
    return Progress(plan, runs, LEARNING).snapshot()


def enter(folder, *epochs, **others):
    """Add epochs of seeds 0 and 1 to a run's journal, as a process of ours has trained them."""
    folder.mkdir(exist_ok=True, parents=True)
    with (folder / "journal.jsonl").open("a", encoding="utf-8") as file:
        for epoch in epochs:
            entry = {"epoch": epoch, "seeds": [0, 1], "time": time.time(), "pid": os.getpid()}
            entry |= {"seconds": SECONDS, "validation_accuracy": 0.5} | others
            file.write(json.dumps(entry) + "\n")


def held_by(folder, **holder):
    """Leave the lock as a process that was killed would."""
    folder.mkdir(exist_ok=True, parents=True)
    told = {"host": locks.socket.gethostname(), "pid": 2**22 + 1, "since": time.time() - 1}
    (folder / locks.NAME).write_text(json.dumps(told | holder), encoding="utf-8")


def test_of_a_new_study_everything_waits_and_no_time_is_made_up(plan, tmp_path):
    seen = snapshot(plan, tmp_path / "missing")
    assert [run.situation for run in seen.runs] == [Situation.WAITING] * 2
    assert (seen.done, seen.wanted) == (0, 16)
    assert seen.seconds_left is None
    assert not seen.is_trained


def test_a_finished_study_is_trained(plan, tmp_path):
    for run in plan.runs:
        finish(tmp_path, run)
    seen = snapshot(plan, tmp_path)
    assert seen.is_trained
    assert seen.done == seen.wanted == 16
    assert seen.seconds_left == 0


def test_what_trains_is_told_by_its_journal_and_its_own_rate(plan, tmp_path, at_work):
    first, second = plan.runs
    folder = tmp_path / first.run
    folder.mkdir()
    at_work(folder)
    seen = snapshot(plan, tmp_path)
    assert [run.situation for run in seen.runs] == [Situation.TRAINING, Situation.WAITING]
    assert seen.runs[0].entry is None
    assert seen.seconds_left is None

    enter(folder, 1, 2)
    seen = snapshot(plan, tmp_path)
    training, waiting = seen.runs
    assert (training.done, training.entry["epoch"]) == (4, 2)
    assert training.seconds_left == pytest.approx(OVERHEAD + 4 * SECONDS)
    # The other run is of the same size: it goes by this one's rate, and comes after it.
    assert waiting.seconds_left == pytest.approx(OVERHEAD + 8 * SECONDS)
    assert seen.seconds_left == pytest.approx(2 * OVERHEAD + 12 * SECONDS)


def test_what_an_earlier_process_trained_counts_only_as_far_as_it_is_saved(plan, tmp_path, at_work):
    run = plan.runs[0]
    folder = tmp_path / run.run
    enter(folder, 1, 2, 3, time=time.time() - 1000)
    enter(folder, 1, 2, 3, pid=1)
    write_state(tmp_path, run, {seed: replicate(run, 2) for seed in (0, 1)})
    at_work(folder)
    assert snapshot(plan, tmp_path).runs[0].done == 4
    enter(folder, 3)
    assert snapshot(plan, tmp_path).runs[0].done == 6


def test_training_anew_counts_from_the_beginning(plan, tmp_path, at_work):
    """Of a saved state of other code, nothing counts."""
    run = plan.runs[0]
    write_state(tmp_path, run, {seed: replicate(run, 3) for seed in (0, 1)})
    at_work(tmp_path / run.run)
    enter(tmp_path / run.run, 1)
    changed = Progress(plan, tmp_path, LEARNING | {"code": "other"}).snapshot()
    assert changed.runs[0].done == 2


def test_no_more_counts_than_is_asked_for(plan, tmp_path, at_work):
    """A run that was longer, of which one more seed is wanted now."""
    run = plan.runs[0]
    write_state(tmp_path, run, {0: replicate(run, 9)})
    at_work(tmp_path / run.run)
    enter(tmp_path / run.run, 1, seeds=[1])
    assert snapshot(plan, tmp_path).runs[0].done == 4 + 1


@pytest.mark.parametrize(
    "line",
    ["7", "[]", "null", "{}", "{", '{"epoch": "2", "seeds": [0], "time": 1, "pid": 1}', "[" * 5000],
)
def test_a_line_of_the_journal_that_is_none_is_passed_over(plan, tmp_path, at_work, line):
    run = plan.runs[0]
    write_state(tmp_path, run, {})
    at_work(tmp_path / run.run)
    enter(tmp_path / run.run, 1)
    with (tmp_path / run.run / "journal.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    enter(tmp_path / run.run, 2)
    assert snapshot(plan, tmp_path).runs[0].entry["epoch"] == 2
    assert progress.trained_since(tmp_path, 0) == 2 * 2


def test_a_killed_run_is_interrupted_with_what_is_saved(plan, tmp_path):
    run = plan.runs[0]
    write_state(tmp_path, run, {seed: replicate(run, 2) for seed in (0, 1)})
    enter(tmp_path / run.run, 1, 2, 3, pid=2**22 + 1)
    held_by(tmp_path / run.run, since=time.time() - 100)
    seen = snapshot(plan, tmp_path).runs[0]
    assert seen.situation is Situation.INTERRUPTED
    assert seen.message == "was killed (by kill -9, for want of memory, or with the machine)"
    assert seen.done == 4


def test_a_run_killed_at_a_memory_limit_is_told_so(plan, tmp_path, monkeypatch):
    run, events = plan.runs[0], tmp_path / "memory.events"
    events.write_text("oom_kill 2\n", encoding="utf-8")
    monkeypatch.setattr(control_group, "kills", lambda: control_group.Kills(str(events), 2))
    enter(tmp_path / run.run, 1, pid=2**22 + 1)
    attempts.begin(tmp_path / run.run)
    held_by(tmp_path / run.run, since=time.time() - 100)
    assert snapshot(plan, tmp_path).runs[0].message == f"was killed ({attempts.KILLED_BY})"
    events.write_text("oom_kill 3\n", encoding="utf-8")
    message = "was killed (most likely for want of memory: its control group came to its limit)"
    assert snapshot(plan, tmp_path).runs[0].message == message
    events.unlink()
    assert snapshot(plan, tmp_path).runs[0].message == f"was killed ({attempts.KILLED_BY})"


@pytest.mark.parametrize("kills", ["2", '{"file": 3, "count": 2}', '{"count": []}', "[]"])
def test_a_note_of_kills_of_another_form_tells_nothing(tmp_path, kills):
    (tmp_path / attempts.NAME).write_text(f'{{"kills": {kills}}}', encoding="utf-8")
    assert attempts.killed_by(tmp_path) == attempts.KILLED_BY


def test_a_run_that_failed_before_it_could_say_so_is_told_by_its_log(plan, tmp_path):
    folder = tmp_path / plan.runs[0].run
    folder.mkdir()
    (folder / "train.log").write_text(
        "Traceback (most recent call last):\n  …\nModuleNotFoundError: No module named 'numpy'\n"
    )
    seen = snapshot(plan, tmp_path).runs[0]
    assert seen.situation is Situation.FAILED
    assert seen.message == "ModuleNotFoundError: No module named 'numpy'"


@pytest.mark.parametrize(
    ("error", "situation", "message"),
    [
        (SystemExit(143), Situation.INTERRUPTED, "was told to stop"),
        (ZeroDivisionError("a\nb"), Situation.FAILED, "bug: ZeroDivisionError: a"),
        (StudyError("no such device"), Situation.FAILED, "input: StudyError: no such device"),
    ],
)
def test_what_was_left_of_a_failure_is_told(plan, tmp_path, error, situation, message):
    folder = tmp_path / plan.runs[0].run
    folder.mkdir()
    failures.note(folder, error, progress.Path(progress.__file__))
    seen = snapshot(plan, tmp_path).runs[0]
    assert (seen.situation, seen.message) == (situation, message)


def test_another_attempt_is_training_whatever_the_last_one_left(plan, tmp_path, at_work):
    folder = tmp_path / plan.runs[0].run
    folder.mkdir()
    failures.note(folder, MemoryError(), progress.Path(progress.__file__))
    at_work(folder)
    assert snapshot(plan, tmp_path).runs[0].situation is Situation.TRAINING


def test_a_job_of_another_machine_lives_as_long_as_it_is_heard_of(plan, tmp_path):
    folder = tmp_path / plan.runs[0].run
    held_by(folder, host="elsewhere", pid=7, since=time.time() - 5000)
    enter(folder, 1, pid=7, time=time.time() - 10)
    assert snapshot(plan, tmp_path).runs[0].situation is Situation.TRAINING
    silent = time.time() - 4000
    for name in (locks.NAME, "journal.jsonl"):
        os.utime(folder / name, (silent, silent))
    # Its first epoch took more than an hour: it may be within its second.
    assert snapshot(plan, tmp_path).runs[0].situation is Situation.TRAINING
    held_by(folder, host="elsewhere", pid=7, since=time.time() - 100)
    os.utime(folder / locks.NAME, (silent, silent))
    seen = snapshot(plan, tmp_path).runs[0]
    assert seen.situation is Situation.INTERRUPTED
    assert "elsewhere" in seen.message


def test_a_line_that_is_being_written_is_not_read_yet(plan, tmp_path, at_work):
    folder = tmp_path / plan.runs[0].run
    folder.mkdir()
    at_work(folder)
    enter(folder, 1)
    with (folder / "journal.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"epoch": 2, "see')
    assert snapshot(plan, tmp_path).runs[0].done == 2


def test_looking_again_reads_no_state_again(plan, tmp_path, at_work, monkeypatch):
    finish(tmp_path, plan.runs[0])
    run = plan.runs[1]
    write_state(tmp_path, run, {0: replicate(run, 1)})
    at_work(tmp_path / run.run)
    asked = []
    known = progress.completeness_of
    monkeypatch.setattr(progress, "completeness_of", lambda *args: asked.append(1) or known(*args))
    watched = Progress(plan, tmp_path, LEARNING)
    for epoch in (2, 3, 4):
        enter(tmp_path / run.run, epoch)
        write_state(tmp_path, run, {0: replicate(run, epoch)})
        assert watched.snapshot().runs[1].done == 2 * epoch
    assert len(asked) == 2


def of(situation, seconds):
    run = planned().runs[0]
    return RunProgress(run, situation, 1, 0, seconds_left=seconds)


def test_the_rest_is_trained_by_as_many_at_once_as_now():
    training = [of(Situation.TRAINING, seconds) for seconds in (10.0, 20.0)]
    waiting = [of(Situation.WAITING, seconds) for seconds in (5.0, 7.0, 1.0)]
    assert Snapshot([*training, *waiting]).seconds_left == 10 + 7 + 5
    failed = of(Situation.FAILED, 1000.0)
    assert Snapshot([*training, failed]).seconds_left == 20
    assert Snapshot([*training, of(Situation.INTERRUPTED, None)]).seconds_left is None


def test_epochs_are_counted_from_a_moment_on(tmp_path):
    enter(tmp_path / "one", 1, 2, time=100.0)
    enter(tmp_path / "one", 3, time=200.0)
    enter(tmp_path / "other", 1, seeds=[0], time=300.0)
    assert trained_since(tmp_path, 0) == 7
    assert trained_since(tmp_path, 150) == 3
