"""What stands where results belong, and a clock set back: mended before the first job, and told."""

import os
import shutil
import time

import pytest

from small_study import Study

THREE = {"dropout": {"vary": {"dropout": [0.0, 0.2, 0.4]}}}


@pytest.fixture(scope="module")
def measured_once(tmp_path_factory) -> Study:
    """The small study as far as its metrics."""
    made = Study(tmp_path_factory.mktemp("measured"))
    made.configure()
    made.ok("metrics")
    return made


@pytest.fixture
def measured(measured_once, tmp_path) -> Study:
    return measured_once.copy(tmp_path / "copy")


def test_a_file_in_place_of_a_runs_folder_stops_nothing(measured):
    [folder] = measured.results.glob("runs/*dropout0.0*")
    before = measured.trained()
    shutil.rmtree(folder)
    folder.write_text("kept", encoding="utf-8")
    measured.configure(experiments=THREE)
    output = measured.ok("metrics").output
    aside = folder.with_name(f"{folder.name}.in-the-way")
    assert f"runs/{folder.name}: was in the way, is now results/runs/{aside.name}" in output
    assert aside.read_text(encoding="utf-8") == "kept"
    assert len(list(measured.results.glob("runs/*/record.parquet"))) == 3
    assert "Traceback" not in output
    # That run again, and the new one; the other stays.
    assert len(measured.trained()) == len(before) + 2


def test_folders_and_dead_links_in_place_of_files_are_moved_aside(measured):
    before = measured.trained()
    (measured.results / "summary.parquet").unlink()
    (measured.results / "summary.parquet").mkdir()
    (measured.results / "summary.parquet" / "kept").touch()
    (measured.results / "metrics.parquet").unlink()
    (measured.results / "metrics.parquet").symlink_to("nowhere")
    measured.ok("metrics")
    assert (measured.results / "summary.parquet.in-the-way" / "kept").exists()
    assert (measured.results / "summary.parquet").is_file()
    assert not (measured.results / "metrics.parquet").is_symlink()
    assert measured.trained() == before
    assert "Nothing to be done" in measured.ok("metrics").output


def test_a_call_after_the_clock_was_set_back_trains_what_is_new(measured):
    """As all files would look if the clock were set back an hour now."""
    for path in measured.folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            status = path.stat()
            os.utime(path, (status.st_atime + 3600, status.st_mtime + 3600))
    before = measured.trained()
    measured.configure(experiments=THREE)
    output = measured.ok("metrics").output
    assert "files are of the future" in output
    assert "clock skew" not in output
    assert measured.newly_trained(before) == 2 * 2
    assert all(path.stat().st_mtime <= time.time() for path in measured.results.glob("*.parquet"))


def test_a_partial_report_needs_no_choice_that_is_not_made_yet(measured):
    before = measured.trained()
    measured.configure(experiments=THREE, final="best")
    output = measured.ok("--config", "partial=true", "--", "metrics").output
    assert "choose_final" not in output
    assert measured.trained() == before
