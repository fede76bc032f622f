"""A real Chromium, and a small finished study in both languages with all that it leaves to see."""

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

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
