"""docs/data.md, its example and the study of a table can be used as they stand."""

import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from ruamel.yaml import YAML

from study.data.datasets import FORMS, describe, named
from study.spec import config, data_fit
from study.spec.resolution import resolve
from study.support.resources import resource

PAGE = resource("docs/data.md").read_text(encoding="utf-8")
CONFIG = resource("configs/table.yaml")
SNIPPETS = [
    YAML(typ="safe").load(text)["data"]
    for text in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the files that the page names."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    wine = pd.DataFrame({"id": range(40), "acid": random.normal(size=40), "quality": [3, 5] * 20})
    wine.loc[3, "acid"] = None
    wine.to_csv("wine.csv", index=False)
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(10):
            pixels = random.integers(0, 256, (9, 7, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png")
    np.savez("mine.npz", x_train=random.normal(size=(20, 3)), y_train=["a", "b"] * 10)
    source = resource("examples/my_data.py").read_text(encoding="utf-8")
    (tmp_path / "my_data.py").write_text(source)
    return tmp_path


def test_the_page_shows_every_form():
    assert {form for data in SNIPPETS for form in data["dataset"]} >= FORMS.keys()


@pytest.mark.parametrize("data", SNIPPETS, ids=lambda data: next(iter(data["dataset"])))
def test_what_the_page_shows_can_be_used(data, folder):
    study = resolve(
        config.validated(
            {"data": data, "experiments": {"dropout": {"vary": {"dropout": [0.1, 0.2]}}}}, "page"
        )
    )
    dataset = describe(named(data))
    if "torchvision" in data["dataset"]:
        return  # its files are downloaded
    dataset.fetch(folder / "there", [], print)
    data_fit.check_files(study, dataset, folder / "there")


def test_the_study_of_quantities_fits_its_data(tmp_path, monkeypatch):
    monkeypatch.chdir(CONFIG.parent)
    study = resolve(config.load([CONFIG.with_name("quantities.yaml")]))
    dataset = describe(study.dataset)
    dataset.fetch(tmp_path, [], print)
    assert data_fit.check_files(study, dataset, tmp_path) == []
    data = dataset.load(tmp_path)
    assert (data.inputs, len(data.train), data.task) == ((10,), 353, "regression")


def test_the_study_of_a_table_fits_its_data(tmp_path, monkeypatch):
    """From a folder beside configs/ and examples/, as `make report FOLDER=table` runs it."""
    monkeypatch.chdir(CONFIG.parent)
    study = resolve(config.load([CONFIG]))
    dataset = describe(study.dataset)
    dataset.fetch(tmp_path, [], print)
    assert data_fit.check_files(study, dataset, tmp_path) == []
    data = dataset.load(tmp_path)
    assert data.inputs == (30,)
    assert data.targets.names == ["benign", "malignant"]
    assert study.chooses_final
