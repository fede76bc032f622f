"""The final model from training to a folder to take away, which classifies as it was judged."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from PIL import Image

from small_study import ROOT, STUDY, Study
from study.data import datasets
from study.final import evaluation

FINAL = {"activation": "gelu", "epochs": 3}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Study:
    study = Study(tmp_path_factory.mktemp("final"))
    study.configure(final=FINAL)
    study.ok()
    return study


def data_of(study: Study) -> tuple[datasets.Dataset, Path]:
    described = datasets.describe(study.folder / "data" / "mnistlike.yaml")
    return described, study.results / "data" / described.name


def evaluated(study: Study) -> evaluation.Evaluation:
    described, folder = data_of(study)
    return evaluation.read_evaluation(study.results / "final.safetensors", described.load(folder))


def classified(study: Study, *words: str) -> list[dict]:
    """What predict.py says of the files in `words`."""
    done = study.call(ROOT / "scripts" / "predict.py", "--model", "results/model", "--json", *words)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_evaluation_counts_as_the_record_does(made):
    """Its images are the validation images: each seed is right as often as training said."""
    metrics = pd.read_parquet(made.results / "metrics.parquet")
    found = evaluated(made)
    rows = metrics[(metrics.run == found.provenance.run) & (metrics.epoch == FINAL["epochs"])]
    assert rows.seed.tolist() == found.seeds == [0, 1]
    assert found.correct.sum(axis=1).tolist() == (rows.validation_accuracy * 200).round().tolist()
    assert 0.3 < found.accuracy.mean < 1


def test_predictions_are_those_of_the_evaluation(made):
    """predict.py on the test images, as IDX and as PNG, and the ONNX graph: the ensemble's."""
    described, folder = data_of(made)
    expected = evaluated(made).probabilities.mean(axis=0)
    idx = folder / described.files["test_images"].name
    lines = classified(made, str(idx))
    classes = described.targets.in_language("en")
    assert [list(line["probabilities"]) for line in lines[:1]] == [classes]
    found = np.array([list(line["probabilities"].values()) for line in lines])
    assert np.allclose(found, expected, rtol=0, atol=1e-6)

    images = described.load(folder).test.x.reshape(-1, 8, 8)
    Image.fromarray(np.asarray(images[7])).save(made.folder / "seven.png")
    [line] = classified(made, "seven.png")
    assert np.allclose(list(line["probabilities"].values()), expected[7], rtol=0, atol=1e-6)
    assert line["class"] == classes[expected[7].argmax()]

    session = onnxruntime.InferenceSession(made.results / "model" / "model.onnx")
    [found] = session.run(None, {"images": np.asarray(images)})
    assert np.allclose(found, expected, rtol=0, atol=1e-5)


def test_nothing_is_left_to_do(made):
    assert "Nothing to be done" in made.ok().output
    assert "Nothing to be done" in made.ok("model").output


def test_an_epoch_that_the_run_has_gone_beyond(made, tmp_path):
    """The final model at epoch 3 stays what it was when an experiment takes its run to epoch 5."""
    study = made.copy(tmp_path / "copy")
    longer = {"with": {"activation": FINAL["activation"]}, "vary": {"epochs": [2, 5]}}
    study.configure(final=FINAL, experiments={"longer": longer})
    before = evaluated(study)
    study.ok("model")
    assert before.provenance == evaluated(study).provenance
    assert np.array_equal(before.probabilities, evaluated(study).probabilities)


def test_a_final_model_that_diverged_leaves_a_report_and_an_empty_model(study):
    study.configure(final={"learning_rate": 900.0, "weight_decay": 10.0, "epochs": 3})
    study.ok()
    assert evaluated(study).seeds == []
    report = (study.results / "report.en.md").read_text(encoding="utf-8")
    assert "Every seed of the final model diverged (2 seeds)" in report
    card = (study.results / "model" / "README.md").read_text(encoding="utf-8")
    assert "There is no network here:** all 2 seeds" in card
    assert "Nothing to be done" in study.ok().output


def test_where_all_diverged_a_report_says_that_nothing_was_chosen(study):
    """Issue 18, entry 1: a diverged run is a result; there was no report, and no end to it."""
    wild = {"learning_rate": 900.0, "weight_decay": 10.0, "epochs": 3}
    study.configure(
        baseline=STUDY["baseline"] | wild,
        experiments={"rates": {"vary": {"learning_rate": [800.0, 900.0]}}},
        final="best",
    )
    study.ok()
    chosen = json.loads((study.results / "choice.json").read_text(encoding="utf-8"))
    assert chosen["settings"] == {}
    assert chosen["unchosen"] == "every replicate of every value diverged"
    report = (study.results / "report.en.md").read_text(encoding="utf-8")
    assert "There is no final model" in report
    assert not (study.results / "model").exists()
    assert not list(study.results.glob("figures/final_*"))
    assert "Nothing to be done" in study.ok().output


def test_early_stopping_is_read_by_the_config_s_rule(made, tmp_path):
    study = made.copy(tmp_path / "copy")
    rule = {"metric": "validation_accuracy", "patience": 1}
    study.configure(final=FINAL, report={"languages": ["en"], "early_stopping": rule})
    before = study.trained()
    study.ok()
    report = (study.results / "report.en.md").read_text(encoding="utf-8")
    assert "stops at the first epoch that brings no better value of the validation accu" in report
    assert study.trained() == before
