"""In storage a run's training is gone on with where it was, on whatever machine."""

import pytest

import s3_server
from study.support.errors import StudyError
from study.support.object_store import Folder

BUCKET = "somewhere"
ADDRESS = f"s3://{BUCKET}/study/results/runs/some-run"


@pytest.fixture(scope="module")
def server():
    with s3_server.running() as started:
        started.client.create_bucket(Bucket=BUCKET)
        yield started


@pytest.fixture(autouse=True)
def _spoken_to(server, monkeypatch):
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)


def told_nothing(line):
    raise AssertionError(line)


def test_what_one_machine_keeps_another_fetches(tmp_path, server):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    for name in ("journal.jsonl", "state.safetensors"):
        (here / name).write_text(f"the {name}")
    Folder(ADDRESS).keep(here / "journal.jsonl", here / "state.safetensors", tell=told_nothing)
    assert "study/results/runs/some-run/state.safetensors" in server.names(BUCKET)
    Folder(ADDRESS).fetch(there / "state.safetensors", there / "journal.jsonl")
    assert {path.name: path.read_text() for path in there.iterdir()} == {
        path.name: path.read_text() for path in here.iterdir()
    }


def test_what_is_not_there_leaves_what_is_here(tmp_path):
    (tmp_path / "state.safetensors").write_text("mine")
    Folder(f"{ADDRESS}-new").fetch(tmp_path / "state.safetensors", tmp_path / "journal.jsonl")
    Folder("s3://no-such-bucket/run").fetch(tmp_path / "state.safetensors")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "state.safetensors": "mine"
    }


def test_without_an_address_nothing_is_done(tmp_path):
    storage = Folder(None)
    storage.fetch(tmp_path / "state.safetensors")
    storage.keep(tmp_path / "state.safetensors", tell=told_nothing)
    assert list(tmp_path.iterdir()) == []


def test_storage_that_does_not_answer_stops_a_run_and_does_not_end_one(tmp_path, monkeypatch):
    """At its start it would begin anew; once it goes on, there is a state on this machine."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    state = tmp_path / "state.safetensors"
    with pytest.raises(StudyError, match=f"{ADDRESS}: cannot be read"):
        Folder(ADDRESS).fetch(state)
    state.write_text("mine")
    lines = []
    Folder(ADDRESS).keep(state, tell=lines.append)
    assert len(lines) == 1
    assert f"{ADDRESS}: could not be written" in lines[0]


def test_the_keys_that_snakemake_hands_on_go_before_others(monkeypatch):
    monkeypatch.setenv("SNAKEMAKE_STORAGE_S3_ACCESS_KEY", "of-the-job")
    monkeypatch.setenv("SNAKEMAKE_STORAGE_S3_SECRET_KEY", "its-secret")
    signer = Folder(ADDRESS).client._request_signer
    assert signer._credentials.access_key == "of-the-job"
