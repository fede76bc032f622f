"""The task is known when a study is planned, and what does not fit it is told in one message."""

import numpy as np
import pandas as pd
import pytest

from study.data import datasets
from study.runs import fingerprint
from study.spec import data_fit
from study.spec.config import validated
from study.spec.resolution import resolve
from study.support.errors import StudyError

EXPERIMENTS = {"dropout": {"vary": {"dropout": [0.1, 0.2]}}}


@pytest.fixture
def table(tmp_path):
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(40, 3)), columns=["a", "b", "price"])
    frame["kind"] = random.choice(["x", "y"], 40)
    frame["count"] = np.arange(40)
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    return tmp_path


def of_table(folder, target, name="t.csv", **data):
    return {"dataset": {"table": str(folder / name), "target": target}, **data}


def planned(data, **other):
    return resolve(validated({"data": data, "experiments": EXPERIMENTS, **other}, "config.yaml"))


def task(data) -> str:
    return datasets.describe(datasets.named(data)).task


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_table_tells_its_task_by_its_target(table, name):
    assert task(of_table(table, "price", name)) == "regression"
    assert task(of_table(table, "kind", name)) == "classification"
    assert task(of_table(table, ["a", "b"], name)) == "regression"
    with pytest.raises(StudyError, match="say `task: classification` or `task: regression`"):
        task(of_table(table, "count", name))
    assert task(of_table(table, "count", name, task="regression")) == "regression"


def test_arrays_tell_their_task_and_a_function_is_asked(tmp_path):
    x = np.zeros((6, 2), np.float32)
    for name, y in {"q": np.linspace(0, 1, 6), "c": np.arange(6) % 2}.items():
        np.savez(tmp_path / f"{name}.npz", x_train=x, y_train=y)
    assert task({"dataset": {"arrays": str(tmp_path / "q.npz")}}) == "regression"
    assert task({"dataset": {"arrays": str(tmp_path / "c.npz")}}) == "classification"
    function = {"dataset": {"python": str(tmp_path / "f.py")}}
    assert task(function) == "classification"
    assert task(function | {"task": "regression"}) == "regression"


def test_a_function_of_quantities_must_say_so(tmp_path):
    (tmp_path / "f.py").write_text(
        "import numpy as np\ndef load():\n"
        "    x = np.random.default_rng(0).normal(size=(30, 2))\n    return x, x[:, 0] * 1.5\n"
    )
    data = {"dataset": {"python": str(tmp_path / "f.py")}}
    dataset = datasets.describe(datasets.named(data))
    dataset.fetch(tmp_path / "there", [], print)
    with pytest.raises(StudyError, match=r"data\.task: f is for regression; say"):
        data_fit.check_files(planned(data), dataset, tmp_path / "there")


def about(**measured):
    """A claim about the experiment."""
    quantity = {"experiment": "dropout", "value": "0.1", **measured}
    predicate = {"greater": {"left": quantity, "right": 0.5}}
    return {"id": "low", "statement": "Little is enough.", "predicate": predicate}


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"baseline": {"label_smoothing": 0.1}}, "label_smoothing: spreads a class"),
        ({"baseline": {"class_weights": "balanced"}}, "class_weights: has classes count"),
        (
            {"report": {"early_stopping": {"metric": "validation_accuracy"}}},
            "validation_accuracy is none of regression; it has validation_loss, validation_r2",
        ),
        ({"report": {"beside": "elsewhere"}}, r"report\.beside: compares accuracies"),
        ({"claims": [about()]}, "claims: low: validation_accuracy is none of regression; say"),
    ],
)
def test_regression_refuses_what_only_classes_have(table, other, message):
    data = of_table(table, "price")
    plan = planned(data, **other)
    with pytest.raises(StudyError, match=message):
        data_fit.check_description(plan, datasets.describe(plan.dataset))


def test_claims_are_about_what_the_task_measures(table):
    of_quantities, of_classes = of_table(table, "price"), of_table(table, "kind")
    for measure in ("validation_r2", "train_rmse", "validation_loss", "seconds"):
        plan = planned(of_quantities, claims=[about(measure=measure)])
        data_fit.check_description(plan, datasets.describe(plan.dataset))
    plan = planned(of_classes, claims=[about(measure="validation_r2")])
    with pytest.raises(StudyError, match="validation_r2 is none of classification"):
        data_fit.check_description(plan, datasets.describe(plan.dataset))


def test_r2_has_no_least_number_and_differences_of_it_no_greatest(table):
    data = of_table(table, "price")
    low = about(measure="validation_r2", minus="train_r2")
    low["predicate"]["greater"]["right"] = -7.0
    assert planned(data, claims=[low]).claims
    high = about(measure="validation_r2")
    high["predicate"]["greater"]["right"] = 1.5
    with pytest.raises(StudyError, match="validation_r2 is at most 1, and never"):
        planned(data, claims=[high])


def test_the_fingerprint_names_every_task_but_classification():
    classes = fingerprint.learning("abc", "test")
    quantities = fingerprint.learning("abc", "test", task="regression")
    assert "task" not in classes
    assert fingerprint.differing(classes, quantities) == ["code", "task"]
