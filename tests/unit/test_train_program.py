"""scripts/train.py by hand: stopped, killed, damaged or at odds, it ends with the same bytes."""

import contextlib
import fcntl
import gzip
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.numpy import load_file

import forkserver
import gpu_machine
import s3_server
from mnistlike import write_dataset
from study.commands import train
from study.runs import product_library
from study.runs.checkpoint import Checkpoint, Replicate, Target
from study.support import errors

PROGRAM = Path(errors.__file__).parents[2] / "train.py"
SETTINGS = {"optimizer": "adam", "hidden": [32, 16], "batch_size": 16, "dropout": 0.2}
SEEDS, EPOCHS = ["0", "1"], 25


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with a small data set's plain files and its description."""
    folder = tmp_path_factory.mktemp("data")
    write_dataset(folder, train=900, test=200, side=12)
    for packed in folder.glob("*.gz"):
        packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
    return folder


@pytest.fixture(scope="module")
def start(data):
    """Start the program on a run's folder; other arguments replace the usual ones.

    As a real process, for those who stop or kill it, or else as a fork (tests/forkserver.py).
    """

    def start_program(
        folder, python=(), settings=SETTINGS, environment=None, forked=False, **changed
    ):
        given = {
            "settings": [json.dumps(settings)],
            "seeds": SEEDS,
            "epochs": [str(EPOCHS)],
            "dataset": [str(data / "mnistlike.yaml")],
            "data": [str(data)],
            "device": ["cpu"],
            "output": [str(folder)],
        } | changed
        words = [word for name, values in given.items() for word in (f"--{name}", *values)]
        return subprocess.Popen(
            ["python" if forked else sys.executable, *python, PROGRAM, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=(forkserver.environment() if forked else os.environ) | (environment or {}),
        )

    return start_program


@pytest.fixture(scope="module")
def run(start):
    def run_program(*args, forked=True, **changed):
        program = start(*args, forked=forked, **changed)
        out, err = program.communicate(timeout=60)
        return subprocess.CompletedProcess(program.args, program.returncode, out, err)

    return run_program


@pytest.fixture(scope="module")
def undisturbed(run, tmp_path_factory):
    """A run's folder as it is when nothing goes wrong: never changed by a test."""
    folder = tmp_path_factory.mktemp("runs") / "adam-some-run"
    ended = run(folder, forked=False)
    assert ended.returncode == 0, ended.stderr
    return folder


@pytest.fixture
def folder(undisturbed, tmp_path):
    """Where another run is made that should end with the same bytes."""
    return tmp_path / undisturbed.name


@pytest.fixture
def finished(undisturbed, folder):
    """A copy of the finished run."""
    return Path(shutil.copytree(undisturbed, folder))


def results(folder):
    """What 'the same bytes' means: the record without its seconds, and the weights."""
    record = pq.read_table(folder / "record.parquet").drop_columns("seconds")
    columns = [
        (name, column.combine_chunks().to_pylist())
        for name, column in zip(record.schema.names, record.columns, strict=True)
    ]
    return [columns, (folder / "weights.safetensors").read_bytes()]


def journal(folder):
    try:
        lines = (folder / "journal.jsonl").read_text().splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines]


def wait_for_epochs(program, folder, count):
    """Until `count` epochs are journalled, well before the last."""
    deadline = time.monotonic() + 60
    while len(journal(folder)) < count:
        assert program.poll() is None, program.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def told(ended):
    """The one line that a program which a person can help ends with."""
    assert ended.returncode == 1, ended
    assert "Traceback" not in ended.stdout + ended.stderr
    [line] = ended.stderr.splitlines()
    assert line.startswith("error: ")
    return line


def test_a_run_leaves_its_files_and_a_line_for_each_epoch(undisturbed):
    assert sorted(path.name for path in undisturbed.iterdir() if path.name != ".lock") == [
        "benchmark.tsv",
        "journal.jsonl",
        "record.parquet",
        "settings.json",
        "state.safetensors",
        "training.log",
        "weights.safetensors",
    ]
    assert [(entry["epoch"], entry["seeds"]) for entry in journal(undisturbed)] == [
        (epoch, [0, 1]) for epoch in range(1, EPOCHS + 1)
    ]
    record = pq.read_table(undisturbed / "record.parquet")
    assert record.num_rows == 2 * EPOCHS
    assert set(record["run"].to_pylist()) == {"adam-some-run"}
    assert record["validation_accuracy"].to_pylist()[-1] > 0.9


def test_a_run_tells_what_its_training_took(undisturbed):
    names, values = (undisturbed / "benchmark.tsv").read_text(encoding="utf-8").splitlines()
    took = dict(zip(names.split("\t"), values.split("\t"), strict=True))
    assert float(took["cpu_time"]) > 0
    assert 1 < float(took["s"]) < 600
    # Megabytes of a process that has imported torch.
    assert 100 < float(took["max_rss"]) < 2000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_the_state_is_saved_and_gone_on_from(start, run, undisturbed, folder, number):
    program = start(folder)
    wait_for_epochs(program, folder, 3)
    program.send_signal(number)
    out, err = program.communicate(timeout=30)
    assert program.returncode == 128 + number
    assert f"told to stop by {number.name}" in out
    assert "Traceback" not in err
    stopped_at = len(journal(folder))
    assert 3 <= stopped_at < EPOCHS
    ended = run(folder)
    assert ended.returncode == 0, ended.stderr
    # The epoch in whose middle the signal came may be in the journal and not in the state.
    epochs = [entry["epoch"] for entry in journal(folder)]
    assert sorted(set(epochs)) == list(range(1, EPOCHS + 1))
    assert len(epochs) <= EPOCHS + 1
    assert results(folder) == results(undisturbed)
    assert "the attempt before was told to stop, process" in ended.stdout


def test_killed_at_any_moment_it_goes_on_from_the_last_saved_epoch(start, run, undisturbed, folder):
    for epochs in (2, 8):
        program = start(folder)
        wait_for_epochs(program, folder, epochs)
        program.kill()
        program.communicate()
    assert run(folder).returncode == 0
    assert results(folder) == results(undisturbed)
    assert len(journal(folder)) < 2 * EPOCHS
    log = (folder / "training.log").read_text(encoding="utf-8")
    assert log.count("the attempt before was killed without a word, process") == 2


def test_killed_on_one_machine_it_goes_on_from_storage_on_another(
    start, run, undisturbed, folder, tmp_path
):
    with s3_server.running() as server:
        server.client.create_bucket(Bucket="bucket")
        environment = server.environment | {"STORED_RUNS": "s3://bucket/runs"}
        program = start(tmp_path / "here" / folder.name, environment=environment)
        deadline = time.monotonic() + 60
        while f"runs/{folder.name}/state.safetensors" not in server.names("bucket"):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        program.kill()
        program.communicate()
        ended = run(folder, environment=environment)
    assert ended.returncode == 0, ended.stderr
    processes = {entry["epoch"]: entry["pid"] for entry in journal(folder)}
    assert list(processes) == list(range(1, EPOCHS + 1))
    assert processes[1] == program.pid != processes[EPOCHS]
    assert results(folder) == results(undisturbed)


def test_more_seeds_and_epochs_train_only_what_is_new(run, undisturbed, folder):
    assert run(folder, seeds=["1"], epochs=["4"]).returncode == 0
    assert run(folder, seeds=["0", "1"]).returncode == 0
    trained = [(seed, entry["epoch"]) for entry in journal(folder) for seed in entry["seeds"]]
    assert sorted(trained) == [(seed, epoch) for seed in (0, 1) for epoch in range(1, EPOCHS + 1)]
    assert results(folder) == results(undisturbed)


@pytest.mark.parametrize("fewer", [{}, {"seeds": ["1"], "epochs": ["3"]}])
def test_with_nothing_to_train_it_ends_without_torch(run, finished, undisturbed, fewer):
    """In well under a second: importing torch alone takes two."""
    ended = run(finished, python=["-X", "importtime"], **fewer)
    assert ended.returncode == 0
    assert "nothing to train" in ended.stdout
    imported = {line.split("|")[-1].strip() for line in ended.stderr.splitlines()}
    assert "study.runs.outputs" in imported
    assert "torch" not in imported
    assert len(journal(finished)) == EPOCHS
    assert results(finished) == results(undisturbed)


def test_arithmetic_is_said_by_the_workflow_and_checked(run, folder):
    ended = run(folder, environment={"ARITHMETIC": "fast"})
    assert ended.returncode == 1
    assert "arithmetic: unknown value 'fast'; known are auto, mkl, onednn" in ended.stderr


def test_a_run_stays_with_the_library_of_the_replicates_that_go_on(monkeypatch):
    """Of those that are finished, where none goes on: more seeds are then computed as they were."""
    chosen, told = [], []

    def choose(wanted, precision, begun):
        chosen.append((wanted, precision, begun))
        return "onednn"

    monkeypatch.setattr(product_library, "chosen", choose)
    known = Checkpoint({})
    before = [("cpu", 2, "11"), ("cpu", 1, "onednn 22"), ("cpu", 2, ""), ("cuda", 1, "33")]
    for seed, (kind, epochs, arithmetic) in enumerate(before):
        known.replicates[seed] = Replicate(
            kind, measures=np.zeros((epochs, 6)), arithmetic=arithmetic
        )
    job = types.SimpleNamespace(
        target=Target([0, 1, 2, 3, 4], 2), arithmetic="auto", settings={}, tell=told.append
    )
    assert train.library_of(job, known, "cpu") == "onednn"
    assert chosen == [("auto", "float32", ["onednn", "mkl", "mkl"])]
    assert told == ["matrix products are onednn's"]


def test_missing_outputs_are_made_again_without_training(run, finished, undisturbed):
    for name in ("record.parquet", "weights.safetensors"):
        (finished / name).unlink()
    assert run(finished).returncode == 0
    assert len(journal(finished)) == EPOCHS
    assert results(finished) == results(undisturbed)


def test_a_damaged_state_is_said_and_trained_anew(run, finished, undisturbed):
    state = finished / "state.safetensors"
    content = bytearray(state.read_bytes())
    content[-5] ^= 1
    state.write_bytes(content)
    ended = run(finished)
    assert ended.returncode == 0
    assert str(state) in ended.stdout
    assert "training anew" in ended.stdout
    assert len(journal(finished)) == 2 * EPOCHS
    assert results(finished) == results(undisturbed)


def test_a_state_of_other_code_is_said_and_trained_anew(run, finished, undisturbed, tmp_path):
    """The training code of the copy differs by a comment."""
    copy = Path(shutil.copytree(PROGRAM.parents[1] / "scripts", tmp_path / "copy" / "scripts"))
    for shared in ("resources", "workflow"):
        (copy.parent / shared).symlink_to(PROGRAM.parents[1] / shared)
    with (copy / "study" / "learning" / "trainer.py").open("a") as file:
        file.write("# Another comment.\n")
    words = [copy / "train.py", *run(finished).args[2:]]
    ended = subprocess.run(
        ["python", *words],
        env=forkserver.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "made with other code; training anew" in ended.stdout
    assert len(journal(finished)) == 2 * EPOCHS
    assert results(finished) == results(undisturbed)


def test_a_state_of_other_settings_is_not_gone_on_from(run, finished):
    """The folder's name tells its settings, and nothing holds a person to it."""
    ended = run(finished, settings=SETTINGS | {"learning_rate": 0.5}, epochs=[str(EPOCHS + 1)])
    assert ended.returncode != 0 or len(journal(finished)) == 2 * EPOCHS + 1


def test_a_misspelt_setting_is_refused(run, folder):
    told(run(folder, settings=SETTINGS | {"lerning_rate": 0.5}, epochs=["1"]))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"epochs": ["0"]}, "baseline.epochs: must be at least 1, is 0"),
        ({"validation": ['{"from": "train", "size": -5}']}, "data.validation.size: must be at"),
        ({"seeds": ["4294967296"]}, "seeds[0]: must be at most 4294967295"),
        ({"seeds": ["1", "1"]}, "seeds: has the same value twice: 1"),
        ({"settings": ["[]"]}, "--settings: top level: must be keys with values"),
    ],
)
def test_nonsense_is_refused_before_anything_is_made(run, folder, changed, message):
    assert message in told(run(folder, **changed))
    assert not folder.exists()


def test_a_folder_in_place_of_the_state_is_moved_aside(run, finished, undisturbed):
    (finished / "state.safetensors").unlink()
    (finished / "state.safetensors").mkdir()
    (finished / "settings.json").unlink()
    ended = run(finished)
    assert ended.returncode == 0, ended.stderr
    assert "a folder is in the way, now state.safetensors.in-the-way" in ended.stdout
    assert results(finished) == results(undisturbed)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_told(run, folder):
    assert "device: cuda is asked for" in told(run(folder, device=["cuda"]))
    assert not (folder / "settings.json").exists()


def wait_for_line(folder, text):
    """The line of the run's training.log that has `text`, once it is there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            for line in (folder / "training.log").read_text().splitlines():
                if text in line:
                    return line
        time.sleep(0.05)
    raise AssertionError(f"no {text!r} in {folder}")


def test_training_processes_share_the_gpus_and_a_killed_one_leaves_its_own(start, tmp_path):
    """On made-up GPUs, which torch does not find: training itself goes on on the CPU."""
    environment = gpu_machine.environment(tmp_path / "machine", gpu_machine.WHOLE)
    folders = [tmp_path / name for name in ("first", "second", "third")]

    def train(folder):
        long = {"epochs": ["100000"], "device": ["auto"]}
        return start(folder, environment=environment, **long)

    programs = [train(folder) for folder in folders[:2]]
    try:
        used = {wait_for_line(folder, "on GPU").split()[-1] for folder in folders[:2]}
        assert used == set(gpu_machine.WHOLE)
        programs.append(train(folders[2]))
        wait_for_line(folders[2], "waiting for one of 2 GPU slots")
        programs[0].kill()
        freed = wait_for_line(folders[0], "on GPU").split()[-1]
        assert wait_for_line(folders[2], "on GPU").split()[-1] == freed
    finally:
        for program in programs:
            program.kill()
            program.communicate()


def test_a_run_that_another_process_trains_is_waited_for(start, finished):
    """As after kill -9 of Snakemake alone: its jobs go on."""
    with (finished / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        program = start(finished, epochs=[str(EPOCHS + 1)])
        wait_for_line(finished, "another process is training this run; waiting until it ends")
        assert program.poll() is None
        assert len(journal(finished)) == EPOCHS
    program.communicate(timeout=60)
    assert program.returncode == 0
    assert len(journal(finished)) == EPOCHS + 1


def test_one_that_waits_can_be_told_to_stop(start, finished):
    with (finished / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        program = start(finished, epochs=[str(EPOCHS + 1)])
        wait_for_line(finished, "waiting until it ends")
        program.terminate()
        program.communicate(timeout=60)
    assert program.returncode == 128 + signal.SIGTERM
    assert len(journal(finished)) == EPOCHS


def test_of_two_processes_at_once_one_trains_and_the_other_waits(start, undisturbed, folder):
    both = [start(folder), start(folder)]
    for program in both:
        program.communicate(timeout=60)
    assert [program.returncode for program in both] == [0, 0]
    assert len(journal(folder)) == EPOCHS
    assert results(folder) == results(undisturbed)


def test_a_data_file_that_is_not_as_described_is_named(run, data, folder, tmp_path):
    damaged = Path(shutil.copytree(data, tmp_path / "data"))
    path = damaged / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    assert str(path) in told(run(folder, data=[str(damaged)]))
    assert journal(folder) == []


def test_a_place_that_cannot_be_written_is_named(run, tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert str(tmp_path / "file") in told(run(tmp_path / "file" / "run"))


def test_a_full_disk_is_told_and_gone_on_from(run, undisturbed, folder, monkeypatch):
    """Files cannot grow beyond a limit below that of the state."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        ended = run(folder, forked=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "File too large" in told(ended)
    assert run(folder).returncode == 0
    assert results(folder) == results(undisturbed)


def test_a_diverging_run_is_a_result(run, folder):
    settings = {"optimizer": "sgd", "learning_rate": 1000, "hidden": [8, 8], "activation": "elu"}
    ended = run(folder, settings=settings | {"batch_size": 10})
    assert ended.returncode == 0, ended.stderr
    record = pq.read_table(folder / "record.parquet")
    last = {row["seed"]: row for row in record.to_pylist()}
    assert {row["status"] for row in last.values()} == {"diverged"}
    assert record.num_rows < 2 * EPOCHS
    described = json.loads((folder / "settings.json").read_text())
    assert all(replicate["diverged"] for replicate in described["replicates"].values())


def test_the_weights_at_the_final_model_s_epoch_are_kept(run, folder):
    assert run(folder, seeds=["0"], epochs=["3"], **{"keep-epochs": ["2"]}).returncode == 0
    weights = load_file(folder / "weights.safetensors")
    assert {name.partition(".layers")[0] for name in weights} == {"seed_0", "seed_0.epoch_2"}


# Validation images from the training images.


def test_held_out_images_are_judged_and_the_test_images_are_not_opened(run, data, folder):
    """With the test images out of reach as soon as the files have been verified."""
    hiding = (
        "import os, runpy, sys; sys.argv = sys.argv[1:];"
        "sys.path.insert(0, os.path.dirname(sys.argv[0]));"
        "from study.data.idx import IdxDataset; real = IdxDataset._examples;"
        "IdxDataset._examples = lambda d, f, part: real(d, f, {'train': part}[part]);"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    held_out = {"validation": [json.dumps({"from": "train", "size": 300, "seed": 0})]}
    ended = run(folder, python=["-c", hiding], epochs=["2"], **held_out)
    assert ended.returncode == 0, ended.stderr
    accuracies = pq.read_table(folder / "record.parquet")["validation_accuracy"].to_numpy()
    # Of 300 images, not of the 200 test images.
    assert np.allclose(accuracies * 300, np.round(accuracies * 300))
    assert not np.allclose(accuracies * 200, np.round(accuracies * 200))


def test_holding_out_every_training_image_is_refused(run, folder):
    held_out = {"validation": [json.dumps({"from": "train", "size": 900, "seed": 0})]}
    assert "data.validation.size: 900 of 900" in told(run(folder, **held_out))
