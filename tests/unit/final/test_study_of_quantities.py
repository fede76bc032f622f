"""A table of quantities, from the run that trains on it to the model to take away."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from sklearn.datasets import load_diabetes
from sklearn.metrics import r2_score, root_mean_squared_error

from study.data import datasets
from study.data.scaling import AS_STORED, of_targets
from study.final import evaluation, export, inference, modules, onnx_graph, rows
from study.learning.split import hold_out
from study.operations import verified_runs
from study.runs import completeness, fingerprint
from study.spec.config import validated
from study.spec.resolution import resolve
from study.support import errors

SCRIPTS = Path(errors.__file__).parents[2]

# Any torch module may learn quantities, not only perceptrons.
OWN = '''
from torch import nn


def small(inputs: tuple[int, ...], outputs: int, *, units: int = 16) -> nn.Module:
    """A hidden layer."""
    return nn.Sequential(nn.Linear(inputs[0], units), nn.Tanh(), nn.Linear(units, outputs))
'''


@pytest.fixture(scope="module", params=["mlp", "own"])
def study(request, tmp_path_factory):
    """The plan of a study of the diabetes table, its data and its one run, trained."""
    folder = tmp_path_factory.mktemp("diabetes")
    frame = load_diabetes(as_frame=True).frame
    frame["twice"] = 1000 + 2 * frame["target"]
    frame.to_csv(folder / "diabetes.csv", index=False)
    model = "mlp"
    if request.param == "own":
        model = str(folder / "own.py")
        Path(model).write_text(OWN, encoding="utf-8")
    given = {"epochs": 8, "batch_size": 20, "learning_rate": 0.05}
    config = {
        "model": model,
        "data": {
            "dataset": {"table": str(folder / "diabetes.csv"), "target": ["target", "twice"]},
            "validation": {"from": "train", "size": 50},
        },
        "seeds": 2,
        "baseline": given | ({"hidden": [16]} if model == "mlp" else {}),
        "experiments": {"momentum": {"vary": {"momentum": [0.9]}}},
        "final": {"momentum": 0.9},
    }
    plan = resolve(validated(config, "config.yaml"))
    dataset = datasets.describe(plan.dataset)
    data = folder / "data"
    dataset.fetch(data, [], print)
    [run] = plan.runs
    done = subprocess.run(
        [
            *(sys.executable, SCRIPTS / "train.py", "--settings", json.dumps(run.settings)),
            *("--model", plan.model.word, "--seeds", "0", "1", "--epochs", "8"),
            *("--dataset", datasets.as_word(plan.dataset), "--data", data, "--device", "cpu"),
            *("--validation", json.dumps(plan.validation), "--output", folder / run.run),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return plan, data, folder / run.run


def answers_of(plan, content, network, x):
    """What one network predicts, in the targets' units."""
    spread = of_targets(content.train.y)
    if plan.model.is_perceptron:
        activation = plan.final.settings["activation"]
        return inference.answers(x, network, activation, AS_STORED, spread)
    return modules.Answering(export.architecture(plan, content), spread)(x, network)


def test_a_run_of_quantities_is_finished_and_scored_as_scikit_learn_does(study):
    plan, data, run = study
    dataset = datasets.describe(plan.dataset)
    assert dataset.task == "regression"
    learning = fingerprint.learning(
        dataset.digest, plan.validation, dataset.outputs, plan.model, dataset.task
    )
    lacking = completeness.completeness_of(plan.runs[0], run.parent, learning)
    assert (lacking.reasons, lacking.epochs) == ((), 0)
    record = pq.read_table(run / "record.parquet").to_pandas()
    content = dataset.load(data)
    _, held_out = hold_out(torch.from_numpy(content.train.y.copy()), 50, 0)
    x, y = content.train.x[held_out], content.train.y[held_out]
    for seed, network in export.of_plan(plan, run, data).networks.items():
        alone = answers_of(plan, content, network, x)
        [last] = record[(record["seed"] == seed) & (record["epoch"] == 8)].to_dict("records")
        assert last["validation_r2"] == pytest.approx(r2_score(y, alone), abs=1e-5)
        rmse = root_mean_squared_error(y, alone)
        assert last["validation_rmse"] == pytest.approx(rmse, rel=1e-5)
        # What predicting the mean comes to.
        assert last["validation_r2"] > 0


def test_verifying_finds_a_run_of_quantities_right(study):
    plan, _, run = study
    assert list(verified_runs.run(run, plan.runs[0], plan.hyperparameters)) == []


def test_the_final_model_predicts_in_the_units_as_its_graph_and_its_file_do(study, tmp_path):
    plan, data, run = study
    evaluated = evaluation.evaluate(plan, run, data)
    content = datasets.describe(plan.dataset).load(data)
    assert evaluated.targets.shape == (89, 2)
    for own, score in zip(evaluated.answers, evaluated.scores_by_seed, strict=True):
        assert score == pytest.approx(r2_score(content.test.y, own), rel=1e-6)
    assert evaluated.score.mean > 0
    # The second target is the first on another scale.
    assert evaluated.rmse(1).mean == pytest.approx(2 * evaluated.rmse(0).mean, rel=0.25)

    model = export.of_plan(plan, run, data)
    assert [each["name"] for each in model.description.targets] == ["target", "twice"]
    export.write(tmp_path / export.FILE, model)
    ensemble = evaluated.answers.mean(axis=0)
    if plan.model.is_perceptron:
        graph = onnx_graph.build(model)
    else:
        architecture, spread = export.architecture(plan, content), model.description.spread
        networks, name = list(model.networks.values()), onnx_graph.input_name(model)
        found = modules.graph(architecture, networks, name, content.test.x[:16], spread)
        graph = onnx_graph.described(found, model)
    (tmp_path / export.GRAPH).write_bytes(graph.SerializeToString())
    [answers] = ReferenceEvaluator(graph).run(["predictions"], {"inputs": content.test.x[:]})
    assert np.allclose(answers, ensemble, rtol=1e-4)

    used = export.read_model(tmp_path / export.FILE)
    assert np.allclose(used.probabilities(content.test.x[:]), ensemble, rtol=1e-4)
    # A table without its targets is enough to predict them.
    table = pd.read_csv(plan.dataset["table"]).drop(columns=["target", "twice"])
    table.to_csv(tmp_path / "new.csv", index=False)
    read = np.stack([row for _, row in rows.read_rows(tmp_path / "new.csv", used.description)])
    assert used.probabilities(read).shape == (442, 2)


def test_what_is_saved_of_the_evaluation_is_read(study, tmp_path):
    plan, data, run = study
    evaluated = evaluation.evaluate(plan, run, data)
    path = tmp_path / "final.safetensors"
    evaluation.write(path, evaluated)
    read = evaluation.read_evaluation(path, datasets.describe(plan.dataset).load(data))
    assert np.array_equal(read.answers, evaluated.answers)
