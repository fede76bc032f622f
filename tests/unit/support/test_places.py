"""What stands in the way is seen, and told before anything is made."""

import os
import time
from pathlib import Path

import pytest

from study.support import places
from study.support.errors import StudyError


def test_files_and_folders_that_are_right_are_in_nobodys_way(tmp_path):
    (tmp_path / "runs" / "a").mkdir(parents=True)
    (tmp_path / "runs" / "a" / "record").write_text("", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "runs" / "a" / "record")
    files = ["runs/a/record", "runs/a/weights", "runs/b/record", "figures/x.png", "link"]
    assert places.in_the_way(tmp_path / name for name in files) == []


def test_a_file_for_a_folder_a_folder_for_a_file_and_a_dead_link_are(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "a").write_text("", encoding="utf-8")
    (tmp_path / "summary").mkdir()
    (tmp_path / "claims").symlink_to(tmp_path / "nowhere")
    (tmp_path / "figures").symlink_to(tmp_path / "nowhere")
    files = ["runs/a/record", "runs/a/weights", "summary", "claims", "figures/x.png"]
    found = places.in_the_way(tmp_path / name for name in files)
    assert [path.name for path in found] == ["a", "summary", "claims", "figures"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    closed = tmp_path / "figures"
    closed.mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != closed)
    places.refuse_unwritable([tmp_path, tmp_path / "absent"])
    with pytest.raises(StudyError, match="figures: cannot be written"):
        places.refuse_unwritable([tmp_path, closed])


def test_a_file_whose_time_cannot_be_set_is_left(tmp_path, monkeypatch):
    late = [tmp_path / name for name in ("closed", "open")]
    for path in late:
        path.touch()
        os.utime(path, (time.time() + 3600, time.time() + 3600))
    set_time = os.utime

    def refusing(path, times):
        if path == late[0]:
            raise PermissionError(f"{path}")
        set_time(path, times)

    monkeypatch.setattr(os, "utime", refusing)
    assert places.bring_back(late) == 1
    assert late[1].stat().st_mtime <= time.time() < late[0].stat().st_mtime


def test_files_of_the_future_come_before_now_in_their_order(tmp_path):
    now = time.time()
    hours = {"old": -1, "first": 0.5, "second": 0.6, "last": 1}
    for name, hour in hours.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (now, now + 3600 * hour))
    paths = [tmp_path / name for name in [*hours, "absent"]]
    assert places.bring_back(paths) == 3
    times = [path.stat().st_mtime for path in paths[:-1]]
    assert times == sorted(times)
    assert times[-1] <= time.time()
    assert times[1] > now - 2
    assert places.bring_back(paths) == 0
