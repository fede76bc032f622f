"""The pages and Snakemake's own report in a real browser."""

import io
import itertools
import os
import re

import numpy as np
import pytest
from PIL import Image

# What a page does after a click it does in its own time: whatever is read then is waited for.
expect = pytest.importorskip("playwright.sync_api").expect

LANGUAGES = ["en", "es"]

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}

FULL = os.environ.get("HYPOTHESIS_PROFILE") == "full"


def views(*others):
    """Desktop and phone with each of two others; in `make test` one with each."""
    windows = {"desktop": DESKTOP, "phone": PHONE}
    pairs = itertools.product(windows, others) if FULL else zip(windows, others, strict=True)
    return [pytest.param(windows[name], other, id=f"{name}-{other}") for name, other in pairs]


# Every chart and table is made when it comes near the window, in its own time: each is waited for.
# Of a table that is sorted, one with so few rows that there is nothing to sort stays as it is.
SEE_ALL = """async () => {
  const isMade = (place) =>
    place.classList.contains("chart")
      ? place.dataset.drawn && place.querySelector("svg")
      : place.classList.contains("dataTable") ||
        (!place.classList.contains("searched") && place.tBodies[0].rows.length <= 2);
  document.querySelectorAll("details.part").forEach((part) => (part.open = true));
  for (const place of document.querySelectorAll(".chart, table.searched, table.sorted")) {
    if (!place.checkVisibility()) continue;
    place.scrollIntoView();
    const deadline = performance.now() + 30000;
    while (!isMade(place)) {
      if (performance.now() > deadline) throw new Error(place.outerHTML.slice(0, 200));
      await new Promise((done) => setTimeout(done, 10));
    }
  }
  scrollTo(0, 0);
}"""


# Of an image, once it is there.
NATURAL_WIDTH = "image => image.decode().then(() => image.naturalWidth)"


class Opened:
    """A page with all that it has printed and asked for."""

    def __init__(self, browser, path, viewport=DESKTOP, **options):
        self.context = browser.new_context(viewport=viewport, **options)
        self.page = self.context.new_page()
        self.messages, self.requests = [], []
        self.page.on("console", lambda message: self.messages.append(message))
        self.page.on("pageerror", lambda error: self.messages.append(error))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())

    def complaints(self):
        return [
            str(message)
            for message in self.messages
            if getattr(message, "type", "error") in ("error", "warning")
        ]

    def outside(self):
        return [url for url in self.requests if not re.match(r"(file|data|blob):", url)]

    def see_all(self):
        self.page.evaluate(SEE_ALL)
        return self.page


@pytest.fixture
def opened(browser, shown):
    """Open the study's page of a language; closed after the test."""
    found = []

    def open_page(code="en", **options):
        found.append(Opened(browser, shown.results / f"report.{code}.html", **options))
        return found[-1]

    yield open_page
    for each in found:
        each.context.close()


@pytest.mark.parametrize(("viewport", "code"), views(*LANGUAGES))
def test_opens_without_an_error_an_outside_request_or_a_sideways_scroll(opened, code, viewport):
    it = opened(code, viewport=viewport)
    page = it.see_all()
    assert it.complaints() == []
    assert it.outside() == []
    assert page.locator("html").get_attribute("lang") == code
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_script_that_is_not_the_pages_own_does_not_run(browser, shown, tmp_path):
    """The page's policy holds, and its charts and tables work under it."""
    text = (shown.results / "report.en.html").read_text(encoding="utf-8")
    foreign = "<script>window.ran = 1</script><img src='nothing' onerror='window.ran = 1' alt=''>"
    path = tmp_path / "report.en.html"
    path.write_text(text.replace("</main>", f"{foreign}</main>"), encoding="utf-8")
    it = Opened(browser, path)
    page = it.see_all()
    expect(page.locator("table.searched tbody tr").first).to_be_visible()
    assert page.evaluate("window.ran") is None
    assert len([line for line in it.complaints() if "Content Security Policy" in line]) >= 2
    it.context.close()


@pytest.mark.parametrize(("viewport", "theme"), views("light", "dark"))
def test_axe_finds_nothing_serious(opened, theme, viewport):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = opened(viewport=viewport, color_scheme=theme).see_all()
    page.locator("details").evaluate_all("all => all.forEach((each) => (each.open = true))")
    found = axe.run(page).response["violations"]
    serious = [
        (each["id"], [node["html"][:200] for node in each["nodes"]][:3])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_hovering_over_curves_shows_the_values(opened):
    page = opened().see_all()
    chart = page.locator("#figure-dropout .chart").first
    chart.scroll_into_view_if_needed()
    chart.locator("svg").hover(position={"x": 300, "y": 150})
    tooltip = page.locator("#vg-tooltip-element.visible")
    expect(tooltip).to_contain_text(re.compile(r"Seed\s*[01]"))
    expect(tooltip).to_contain_text(re.compile(r"Validation accuracy \(%\)\s*\d\d?\.\d\d"))


def test_hovering_shows_decimal_commas_in_spanish(opened):
    page = opened("es").see_all()
    chart = page.locator("#figure-dropout .chart").first
    chart.scroll_into_view_if_needed()
    chart.locator("svg").hover(position={"x": 300, "y": 150})
    tooltip = page.locator("#vg-tooltip-element.visible")
    expect(tooltip).to_contain_text(re.compile(r"Exactitud de validación \(%\)\s*\d\d?,\d\d"))


def test_seeds_are_switched_off_and_on_by_the_keyboard(opened):
    page = opened().see_all()
    chart = page.locator("#figure-dropout .chart").first
    lines = chart.locator("svg .seeds_pathgroup path[stroke]")
    both = lines.count()
    switch = chart.get_by_label("Seed 1")
    switch.focus()
    page.keyboard.press("Space")
    expect(switch).not_to_be_checked()
    expect(lines).to_have_count(both // 2)
    page.keyboard.press("Space")
    expect(switch).to_be_checked()
    expect(lines).to_have_count(both)


def test_another_measure_is_drawn(opened):
    page = opened().see_all()
    chart = page.locator("#figure-dropout .chart").first
    labels = chart.locator("svg .role-axis-label")
    title = chart.locator("svg .role-title-text")
    expect(title).to_have_text("Validation accuracy (%)")
    before = labels.all_text_contents()
    chart.get_by_label("Shown").select_option("validation_loss")
    expect(labels).not_to_have_text(before)
    expect(title).to_have_text("Validation loss (nats)")


def test_runs_are_searched_and_sorted(opened):
    page = opened().see_all()
    everything = page.locator("details.everything").nth(1)
    rows = everything.locator("tbody tr")
    expect(rows).to_have_count(2)
    everything.get_by_label("Search:").fill("dropout0.0")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("dropout0.0")
    everything.get_by_label("Search:").fill("")
    expect(rows).to_have_count(2)
    heading = everything.locator("th", has_text="Dropout")
    for order, first in (("ascending", "dropout0.0-"), ("descending", "dropout0.2-")):
        heading.click()
        expect(heading).to_have_attribute("aria-sort", order)
        expect(rows.first).to_contain_text(first)


def test_values_are_filtered_by_experiment(opened):
    page = opened("es").see_all()
    everything = page.locator("details.everything").first
    expect(everything.locator("tbody tr")).to_have_count(4)
    everything.locator("label select").select_option("Dropout")
    expect(everything.locator("tbody tr")).to_have_count(2)
    everything.locator("label select").select_option("todas")
    expect(everything.locator("tbody tr")).to_have_count(4)


def test_a_table_of_the_report_is_sorted_by_numbers(opened):
    page = opened().see_all()
    table = page.locator("table.confusions, table.sorted").filter(has_text="Taken for").first
    cells = table.locator("tbody td:nth-child(3)")
    before = cells.all_inner_texts()
    assert len(before) > 2
    table.locator("th", has_text="Images").click()
    expect(cells).to_have_text(sorted(before, key=float))


def test_a_cell_of_the_confusion_matrix_shows_its_images(opened):
    page = opened().see_all()
    button = page.locator(".confusion button").first
    button.focus()
    page.keyboard.press("Enter")
    images = page.locator("[popover]:popover-open")
    expect(images).to_have_count(1)
    assert images.locator("img").evaluate(NATURAL_WIDTH) >= 8
    page.keyboard.press("Escape")
    expect(images).to_have_count(0)


def test_claims_unfold_and_are_chosen_by_verdict(opened):
    page = opened().see_all()
    claims = page.locator("details.claim:visible")
    expect(claims).to_have_count(2)
    claims.first.locator("summary").click()
    against = claims.first.locator("tbody")
    expect(against).to_be_visible()
    expect(against).to_contain_text("against")
    for verdict in ("holds", "fails", "open"):
        page.locator(f"#verdict-{verdict}").check()
        expect(page.locator(f"details.claim:visible:not(.{verdict})")).to_have_count(0)
        expect(claims).to_have_count(page.locator(f"details.claim.{verdict}").count())


def test_on_paper_figures_are_static_and_claims_unfolded(opened):
    page = opened().see_all()
    page.emulate_media(media="print")
    expect(page.locator(".chart:visible")).to_have_count(0)
    statics = page.locator("figure .static img:visible")
    expect(statics).to_have_count(page.locator("figure").count())
    for image in statics.all():
        # A browser that prints loads them all; one that only looks like paper, those in the window.
        image.scroll_into_view_if_needed()
        assert image.evaluate(NATURAL_WIDTH) > 0
    expect(page.locator("details.claim tbody:visible")).to_have_count(2)


def test_without_javascript_the_static_figures_are_there(opened):
    it = opened(java_script_enabled=False)
    for folded in it.page.locator("details.part:not([open]) > summary").all()[::-1]:
        folded.click()
    figures = it.page.locator("figure").count()
    assert figures > 0
    expect(it.page.locator("figure .static img:visible")).to_have_count(figures)


def test_the_answer_is_seen_first_and_a_link_unfolds_what_it_names(opened):
    page = opened().page
    # Code that only charts need waits for the first of them.
    assert page.evaluate("typeof vega") == "undefined"
    parts = page.locator("details.part")
    assert page.locator("#figure-glance").evaluate("(it) => it.getBoundingClientRect().top") < 900
    folded = page.locator("details.part:not([open])").count()
    assert parts.count() - folded == 2
    link = page.locator(".contents li > ul a").first
    link.click()
    place = page.locator(link.get_attribute("href"))
    expect(place).to_be_in_viewport()
    expect(page.locator("details.part:not([open])")).to_have_count(folded - 1)
    page.get_by_role("button", name="Unfold everything").click()
    expect(page.locator("details.part:not([open])")).to_have_count(0)


def test_the_theme_follows_the_readers_while_the_page_is_open(opened):
    page = opened(color_scheme="light").see_all()
    page.emulate_media(color_scheme="dark")
    expect(page.locator(".chart:not([data-drawn=dark])")).to_have_count(0)


@pytest.mark.parametrize(
    ("scheme", "media", "is_light"),
    [("light", "screen", True), ("dark", "screen", False), ("dark", "print", True)],
)
def test_static_figures_are_as_light_as_the_page(opened, scheme, media, is_light):
    page = opened(color_scheme=scheme).page
    page.emulate_media(media=media)
    for name in ("glance", "mosaic"):
        figure = page.locator(f"#figure-{name} .static")
        page.evaluate("(name) => unfoldTo(`#figure-${name}`)", name)
        image = Image.open(io.BytesIO(figure.screenshot())).convert("L")
        assert (np.median(image) > 128) == is_light


# Texts of charts that lie, in part, beyond their chart, or are cut.
CUT = """() => [...document.querySelectorAll(".chart svg")].flatMap((svg) => {
  const box = svg.closest(".chart").getBoundingClientRect();
  const below = svg.getBoundingClientRect().bottom;
  return [...svg.querySelectorAll("text")].filter((text) => {
    const { left, right, bottom, width } = text.getBoundingClientRect();
    const isBeyond = left < box.left - 1 || right > box.right + 1 || bottom > below + 1;
    return width && (isBeyond || text.textContent.includes("…"));
  }).map((text) => text.textContent);
})"""

# What is wider than its place: those that do not show on which sides they go on.
SILENT = """() => [...document.querySelectorAll(".wide, .dt-layout-table")].filter((place) => {
  const hidden = place.scrollWidth - place.clientWidth;
  const isSeen = (side) => {
    const { position, height } = getComputedStyle(place, side);
    return position === "sticky" && parseFloat(height) > 10;
  };
  return place.checkVisibility() && (
    isSeen("::after") !== (hidden > 1 && place.scrollLeft < hidden - 1) ||
    isSeen("::before") !== (hidden > 1 && place.scrollLeft > 1));
}).map((place) => place.outerHTML.slice(0, 200))"""

WIDER = """() => [...document.querySelectorAll(".wide, .dt-layout-table")]
  .filter((place) => place.scrollWidth - place.clientWidth > 1)"""


@pytest.mark.parametrize(("viewport", "code"), views("es", "en"))
class TestGrid:
    """The page of a grid of two settings."""

    @pytest.fixture
    def it(self, browser, grid, viewport, code):
        opened = Opened(browser, grid / f"report.{code}.html", viewport)
        yield opened
        assert opened.complaints() == []
        opened.context.close()

    def test_every_label_is_whole_and_its_own(self, it):
        page = it.see_all()
        assert page.evaluate(CUT) == []
        for other in (DESKTOP, PHONE):
            page.set_viewport_size(other)
            page.wait_for_function(f"() => ({CUT})().length === 0")
        for name in ("grid", "long"):
            svg = page.locator(f"#figure-{name} [data-specification='{name}-values'] svg")
            labels = svg.locator(".role-axis").nth(-1).locator(".role-axis-label text")
            told = [text.strip() for text in labels.all_text_contents()]
            assert len(told) == len(set(told)) == 4

    def test_a_heatmap_has_its_numbers_in_cells_and_under_the_pointer(self, it, code):
        page = it.see_all()
        chart = page.locator("[data-specification='grid-heatmap']")
        numbers = chart.locator(".mark-text.role-mark text")
        expect(numbers).to_have_count(4)
        expect(numbers.first).to_have_text(re.compile({"en": r"\d\d\.\d", "es": r"\d\d,\d"}[code]))
        cell = chart.locator(".mark-rect.role-mark path").first
        cell.scroll_into_view_if_needed()
        cell.hover(force=True)
        tooltip = page.locator("#vg-tooltip-element.visible")
        expect(tooltip).to_contain_text(re.compile(r"\(%\)\s*\d\d[.,]\d\d"))
        before = numbers.all_text_contents()
        chart.locator("select").select_option("train")
        expect(numbers).not_to_have_text(before)

    def test_what_goes_on_beyond_an_edge_shows_it(self, it):
        page = it.see_all()
        page.wait_for_function(f"() => ({SILENT})().length === 0")
        wider = page.evaluate(f"() => ({WIDER})().length")
        assert wider or page.viewport_size == DESKTOP
        for share in (0.5, 1):
            page.evaluate(
                f"(share) => ({WIDER})().forEach((place) => (place.scrollLeft = share * "
                "(place.scrollWidth - place.clientWidth)))",
                share,
            )
            page.wait_for_function(f"() => ({SILENT})().length === 0")
            assert page.evaluate(f"() => ({WIDER})().length") == wider
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    def test_a_number_and_its_interval_stay_on_one_line(self, it):
        page = it.see_all()
        page.add_style_tag(content="main td { max-width: 1rem; overflow-wrap: normal; }")
        broken = page.evaluate("""() => {
          const texts = document.createTreeWalker(document.querySelector("main"), 4);
          const found = [];
          while (texts.nextNode()) {
            const numbers = texts.currentNode.data.matchAll(/\\d\\S*\\s±\\s\\S+\\d/g);
            for (const { index, 0: text } of numbers) {
              const range = document.createRange();
              range.setStart(texts.currentNode, index);
              range.setEnd(texts.currentNode, index + text.length);
              const tops = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
              found.push([text, tops.size]);
            }
          }
          return found;
        }""")
        assert broken
        assert [text for text, count in broken if count > 1] == []


class TestWorkflowReport:
    """Snakemake's own report."""

    @pytest.fixture
    def it(self, browser, workflow_report):
        opened = Opened(browser, workflow_report)
        yield opened
        opened.context.close()

    @staticmethod
    def results(page, category):
        """The rows of a category, each of which leads to a result."""
        page.locator("nav").get_by_text(category, exact=True).click()
        return page.locator("nav tbody tr")

    @pytest.mark.parametrize(
        ("category", "count"), [("data", 1), ("experiments", 4), ("final model", 6)]
    )
    def test_every_figure_displays_and_the_toggle_switches_languages(self, it, category, count):
        rows = self.results(it.page, category)
        for language in LANGUAGES:
            it.page.locator("nav label", has_text=language).click()
            expect(rows).to_have_count(count)
            for row in rows.all():
                row.locator("a").first.click()
                figure = it.page.locator(f"#app img[src$='.{language}.png']")
                figure.wait_for()
                assert figure.evaluate(NATURAL_WIDTH) > 1
        assert it.outside() == []
        assert [text for text in it.complaints() if "tailwindcss" not in text] == []

    def test_pages_open_in_it(self, it):
        rows = self.results(it.page, "report")
        for language in LANGUAGES:
            it.page.locator("nav label", has_text=language).click()
            rows.filter(has_text="page").locator("a").first.click()
            page = it.page.frame_locator(f"iframe[src$='report.{language}.html']")
            page.locator("h1").wait_for()
            page.locator("details.part:has(.chart) > summary").first.click()
            page.locator(".chart").first.scroll_into_view_if_needed()
            page.locator(".chart[data-drawn] svg").first.wait_for()
        assert it.outside() == []

    def test_has_the_rules_their_times_and_the_tables(self, it):
        expect(it.page.locator("#app")).to_contain_text(re.compile(r"torch \d+\.\d+"))
        for view, drawn in (("Workflow", "canvas, svg.marks"), ("Statistics", "canvas, svg.marks")):
            it.page.locator("nav").get_by_text(view, exact=True).click()
            it.page.locator(drawn).first.wait_for()
        names = self.results(it.page, "tables")
        expect(names).to_have_count(4)
        assert {name.strip() for name in names.all_inner_texts()} == {
            *("claims", "comparisons", "metrics", "summary")
        }
