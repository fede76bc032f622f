"""What the environment says for other programs' sake does not reach ours."""

import json
import os
import re
import subprocess
import sys

import pytest

from small_study import ROOT
from study.support import environment

COMMANDS = sorted((ROOT / "scripts" / "study" / "commands").glob("[!_]*.py"))


@pytest.fixture(autouse=True)
def none_removed(monkeypatch):
    monkeypatch.setattr(environment, "removed", {})


def test_what_changes_numbers_is_taken_out_and_told():
    given = {"MKL_CBWR": "COMPATIBLE", "NVIDIA_TF32_OVERRIDE": "1", "HOME": "/home/me"}
    environment.settle(given)
    assert given == {"HOME": "/home/me"}
    assert environment.removed == {"MKL_CBWR": "COMPATIBLE", "NVIDIA_TF32_OVERRIDE": "1"}


def test_no_program_imports_what_reads_the_environment_before_it_is_settled():
    names = [f"study.commands.{path.stem}" for path in COMMANDS]
    said = (
        f"import importlib, sys; sys.path.insert(0, {str(ROOT / 'scripts')!r})\n"
        f"for name in {names}:\n"
        "    importlib.import_module(name)\n"
        "    assert not {'matplotlib', 'torch'} & {*sys.modules}, name"
    )
    subprocess.run([sys.executable, "-c", said], check=True)


# Of a notebook's kernel, of containers, of a terminal that claims to know no more than ASCII.
HOSTILE = dict.fromkeys(environment.TAKEN_OUT, "1") | {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "MKL_CBWR": "COMPATIBLE",
    "LC_ALL": "C",
    "PYTHONIOENCODING": "ascii",
    "PYTHONHASHSEED": "7",
    "TZ": "Asia/Kathmandu",
}


def test_words_that_a_terminal_cannot_show_are_no_reason_to_fail():
    said = (
        "from study.support.errors import report_errors\n"
        "report_errors(lambda: print('83.8 \N{PLUS-MINUS SIGN} 0.1 \N{HORIZONTAL ELLIPSIS}'))()"
    )
    done = subprocess.run(
        [sys.executable, "-c", said],
        capture_output=True,
        check=True,
        env={**os.environ, **HOSTILE, "PYTHONPATH": str(ROOT / "scripts")},
    )
    assert done.stdout.decode() == "83.8 ? 0.1 ?\n"


def test_a_record_tells_what_was_not_heeded():
    said = (
        "import json\n"
        "from study.runs import provenance\n"
        "from study.support.errors import report_errors\n"
        "report_errors(lambda: print(json.dumps(provenance.made_by())))()"
    )
    done = subprocess.run(
        [sys.executable, "-c", said],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "MKL_CBWR": "COMPATIBLE", "PYTHONPATH": str(ROOT / "scripts")},
    )
    assert json.loads(done.stdout)["not_heeded"] == {"MKL_CBWR": "COMPATIBLE"}


def test_make_leaves_out_what_is_read_too_early():
    told = "".join(re.findall(r"^unexport (.*\n)", (ROOT / "Makefile").read_text(), re.M))
    assert sorted(told.split()) == sorted(environment.UNSET)
