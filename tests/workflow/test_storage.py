"""With results in S3 a study has the numbers of a local one, and other machines go on with it."""

import io
import json
import os
import signal
import subprocess
import time

import pyarrow.parquet as pq
import pytest

import s3_server
from small_study import ROOT, STUDY, Study

BUCKET = "bucket"


class StoredStudy(Study):
    """A study whose results lie in S3, with `folder` as one machine's working folder."""

    def __init__(self, folder, server, name):
        super().__init__(folder)
        self.server = server
        self.prefix = name

    def command(self, *words):
        profile = ROOT / "profiles" / "s3"
        place = f"s3://{BUCKET}/{self.prefix}"
        return super().command(*words, "--profile", str(profile), "--default-storage-prefix", place)

    def run(self, *words, **environment):
        return super().run(*words, **self.server.environment, **environment)

    def stored(self, path):
        return self.server.read(BUCKET, f"{self.prefix}/results/{path}")


@pytest.fixture(scope="module")
def server():
    with s3_server.running() as started:
        yield started


def rows(source):
    """A Parquet file's content, without the machine and versions that it was made with."""
    return pq.read_table(source).replace_schema_metadata(None)


def test_a_study_in_storage_has_the_numbers_of_a_local_one(tmp_path, server):
    """Then nothing is left to do, here and on another machine; there a longer study goes on."""
    plain = Study(tmp_path / "plain")
    plain.configure(final={"epochs": 2})
    plain.ok("metrics")

    here = StoredStudy(tmp_path / "here", server, "study")
    here.configure(final={"epochs": 2})
    here.ok()
    summary = rows(plain.results / "summary.parquet")
    assert rows(io.BytesIO(here.stored("summary.parquet"))) == summary
    runs = {path.name for path in here.results.glob("runs/*")}
    names = server.names(BUCKET)
    for run in runs:
        for file in ("record.parquet", "state.safetensors", "journal.jsonl", "train.log"):
            assert f"study/results/runs/{run}/{file}" in names
    assert here.results.is_symlink()
    assert here.content() == plain.content()
    assert (here.results / "report.en.md").is_file()
    assert "Nothing to be done" in here.ok().output

    there = StoredStudy(tmp_path / "there", server, "study")
    there.configure(final={"epochs": 2})
    assert "Nothing to be done" in there.ok().output

    there.configure(baseline=STUDY["baseline"] | {"epochs": 3})
    before = here.trained()
    there.ok("metrics")
    assert {epoch for _, epoch, _ in there.trained()} == {1, 2, 3}
    assert there.newly_trained(before) == 2 * 2 * 1


def test_a_final_model_that_results_choose_is_made_in_storage_too(tmp_path, server):
    here = StoredStudy(tmp_path / "here", server, "chosen")
    here.configure(final="best")
    here.ok()
    choice = json.loads(here.stored("choice.json"))
    assert choice["settings"]
    there = StoredStudy(tmp_path / "there", server, "chosen")
    there.configure(final="best")
    assert "train" not in there.ok().jobs


def test_killed_on_one_machine_it_goes_on_where_it_was_on_another(tmp_path, server):
    long = {"baseline": STUDY["baseline"] | {"epochs": 400}, "seeds": 1}
    here = StoredStudy(tmp_path / "here", server, "killed")
    here.configure(**long)
    running = subprocess.Popen(
        here.command("metrics"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | server.environment,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        while (
            sum(
                name.endswith("state.safetensors")
                for name in server.names(BUCKET)
                if name.startswith("killed/")
            )
            < 2
        ):
            assert running.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()

    there = StoredStudy(tmp_path / "there", server, "killed")
    there.configure(**long)
    there.ok("metrics")
    trained = there.trained()
    for run in {run for run, *_ in trained}:
        epochs = [epoch for name, epoch, _ in trained if name == run]
        assert sorted(set(epochs)) == list(range(1, 401))
        # What came after the last save is trained again, and no more.
        assert len(epochs) < 600
    pids = {
        json.loads(line)["pid"]
        for path in there.results.glob("runs/*/journal.jsonl")
        for line in path.read_text().splitlines()
    }
    assert len(pids) == 4


def test_a_folder_of_local_results_is_not_mixed_with_storage(tmp_path, server):
    study = StoredStudy(tmp_path, server, "mixed")
    study.configure()
    (tmp_path / "results").mkdir()
    done = study.run("-n")
    assert done.returncode == 1
    assert "results: is in the way of a link" in done.output
