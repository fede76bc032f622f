"""A file is whole or as it was; what a person can mend is told in one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from study.support import errors
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
