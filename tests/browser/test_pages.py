"""The pages and Snakemake's own report in a real browser."""

import re
import time

import pytest

LANGUAGES = ["en", "es"]

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}

# Every chart and table is made when it comes near the window.
SCROLL = """async () => {
  for (const place of document.querySelectorAll(".chart, table.searched, table.sorted")) {
    place.scrollIntoView();
    await new Promise((done) => setTimeout(done, 50));
  }
  scrollTo(0, 0);
}"""


def until_count(locator, count):
    """Wait until so many elements are there; Playwright's own way is a text that is run."""
    deadline = time.monotonic() + 30
    while locator.count() != count:
        assert time.monotonic() < deadline, f"{locator.count()} of {count}"
        locator.page.wait_for_timeout(50)


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
        self.page.evaluate(SCROLL)
        charts = self.page.locator(".chart").count()
        until_count(self.page.locator(".chart[data-drawn] svg"), charts)
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


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
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
    assert page.evaluate("window.ran") is None
    assert len([line for line in it.complaints() if "Content Security Policy" in line]) >= 2
    assert page.locator("table.searched tbody tr").count() > 0
    it.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
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
    tooltip.wait_for()
    shown = tooltip.inner_text()
    assert re.search(r"Seed\s*[01]\b", shown)
    assert re.search(r"Validation accuracy \(%\)\s*\d\d?\.\d\d\b", shown)


def test_hovering_shows_decimal_commas_in_spanish(opened):
    page = opened("es").see_all()
    chart = page.locator("#figure-dropout .chart").first
    chart.scroll_into_view_if_needed()
    chart.locator("svg").hover(position={"x": 300, "y": 150})
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    assert re.search(r"Exactitud de validación \(%\)\s*\d\d?,\d\d\b", tooltip.inner_text())


def test_seeds_are_switched_off_and_on_by_the_keyboard(opened):
    page = opened().see_all()
    chart = page.locator("#figure-dropout .chart").first
    lines = chart.locator("svg .seeds_pathgroup path[stroke]")
    both = lines.count()
    switch = chart.get_by_label("Seed 1")
    switch.focus()
    page.keyboard.press("Space")
    assert not switch.is_checked()
    until_count(lines, both // 2)
    page.keyboard.press("Space")
    assert switch.is_checked()


def test_another_measure_is_drawn(opened):
    page = opened().see_all()
    chart = page.locator("#figure-dropout .chart").first
    ticks = chart.locator("svg .role-axis-label").all_text_contents()
    chart.get_by_label("Shown").select_option("validation_loss")
    page.wait_for_timeout(200)
    assert chart.locator("svg .role-axis-label").all_text_contents() != ticks


def test_runs_are_searched_and_sorted(opened):
    page = opened().see_all()
    everything = page.locator("section.everything").nth(1)
    rows = everything.locator("tbody tr")
    assert rows.count() == 2
    everything.get_by_label("Search:").fill("dropout0.0")
    assert rows.count() == 1
    assert "dropout0.0" in rows.first.inner_text()
    everything.get_by_label("Search:").fill("")
    heading = everything.locator("th", has_text="Dropout")
    for order in ("ascending", "descending"):
        heading.click()
        assert heading.get_attribute("aria-sort") == order
        assert ("dropout0.0-" in rows.first.inner_text()) == (order == "ascending")


def test_values_are_filtered_by_experiment(opened):
    page = opened("es").see_all()
    everything = page.locator("section.everything").first
    assert everything.locator("tbody tr").count() == 4
    everything.locator("label select").select_option("Dropout")
    assert everything.locator("tbody tr").count() == 2
    everything.locator("label select").select_option("todas")
    assert everything.locator("tbody tr").count() == 4


def test_a_table_of_the_report_is_sorted_by_numbers(opened):
    page = opened().see_all()
    table = page.locator("table.confusions, table.sorted").filter(has_text="Taken for").first
    heading = table.locator("th", has_text="Images")
    heading.click()
    cells = table.locator("tbody td:nth-child(3)").all_inner_texts()
    assert len(cells) > 2
    assert list(map(float, cells)) == sorted(map(float, cells))


def test_a_cell_of_the_confusion_matrix_shows_its_images(opened):
    page = opened().see_all()
    button = page.locator(".confusion button").first
    button.focus()
    page.keyboard.press("Enter")
    images = page.locator("[popover]:popover-open")
    assert images.count() == 1
    assert images.locator("img").evaluate("image => image.naturalWidth") >= 8
    page.keyboard.press("Escape")
    assert page.locator("[popover]:popover-open").count() == 0


def test_claims_unfold_and_are_chosen_by_verdict(opened):
    page = opened().see_all()
    claims = page.locator("details.claim:visible")
    assert claims.count() == 2
    claims.first.locator("summary").click()
    assert "against" in claims.first.locator("tbody").inner_text()
    for verdict in ("holds", "fails", "open"):
        page.locator(f"#verdict-{verdict}").check()
        assert claims.count() == page.locator(f"details.claim.{verdict}").count()
        assert all(
            verdict in each for each in claims.evaluate_all("all => all.map((x) => x.className)")
        )


def test_on_paper_figures_are_static_and_claims_unfolded(opened):
    page = opened().see_all()
    page.emulate_media(media="print")
    assert page.locator(".chart:visible").count() == 0
    statics = page.locator("figure .static img:visible")
    assert statics.count() == page.locator("figure").count()
    assert all(statics.evaluate_all("all => all.map((each) => each.naturalWidth > 0)"))
    assert page.locator("details.claim tbody:visible").count() == 2


def test_without_javascript_the_static_figures_are_there(opened):
    it = opened(java_script_enabled=False)
    figures = it.page.locator("figure")
    assert it.page.locator("figure .static img:visible").count() == figures.count()


def test_the_theme_follows_the_readers_while_the_page_is_open(opened):
    page = opened(color_scheme="light").see_all()
    page.emulate_media(color_scheme="dark")
    until_count(page.locator(".chart:not([data-drawn=dark])"), 0)


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
        ("category", "count"), [("data", 1), ("experiments", 2), ("final model", 6)]
    )
    def test_every_figure_displays_and_the_toggle_switches_languages(self, it, category, count):
        rows = self.results(it.page, category)
        for language in LANGUAGES:
            it.page.locator("nav label", has_text=language).click()
            assert rows.count() == count
            for row in rows.all():
                row.locator("a").first.click()
                figure = it.page.locator(f"#app img[src$='.{language}.png']")
                figure.wait_for()
                assert figure.evaluate("image => image.decode().then(() => image.naturalWidth)") > 1
        assert it.outside() == []
        assert [text for text in it.complaints() if "tailwindcss" not in text] == []

    def test_pages_open_in_it(self, it):
        rows = self.results(it.page, "report")
        for language in LANGUAGES:
            it.page.locator("nav label", has_text=language).click()
            rows.filter(has_text="page").locator("a").first.click()
            page = it.page.frame_locator(f"iframe[src$='report.{language}.html']")
            page.locator("h1").wait_for()
            page.locator(".chart").first.scroll_into_view_if_needed()
            page.locator(".chart[data-drawn] svg").first.wait_for()
        assert it.outside() == []

    def test_has_the_rules_their_times_and_the_tables(self, it):
        assert re.search(r"torch \d+\.\d+", it.page.locator("#app").inner_text())
        for view, drawn in (("Workflow", "canvas, svg.marks"), ("Statistics", "canvas, svg.marks")):
            it.page.locator("nav").get_by_text(view, exact=True).click()
            it.page.locator(drawn).first.wait_for()
        names = self.results(it.page, "tables").all_inner_texts()
        assert {name.strip() for name in names} == {"claims", "comparisons", "metrics", "summary"}
