"""Draws whose numbers stay at home and whose outside value nobody here can choose: their steps, their pages, and a stranger's check."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts.models import Account
from examsvc.base.database import make_engine, writing
from examsvc.base.errors import NotFound, Refused
from examsvc.commands.custodians import custodian as command
from examsvc.competitions.logs import problems
from examsvc.ledger import canonical, draw_program, draw_records, drawing, draws
from examsvc.ledger.bundle import PUBLIC, Material, Opened, compose
from examsvc.ledger.entries import read_entry
from examsvc.ledger.models import LogEntry, Opening
from examsvc.ledger.operations import Sealed
from examsvc.verify.draws import draws as check_draws
from examsvc.verify.reading import read
from tests.exam_hall import ExamHall
from tests.ledger_check import assert_valid
from tests.screens import faults, served
from tests.web import World, world

ITEMS = [f"00{number}" for number in range(1, 8)]
VALUE = "Xổ số miền Bắc 20/11/2026: 48215"
PEOPLE = ("Custodian1", "Custodian2", "Custodian3")


class Draw:
    """A competition, a draw in it, and three participants with a file each."""

    def __init__(
        self, session: Session, folder: Path, *, purpose: str = "order", about: drawing.About | None = None
    ) -> None:
        self.session, self.folder = session, folder
        self.hall = ExamHall(session)
        for phase in ("announced", "applications"):
            self.hall.phase(phase)
        self.out = self.hall.now + timedelta(days=2)
        self.runner = CliRunner()
        chair, secretary = self.code_of("Chair"), self.code_of("Secretary")
        with writing(session):
            self.code = drawing.announce(
                session,
                "mot",
                purpose=purpose,
                posts=["A"],
                stage="written",
                participants=[self.code_of(person) for person in PEOPLE],
                source="Giải đặc biệt xổ số miền Bắc ngày 20/11/2026",
                published=self.out,
                by=secretary,
                approvals=[(chair, self.hall.now), (secretary, self.hall.now)],
                summary=Sealed({"type": "draw.announced", "lines": ["Bốc thăm"]}),
                now=self.hall.now,
                about=about,
            )

    def code_of(self, person: str) -> str:
        return self.session.get_one(Account, self.hall.people[person]).code

    def number(self, person: str) -> str:
        """The participant's command: a file on his own machine, and the line that he hands in."""
        made = self.runner.invoke(
            command, ["number", self.code, "--person", self.code_of(person), "-o", str(self.file(person))]
        )
        assert made.exit_code == 0, made.stderr
        return made.stdout.strip()

    def file(self, person: str) -> Path:
        return self.folder / f"{person}.secret-number"

    def commit(self, person: str, commitment: str | None = None) -> None:
        line = commitment or self.number(person)
        with writing(self.session):
            drawing.commit(self.session, "mot", self.code, commitment=line, by=self.code_of(person), now=self.hall.now)

    def fix(self, task: str = "permutation", **parameters: object) -> None:
        with writing(self.session):
            drawing.fix(
                self.session,
                "mot",
                self.code,
                task=task,
                parameters=parameters or {"items": ITEMS},
                by=self.code_of("Secretary"),
                now=self.hall.now,
            )

    def reveal(self, person: str, **changed: str) -> None:
        kept = canonical.decode(self.file(person).read_bytes())
        given = {"nonce": kept["nonce"], "salt": kept["salt"], **changed}
        with writing(self.session):
            drawing.reveal(self.session, "mot", self.code, **given, by=self.code_of(person), now=self.hall.now)

    def read(self, person: str, value: str = VALUE, place: str = "xoso.example, 20/11/2026") -> bool:
        with writing(self.session):
            return drawing.read_outside(
                self.session, "mot", self.code, value=value, place=place, by=self.code_of(person), now=self.hall.now
            )

    def whole(self) -> None:
        for person in PEOPLE:
            self.commit(person)
        self.fix()
        for person in PEOPLE:
            self.reveal(person)
        self.hall.now = self.out
        assert not self.read("Chair")
        assert self.read("Secretary")

    @property
    def record(self) -> draw_records.DrawRecord:
        found = draw_records.draw_of(self.session, "mot", self.code)
        assert found is not None
        return found


def by_hand(seed: str, items: list[str]) -> list[str]:
    """The permutation from the words of docs/formats/log.md, without our stream."""
    import hashlib

    rest, counter = list(items), 0
    for place in range(len(rest)):
        bound = len(rest) - place
        while True:
            data = b"examsvc.v1/draw.block\0" + bytes.fromhex(seed) + b"\0" + counter.to_bytes(8, "big")
            value = int.from_bytes(hashlib.sha256(data).digest()[:8], "big")
            counter += 1
            if value < 2**64 - 2**64 % bound:
                break
        other = place + value % bound
        rest[place], rest[other] = rest[other], rest[place]
    return rest


def verdict(session: Session, **outside: bytes) -> tuple[str, list[str]]:
    """What V7 of the offline verifier says of this log."""
    rows = list(session.scalars(select(LogEntry).where(LogEntry.log == "mot").order_by(LogEntry.position)))
    at = {row.id: row.position for row in rows}
    opened = [
        Opened(at[one.entry_id], one.commitment, one.type, bytes.fromhex(one.salt), one.content)
        for one in session.scalars(select(Opening).where(Opening.entry_id.in_(at)))
        if one.salt
    ]
    values = {**draw_records.outside_values(session, "mot"), **outside}
    made = Material(entries=[row.entry for row in rows], checkpoint=b"", openings=opened, outside=values)
    found = check_draws(read(compose(made, PUBLIC, ["A"], 1)))
    return found.verdict.name.lower(), list(found.reasons)


def test_a_draw_goes_step_by_step_and_a_stranger_gets_the_same(session: Session, tmp_path: Path) -> None:
    draw = Draw(session, tmp_path)
    assert draw.record.state == "announced"
    for person in PEOPLE:
        draw.commit(person)
    assert draw.record.state == "committed"
    draw.fix()
    assert draw.record.state == "fixed"
    for person in PEOPLE:
        draw.reveal(person)
    assert draw.record.state == "revealed"
    assert draw.record.right is None
    draw.hall.now = draw.out
    assert not draw.read("Chair"), "one person's reading is not enough"
    assert draw.record.state == "revealed"
    assert draw.read("Secretary")
    found = draw.record
    assert (found.state, found.right, found.by_server) == ("drawn", True, False)
    assert found.outside == VALUE.encode()
    assert found.result == by_hand(found.seed or "", ITEMS)
    assert sorted(found.result) == ITEMS
    assert_valid(session, "mot")
    assert verdict(session) == ("passed", [])
    state, reasons = verdict(session, **{draw.code: b"48216"})
    assert state == "failed"
    assert any("outside value" in reason for reason in reasons)


def test_numbers_on_the_second_database_row_do_not_help(sqlite_session: Session, tmp_path: Path) -> None:
    """While nothing is revealed, the database holds nothing of a secret number but its fingerprint."""
    draw = Draw(sqlite_session, tmp_path)
    for person in PEOPLE:
        draw.commit(person)
    raw = sqlite_session.connection().connection.driver_connection
    dump = "\n".join(raw.iterdump())
    for person in PEOPLE:
        kept = canonical.decode(draw.file(person).read_bytes())
        assert kept["nonce"] not in dump
        assert kept["salt"] not in dump
        assert draw.file(person).stat().st_mode & 0o077 == 0


def test_what_comes_out_of_turn_is_refused(any_session: Session, tmp_path: Path) -> None:
    draw = Draw(any_session, tmp_path)
    with pytest.raises(Refused, match="Not everybody"):
        draw.fix()
    with pytest.raises(NotFound):
        draw.commit("Setter")
    with pytest.raises(Refused, match="64 digits"):
        draw.commit("Custodian1", "xyz")
    draw.commit("Custodian1")
    with pytest.raises(Refused, match="already; it stands"):
        draw.commit("Custodian1", "ab" * 32)
    with pytest.raises(Refused, match="too early"):
        draw.reveal("Custodian1")
    with pytest.raises(Refused, match="too early"):
        draw.read("Chair")
    for person in ("Custodian2", "Custodian3"):
        draw.commit(person)
    with pytest.raises(draws.DrawError):
        draw.fix("selection", items=ITEMS, count=99)
    draw.fix()
    with pytest.raises(Refused, match="fixed already"):
        draw.fix()
    with pytest.raises(Refused, match="already; it stands"):
        draw.commit("Custodian1", "ab" * 32)
    with pytest.raises(Refused, match="not published yet"):
        draw.read("Chair")
    for changed in ({"nonce": "00" * 32}, {"salt": "00" * 32}, {"nonce": "x"}):
        with pytest.raises(Refused, match="not the secret number"):
            draw.reveal("Custodian1", **changed)
    for person in PEOPLE:
        draw.reveal(person)
    with pytest.raises(Refused, match="already"):
        draw.reveal("Custodian1")
    draw.hall.now = draw.out
    for empty in ({"value": " "}, {"place": " "}, {"value": "9" * 3000}):
        with pytest.raises(Refused):
            draw.read("Chair", **empty)
    assert not draw.read("Chair")
    assert not draw.read("Secretary", "48216"), "they differ"
    assert drawing.agreed(any_session, "mot", draw.code) is None
    assert not draw.read("Secretary", "48217")
    assert not draw.read("Secretary", "48216")
    assert draw.read("Secretary"), "read again, and now the same"
    with pytest.raises(Refused, match="over"):
        draw.read("Chair")


def test_inputs_are_not_fixed_when_the_outside_value_is_known(any_session: Session, tmp_path: Path) -> None:
    draw = Draw(any_session, tmp_path)
    for person in PEOPLE:
        draw.commit(person)
    draw.hall.now = draw.out
    with pytest.raises(Refused, match="out already"):
        draw.fix()
    chair, secretary = draw.code_of("Chair"), draw.code_of("Secretary")
    common = {
        "purpose": "order", "posts": ["A"], "stage": None, "by": secretary, "now": draw.hall.now,
        "approvals": [(chair, draw.hall.now), (secretary, draw.hall.now)], "summary": Sealed({"type": "draw.announced", "lines": ["x"]}),
    }  # fmt: skip
    for wrong in (
        {"source": "x", "published": draw.hall.now, "participants": [chair]},
        {"source": " ", "published": draw.hall.now + timedelta(days=1), "participants": [chair]},
        {"source": "x", "published": draw.hall.now + timedelta(days=1), "participants": []},
    ):
        with pytest.raises(Refused):
            drawing.announce(any_session, "mot", **common, **wrong)


def test_whoever_withholds_a_number_voids_the_draw_and_gains_nothing(session: Session, tmp_path: Path) -> None:
    draw = Draw(session, tmp_path)
    for person in PEOPLE:
        draw.commit(person)
    draw.fix()
    for person in ("Custodian1", "Custodian2"):
        draw.reveal(person)
    draw.hall.now = draw.out
    assert not draw.read("Chair")
    assert not draw.read("Secretary"), "a seed is never made with a number left out"
    chair, secretary = draw.code_of("Chair"), draw.code_of("Secretary")
    with writing(session):
        drawing.void(
            session,
            "mot",
            draw.code,
            cause="withheld",
            person=draw.code_of("Custodian3"),
            reason="không nộp số",
            by=secretary,
            approvals=[(chair, draw.hall.now), (secretary, draw.hall.now)],
            summary=Sealed({"type": "draw.voided", "lines": ["Hủy"]}),
            now=draw.hall.now,
        )
    found = draw.record
    assert (found.state, found.void_person, found.seed) == ("void", draw.code_of("Custodian3"), None)
    with pytest.raises(Refused, match="over"):
        draw.reveal("Custodian3")
    assert problems(session, "mot") == [], "a number withheld from a void draw is no fault of the record"
    assert verdict(session)[0] == "passed"


def test_what_follows_from_a_draw_is_done_in_its_transaction(any_session: Session, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(drawing, "_continuations", {})
    seen: list[drawing.Held] = []

    @drawing.when_drawn("order")
    def follow(session: Session, log: str, held: drawing.Held, now) -> None:
        assert log == "mot"
        seen.append(held)

    with pytest.raises(RuntimeError, match="two continuations"):
        drawing.when_drawn("order")(lambda *_: None)
    draw = Draw(any_session, tmp_path, about=drawing.About("written", {"which": 7}))
    assert drawing.newest(any_session, "mot", "order", "written") == draw.record
    assert [one.code for one in drawing.going_on(any_session, "mot")] == [draw.code]
    draw.whole()
    assert [(one.result, one.arguments) for one in seen] == [(draw.record.result, {"which": 7})]
    assert drawing.going_on(any_session, "mot") == []


def test_what_two_people_approved_is_fixed_with_the_last_commitment(any_session: Session, tmp_path: Path) -> None:
    about = drawing.About("written", {}, "permutation", {"items": ITEMS})
    draw = Draw(any_session, tmp_path, purpose="sample", about=about)
    for person in PEOPLE[:-1]:
        draw.commit(person)
        assert draw.record.fixed is None
    draw.commit(PEOPLE[-1])
    assert (draw.record.state, draw.record.parameters) == ("fixed", {"items": ITEMS})
    with pytest.raises(Refused, match="fixed already"):
        draw.fix()
    assert_valid(any_session, "mot")


def test_nobody_commits_once_the_outside_value_is_out(any_session: Session, tmp_path: Path) -> None:
    draw = Draw(any_session, tmp_path)
    draw.hall.now = draw.out
    with pytest.raises(Refused, match="out already"):
        draw.commit("Custodian1")


def altered(session: Session, type: str) -> None:
    """An insider changes what opens an entry of a draw, under the triggers."""
    raw = session.connection().connection.driver_connection
    raw.execute("DROP TRIGGER IF EXISTS log_openings_update")
    for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'log_openings'").fetchall():
        raw.execute(f"DROP TRIGGER {name}")
    raw.execute("UPDATE log_openings SET content = replace(content, '001', '009') WHERE type = ?", (type,))
    session.commit()
    session.expire_all()


@pytest.mark.parametrize("type", ["draw.result", "draw.inputs", "draw.terms"])
def test_an_altered_draw_is_not_called_right(sqlite_session: Session, tmp_path: Path, type: str) -> None:
    draw = Draw(sqlite_session, tmp_path)
    draw.whole()
    assert draw.record.right is True
    if type == "draw.terms":
        raw = sqlite_session.connection().connection.driver_connection
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'log_openings'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute("UPDATE log_openings SET content = replace(content, 'examsvc.draw.v1', 'examsvc.draw.server.v1') WHERE type = 'draw.terms'")
        sqlite_session.commit()
        sqlite_session.expire_all()
        assert not draw.record.by_server, "an opening that does not open is not believed"
        return
    altered(sqlite_session, type)
    assert draw.record.right is not True


def test_the_program_on_the_page_draws_the_same(any_session: Session) -> None:
    """The program runs by itself, with Python's own library alone, and prints what `draws.replay` finds."""
    tried = 0
    for seed in ("00" * 32, "ab" * 32, "7f" * 32):
        for task, parameters in (
            ("permutation", {"items": ITEMS}),
            ("selection", {"items": ITEMS, "count": 3}),
            ("selection", {"items": ITEMS, "count": 0}),
            ("assignment", {"items": ITEMS[:4], "places": ["p1", "p2", "p3", "p4", "p5"]}),
        ):
            text = draw_program.program(seed, task, parameters)
            assert text is not None
            assert "examsvc" not in text.replace("examsvc.v1/draw.block", ""), "nothing of ours is imported"
            said = io.StringIO()
            with redirect_stdout(said):
                exec(text, {})
            assert said.getvalue().strip() == repr(draws.replay(seed, task, parameters).result)
            tried += 1
    assert tried == 12
    assert draw_program.program("00" * 32, "allocation", {}) is None


# -------------------------------------------------------------------------------- pages


class Pages:
    """The application over a draw, with a browser for each person."""

    def __init__(self, draw: Draw, folder: Path, address: str) -> None:
        self.draw = draw
        draw.session.rollback()
        self.world: World = world(folder, address, draw.hall.now)

    def browser(self, person: str | None = None) -> FlaskClient:
        made = self.world.client(self.draw.hall.people[person] if person else None)
        made.get("/language/en")
        return made

    def get(self, person: str | None = None, path: str = "", status: int = 200) -> str:
        answer = self.browser(person).get(f"/competitions/mot/draws{path}")
        assert answer.status_code == status, answer.get_data(as_text=True)[-600:]
        return answer.get_data(as_text=True)

    def post(self, person: str, step: str, status: int = 302, **data: object) -> str:
        answer = self.browser(person).post(
            f"/competitions/mot/draws/{self.draw.code}/{step}", data=data, content_type="multipart/form-data"
        )
        assert answer.status_code == status, answer.get_data(as_text=True)[-600:]
        self.draw.session.rollback()
        return answer.get_data(as_text=True)


def test_a_draw_from_page_to_page(address: str, tmp_path: Path) -> None:
    engine = make_engine(address)
    with Session(engine) as session:
        draw = Draw(session, tmp_path)
        pages = Pages(draw, tmp_path, address)
        assert draw.code in pages.get()
        assert "secret numbers are awaited" in pages.get(None, f"/{draw.code}")
        for person in PEOPLE:
            page = pages.get(person, f"/{draw.code}")
            assert f"examsvc custodian number {draw.code} --person {draw.code_of(person)}" in page
            pages.post(person, "commitment", commitment=draw.number(person))
        assert "already" in pages.post("Custodian1", "commitment", 409, commitment="ab" * 32)
        assert "before what is drawn from is fixed" in pages.post("Custodian1", "number", 409, file=(io.BytesIO(draw.file("Custodian1").read_bytes()), "n"))
        draw.fix()
        for bad in (b"{}", b"", b"x" * 5000, draw.file("Custodian2").read_bytes()):
            page = pages.post("Custodian1", "number", 200, file=(io.BytesIO(bad), "n" if bad else ""))
            assert "secret number" in page
        for person in PEOPLE:
            assert "reveal your secret number" in pages.get(person, f"/{draw.code}")
            pages.post(person, "number", file=(io.BytesIO(draw.file(person).read_bytes()), "n"))
        assert "too early" in pages.post("Chair", "outside", 409, value=VALUE, place="báo")
        pages.world.now = draw.hall.now = draw.out
        assert "Read the outside value" not in pages.get(None, f"/{draw.code}")
        assert "Read the outside value" in pages.get("Chair", f"/{draw.code}")
        pages.post("Marker1", "outside", 403, value=VALUE, place="báo")
        pages.post("Marker1", "commitment", 404, commitment="ab" * 32)
        assert "the draw is made when a second" in pages.browser("Chair").post(
            f"/competitions/mot/draws/{draw.code}/outside", data={"value": f" {VALUE} ", "place": "báo"}, follow_redirects=True
        ).get_data(as_text=True).lower()
        pages.post("Secretary", "outside", value=VALUE, place="đài")
        page = pages.get(None, f"/{draw.code}")
        found = draw.record
        assert found.result == by_hand(found.seed or "", ITEMS)
        assert "every number is right and the result is the same" in page
        assert "I came off badly" in page
        assert VALUE in page
        for step in found.replay.steps:
            assert step.block[:16] in page
        assert "the same result" in pages.get()
        pages.get(None, "/nothing", 404)
        assert pages.browser().post(f"/competitions/mot/draws/{draw.code}/outside").status_code in (302, 401)
        assert_valid(session, "mot")
        assert verdict(session) == ("passed", [])
    engine.dispose()


def test_what_would_break_the_blindness_waits_for_the_result(any_address: str, tmp_path: Path) -> None:
    engine = make_engine(any_address)
    with Session(engine) as session:
        draw = Draw(session, tmp_path, purpose="lots")
        draw.whole()
        pages = Pages(draw, tmp_path, any_address)
        page = pages.get(None, f"/{draw.code}")
        assert "It is shown when the result of the competition is published" in page
        for item in ITEMS:
            assert f">{item}<" not in page
        assert draw.record.right is True
        assert draw_records.disclosed(draw.record, frozenset({"A"}))
        assert not draw_records.disclosed(draw.record, frozenset({"B"}))
    engine.dispose()


def test_the_pages_as_a_browser_shows_them(any_address: str, tmp_path: Path, page) -> None:
    engine = make_engine(any_address)
    with Session(engine) as session:
        draw = Draw(session, tmp_path)
        pages = Pages(draw, tmp_path, any_address)
        with served(pages.world) as home:
            part = draw.hall.people["Custodian1"]
            assert faults(pages.world, page, home, [(part, f"/competitions/mot/draws/{draw.code}")]) == []
            draw.whole()
            session.rollback()
            looked = [(None, "/competitions/mot/draws"), (None, f"/competitions/mot/draws/{draw.code}")]
            assert faults(pages.world, page, home, looked) == []
        assert read_entry(
            session.scalars(select(LogEntry.entry).where(LogEntry.type == "draw.drawn")).one()
        ).body["draw"] == draw.code
    engine.dispose()
