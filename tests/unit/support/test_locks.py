"""A run is trained by one process at a time, and others can tell which, and whether it lives."""

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from fuzzing import in_time
from study.support import locks
from study.support.locks import Holder, run_lock

SCRIPTS = Path(locks.__file__).parents[2]


def test_the_holder_is_told_while_it_holds_and_forgotten_after(tmp_path):
    start = time.time()
    assert locks.holder(tmp_path) is None
    with run_lock(tmp_path) as free:
        assert free
        held = locks.holder(tmp_path)
        assert (held.host, held.pid) == (socket.gethostname(), os.getpid())
        assert start <= held.since <= time.time()
        assert held.is_here
        assert held.is_alive
        with run_lock(tmp_path) as again:
            assert not again
        assert locks.holder(tmp_path) == held
    assert locks.holder(tmp_path) is None


def test_an_error_gives_the_lock_back(tmp_path):
    with pytest.raises(ZeroDivisionError), run_lock(tmp_path):
        raise ZeroDivisionError
    assert locks.holder(tmp_path) is None
    with run_lock(tmp_path) as free:
        assert free


def test_a_killed_holder_is_told_as_dead_and_holds_no_longer(tmp_path):
    code = "import os, sys, pathlib; from study.support.locks import run_lock\n"
    code += "with run_lock(pathlib.Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code, tmp_path], cwd=SCRIPTS)
    dead = locks.holder(tmp_path)
    assert dead is not None
    assert dead.is_here
    assert not dead.is_alive
    with run_lock(tmp_path) as free:
        assert free


def test_a_process_that_was_not_waited_for_is_dead_all_the_same():
    """As an orphan is in a container whose first process waits for nobody."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    while os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT) is None:
        pass
    assert not Holder(socket.gethostname(), child.pid, time.time()).is_alive
    child.wait()


def test_a_number_that_another_process_has_got_is_not_the_holder():
    own = Holder(socket.gethostname(), os.getpid(), time.time())
    assert own.is_alive
    assert not replace(own, since=1.0).is_alive


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"pid": 1}'])
def test_what_says_nothing_tells_of_nobody(tmp_path, content):
    (tmp_path / locks.NAME).write_text(content, encoding="utf-8")
    assert locks.holder(tmp_path) is None


@pytest.mark.parametrize(
    "told",
    [
        {"host": 1, "pid": 1, "since": 1.0},
        {"host": "here", "pid": "1", "since": 1.0},
        {"host": "here", "pid": -1, "since": 1.0},
        {"host": "here", "pid": 10**30, "since": 1.0},
        {"host": "here", "pid": 1, "since": [1]},
        {"host": "here", "pid": 1, "since": 1e300},
        {"host": "here", "pid": True, "since": 1.0},
    ],
)
def test_odd_types_tell_of_nobody(tmp_path, told):
    (tmp_path / locks.NAME).write_text(json.dumps(told), encoding="utf-8")
    assert locks.holder(tmp_path) is None


def test_what_a_link_points_to_stays_as_it_is(tmp_path):
    other, folder = tmp_path / "other.txt", tmp_path / "run"
    folder.mkdir()
    other.write_text("kept", encoding="utf-8")
    (folder / locks.NAME).symlink_to(other)
    with run_lock(folder) as free:
        assert free
    assert other.read_text(encoding="utf-8") == "kept"
    assert not (folder / locks.NAME).is_symlink()


def test_a_pipe_in_place_of_a_note_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / locks.NAME)
    with in_time():
        assert locks.holder(tmp_path) is None


def test_a_terminals_commands_are_written_out(tmp_path):
    told = {"host": "\x1b[31mred", "pid": 1, "since": 1.0}
    (tmp_path / locks.NAME).write_text(json.dumps(told), encoding="utf-8")
    assert locks.holder(tmp_path).host == r"\x1b[31mred"


def test_another_machines_holder_is_not_here(tmp_path):
    told = {"host": "elsewhere", "pid": os.getpid(), "since": time.time()}
    (tmp_path / locks.NAME).write_text(json.dumps(told), encoding="utf-8")
    assert not locks.holder(tmp_path).is_here
