"""A table's columns become what networks take, as the training part has them."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.data.base import Classes, Quantities
from study.data.datasets import describe
from study.data.table_reading import columns, fit, transform
from study.support.errors import StudyError


def fetched(tmp_path, frame, **options):
    frame.to_csv(tmp_path / "made.csv", index=False)
    dataset = describe({"table": str(tmp_path / "made.csv"), "target": "y", **options})
    dataset.fetch(tmp_path / "there", [], print)
    return dataset.load(tmp_path / "there")


def frame(**changed):
    numbers = np.arange(40)
    made = {"a": numbers * 1.5, "b": numbers % 7 + 0.5, "y": np.where(numbers % 2, "yes", "no")}
    return pd.DataFrame(made | changed)


def test_numbers_are_standardised_by_the_training_part_alone(tmp_path):
    data = fetched(tmp_path, frame())
    assert np.allclose(data.train.x.mean(axis=0), 0, atol=1e-6)
    assert np.allclose(data.train.x.std(axis=0), 1, atol=1e-6)
    assert not np.allclose(data.test.x.mean(axis=0), 0, atol=1e-3)
    assert data.targets.names == ["no", "yes"]


def test_what_was_fitted_makes_the_same_numbers_of_new_rows(tmp_path):
    made = frame(c=["red", "blue"] * 20, d=[True, False, None, True] * 10)
    data = fetched(tmp_path, made, missing="indicator")
    again = transform(pd.read_csv(tmp_path / "made.csv"), data.fitted)
    assert {row.tobytes() for row in again} == {
        row.tobytes() for part in (data.train, data.test) for row in np.asarray(part.x)
    }
    names = ["a", "b", "c = blue", "c = red", "d = False", "d = True", "d is missing"]
    assert columns(data.fitted) == names


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=3, max_size=20))
def test_a_missing_number_becomes_the_mean(values):
    made = pd.DataFrame({"a": np.array(values, float)})
    if made["a"].isna().all():
        return
    x = transform(made, fit(made, "mean", "here"))
    assert np.isfinite(x).all()
    assert (x[made["a"].isna()] == 0).all()


def test_an_unknown_text_is_none_of_the_known(tmp_path):
    fitted = fit(pd.DataFrame({"c": ["x", "y"]}), None, "here")
    assert transform(pd.DataFrame({"c": ["z", "x"]}), fitted).tolist() == [[0, 0], [1, 0]]


def test_rows_with_missing_values_can_be_left_out(tmp_path):
    made = frame(a=[None, None, *range(38)])
    data = fetched(tmp_path, made, missing="drop", test={"size": 8, "seed": 1})
    assert (len(data.train), len(data.test)) == (30, 8)


@pytest.mark.parametrize(
    ("y", "task", "kind"),
    [
        ([0, 1] * 20, None, Classes),
        ([True, False] * 20, None, Classes),
        ([0, 1] * 20, "regression", Quantities),
        (np.arange(40) + 0.5, None, Quantities),
        (np.arange(40), "regression", Quantities),
    ],
)
def test_the_task_is_what_the_target_plainly_is_or_the_config_says(tmp_path, y, task, kind):
    options = {"task": task} if task else {}
    assert isinstance(fetched(tmp_path, frame(y=y), **options).targets, kind)


def test_several_targets_are_learned_together(tmp_path):
    data = fetched(tmp_path, frame(y=np.arange(40) / 3), target=["y", "b"])
    assert data.targets.names == ["y", "b"]
    assert data.train.y.shape == (32, 2)


def test_classes_keep_their_share_in_the_test_part(tmp_path):
    data = fetched(tmp_path, frame(y=["rare"] * 10 + ["often"] * 30))
    assert np.bincount(data.test.y).tolist() == [6, 2]


def test_what_is_odd_is_told(tmp_path):
    made = pd.concat([frame(c=1)] * 2)
    told = fetched(tmp_path, made).notes
    assert any(re.search(r"\d+ of 16 test examples are among the training", note) for note in told)
    assert "the same in all training examples: c" in told


@pytest.mark.parametrize(
    ("changed", "options", "message"),
    [
        ({}, {"target": "z"}, "has no column 'z'"),
        ({"y": 3}, {}, "column 'y': has the one value 3"),
        ({"y": np.arange(40)}, {}, "40 different whole numbers may be classes or quantities"),
        ({"y": [None, *range(39)]}, {"task": "regression"}, "1 examples have no target"),
        ({"y": ["x", *"ab" * 19, "b"]}, {}, "cannot be split"),
        ({"a": [None, *range(39)]}, {}, r"values are missing: a \(1\); say `missing: mean`"),
        ({"a": ["?", *range(39)]}, {}, r"column 'a' mixes numbers and texts, as '\?' in row 1"),
        ({"a": ["2020-01-02"] * 40}, {}, "column 'a' holds dates"),
        ({"a": [f"n{i}" for i in range(40)] * 1}, {"missing": "men"}, "did you mean 'mean'"),
        ({}, {"leave_out": ["a", "b"]}, "has no column beside y"),
        ({}, {"leave_out": ["q"]}, "has no column 'q'"),
        ({}, {"test": {"size": 40, "seed": 0}}, "data.test: cannot be split"),
        ({}, {"tarrget": "a"}, "table takes no 'tarrget'; did you mean 'target'"),
    ],
)
def test_what_no_network_can_learn_from_is_told_in_one_line(tmp_path, changed, options, message):
    with pytest.raises(StudyError, match=message) as error:
        fetched(tmp_path, frame(**changed), **options)
    assert len(str(error.value).splitlines()) == 1
    there = tmp_path / "there"
    assert not there.exists() or {path.name for path in there.iterdir()} == {".lock"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (",".join(f"c{i}" for i in range(10_001)) + "\n", "has 10,001 columns"),
        ("", "is no table that can be read"),
        ('a,y\n"1,2\n', "is no table that can be read|rows to learn"),
        ("a,y\n1,2\n", "has 1 rows to learn from"),
    ],
)
def test_a_file_that_is_no_table_is_told(tmp_path, content, message):
    (tmp_path / "bad.csv").write_text(content)
    dataset = describe({"table": str(tmp_path / "bad.csv"), "target": "y"})
    with pytest.raises(StudyError, match=message):
        dataset.fetch(tmp_path / "there", [], print)


def test_another_content_or_option_is_another_digest(tmp_path):
    (tmp_path / "a.csv").write_text("a,y\n1,2\n")
    named = {"table": str(tmp_path / "a.csv"), "target": "y"}
    first = describe(named).digest
    assert describe(named | {"missing": "mean"}).digest != first
    (tmp_path / "a.csv").rename(tmp_path / "b.csv")
    assert describe(named | {"table": str(tmp_path / "b.csv")}).digest == first
    (tmp_path / "b.csv").write_text("a,y\n1,3\n")
    assert describe(named | {"table": str(tmp_path / "b.csv")}).digest != first
