"""A candidate sits the exam in a real browser against the real application."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from examsvc.base import jobs
from examsvc.base.database import writing
from examsvc.sittings import arrival, queries
from examsvc.sittings.models import Save
from tests.e2e.conftest import Live
from tests.exam_hall import BELL, ExamHall

pytestmark = pytest.mark.browser


def prepared(live: Live) -> tuple[ExamHall, str]:
    """A sitting with one candidate at the door five minutes before the bell; returns the hall and the candidate's code."""
    session = live.opened()
    hall = ExamHall(session)
    for phase in ("announced", "applications"):
        hall.phase(phase)
    hall.candidate("An")
    hall.candidate("Bình")
    form = hall.paper()
    hall.phase("exam")
    hall.sitting(form)
    hall.now = BELL - timedelta(minutes=5)
    live.set_clock(BELL - timedelta(seconds=6))
    code = arrival.new_code()
    with writing(session):
        arrival.check_in(
            session,
            hall.attempt("An"),
            code_hash=arrival.hash_code(code),
            document="citizen-card",
            photograph_agrees=True,
            by=hall.office,
            now=hall.now,
        )
    return hall, code


def test_answers_survive_a_cut_network_and_a_reload(live: Live, page: Page) -> None:
    hall, code = prepared(live)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    sign_in(live, page, hall.number("An"), code)
    jobs.work(hall.session, BELL)
    choices = page.locator("#player input[type=radio]")
    expect(choices.first).to_be_visible(timeout=15000)
    choices.first.check(force=True)
    expect(page.get_by_text("Đã lưu").first).to_be_visible()
    page.wait_for_timeout(1200)
    assert len(answers(hall, "An")) == 1

    page.context.set_offline(True)
    page.keyboard.press("n")
    choices.first.check(force=True)
    expect(page.get_by_text("Không có mạng").first).to_be_visible(timeout=15000)
    assert len(answers(hall, "An")) == 1
    page.context.set_offline(False)
    page.reload()
    expect(choices.first).to_be_visible(timeout=15000)
    page.wait_for_timeout(2500)
    assert len(answers(hall, "An")) == 2, "what was written without network arrived after the reload"

    page.get_by_role("button", name="Xem lại và nộp bài").click()
    page.get_by_role("button", name="Nộp bài", exact=True).click()
    page.get_by_role("button", name="Nộp bài, không sửa nữa").click()
    expect(page.get_by_text("Đã nộp bài").first).to_be_visible(timeout=15000)
    page.wait_for_timeout(1500)
    hall.session.rollback()
    attempt = hall.attempt("An")
    assert attempt.state == "submitted"
    assert attempt.receipt is not None
    assert attempt.receipt["answered"] == 2
    shown = page.locator("#player").inner_text().replace(" ", "").replace("\n", "").replace("-", "")
    assert attempt.receipt["code"] in shown
    assert problems == []


def sign_in(live: Live, page: Page, number: str, code: str) -> None:
    """The slip's number and code, on a machine of the hall."""
    page.goto(f"{live.url}/competitions/mot/sit")
    page.fill("#candidate_number", number)
    page.fill("#code", code)
    page.click("main form button[type=submit]")
    expect(page.locator("#player")).to_be_visible()


def answers(hall: ExamHall, name: str) -> dict[int, Save]:
    """What is stored now."""
    hall.session.rollback()
    return queries.newest_saves(hall.session, hall.attempt(name).id)
