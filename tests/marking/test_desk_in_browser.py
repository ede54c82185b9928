"""The desk and the other pages of marking in a real browser: marks by keyboard, drafts that survive, axe on every page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from examsvc.marking import queries
from examsvc.marking.models import Sheet
from tests.marking.conftest import Office
from tests.marking.test_pages import CHIEF, DESK, holder, sheet
from tests.screens import faults, served, sit_down

pytestmark = pytest.mark.browser


@pytest.fixture
def address(office: Office) -> Iterator[str]:
    with served(office) as found:
        yield found


def test_a_script_is_marked_by_keyboard_alone_and_a_draft_outlives_the_tab(office: Office, address: str, page: Page) -> None:
    marker, _ = holder(office, "An", 1)
    with office.session() as session:
        desk = [one.script.code for one in queries.desk(session, office.hall.competition_id, office.hall.people[marker])]
    sit_down(office, page, address, office.hall.people[marker])
    page.goto(f"{address}{DESK}{desk[0]}")
    marks = page.locator("#sheet .points input")
    count = marks.count()
    assert count == 4
    expect(marks.first).to_be_focused()
    for place in range(count):
        page.keyboard.type("2.5")
        page.keyboard.press("Enter")
        if place + 1 < count:
            expect(marks.nth(place + 1)).to_be_focused()
    expect(page.locator("#comment")).to_be_focused()
    expect(page.locator("#sum")).to_have_text("10")
    page.keyboard.type("gọn, đủ ý")
    expect(page.locator("#kept")).to_contain_text("Kept at")
    page.reload()
    expect(marks.nth(3)).to_have_value("2.5")
    expect(page.locator("#comment")).to_have_value("gọn, đủ ý")
    page.locator("button.level").first.click()
    expect(page.locator("button.level").first).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#sum")).to_have_text("11.5")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(f"**{DESK}{desk[1]}" if len(desk) > 1 else f"**{DESK}")
    with office.session() as session:
        given = session.scalars(select(Sheet)).one()
        assert (given.total, given.comment) == ("11.5", "gọn, đủ ý")


def test_a_draft_that_could_not_be_sent_is_sent_again(office: Office, address: str, page: Page) -> None:
    marker, code = holder(office, "An", 1)
    sit_down(office, page, address, office.hall.people[marker])
    page.goto(f"{address}{DESK}{code}")
    page.context.set_offline(True)
    page.locator("#comment").fill("viết khi mất mạng")
    expect(page.locator("#kept")).to_contain_text("Not kept yet")
    page.context.set_offline(False)
    expect(page.locator("#kept")).to_contain_text("Kept at", timeout=15_000)
    page.reload()
    expect(page.locator("#comment")).to_have_value("viết khi mất mạng")


def test_every_page_is_for_everybody(office: Office, address: str, page: Page) -> None:
    """axe finds nothing, and nothing is wider than the screen."""
    marker, code = holder(office, "An", 1)
    other, _ = holder(office, "An", 2)
    office.as_(other).post(DESK + code, data=sheet(office, code, 12))
    again, taken = holder(office, "Bình", 1)
    office.as_(again).post(DESK + taken + "/recognised")
    guide = CHIEF + "parts/essay/guide"
    with office.session() as session:
        digest = queries.scripts(session, office.hall.competition_id, "essay")[0].item_version.digest
    pages = [
        (marker, DESK),
        (marker, DESK + code),
        ("Chief", CHIEF),
        ("Chief", CHIEF + "parts/essay"),
        ("Chief", CHIEF + "parts/essay/joint"),
        ("Chief", CHIEF + "scripts/" + taken),
        ("Chief", CHIEF + "groups"),
        ("Chief", guide),
        ("Chief", f"{guide}/{digest}"),
        ("Secretary", "/competitions/mot/hearings/"),
    ]
    people = office.hall.people
    assert faults(office, page, address, [(people[person], path) for person, path in pages]) == []
