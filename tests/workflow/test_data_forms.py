"""A study of data in another form than IDX files, from the config to the report."""

import numpy as np
import pytest
from PIL import Image

from small_study import Study
from study.data.datasets import describe

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


def test_what_networks_do_not_learn_yet_is_told_before_any_training(study):
    (study.folder / "table.csv").write_text("a,y\n" + "1,yes\n2,no\n" * 20)
    study.configure(data={"dataset": {"table": "table.csv", "target": "y"}})
    ended = study.run()
    assert ended.returncode != 0
    log = (study.results / "data" / "table" / "fetch.log").read_text()
    assert "table has classes of float32 examples 1; networks learn" in log
    assert describe({"table": str(study.folder / "table.csv"), "target": "y"}).name == "table"
