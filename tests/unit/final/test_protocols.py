"""How optimistic accuracy on the images chosen on is, and the report that says so."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from madeup import make, write
from study.data import datasets
from study.final import evaluation, protocols
from study.final.evaluation import Evaluation, Provenance
from study.final.protocols import HeldOut
from study.report.data import collect
from study.report.document import render
from study.spec import beside
from study.spec.models import MLP
from study.spec.plan import Plan
from study.support.errors import StudyError
from study.support.language import Language

HELD_OUT = {"data": {"validation": {"from": "train", "size": 100}}}
CONFIG = {
    "baseline": {"epochs": 3},
    "experiments": {"dropout": {"vary": {"dropout": [0.0, 0.2]}}},
    "final": {"dropout": 0.1},
}


def level(settings, epoch):
    return 0.6 + 0.02 * epoch - 0.1 * settings["dropout"]


def found(validation, tested, size=10_000, images=10_000):
    """A final model of accuracies `validation` (seeds,) and `tested` (seeds,)."""
    probabilities = np.zeros((len(tested), images, 2), np.float32)
    for own, accuracy in zip(probabilities, tested, strict=True):
        right = round(accuracy * images)
        own[:right, 0] = own[right:, 1] = 1
    made = Provenance("run", 3, list(range(len(tested))), "D", "d")
    evaluated = Evaluation(made, probabilities, np.zeros(images, np.uint8))
    return HeldOut(MLP.hyperparameters.complete({}), size, np.array(validation), evaluated)


def test_optimism_is_the_mean_difference_and_a_large_one_shows():
    size, interval = found([0.92, 0.93, 0.94], [0.89, 0.90, 0.91]).optimism
    assert size == pytest.approx(0.03)
    assert 0 < interval.low < size < interval.high


def test_a_difference_within_the_chance_of_ten_thousand_images_does_not_show():
    size, interval = found([0.901] * 3, [0.899] * 3).optimism
    assert size == pytest.approx(0.002)
    assert interval.low < 0 < interval.high
    # Two samples of 10,000 images of which 90 % are right differ by 2 * sqrt(2 * 0.9 * 0.1 / 1e4).
    assert interval.half == pytest.approx(1.96 * np.sqrt(2 * 0.09 / 1e4), rel=0.05)


@pytest.mark.parametrize("few", [{"size": 200}, {"images": 200}])
def test_fewer_images_widen_the_interval(few):
    many = found([0.91, 0.90, 0.92], [0.90, 0.89, 0.90]).optimism[1]
    assert found([0.91, 0.90, 0.92], [0.90, 0.89, 0.90], **few).optimism[1].half > many.half


def test_one_seed_leaves_the_images():
    _, interval = found([0.9], [0.9]).optimism
    assert np.isfinite([interval.low, interval.high]).all()


def test_the_interval_covers_what_it_should():
    """Images drawn anew for validation and test, seeds scattering about the same accuracy."""
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        accuracies = random.normal(0.9, 0.005, 5)
        validation, tested = random.binomial(1000, accuracies, (2, 5)) / 1000
        interval = found(validation, tested, size=1000, images=1000).optimism[1]
        covered += interval.low <= 0 <= interval.high
    # 95 % would be 190; the interval errs to the wide side.
    assert covered >= 185


# In the report.


def reported(folder, study, code="en"):
    write(study, folder)
    tables = study.plan, study.metrics, study.summary
    paths = folder / "runs", folder / "data", folder / "final.safetensors"
    return render(collect(*tables, *paths), Language(code), "figures")


@pytest.mark.parametrize("code", ["en", "es"])
def test_a_study_with_held_out_images_tells_the_optimism(tmp_path, code):
    study = make(CONFIG | HELD_OUT, level)
    text = reported(tmp_path, study, code)
    title = Language(code).text("report.protocols.title")
    assert text.count(f"### {title}") == 1
    assert title not in reported(tmp_path / "reference", make(CONFIG, level), code)


def test_the_study_beside_is_shown_once_it_is_there(tmp_path):
    beside = tmp_path / "beside"
    study = make(CONFIG | {"report": {"beside": str(beside)}}, level)
    title = Language("en").text("report.protocols.title")
    assert title not in reported(tmp_path / "before", study)
    write(make(CONFIG | HELD_OUT, level), beside)
    section = reported(tmp_path / "after", study).partition(f"### {title}")[2]
    assert "this study: compared on the test images" in section
    assert "the study beside it: compared on held-out training images" in section


def test_a_study_beside_that_validates_on_the_test_images_is_refused(tmp_path):
    beside = tmp_path / "beside"
    write(make(CONFIG, level), beside)
    with pytest.raises(StudyError, match=r"report\.beside: .*held-out images"):
        make(CONFIG | {"report": {"beside": str(beside)}}, level)


def test_nothing_is_read_of_a_study_that_is_not_all_there(tmp_path):
    write(make(CONFIG | HELD_OUT, level), tmp_path)
    assert len(beside.files_beside(str(tmp_path))) == 3
    Path(tmp_path, "metrics.parquet").unlink()
    assert beside.files_beside(str(tmp_path)) == beside.files_beside(None) == []


def test_other_data_beside_is_refused(tmp_path):
    write(make(CONFIG | HELD_OUT, level), tmp_path)
    data = datasets.describe("FashionMNIST").load(tmp_path / "data")
    read = evaluation.read_evaluation(tmp_path / "final.safetensors", data)
    made = Provenance("run", 3, read.seeds, "Other", "0ther")
    evaluation.write(
        tmp_path / "final.safetensors", Evaluation(made, read.probabilities, read.labels)
    )
    plan = replace(Plan.read(tmp_path / "plan.json"), beside=str(tmp_path))
    with pytest.raises(StudyError, match="other images"):
        protocols.beside(plan, data)
