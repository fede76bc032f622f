"""What is shown while the study runs, and what `make status` tells at every moment, is so.

By the Makefile's own recipes: a panel at a terminal, Snakemake's lines elsewhere.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from ruamel.yaml import YAML

import forkserver
from small_study import ROOT, STUDY, Study, copy_code_for_make
from study.operations.status import headings
from study.spec.tasks import CLASSIFICATION
from terminal import Terminal

# Looked at, stopped and killed on the way, for which training waits after these epochs.
FIRST_HOLD, SECOND_HOLD, EPOCHS = 5, 10, 12
LONG = {
    "baseline": STUDY["baseline"] | {"epochs": EPOCHS},
    "final": {"dropout": 0.2},
}

WANTED = 2 * 2 * EPOCHS


# A run in the panel: how far it is, its accuracy and its loss.
TRAINING = rf"training +\d+ of {EPOCHS} +\d+\.\d\d % +\d\.\d{{4}} .* last epoch \d+ s ago"


def make(study: Study, target: str, forked: bool = False) -> list[str]:
    """The words of `make target` for a study; what is installed stays as it is.

    The jobs' programs are forks (tests/forkserver.py), but for a test that kills them.
    """
    return [
        *("make", "--no-print-directory", "-o", ".venv/.installed", target, "CORES=2"),
        *(f"CONFIG={study.folder / 'study.yaml'}", f"FOLDER={study.folder}"),
        *([f"PATH={forkserver.environment()['PATH']}"] if forked else []),
    ]


def status(study: Study, code: Path = ROOT) -> str:
    words = make(study, "status", forked=True)
    done = subprocess.run(words, cwd=code, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def wait_for(happened: Callable[[], bool], process: subprocess.Popen) -> None:
    """Until it has happened, which must be before the process ends."""
    deadline = time.monotonic() + 300
    while not happened():
        assert process.poll() is None, "ended before it could be looked at"
        assert time.monotonic() < deadline
        time.sleep(0.05)


def each_run_trains(study: Study, epochs: int) -> bool:
    """Whether every run has trained so many epochs."""
    trained = Counter(run for run, *_ in study.trained())
    return len(trained) == 2 and min(trained.values()) >= epochs


def wait_until_gone(group: int) -> None:
    """Wait until no process of a group is left: those that are killed take a moment to end."""
    deadline = time.monotonic() + 60
    while any(group_of(process) == group for process in psutil.process_iter()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def group_of(process: psutil.Process) -> int | None:
    """The group of a process that still runs."""
    try:
        return None if process.status() == psutil.STATUS_ZOMBIE else os.getpgid(process.pid)
    except (psutil.NoSuchProcess, ProcessLookupError):
        return None


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """A study begun at a terminal, stopped by Ctrl-C, begun again, killed, and run to its end."""
    study = Study(tmp_path_factory.mktemp("story"))
    study.configure(**LONG)
    code = tmp_path_factory.mktemp("code") / "clone"
    copy_code_for_make(code)
    study.hold(FIRST_HOLD)
    told = {"new": status(study, code)}

    terminal = Terminal(make(study, "report", forked=True), code)
    wait_for(lambda: each_run_trains(study, 2), terminal.process)
    told["during"] = status(study, code)
    wait_for(lambda: re.search(TRAINING, terminal.text) is not None, terminal.process)
    terminal.press_ctrl_c()
    told["interrupted code"] = terminal.wait()
    told["interrupted"], told["panel"], told["raw"] = (
        status(study, code),
        terminal.text,
        terminal.raw,
    )
    told["trained"] = study.trained()

    study.hold(SECOND_HOLD)
    process = subprocess.Popen(
        make(study, "report"),
        cwd=code,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: len(study.trained()) > len(told["trained"]) + 4, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    wait_until_gone(process.pid)
    told["killed"] = status(study, code)

    study.release()
    last = Terminal(make(study, "report", forked=True), code)
    told["code"] = last.wait()
    told["end"], told["finished"] = last.text, status(study, code)
    told["study"] = study
    return told


def test_before_the_first_run_the_command_is_named(story):
    first, last = story["new"].splitlines()
    assert first.startswith(f"not begun: 0 of 2 runs finished, 0 of {WANTED} epochs")
    assert last.startswith("next: make report CONFIG=")


def test_during_a_run_what_trains_is_told_with_its_measures(story):
    first, heading, *runs = story["during"].splitlines()
    match = re.match(
        rf"running: 0 of 2 runs finished, (\d+) of {WANTED} epochs; about .* of training left",
        first,
    )
    assert 2 * 2 * 2 <= int(match[1]) < WANTED
    assert re.split("  +", heading) == headings(CLASSIFICATION)
    for run in runs:
        assert re.search(TRAINING, run)
    assert len(runs) == 2


def test_the_panel_shows_the_same_and_none_of_snakemakes_lines(story):
    assert re.search(rf"0 of 2 runs finished, \d+ of {WANTED} epochs", story["panel"])
    assert re.search(TRAINING, story["panel"])
    assert "━" in story["panel"]
    for line in ("localrule train", "Finished jobid", "Job stats", "steps ("):
        assert line not in story["panel"]
        assert line not in story["end"]
    log = sorted(story["study"].folder.glob(".snakemake/log/*.log"))[0]
    assert "rule train" in log.read_text(encoding="utf-8")


def test_ctrl_c_stops_the_study_with_its_state_saved_and_the_terminal_whole(story):
    assert story["interrupted code"] != 0
    assert story["raw"].rindex("\x1b[?25h") > story["raw"].rindex("\x1b[?25l")
    told = story["interrupted"]
    trained = 2 * len(story["trained"])
    assert told.startswith(f"unfinished: 0 of 2 runs finished, {trained} of {WANTED} epochs")
    assert told.count("was told to stop") == 2
    assert "(goes on from the saved epochs)" in told


def test_after_a_kill_nothing_is_said_to_train(story):
    first, *_ = story["killed"].splitlines()
    done = int(re.match(r"unfinished: 0 of 2 runs finished, (\d+) of", first)[1])
    assert 2 * len(story["trained"]) <= done < WANTED
    assert story["killed"].count("was killed") == 2


def test_at_the_end_the_report_the_headline_the_time_and_what_was_reused_are_told(story):
    assert story["code"] == 0
    report = story["study"].results / "report.en.md"
    assert f"report: {report}" in story["end"]
    assert re.search(r"final model: validation accuracy \d+\.\d\d %? ?[±(]", story["end"])
    trained, reused = map(
        int, re.search(r"in .* s: (\d+) epochs trained, (\d+) reused", story["end"]).groups()
    )
    assert trained + reused == WANTED
    assert reused >= 2 * len(story["trained"])
    first, headline, *places = story["finished"].splitlines()
    assert first == f"finished: 2 of 2 runs finished, {WANTED} of {WANTED} epochs"
    assert headline.startswith("final model: validation accuracy ")
    assert sorted(places) == [f"report: {report.with_suffix('.html')}", f"report: {report}"]


def test_a_failure_can_be_read_after_the_panel_and_in_the_status(tmp_path):
    study = Study(tmp_path)
    study.configure(experiments={"dropout": {"vary": {"dropout": [0.0]}}})
    code = tmp_path / "clone"
    copy_code_for_make(code)
    message = "no training today"
    with (code / "scripts" / "study" / "runs" / "replicates.py").open("a") as file:
        file.write(f"\n\ndef extend(*_):\n    raise OSError({message!r})\n")
    terminal = Terminal(make(study, "report", forked=True), code)
    assert terminal.wait() != 0
    assert message in terminal.text
    assert "make report-partial" in terminal.text
    told = status(study, code)
    assert told.startswith("failed: 0 of 1 runs finished")
    assert message in told
    [run] = study.results.glob("runs/*")
    assert str(run.relative_to(study.folder) / "train.log") in told
    assert "next: make report" in told


def test_on_a_pipe_snakemakes_lines_stay_and_the_quick_study_gives_a_whole_report(tmp_path):
    """The study of `make quick`, on made-up images."""
    study = Study(tmp_path)
    quick = YAML(typ="safe").load(ROOT / "configs" / "quick.yaml")
    study.configure(**quick | {"data": STUDY["data"]})
    words = make(study, "report", forked=True)
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert re.search(r"^localrule train:$", done.stderr, re.M)
    assert re.search(r"^\d+ of \d+ steps \(100%\) done$", done.stderr, re.M)
    assert (study.results / "report.en.md").is_file()
    assert "final model: validation accuracy" in done.stdout
    assert f"report: {study.results / 'report.en.md'}" in done.stderr

    again = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert "Nothing to be done" in again.stderr
    assert re.search(r"0 epochs trained, \d+ reused", again.stdout)
    assert f"report: {study.results / 'report.en.md'}" in again.stdout


def test_make_quick_is_the_report_of_its_config_in_a_folder_of_its_own():
    done = subprocess.run(
        ["make", "-n", "-o", ".venv/.installed", "quick"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert 'snakemake --cores all --configfile "configs/quick.yaml" --directory "quick"' in (
        done.stdout
    )


@pytest.mark.parametrize("target", ["report", "plan", "status"])
def test_a_folder_without_a_config_is_no_new_one(target, tmp_path):
    """Its name may be misspelt."""
    done = subprocess.run(
        ["make", "-n", "-o", ".venv/.installed", target, f"FOLDER={tmp_path}/my-stduy"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert f"FOLDER={tmp_path}/my-stduy: no config.yaml is in it" in done.stderr
    assert f"make new-study NAME={tmp_path}/my-stduy" in done.stderr


def test_a_folders_own_config_needs_no_naming(tmp_path):
    """As `make new-study` makes it."""
    (tmp_path / "config.yaml").write_text(json.dumps(STUDY), encoding="utf-8")
    done = subprocess.run(
        ["make", "-n", "-o", ".venv/.installed", "report", f"FOLDER={tmp_path}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert f'--configfile "{tmp_path}/config.yaml"' in done.stdout
    assert f'--again make report "FOLDER={tmp_path}"' in " ".join(done.stdout.split())


def test_a_folder_with_a_space_is_one_and_printed_as_one(tmp_path):
    """What is printed as the next command can be typed as it stands."""
    folder = tmp_path / "my study; mine"
    program = [sys.executable, ROOT / "scripts" / "new_study.py", folder]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    commands = [line.strip().partition("   ")[0] for line in done.stdout.splitlines()[1:]]
    make = ["make", "-s", "-o", ".venv/.installed"]
    done = subprocess.run(
        [*make, "status", f"FOLDER={folder}"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    commands.append(done.stdout.splitlines()[-1].removeprefix("next: "))
    for command in commands:
        words = shlex.split(command)
        assert words[-1] == f"FOLDER={folder}"
        shown = subprocess.run(
            [*make, "-n", *words[1:]], cwd=ROOT, capture_output=True, text=True, check=True
        )
        # `make plan` calls a program of ours, `make report` Snakemake too.
        lines = [line for line in shown.stdout.splitlines() if "--configfile" in line]
        assert lines
        for line in lines:
            words = shlex.split(line)
            assert words[words.index("--configfile") + 1] == f"{folder}/config.yaml"
            place = "--directory" if words[0] == "snakemake" else "cd"
            assert words[words.index(place) + 1] == str(folder)


def test_make_passes_a_yes_on(tmp_path):
    # Called by make test, this make would say too which folder it enters and leaves.
    command = ["make", "-n", "--no-print-directory", "-o", ".venv/.installed", "prune", "YES=1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("--yes")


def test_only_a_call_for_the_report_says_where_it_is(finished):
    finished.configure(seeds=3)
    assert "report: " not in finished.ok("--until", "train").output
    assert "report: " not in finished.ok("metrics").output
    assert finished.ok().output.count("report: ") == 2
