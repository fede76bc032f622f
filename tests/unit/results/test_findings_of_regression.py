"""Findings and early stopping read the score of the task: R², which has no lower bound."""

import math

import numpy as np
import pandas as pd
import pytest

from study.report.data import metrics_columns
from study.results import findings
from study.results.experiments import ValueResult
from study.results.metrics import read
from study.spec.tasks import REGRESSION
from study.statistics import early_stopping
from study.statistics.estimates import Estimate

EPOCHS, SEEDS = 3, 2


@pytest.fixture
def metrics():
    rows = []
    for seed in range(SEEDS):
        for epoch in range(1, EPOCHS + 1):
            measured = dict.fromkeys(REGRESSION.columns, 0.5)
            measured |= {
                "validation_r2": -4.0 + epoch + seed,
                "train_eval_r2": 0.5,
                "validation_loss": 5.0 - epoch,
            }
            rows.append({"run": "a", "seed": seed, "epoch": epoch, "status": "ok"} | measured)
    return pd.DataFrame(rows)


@pytest.fixture
def value():
    known = Estimate(SEEDS, -0.5, 0.7, -1.5, 0.5)
    return ValueResult(
        "a", {"dropout": 0.1}, "a", EPOCHS, SEEDS, 0, known, known, seeds=range(SEEDS)
    )


def test_gaps_and_courses_are_of_r2(metrics, value):
    assert findings.seen_score(value, metrics).mean == 0.5
    gap = findings.generalisation_gap(value, metrics)
    assert gap.mean == pytest.approx(1.0)
    # Between two seeds as far apart as these, an accuracy's would be cut at 1.
    assert gap.high > 1
    course = findings.course(value, metrics)
    assert course.is_falling
    assert course.gained == pytest.approx(1.0)


def test_early_stopping_is_told_in_r2(metrics):
    stops = early_stopping.read_off(metrics, "validation_rmse", 1, "validation_r2")
    assert stops["stopped"].tolist() == [2, 2]
    assert stops["gained"].tolist() == [-2.0, -2.0]


def test_the_report_reads_the_measures_of_the_task(metrics, tmp_path):
    path = tmp_path / "metrics.parquet"
    metrics.to_parquet(path)
    found = read(path, metrics_columns)
    assert {"train_r2", "validation_rmse", "seconds"} <= {*found}
    assert not [name for name in found if "accuracy" in name]
    assert np.isfinite(found["validation_r2"]).all()
    assert not math.isnan(found["validation_r2"].mean())
