"""A study of a user's own, on a data set of their own, from the config to the report."""

import re

import pandas as pd
import pytest

from small_study import Study

OWN = {
    "seeds": 2,
    "experiments": {
        "rate_and_batch": {"vary": {"learning_rate": [0.05, 0.1], "batch_size": [20, 50]}},
        "decay": {"with": {"optimizer": "adamw"}, "vary": {"weight_decay": [0.0, 0.001, 0.01]}},
        "depth": {"vary": {"hidden": [[16], [16, 8], [16, 12, 8]]}},
        "wild": {"with": {"weight_decay": 10.0}, "vary": {"learning_rate": [0.1, 900.0]}},
    },
    "final": {"hidden": [16, 12, 8], "momentum": 0.9},
}


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> Study:
    study = Study(tmp_path_factory.mktemp("own"))
    study.configure(**OWN)
    study.ok()
    return study


def test_the_report_has_a_section_and_a_row_for_each_value(own):
    report = (own.results / "report.en.md").read_text(encoding="utf-8")
    summary = pd.read_parquet(own.results / "summary.parquet")
    assert not (own.results / "report.es.md").exists()
    values = {
        "rate_and_batch": ["learning_rate=0.05, batch_size=20", "learning_rate=0.1, batch_size=50"],
        "decay": ["0.0", "0.001", "0.01"],
        "depth": ["16", "16-8", "16-12-8"],
        "wild": ["0.1", "900.0"],
    }
    for name, some in values.items():
        rows = summary[summary.experiment == name]
        assert set(some) <= set(rows.value)
        assert rows.validation_accuracy_published.isna().all()
        assert f"figures/{name}.en.png" in report
        section = report[: report.index(f"figures/{name}.en.png")].rpartition("\n### ")[2]
        results, *_ = section.split("**Differences, tested**")
        rows_told = re.findall(r"^\| (?!-|:)", results, re.M)
        assert len(rows_told) == len(rows) + 1, section
    assert (summary.experiment == "final").sum() == 1


def test_a_diverged_run_is_a_result_and_stops_nobody(own):
    metrics = pd.read_parquet(own.results / "metrics.parquet")
    summary = pd.read_parquet(own.results / "summary.parquet").set_index(["experiment", "value"])
    wild = metrics[metrics.learning_rate == 900.0]
    assert set(wild.groupby("seed").status.last()) == {"diverged"}
    assert summary.loc[("wild", "900.0"), ["n", "diverged"]].tolist() == [0, 2]
    assert summary.loc[("wild", "0.1"), "n"] == 2
    assert "diverged" in (own.results / "report.en.md").read_text(encoding="utf-8")


def test_metrics_hold_just_what_the_config_asks_for(own):
    metrics = pd.read_parquet(own.results / "metrics.parquet")
    assert metrics.run.nunique() == 4 + 3 + 2 + 2 + 1
    assert set(metrics.seed) == {0, 1}
    assert metrics[["run", "seed", "epoch"]].duplicated().sum() == 0
    ok = metrics[metrics.status == "ok"]
    for column in ("train_accuracy", "validation_accuracy", "train_eval_accuracy"):
        assert ok[column].between(0, 1).all()


def test_every_figure_is_there_and_no_other(own):
    names = {path.name.removesuffix(".png") for path in own.results.glob("figures/*.png")}
    parts = ("curves", "confusion", "classes", "calibration", "confused", "mistakes")
    final = {f"final_{part}" for part in parts}
    overall = {"mosaic", "glance", "glance_cost"}
    assert names == {f"{name}.en" for name in {*OWN["experiments"], *final, *overall}}


def test_one_seed_in_another_folder_by_the_command_line(own, tmp_path):
    """--directory elsewhere, --config seeds=1, --configfile: that study alone."""
    study = Study(tmp_path)
    study.configure(**OWN | {"experiments": {"depth": OWN["experiments"]["depth"]}})
    study.ok("--config", "seeds=1", "--", "metrics")
    summary = pd.read_parquet(study.results / "summary.parquet")
    assert set(summary.experiment) == {"depth", "final"}
    assert set(summary.n) == {1}
    assert summary.validation_accuracy_sd.isna().all()


def test_what_is_finished_is_reported_without_training(own, tmp_path):
    study = Study(tmp_path)
    study.configure(experiments={"dropout": {"vary": {"dropout": [0.0]}}})
    study.ok("metrics")
    study.configure(experiments={"dropout": {"vary": {"dropout": [0.0, 0.2]}}})
    before = study.trained()
    study.ok("--config", "partial=true", "--", "report")
    assert study.trained() == before
    report = (study.results / "report.en.md").read_text(encoding="utf-8")
    assert "partial" in report.splitlines()[0].lower()
    assert "dropout: 0.2" in report
    study.ok()
    assert len(study.trained()) > len(before)
    report = (study.results / "report.en.md").read_text(encoding="utf-8")
    assert "partial" not in report.splitlines()[0].lower()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"baselin": {}}, "unknown key 'baselin'; did you mean 'baseline'?"),
        ({"baseline": {"dropout": 1.0}}, "baseline.dropout: must be at most 0.999, is 1.0"),
        ({"experiments": {}}, "experiments: must not be empty"),
        ({"seeds": [1, 1]}, "seeds: has the same value twice: 1"),
        ({"data": {"dataset": "FashionMnist"}}, "did you mean 'FashionMNIST'?"),
        (
            {"experiments": {"m": {"with": {"optimizer": "adam"}, "vary": {"momentum": [0.1]}}}},
            "'adam' does not use 'momentum'",
        ),
    ],
)
def test_a_wrong_config_is_told_in_a_few_lines(study, changes, message):
    study.configure(**changes)
    result = study.run("-n", "report")
    lines = result.output.strip().splitlines()
    assert result.returncode != 0
    assert message in result.output
    assert "Traceback" not in result.output
    assert len(lines) <= 10, result.output


def test_no_source_of_data_is_told_with_what_to_do(study):
    study.configure(data={"dataset": "data/mnistlike.yaml", "sources": ["nowhere"]})
    result = study.run("data")
    assert result.returncode != 0
    assert "nowhere: no such folder" in result.output
    assert "data.sources" in result.output
    assert "Traceback" not in result.output
