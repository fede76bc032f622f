"""The measures as TensorBoard's event files, with the settings as its HParams plugin shows them."""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from tensorboard.plugins.hparams import summary_v2 as hparams
from tensorboard.summary.writer.record_writer import RecordWriter

from study.exports import reading, tfrecords
from study.results.metrics import settings_in
from study.spec.settings import text
from study.spec.tasks import task_of

# TensorBoard reads files with `tfevents` in their name, one after another as their names sort. One
# that runs never looks again at what it has read: a later export has a later name.
FILE = "events.out.tfevents.{nanoseconds}.study"

# Replicates whose records are in memory together.
BATCH = 250


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
    chosen = _settings(metrics, names)
    measures = task_of(metrics.columns).columns
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".tensorboard-") as temporary:
        made = Path(temporary) / folder.name
        made.mkdir()
        with (made / file).open("wb") as opened:
            writer = RecordWriter(opened)
            for record in [*HEAD, _record(summary=_experiment(chosen, names, measures))]:
                writer.write(record)
        for run in chosen:
            (made / run).mkdir()
        replicates = _replicates(metrics, chosen, measures)
        count = 0
        while batch := list(islice(replicates, BATCH)):
            framed = iter(tfrecords.framed([each for _, records in batch for each in records]))
            for name, records in batch:
                place = made / name
                place.mkdir()
                (place / file).write_bytes(b"".join(islice(framed, len(records))))
            count += len(batch)
        _keep_names(folder, made)
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    return count


def _keep_names(folder: Path, made: Path) -> None:
    """Keep the last export's files in `made`, empty: TensorBoard's Python reader waits for a file
    that it had begun, and goes on to the next one at its end."""
    for path in folder.rglob(FILE.format(nanoseconds="*")):
        kept = made / path.relative_to(folder)
        if path.stat().st_size and kept.parent.is_dir():
            kept.touch()


def _settings(metrics: pd.DataFrame, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Each run's settings as HParams takes them: numbers, truth values and texts."""
    rows = metrics.drop_duplicates("run")[["run", *names]].to_dict("records")
    return {
        row["run"]: {
            name: text(value.tolist()) if isinstance(value, np.ndarray) else value
            for name in names
            if isinstance(value := row[name], np.ndarray) or not pd.isna(value)
        }
        for row in rows
    }


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


def _replicates(
    metrics: pd.DataFrame, chosen: Mapping[str, Mapping[str, Any]], measures: Sequence[str]
) -> Iterator[tuple[str, list[bytes]]]:
    """The name of each replicate and the records of its file, in the order of the metrics."""
    metrics = metrics.sort_values("epoch", kind="stable")
    measured = metrics[list(measures)].to_numpy()
    epochs, seconds = metrics["epoch"].tolist(), metrics["seconds"].to_numpy()
    diverged = (metrics["status"] == "diverged").to_numpy()
    for (run, seed), places in metrics.groupby(["run", "seed"], sort=False).indices.items():
        start = hparams.hparams_pb(chosen[run], run, start_time_secs=0)
        rows = zip(
            [epochs[place] for place in places],
            seconds[places].cumsum().tolist(),
            measured[places].tolist(),
            strict=True,
        )
        scalars = _scalars(rows, measures)
        end = ENDS[bool(diverged[places].any())]
        yield f"{run}/seed_{seed}", [*HEAD, _record(summary=start), *scalars, end]


def _scalars(
    rows: Iterable[tuple[int, float, Sequence[float]]], measures: Sequence[str]
) -> Iterator[bytes]:
    """A record for each epoch of `rows`: its number, the seconds until then, the measures."""
    # One that is filled again and again takes a third of the time.
    event = Event(summary=Summary(value=[Summary.Value(tag=name) for name in measures]))
    values = list(event.summary.value)
    for event.step, event.wall_time, measured in rows:
        for value, number in zip(values, measured, strict=True):
            value.simple_value = number
        yield event.SerializeToString()


def _end(status: int) -> bytes:
    """How a replicate's session ended, as HParams reads it.

    TensorBoard's own function for it (hparams.summary.session_end_pb) needs TensorFlow.
    """
    described = plugin_data_pb2.HParamsPluginData(
        session_end_info=plugin_data_pb2.SessionEndInfo(status=status)
    )
    value = Summary.Value(
        tag=metadata.SESSION_END_INFO_TAG,
        metadata=metadata.create_summary_metadata(described),
        tensor=metadata.NULL_TENSOR,
    )
    return _record(summary=Summary(value=[value]))


def _record(**content: Any) -> bytes:
    serialized: bytes = Event(**content).SerializeToString()
    return serialized


# How a file begins. The start makes a reader that knows an earlier export forget its steps.
HEAD = (
    _record(file_version="brain.Event:2"),
    _record(session_log=SessionLog(status=SessionLog.START)),
)

# How one ends, by whether its replicate diverged.
ENDS = {False: _end(api_pb2.STATUS_SUCCESS), True: _end(api_pb2.STATUS_FAILURE)}
