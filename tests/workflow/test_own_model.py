"""A study of a user's own network, on the real Snakefile: from its file to what it leaves."""

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from safetensors.numpy import load_file

import own_models
from small_study import ROOT, Study
from study.data import datasets
from study.final import export

OWN = {
    "model": "small_cnn.py",
    "seeds": 2,
    "baseline": {"learning_rate": 0.05, "batch_size": 50, "epochs": 2, "channels": [4]},
    "experiments": {
        "channels": {"vary": {"channels": [[4], [4, 6]]}},
        "norm": {"vary": {"batch_norm": [True, False]}},
    },
    "final": {"epochs": 3, "rate": 0.1},
}

PERCEPTRON = {"seeds": 1, "experiments": {"rate": {"vary": {"learning_rate": [0.05]}}}}


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Study:
    """A perceptron's study, and then in the same folder that of a model of one's own."""
    study = Study(tmp_path_factory.mktemp("own_model"))
    own_models.write(study.folder)
    study.configure(**PERCEPTRON)
    study.ok("--until", "train")
    study.configure(**OWN)
    study.ok()
    return study


def program(study, name, *words):
    """What one of the programs prints in the study's folder."""
    done = study.call(ROOT / "scripts" / name, *words)
    return done.returncode, done.stdout + done.stderr


def test_its_parameters_are_columns_and_its_docstring_is_in_the_report(finished):
    metrics = pd.read_parquet(finished.results / "metrics.parquet")
    assert {"channels", "channels_text", "batch_norm", "rate"} <= set(metrics.columns)
    assert not {"hidden", "activation", "precision"} & set(metrics.columns)
    report = (finished.results / "report.en.md").read_text(encoding="utf-8")
    for told in (
        "a network (small\\_cnn.SmallCnn)",
        "small\\_cnn.SmallCnn: Convolutions and a linear layer.",
        "### channels",
        "Feature maps of each convolution.",
        "Experiment 2: batch_norm (norm)",
        "- **rate:** 0.1",
    ):
        assert told in report, told
    for foreign in ("fully connected", "activation function", "hidden layer"):
        assert foreign not in report, foreign


def test_the_model_to_take_away_is_the_same_by_torch_by_onnx_and_by_numpy(finished):
    folder = finished.results / "model"
    model = export.read_model(folder / export.FILE)
    assert model.description.model["name"] == "small_cnn.SmallCnn"
    data = datasets.describe(str(finished.folder / "data/mnistlike.yaml"))
    images = data.load(finished.results / "data" / data.name).test.x[:40, 0]
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    [by_runtime] = session.run(["probabilities"], {"images": images})
    tested = load_file(finished.results / "final.safetensors")
    by_torch = np.mean([tested[f"seed_{seed}.probabilities"][:40] for seed in (0, 1)], axis=0)
    np.testing.assert_allclose(by_runtime, by_torch, atol=2e-6)
    np.testing.assert_allclose(model.probabilities(images), by_torch, atol=2e-6)
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "small\\_cnn.SmallCnn for MnistLike" in card
    parameters = 4 * 9 + 4 + 2 * 4 + 4 * 4 + 4
    assert f"| Parameters | {parameters} a network |" in card


def test_all_of_it_can_be_made_again_bit_for_bit(finished):
    code, told = program(finished, "verify.py", "--configfile", "study.yaml", "--seed", "1")
    assert code == 0, told
    assert "trained again" in told


def test_a_comment_changes_nothing_and_an_edit_trains_its_runs_alone(finished, tmp_path):
    study = finished.copy(tmp_path / "edited")
    path, before = study.folder / "small_cnn.py", study.trained()
    content = path.read_text()
    path.write_text(f"# What it is.\n{content.replace('Feature maps', 'Maps')}")
    assert "train" not in study.ok("--until", "train").jobs
    assert study.newly_trained(before) == 0
    blocks = study.folder / "blocks.py"
    blocks.write_text(blocks.read_text().replace("nn.ReLU()", "nn.Tanh()"))
    _, planned = program(study, "show_plan.py", "--configfile", "study.yaml", "--cores", "2")
    assert planned.count("model changed") >= 1, planned
    result = study.ok("--until", "train")
    runs = {run.name for run in (study.results / "runs").iterdir()}
    own = {name for name in runs if name.startswith("small_cnn.SmallCnn-")}
    assert len(own) == len(runs) - 1
    assert result.jobs["train"] == len(own)
    # The perceptron's study is as finished as before.
    study.configure(**PERCEPTRON)
    assert "train" not in study.ok("--until", "train").jobs


def test_a_model_that_cannot_be_trained_ends_the_call_with_its_line(tmp_path):
    study = Study(tmp_path)
    own_models.write(
        study.folder, own_models.CNN.replace("before, outputs)", "before + 1, outputs)")
    )
    study.configure(**{**OWN, "seeds": 1, "experiments": {"rate": {"vary": {"rate": [0.5]}}}})
    result = study.run()
    assert result.returncode
    line = 1 + own_models.CNN[: own_models.CNN.index("return self.head")].count("\n")
    assert f"small_cnn.py:{line}: RuntimeError: mat1 and mat2 shapes" in result.output
    assert "in the model's file, when its module is made and tried" in result.output
    assert not list(study.results.glob("runs/*/record.parquet"))
    (study.folder / "small_cnn.py").write_text("class Net(:\n")
    refused = study.run()
    assert "small_cnn.py:1: invalid syntax" in refused.output
    assert "Traceback" not in refused.output
