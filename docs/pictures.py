"""Make the README's pictures from a finished study: the page, and an excerpt of the plan.

Needs Chromium (Debian: apt-get install chromium).
"""

import argparse
import io
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]

# What the README shows of the plan: the headings and so many rows, and the last line.
PLAN_ROWS = 6

WINDOW = {"width": 1280, "height": 800}
PLACE = "#figure-{experiment} .chart"


def screenshot(browser: Browser, page: Path, experiment: str) -> Image.Image:
    """The page where it shows an experiment's curves, the pointer over them."""
    window = browser.new_page(viewport=WINDOW)
    window.goto(page.as_uri())
    chart = window.locator(PLACE.format(experiment=experiment)).first
    chart.scroll_into_view_if_needed()
    window.wait_for_selector(f"{PLACE.format(experiment=experiment)}[data-drawn] svg")
    window.evaluate(
        "chart => scrollBy(0, chart.getBoundingClientRect().top - 140)", chart.element_handle()
    )
    window.wait_for_timeout(500)
    chart.locator("svg").hover(position={"x": 420, "y": 120})
    window.wait_for_timeout(500)
    return Image.open(io.BytesIO(window.screenshot()))


def plan_excerpt(folder: Path) -> str:
    """The beginning and the end of what `make plan` prints."""
    program = [sys.executable, ROOT / "scripts" / "show_plan.py"]
    done = subprocess.run(program, cwd=folder, capture_output=True, text=True, check=True)
    lines = done.stdout.rstrip().splitlines()
    return "\n".join([*lines[: 2 + PLAN_ROWS], "…", lines[-1]]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT, help="the study's folder")
    parser.add_argument("--experiment", default="learning_rate", help="whose curves to show")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images")
    arguments = parser.parse_args()

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = (arguments.folder / "results" / "report.en.html").resolve()
        picture = screenshot(browser, page, arguments.experiment)
        browser.close()
    picture.convert("RGB").save(arguments.output / "page.en.png", optimize=True)
    (arguments.output / "plan.txt").write_text(plan_excerpt(arguments.folder), encoding="utf-8")


if __name__ == "__main__":
    main()
