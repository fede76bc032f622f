"""The table of measures holds exactly what a study asks for, in the form of its contract."""

import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import FEW, run_settings
from study.results import metrics
from study.runs import records
from study.runs.checkpoint import Checkpoint, Replicate
from study.spec.models import MLP
from study.spec.plan import Run
from study.support.errors import StudyError

KNOWN = MLP.hyperparameters

METRICS = [
    ("run", "string"),
    ("optimizer", "string"),
    ("learning_rate", "double"),
    ("learning_rate_decay", "double"),
    ("schedule", "string"),
    ("warmup_epochs", "int64"),
    ("momentum", "double"),
    ("nesterov", "bool"),
    ("weight_decay", "double"),
    ("gradient_clip", "double"),
    ("label_smoothing", "double"),
    ("class_weights", "string"),
    ("dropout", "double"),
    ("hidden", "list<item: int64>"),
    ("hidden_text", "string"),
    ("activation", "string"),
    ("batch_size", "int64"),
    ("weight_averaging", "double"),
    ("shift", "int64"),
    ("flip", "bool"),
    ("precision", "string"),
    ("seed", "int64"),
    ("epoch", "int64"),
    ("train_loss", "double"),
    ("train_accuracy", "double"),
    ("validation_loss", "double"),
    ("validation_accuracy", "double"),
    ("train_eval_accuracy", "double"),
    ("seconds", "double"),
    ("status", "string"),
]


def replicate(seed, epochs, diverged=False):
    """Measures that tell their seed, epoch and column: 3.2005 is seed 3, epoch 2, column 5."""
    rows = [
        [seed + epoch / 10 + column / 10_000 for column in range(6)]
        for epoch in range(1, epochs + 1)
    ]
    return Replicate("cpu test", np.array(rows), diverged)


def write_record(folder, run, **epochs_by_seed):
    known = {
        int(seed.removeprefix("s")): replicate(int(seed.removeprefix("s")), epochs)
        for seed, epochs in epochs_by_seed.items()
    }
    table = records.record(run, Checkpoint({}, known))
    records.write_parquet(folder / run / "record.parquet", table, {})


def asked(run, seeds, epochs, **settings):
    return Run(run, run_settings(**settings), epochs, seeds)


def rows(table):
    return list(zip(*(table[name].to_pylist() for name in ("run", "seed", "epoch")), strict=True))


# One run's record.


def test_a_record_has_a_row_for_each_replicate_and_epoch():
    table = records.record("name", Checkpoint({}, {5: replicate(5, 2), 0: replicate(0, 1)}))
    assert rows(table) == [("name", 0, 1), ("name", 5, 1), ("name", 5, 2)]
    assert table.schema.names == [
        name
        for name, _ in METRICS
        if name
        not in {
            "hidden_text",
            *(each.name for each in metrics.settings_columns(KNOWN)),
        }
    ]
    assert table["train_loss"].to_pylist() == [0.1, 5.1, 5.2]
    assert table["validation_accuracy"].to_pylist() == [0.1003, 5.1003, 5.2003]
    assert set(table["status"].to_pylist()) == {"ok"}


def test_divergence_is_the_status_of_the_last_row_alone():
    known = Checkpoint({}, {0: replicate(0, 3, diverged=True), 1: replicate(1, 2)})
    assert records.record("name", known)["status"].to_pylist() == [
        "ok",
        "ok",
        "diverged",
        "ok",
        "ok",
    ]


def test_a_measure_that_is_no_number_is_kept_and_is_not_null(tmp_path):
    measures = np.full((2, 6), [[math.nan], [math.inf]])
    table = records.record("name", Checkpoint({}, {0: Replicate("cpu", measures, diverged=True)}))
    records.write_parquet(tmp_path / "record.parquet", table, {})
    read = pq.read_table(tmp_path / "record.parquet")["train_loss"]
    assert read.null_count == 0
    assert math.isnan(read[0].as_py())
    assert read[1].as_py() == math.inf


def test_metadata_are_read_as_written(tmp_path):
    metadata = {"made_by": {"versions": {"torch": "2"}}, "commit": "ñ", "devices": ["cpu"]}
    table = records.record("name", Checkpoint({}, {0: replicate(0, 1)}))
    records.write_parquet(tmp_path / "it.parquet", table, metadata)
    assert records.read_metadata(tmp_path / "it.parquet") == metadata


def test_numbers_that_may_be_none_have_no_statistics(tmp_path):
    """They leave NaN out, and DuckDB goes by them (findings/duckdb-nan-behind-statistics.sh)."""
    table = pa.table({"run": ["a", "b"], "epoch": [1, 1], "loss": [0.1, float("nan")]})
    records.write_parquet(tmp_path / "rows.parquet", table, {})
    columns = pq.read_metadata(tmp_path / "rows.parquet").row_group(0)
    told = {column.path_in_schema: column.is_stats_set for column in map(columns.column, range(3))}
    assert told == {"run": True, "epoch": True, "loss": False}


def test_the_same_table_gives_the_same_bytes(tmp_path):
    table = records.record("name", Checkpoint({}, {0: replicate(0, 3)}))
    for name, metadata in (
        ("one", {"b": 1, "a": {"y": 1, "x": 2}}),
        ("two", {"a": {"x": 2, "y": 1}, "b": 1}),
    ):
        records.write_parquet(tmp_path / name, table, metadata)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


# The study's table.


def test_the_columns_are_those_of_the_contract(tmp_path):
    write_record(tmp_path, "one", s0=1)
    table = metrics.collect([asked("one", [0], 1)], tmp_path, KNOWN)
    assert [(field.name, str(field.type)) for field in table.schema] == METRICS


def test_what_was_made_by_training_goes_through_unchanged(tmp_path):
    write_record(tmp_path, "one", s3=2)
    table = metrics.collect([asked("one", [3], 2)], tmp_path, KNOWN)
    record = pq.read_table(tmp_path / "one" / "record.parquet")
    for name in record.schema.names:
        assert table[name].to_pylist() == record[name].to_pylist()


def test_settings_stand_beside_each_row_of_their_run(tmp_path):
    write_record(tmp_path, "one", s0=2, s1=2)
    write_record(tmp_path, "two", s0=1)
    runs = [
        asked("two", [0], 1, optimizer="adam", hidden=[8], momentum=0.9),
        asked("one", [0, 1], 2, momentum=0.9, nesterov=True, hidden=[64, 32, 16], batch_size=7),
    ]
    table = metrics.collect(runs, tmp_path, KNOWN).to_pylist()
    assert [row["optimizer"] for row in table] == ["adam"] + ["sgd"] * 4
    assert [row["hidden"] for row in table] == [[8]] + [[64, 32, 16]] * 4
    assert [row["hidden_text"] for row in table] == ["8"] + ["64-32-16"] * 4
    assert [row["nesterov"] for row in table] == [None] + [True] * 4
    assert [row["momentum"] for row in table] == [None] + [0.9] * 4
    assert [row["batch_size"] for row in table] == [100] + [7] * 4


def test_pandas_groups_by_layers_and_finds_duplicates(tmp_path):
    """Issue 18, entry 20: a column of lists can do neither. The README's words on it work."""
    write_record(tmp_path, "one", s0=2, s1=2)
    write_record(tmp_path, "two", s0=1)
    runs = [asked("two", [0], 1, hidden=[8]), asked("one", [0, 1], 2, hidden=[64, 32, 16])]
    table = metrics.collect(runs, tmp_path, KNOWN).to_pandas()
    assert table.groupby("hidden_text").size().to_dict() == {"64-32-16": 4, "8": 1}
    twice = pd.concat([table, table])
    assert len(twice.drop(columns="hidden").drop_duplicates()) == len(table)


def test_rows_are_in_the_order_of_the_plan(tmp_path):
    for run in ("a", "b", "c"):
        write_record(tmp_path, run, s10=2, s9=2, s0=2)
    runs = [asked(run, [10, 0, 9], 2) for run in ("c", "a", "b")]
    assert rows(metrics.collect(runs, tmp_path, KNOWN)) == [
        (run, seed, epoch) for run in ("c", "a", "b") for seed in (0, 9, 10) for epoch in (1, 2)
    ]


def test_a_smaller_study_drops_rows_and_leaves_the_records(tmp_path):
    write_record(tmp_path, "one", s0=3, s1=3, s2=1)
    write_record(tmp_path, "two", s0=3)
    before = (tmp_path / "one" / "record.parquet").read_bytes()
    assert rows(metrics.collect([asked("one", [1], 2)], tmp_path, KNOWN)) == [
        ("one", 1, 1),
        ("one", 1, 2),
    ]
    assert (tmp_path / "one" / "record.parquet").read_bytes() == before


RUNS = st.dictionaries(
    st.sampled_from("abc"),
    st.dictionaries(st.integers(0, 4), st.integers(1, 4), min_size=1),
    min_size=1,
)


@FEW
@given(RUNS, st.data())
def test_exactly_what_is_asked_for_is_collected(shared_folder, there, data):
    for run, epochs in there.items():
        write_record(shared_folder, run, **{f"s{seed}": n for seed, n in epochs.items()})
    names = data.draw(st.lists(st.sampled_from(sorted(there)), min_size=1, unique=True))
    runs = []
    for run in names:
        seeds = data.draw(st.lists(st.sampled_from(sorted(there[run])), min_size=1, unique=True))
        longest = min(there[run][seed] for seed in seeds)
        runs.append(asked(run, seeds, data.draw(st.integers(1, longest))))
    assert rows(metrics.collect(runs, shared_folder, KNOWN)) == [
        (run.run, seed, epoch)
        for run in runs
        for seed in sorted(run.seeds)
        for epoch in range(1, run.epochs + 1)
    ]


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


def test_a_missing_record_is_named(tmp_path):
    write_record(tmp_path, "one", s0=1)
    with pytest.raises(StudyError) as caught:
        metrics.collect([asked("one", [0], 1), asked("two", [0], 1)], tmp_path, KNOWN)
    assert str(tmp_path / "two" / "record.parquet") in str(caught.value)


@pytest.mark.parametrize("damage", [lambda old: b"", lambda old: old[:200], lambda old: old[:-1]])
def test_a_damaged_record_is_named(tmp_path, damage):
    write_record(tmp_path, "one", s0=1)
    path = tmp_path / "one" / "record.parquet"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(StudyError, match="record.parquet"):
        metrics.collect([asked("one", [0], 1)], tmp_path, KNOWN)


@pytest.mark.parametrize(("seeds", "epochs"), [([0, 1], 2), ([0], 3)])
def test_a_record_without_all_that_is_asked_for_is_named(tmp_path, seeds, epochs):
    write_record(tmp_path, "one", s0=2)
    with pytest.raises(StudyError, match="record.parquet"):
        metrics.collect([asked("one", seeds, epochs)], tmp_path, KNOWN)


def test_a_diverged_replicate_is_whole_with_fewer_rows(tmp_path):
    known = Checkpoint({}, {0: replicate(0, 2, diverged=True), 1: replicate(1, 4)})
    records.write_parquet(tmp_path / "one" / "record.parquet", records.record("one", known), {})
    table = metrics.collect([asked("one", [0, 1], 4)], tmp_path, KNOWN)
    assert [(seed, epoch) for _, seed, epoch in rows(table)] == [
        (0, 1),
        (0, 2),
        *((1, epoch) for epoch in (1, 2, 3, 4)),
    ]
    assert table["status"].to_pylist() == ["ok", "diverged", "ok", "ok", "ok", "ok"]
    shorter = metrics.collect([asked("one", [0, 1], 1)], tmp_path, KNOWN)
    assert shorter["status"].to_pylist() == ["ok", "ok"]
