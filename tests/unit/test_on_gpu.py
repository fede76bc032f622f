"""bench/on_gpu.py on a CPU, where it runs all but what only a GPU has."""

import contextlib
import json
import os
import subprocess
import sys

import pytest
import torch

import on_gpu
from cuda_graphs import GraphedEpochs
from reference_study import TRAININGS, Training
from small_study import ROOT
from study.runs import models
from study.spec import settings
from study.spec.models import MLP

# Nothing of these may be needed.
ABSENT = ("snakemake", "pandas", "pyarrow", "safetensors", "ruamel", "jsonschema", "scipy")


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def called(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["on_gpu.py", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        on_gpu.main()
    return ended.value.code


def test_on_a_cpu_every_part_runs(monkeypatch, tmp_path, capsys):
    path = tmp_path / "found.json"
    assert called(monkeypatch, "--device", "cpu", "--quick", "--json", path) == 0
    content = json.loads(path.read_text())
    parts = content["parts"]
    assert list(parts) == list(on_gpu.PARTS)
    assert content["failed"] == {}
    of_gpus = {"graphs", "synchronisations", "memory"}
    assert {name for name, rows in parts.items() if not rows} == of_gpus
    assert all(row["right"] for row in parts["correctness"])
    assert all(row["same bits"] for row in parts["stacks"])
    assert len(parts["epochs"]) == len(on_gpu.shapes())
    assert parts["study"][-1]["so far"] > 0
    shown = capsys.readouterr().out
    assert shown.count("nothing to see on this device") == len(of_gpus)
    assert "| sgd, dropout, 128-64, 100 " in shown


def test_without_a_gpu_it_says_so_in_a_line(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert called(monkeypatch) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "no GPU that torch can use is here: nothing measured\n"


def test_it_needs_torch_and_numpy_alone():
    blocked = "".join(f"sys.modules[{name!r}] = None; " for name in ABSENT)
    program = f"import sys; {blocked}import on_gpu"
    path = os.pathsep.join([str(ROOT / "bench"), str(ROOT / "scripts")])
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": path}, capture_output=True
    )
    assert done.returncode == 0, done.stderr


def test_a_part_that_fails_leaves_the_others_and_is_told(monkeypatch, tmp_path, capsys):
    def failing(setup):
        """It fails at its second row."""
        yield {"case": "first", "right": True}
        raise RuntimeError("CUDA error: out of luck")

    def wrong(setup):
        """It has a wrong number."""
        yield {"case": "a number", "right": False}

    monkeypatch.setattr(on_gpu, "PARTS", {"failing": failing, "wrong": wrong})
    path = tmp_path / "found.json"
    assert called(monkeypatch, "--device", "cpu", "--quick", "--json", path) == 1
    content = json.loads(path.read_text())
    assert content["parts"]["failing"] == [{"case": "first", "right": True}]
    assert content["failed"] == {
        "failing": "RuntimeError: CUDA error: out of luck",
        "wrong": "not right: a number",
    }
    assert "failed: RuntimeError: CUDA error: out of luck" in capsys.readouterr().out


def test_it_ends_in_time(monkeypatch, tmp_path):
    monkeypatch.setattr(on_gpu, "SECONDS", 0)
    path = tmp_path / "found.json"
    assert called(monkeypatch, "--device", "cpu", "--quick", "--json", path) == 1
    content = json.loads(path.read_text())
    assert {len(rows) for rows in content["parts"].values()} == {0, 1}
    assert content["failed"]["study"] == "ended after 0 s"


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_its_settings_are_the_studys(optimizer):
    training = Training("one", optimizer=optimizer)
    trainer = on_gpu.trainer_of(training, [0], "cpu")
    wanted = {"optimizer": optimizer, "dropout": 0.2}
    wanted = settings.identity(MLP.hyperparameters.complete(wanted))
    known = {name: trainer.settings[name] for name in wanted}
    assert known | {"hidden": list(known["hidden"])} == wanted
    assert set(trainer.settings) - set(wanted) == {"name", "epochs"}


def test_its_stacks_are_the_programs():
    assert on_gpu.LARGEST_STACK == models.LARGEST_STACK
    assert on_gpu.STACK_PARAMETERS == models.STACK_PARAMETERS
    for training in TRAININGS:
        sizes = (784, *training.hidden, 10)
        largest = models.Perceptron(sizes, "relu", 0.0, "float32", (1.0, 0.0)).largest_stack
        stacks = on_gpu.stacks_of(training, range(5))
        assert [seed for stack in stacks for seed in stack] == list(range(5))
        assert max(map(len, stacks)) == min(5, largest)


class ReplayedGraph:
    """Computes again what a CUDA graph would replay."""

    def __init__(self):
        self.generators = []

    def register_generator_state(self, generator):
        self.generators.append(generator)

    def replay(self):
        epochs = self.epochs
        epochs.met.copy_(epochs._step(epochs.batch))


@pytest.mark.parametrize("training", [Training("sgd"), Training("adam", "adam", batch_size=64)])
def test_a_captured_step_is_the_trainers(monkeypatch, training):
    """But for CUDA, which is not here: the same batches, random numbers and remainder."""
    for name in ("stream", "graph"):
        monkeypatch.setattr(torch.cuda, name, lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(torch.cuda, "CUDAGraph", ReplayedGraph)

    class Waiting(contextlib.nullcontext):
        def wait_stream(self, other):
            pass

    monkeypatch.setattr(torch.cuda, "Stream", Waiting)
    monkeypatch.setattr(torch.cuda, "current_stream", Waiting)
    train = on_gpu.made_up(330, "cpu", 0)
    eager, captured = (on_gpu.trainer_of(training, [3, 4], "cpu") for _ in range(2))
    graphed = GraphedEpochs(captured, train)
    graphed.graph.epochs = graphed
    assert len(graphed.graph.generators) == 2
    for _ in range(2):
        assert graphed.train_epoch() == eager.train_epoch(train)
    assert torch.equal(captured.model.parameters, eager.model.parameters)
