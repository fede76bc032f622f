"""How the attempt before was ended is told by the next: by itself, or with SLURM's word for it."""

import json
from pathlib import Path

import pytest

from study.runs import attempts, failures
from study.support import slurm

PROGRAM = Path(attempts.__file__).parents[2] / "train.py"


@pytest.fixture(autouse=True)
def no_job(monkeypatch):
    for name in slurm.VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def in_job(monkeypatch):
    def enter(job, node="n1"):
        monkeypatch.setenv("SLURM_JOB_ID", job)
        monkeypatch.setenv("SLURMD_NODENAME", node)

    return enter


@pytest.fixture
def slurm_says(tmp_path, monkeypatch):
    """Programs named as SLURM's, of which squeue and sacct answer as given."""

    def answer(squeue="", sacct=""):
        programs = tmp_path / "programs"
        programs.mkdir()
        for name, words in {"squeue": squeue, "sacct": sacct}.items():
            script = f"#!/bin/sh\necho '{words}'\n" if words else "#!/bin/sh\nexit 1\n"
            (programs / name).write_text(script, encoding="utf-8")
            (programs / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")

    return answer


def stopped(folder):
    failures.note(folder, SystemExit(143), PROGRAM)


def test_a_first_attempt_has_none_before(tmp_path):
    assert attempts.begin(tmp_path) is None


def test_an_attempt_that_ended_by_itself_leaves_nothing(tmp_path):
    attempts.begin(tmp_path)
    attempts.end(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert attempts.begin(tmp_path) is None


def test_one_that_was_told_to_stop_is_told_from_one_that_was_killed(tmp_path):
    attempts.begin(tmp_path)
    stopped(tmp_path)
    assert "told to stop, process" in attempts.begin(tmp_path)
    # What was told of the one before counts no more.
    assert "killed without a word, process" in attempts.begin(tmp_path)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("TIMEOUT", "time limit"),
        ("OUT_OF_MEMORY", "more memory"),
        ("NODE_FAIL", "node failed"),
        ("CANCELLED", "cancelled"),
        ("PREEMPTED", "pre-empted"),
        ("FAILED", "does not know why"),
    ],
)
def test_slurms_word_tells_why(tmp_path, in_job, slurm_says, state, reason):
    slurm_says(squeue=state)
    in_job("12")
    attempts.begin(tmp_path)
    in_job("13", "n2")
    line = attempts.begin(tmp_path)
    assert "SLURM job 12 on n1" in line
    assert reason in line
    assert f"({state})" in line


def test_what_squeue_has_forgotten_sacct_knows(tmp_path, in_job, slurm_says):
    slurm_says(sacct="CANCELLED by 1000")
    in_job("12")
    attempts.begin(tmp_path)
    in_job("13")
    assert "cancelled (CANCELLED)" in attempts.begin(tmp_path)


def test_without_an_answer_the_job_is_named_all_the_same(tmp_path, in_job, slurm_says):
    slurm_says()
    in_job("12")
    attempts.begin(tmp_path)
    in_job("13")
    assert "SLURM job 12 on n1: SLURM does not know why" in attempts.begin(tmp_path)


@pytest.mark.parametrize(("told", "reason"), [(True, "pre-empted"), (False, "its node failed")])
def test_a_job_that_slurm_started_again_says_why(tmp_path, in_job, told, reason):
    in_job("12")
    attempts.begin(tmp_path)
    if told:
        stopped(tmp_path)
    in_job("12", "n2")
    line = attempts.begin(tmp_path)
    assert "SLURM job 12 on n1" in line
    assert reason in line


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "7",
        '{"pid": 1}',
        '{"host": "h", "pid": 1, "slurm": []}',
        '{"host": "h", "pid": 1, "slurm": {"SLURM_JOB_ID": 12}}',
        '{"host": "h", "pid": 1, "slurm": {"SLURM_JOB_ID": "--help"}}',
    ],
)
def test_a_damaged_note_is_no_matter(tmp_path, content):
    (tmp_path / attempts.NAME).write_text(content, encoding="utf-8")
    assert attempts.begin(tmp_path) is None
    assert json.loads((tmp_path / attempts.NAME).read_text(encoding="utf-8"))["slurm"] == {}


def test_what_slurm_gave_is_recorded(in_job, monkeypatch):
    assert slurm.allocation() == {}
    in_job("12")
    monkeypatch.setenv("SLURM_GPUS_ON_NODE", "1")
    assert slurm.allocation() == {
        "SLURM_JOB_ID": "12",
        "SLURMD_NODENAME": "n1",
        "SLURM_GPUS_ON_NODE": "1",
    }
