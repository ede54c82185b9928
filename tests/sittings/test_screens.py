"""Every page of exam day as people see it: axe in both languages, nothing left in English, nothing wider than a phone.

EXAMSVC_SCREENSHOTS=FOLDER keeps a picture of each, wide, narrow and as it prints.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from examsvc.accounts.browser import COOKIE
from examsvc.base.database import writing
from examsvc.sittings import arrival, queries, running
from examsvc.sittings.models import Sitting
from tests.conftest import sqlite_copy
from tests.e2e.conftest import Live
from tests.e2e.screen import _TEXTS, english_left, faults
from tests.exam_hall import BELL, ExamHall
from tests.sittings.conftest import Arranged

pytestmark = pytest.mark.browser

OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
CODE = "ABC234"


class Eyes:
    """Looks at the pages of exam day as one person after the other."""

    def __init__(self, browser: Browser, live: Live, hall: ExamHall) -> None:
        self.live, self.hall = live, hall
        self.wide = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=live.url)
        self.page: Page = self.wide.new_page()
        self.found: list[str] = []
        self.seen = 0
        self.folder = os.environ.get("EXAMSVC_SCREENSHOTS")
        self.place = f"/competitions/mot/sittings/{hall.session.get_one(Sitting, hall.sitting_id).code}"

    def at(self, moment_after_bell: timedelta) -> None:
        """Time goes there, and the workers do what is due."""
        self.live.set_clock(BELL + moment_after_bell)
        self.hall.now = self.live.moment()
        self.live.work()
        self.hall.session.expire_all()

    def as_(self, person: str | None) -> None:
        self.wide.clear_cookies()
        if person is not None:
            self.wide.add_cookies(
                [{"name": COOKIE, "value": self.live.token(self.hall.people[person]), "url": self.live.url}]
            )

    def look(self, name: str, address: str | None = None, *, own: bool = False) -> None:
        """Both languages, wide and narrow; ``own`` is what stands on the page now (the answer to a form)."""
        for language in ("vi", "en") if not own else ("vi",):
            if not own:
                self.page.goto(f"/language/{language}")
                answer = self.page.goto(address or "")
                assert answer is not None
                assert answer.status == 200, (name, address, answer.status, self.page.locator("body").inner_text()[:300])
            self.seen += 1
            self.found += [f"{name} {language} {one}" for one in faults(self.page)]
            if language == "vi":
                texts = [text for text in self.page.evaluate(_TEXTS) if text not in self.hall.people]
                self.found += [f"{name} not translated: {one}" for one in english_left(texts)]
            for width in (390, 1280):
                self.page.set_viewport_size({"width": width, "height": 900})
                if self.page.evaluate(OVERFLOW) > 0:
                    self.found.append(f"{name} {language} is wider than {width} px")
                self.keep(f"{name}-{language}-{width}")
        if self.folder:
            self.page.emulate_media(media="print")
            self.keep(f"{name}-print")
            self.page.emulate_media(media="screen")

    def keep(self, name: str) -> None:
        if self.folder:
            Path(self.folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=f"{self.folder}/{name}.png", full_page=True)

    def send(self, address: str, **fields: str) -> None:
        """Fills in a form of the page and sends it."""
        self.page.goto("/language/vi")
        self.page.goto(address)
        for name, value in fields.items():
            field = self.page.locator(f"main [name='{name}']")
            if field.first.get_attribute("type") in ("radio", "checkbox"):
                self.page.locator(f"main [name='{name}'][value='{value}']").check()
            else:
                field.first.fill(value)
        with self.page.expect_navigation():
            self.page.locator("main form button[type=submit]").last.click()
        self.hall.session.rollback()


@pytest.fixture
def eyes(arranged_sqlite: Arranged, tmp_path: Path, browser: Browser) -> Iterator[Eyes]:
    live = Live(tmp_path, sqlite_copy(Path(arranged_sqlite.place), tmp_path))
    live.set_clock(BELL - timedelta(minutes=10))
    made = Eyes(browser, live, arranged_sqlite.hall(live.opened()))
    yield made
    made.wide.close()
    live.close()


def test_every_page_of_exam_day_can_be_used_by_everybody(eyes: Eyes) -> None:
    hall, place = eyes.hall, eyes.place
    an, binh = (f"{place}/attempts/{hall.attempt(name).code}" for name in ("An", "Bình"))
    room = f"{place}/rooms/room-1"

    eyes.at(timedelta(minutes=-10))
    eyes.as_(None)
    eyes.look("begin", "/competitions/mot/sit")
    eyes.look("machine", "/competitions/mot/machine")
    eyes.as_("Office")
    eyes.look("sittings", "/competitions/mot/sittings/")
    eyes.look("plan", "/competitions/mot/sittings/new")
    eyes.look("move-bell", f"{place}/bell")
    eyes.as_("An")
    eyes.look("my-exam-before", "/competitions/mot/my-exam")
    eyes.look("practice", "/competitions/mot/practice")
    eyes.as_("Invigilator")
    eyes.look("room-before", room)
    eyes.look("check-in", f"{an}/check-in")
    eyes.send(f"{an}/check-in", photograph_agrees="y")
    eyes.look("slip", own=True)
    with writing(hall.session):
        arrival.check_in(
            hall.session,
            hall.attempt("An"),
            code_hash=arrival.hash_code(CODE),
            document="citizen-card",
            photograph_agrees=True,
            by=hall.people["Invigilator"],
            now=hall.now,
        )

    eyes.at(timedelta(minutes=1))
    lease = hall.lease("An")
    slots = [one.number for one in queries.slots(hall.session, hall.attempt("An")) if one.item.kind == "single"]
    for slot in slots[:3]:
        hall.save("An", slot, hall.right_value("An", slot), lease=lease)
    with writing(hall.session):
        running.ask_to_move(hall.session, hall.attempt("An"), now=hall.now)
    eyes.look("room-running", room)
    for name, address in (("attempt", an), ("release", f"{an}/release"), ("credit", f"{an}/credit")):
        eyes.look(name, address)
    for name in ("pause", "credit"):
        eyes.look(f"room-{name}", f"{room}/{name}")
    eyes.look("incident-form", f"{place}/incidents?room=room-1&candidate={hall.number('An')}")
    eyes.send(f"{place}/incidents?room=room-1", candidate="99999", description="Điện thoại reo trong phòng")
    eyes.look("incident-refused", own=True)
    assert eyes.page.locator("#description").input_value() == "Điện thoại reo trong phòng", "what was typed is still there"
    eyes.send(
        f"{place}/incidents?room=room-1", kind="conduct", candidate=hall.number("An"), description="Mang điện thoại vào phòng thi"
    )
    eyes.send(f"{room}/pause", reason="Mất điện")
    eyes.look("room-paused", room)
    eyes.page.locator("main form button[type=submit]").first.click()
    eyes.as_("Hall")
    eyes.look("notice", f"{place}/notices")
    [incident] = queries.incidents(hall.session, hall.sitting_id)
    eyes.send(f"{place}/incidents/{incident.code}", sanction="reprimand", reason="Điều 12")
    hall.now = eyes.live.moment()
    assert hall.approve_all("Chair") == 1
    eyes.look("incident", f"{place}/incidents/{incident.code}")
    eyes.as_("An")
    eyes.look("my-exam-running", "/competitions/mot/my-exam")

    eyes.at(timedelta(minutes=7))
    eyes.as_("Invigilator")
    eyes.look("check-in-late", f"{binh}/check-in")
    eyes.look("turn-away", f"{binh}/turn-away")
    eyes.as_("Chair")
    eyes.look("late-admission", f"{binh}/late-admission")

    eyes.at(timedelta(minutes=30))
    hall.save("An", slots[3], hall.right_value("An", slots[3]), lease=lease)
    eyes.look("sitting-over", place)
    eyes.look("attempt-over", an)
    eyes.look("late-answers", f"{an}/late-answers")
    eyes.look("second-attempt", f"{an}/second")
    eyes.look("lift", f"{place}/incidents/{incident.code}/sanctions/1/lift")
    eyes.as_("An")
    eyes.look("my-exam-after", "/competitions/mot/my-exam")
    eyes.look("receipt", f"/competitions/mot/my-exam/{place.rpartition('/')[2]}/receipt")
    eyes.as_("Bình")
    eyes.look("my-exam-absent", "/competitions/mot/my-exam")
    assert not eyes.found, "\n".join(eyes.found)
    assert eyes.seen > 60


def test_the_live_page_reads_itself_anew_and_says_when_it_cannot(eyes: Eyes) -> None:
    eyes.at(timedelta(minutes=-10))
    eyes.as_("Invigilator")
    page = eyes.page
    page.goto("/language/vi")
    page.goto(f"{eyes.place}/rooms/room-1")
    row = page.locator("tbody tr", has_text=eyes.hall.number("An"))  # seats are drawn: he may sit anywhere
    assert row.locator(".tag").inner_text() == "Chưa đến"
    with writing(eyes.hall.session):
        arrival.check_in(
            eyes.hall.session,
            eyes.hall.attempt("An"),
            code_hash="x",
            document="citizen-card",
            photograph_agrees=True,
            by=eyes.hall.people["Invigilator"],
            now=eyes.hall.now,
        )
    page.locator("[data-reload]").click()
    expect(row.locator(".tag")).not_to_have_text("Chưa đến")
    page.context.set_offline(True)
    page.locator("[data-reload]").click()
    page.locator("[data-stale]").wait_for()
    page.context.set_offline(False)
    page.locator("[data-reload]").click()
    page.locator("[data-stale]").wait_for(state="detached")
