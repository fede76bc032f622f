"""A study of data in another form than IDX files, from the config to the report."""

import json
import re

import numpy as np
import onnxruntime
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image
from sklearn.datasets import load_diabetes
from sklearn.metrics import r2_score

from small_study import ROOT, Study
from study.data import table_reading
from study.final import export

EXPERIMENT = {"dropout": {"vary": {"dropout": [0.0, 0.5]}}}


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path)


def photos(folder):
    random = np.random.default_rng(0)
    for name, tone in (("dark", 60), ("light", 190)):
        (folder / name).mkdir(parents=True)
        for number in range(40):
            pixels = random.normal(tone, 20, (8, 8)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")


def test_a_folder_of_pictures_is_decoded_once_and_reported(study):
    photos(study.folder / "photos")
    dataset = {"images": "photos", "size": [6, 6]}
    study.configure(data={"dataset": dataset, "test": {"size": 0.25}}, experiments=EXPERIMENT)
    study.ok()
    data = study.results / "data" / "photos"
    assert np.load(data / "x_test.npy").shape == (20, 1, 6, 6)
    text = (study.results / "report.en.md").read_text(encoding="utf-8")
    assert "photos" in text
    assert "light" in text
    before = (data / "checksums.sha256").stat().st_mtime_ns
    assert "Nothing to be done" in study.ok().output
    assert (data / "checksums.sha256").stat().st_mtime_ns == before


# What no report of a table speaks of, and none of colours.
OF_IMAGES = r"\b(images?|pixels?|pictures?|im\u00e1gen(es)?|imagen|p\u00edxel(es)?|fotos?)\b"
OF_GARMENTS = r"\b(garments?|prendas?|shirts?|camisas?)\b"


def written(study) -> str:
    """All that a person reads of a study: reports, pages without their code, figures and card."""
    pages = [
        re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", page.read_text("utf-8"), flags=re.S)
        for page in study.results.glob("report.*.html")
    ]
    plain = [*study.results.glob("report.*.md"), *study.results.glob("model/README.md")]
    return "\n".join([*pages, *(path.read_text("utf-8") for path in plain)])


def test_a_table_is_reported_without_a_word_of_images(study):
    random = np.random.default_rng(0)
    size = random.normal(size=120)
    kind = np.where(size + random.normal(scale=0.3, size=120) > 0, "large", "small")
    frame = pd.DataFrame({"size": size, "colour": random.choice(["red", "blue"], 120), "y": kind})
    frame.to_csv(study.folder / "things.csv", index=False)
    study.configure(
        data={
            "dataset": {"table": "things.csv", "target": "y"},
            "validation": {"from": "train", "size": 20},
        },
        experiments=EXPERIMENT | {"hidden": {"vary": {"hidden": [[4], [8]]}}},
        final={"epochs": 20, "batch_size": 10, "dropout": 0.0},
        report={"languages": ["en", "es"]},
    )
    study.ok()
    text = written(study)
    assert not re.findall(rf".*{OF_IMAGES}.*|.*{OF_GARMENTS}.*", text, re.IGNORECASE)
    assert "things has 96 examples for training and 24 examples for the test, of 3 numbers" in text
    assert "2 columns become 3 inputs" in text
    assert "20 de 96" in text
    assert "Mean probability of the predicted class: " in text
    names = {path.name.split(".")[0] for path in study.results.glob("figures/*.png")}
    final = {f"final_{part}" for part in ("curves", "confusion", "classes", "calibration")}
    assert names == {"dropout", "hidden", "glance", "glance_cost"} | final
    assert "Nothing to be done" in study.ok().output

    model = study.results / "model"
    predict = [ROOT / "scripts/predict.py", "--model", model, "--json"]
    done = study.call(*predict, study.folder / "things.csv")
    found = [json.loads(line)["class"] for line in done.stdout.splitlines()]
    assert (np.array(found) == kind).mean() > 0.7
    # The graph takes what the description makes of the table.
    described = export.read_model(model / export.FILE).description
    inputs = table_reading.transform(frame, described.fitted)
    session = onnxruntime.InferenceSession(model / "model.onnx")
    [probabilities] = session.run(None, {"inputs": inputs})
    assert [described.classes[best] for best in probabilities.argmax(axis=1)] == found


# What no report of quantities speaks of. A title among the references does.
OF_CLASSES = r"\b(accurac(y|ies)|class(es)?|classif\w+|confus\w+|points|nats|official|per cent)\b"
DE_CLASES = r"\b(exactitud(es)?|clases?|clasific\w+|puntos|oficial(es)?|tanto por ciento)\b"
ISO = "Accuracy of Measurement Methods"


def test_quantities_are_reported_without_a_word_of_classes(study):
    frame = load_diabetes(as_frame=True).frame
    frame.to_csv(study.folder / "diabetes.csv", index=False)
    study.configure(
        data={
            "dataset": {"table": "diabetes.csv", "target": "target"},
            "validation": {"from": "train", "size": 80},
        },
        baseline={"learning_rate": 0.03, "hidden": [16], "batch_size": 20, "epochs": 6},
        experiments=EXPERIMENT
        | {"grid": {"vary": {"learning_rate": [0.01, 0.03], "hidden": [[8], [16]]}}},
        final={"epochs": 8, "dropout": 0.0},
        claims=[
            {
                "id": "learns",
                "statement": "The final model is better than the mean.",
                "predicate": {
                    "greater": {
                        "left": {"experiment": "final", "measure": "validation_r2"},
                        "right": 0.0,
                    }
                },
            }
        ],
        report={"languages": ["en", "es"]},
    )
    study.ok()
    text = written(study).replace(ISO, "")
    unfit = "|".join(f".*{words}.*" for words in (OF_CLASSES, DE_CLASES, OF_IMAGES, OF_GARMENTS))
    assert not re.findall(unfit, text, re.IGNORECASE)
    assert "The networks predict target." in text
    assert "R\u00b2 de validaci\u00f3n" in text
    assert "Validation RMSE" in text
    names = {path.name.split(".")[0] for path in study.results.glob("figures/*.png")}
    final = {f"final_{part}" for part in ("curves", "predictions", "residuals")}
    assert names == {"dropout", "grid", "glance", "glance_cost"} | final
    [claim] = pq.read_table(study.results / "claims.parquet").to_pylist()
    assert claim["evidence"][0]["left"]["mean"] > 0.2
    assert "Nothing to be done" in study.ok().output

    # The card's number is scikit-learn's, of what the graph predicts in the target's unit.
    model, data = study.results / "model", study.results / "data" / "diabetes"
    told = re.search(r"type: r_squared.*value: ([\d.]+)", (model / "README.md").read_text("utf-8"))
    session = onnxruntime.InferenceSession(model / "model.onnx")
    [predictions] = session.run(None, {"inputs": np.load(data / "x_test.npy")})
    score = r2_score(np.load(data / "y_test.npy"), predictions)
    assert float(told[1]) == pytest.approx(score, abs=1e-5)
    predict = [ROOT / "scripts/predict.py", "--json", "--model", model]
    done = study.call(*predict, study.folder / "diabetes.csv")
    found = [json.loads(line)["predictions"]["target"] for line in done.stdout.splitlines()]
    assert r2_score(frame["target"], found) > 0.3


def test_images_in_colour_are_shown_in_colour(study):
    random = np.random.default_rng(0)
    for name, tones in (("rose", (190, 80, 120)), ("leaf", (80, 170, 90))):
        (study.folder / "garden" / name).mkdir(parents=True)
        for number in range(30):
            pixels = random.normal(tones, 60, (6, 6, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(study.folder / "garden" / name / f"{number}.png")
    study.configure(
        data={"dataset": {"images": "garden", "size": [6, 6]}},
        experiments={"hidden": {"vary": {"hidden": [[4], [8]]}}, "shift": {"vary": {"shift": [1]}}},
        final={"epochs": 1},
    )
    study.ok()
    text = written(study)
    assert "of 6 \u00d7 6 pixels in colour, in 2 classes: leaf and rose" in text
    assert not re.findall(rf".*{OF_GARMENTS}.*", text)
    with Image.open(study.results / "figures" / "mosaic.en.png") as mosaic:
        red, green, _ = np.asarray(mosaic.convert("RGB")).astype(int).transpose(2, 0, 1)
    assert (abs(red - green) > 50).mean() > 0.2
    predict = [ROOT / "scripts/predict.py", "--model", study.results / "model"]
    picture = study.folder / "garden" / "rose" / "0.png"
    done = study.call(*predict, picture)
    assert "rose" in done.stdout.splitlines()[-1]
