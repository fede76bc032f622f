"""What a run leaves can be used without this code: weights, settings, provenance."""

import hashlib
import json
import subprocess
from importlib.metadata import version

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.numpy import load_file

from examples import run_settings, small_run
from study.runs import outputs, provenance, records, replicates
from study.runs.checkpoint import Checkpoint, Replicate, Target
from study.runs.completeness import OUTPUTS, read_settings, sealed
from study.support import files

SETTINGS = run_settings(hidden=[9, 7], batch_size=16, dropout=0.3, learning_rate=0.1)
TARGET = Target([0, 7, 3], 3, [2])


@pytest.fixture(scope="module")
def run():
    return small_run(SETTINGS)


@pytest.fixture(scope="module")
def state(run, tmp_path_factory):
    journal = replicates.Journal(tmp_path_factory.mktemp("journal") / "journal.jsonl")
    made = Checkpoint({"code": "c0de"}, made_by=provenance.made_by())
    replicates.extend(run, made, TARGET, replicates.Saver(id), journal, id)
    made.replicates[3] = Replicate("cpu test", made.replicates[3].measures[:2], diverged=True)
    return made


@pytest.fixture(scope="module")
def folder(run, state, tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "sgd-some-run"
    outputs.write(path, state, TARGET, SETTINGS, run.architecture)
    return path


def test_the_outputs_are_these(folder):
    assert sorted(path.name for path in folder.iterdir()) == [
        "record.parquet",
        "settings.json",
        "weights.safetensors",
    ]


@pytest.mark.parametrize(("prefix", "epoch"), [("", 3), ("epoch_2.", 2)])
@pytest.mark.parametrize("seed", [0, 7])
def test_plain_linear_layers_with_the_weights_are_as_accurate_as_was_recorded(
    folder, run, seed, prefix, epoch
):
    """Those of the last epoch, and those that the final model was asked for."""
    weights = load_file(folder / "weights.safetensors")
    modules = []
    for layer in range(3):
        name = f"seed_{seed}.{prefix}layers.{layer}"
        weight = torch.from_numpy(weights[f"{name}.weight"])
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
        bias = torch.from_numpy(weights[f"{name}.bias"])
        linear.load_state_dict({"weight": weight, "bias": bias})
        modules += [linear, torch.nn.ReLU()]
    network = torch.nn.Sequential(*modules[:-1])
    with torch.no_grad():
        logits = network((run.validation.inputs / 255 - 0.5) / 0.5)
    [row] = pq.read_table(
        folder / "record.parquet", filters=[("seed", "=", seed), ("epoch", "=", epoch)]
    ).to_pylist()
    accuracy = (logits.argmax(1) == run.validation.targets).double().mean().item()
    assert row["validation_accuracy"] == accuracy
    loss = torch.nn.functional.cross_entropy(logits, run.validation.targets).item()
    assert row["validation_loss"] == pytest.approx(loss, rel=1e-5)


def test_a_diverged_replicate_has_rows_and_no_weights(folder):
    seeds = {key.split(".")[0] for key in load_file(folder / "weights.safetensors")}
    assert seeds == {"seed_0", "seed_7"}
    assert pq.read_table(folder / "record.parquet", filters=[("seed", "=", 3)]).num_rows == 2


def test_settings_json_says_what_was_trained_how_and_by_what(folder):
    described = json.loads((folder / "settings.json").read_text())
    assert described == sealed({key: described[key] for key in described if key != "checksum"})
    del described["checksum"]
    made_by = {name: described.pop(name) for name in ("commit", "versions", "machine")}
    assert described == {
        "run": "sgd-some-run",
        "settings": SETTINGS,
        "request": {"seeds": [0, 7, 3], "epochs": 3, "kept_epochs": [2]},
        "replicates": {
            "0": {"epochs": 3, "diverged": False, "weights": [2, 3]},
            "3": {"epochs": 2, "diverged": True, "weights": []},
            "7": {"epochs": 3, "diverged": False, "weights": [2, 3]},
        },
        "files": {
            name: {
                "bytes": len((folder / name).read_bytes()),
                "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest(),
            }
            for name in ("record.parquet", "weights.safetensors")
        },
        "times": {
            name: (folder / name).stat().st_mtime_ns
            for name in ("record.parquet", "weights.safetensors")
        },
        "fingerprint": {"code": "c0de"},
        "devices": ["cpu test"],
    }
    assert made_by == provenance.made_by()


def test_the_record_carries_the_same_provenance(folder):
    described = json.loads((folder / "settings.json").read_text())
    assert described == sealed({key: described[key] for key in described if key != "checksum"})
    del described["checksum"]
    metadata = records.read_metadata(folder / "record.parquet")
    assert metadata == {
        name: described[name]
        for name in ("fingerprint", "commit", "versions", "machine", "devices")
    }


def test_the_same_state_gives_the_same_bytes(run, folder, state, tmp_path):
    again = tmp_path / folder.name
    outputs.write(again, state, TARGET, SETTINGS, run.architecture)
    for name in OUTPUTS:
        assert (again / name).read_bytes() == (folder / name).read_bytes()
    one, other = (read_settings(made) for made in (folder, again))
    for name in OUTPUTS:
        assert one["times"].pop(name) == (folder / name).stat().st_mtime_ns
        assert other["times"].pop(name) == (again / name).stat().st_mtime_ns
    assert one == other


def test_a_run_whose_replicates_all_diverged_has_outputs_too(run, state, tmp_path):
    diverged = Checkpoint({}, {3: state.replicates[3]})
    outputs.write(tmp_path / "run", diverged, Target([3], 3), SETTINGS, run.architecture)
    assert load_file(tmp_path / "run" / "weights.safetensors") == {}
    assert pq.read_table(tmp_path / "run" / "record.parquet").num_rows == 2


def test_settings_json_comes_last(run, state, tmp_path, monkeypatch):
    """So that a folder with it holds all the others."""

    def failing(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "save_file", failing)
    with pytest.raises(OSError, match="No space"):
        outputs.write(tmp_path, state, TARGET, SETTINGS, run.architecture)
    assert not (tmp_path / "settings.json").exists()


# Provenance.


def test_versions_are_those_that_are_installed():
    versions = provenance.versions()
    assert versions["torch"] == version("torch")
    assert list(versions)[0] == "python"


def test_the_commit_is_git_s_word_and_unknown_without_it(monkeypatch):
    def found(*_, **__):
        return subprocess.CompletedProcess([], 0, stdout="abc123def456-dirty\n")

    monkeypatch.setattr(subprocess, "run", found)
    assert provenance.commit() == "abc123def456-dirty"
    for error in (FileNotFoundError("git"), subprocess.CalledProcessError(128, "git")):

        def failing(*_, error=error, **__):
            raise error

        monkeypatch.setattr(subprocess, "run", failing)
        assert provenance.commit() == "unknown"


def test_the_machine_is_described_in_words(monkeypatch):
    machine = provenance.machine()
    assert set(machine) == {"processor", "cores", "system"}
    assert all(machine.values())

    def missing(*_, **__):
        raise FileNotFoundError

    monkeypatch.setattr(provenance.Path, "read_text", missing)
    assert provenance.machine()["processor"]
