"""The measures as TensorBoard's event files, with the settings as its HParams plugin shows them."""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from tensorboard.plugins.hparams import summary_v2 as hparams
from tensorboard.summary.writer.record_writer import RecordWriter

from study.exports import reading
from study.results.metrics import settings_in
from study.spec.settings import text
from study.spec.tasks import task_of

# TensorBoard reads files with `tfevents` in their name, one after another as their names sort. One
# that runs never looks again at what it has read: a later export has a later name.
FILE = "events.out.tfevents.{nanoseconds}.study"

VERSION = "brain.Event:2"


def export(results: Path, output: Path) -> str:
    """Write the study's replicates; gives what to tell the person who asked."""
    return export_file(results / "metrics.parquet", output)


def export_file(metrics: Path, output: Path) -> str:
    """The same of a file metrics.parquet anywhere."""
    count = write(reading.frame(metrics), output)
    viewer = Path(sys.executable).with_name("tensorboard")
    return f"{count} replicates are in {output}. Then:\n  {viewer} --logdir {output.resolve()}"


def write(metrics: pd.DataFrame, folder: Path) -> int:
    """Write the rows of metrics.parquet into `folder`, in place of what it holds.

    Each replicate is a run of TensorBoard's, <run>/seed_<n>, with the measures as scalars, which
    are float32 there; the replicates of a run are one trial of HParams. The time of an epoch is
    what its replicate has been trained until then, so that the axis RELATIVE tells the cost. A
    replicate that diverged is a failed session, which HParams leaves out of its run's mean. Gives
    the number of replicates.
    """
    file = FILE.format(nanoseconds=time.time_ns())
    names = settings_in(metrics.columns)
    chosen = {
        run: _settings(rows.iloc[0], names) for run, rows in metrics.groupby("run", sort=False)
    }
    measures = task_of(metrics.columns).columns
    measured = metrics[["run", "seed", "epoch", "status", *measures]].sort_values("epoch")
    replicates = measured.groupby(["run", "seed"], sort=False)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".tensorboard-") as temporary:
        made = Path(temporary) / folder.name
        _write(made / file, [Event(summary=_experiment(chosen, names, measures))])
        for (run, seed), rows in replicates:
            start = Event(summary=hparams.hparams_pb(chosen[run], run, start_time_secs=0))
            events = [start, *_scalars(rows, measures), Event(summary=_end(rows))]
            _write(made / run / f"seed_{seed}" / file, events)
        _keep_names(folder, made)
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    return len(replicates)


def _keep_names(folder: Path, made: Path) -> None:
    """Keep the last export's files in `made`, empty: TensorBoard's Python reader waits for a file
    that it had begun, and goes on to the next one at its end."""
    for path in folder.rglob(FILE.format(nanoseconds="*")):
        kept = made / path.relative_to(folder)
        if path.stat().st_size and kept.parent.is_dir():
            kept.touch()


def _settings(row: pd.Series, names: Sequence[str]) -> dict[str, Any]:
    """A run's settings as HParams takes them: numbers, truth values and texts."""
    found = {}
    for name in names:
        value = row[name]
        if isinstance(value, np.ndarray):
            found[name] = text(value.tolist())
        elif not pd.isna(value):
            found[name] = value.item() if isinstance(value, np.generic) else value
    return found


def _experiment(
    chosen: Mapping[str, Mapping[str, Any]], names: Sequence[str], measures: Sequence[str]
) -> Summary:
    """What HParams offers to filter and sort by: the settings that differ, and the measures."""
    values = {
        name: list(dict.fromkeys(each[name] for each in chosen.values() if name in each))
        for name in names
    }
    return hparams.hparams_config_pb(
        hparams=[
            hparams.HParam(name, hparams.Discrete(found))
            for name, found in values.items()
            if len(found) > 1
        ],
        metrics=[hparams.Metric(name) for name in measures],
        time_created_secs=0,
    )


def _scalars(rows: pd.DataFrame, measures: Sequence[str]) -> Iterator[Event]:
    """The measures of one replicate, an event for each epoch of `rows`, which are in order."""
    columns = (rows["epoch"], rows["seconds"].cumsum(), rows[list(measures)].to_numpy())
    for epoch, trained, measured in zip(*columns, strict=True):
        values = [
            Summary.Value(tag=name, simple_value=value)
            for name, value in zip(measures, measured, strict=True)
        ]
        yield Event(wall_time=trained, step=epoch, summary=Summary(value=values))


def _end(rows: pd.DataFrame) -> Summary:
    """How a replicate's session ended, as HParams reads it.

    TensorBoard's own function for it (hparams.summary.session_end_pb) needs TensorFlow.
    """
    diverged = (rows["status"] == "diverged").any()
    ended = plugin_data_pb2.SessionEndInfo(
        status=api_pb2.STATUS_FAILURE if diverged else api_pb2.STATUS_SUCCESS
    )
    described = plugin_data_pb2.HParamsPluginData(session_end_info=ended)
    value = Summary.Value(
        tag=metadata.SESSION_END_INFO_TAG,
        metadata=metadata.create_summary_metadata(described),
        tensor=metadata.NULL_TENSOR,
    )
    return Summary(value=[value])


def _write(path: Path, events: list[Event]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        writer = RecordWriter(file)
        # The start makes a reader that knows an earlier export forget its steps.
        start = Event(session_log=SessionLog(status=SessionLog.START))
        for event in [Event(file_version=VERSION), start, *events]:
            writer.write(event.SerializeToString())
