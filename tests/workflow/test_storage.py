"""With results in S3 a study has the numbers of a local one, and another machine goes on with it.

A run that is killed on one machine and goes on on another: tests/unit/test_train_program.py.
"""

import io

import pyarrow.parquet as pq
import pytest

import s3_server
from small_study import ROOT, STUDY, Study

BUCKET = "bucket"


class StoredStudy(Study):
    """A study whose results lie in S3; its folder is one machine's."""

    def __init__(self, folder, server):
        super().__init__(folder)
        self.server = server

    def command(self, *words):
        profile = ["--profile", str(ROOT / "profiles" / "s3")]
        place = ["--default-storage-prefix", f"s3://{BUCKET}/study"]
        return super().command(*words, *profile, *place)

    def run(self, *words, **environment):
        return super().run(*words, **self.server.environment, **environment)

    def stored(self, path):
        """The rows of a Parquet file in storage."""
        return rows(io.BytesIO(self.server.read(BUCKET, f"study/results/{path}")))


@pytest.fixture(scope="module")
def server():
    with s3_server.running() as started:
        yield started


def rows(source):
    """A Parquet file's content, without the machine and versions that it was made with."""
    return pq.read_table(source).replace_schema_metadata(None)


def test_a_study_in_storage_has_the_numbers_of_a_local_one_and_grows_elsewhere(tmp_path, server):
    """With a final model that the results choose, which is known once they are in storage."""
    plain = Study(tmp_path / "plain")
    plain.configure(final="best")
    plain.ok("metrics")

    here = StoredStudy(tmp_path / "here", server)
    here.configure(final="best")
    here.ok("metrics", "model")
    assert here.stored("summary.parquet") == rows(plain.results / "summary.parquet")
    assert here.content() == plain.content()
    names = server.names(BUCKET)
    for path in plain.results.glob("runs/*"):
        for file in ("record.parquet", "state.safetensors", "journal.jsonl", "train.log"):
            assert f"study/results/runs/{path.name}/{file}" in names
    assert "study/results/model/model.onnx" in names
    assert "Nothing to be done" in here.ok("metrics", "model").output

    # Another machine, which has nothing but the code and the config.
    there = StoredStudy(tmp_path / "there", server)
    there.configure(final="best", baseline=STUDY["baseline"] | {"epochs": 3})
    before = here.trained()
    there.ok("metrics")
    assert there.newly_trained(before) == 2 * 2 * 1
    assert set(there.stored("summary.parquet")["epochs"].to_pylist()) == {3}


def test_a_folder_of_local_results_is_not_mixed_with_storage(tmp_path, server):
    study = StoredStudy(tmp_path, server)
    study.configure()
    (tmp_path / "results").mkdir()
    done = study.run("-n")
    assert done.returncode == 1
    assert "results: is in the way of a link" in done.output
