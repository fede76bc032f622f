"""`make watch` through a study's start, kill, continuation and end, by the Makefile's recipes."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import psutil
import pytest

import forkserver
from small_study import ROOT, STUDY, Study, copy_code_for_make

EPOCHS = 6


def make(study: Study, target: str, *words: str) -> list[str]:
    """The words of `make target` for a study; programs are forks (tests/forkserver.py)."""
    return [
        *("make", "--no-print-directory", "-o", ".venv/.installed", target, "CORES=2"),
        *(f"CONFIG={study.folder / 'study.yaml'}", f"FOLDER={study.folder}", *words),
        f"PATH={forkserver.environment()['PATH']}",
    ]


class Watcher:
    """`make watch`, and what its page fetches."""

    def __init__(self, study: Study):
        self.process = subprocess.Popen(
            make(study, "watch", "ARGS=--no-open --token"),
            cwd=ROOT,
            start_new_session=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        told = self.process.stdout.readline()
        self.address = next(word for word in told.split() if word.startswith("http://"))
        self.port = int(self.address.split("/")[2].rpartition(":")[2])

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.address + path) as answer:
            return answer.read()

    def state_when(self, is_so: Callable[[dict], bool]) -> dict:
        """The first state of which that is so."""
        deadline = time.monotonic() + 300
        while True:
            state = json.loads(self.get("state.json"))
            if is_so(state):
                return state
            assert time.monotonic() < deadline, state
            time.sleep(0.2)


def drawn(state: dict) -> list[list[int]]:
    return [curve["epochs"] for curve in state["curves"]]


def epochs(last: int) -> Callable[[dict], bool]:
    """Whether both runs are shown to have trained until this epoch."""
    return lambda state: drawn(state) == [list(range(1, last + 1))] * 2


def report(study: Study, code) -> subprocess.Popen:
    return subprocess.Popen(
        make(study, "report"),
        cwd=code,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """The states of a study that is begun, killed, begun again and run to its end."""
    study = Study(tmp_path_factory.mktemp("watched"))
    study.configure(baseline=STUDY["baseline"] | {"epochs": EPOCHS})
    code = tmp_path_factory.mktemp("code") / "clone"
    copy_code_for_make(code)
    watcher = Watcher(study)
    told = {"study": study, "new": watcher.state_when(lambda _: True)}

    study.hold(1)
    process = report(study, code)
    told["first"] = watcher.state_when(epochs(1))
    study.hold(3)
    told["grown"] = watcher.state_when(epochs(3))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    told["killed"] = watcher.state_when(lambda state: state["state"] != "running")

    study.release()
    process = report(study, code)
    # A busy machine may come to the end between two looks.
    told["again"] = watcher.state_when(lambda state: state["state"] in ("running", "finished"))
    told["end"] = watcher.state_when(lambda state: state["reports"] != [])
    assert process.wait() == 0
    told["page"] = watcher.get("report.en.html")
    told["figure"] = watcher.get("figures/dropout.en.svg")

    told["servers"] = listening(watcher.port)
    os.killpg(watcher.process.pid, signal.SIGTERM)
    watcher.process.communicate(timeout=60)
    told["left"] = listening(watcher.port)
    return told


def listening(port: int) -> list[int | None]:
    """The processes that listen on a port."""
    return [
        each.pid
        for each in psutil.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN and each.laddr.port == port
    ]


def test_before_the_study_there_is_none(story):
    assert story["new"]["state"] == "not begun"
    assert story["new"]["listed"] == []


def test_while_it_trains_curves_grow(story):
    first, grown = story["first"], story["grown"]
    for state in (first, grown):
        assert state["state"] == "running"
        assert state["runs"] == {"training": 2}
        assert state["wanted"] == 2 * 2 * EPOCHS
        assert all(0 < score <= 100 for curve in state["curves"] for score in curve["scores"])
    assert first["done"] == 2 * 2
    assert grown["done"] == 2 * 2 * 3
    assert [run["epoch"] for run in grown["listed"]] == [3, 3]
    assert grown["seconds_left"] > 0
    # What was drawn stays as it was.
    assert [curve["scores"][:1] for curve in grown["curves"]] == [
        curve["scores"] for curve in first["curves"]
    ]


def test_after_a_kill_nothing_trains_and_what_was_drawn_stays(story):
    killed = story["killed"]
    assert killed["state"] == "unfinished"
    assert killed["runs"] == {"interrupted": 2}
    assert all("was killed" in run["message"] for run in killed["listed"])
    assert killed["curves"] == story["grown"]["curves"]


def test_it_goes_on_to_its_end_where_the_page_is_the_report(story):
    study, end = story["study"], story["end"]
    assert story["again"]["done"] >= story["killed"]["done"]
    assert (end["state"], end["reports"]) == ("finished", ["en"])
    assert end["runs"] == {"finished": 2}
    assert (end["done"], end["seconds_left"]) == (2 * 2 * EPOCHS, 0)
    [experiment] = end["experiments"]
    assert (
        experiment["name"],
        experiment["finished"],
        experiment["best"]["value"] in ("0.0", "0.2"),
    ) == (
        *("dropout", 2),
        True,
    )
    assert story["page"] == (study.results / "report.en.html").read_bytes()
    assert story["figure"] == (study.results / "figures" / "dropout.en.svg").read_bytes()


def test_at_its_end_no_server_is_left(story):
    assert len(story["servers"]) == 1
    assert story["left"] == []
