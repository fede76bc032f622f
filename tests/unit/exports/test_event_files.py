"""TensorBoard finds the very numbers of metrics.parquet, and the settings of every run."""

import sys

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import api_pb2, metadata

import madeup
from study.commands import door, export_tensorboard
from study.exports import event_files
from study.results.metrics import settings_columns
from study.spec import settings
from study.spec.models import MLP
from study.spec.tasks import CLASSIFICATION

CONFIG = {
    "seeds": 2,
    "baseline": {"epochs": 3, "hidden": [4]},
    "experiments": {
        "hidden": {"vary": {"hidden": [[4], [8, 4]]}},
        "optimizer": {"vary": {"optimizer": ["sgd", "adam"]}},
    },
}


@pytest.fixture(scope="module")
def metrics():
    """The rows of metrics.parquet of a made-up study, one of whose seeds diverges."""
    study = madeup.make(CONFIG, lambda _, epoch: 0.7 + epoch / 30, {"adam": 1})
    chosen = {run.run: run.settings for run in study.plan.runs}
    rows = study.metrics.reset_index(drop=True)
    for place, name in enumerate(settings_columns(MLP.hyperparameters).names, start=1):
        values = rows["run"].map(lambda run, name=name: chosen[run].get(name))
        rows.insert(place, name, values)
    rows["hidden"] = rows["hidden"].map(np.array)
    return rows


@pytest.fixture(scope="module")
def exported(metrics, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results") / "tensorboard"
    assert event_files.write(metrics, folder) == 6
    return folder


def read(folder):
    """What TensorBoard's own reader finds in a folder of event files."""
    found = EventAccumulator(str(folder), {"scalars": 0, "tensors": 0})
    found.Reload()
    return found


def test_every_scalar_is_that_of_the_metrics(metrics, exported):
    for (run, seed), rows in metrics.groupby(["run", "seed"]):
        found = read(exported / run / f"seed_{seed}")
        assert set(found.Tags()["scalars"]) == set(CLASSIFICATION.columns)
        for name in CLASSIFICATION.columns:
            events = found.Scalars(name)
            assert [event.step for event in events] == rows["epoch"].tolist()
            told = np.array([event.value for event in events], np.float32)
            assert np.array_equal(told, rows[name].to_numpy(np.float32), equal_nan=True)
        times = [event.wall_time for event in found.Scalars("seconds")]
        assert times == pytest.approx(rows["seconds"].cumsum().tolist())


def hparams(folder, tag):
    content = read(folder).SummaryMetadata(tag).plugin_data.content
    return content


def test_every_replicate_has_its_settings_and_those_of_a_run_are_one_trial(metrics, exported):
    for run, rows in metrics.groupby("run"):
        groups = set()
        for seed in rows["seed"].unique():
            content = hparams(exported / run / f"seed_{seed}", metadata.SESSION_START_INFO_TAG)
            session = metadata.parse_session_start_info_plugin_data(content)
            groups.add(session.group_name)
            assert session.hparams["hidden"].string_value == settings.text(
                rows["hidden"].iloc[0].tolist()
            )
            assert session.hparams["learning_rate"].number_value == rows["learning_rate"].iloc[0]
            assert session.hparams["optimizer"].string_value == rows["optimizer"].iloc[0]
            # A setting that the optimizer does not use is none of the run's.
            assert ("momentum" in session.hparams) == (rows["optimizer"].iloc[0] == "sgd")
        assert groups == {run}


def test_the_study_names_what_differs_and_the_measures(exported):
    content = hparams(exported, metadata.EXPERIMENT_TAG)
    experiment = metadata.parse_experiment_plugin_data(content)
    assert {info.name for info in experiment.hparam_infos} == {"hidden", "optimizer"}
    assert [info.name.tag for info in experiment.metric_infos] == list(CLASSIFICATION.columns)


def test_a_diverged_replicate_is_a_failed_session(metrics, exported):
    ends = set()
    for (run, seed), rows in metrics.groupby(["run", "seed"]):
        content = hparams(exported / run / f"seed_{seed}", metadata.SESSION_END_INFO_TAG)
        ended = metadata.parse_session_end_info_plugin_data(content)
        diverged = "diverged" in rows["status"].tolist()
        assert ended.status == (api_pb2.STATUS_FAILURE if diverged else api_pb2.STATUS_SUCCESS)
        ends.add(diverged)
    assert ends == {True, False}


def test_a_reader_that_knows_an_export_takes_the_next_one_whole(metrics, tmp_path):
    folder = tmp_path / "tensorboard"
    event_files.write(metrics, folder)
    (run, seed), rows = next(iter(metrics.groupby(["run", "seed"])))
    reader = read(folder / run / f"seed_{seed}")
    expected = (rows["train_loss"] + 1).to_numpy(np.float32)
    for _ in range(2):
        event_files.write(metrics.assign(train_loss=metrics["train_loss"] + 1), folder)
        reader.Reload()
        told = reader.Scalars("train_loss")
        assert [event.step for event in told] == rows["epoch"].tolist()
        assert np.array_equal([event.value for event in told], expected, equal_nan=True)


def files(folder):
    """What an export holds; its files' names, new each time, aside."""
    return {
        path.parent.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.stat().st_size
    }


def test_a_second_export_is_the_same_and_leaves_nothing_of_the_first(metrics, tmp_path):
    folder = tmp_path / "tensorboard"
    event_files.write(metrics, folder)
    before = files(folder)
    event_files.write(metrics, folder)
    assert files(folder) == before
    one_run = metrics[metrics["run"] == metrics["run"].iloc[0]]
    event_files.write(one_run, folder)
    assert files(folder).keys() < before.keys()
    assert [path.name for path in tmp_path.iterdir()] == ["tensorboard"]


def test_the_program_tells_how_to_look_at_it(metrics, tmp_path, monkeypatch, capsys):
    table = pd.DataFrame(metrics)
    table["hidden"] = table["hidden"].map(list)
    table.to_parquet(tmp_path / "metrics.parquet")
    words = ["--metrics", tmp_path / "metrics.parquet", "--output", tmp_path / "events"]
    monkeypatch.setattr(sys, "argv", ["export_tensorboard.py", *map(str, words)])
    door.enter(export_tensorboard)
    assert f"tensorboard --logdir {tmp_path / 'events'}" in capsys.readouterr().out
    assert pq.read_table(tmp_path / "metrics.parquet").num_rows == len(metrics)
    (tmp_path / "metrics.parquet").unlink()
    with pytest.raises(SystemExit, match="metrics.parquet: is missing; run `make report` first"):
        door.enter(export_tensorboard)
