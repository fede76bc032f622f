"""Regression learns standardised targets, and is measured in their units."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import r2_score, root_mean_squared_error

from examples import run_settings, tensor_bytes, training_settings
from study.data.scaling import AS_STORED, of_targets
from study.learning.examples import Examples
from study.learning.regression import Regression
from study.learning.trainer import Trainer
from study.results import comparisons, experiments, metrics, summary
from study.runs import checkpoint, models, outputs, replicates
from study.spec.config import validated
from study.spec.models import MLP
from study.spec.plan import Run
from study.spec.resolution import resolve
from study.spec.tasks import REGRESSION


def learnable(count: int, targets: int = 1, features: int = 5, seed: int = 0) -> Examples:
    """Numbers whose targets are sums of them, far from 0 and of different units."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, features)).astype(np.float32)
    sums = np.stack([x[:, : 1 + target].sum(1) for target in range(targets)], axis=1)
    units = 10.0 ** np.arange(targets)
    return Examples.from_arrays(x, (sums * units + 300).astype(np.float32), "cpu")


def a_run(settings, train, validation) -> replicates.Training:
    count = train.targets.shape[1]
    architecture = models.architecture(MLP, settings, train.shape, count, AS_STORED)
    spread = of_targets(train.targets.numpy())
    objective = models.objective(REGRESSION, settings, count, spread)
    return replicates.Training(
        settings, train, validation, architecture, REGRESSION, objective, "cpu", "cpu test"
    )


def trained(settings, seeds, train, epochs=2) -> tuple[Trainer, list]:
    made = a_run(settings, train, train).trainer(list(seeds))
    return made, [made.train_epoch(train) for _ in range(epochs)]


@given(st.integers(2, 60), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_metrics_are_those_of_scikit_learn(count, targets, seed):
    right = learnable(count, targets, seed=seed).targets
    means, deviations = of_targets(right.numpy())
    outputs = torch.from_numpy(np.random.default_rng(seed).normal(size=(2, count, targets))).float()
    found = Regression(means, deviations).evaluate(outputs, right)
    for replicate, own in enumerate(outputs.double().numpy()):
        predicted, true = own * deviations + means, right.double().numpy()
        assert found["r2"][replicate] == pytest.approx(r2_score(true, predicted), rel=1e-6)
        error = root_mean_squared_error(true, predicted)
        assert found["rmse"][replicate] == pytest.approx(error, rel=1e-6)


def test_the_gradient_is_that_of_torch():
    outputs = torch.randn(2, 7, 3, requires_grad=True, generator=torch.Generator().manual_seed(0))
    wanted = torch.randn(2, 7, 3, generator=torch.Generator().manual_seed(1))
    for own, right in zip(outputs, wanted, strict=True):
        torch.nn.functional.mse_loss(own, right).backward()
    found = Regression([0.0] * 3, [1.0] * 3).gradient(outputs.detach(), wanted)
    assert torch.allclose(found, outputs.grad)


def test_targets_that_never_change_tell_nothing_and_break_nothing():
    right = torch.full((5, 1), 3.0)
    found = Regression(*of_targets(right.numpy())).evaluate(torch.ones(1, 5, 1), right)
    assert found == {"loss": [1.0], "r2": [0.0], "rmse": [1.0]}


@pytest.mark.parametrize("targets", [1, 3])
def test_sums_are_learned(targets):
    settings = run_settings(optimizer="adam", learning_rate=0.01, hidden=[16], batch_size=20)
    made, _ = trained(settings, [0, 1], learnable(400, targets), epochs=30)
    unseen = made.evaluate(learnable(100, targets, seed=1))
    assert min(unseen["r2"]) > 0.98
    assert max(unseen["loss"]) < 0.02


@given(
    settings=training_settings(),
    seeds=st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=10, unique=True),
    count=st.integers(1, 70),
    targets=st.sampled_from([1, 2, 3]),
)
def test_a_replicate_has_the_same_bytes_alone_and_in_a_stack(settings, seeds, count, targets):
    """One output makes a product with a vector, which other code might compute."""
    settings |= {"shift": 0, "flip": False, "label_smoothing": 0.0, "class_weights": "none"}
    train = learnable(count, targets)
    stack, measured = trained(settings, seeds, train)
    alone, measured_alone = trained(settings, seeds[-1:], train)
    assert tensor_bytes(stack.state()[-1]) == tensor_bytes(alone.state()[0])
    for one, other in zip(measured, measured_alone, strict=True):
        for name in ("loss", "r2", "rmse"):
            numbers = [one[name][-1], other[name][0]]
            assert np.float64(numbers[0]).tobytes() == np.float64(numbers[1]).tobytes()


def test_a_run_leaves_a_record_that_metrics_are_collected_from(tmp_path):
    """The columns are those of its task, whatever the seeds' number."""
    settings = run_settings(hidden=[4], batch_size=20)
    run = a_run(settings, learnable(60), learnable(20, seed=1))
    target = checkpoint.Target([0, 1], 2)
    state = checkpoint.Checkpoint({})
    saver = replicates.Saver(lambda state: None)
    journal = replicates.Journal(tmp_path / "journal.jsonl")
    replicates.extend(run, state, target, saver, journal, print)
    (tmp_path / "one").mkdir()
    outputs.write(tmp_path / "one", state, target, settings, run.architecture, REGRESSION)
    found = metrics.collect(
        [Run("one", settings, 2, [0, 1])], tmp_path, MLP.hyperparameters
    ).to_pandas()
    assert found["epoch"].tolist() == [1, 2, 1, 2]
    assert set(REGRESSION.columns) <= set(found.columns)
    assert not [name for name in found if "accuracy" in name]
    assert np.isfinite(found[["validation_r2", "validation_rmse", "train_eval_r2"]]).all(axis=None)


def test_values_are_summarised_and_compared_by_r2(tmp_path):
    """From training to comparisons: the better value leads, whatever the target's unit."""
    experiment = {"rate": {"vary": {"learning_rate": [0.02, 0.0001]}}}
    baseline = {"optimizer": "adam", "hidden": [8], "batch_size": 20, "epochs": 12}
    config = {"seeds": 3, "baseline": baseline | {"dropout": 0.0}, "experiments": experiment}
    plan = resolve(validated(config, "config.yaml"))
    for planned in plan.runs:
        run = a_run(dict(planned.settings), learnable(200, 2), learnable(50, 2, seed=1))
        target = checkpoint.Target(planned.seeds, planned.epochs)
        state = checkpoint.Checkpoint({})
        (tmp_path / planned.run).mkdir()
        journal = replicates.Journal(tmp_path / "journal.jsonl")
        saver = replicates.Saver(lambda state: None)
        replicates.extend(run, state, target, saver, journal, lambda line: None)
        folder, settings = tmp_path / planned.run, planned.settings
        outputs.write(folder, state, target, settings, run.architecture, REGRESSION)
    measured = metrics.collect(plan.runs, tmp_path, plan.hyperparameters).to_pandas()
    rows = summary.summarise(plan, measured, None).to_pandas()
    assert rows["value"].tolist() == ["0.02", "0.0001"]
    assert (rows["validation_rmse_low"] >= 0).all()
    last = measured[measured["epoch"] == 12].groupby("run", sort=False)["validation_r2"].mean()
    assert rows["validation_r2_mean"].to_numpy() == pytest.approx(last.to_numpy())
    [found] = experiments.experiments(plan, rows, measured)
    assert found.best.text == "0.02"
    [compared] = comparisons.compare([found]).to_pylist()
    lead = rows["validation_r2_mean"][0] - rows["validation_r2_mean"][1]
    assert compared["difference"] == pytest.approx(lead)
    assert compared["is_best"]
