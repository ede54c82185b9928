"""The room's pages: who may enter, what each step looks like from a browser, and that every reading is on record."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.base import jobs
from examsvc.base.database import make_engine, writing
from examsvc.ledger import sealing
from examsvc.ledger.models import LogEntry
from examsvc.papers import banks, queries, uploads
from examsvc.papers.models import Bank, Form, Reading
from tests.conftest import sqlite_copy
from tests.exam_hall import BELL, ExamHall, quick_passphrase
from tests.papers.test_banks import PICTURE, PNG, TWO, with_picture
from tests.web import World, world

PAPERS = "/competitions/mot/papers"


class Office:
    """An application over a hall, with a browser for each person, in English."""

    def __init__(self, folder: Path, address: str, hall: ExamHall) -> None:
        self.engine = make_engine(address)
        self.session = Session(self.engine)
        self.hall = copy.copy(hall)
        self.hall.session = self.session
        self.world: World = world(folder, address, self.hall.now)
        self.browsers: dict[str, FlaskClient] = {}

    def browser(self, person: str) -> FlaskClient:
        if person not in self.browsers:
            self.browsers[person] = self.world.client(self.hall.people[person])
            self.browsers[person].get("/language/en")
        return self.browsers[person]

    def get(self, person: str, path: str, status: int = 200) -> str:
        answer = self.browser(person).get(PAPERS + path)
        assert answer.status_code == status, (path, answer.status_code, answer.get_data(as_text=True)[-1500:])
        return answer.get_data(as_text=True)

    def post(self, person: str, path: str, status: int = 302, **data: object) -> str:
        answer = self.browser(person).post(PAPERS + path, data=data, content_type="multipart/form-data")
        assert answer.status_code == status, (path, answer.status_code, answer.get_data(as_text=True)[-1500:])
        return answer.headers.get("Location", "") or answer.get_data(as_text=True)

    def work(self) -> None:
        with quick_passphrase(), self.world.session() as session:
            jobs.run_due(session, self.world.now)

    def approve(self, person: str) -> None:
        """The second person reads the summary and approves what waits."""
        browser = self.browser(person)
        page = browser.get("/account/approvals").get_data(as_text=True)
        number = re.search(r"/account/approvals/(\d+)", page)
        assert number, page
        page = browser.get(number[0]).get_data(as_text=True)
        digest = re.search(r'name="digest"[^>]*value="([0-9a-f]{64})"', page)
        assert digest, page
        assert browser.post(f"{number[0]}/approve", data={"digest": digest[1]}).status_code == 302


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> tuple[Path, ExamHall]:
    """A competition whose applications are closed, in a database that each test copies, and its hall."""
    folder = tmp_path_factory.mktemp("papers")
    engine = make_engine(sqlite_copy(sqlite_template, folder))
    with Session(engine) as session:
        hall = ExamHall(session)
        for phase in ("announced", "applications"):
            hall.phase(phase)
        for name in ("An", "Bình"):
            hall.candidate(name)
        hall.admit()
        session.rollback()
    engine.dispose()
    return folder / "examsvc.sqlite", hall


@pytest.fixture
def office(tmp_path: Path, prepared: tuple[Path, ExamHall]):
    made = Office(tmp_path, sqlite_copy(prepared[0], tmp_path), prepared[1])
    yield made
    made.session.close()
    made.engine.dispose()


def blueprint(office: Office, count: str = "10", marks: str = "4") -> None:
    office.post("Setter", "/banks/shipped", shipped="public-leadership")
    office.post(
        "Setter",
        "/parts/test/blueprint",
        **{"rows": "1", "bank": "public-leadership", "count-0": count, "marks-0": marks, "kinds-0": "single"},
    )


def test_from_the_bank_to_the_open_paper(office: Office) -> None:
    """Setter, approver, chair, authority and custodians lead a paper through their pages."""
    blueprint(office)
    assert "meets the regulation" in office.get("Setter", "/parts/test/blueprint")
    where = office.post("Setter", "/parts/test/assemble", seed="hạt giống")
    page = office.get("Setter", where.removeprefix(PAPERS))
    assert page.count('<article class="item"') == 10
    assert "No second person has reviewed these questions: 1, 2, 3" in page
    assert "Exchange question 3" in page
    office.post("Setter", "/forms/test-main-1/approve")
    assert "another person approves next" in office.get("Approver", "/forms/test-main-1")
    office.approve("Approver")
    office.work()
    assert "the custodians are named, then it is sealed" in office.get("Chair", "/")

    keys = {}
    for person in ("Custodian1", "Custodian2", "Custodian3"):
        keys[person], recipient = sealing.new_identity()
        office.post(person, "/custodians", recipient=recipient)
    office.post("Chair", "/custodians/written/name")
    office.approve("Authority")
    office.work()
    assert "Nobody can read it, its makers included" in office.get("Setter", "/forms/test-main-1")
    for path in ("paper.pdf", "guide.pdf"):
        office.get("Setter", f"/forms/test-main-1/{path}", 404)

    office.hall.now = office.world.now
    with office.hall.write():
        from examsvc.sittings import planning

        sitting = planning.schedule_sitting(
            office.session,
            office.hall.competition,
            part="test",
            bell_at=BELL,
            rooms=[planning.RoomPlan("Phòng 101", 40)],
            candidates=[office.hall.application(name) for name in office.hall.applications],
            by=office.hall.office,
            now=office.hall.now,
        )
        number, sitting = sitting.id, sitting.code
    office.hall.draw_seats(number)
    office.world.now = BELL - timedelta(minutes=10)
    office.browsers.clear()
    for person in ("Custodian1", "Custodian3"):
        assert "Save your encrypted share" in office.get(person, "/forms/test-main-1/share")
        file = office.browser(person).get(f"{PAPERS}/forms/test-main-1/share.age").data
        with quick_passphrase():
            office.post(
                person,
                "/forms/test-main-1/share",
                share=(io.BytesIO(sealing.decrypt_share(file, keys[person]).data), "share"),
            )
    assert "The paper is open." in office.get("Custodian2", "/forms/test-main-1/share")
    prepared = office.browser("Office").post(f"/competitions/mot/sittings/{sitting}/prepare", follow_redirects=True)
    assert "2 attempts are ready" in prepared.get_data(as_text=True)
    printed = office.browser("Hall").get(f"{PAPERS}/forms/test-main-1/paper.pdf?large=1&language=vi")
    assert printed.data.startswith(b"%PDF-")
    assert printed.mimetype == "application/pdf"


READERS = {"Setter", "Approver"}
PAGES = {
    "/": {"Setter", "Approver", "Chair", "Secretary", "Custodian1"},
    "/banks": READERS,
    "/banks/import": {"Setter"},
    "/banks/public-leadership": READERS,
    "/banks/public-leadership/items/plan-01": READERS,
    "/banks/new": {"Setter"},
    "/banks/public-leadership/write?kind=single": {"Setter"},
    "/banks/public-leadership/items/plan-01/edit": {"Setter"},
    "/banks/public-leadership/items/plan-01/edit/text": {"Setter"},
    "/banks/public-leadership/items/plan-01/translate": {"Setter"},
    "/parts/test/blueprint": READERS,
    "/forms/test-main-1": READERS,
    "/forms/test-main-1/questions/1/swap": {"Setter"},
    "/forms/test-main-1/paper.pdf": READERS,
    "/forms/test-main-1/guide.pdf": READERS,
    "/custodians": {"Custodian1", "Chair", "Secretary", "Authority"},
    "/readings": {"Setter", "Approver", "Chair"},
}
PEOPLE = (
    "Setter", "Approver", "Chair", "Secretary", "Authority", "Custodian1", "Hall", "Invigilator", "Coder", "Chief", "Marker1",
    "Panel1", "An", "Office",
)  # fmt: skip


def test_who_may_enter(office: Office) -> None:
    blueprint(office)
    office.post("Setter", "/parts/test/assemble", seed="s")
    tried = 0
    for path, allowed in PAGES.items():
        assert office.world.client().get(PAPERS + path).status_code == 302, "to the sign-in page"
        for person in PEOPLE:
            status = office.browser(person).get(PAPERS + path).status_code
            assert (status == 200) == (person in allowed), (path, person, status)
            assert status in (200, 403, 404)
            tried += 1
    assert tried == len(PAGES) * len(PEOPLE)


POSTS = (
    "/banks/new", "/banks/public-leadership/write", "/banks/public-leadership/items/plan-01/edit",
    "/banks/public-leadership/items/plan-01/edit/text", "/banks/public-leadership/items/plan-01/translate",
    "/banks/public-leadership/items/plan-01/review", "/banks/public-leadership/export", "/banks/import", "/banks/shipped", "/parts/test/blueprint", "/parts/test/assemble", "/forms/test-main-1/approve",
    "/forms/test-main-1/withdraw", "/forms/test-main-1/replace", "/custodians/written/name", "/forms/test-main-1/share",
    "/banks/public-leadership/items/plan-01/retire", "/forms/test-main-1/questions/1/swap", "/forms/test-main-1/faults/neutralise",
)  # fmt: skip


def test_who_may_not_do_anything(office: Office) -> None:
    blueprint(office)
    office.post("Setter", "/parts/test/assemble", seed="s")
    for path in POSTS:
        for person in ("An", "Marker1", "Invigilator", "Hall", "Office"):
            assert office.browser(person).post(PAPERS + path).status_code in (403, 404), (path, person)
        assert office.world.client().post(PAPERS + path).status_code == 401
    assert office.session.scalars(select(Form.withdrawn_at).where(Form.code == "test-main-1")).one() is None


def test_every_reading_is_on_record(office: Office) -> None:
    blueprint(office)
    office.post("Setter", "/parts/test/assemble", seed="s")
    before = office.session.query(Reading).count()
    office.session.rollback()
    office.get("Setter", "/banks/public-leadership")
    office.get("Approver", "/banks/public-leadership/items/plan-01")
    office.get("Approver", "/forms/test-main-1")
    office.browser("Setter").get(PAPERS + "/forms/test-main-1/guide.pdf?language=en")
    office.get("Chair", "/")
    rows = office.session.scalars(select(Reading).order_by(Reading.id)).all()[before:]
    assert [(row.account.name, row.what, row.thing) for row in rows] == [
        ("Setter", "bank", "public-leadership · 1"),
        ("Approver", "item", "public-leadership/plan-01"),
        ("Approver", "paper", "test-main-1"),
        ("Setter", "guide", "test-main-1, en"),
    ]
    assert "key and guide" in office.get("Chair", "/readings")


def test_a_bank_leaves_the_system_when_two_people_want_it(office: Office) -> None:
    """Nobody takes questions with their keys away alone; the log says what left, by its digest."""
    office.post("Setter", "/banks/shipped", shipped="public-leadership")
    entries = select(LogEntry).where(LogEntry.type == "export.made")
    assert office.browser("Setter").get(f"{PAPERS}/banks/public-leadership/export").status_code == 405
    office.post("Setter", "/banks/public-leadership/export", 404, format="docx")
    where = office.post("Setter", "/banks/public-leadership/export", format="gift")
    number = int(where.rsplit("/", 1)[1])
    office.get("Setter", f"/banks/export-{number}", 404)
    shown = office.browser("Approver").get(where).get_data(as_text=True)
    assert "cannot hold" in shown
    assert "gift" in shown
    assert office.session.scalars(entries).all() == []
    office.session.rollback()
    office.approve("Approver")
    office.get("Approver", f"/banks/export-{number}", 403)
    assert f"/banks/export-{number}" in office.get("Setter", "/banks/public-leadership")
    file = office.browser("Setter").get(f"{PAPERS}/banks/export-{number}")
    assert file.headers["Content-Disposition"] == 'attachment; filename="public-leadership.gift"'
    (entry,) = office.session.scalars(entries)
    body = json.loads(entry.entry)["body"]
    assert (body["export"], body["size"], body["digest"]) == ("bank", len(file.data), hashlib.sha256(file.data).hexdigest())
    assert office.session.scalars(select(Reading.what).order_by(Reading.id)).all()[-2:] == ["bank", "export"]
    second = int(office.post("Setter", "/banks/public-leadership/export", format="native").rsplit("/", 1)[1])
    office.session.rollback()
    with writing(office.session):
        stored = queries.bank(office.session, "public-leadership")
        version = next(one for one in queries.current_items(office.session, stored.id) if one.identifier == "plan-01")
        known = queries.item(version)
        author = known.replaced(metadata=replace(known.metadata, author="Lê Văn Khác"))
        banks.describe(version, banks.as_document(office.session, stored), author)  # no word that a candidate reads
    page = office.browser("Approver").get(f"/account/approvals/{second}").get_data(as_text=True)
    digest = re.search(r'name="digest"[^>]*value="([0-9a-f]{64})"', page)[1]
    refused = office.browser("Approver").post(f"/account/approvals/{second}/approve", data={"digest": digest})
    assert "has changed since it was proposed" in refused.get_data(as_text=True)
    assert len(office.session.scalars(entries).all()) == 1
    office.session.rollback()
    assert "has changed since" in office.get("Setter", f"/banks/export-{number}", 409), "the approved bytes are no more to be had"
    office.session.rollback()
    office.world.now += timedelta(hours=25)
    office.browsers.clear()
    office.get("Setter", f"/banks/export-{number}", 404)


def hand_in(office: Office, data: bytes, status: int = 302, **more: str) -> str:
    return office.post(
        "Setter",
        "/banks/import",
        status,
        file=(io.BytesIO(data), "fragen.toml"),
        **{"format": "", "language": "vi", "bank_name": "", **more},
    )


def test_a_file_is_looked_into_and_confirmed_once(office: Office) -> None:
    spoiled = with_picture().replace(b"answer = true", b"answer = 7")
    where = hand_in(office, spoiled).removeprefix(PAPERS)
    page = office.get("Setter", where)
    for words in ("taken", "refused", "must be true or false", "Hà Nội", "Import 1 question"):
        assert words in page, words
    picture = office.browser("Setter").get(f"{PAPERS}{where}/{PICTURE.key}")
    assert picture.data == PNG
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    assert office.browser("Approver").get(PAPERS + where).status_code == 403
    office.post("Setter", f"{where}/confirm")
    assert "one" in office.get("Setter", "/banks/two")
    assert office.browser("Setter").get(PAPERS + where).status_code == 404, "the file is forgotten"
    kept = office.browser("Approver").get(f"{PAPERS}/{PICTURE.key}")
    assert kept.data == PNG


def test_a_large_file_is_looked_into_by_a_worker_while_its_page_waits(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "AT_ONCE", 10)
    where = hand_in(office, with_picture()).removeprefix(PAPERS)
    page = office.get("Setter", where)
    assert "The file is being looked into" in page
    assert 'data-live data-every="3"' in page
    assert "still being looked into" in office.post("Setter", f"{where}/confirm", 409)
    office.work()
    page = office.get("Setter", where)
    assert "Import 2 questions" in page
    assert "data-every" not in page
    office.post("Setter", f"{where}/confirm")
    assert "plan" not in office.get("Setter", "/banks/two")
    assert office.browser("Approver").get(f"{PAPERS}/{PICTURE.key}").data == PNG


def test_a_large_file_that_is_no_bank_is_refused_on_its_page(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "AT_ONCE", 10)
    where = hand_in(office, b"<html><body>hello</body></html>").removeprefix(PAPERS)
    office.work()
    page = office.get("Setter", where)
    assert "The file cannot be imported" in page
    assert "data-every" not in page
    office.post("Setter", f"{where}/forget")
    office.get("Setter", where, 404)


def test_a_job_that_fails_is_told_on_the_page(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(banks, "examine", lambda *_, **__: 1 / 0)
    where = hand_in(office, TWO.encode()).removeprefix(PAPERS)
    assert "failed on our side" in office.get("Setter", where)


def test_the_questions_of_a_file_are_shown_by_what_becomes_of_them(office: Office) -> None:
    office.post("Setter", f"{hand_in(office, TWO.encode()).removeprefix(PAPERS)}/confirm")
    spoiled = TWO.replace('id = "one"', 'id = "uno"').replace("answer = true", "answer = 7").encode()
    where = hand_in(office, spoiled).removeprefix(PAPERS)
    shown = {show: re.findall(r"<h2>(\w+)", office.get("Setter", f"{where}?show={show}")) for show in ("", "new", "refused", "alike", "lossy")}
    assert shown == {"": ["uno", "two"], "new": ["uno"], "refused": ["two"], "alike": ["uno"], "lossy": []}
    office.get("Setter", f"{where}?show=everything", 404)


def test_a_film_is_played_from_any_place_and_never_taken_for_a_page(office: Office) -> None:
    """RFC 9110, 14: ranges, and what a player asks for at the end of a file."""
    office.post("Setter", f"{hand_in(office, with_picture()).removeprefix(PAPERS)}/confirm")
    browser = office.browser("Approver")

    def asked(**headers: str):
        return browser.get(f"{PAPERS}/{PICTURE.key}", headers={name.replace("_", "-"): value for name, value in headers.items()})

    whole = asked()
    assert (whole.status_code, whole.data, whole.mimetype) == (200, PNG, "image/png")
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    cases = {"bytes=0-": (0, len(PNG)), "bytes=3-9": (3, 10), "bytes=-5": (len(PNG) - 5, len(PNG)), "bytes=8-9999": (8, len(PNG))}
    for named, (start, end) in cases.items():
        part = asked(Range=named)
        assert (part.status_code, part.data) == (206, PNG[start:end]), named
        assert part.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(PNG)}"
        assert part.headers["Content-Length"] == str(end - start)
    beyond = asked(Range="bytes=500-600")
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(PNG)}")
    assert asked(Range="bytes=0-1,4-5").data == PNG
    assert asked(If_None_Match=whole.headers["ETag"]).status_code == 304
    assert asked(Range="bytes=0-1", If_Range='"another"').data == PNG
    for person in ("An", "Marker1", "Chair", "Custodian1"):
        assert office.browser(person).get(f"{PAPERS}/{PICTURE.key}").status_code in (403, 404), person
    assert office.world.client().get(f"{PAPERS}/{PICTURE.key}").status_code == 302


def test_a_forgotten_file_leaves_nothing(office: Office) -> None:
    where = hand_in(office, TWO.encode()).removeprefix(PAPERS)
    office.post("Setter", f"{where}/forget")
    assert office.session.scalar(select(Bank.id).where(Bank.name == "two")) is None


@pytest.mark.parametrize(
    ("data", "more", "words"),
    [
        (b"", {}, "The file cannot be imported"),
        (b"\x89PNG\r\n", {}, "The file cannot be imported"),
        (b'<!DOCTYPE a><quiz/>', {}, "The file cannot be imported"),
        (TWO.encode(), {"bank_name": "../../etc"}, "small letters without accents"),
        (TWO.encode(), {"format": "moodle-xml"}, "The file cannot be imported"),
        (TWO.encode(), {"format": "word"}, "Not a valid choice"),
    ],
)
def test_a_bad_file_is_explained_beside_the_form(office: Office, data: bytes, more: dict[str, str], words: str) -> None:
    page = hand_in(office, data, 200, **more)
    assert words in page
    assert 'role="alert"' in page


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"count-0": "zehn", "marks-0": "4"}, "Line 1: the number of questions is a whole number"),
        ({"count-0": "-1", "marks-0": "4"}, "Line 1: the number of questions"),
        ({"count-0": "10", "marks-0": "vier"}, "Line 1: write the marks"),
        ({"count-0": "10", "marks-0": "0"}, "Line 1: write the marks"),
        ({"count-0": "10", "marks-0": "1/3"}, "Line 1: write the marks"),
        ({"count-0": "600", "marks-0": "1"}, "at most 60 lines and 500 questions"),
        ({}, "asks for no question"),
        ({"count-0": "9" * 30, "marks-0": "1"}, "Line 1: the number of questions"),
    ],
)
def test_a_blueprint_that_cannot_be_read_is_explained(office: Office, typed: dict[str, str], words: str) -> None:
    office.post("Setter", "/banks/shipped", shipped="public-leadership")
    page = office.post("Setter", "/parts/test/blueprint", 200, rows="2", bank="public-leadership", **typed)
    assert words in page
    assert not queries.blueprints(office.session, office.hall.competition_id, "test")


def test_more_lines_keep_what_was_typed_and_check_it(office: Office) -> None:
    office.post("Setter", "/banks/shipped", shipped="public-leadership")
    page = office.post(
        "Setter",
        "/parts/test/blueprint",
        200,
        **{"rows": "1", "bank": "public-leadership", "count-0": "7", "marks-0": "2,5", "topic-0": "management", "more": "1"},
    )
    assert 'value="7"' in page
    assert "The marks add up to 17.5; the regulation&#39;s maximum for this part is 40." in page
    assert "Line 6" in page


def test_an_exchange_shows_its_consequences_first(office: Office) -> None:
    blueprint(office)
    office.post("Setter", "/parts/test/assemble", seed="s")
    inside = {slot.item_version.identifier for slot in queries.form_of(office.session, office.hall.competition_id, "test-main-1").slots}
    office.session.rollback()
    page = office.get("Setter", "/forms/test-main-1/questions/1/swap")
    other = next(name for name in re.findall(r"swap\?item=([\w-]+)", page) if name not in inside)
    page = office.get("Setter", f"/forms/test-main-1/questions/1/swap?item={other}")
    assert "It fits the line of the blueprint." in page
    assert "Write the reason." in office.post("Setter", "/forms/test-main-1/questions/1/swap", 200, item=other, reason="")
    office.post("Setter", "/forms/test-main-1/questions/1/swap", item=other, reason="rõ hơn")
    page = office.get("Setter", "/forms/test-main-1")
    assert other in page
    assert "rõ hơn" in page
    assert "already" in office.get("Setter", f"/forms/test-main-1/questions/2/swap?item={other}")
    office.get("Setter", "/forms/test-main-1/questions/2/swap?item=nowhere", 200)
    office.get("Setter", "/forms/test-main-1/questions/99/swap", 404)


def test_a_candidate_gets_the_pictures_of_his_paper_and_no_others(tmp_path: Path, any_address: str) -> None:
    """With the item's picture in the paper it is served to the open attempt; any other file of the bank is not there."""
    engine = make_engine(any_address)
    with Session(engine) as session:
        hall = ExamHall(session)
        for phase in ("announced", "applications"):
            hall.phase(phase)
        hall.candidate("An")
        form = hall.paper()
        sitting = hall.sitting(form)
        hall.check_in("An")
        other = "b" * 64
        digest = PICTURE.key.removeprefix("media/")
        from examsvc.papers.models import MediaFile

        with hall.write():
            session.add(MediaFile(digest=digest, type="image/png", name="dot", data=PNG))
            session.add(MediaFile(digest=other, type="text/html", name="x", data=b"<script>alert(1)</script>"))
            session.get_one(Form, form).slots[0].item_version.media = [digest]
        code = hall.attempt("An").code
        account = hall.application("An").account_id
        made = world(tmp_path, any_address, hall.now)
        browser = made.client(account, attempt=code)
        assert browser.get(f"/attempts/{code}/media/{digest}").status_code == 404, "not before the bell"
        hall.bell(sitting)
        made.now = hall.now + timedelta(minutes=1)
        answer = browser.get(f"/attempts/{code}/media/{digest}")
        assert (answer.status_code, answer.data, answer.mimetype) == (200, PNG, "image/png")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        for name in (other, "", "..", "a" * 64):
            assert browser.get(f"/attempts/{code}/media/{name}").status_code == 404
    engine.dispose()


WHOLE = {"rows": "1", "bank": "public-leadership", "count-0": "10", "marks-0": "4", "kinds-0": "single"}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"least_words": "many"}, "Words, at least: write a whole number"),
        ({"least_words": "500", "most_words": "400"}, "The least number of words is above the greatest"),
        ({"uses": "-1"}, "Earlier uses, at most: write a whole number"),
        ({"minutes": "soon"}, "Expected minutes, at most: write numbers"),
        ({"aim": "most"}, "Abilities: write numbers"),
        ({"aim": "most", "points": "9"}, "Abilities lie between -6 and 6"),
        ({"aim": "target", "points": "-1 0", "target": "2"}, "one target of information for each ability"),
    ],
)
def test_demands_that_cannot_be_read_are_explained_and_kept(office: Office, typed: dict[str, str], words: str) -> None:
    office.post("Setter", "/banks/shipped", shipped="public-leadership")
    page = office.post("Setter", "/parts/test/blueprint", 200, **(WHOLE | typed))
    assert words in page
    name, value = next(iter(typed.items()))
    assert f'name="{name}" value="{value}"' in page or f'value="{value}" checked' in page
    assert not queries.blueprints(office.session, office.hall.competition_id, "test")


def test_a_blueprint_is_tried_before_a_paper_is_drawn(office: Office) -> None:
    office.post("Setter", "/banks/shipped", shipped="public-leadership")
    for typed, words in (
        ({"most_words": "1500"}, "A trial drew a paper: 10 questions"),
        ({"most_words": "100"}, "words to read: ≤ 100 asked"),
        ({"reviewed": "1"}, "more are drafts or were used too often"),
        ({"aim": "most", "points": "0"}, "has the parameters (a, b, c)"),
    ):
        page = office.post("Setter", "/parts/test/blueprint", 200, **(WHOLE | typed), more="1")
        assert words in page, words
    where = office.post("Setter", "/parts/test/blueprint", **WHOLE, most_words="1500", uses="3")
    page = office.get("Setter", where.removeprefix(PAPERS))
    for kept in ('name="most_words" value="1500"', 'name="uses" value="3"', "A trial drew a paper"):
        assert kept in page
    where = office.post("Setter", "/parts/test/assemble", seed="s")
    page = office.get("Setter", where.removeprefix(PAPERS))
    assert "What may be expected" in page
    assert "spare paper" in page
    (blueprint,) = queries.blueprints(office.session, office.hall.competition_id, "test")
    assert blueprint.demands == {"most_words": 1500, "uses": 3}


def test_information_is_shown_where_questions_have_parameters(office: Office) -> None:
    """A bank with parameters: drawn for most information, main and spare beside each other, a chart with its table."""
    number = iter(range(1000))
    items = "".join(
        TWO[TWO.index("[[item]]") : TWO.rindex("[[item]]")]
        .replace('id = "one"', f'id = "q{n}"\nparameters = {{ a = "{0.6 + 0.05 * n:.2f}", b = "{-1 + 0.1 * n:.1f}", c = "0.2" }}')
        .replace("Thủ đô của Việt Nam", f"Câu số {n}: {' '.join(f'từ{next(number)}' for _ in range(9))}")
        for n in range(30)
    )
    data = TWO[: TWO.index("[[item]]")].replace('id = "two"', 'id = "measured"') + items
    where = hand_in(office, data.encode()).removeprefix(PAPERS)
    office.post("Setter", f"{where}/confirm")
    office.post("Setter", "/parts/test/blueprint", **(WHOLE | {"bank": "measured", "aim": "most", "points": "-0,5 1"}))
    where = office.post("Setter", "/parts/test/assemble", seed="s").removeprefix(PAPERS)
    page = office.get("Setter", where)
    assert page.count("<svg") == 1
    assert "standard error" in page
    assert "0.6" in page
    page = office.get("Setter", f"{where}/questions/1/swap")
    other = re.search(r"swap\?item=([\w-]+)", page)
    assert other
    page = office.get("Setter", f"{where}/questions/1/swap?item={other[1]}")
    assert "before" in page
    assert "after" in page
