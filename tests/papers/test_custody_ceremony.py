"""The whole way of a sealed paper through pages and the custodians' own command: keys, rehearsal, transcript, bad share, spare."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pyrage
import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.base import jobs
from examsvc.base.database import make_engine
from examsvc.base.errors import NotAllowed, NotFound, Refused
from examsvc.commands.custodians import custodian as command
from examsvc.competitions.logs import problems
from examsvc.ledger import sealing
from examsvc.ledger.entries import read_entry
from examsvc.ledger.models import LogEntry
from examsvc.papers import ceremony, custody, custody_door, custody_rehearsal, queries
from examsvc.papers.custody_models import Rehearsal
from examsvc.sittings import planning
from tests.exam_hall import BELL, ExamHall, quick_passphrase
from tests.screens import faults, served
from tests.web import World, world

MOT = "/competitions/mot"
PAPERS = f"{MOT}/papers"
CUSTODIANS = ("Custodian1", "Custodian2", "Custodian3")


class Day:
    """An application that is served, its people's browsers, and three custodians' own machines: folders with a key each."""

    def __init__(self, folder: Path, address: str, session: Session) -> None:
        self.session, self.folder = session, folder
        self.hall = ExamHall(session)
        for phase in ("announced", "applications"):
            self.hall.phase(phase)
        for name in ("An", "Bình"):
            self.hall.candidate(name)
        self.hall.admit()
        session.rollback()
        self.world: World = world(folder, address, self.hall.now)
        self.browsers: dict[str, FlaskClient] = {}
        self.runner = CliRunner()
        self.home = ""

    def at(self, moment) -> None:
        self.world.now = self.hall.now = moment
        self.browsers.clear()
        self.session.rollback()

    def browser(self, person: str) -> FlaskClient:
        if person not in self.browsers:
            self.browsers[person] = self.world.client(self.hall.people[person])
            self.browsers[person].get("/language/en")
        return self.browsers[person]

    def get(self, person: str, path: str, status: int = 200) -> str:
        answer = self.browser(person).get(PAPERS + path)
        assert answer.status_code == status, (path, answer.status_code, answer.get_data(as_text=True)[-800:])
        return answer.get_data(as_text=True)

    def post(self, person: str, path: str, status: int = 302, **data: object) -> str:
        answer = self.browser(person).post(PAPERS + path, data=data, content_type="multipart/form-data")
        assert answer.status_code == status, (path, answer.status_code, answer.get_data(as_text=True)[-800:])
        self.session.rollback()
        return answer.get_data(as_text=True)

    def approve(self, person: str) -> None:
        browser = self.browser(person)
        number = re.search(r"/account/approvals/(\d+)", browser.get("/account/approvals").get_data(as_text=True))
        assert number
        digest = re.search(r'name="digest"[^>]*value="([0-9a-f]{64})"', browser.get(number[0]).get_data(as_text=True))
        assert digest
        assert browser.post(f"{number[0]}/approve", data={"digest": digest[1]}).status_code == 302

    def work(self) -> None:
        with self.world.session() as session:
            jobs.run_due(session, self.world.now)
        self.session.rollback()

    def machine(self, person: str) -> str:
        return str(self.folder / f"{person}.key")

    def command(self, *arguments: str) -> Result:
        return self.runner.invoke(command, list(arguments))

    def hand_in(self, person: str) -> Result:
        """The custodian's command, from the custodian's machine, over HTTP."""
        return self.command("hand-in", self.home + MOT, "--key", self.machine(person))

    def code(self, role: str) -> str:
        found = queries.standing(self.session, self.hall.competition_id, "test", role)
        assert found is not None
        return found.code

    def bodies(self, type: str) -> list[dict]:
        self.session.rollback()
        rows = self.session.scalars(
            select(LogEntry.entry).where(LogEntry.log == "mot", LogEntry.type == type).order_by(LogEntry.position)
        )
        return [read_entry(row).body for row in rows]


@contextmanager
def begun(folder: Path, address: str) -> Iterator[Day]:
    """Three keys made by `custodian init` on three machines, handed in and named through the pages."""
    engine = make_engine(address)
    with Session(engine) as session, quick_passphrase():
        day = Day(folder, address, session)
        with served(day.world) as home:
            day.home = home
            for person in CUSTODIANS:
                made = day.command("init", "--key", day.machine(person))
                assert made.exit_code == 0
                assert made.stdout.startswith("age1")
                day.post(person, "/custodians", recipient=made.stdout.strip())
            day.post("Chair", "/custodians/written/name")
            day.approve("Authority")
            yield day
    engine.dispose()


def dealt(day: Day, kind: str, person: str) -> bytes:
    """The encrypted share, as the custodian saves it from the page."""
    return day.browser(person).get(f"{PAPERS}{kind}/share.age").data


def test_a_ceremony_from_the_keys_to_the_spare(tmp_path: Path, address: str) -> None:
    with begun(tmp_path, address) as day:
        # a week before: the rehearsal, in which one custodian first hands in rubbish of his own making
        day.post("Chair", "/custodians/written/rehearse")
        one = day.session.scalars(select(Rehearsal)).one()
        code = one.code
        page = day.get("Custodian1", f"/rehearsals/{code}")
        assert "This paper has no questions" in page
        assert "Rehearse: hand in your share" in day.browser("Custodian1").get("/account/").get_data(as_text=True)
        true = sealing.decrypt_share(
            dealt(day, f"/rehearsals/{code}", "Custodian1"), Path(day.machine("Custodian1")).read_text().split()[-1]
        )
        false = sealing.Share(true.paper, true.custodian, true.x, bytes(16), true.salt)
        page = day.post("Custodian1", f"/rehearsals/{code}", 200, share=(io.BytesIO(false.data), "share"))
        assert "not the share that was dealt" in page
        for person in CUSTODIANS:
            assert "missing" not in day.get(person, "/custodians")
            done = day.hand_in(person)
            assert done.exit_code == 0, done.stderr
            assert f"Your share of the paper {code} is in." in done.stdout
        page = day.get("Chair", f"/rehearsals/{code}")
        assert "The dummy paper opened with 3 of 3 shares." in page
        assert "a share that was not dealt was handed in" in page
        (body,) = day.bodies("paper.rehearsed")
        assert (body["opened"], len(body["present"])) == (True, 3)

        # the papers, sealed; what is said about them fits on paper
        day.hall.paper(spare=True)
        main, spare = day.code("main"), day.code("spare")
        page = day.get("Authority", "/custodians/written/transcript")
        sealed = day.bodies("paper.sealed")
        assert [one["paper"] for one in sealed] == [main, spare]
        for body in sealed:
            for digest in (body["ciphertext"], body["key"], *body["forms"], *(one["share"] for one in body["shares"])):
                assert digest in page
        for person in CUSTODIANS:
            shown = day.command("show", "--key", day.machine(person))
            recipient, printed = shown.stdout.split("\n")[:2]
            assert recipient in page
            assert printed.removeprefix("fingerprint ") in page
            path = tmp_path / f"{person}.share.age"
            path.write_bytes(dealt(day, f"/forms/{main}", person))
            checked = day.command("check", str(path), "--key", day.machine(person))
            assert checked.stdout.strip() in {one["share"] for one in sealed[0]["shares"]}
            other = "Custodian2" if person == "Custodian1" else "Custodian1"
            assert day.command("check", str(path), "--key", day.machine(other)).exit_code == 1

        # too early, and then T0
        with day.hall.write():
            sitting = planning.schedule_sitting(
                day.session,
                day.hall.competition,
                part="test",
                bell_at=BELL,
                rooms=[planning.RoomPlan("Phòng 101", 40)],
                candidates=[day.hall.application(name) for name in day.hall.applications],
                by=day.hall.office,
                now=day.hall.now,
            ).id
        day.hall.draw_seats(sitting)
        early = day.hand_in("Custodian1")
        assert early.exit_code == 1
        assert f"The paper {main} is opened from" in early.stderr
        day.at(BELL - timedelta(minutes=10))
        true = sealing.decrypt_share(dealt(day, f"/forms/{main}", "Custodian3"), Path(day.machine("Custodian3")).read_text().split()[-1])
        false = sealing.Share(true.paper, true.custodian, true.x, bytes(16), true.salt)
        assert "not the share that was dealt" in day.post(
            "Custodian3", f"/forms/{main}/share", 200, share=(io.BytesIO(false.data), "share")
        )
        found = day.get("Custodian1", f"/forms/{main}/share")
        assert found.count("a share that was not dealt was handed in") == 1
        page = day.get("Chair", "/custodians/written/transcript")
        assert re.search(r"A share that was not the one dealt was handed in by:\s+Custodian3 \(", page)
        assert day.hand_in("Custodian1").exit_code == 0

        # the main paper leaks; eight minutes before the bell the spare takes its place, and opens
        day.at(BELL - timedelta(minutes=8))
        day.post("Chair", f"/forms/{main}/replace", reason="Ảnh chụp đề trên mạng")
        day.approve("Custodian2")
        day.at(BELL - timedelta(minutes=7))
        for person in ("Custodian1", "Custodian3"):
            done = day.hand_in(person)
            assert done.exit_code == 0, done.stderr
        assert day.code("spare") == spare
        assert queries.usable_form(day.session, day.hall.competition_id, "test").code == spare
        with day.hall.write():
            form = queries.usable_form(day.session, day.hall.competition_id, "test")
            assert len(planning.prepare_attempts(
                day.session, day.session.get_one(planning.Sitting, sitting), form=form, now=day.hall.now
            )) == 2
        (replaced,) = day.bodies("paper.replaced")
        assert (replaced["paper"], replaced["spare"], len(replaced["approvals"])) == (main, spare, 2)
        (opened,) = day.bodies("paper.opened")
        assert opened["paper"] == spare
        assert [one["genuine"] for one in day.bodies("paper.share_delivered")] == [False, True, True, True]
        page = day.get("Custodian2", "/custodians/written/transcript")
        assert "Ảnh chụp đề trên mạng" in page
        assert f"Paper opened: {spare}" in page
        assert problems(day.session, "mot") == [], "a leaked paper that was never opened is no fault of the record"


def test_a_rehearsal_with_a_lost_key_says_so_and_can_be_ended(tmp_path: Path, any_address: str) -> None:
    with begun(tmp_path, any_address) as day:
        day.post("Chair", "/custodians/written/rehearse")
        assert "going on already" in day.post("Chair", "/custodians/written/rehearse", 409)
        first = day.session.scalars(select(Rehearsal)).one().code
        assert day.hand_in("Custodian2").exit_code == 0
        day.post("Chair", f"/rehearsals/{first}/end")
        assert "did not open: 1 shares were there, and it takes 2" in day.get("Chair", f"/rehearsals/{first}")
        with pytest.raises(Refused, match="over"), day.hall.write():
            custody_rehearsal.end(
                day.session, custody_rehearsal.rehearsal(day.session, day.hall.competition_id, first), by=1, now=day.hall.now
            )
        day.post("Chair", "/custodians/written/rehearse")
        second = custody_rehearsal.rehearsals(day.session, day.hall.competition_id)[0].code
        day.post("Chair", f"/rehearsals/{second}/end")
        assert [body["opened"] for body in day.bodies("paper.rehearsed")] == [False], "nobody came to the second"
        day.post("Chair", "/custodians/written/rehearse")
        for person in ("Custodian1", "Custodian3"):
            assert day.hand_in(person).exit_code == 0
        third = custody_rehearsal.rehearsals(day.session, day.hall.competition_id)[0].code
        day.post("Chair", f"/rehearsals/{third}/end")
        page = day.get("Custodian2", f"/rehearsals/{third}")
        assert "The dummy paper opened with 2 of 3 shares. Ask those who are missing" in page
        assert [body["opened"] for body in day.bodies("paper.rehearsed")] == [False, True]
        named = queries.custodians(day.session, day.hall.competition_id, "written")
        assert custody_rehearsal.rehearsed(day.session, day.hall.competition_id, named)


def test_what_the_door_refuses(tmp_path: Path, any_address: str) -> None:
    with begun(tmp_path, any_address) as day:
        day.post("Chair", "/custodians/written/rehearse")
        code = day.session.scalars(select(Rehearsal)).one().code
        of = day.hall.competition
        keys = {person: Path(day.machine(person)).read_text().split()[-1] for person in CUSTODIANS}
        mine = queries.custodian_key(day.session, of.id, day.hall.people["Custodian1"]).recipient
        theirs = queries.custodian_key(day.session, of.id, day.hall.people["Custodian2"]).recipient
        stranger = sealing.new_identity()[1]
        browser = day.world.client()
        assert browser.get(f"{PAPERS}/keys/{stranger}").status_code == 404
        asked = browser.get(f"{PAPERS}/keys/{mine}").get_json()
        assert {one["paper"] for one in asked["shares"]} == {code}
        share = sealing.decrypt_share(bytes.fromhex(asked["shares"][0]["share"]), keys["Custodian1"])
        word = pyrage.decrypt(
            bytes.fromhex(asked["word"]["encrypted"]), [pyrage.x25519.Identity.from_str(keys["Custodian1"])]
        ).decode()
        right = {"paper": code, "share": share.data.hex(), "word": word, **{n: asked["word"][n] for n in ("expires", "seal")}}
        bad = [
            {},
            [],
            {**right, "word": "0" * 32},
            {**right, "expires": right["expires"] + 1},
            {**right, "seal": "0" * 64},
            {**right, "word": word.upper()},
            {**right, "share": "zz"},
            {**right, "share": "00" * 5000},
            {**right, "expires": True},
            {**right, "more": 1},
        ]
        for body in bad:
            answer = browser.post(f"{PAPERS}/keys/{mine}/shares", json=body)
            assert 400 <= answer.status_code < 500, body
            assert answer.get_json()["error"]
        assert browser.post(f"{PAPERS}/keys/{theirs}/shares", json=right).status_code == 403, "a word is for one key"
        assert browser.post(f"{PAPERS}/keys/{mine}/shares", json={**right, "paper": "nothing"}).status_code == 404
        with pytest.raises(NotAllowed):
            custody_door.answers(
                of, mine, expires=right["expires"], seal=right["seal"], word=word, secret=b"another", now=day.world.now
            )
        later = day.world.now + custody_door.GOOD_FOR + timedelta(seconds=1)
        with pytest.raises(NotAllowed):
            custody_door.answers(
                of, mine, expires=right["expires"], seal=right["seal"], word=word, secret=custody_secret(day), now=later
            )
        answer = browser.post(f"{PAPERS}/keys/{mine}/shares", json=right)
        assert (answer.status_code, answer.get_json()) == (200, {"paper": code, "genuine": True})
        assert browser.post(f"{PAPERS}/keys/{mine}/shares", json=right).status_code >= 400, "once"
        # an older key of the same custodian opens nothing any more
        newer = sealing.new_identity()[1]
        day.post("Custodian1", "/custodians", recipient=newer)
        assert day.command("hand-in", "ftp://exam.example/competitions/mot", "--key", day.machine("Custodian1")).exit_code == 1
        assert "https" in day.command("hand-in", "http://exam.example/x", "--key", day.machine("Custodian1")).stderr
        assert "cannot be reached" in day.command("hand-in", "http://127.0.0.1:9/x", "--key", day.machine("Custodian1")).stderr


def custody_secret(day: Day) -> bytes:
    key = day.world.app.config["SECRET_KEY"]
    return key if isinstance(key, bytes) else key.encode()


PAGES = {
    "/custodians": {*CUSTODIANS, "Chair", "Secretary", "Authority"},
    "/custodians/written/transcript": {*CUSTODIANS, "Chair", "Secretary", "Authority", "Setter", "Approver"},
    "/rehearsals/CODE": {*CUSTODIANS, "Chair", "Secretary"},
    "/rehearsals/CODE/share.age": {*CUSTODIANS},
}


def test_who_may_enter(tmp_path: Path, any_address: str) -> None:
    with begun(tmp_path, any_address) as day:
        day.post("Chair", "/custodians/written/rehearse")
        code = day.session.scalars(select(Rehearsal)).one().code
        tried = 0
        for path, allowed in PAGES.items():
            path = path.replace("CODE", code)
            assert day.world.client().get(PAPERS + path).status_code == 302
            for person in (*CUSTODIANS, "Chair", "Secretary", "Authority", "Setter", "Approver", "Marker1", "An", "Hall", "Coder"):
                status = day.browser(person).get(PAPERS + path).status_code
                assert (status == 200) == (person in allowed), (path, person, status)
                tried += 1
        assert tried == 48
        for path in (f"/rehearsals/{code}/end", "/custodians/written/rehearse"):
            for person in ("An", "Setter", "Custodian1", "Secretary", "Hall"):
                assert day.browser(person).post(PAPERS + path).status_code in (403, 404)
        assert day.browser("Chair").get(f"{PAPERS}/custodians/nowhere/transcript").status_code == 404
        assert day.browser("Chair").post(f"{PAPERS}/custodians/nowhere/rehearse").status_code == 404
        assert day.browser("Secretary").post(
            f"{PAPERS}/rehearsals/{code}", data={"share": (io.BytesIO(b"x"), "share")}
        ).status_code == 404, "no share of one's own"
        for data, words in ((b"", "Choose the file"), (b"x" * 5000, "not an opened share"), (b"{}", "not an opened share")):
            assert words in day.post("Custodian1", f"/rehearsals/{code}", 200, share=(io.BytesIO(data), "share" if data else ""))
        with pytest.raises(NotFound):
            custody_rehearsal.rehearsal(day.session, day.hall.competition_id, "nothing")


def test_a_busy_machine_is_no_verdict_on_a_rehearsal(tmp_path: Path, any_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with begun(tmp_path, any_address) as day:
        day.post("Chair", "/custodians/written/rehearse")

        def busy(*_: object) -> bytes:
            raise sealing.BusyError("busy")

        monkeypatch.setattr(sealing, "_decrypt", busy)
        for person in CUSTODIANS:
            assert day.hand_in(person).exit_code == 0
        assert day.bodies("paper.rehearsed") == []
        monkeypatch.undo()
        with quick_passphrase():
            day.world.later(minutes=3)
            day.work()
        assert [body["opened"] for body in day.bodies("paper.rehearsed")] == [True]


def test_a_rehearsal_falls_due_where_the_regulation_asks_for_one(tmp_path: Path, any_address: str, monkeypatch) -> None:
    with begun(tmp_path, any_address) as day:
        of = day.hall.competition
        assert custody_rehearsal.due_at(day.session, of, "written") is None, "this regulation asks for none"
        rule = day.hall.regulation.paper.model_copy(update={"rehearsal_days": 7})
        regulation = day.hall.regulation.model_copy(update={"paper": rule})
        monkeypatch.setattr(custody_rehearsal.competitions, "regulation", lambda _: regulation)
        assert custody_rehearsal.due_at(day.session, of, "written") is None, "no sitting is planned"
        monkeypatch.setattr(custody_rehearsal.oracles, "bell", lambda *_: BELL)
        assert custody_rehearsal.due_at(day.session, of, "written") == BELL - timedelta(days=7)
        asked = "Have the custodians rehearse the opening"
        assert asked in day.browser("Chair").get("/account/").get_data(as_text=True)
        assert asked not in day.browser("Setter").get("/account/").get_data(as_text=True)
        monkeypatch.undo()


def test_a_fingerprint_is_of_the_whole_key() -> None:
    one, other = sealing.new_identity()[1], sealing.new_identity()[1]
    assert re.fullmatch(r"([0-9a-f]{4} ){3}[0-9a-f]{4}", ceremony.fingerprint(one))
    assert ceremony.fingerprint(one) != ceremony.fingerprint(other)
    assert ceremony.fingerprint(one) != ceremony.fingerprint(one[:-1] + ("q" if one[-1] != "q" else "p"))


def test_the_pages_as_a_browser_shows_them(tmp_path: Path, any_address: str, page) -> None:
    with begun(tmp_path, any_address) as day:
        day.post("Chair", "/custodians/written/rehearse")
        code = day.session.scalars(select(Rehearsal)).one().code
        day.hall.paper(spare=True)
        chair, keeper = day.hall.people["Chair"], day.hall.people["Custodian1"]
        looked = [
            (chair, f"{PAPERS}/custodians"),
            (chair, f"{PAPERS}/custodians/written/transcript"),
            (keeper, f"{PAPERS}/rehearsals/{code}"),
            (keeper, f"{PAPERS}/forms/{day.code('main')}/share"),
        ]
        assert faults(day.world, page, day.home, looked) == []
        assert custody.share_of(queries.standing(day.session, day.hall.competition_id, "test"), keeper).delivered_at is None
