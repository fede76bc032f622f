"""The page of a running study in a real browser: it renews itself, and asks its server alone."""

import json
import os
import re
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from finished import LEARNING, finish, planned
from study.commands import watch
from study.operations import journals, watching
from study.operations.live_state import LiveStudy
from study.runs import failures
from study.support import locks
from study.support.local_server import LOOPBACK, serving

expect = pytest.importorskip("playwright.sync_api").expect

CONFIG = {
    "seeds": 2,
    "baseline": {"epochs": 4, "hidden": [4]},
    "experiments": {"dropout": {"vary": {"dropout": [0.1, 0.2, 0.3, 0.4]}}},
}
WINDOWS = {
    "desktop": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}


class Live:
    """A made-up study of four runs, one of which this process trains, and its server."""

    def __init__(self, folder: Path, stack: ExitStack):
        self.results = folder / "results"
        self.results.mkdir()
        (self.results / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
        self.plan = planned(**CONFIG)
        self.folders = [self.results / "runs" / run.run for run in self.plan.runs]
        for each in self.folders:
            each.mkdir(parents=True)
        self.stack = stack.enter_context(ExitStack())
        self.stack.enter_context(locks.run_lock(self.folders[1]))
        finish(self.results / "runs", self.plan.runs[0])
        self.enter(0, 0.5, 0.6, 0.65, 0.7)
        self.enter(1, 0.4)
        failures.note(self.folders[2], OSError("no training <b>today</b>"), Path(__file__))
        self.log("error: no training today\n")
        pages = watch.Pages(LiveStudy(self.results, lambda: False))
        self.server = stack.enter_context(ExitStack())
        self.address = self.server.enter_context(serving(pages.answer, LOOPBACK, 0, 0))

    def enter(self, run: int, *scores: float) -> None:
        """Add epochs with these scores to a run's journal."""
        path = self.folders[run] / journals.NAME
        first = len(path.read_text().splitlines()) if path.exists() else 0
        with path.open("a", encoding="utf-8") as file:
            for epoch, score in enumerate(scores, first + 1):
                entry = {"epoch": epoch, "seeds": [0, 1], "time": time.time(), "pid": os.getpid()}
                entry |= {"seconds": 1.0, "validation_accuracy": score, "validation_loss": 0.25}
                file.write(json.dumps(entry) + "\n")

    def log(self, text: str) -> None:
        with (self.folders[2] / "train.log").open("a", encoding="utf-8") as file:
            file.write(text)

    def end(self) -> None:
        """Train all, and write the reports."""
        self.stack.close()
        for run, folder in zip(self.plan.runs, self.folders, strict=True):
            failures.forget(folder)
            finish(self.results / "runs", run)
            (folder / "train.log").write_text("done\n", encoding="utf-8")
        (self.results / "metrics.parquet").touch()
        digest = self.plan.digest
        for code in self.plan.languages:
            page = f'<meta name="plan" content="{digest}"><title>The report: {code}</title>'
            (self.results / f"report.{code}.html").write_text(page, encoding="utf-8")
            text = f"[//]: # (plan {digest})\n"
            (self.results / f"report.{code}.md").write_text(text, encoding="utf-8")


@pytest.fixture
def live(tmp_path, monkeypatch):
    monkeypatch.setattr(watching.fingerprint, "learning", lambda *_: LEARNING)
    monkeypatch.setattr(watching, "PERIOD", 0.1)
    with ExitStack() as stack:
        yield Live(tmp_path, stack)


@pytest.fixture
def opened(browser, live):
    """Open the live page of a language; what it asks for and complains of is kept."""
    contexts = []

    def open_page(code="en", **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.requests, page.complaints = [], []
        page.on("request", lambda request: page.requests.append(request.url))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                page.complaints.append(message.text)
                if message.type in ("error", "warning")
                else None
            ),
        )
        page.goto(f"{live.address}live.{code}.html")
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("window", "code"), [("desktop", "en"), ("phone", "es")])
def test_it_renews_itself_and_asks_nobody_else(opened, live, window, code):
    page = opened(code, **WINDOWS[window])
    rows = page.locator("#runs tbody tr")
    expect(rows).to_have_count(4)
    expect(page.locator("#experiments tbody tr")).to_contain_text(
        "70.00" if code == "en" else "70,00"
    )
    chart = page.locator("#chart")
    expect(chart).to_have_attribute("data-points", "5")
    expect(chart.locator("svg .lines_pathgroup path[stroke]")).to_have_count(2)
    trains = rows.filter(has=page.locator(".training"))
    expect(trains).to_have_count(1)
    words = {"en": "1 of 4", "es": "1 de 4"}[code]
    expect(trains).to_contain_text(words)

    live.enter(1, 0.55, 0.6)
    expect(chart).to_have_attribute("data-points", "7", timeout=20_000)
    expect(trains).to_contain_text(words.replace("1", "3"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.complaints == []
    assert {url for url in page.requests if not url.startswith(live.address)} <= {"data:,"}


def test_a_failure_unfolds_to_its_log_which_grows(opened, live):
    page = opened()
    failed = page.locator("#failures details")
    expect(failed).to_have_count(1)
    # Texts of files stay texts.
    expect(failed.locator("summary")).to_contain_text("no training <b>today</b>")
    failed.locator("summary").click()
    log = failed.locator("pre")
    expect(log).to_have_text("error: no training today\n")
    live.log("and none tomorrow\n")
    expect(log).to_contain_text("tomorrow", timeout=20_000)
    expect(failed).to_have_attribute("open", "")


@pytest.mark.parametrize("code", ["en", "es"])
def test_in_the_end_it_is_the_report(opened, live, code):
    page = opened(code)
    expect(page.locator("#runs tbody tr")).to_have_count(4)
    live.end()
    expect(page).to_have_title(f"The report: {code}", timeout=20_000)
    assert page.url == f"{live.address}report.{code}.html"


def test_where_the_watcher_has_ended_it_says_so_and_keeps_what_was_there(opened, live):
    page = opened()
    expect(page.locator("#runs tbody tr")).to_have_count(4)
    expect(page.locator("#lost")).to_be_hidden()
    live.server.close()
    expect(page.locator("#lost")).to_be_visible(timeout=20_000)
    expect(page.locator("#lost")).to_contain_text("make watch")
    expect(page.locator("#runs tbody tr")).to_have_count(4)


def test_a_browser_that_is_closed_leaves_the_others_theirs(opened, live):
    first, second = opened(), opened("es")
    expect(first.locator("#chart")).to_have_attribute("data-points", "5")
    first.close()
    live.enter(1, 0.55)
    expect(second.locator("#chart")).to_have_attribute("data-points", "6", timeout=20_000)


@pytest.mark.parametrize("window", WINDOWS)
def test_axe_finds_nothing_serious(opened, live, window):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = opened(**WINDOWS[window])
    expect(page.locator("#chart")).to_have_attribute("data-points", "5")
    page.locator("#failures summary").click()
    expect(page.locator("#failures pre")).to_have_text(re.compile("error"))
    found = axe.run(page).response["violations"]
    serious = [
        (each["id"], [node["html"][:200] for node in each["nodes"]][:3])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
    assert serious == []
    if shots := os.environ.get("SHOTS"):
        page.screenshot(path=f"{shots}/{window}.png", full_page=True)
