"""The benchmark of searches on a table of its own, here of made-up curves: nothing is trained."""

import json

import numpy as np
import pyarrow as pa
import pytest

import fashion_table as bench
import tables
from study.runs.records import write_parquet
from study.support.errors import StudyError


@pytest.fixture
def rows(monkeypatch):
    """Each accuracy tells its place: tenths by the rate, hundredths by dropout, then the epoch."""
    rates, dropouts = [0.001, 0.01, 0.1], [0.0, 0.2]
    small = {"optimizer": ["adam"], "learning_rate": rates, "hidden": [[128, 64]]}
    monkeypatch.setattr(bench, "GRID", {**small, "dropout": dropouts, "batch_size": [100]})
    return [
        {
            "optimizer": "adam",
            "learning_rate": rate,
            "hidden": [128, 64],
            "dropout": dropout,
            "batch_size": 100,
            "seed": seed,
            "epoch": epoch,
            bench.SCORE: 0.1 * place + 0.01 * other + 0.001 * epoch + 0.0001 * seed,
        }
        for place, rate in enumerate(rates)
        for other, dropout in enumerate(dropouts)
        for seed in range(bench.SEEDS)
        for epoch in range(1, bench.EPOCHS + 1)
    ]


@pytest.fixture
def path(rows, tmp_path):
    found = tmp_path / "table.parquet"
    write_parquet(found, pa.Table.from_pylist(rows), {"core_seconds": 1.0})
    return found


def test_each_accuracy_has_its_place(path):
    table = bench.load(path)
    assert table.curves.shape == (1, 3, 1, 2, 1, bench.SEEDS, bench.EPOCHS)
    assert table.curves[0, 2, 0, 1, 0, 1, 3] == pytest.approx(0.2 + 0.01 + 0.004 + 0.0001)
    assert table.means.max() == table.means[0, 2, 0, 1, 0]
    assert bench.default() == (0, 0, 0, 1, 0)
    assert bench.regret(table, bench.default()) == pytest.approx(20)


def test_a_table_with_gaps_or_of_another_grid_is_refused(path, rows):
    write_parquet(path, pa.Table.from_pylist(rows[:-1]), {})
    with pytest.raises(StudyError, match=r"table\.parquet: the table has gaps"):
        bench.load(path)
    write_parquet(path, pa.Table.from_pylist([{**rows[0], "dropout": 0.5}]), {})
    with pytest.raises(StudyError, match=r"table\.parquet: no table of this grid"):
        bench.load(path)


def test_a_halving_search_is_told_the_scores_of_its_rungs_and_pays_for_them(path):
    table = bench.load(path)
    driver = tables.Driver(table, 0)
    way = tables.Way("halving", "random", confirm=1, halving=bench.HALVING)
    search = way.finished(driver, 40)
    # Six trials for an epoch, two go on to three, one to nine, and this one has two seeds more.
    assert [trial.epochs for trial in search.trials].count(1) == 4
    assert tables.epochs_trained(search) == 6 + 2 * 2 + 6 + 2 * 9 <= 40
    assert driver.winner(search) == dict(zip(bench.PLACES, (0, 2, 0, 1, 0), strict=True))
    trial = next(trial for trial in search.trials if trial.epochs == 1)
    first = table.curves[table.place(trial.settings)][driver.order[0], 0]
    assert driver.scores(search).each(trial) == [first]


def test_a_search_of_all_there_is_has_no_regret(path):
    table = bench.load(path)
    found = bench.outcomes(0, table, table.curves.size)
    assert found.keys() == {way.name for way in bench.WAYS}
    for outcome in found.values():
        assert outcome["trials"] == 6
        assert (outcome["regret"], outcome["worse"], outcome["best"]) == (0, 0, 1)


def test_all_is_printed_and_written(path, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, "WAYS", bench.WAYS[:2])
    output = tmp_path / "found.json"
    arguments = ["--repeats", "2", "--budgets", "0.5", "--jobs", "1", "--json", str(output)]
    bench.main([str(path), *arguments])
    told = capsys.readouterr().out
    assert "6 configurations, 162 epochs, trained in 1 s" in told
    assert "random, seeds for the best" in told
    content = json.loads(output.read_text(encoding="utf-8"))
    assert len(content["found"]["0.5"]["random, one seed"]) == 2


def test_shares_and_repeats_out_of_range_are_refused(capsys):
    for wrong in (["--budgets", "5"], ["--repeats", "0"]):
        with pytest.raises(SystemExit):
            bench.parse_arguments(["table.parquet", *wrong])
    assert "from 0.01 to 1" in capsys.readouterr().err


def test_a_file_that_is_no_table_is_told(tmp_path):
    path = tmp_path / "other.parquet"
    path.write_bytes(b"no Parquet")
    with pytest.raises(SystemExit, match=r"other\.parquet: no table of this grid"):
        bench.main([str(path)])


def test_the_default_is_in_the_grid():
    assert all(bench.DEFAULT[name] in values for name, values in bench.GRID.items())
    assert np.prod([len(values) for values in bench.GRID.values()]) == 216
