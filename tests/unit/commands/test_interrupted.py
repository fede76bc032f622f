"""Ctrl-C while a program still imports its libraries ends it without a traceback."""

import signal
import subprocess
import sys

import pytest

from small_study import ROOT


@pytest.mark.parametrize("program", ["summarise.py", "train.py", "show_status.py"])
def test_ctrl_c_during_imports_is_no_fault(tmp_path, program):
    (tmp_path / "numpy.py").write_text("raise KeyboardInterrupt", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / program, "--help"],
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    # As a shell tells a program that Ctrl-C has ended from one that has failed.
    assert done.returncode in (-signal.SIGINT, 128 + signal.SIGINT)


def test_another_error_keeps_its_traceback(tmp_path):
    (tmp_path / "numpy.py").write_text("raise ValueError('broken')", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "summarise.py", "--help"],
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert "ValueError: broken" in done.stderr
    assert done.returncode == 1
