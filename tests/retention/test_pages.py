"""The office's page on keeping and erasing, as each role meets it, and the page that tells candidates how to check."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page

from examsvc.base import jobs
from examsvc.base.database import writing
from examsvc.commands import gunicorn_settings as settings_of_the_server
from examsvc.retention import operations
from examsvc.retention.models import Hold
from tests.conftest import sqlite_copy
from tests.retention.planted import COMPLAINANT, LOSER, WINNER, needles
from tests.screens import faults, served
from tests.web import World

PAGE = "/competitions/mot/data"


class Office(World):
    """The application over the published competition, with browsers for its people."""

    people: dict[str, int]

    def as_(self, person: str):
        client = self.client(self.people[person])
        client.get("/language/en")
        return client

    def read(self, person: str, path: str = PAGE) -> str:
        answer = self.as_(person).get(path)
        assert answer.status_code == 200, f"{path} for {person}: {answer.status_code}"
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


@pytest.fixture
def office(published: tuple[Path, dict[str, object]], tmp_path: Path) -> Office:
    path, kept = published
    (tmp_path / "app").mkdir()
    made = Office(tmp_path / "app", sqlite_copy(path, tmp_path), kept["now"] + timedelta(days=40))
    made.people = {**kept["people"], "Office": kept["office"], "Second": kept["second"]}
    return made


def order(office: Office, rule: str) -> None:
    """One officer proposes on the page, the other approves on the page of approvals."""
    answer = office.as_("Office").post(f"{PAGE}/rules/{rule}/order")
    assert answer.status_code == 302
    number = int(answer.headers["Location"].rsplit("/", 1)[1])
    summary = office.read("Second", f"/account/approvals/{number}")
    assert LOSER not in summary, "the summary names nobody: it stays on record"
    with office.session() as session:
        digest = session.get(operations.ApprovalRequest, number).digest
    assert office.as_("Second").post(f"/account/approvals/{number}/approve", data={"digest": digest}).status_code == 302


def work(office: Office) -> None:
    with office.session() as session:
        operations.ask_daily(session, office.now)
        jobs.run_due(session, office.now)


def test_the_office_holds_orders_and_sees_what_went(office: Office) -> None:
    said = office.read("Office")
    assert "the time to contest the result is not over" in said
    assert LOSER in said
    code = office_code(office, COMPLAINANT)
    refused = office.as_("Office").post(f"{PAGE}/holds", data={"whom": code, "cause": "complaint", "reason": " "})
    assert "Write the reason: which complaint" in refused.get_data(as_text=True)
    entered = office.as_("Office").post(
        f"{PAGE}/holds", data={"whom": code, "cause": "complaint", "reason": f"Đơn của {COMPLAINANT}"}
    )
    assert entered.status_code == 302
    order(office, "files-of-unsuccessful")
    office.later(days=200)
    assert "due, erased with the next daily run" in office.read("Office")
    work(office)
    said = office.read("Office")
    assert LOSER not in said
    assert COMPLAINANT in said, "held back"
    assert "a complaint, appeal or denunciation that is not decided" in said
    assert "kept under: Answers" in said
    assert "look at it" not in said
    with office.session() as session, writing(session):
        (hold,) = session.query(Hold).all()
        code = hold.code
    assert office.as_("Office").post(f"{PAGE}/holds/{code}/release").status_code == 302
    work(office)
    assert COMPLAINANT not in office.read("Office")
    assert WINNER in office.read("Office")


def office_code(office: Office, name: str) -> str:
    with office.session() as session:
        from examsvc.accounts.models import Account
        from examsvc.applications.models import Application

        return session.query(Application).join(Account, Account.id == Application.account_id).filter(Account.name == name).one().code


def test_what_is_due_and_not_ordered_is_a_task(office: Office) -> None:
    assert "Order the erasure" not in office.read("Office", "/account/")
    office.later(days=200)
    assert "Order the erasure of data that are due: 4" in office.read("Office", "/account/")


@pytest.mark.parametrize("person", ["Marker1", "Invigilator", LOSER])
def test_nobody_else_enters(office: Office, person: str) -> None:
    assert office.as_(person).get(PAGE).status_code in (403, 404)
    assert office.as_(person).post(f"{PAGE}/rules/answers/order").status_code in (403, 404)


def test_who_only_reads_orders_nothing(office: Office) -> None:
    assert f'href="{PAGE}"' in office.as_("Chair").get("/competitions/mot/course").get_data(as_text=True)
    assert "Propose the erasure" not in office.read("Chair")
    assert office.as_("Chair").post(f"{PAGE}/rules/answers/order").status_code == 403
    assert office.as_("Office").post(f"{PAGE}/rules/nonsense/order").status_code == 404
    assert office.as_("Office").post(f"{PAGE}/holds/nonsense/release").status_code == 404


def test_anybody_reads_how_to_check(office: Office) -> None:
    said = office.client().get("/how-to-check").get_data(as_text=True)
    assert "/competitions/mot/record" in said
    assert "/competitions/mot/bundle" in said
    assert "/receipt" in said


def test_the_pages_fit_their_screens(office: Office, page: Page) -> None:
    """Held, ordered, erased: all the page can show, at both widths and in both languages."""
    code = office_code(office, COMPLAINANT)
    office.as_("Office").post(f"{PAGE}/holds", data={"whom": code, "cause": "complaint", "reason": "Đơn số 12"})
    order(office, "files-of-unsuccessful")
    office.later(days=200)
    work(office)
    with served(office) as address:
        assert faults(office, page, address, [(office.people["Office"], PAGE), (None, "/how-to-check")]) == []


def test_the_programs_own_log_names_nobody(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    """What a candidate types, and what the office does with it, stands in tables; never in what the service prints."""
    with caplog.at_level(logging.DEBUG):
        address = f"{LOSER.lower()}@example.vn"
        office.client().post("/account/sign-in", data={"email": address, "password": "wrong"})
        office.client().post("/account/forgotten", data={"email": address})
        for path in ("/account/", "/competitions/mot", "/account/messages"):
            office.as_(LOSER).get(path)
        office.as_("Office").get("/competitions/mot/files?search=" + LOSER)
        office.as_("Office").get("/competitions/mot/" + LOSER)
        order(office, "files-of-unsuccessful")
        office.later(days=200)
        work(office)
        logging.getLogger("test").warning("heard")
    assert "heard" in caplog.text
    assert [one for one in needles(LOSER) if one in caplog.text.encode()] == []
    assert settings_of_the_server.accesslog is None
