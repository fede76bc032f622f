"""Failures are told apart, and a bug is not repeated until the code changes."""

import errno
import json
from pathlib import Path

import pytest

from study.runs import failures
from study.support.errors import StudyError

SCRIPTS = Path(failures.__file__).parents[2]
PROGRAM, OTHER_PROGRAM = SCRIPTS / "train.py", SCRIPTS / "fidelity.py"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (SystemExit(143), "stopped"),
        (KeyboardInterrupt(), "stopped"),
        (MemoryError(), "memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory"),
        (OSError(errno.ENOSPC, "No space left on device", "in/memory"), "disk"),
        (StudyError("device: cuda is asked for"), "input"),
        (ValueError("a bug in memory.py"), "bug"),
        (RuntimeError("shapes do not match"), "bug"),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), "device"),
        (RuntimeError("cuBLAS error: CUBLAS_STATUS_ALLOC_FAILED"), "memory"),
        (ModuleNotFoundError("No module named 'torch'"), "input"),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), "memory"),
        (OSError("libc10.so: cannot allocate memory in static TLS block"), "memory"),
        (RuntimeError("can't start new thread"), "memory"),
        (ImportError("libcudart.so.12: cannot open shared object file"), "input"),
    ],
)
def test_kinds_are_told_apart(error, kind):
    assert failures.kind_of(error) == kind


def failed(folder, error):
    try:
        raise error
    except BaseException as raised:
        failures.note(folder, raised, PROGRAM)


def test_a_bug_is_refused_at_once_with_its_message_until_the_code_changes(tmp_path):
    failed(tmp_path, ZeroDivisionError("division by zero"))
    with pytest.raises(StudyError, match="ZeroDivisionError: division by zero"):
        failures.refuse_known_bug(tmp_path, PROGRAM)
    failures.refuse_known_bug(tmp_path, OTHER_PROGRAM)
    left = json.loads((tmp_path / failures.NAME).read_text(encoding="utf-8"))
    assert "test_failures.py" in "".join(left["traceback"])
    failures.forget(tmp_path)
    failures.refuse_known_bug(tmp_path, PROGRAM)


@pytest.mark.parametrize("error", [MemoryError(), SystemExit(143), StudyError("input")])
def test_what_may_go_well_the_next_time_is_tried_again(tmp_path, error):
    failed(tmp_path, error)
    failures.refuse_known_bug(tmp_path, PROGRAM)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "1",
        '{"kind": "bug"}',
        '{"kind": ["bug"], "message": "m"}',
        '{"kind": "other", "message": "m"}',
        '{"kind": "bug", "message": 1}',
        '{"kind": "bug", "message": ""}',
        "[" * 5000,
    ],
)
def test_a_damaged_note_refuses_nothing(tmp_path, content):
    (tmp_path / failures.NAME).write_text(content, encoding="utf-8")
    failures.refuse_known_bug(tmp_path, PROGRAM)
    assert failures.kind_left(tmp_path) is None


def test_a_terminals_commands_are_written_out(tmp_path):
    note = {"kind": "bug", "message": "\x1b[2Jgone\nnext"}
    (tmp_path / failures.NAME).write_text(json.dumps(note), encoding="utf-8")
    assert failures.read_failure(tmp_path).message == "\\x1b[2Jgone\nnext"


def test_a_note_that_is_no_plain_file_tells_nothing(tmp_path):
    (tmp_path / failures.NAME).mkdir()
    assert failures.read_failure(tmp_path) is None
