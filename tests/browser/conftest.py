"""A real Chromium, and a small finished study in both languages with all that it leaves to see."""

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import madeup
from madeup_pages import Made, level, small
from mnistlike import write_dataset
from small_study import Study

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)

# No service of the browser's own may ask the network for anything.
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

CLAIMS = [
    {
        "id": name,
        "statement": {"en": f"Dropout 0.0 is {name} 0.2.", "es": f"Dropout 0.0: {name} 0.2."},
        "predicate": {
            "greater": {
                "left": {"experiment": "dropout", "value": left},
                "right": {"experiment": "dropout", "value": right},
                "by": by,
            }
        },
    }
    for name, left, right, by in [
        ("far-better", 0.0, 0.2, 0.9),
        ("not-far-worse", 0.0, 0.2, -0.9),
    ]
]


@pytest.fixture(scope="session")
def browser() -> Iterator:
    if CHROMIUM is None:
        pytest.skip("no Chromium on the PATH: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def shown(browser, tmp_path_factory) -> Study:
    """Two experiments that share their runs, a final model, claims; the pages of both languages."""
    study = Study(tmp_path_factory.mktemp("shown"))
    study.configure(
        experiments={
            "dropout": {"vary": {"dropout": [0.0, 0.2]}},
            "epochs": {"vary": {"epochs": [1, 2]}},
        },
        final={"epochs": 2},
        claims=CLAIMS,
        report={"languages": ["en", "es"]},
    )
    study.ok()
    return study


@pytest.fixture(scope="session")
def workflow_report(shown) -> Path:
    """Snakemake's own report of the study, unpacked."""
    archive = shown.results / "workflow-report.zip"
    shown.ok("--report", str(archive), "--", "report")
    folder = shown.folder / "unpacked"
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
    return folder / "workflow-report" / "report.html"


@pytest.fixture(scope="session")
def grid(tmp_path_factory) -> Path:
    """The folder of a made-up study's pages: a grid, one of many cells, and one of long names."""
    folder = tmp_path_factory.mktemp("grid")
    data = write_dataset(folder, classes=["one", "two", "three"], train=60, test=30, side=8)
    sizes = [[16, 16, 16, 16, 16, 16, last] for last in (8, 16)]
    experiments = {
        "grid": {"vary": {"learning_rate": [0.01, 0.1], "batch_size": [20, 50]}},
        "many": {"vary": {"learning_rate": [0.01, 0.1, 0.2], "dropout": [0.0, 0.2, 0.4]}},
        "long": {"vary": {"hidden": sizes, "optimizer": ["sgd", "adam"]}},
    }
    languages = {"report": {"languages": ["en", "es"]}}
    made = Made(madeup.make(small(str(data), experiments, final={}, **languages), level), folder)
    for code in ("en", "es"):
        (folder / f"report.{code}.html").write_text(made.page(code), encoding="utf-8")
    return folder
