"""The report in Chromium: accessible, nothing fetched, nothing refused by its own policy, no sideways scrolling, tables by keyboard."""

import pytest
from report_answers import exam, scored

from scoring.report import analyse, read_answers, render

pytestmark = pytest.mark.browser

@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Two papers in both languages: a large one with everything, a small one in which little can be said."""
    folder = tmp_path_factory.mktemp("reports")
    data, key, _ = exam(200, 22)
    large = analyse(read_answers(data, name="thi.csv", key=key, group_column="Giới tính"))
    small = analyse(read_answers(scored(9, 8, categories=4)[0], name="small.csv"))
    out = {}
    for name, analysis in (("large", large), ("small", small)):
        for language in ("vi", "en"):
            path = folder / f"{name}-{language}.html"
            path.write_text(render(analysis, language), encoding="utf-8")
            out[name, language] = path.as_uri()
    return out


@pytest.fixture
def look(browser):
    """Opens a page at a width and remembers what it asked for and complained of."""
    opened = []

    def visit(address, width):
        page = browser.new_page(viewport={"width": width, "height": 900})
        opened.append(page)
        page.asked, page.complaints = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.goto(address)
        return page

    yield visit
    for page in opened:
        page.close()


def violations(page):
    from axe_playwright_python.sync_playwright import Axe

    page.evaluate(Axe().axe_script)
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [f"{one['id']}: {one['help']}: {[node['html'][:120] for node in one['nodes']][:3]}" for one in found]


@pytest.mark.parametrize("name", ["large", "small"])
@pytest.mark.parametrize(("width", "language"), [(390, "vi"), (1280, "en")])
def test_axe_finds_nothing_and_nothing_is_fetched(reports, look, name, language, width):
    address = reports[name, language]
    page = look(address, width)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.asked == [address]
    assert page.complaints == []
    assert violations(page) == []


def test_every_table_is_one_keypress_away(reports, look):
    page = look(reports["large", "vi"], 1280)
    summaries = page.locator("summary")
    assert summaries.count() == 10
    for place in range(10):
        table = page.locator("details").nth(place).locator("table")
        assert not table.is_visible()
        summaries.nth(place).focus()
        page.keyboard.press("Enter")
        assert table.is_visible()


def test_rows_become_cards_on_a_telephone_and_keep_their_roles(reports, look):
    page = look(reports["large", "en"], 390)
    page.locator("summary").nth(1).click()
    cell = page.locator("details").nth(1).locator("td").first
    assert cell.evaluate("one => getComputedStyle(one).display") == "flex"
    assert cell.evaluate("one => getComputedStyle(one, '::before').content") == '"n"'
    assert page.get_by_role("row").count() > 22


def test_small_charts_stand_in_two_columns_on_a_telephone(reports, look):
    page = look(reports["large", "vi"], 390)
    charts = page.locator("#options ~ .charts svg")
    first, second = charts.nth(0).bounding_box(), charts.nth(1).bounding_box()
    assert first["y"] == second["y"]
    assert second["x"] > first["x"]
    assert first["width"] == 168  # drawn at full size: letters of twelve pixels


def test_tables_are_printed_without_being_opened(reports, look):
    page = look(reports["large", "vi"], 1280)
    on_screen = page.evaluate("document.body.scrollHeight")
    page.emulate_media(media="print")
    shown = page.evaluate("[...document.querySelectorAll('table')].filter(t => t.getBoundingClientRect().height > 20).length")
    assert shown == 10
    assert page.evaluate("document.body.scrollHeight") > on_screen
    assert not page.locator("nav").is_visible()
