"""The model's card: whole, with computed numbers, whatever became of the final model."""

import re
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

import madeup
from study.data import datasets
from study.final import export
from study.report import model_card
from study.report.data import collect
from study.spec import config
from study.statistics.classes import ClassCounts

ROOT = Path(__file__).parents[3]


def card(folder, seeds=5, diverged=0):
    """The card of the default study's final model, its description, and its study."""
    settings = config.load([ROOT / "config.yaml"]) | {"seeds": seeds}
    made = madeup.make(settings, lambda *_: 0.8, {"adam": diverged})
    madeup.write(made, folder)
    tables = (made.plan, made.metrics, made.summary)
    study = collect(*tables, folder / "runs", folder / "data", folder / "final.safetensors")
    final = made.plan.final
    description = export.Description(
        dataset="FashionMNIST",
        classes=export.class_names(study.data.targets),
        height=8,
        width=8,
        border=0.0,
        settings=final.settings,
        epoch=final.epochs,
        validation=made.plan.validation,
        seeds=study.evaluation.seeds if study.evaluation else [],
    )
    return model_card.render(study, description), description, study


def front_matter(text):
    _, head, _ = text.split("---\n", 2)
    return YAML(typ="safe").load(head)


@pytest.mark.parametrize(("seeds", "diverged"), [(5, 0), (5, 2), (1, 0)])
def test_the_card_has_what_is_known(tmp_path, seeds, diverged):
    text, description, study = card(tmp_path, seeds, diverged)
    assert not re.search(r"\bNone\b|\bnan\b|\{\{|\{%", text)
    for name in description.classes:
        assert name in text
    for part in ("How to use it", "Data", "Training", "Results", "Calibration", "Limits"):
        assert f"\n## {part}\n" in text
    [result] = front_matter(text)["model-index"][0]["results"]
    [metric] = result["metrics"]
    evaluation = study.evaluation
    alone = evaluation.accuracy.mean
    assert metric["value"] == pytest.approx(
        alone if seeds == 1 else evaluation.ensemble_accuracy[0], abs=1e-6
    )
    assert f"{100 * alone:.2f}" in text
    averages = evaluation.averages if seeds == 1 else evaluation.ensemble_averages
    assert f"| Balanced accuracy | {100 * averages.balanced_accuracy.mean:.2f}" in text
    assert f"| Macro F1 | {100 * averages.macro_f1.mean:.2f}" in text
    # 64 inputs, 128 and 64 units, 10 classes.
    assert "17,226 a network" in text
    assert ("averaged over the networks" in text) == (seeds > 1)


def test_nothing_is_left_to_describe(tmp_path):
    text, *_ = card(tmp_path, seeds=3, diverged=3)
    assert "There is no network here:** all 3 seeds" in text
    assert "model-index" not in front_matter(text)
    assert "## Results" not in text


def test_the_protocol_is_told(tmp_path):
    text, description, study = card(tmp_path)
    assert "The settings were compared on the test\nimages" in text
    held_out = {"from": "train", "size": 10000, "seed": 3}
    study = replace(study, plan=replace(study.plan, validation=held_out))
    described = export.Description(**asdict(description) | {"validation": held_out})
    text = model_card.render(study, described)
    assert "Of the training images, 10,000 stayed held out (seed 3)" in text
    assert "took no part in any choice" in text


def test_the_share_of_the_most_frequent_class_stands_in_the_row_of_accuracy(tmp_path):
    """Entry 6, where one class is more frequent than others."""
    text, description, study = card(tmp_path)
    [row] = re.findall(r"^\| Accuracy .*$", text, re.M)
    assert "most frequent" not in row
    uneven = ClassCounts(np.array([144, *[4] * 9]))
    counts = study.class_counts | {"test": uneven}
    text = model_card.render(replace(study, class_counts=counts), description)
    [row] = re.findall(r"^\| Accuracy .*$", text, re.M)
    assert "always naming the most frequent class (T-shirt/top) is right for 80.00" in row


def test_classes_without_english_names_keep_their_own(tmp_path):
    described = datasets.describe("FashionMNIST").targets
    english = export.class_names(described)
    assert english[0] == "T-shirt/top"
    described.names.pop("en")
    assert export.class_names(described) == described.names["es"]
