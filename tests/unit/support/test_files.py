"""A file is whole or as it was; what a person can mend is told in one line."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from study.support import errors, files
from study.support.errors import StudyError, report_errors
from study.support.files import atomic_path, link, write_text

SCRIPTS = Path(errors.__file__).parents[2]


def test_a_file_appears_whole_and_replaces_the_old_one(tmp_path):
    path = tmp_path / "new folder" / "table.parquet"
    for text in ("first", "second"):
        with atomic_path(path) as temporary:
            assert temporary.parent == path.parent
            assert temporary.suffix == ".parquet"
            temporary.write_text(text)
            assert path.exists() == (text == "second")
        assert path.read_text() == text
    assert os.listdir(path.parent) == ["table.parquet"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failing_write_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "state"
    path.write_text("old")

    def fail():
        with atomic_path(path) as temporary:
            temporary.write_text("half of the n")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["state"]


def test_a_library_may_replace_the_temporary_file_itself(tmp_path):
    with atomic_path(tmp_path / "it") as temporary:
        (tmp_path / "other").write_text("whole")
        (tmp_path / "other").replace(temporary)
    assert (tmp_path / "it").read_text() == "whole"


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_a_file_is_as_readable_as_any_new_file(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_text(tmp_path / "it", "x")
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert (tmp_path / "it").stat().st_mode & 0o777 == mode


def test_what_killed_processes_left_is_removed_by_the_next_write(tmp_path):
    """But for what another process is writing at that moment, and files of other names."""
    target = tmp_path / "state.safetensors"
    code = "import os, sys; from study.support.files import atomic_path\n"
    code += "with atomic_path(sys.argv[1]): os.kill(os.getpid(), 9)"
    for _ in range(2):
        subprocess.run([sys.executable, "-c", code, target], cwd=SCRIPTS)
    other = tmp_path / ".state-of-it.safetensors"
    other.write_bytes(b"")
    assert len(list(tmp_path.iterdir())) == 2
    with atomic_path(target) as first, atomic_path(target) as second:
        assert first.exists()
        second.write_text("two", encoding="utf-8")
        first.write_text("one", encoding="utf-8")
    assert target.read_text(encoding="utf-8") == "one"
    assert sorted(tmp_path.iterdir()) == [other, target]


def test_a_folder_in_the_way_is_named_and_stays(tmp_path):
    (tmp_path / "report.md").mkdir()
    with pytest.raises(IsADirectoryError) as caught, atomic_path(tmp_path / "report.md"):
        pass
    assert caught.value.filename == str(tmp_path / "report.md")
    assert [path.name for path in tmp_path.iterdir()] == ["report.md"]


def test_a_dangling_link_is_replaced(tmp_path):
    (tmp_path / "report.md").symlink_to(tmp_path / "nowhere")
    write_text(tmp_path / "report.md", "text")
    assert not (tmp_path / "report.md").is_symlink()
    assert not (tmp_path / "nowhere").exists()


def test_what_is_in_the_way_is_kept_under_another_name(tmp_path):
    for number in range(3):
        (tmp_path / "run").write_text(str(number), encoding="utf-8")
        files.move_aside(tmp_path / "run")
    kept = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    names = ["run.in-the-way", "run.in-the-way-2", "run.in-the-way-3"]
    assert kept == dict(zip(names, "012", strict=True))


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE])
def test_a_read_that_fails_now_and_then_is_tried_again(tmp_path, monkeypatch, number):
    monkeypatch.setattr(files, "PAUSES", (0, 0))
    left = [OSError(number, "I/O"), OSError(number, "I/O")]

    def read():
        if left:
            raise left.pop()
        return "content"

    assert files.tried_again(read, tmp_path / "plan.json") == "content"


def test_a_read_that_always_fails_is_told_and_not_taken_for_an_absent_file(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "PAUSES", (0,))

    def read():
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(StudyError, match=r"plan\.json: cannot be read, tried 2 times"):
        files.tried_again(read, tmp_path / "plan.json")
    with pytest.raises(FileNotFoundError):
        files.read_bytes(tmp_path / "absent")


def test_text_is_written_in_utf_8(tmp_path):
    write_text(tmp_path / "it", "año\n")
    assert (tmp_path / "it").read_bytes() == b"a\xc3\xb1o\n"


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (
            StudyError("config.yaml: seeds: must be at least 1"),
            "error: config.yaml: seeds: must be",
        ),
        (OSError(28, "", "results/x"), "error: results/x: No space left on device"),
        (PermissionError(13, "", "results"), "error: results: Permission denied"),
        (OSError(28, ""), "error: No space left on device"),
    ],
)
def test_what_a_person_can_mend_ends_the_program_with_one_line(raised, message):
    @report_errors
    def main():
        raise raised

    with pytest.raises(SystemExit) as caught:
        main()
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("raised", [ValueError("a bug"), OSError("no errno"), KeyError(1)])
def test_a_bug_keeps_its_traceback(raised):
    @report_errors
    def main():
        raise raised

    with pytest.raises(type(raised)):
        main()


def test_a_program_that_fails_says_so_on_stderr_and_exits_with_1():
    code = (
        "from study.support.errors import *\n"
        "@report_errors\n"
        "def main(): raise StudyError('what and where')\n"
        "main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=SCRIPTS, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", "error: what and where\n")


def test_a_link_is_made_once_and_takes_nothings_place(tmp_path):
    for _ in range(2):
        link(tmp_path / "results", tmp_path / "copies" / "results")
    (tmp_path / "results" / "file").write_text("here")
    assert (tmp_path / "copies" / "results" / "file").read_text() == "here"
    for other in (tmp_path / "results", tmp_path / "results" / "file"):
        with pytest.raises(StudyError, match=f"{other}: is in the way of a link"):
            link(other, tmp_path / "elsewhere")
