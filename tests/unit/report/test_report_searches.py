"""What the report says of a search."""

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

import madeup_search
from study.report.searches import Searches, end_of
from study.report.words import Words
from study.spec.models import MLP
from study.spec.plan import Plan
from study.spec.searches import EarlierTrial
from study.support.language import Language


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("en", "From the start the sampler knew 2 trials of an Optuna study"),
        ("es", "Desde el principio el muestreador conocía 2 ensayos de un estudio de Optuna"),
    ],
)
def test_a_search_that_began_with_other_trials_says_so(code, told, tmp_path):
    search = madeup_search.write(tmp_path)
    plan = Plan.read(tmp_path / "plan.json")
    metrics = pd.read_parquet(tmp_path / "metrics.parquet")
    study = SimpleNamespace(plan=plan, metrics=metrics, final=None, importances={"tuned": []})
    report = Searches(study, Words(Language(code)), "figures")
    begun = replace(search, earlier=2 * [EarlierTrial(search.trials[0].settings, 0.5)])
    assert any(told in sentence for sentence in report.sentences(begun))
    assert not any(told in sentence for sentence in report.sentences(search))


def test_nothing_lies_beyond_the_bounds_of_a_setting():
    definition = MLP.hyperparameters.definitions["dropout"]
    space = {"low": 0.0, "high": 0.5, "log": False}
    assert end_of(space, 0.0, definition) is None
    assert end_of(space, 0.5, definition) == "high"
    assert end_of(space | {"low": 0.1}, 0.1, definition) == "low"
    rate = MLP.hyperparameters.definitions["learning_rate_decay"]
    assert end_of({"low": 0.8, "high": 1.0, "log": False}, 1.0, rate) is None
    assert end_of([0.0, 0.5], 0.5, definition) is None
