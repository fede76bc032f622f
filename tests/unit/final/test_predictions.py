"""The final model of regression: R² and RMSE as others compute them, files, and its graph."""

import json
import math

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator
from sklearn.metrics import r2_score, root_mean_squared_error

from study.commands import predict
from study.final import evaluation, export, onnx_graph
from study.final.predictions import Predictions
from study.final.provenance import Provenance
from study.statistics import regression

TARGETS = [
    {"name": "price", "unit": "€", "mean": 200.0, "deviation": 40.0},
    {"name": "age", "unit": "", "mean": -3.0, "deviation": 0.5},
]


def made_up(seeds: int = 3, n: int = 80) -> Predictions:
    random = np.random.default_rng(0)
    true = random.normal([200, -3], [40, 0.5], (n, 2)).astype(np.float32)
    errors = random.normal(0, [20, 0.4], (seeds, n, 2))
    provenance = Provenance("run", 5, list(range(seeds)), "houses", "0" * 12)
    return Predictions(provenance, (true + errors).astype(np.float32), true)


def test_scores_are_those_of_scikit_learn():
    found = made_up()
    for target in range(2):
        pairs = [(found.targets[:, target], own[:, target]) for own in found.answers]
        r2 = np.mean([r2_score(*pair) for pair in pairs])
        rmse = np.mean([root_mean_squared_error(*pair) for pair in pairs])
        assert found.r2(target).mean == pytest.approx(r2, rel=1e-6)
        assert found.rmse(target).mean == pytest.approx(rmse, rel=1e-6)
    both = [r2_score(found.targets, own) for own in found.answers]
    assert found.scores_by_seed == pytest.approx(both, rel=1e-6)
    assert found.score.mean == pytest.approx(np.mean(both), rel=1e-6)


def test_intervals_hold_the_mean_and_no_r2_exceeds_one():
    found = made_up()
    for measured in (found.score, found.r2(0), found.rmse(1)):
        for interval in (measured.over_seeds, measured.over_images, measured.over_both):
            assert interval.low < measured.mean < interval.high
    assert found.score.over_both.high <= 1
    assert math.isnan(made_up(seeds=1).score.over_seeds.low)


def test_the_ensemble_gains_by_pairs():
    found = made_up()
    gain, interval = found.ensemble_gain
    mean = found.answers.mean(axis=0)
    assert gain == pytest.approx(
        r2_score(found.targets, mean) - np.mean(found.scores_by_seed), rel=1e-5
    )
    assert 0 < interval.low < gain < interval.high


def test_equal_targets_have_no_r2():
    true = np.full((5, 1), 0.1, np.float32)
    assert regression.r2(true[None] + 1, true).tolist() == [[0.0]]
    assert (regression.resampled(true[None] + 1, true)[0] == 0).all()


def test_the_interval_over_examples_covers_other_examples():
    random = np.random.default_rng(1)

    def drawn(n):
        true = random.normal(size=(n, 1))
        return (true + random.normal(scale=0.5, size=(n, 1)))[None], true

    right = 1 - 0.25
    covered = []
    for _ in range(60):
        resampled, _ = regression.resampled(*drawn(100))
        found = regression.interval(resampled[:, 0, 0])
        covered.append(found.low <= right <= found.high)
    assert np.mean(covered) >= 0.85


def networks(tmp_path) -> export.ExportedModel:
    random = np.random.default_rng(2)
    layers = [
        [
            (random.normal(size=(6, 4)).astype(np.float32), np.zeros(6, np.float32)),
            (random.normal(size=(2, 6)).astype(np.float32), np.ones(2, np.float32)),
        ]
        for _ in range(2)
    ]
    described = export.Description(
        dataset="houses",
        targets=TARGETS,
        shape=[4],
        fitted={},
        settings={"hidden": [6], "activation": "tanh"},
        epoch=3,
        validation="test",
        seeds=[0, 1],
    )
    return export.ExportedModel(described, dict(enumerate(layers)))


def test_an_exported_model_predicts_in_the_targets_units(tmp_path, capsys):
    model = networks(tmp_path)
    path = tmp_path / export.FILE
    export.write(path, model)
    inputs = np.random.default_rng(3).normal(size=(50, 4)).astype(np.float32)
    found = export.read_model(path)
    assert found.description == model.description
    expected = model.probabilities(inputs)
    assert np.array_equal(found.probabilities(inputs), expected)
    means, deviations = (np.array([each[key] for each in TARGETS]) for key in ("mean", "deviation"))
    standardised = (expected - means) / deviations
    assert np.abs(standardised.mean(axis=0)).max() < 3

    graph = onnx_graph.build(model)
    [answers] = ReferenceEvaluator(graph).run(["predictions"], {"inputs": inputs})
    assert np.abs((answers - expected) / deviations).max() < 1e-5
    told = {each.key: each.value for each in graph.metadata_props}
    assert json.loads(told["targets"]) == TARGETS
    assert "classes" not in told
    onnx.checker.check_model(graph)

    predict.tell(("a",), expected[:1], found.description, False)
    heading, _, row = capsys.readouterr().out.splitlines()
    assert heading.split("  ")[0] == "example"
    assert "price (€)" in heading
    assert f"{expected[0, 0]:.6g}" in row
    predict.tell(("a",), expected[:1], found.description, True)
    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line)["predictions"]["age"] == pytest.approx(expected[0, 1])


def test_a_deviation_of_zero_is_damage(tmp_path):
    path = tmp_path / export.FILE
    model = networks(tmp_path)
    model.description.targets[0]["deviation"] = 0
    export.write(path, model)
    with pytest.raises(Exception, match="targets"):
        export.read_model(path)


def test_what_is_written_is_read(tmp_path):
    found = made_up()
    path = tmp_path / "final.safetensors"
    evaluation.write(path, found)
    data = of_data(found)
    read = evaluation.read_evaluation(path, data)
    assert isinstance(read, Predictions)
    assert np.array_equal(read.answers, found.answers)
    assert read.score == found.score


def of_data(found: Predictions):
    """Data whose test part has the targets."""
    from types import SimpleNamespace

    from study.data.base import Data, Examples, Quantities

    test = Examples(np.zeros((len(found.targets), 4), np.float32), found.targets)
    dataset = SimpleNamespace(digest=found.provenance.digest, name="houses")
    return Data(dataset, Quantities(["price", "age"], ["€", ""]), lambda _: test)
