"""The room of the hearings in a real browser, from the draw to the settled mark: axe in both languages, nothing wider than a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from examsvc.applications.models import Application
from examsvc.marking import hearings, queries
from examsvc.marking.models import Hearing, PanelSeat
from tests.exam_hall import ExamHall, spread
from tests.marking.conftest import Office
from tests.marking.test_hearings import PART
from tests.screens import faults, served, sit_down

pytestmark = pytest.mark.browser
ROOM = "/competitions/mot/hearings/"


@pytest.fixture
def heard(hall: ExamHall, tmp_path: Path) -> Office:
    """The written stage is locked and open; the application over the same database."""
    for name, mark in (("An", 16), ("Bình", 14), ("Chi", 2)):
        hall.mark_script(name, mark, mark)
    hall.lock("written")
    hall.unblind("written")
    address = hall.session.get_bind().url.render_as_string(hide_password=False)
    made = Office(tmp_path, address, hall.now)
    made.hall = hall
    hall.session.close()
    return made


def test_from_the_draw_to_the_settled_mark(heard: Office, page: Page) -> None:
    people, office = heard.hall.people, heard
    with served(office) as address:

        def look(*pages: tuple[str, str]) -> list[str]:
            return faults(office, page, address, [(people[person], path) for person, path in pages])

        assert look(("Secretary", ROOM)) == []
        sit_down(office, page, address, people["Secretary"])
        page.goto(address + ROOM)
        assert page.get_by_role("checkbox").count() == 6
        page.get_by_role("button", name="Ask for the draw of the order").click()
        assert office.approve("Chair") == 1
        with office.session() as session:
            first = queries.hearings(session, office.hall.competition_id, PART)[0]
            code, seats = first.code, [(one.id, one.member.name) for one in first.members]
            number = session.get_one(Application, first.application_id).candidate_number or ""
        here = ROOM + code
        assert look(("PanelChair", here), (seats[0][1], here)) == []
        sit_down(office, page, address, people["PanelChair"])
        page.goto(address + here)
        assert number in page.locator("h1").inner_text()
        with page.expect_download() as download:
            page.get_by_role("link", name="The action plan as handed in").click()
        assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
        page.get_by_role("button", name="Begin").click()
        expect(page.locator("#left")).to_contain_text("left")
        assert look(("PanelChair", here), (seats[0][1], here + "/sheet")) == []
        with office.session() as session:
            hearing = session.get_one(Hearing, queries.hearings(session, office.hall.competition_id, PART)[0].id)
            for _ in range(3):
                hearings.next_step(session, hearing, by=people["PanelChair"], now=office.now)
            rows = [(one.id, one.maximum, one.id) for one in hearings.panel_of(hearing).criteria]
            for place, (seat, _) in enumerate(seats):
                one = session.get_one(PanelSeat, seat)
                given = spread(rows, 40 if place == 0 else 80)
                hearings.hand_in(session, one, criteria=given, comments={}, by=one.member_id, now=office.now)
            session.commit()
        assert look((seats[0][1], here), ("PanelChair", ROOM)) == []
        sit_down(office, page, address, people[seats[0][1]])
        page.goto(address + here)
        page.locator("#text").fill("phần tài chính chưa khả thi")
        page.get_by_role("button", name="Put on record").click()
        expect(page.locator("main")).to_contain_text("The panel’s mark: 80")
