"""Make what the documentation shows of a finished default study: figures, its page, a larger plan.

Needs Chromium (Debian: apt-get install chromium).
"""

import argparse
import io
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "what-runs-again.md"

# What that page shows of the plan, between these marks: headings and so many lines, and the last.
MARKS = "<!-- docs/pictures.py -->\n", "<!-- end -->\n"
PLAN_LINES = 8

WINDOW = {"width": 1280, "height": 800}
PLACE = "#figure-{experiment} .chart"


def screenshot(browser: Browser, page: Path, experiment: str) -> Image.Image:
    """The page where it shows an experiment's curves, the pointer over them."""
    window = browser.new_page(viewport=WINDOW)
    window.goto(f"{page.as_uri()}#figure-{experiment}")  # which unfolds that part
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
    """The beginning and the end of the plan of one seed and one learning rate more."""
    study = YAML(typ="safe").load(ROOT / "config.yaml")
    study["seeds"] += 1
    study["experiments"]["learning_rate"]["vary"]["learning_rate"].insert(0, 0.03)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        YAML().dump(study, file)
        program = [sys.executable, ROOT / "scripts" / "show_plan.py", "--configfile", file.name]
        done = subprocess.run(program, cwd=folder, capture_output=True, text=True, check=True)
    lines = done.stdout.rstrip().splitlines()
    return "\n".join([*lines[:PLAN_LINES], "…", lines[-1]])


def show_in_page(plan: str) -> None:
    """Put the plan between its marks."""
    begin, end = MARKS
    shown = f"{begin}```text\n$ make plan CONFIG=my.yaml\n{plan}\n```\n{end}"
    text = PAGE.read_text(encoding="utf-8")
    found = re.sub(f"{begin}.*?{end}", lambda _: shown, text, flags=re.S)
    PAGE.write_text(found, encoding="utf-8")


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
    shutil.copy(page.parent / "figures" / "glance.en.png", arguments.output)
    show_in_page(plan_excerpt(arguments.folder))


if __name__ == "__main__":
    main()
