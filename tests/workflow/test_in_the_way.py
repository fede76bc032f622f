"""What stands where results belong, and a clock set back: mended before the first job, and told."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from small_study import ROOT, STUDY, Study

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
    assert "Traceback" not in measured.ok("--config", "partial=true", "--dry-run").output
    output = measured.ok("metrics").output
    aside = folder.with_name(f"{folder.name}.in-the-way")
    assert f"runs/{folder.name}: was in the way, is now results/runs/{aside.name}" in output
    assert aside.read_text(encoding="utf-8") == "kept"
    assert len(list(measured.results.glob("runs/*/record.parquet"))) == 3
    assert "Traceback" not in output
    # That run again, and the new one; the other stays.
    assert len(measured.trained()) == len(before) + 2


@contextlib.contextmanager
def closed(folder: Path) -> Iterator[None]:
    """Let nothing be written into `folder` meanwhile, by root neither."""
    if os.geteuid():
        folder.chmod(0o555)
        yield
        folder.chmod(0o755)
        return
    mounted = subprocess.run(
        ["mount", "--bind", folder, folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"root cannot mount a folder here: {mounted.stderr.strip()}")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_run_whose_folder_cannot_be_written_fails_alone(measured):
    [folder] = measured.results.glob("runs/*dropout0.0*")
    (folder / "record.parquet").unlink()
    measured.configure(experiments=THREE)
    message = f"results/runs/{folder.name}: cannot be written"
    with closed(folder):
        failed = measured.run("metrics")
        assert failed.returncode != 0
        assert f"error: {message}; allow it, and run again" in failed.output
        # No other try can mend it.
        assert failed.output.count("Error in rule refuse_run:") == 1
        assert "Traceback" not in failed.output
        assert len(list(measured.results.glob("runs/*dropout0.4*/record.parquet"))) == 1

        told = subprocess.run(
            ["python", ROOT / "scripts/show_status.py", "--configfile", "study.yaml"],
            cwd=measured.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        assert message in told.stdout
        partial = measured.ok("--config", "partial=true", "--", "report")
        assert "Traceback" not in partial.output
        summary = pq.read_table(measured.results / "summary.parquet").to_pydict()
        assert set(summary["value"]) == {"0.2", "0.4"}
        assert (measured.results / "report.en.html").exists()
    before = measured.trained()
    measured.ok("metrics")
    assert measured.trained() == before
    assert (folder / "record.parquet").exists()
    assert not list(measured.results.glob("logs/refuse_run.*"))


def test_results_that_cannot_be_written_are_told_before_the_first_job(measured):
    measured.configure(experiments=THREE)
    with closed(measured.results):
        failed = measured.run("metrics")
    assert failed.returncode != 0
    [line] = [line for line in failed.output.splitlines() if line.startswith("error: ")]
    assert line.startswith("error: results")
    assert line.endswith("cannot be written; allow it, or work in another folder")
    assert "Job stats" not in failed.output
    assert "Traceback" not in failed.output


def test_a_file_in_place_of_results_is_moved_aside(study):
    study.results.write_text("kept", encoding="utf-8")
    study.configure(seeds=1, baseline=STUDY["baseline"] | {"epochs": 1})
    output = study.ok("metrics").output
    assert "results: was in the way, is now results.in-the-way" in output
    assert (study.folder / "results.in-the-way").read_text(encoding="utf-8") == "kept"


def test_folders_and_dead_links_in_place_of_files_are_moved_aside(measured):
    before = measured.trained()
    (measured.results / "summary.parquet").unlink()
    (measured.results / "summary.parquet").mkdir()
    (measured.results / "summary.parquet" / "kept").touch()
    (measured.results / "metrics.parquet").unlink()
    (measured.results / "metrics.parquet").symlink_to("nowhere")
    assert "leads nowhere" in measured.ok("--dry-run", "--", "metrics").output
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
