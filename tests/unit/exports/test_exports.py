"""Each tool reads back the very numbers of the Parquet files, by its own reader."""

import json
import os
import sqlite3
import subprocess
import sys
import tomllib

import duckdb
import numpy as np
import optuna
import pandas as pd
import pyarrow.parquet as pq
import pytest
from optuna.trial import TrialState

import madeup_search
from small_study import ROOT
from study.commands import door, export_results
from study.exports import csv_file, mlflow_store, optuna_studies, wandb_runs
from study.search.steps import Scores, winner
from study.spec import settings
from study.spec.plan import Plan
from study.spec.searches import path_of_trials
from study.spec.tasks import CLASSIFICATION

FULL = os.environ.get("HYPOTHESIS_PROFILE") == "full"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("my-study") / "results"
    madeup_search.write(folder)
    return folder


@pytest.fixture(scope="module")
def metrics(results):
    return pd.read_parquet(results / "metrics.parquet")


def program(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["export_results.py", *map(str, words)])
    door.enter(export_results)


# Optuna


@pytest.fixture(scope="module")
def table(results):
    path = results / "export" / "metrics.csv"
    csv_file.export(results, path)
    return path


@pytest.fixture(scope="module")
def study(results):
    optuna_studies.export(results, results / "export" / "optuna.db")
    return optuna.load_study(study_name="tuned", storage=f"sqlite:///{results}/export/optuna.db")


@pytest.fixture(scope="module")
def trials(results):
    return pq.read_table(results / path_of_trials("tuned")).to_pylist()


def test_optuna_has_the_trials_of_the_table(study, trials):
    states = {
        "complete": TrialState.COMPLETE,
        "pruned": TrialState.PRUNED,
        "diverged": TrialState.FAIL,
    }
    assert {row["state"] for row in trials} == states.keys()
    for trial, row in zip(study.trials, trials, strict=True):
        assert trial.number == row["number"]
        assert trial.value == row["value"]
        assert trial.state == states[row["state"]]
        drawn = {key: row[key] for key in madeup_search.SPACE if row[key] is not None}
        drawn["hidden"] = row["hidden_text"]
        assert trial.params == drawn
        assert list(map(type, trial.params.values())) == list(map(type, drawn.values()))
        told = {key: row[key] for key in ("run", "epochs", "seeds", "round", "state")}
        assert trial.user_attrs == told
    momentum = {"momentum" in trial.params for trial in study.trials}
    assert momentum == {True, False}


def test_optuna_has_the_means_after_each_epoch(study, trials, metrics):
    for trial, row in zip(study.trials, trials, strict=True):
        rows = metrics[(metrics["run"] == row["run"]) & metrics["seed"].isin(row["seeds"])]
        rows = rows[(rows["epoch"] <= row["epochs"]) & (rows["status"] == "ok")]
        means = rows.groupby("epoch")["validation_accuracy"].agg(["mean", "size"])
        means = means[means["size"] == len(row["seeds"])]["mean"]
        assert trial.intermediate_values == pytest.approx(means.to_dict(), rel=1e-15)
        if row["state"] != "diverged":
            assert trial.intermediate_values[row["epochs"]] == row["value"]


def test_optuna_knows_the_space(study):
    known = study.trials[0].distributions | study.trials[1].distributions
    known |= study.trials[2].distributions | study.trials[3].distributions
    assert known == {
        "learning_rate": optuna.distributions.FloatDistribution(0.0001, 1.0, log=True),
        "dropout": optuna.distributions.FloatDistribution(0.0, 0.5, step=0.1),
        "batch_size": optuna.distributions.IntDistribution(16, 128, step=16),
        "hidden": optuna.distributions.CategoricalDistribution(["16", "32-16"]),
        "optimizer": optuna.distributions.CategoricalDistribution(["sgd", "adam"]),
        "nesterov": optuna.distributions.CategoricalDistribution([True, False]),
        "momentum": optuna.distributions.FloatDistribution(0.1, 0.9),
        "flip": optuna.distributions.CategoricalDistribution([False, True]),
        "shift": optuna.distributions.CategoricalDistribution([0, 1]),
    }
    # Equal for Python, and not the same.
    assert str(known["flip"]) != str(known["shift"])


def test_optuna_goes_on_from_there(study, results, metrics):
    assert study.direction == optuna.study.StudyDirection.MAXIMIZE
    assert study.metric_names == ["validation_accuracy"]
    [search] = Plan.read(results / "plan.json").searches
    won = winner(search, Scores(metrics)).trial.number
    assert study.user_attrs == {"sampler": "tpe", "seed": 0, "winner": won}
    again = optuna.create_study(direction="maximize")
    again.add_trials(study.trials)
    asked = again.ask(study.trials[0].distributions)
    assert asked.params.keys() == study.trials[0].params.keys()


def test_a_study_without_a_search_has_nothing_for_optuna(results, tmp_path, monkeypatch):
    content = json.loads((results / "plan.json").read_text())
    (tmp_path / "plan.json").write_text(json.dumps(content | {"searches": []}))
    with pytest.raises(SystemExit, match=r"plan\.json: has no search"):
        program(monkeypatch, "--to", "optuna", "--results", tmp_path)


def test_trials_of_another_plan_are_told(results, tmp_path, monkeypatch):
    content = json.loads((results / "plan.json").read_text())
    content["searches"][0]["space"]["learning_rate"]["high"] = 0.0002
    (tmp_path / "plan.json").write_text(json.dumps(content))
    for path in ("metrics.parquet", path_of_trials("tuned")):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes((results / path).read_bytes())
    with pytest.raises(SystemExit, match=r"trials\.parquet: does not fit the plan .*make report"):
        program(monkeypatch, "--to", "optuna", "--results", tmp_path)
    assert not (tmp_path / "export").exists()


# CSV


def same_rows(found, metrics):
    assert len(found) == len(metrics)
    for name in metrics.columns.drop(["hidden", "hidden_text"]):
        if metrics[name].dtype.kind == "f":
            expected = metrics[name].to_numpy(float)
            assert np.array_equal(found[name].to_numpy(float), expected, equal_nan=True), name
        else:
            known = metrics[name].notna()
            assert (found[name].notna() == known).all()
            assert (found[name] == metrics[name])[known].all(), name
    assert found["hidden"].tolist() == metrics["hidden_text"].tolist()


def test_csv_has_every_number(table, metrics):
    types = {"hidden": str}
    same_rows(pd.read_csv(table, dtype=types), metrics)
    same_rows(duckdb.read_csv(str(table), dtype={"hidden": "VARCHAR"}).df(), metrics)


def test_csv_tells_what_is_missing_from_what_is_no_number(table):
    """In words that R reads too: NaN and Inf, but for a setting that does not apply."""
    rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    diverged = rows[rows["status"] == "diverged"]
    assert set(diverged["validation_accuracy"]) == {"NaN"}
    assert set(diverged["train_loss"]) == {"Inf"}
    assert set(rows.loc[rows["optimizer"] == "adam", "momentum"]) == {""}


# MLflow


@pytest.fixture(scope="module")
def mlflow():
    return pytest.importorskip("mlflow", reason="MLflow is not installed: make mlflow installs it")


@pytest.fixture(scope="module")
def store(results, mlflow):
    path = results / "export" / "mlflow.db"
    mlflow_store.export(results, path)
    return path


def test_mlflow_has_every_number_and_setting(results, metrics, mlflow, store):
    client = mlflow.MlflowClient(f"sqlite:///{store}")
    experiment = client.get_experiment_by_name(results.parent.name)
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    groups = dict(iter(metrics.groupby(["run", "seed"])))
    assert len(runs) == len(groups)
    for run in runs:
        rows = groups.pop((run.data.tags["run"], int(run.data.params["seed"])))
        last = rows.iloc[-1]
        is_diverged = last["status"] == "diverged"
        assert run.info.status == ("FAILED" if is_diverged else "FINISHED")
        assert run.info.run_name == f"{last['run']}/seed_{last['seed']}"
        assert run.info.end_time - run.info.start_time == round(rows["seconds"].sum() * 1000)
        assert run.data.params["hidden"] == last["hidden_text"]
        assert run.data.params["learning_rate"] == settings.text(float(last["learning_rate"]))
        assert ("momentum" in run.data.params) == (last["optimizer"] == "sgd")
        assert run.data.tags["search.tuned"].isdigit()
        for name in CLASSIFICATION.columns:
            # MLflow's own way with what is not finite.
            expected = rows[name].replace(np.inf, np.finfo(float).max).to_numpy()
            history = client.get_metric_history(run.info.run_id, name)
            history.sort(key=lambda metric: metric.step)
            assert [metric.step for metric in history] == rows["epoch"].tolist()
            values = np.array([metric.value for metric in history])
            assert np.array_equal(values, expected, equal_nan=True)
            latest = np.array([run.data.metrics[name]])
            assert np.array_equal(latest, expected[-1:], equal_nan=True)
    assert not groups


def test_mlflow_writes_the_same_rows_of_what_is_not_finite(mlflow, store, tmp_path):
    """By its own function, into a store beside ours."""
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path}/own.db")
    run = client.create_run("0").info.run_id
    for value in (np.nan, np.inf):
        client.log_metric(run, "train_loss", value)
    query = "SELECT DISTINCT value, is_nan FROM metrics WHERE is_nan OR abs(value) > 1e300"
    own, ours = (set(sqlite3.connect(file).execute(query)) for file in (tmp_path / "own.db", store))
    assert own == ours


@pytest.mark.parametrize(("tool", "package"), [("mlflow", "mlflow-skinny"), ("wandb", "wandb")])
def test_a_missing_package_is_told_in_one_message(results, tmp_path, monkeypatch, tool, package):
    monkeypatch.setitem(sys.modules, tool, None)
    output = tmp_path / tool
    with pytest.raises(SystemExit, match=rf"--to {tool}: .*pip install {package}==") as told:
        program(monkeypatch, "--to", tool, "--results", results, "--output", output)
    assert str(told.value).count("\n") == 0
    assert not output.exists()


def test_the_version_of_mlflow_is_named_once():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["optional-dependencies"]["mlflow"] == [mlflow_store.PACKAGE]
    apart = (ROOT / "requirements-mlflow.txt").read_text(encoding="utf-8")
    assert mlflow_store.PACKAGE.replace("-skinny", "") in apart.splitlines()


# Weights & Biases


@pytest.fixture(scope="module")
def offline(results):
    pytest.importorskip("wandb", reason="wandb is not installed: make wandb installs it")
    folder = results / "export" / "wandb"
    for _ in range(2):
        wandb_runs.export(results, folder)
    return folder


def told_by_wandb(run, *words):
    """What its own reader prints of an offline run, as JSON."""
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", *words, run]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in printed.splitlines()]


def test_wandb_has_every_number_and_setting(results, metrics, offline):
    groups = dict(iter(metrics.groupby(["run", "seed"])))
    assert len(list(offline.iterdir())) == len(groups)
    for run in sorted(offline.iterdir())[:: 1 if FULL else 7]:
        records = told_by_wandb(run)
        [described] = [each["run"] for each in records if each["type"] == "run"]
        config = described["config"]["update"]
        rows = groups[described["run_group"], config["seed"]]
        last = rows.iloc[-1]
        assert described["project"] == results.parent.name
        assert described["display_name"] == f"{last['run']}/seed_{last['seed']}"
        assert config["run"] == last["run"]
        assert config["hidden"] == last["hidden_text"]
        assert config["learning_rate"] == last["learning_rate"]
        assert ("momentum" in config) == (last["optimizer"] == "sgd")
        assert config["search.tuned"].isdigit()
        items = [each["history"]["item"] for each in records if each["type"] == "history"]
        assert [item["_step"] for item in items] == rows["epoch"].tolist()
        for name in CLASSIFICATION.columns:
            values = np.array([float(item[name]) for item in items])
            assert np.array_equal(values, rows[name].to_numpy(), equal_nan=True)
        [ended] = [each["exit"] for each in records if each["type"] == "exit"]
        assert bool(ended.get("exit_code")) == (last["status"] == "diverged")


def test_wandb_is_told_nothing_of_this_machine(offline):
    assert {path.suffix for path in offline.rglob("*") if path.is_file()} == {".wandb"}
    for run in sorted(offline.iterdir())[:2]:
        told = json.dumps(told_by_wandb(run))
        assert '"host"' not in told
        assert str(offline) not in told
        assert os.fspath(ROOT) not in told


def test_wandb_would_upload_all_of_them(metrics, offline):
    command = [sys.executable, "-m", "wandb", "sync", "--dry-run", *sorted(offline.iterdir())]
    printed = subprocess.run(command, check=True, capture_output=True, text=True)
    count = len(metrics[["run", "seed"]].drop_duplicates())
    assert f"{count} run" in printed.stdout + printed.stderr


def test_the_version_of_wandb_is_named_once():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["optional-dependencies"]["wandb"] == [wandb_runs.PACKAGE]
    apart = (ROOT / "requirements-wandb.txt").read_text(encoding="utf-8")
    assert wandb_runs.PACKAGE in apart.splitlines()


# All of them


@pytest.mark.parametrize("tool", export_results.EXPORTS)
def test_what_is_missing_is_told(tool, tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match=r"is missing; run `make report` first"):
        program(monkeypatch, "--to", tool, "--results", tmp_path)


@pytest.mark.parametrize("tool", ["csv", "optuna", "tensorboard"])
def test_the_program_tells_where_it_is(tool, results, monkeypatch, capsys):
    program(monkeypatch, "--to", tool, "--results", results)
    place = results / export_results.EXPORTS[tool][1]
    assert f" are in {place}" in capsys.readouterr().out
    assert place.exists()
    assert not [path for path in place.parent.iterdir() if path.name.startswith(".")]
