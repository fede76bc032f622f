"""The fidelity figures are computed as stated, and a shortfall cannot pass unseen."""

import sys

import pandas as pd
import pytest

from study.commands import door
from study.commands import fidelity as program
from study.results import fidelity, published
from study.support.errors import StudyError


def value_text(value):
    return "-".join(map(str, value)) if isinstance(value, list) else str(value)


def summary_row(experiment, value, train, validation, **changed):
    """A summary row whose means are the published accuracies exactly, with a spread of a point."""
    row = {"experiment": experiment, "value": value, "n": 5}
    for measure, accuracy in (("train_accuracy", train), ("validation_accuracy", validation)):
        row |= {
            f"{measure}_mean": accuracy,
            f"{measure}_sd": 0.01,
            f"{measure}_published": accuracy,
        }
    return row | changed


@pytest.fixture
def summary():
    """A perfect reproduction, beside an experiment of the user's own that nobody published."""
    rows = [
        summary_row(
            row.experiment, value_text(row.value), row.train_accuracy, row.validation_accuracy
        )
        for row in published.rows()
    ]
    final = summary_row("final", "final", 0.90, 0.88, train_accuracy_published=None)
    own = summary_row(
        "weight_decay",
        "0.1",
        0.5,
        0.5,
        n=0,
        train_accuracy_published=None,
        validation_accuracy_published=None,
    )
    return pd.DataFrame([*rows, own, final])


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the program on a summary and return its exit code."""

    def run(summary):
        path = tmp_path / "summary.parquet"
        summary.to_parquet(path)
        return run_on(path)

    def run_on(path):
        monkeypatch.setattr(sys, "argv", ["fidelity.py", "--summary", str(path)])
        try:
            door.enter(program)
        except SystemExit as end:
            return end.code
        return 0

    run.on = run_on
    return run


def shift(summary, rows, measure, points):
    """Move our mean of the first `rows` published rows away from the published one."""
    summary.loc[: rows - 1, f"{measure}_mean"] += points / 100


def test_prediction_interval_by_hand():
    """t(0.975, 4) = 2.77645 and sqrt(1 + 1/5) = 1.09545: 0.01 gives a margin of 0.0304145."""
    assert fidelity.prediction_interval(0.70, 0.01, 5) == pytest.approx(
        (0.6695855, 0.7304145), abs=1e-7
    )


def test_prediction_interval_of_two_replicates():
    """t(0.975, 1) = 12.7062 and sqrt(1.5) = 1.224745: the widest interval that can be told."""
    low, high = fidelity.prediction_interval(0.5, 0.01, 2)
    assert (low, high) == pytest.approx((0.344381, 0.655619), abs=1e-6)


def test_replicates_that_agree_exactly_have_an_interval_without_width():
    assert fidelity.prediction_interval(0.7, 0.0, 5) == (0.7, 0.7)


def test_perfect_reproduction(summary):
    result = fidelity.assess(summary)
    assert len(result.comparisons) == result.inside == 46
    assert result.mean_difference == 0
    assert result.final_accuracy == 0.88
    assert result.reached


def test_six_of_46_may_lie_outside_and_no_seventh(summary):
    shift(summary, 6, "train_accuracy", 3.1)
    assert fidelity.assess(summary).inside == 40
    assert fidelity.assess(summary).reached
    shift(summary, 7, "train_accuracy", 3.1)
    result = fidelity.assess(summary)
    assert result.inside == 39
    assert not result.reached


def test_just_within_the_margin_is_inside(summary):
    shift(summary, 23, "train_accuracy", -3.04)
    assert fidelity.assess(summary).inside == 46


def test_mean_difference_leaves_out_the_unconverged_learning_rate(summary):
    """0.0001 is the first row: 20 points there count nothing; 1.1 points in 2 of the other 22
    rows, in either direction, are 0.1 on average."""
    summary.loc[0, "validation_accuracy_mean"] += 0.20
    summary.loc[1, "validation_accuracy_mean"] += 0.011
    summary.loc[2, "validation_accuracy_mean"] -= 0.011
    result = fidelity.assess(summary)
    assert result.mean_difference == pytest.approx(0.001)
    assert result.inside == 45


def test_mean_difference_must_stay_under_its_threshold(summary):
    shift(summary, 23, "validation_accuracy", 0.79)
    assert fidelity.assess(summary).reached
    shift(summary, 23, "validation_accuracy", 0.02)
    assert not fidelity.assess(summary).close_enough


@pytest.mark.parametrize(
    ("accuracy", "reached"), [(0.8749, False), (0.875, True), (0.89, True), (0.8901, False)]
)
def test_final_model_has_a_range(summary, accuracy, reached):
    summary.loc[summary["experiment"] == "final", "validation_accuracy_mean"] = accuracy
    assert fidelity.assess(summary).final_in_range is reached


def test_program_prints_all_and_exits_0(summary, run, capsys):
    assert run(summary) == 0
    printed = capsys.readouterr().out
    assert len([line for line in printed.splitlines() if line.endswith("yes")]) == 46
    assert "46 of 46 (at least 40)" in printed
    assert printed.count("reached") == 3
    assert "68.92 ± 1.00" in printed


def test_program_exits_1_where_a_figure_is_missed(summary, run, capsys):
    shift(summary, 7, "train_accuracy", 5)
    assert run(summary) == 1
    printed = capsys.readouterr().out
    assert "MISSED   published accuracies inside their interval: 39 of 46" in printed
    assert printed.count("reached") == 2


def test_missing_published_row_is_named(summary, run):
    """A smaller study must not pass because fewer rows can lie outside."""
    assert "22 of the 23 published rows are there (learning_rate has 2 of 3)" in run(summary[1:])


def test_missing_final_model_is_an_error(summary, run):
    assert "no row for experiment 'final'" in run(summary[summary["experiment"] != "final"])


@pytest.mark.parametrize("experiment", ["hidden", "final"])
def test_single_replicate_is_an_error(summary, experiment):
    """One seed has no spread: neither every row inside nor every row outside would be true."""
    summary.loc[summary["experiment"] == experiment, "n"] = 1
    with pytest.raises(StudyError, match=f"experiment {experiment}.*n is 1"):
        fidelity.assess(summary)


def test_another_table_is_an_error(summary, run):
    assert "no column experiment" in run(summary.drop(columns="experiment"))


def test_unreadable_file_is_one_line(tmp_path, run):
    path = tmp_path / "broken.parquet"
    path.write_text("no parquet")
    assert str(path) in run.on(path)
    assert str(tmp_path / "absent.parquet") in run.on(tmp_path / "absent.parquet")
