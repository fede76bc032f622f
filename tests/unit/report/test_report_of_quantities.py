"""Words and numbers of a study of quantities: R\u00b2 in place of accuracy, and no per cent."""

import re

import pandas as pd
import pyarrow as pa
import pytest

import madeup
from study.report import study_comparison_text
from study.report.words import Words
from study.results import study_comparison
from study.results.summary import summarise
from study.runs import records
from study.statistics.estimates import Estimate
from study.support.language import Language, available

CONFIG = {
    "seeds": 3,
    "baseline": {"epochs": 2, "hidden": [4]},
    "experiments": {"dropout": {"vary": {"dropout": [0.1, 0.2]}}},
}


def of_quantities(metrics: pd.DataFrame) -> pd.DataFrame:
    """The same numbers as R\u00b2, with an RMSE beside each."""
    found = metrics.rename(columns=lambda name: name.replace("accuracy", "r2"))
    for part in ("train", "validation", "train_eval"):
        found[f"{part}_rmse"] = 10 * (1 - found[f"{part}_r2"])
    return found


def write(folder, gain):
    """What is read of a study, whose R\u00b2 is negative here and there."""
    folder.mkdir()
    study = madeup.make(CONFIG, lambda settings, epoch: settings["dropout"] - 0.2 + gain)
    metrics = of_quantities(study.metrics)
    (folder / "plan.json").write_text(study.plan.to_json(), encoding="utf-8")
    made_by = {"commit": "c0ffee", "versions": {"torch": "2"}, "devices": ["cpu"]}
    table = pa.Table.from_pandas(metrics, preserve_index=False)
    records.write_parquet(folder / "metrics.parquet", table, made_by)
    summarise(study.plan, metrics, None).to_pandas().to_parquet(folder / "summary.parquet")
    return study_comparison.read_results(folder)


@pytest.mark.parametrize("code", available())
def test_two_studies_are_compared_by_r2(code, tmp_path):
    a, b = write(tmp_path / "a", 0.0), write(tmp_path / "b", 0.05)
    text = study_comparison_text.render(a, b, Language(code, task=a.task.name))
    sign = Language(code).number(0.5, 1)[1]
    assert f"\u22120{sign}100\u00a0\u00b1" in text
    assert f"+0{sign}050\u00a0\u00b1" in text
    assert not re.search(r"accurac|exactitud|points|puntos|per cent|por ciento", text)


def test_scores_are_told_as_they_are_and_shares_in_per_cent():
    classes, quantities = (
        Words(Language("en", task=each)) for each in ("classification", "regression")
    )
    assert classes.score(0.512) == "51.20\u00a0%"
    assert quantities.score(-1.5) == "\u22121.500"
    assert (classes.signed(0.0123), quantities.signed(0.0123)) == ("+1.23", "+0.012")
    assert quantities.with_half(Estimate(3, 0.5, 0.1, 0.25, 0.75)) == "0.500\u00a0\u00b1\u00a00.250"
    assert quantities.percent(0.5) == "50.00\u00a0%"


def test_a_sentence_on_classes_is_said_otherwise_of_quantities():
    text = Language("en", "examples", task="regression").text
    assert text("report.columns.validation") == "Validation R\u00b2"
    assert text("report.columns.lead") == "Lead"
    assert text("report.analysis.one_image", points=1).startswith("One validation example is 1")
    assert "predicted with dropout off" in text(
        "report.final.gap", gap="0.1", seen="0.5", validation="0.4"
    )
