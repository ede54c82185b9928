"""Who sits where: drawn among the places of the common rooms, replayable, and never a place that somebody could choose."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page
from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import approvals
from examsvc.base.errors import NotAllowed, Refused
from examsvc.base.messages import Message
from examsvc.competitions.regulation import Regulation
from examsvc.demonstration.announcing import objective_only
from examsvc.ledger import draw_records
from examsvc.ledger.bundle import PUBLIC, RESTRICTED, Material, Opened, compose
from examsvc.ledger.entries import read_entry
from examsvc.ledger.models import LogEntry, Opening
from examsvc.sittings import planning
from examsvc.sittings.models import Sitting
from examsvc.verify.draws import draws as check_draws
from examsvc.verify.reading import read
from tests.draws_by_steps import by_steps, hold_by_steps
from tests.exam_hall import BELL, ExamHall
from tests.ledger_check import assert_valid
from tests.screens import faults, served
from tests.web import world

NAMES = ("An", "Bình", "Chi", "Dung", "Em")


def planned(
    session: Session, regulation: Regulation | None = None, *, alone: str = "Chi", names: tuple[str, ...] = NAMES
) -> tuple[ExamHall, int]:
    """A sitting of five candidates, or of fewer, in two rooms and one separate room."""
    hall = ExamHall(session, regulation)
    for phase in ("announced", "applications"):
        hall.phase(phase)
    for name in NAMES:
        hall.candidate(name)
    hall.admit()
    with hall.write():
        number = planning.schedule_sitting(
            session,
            hall.competition,
            part="test",
            bell_at=BELL,
            rooms=[planning.RoomPlan("P1", 3), planning.RoomPlan("P2", 9), planning.RoomPlan("Riêng", 1, separate=True)],
            candidates=[hall.application(name) for name in names],
            arrangements={hall.applications[alone]: planning.Arrangement(separate_room=True)},
            by=hall.office,
            now=hall.now,
        ).id
    return hall, number


def ask(hall: ExamHall, number: int, by: str = "Secretary") -> None:
    with hall.write():
        planning.ask_seats(hall.session, hall.session.get_one(Sitting, number), by=hall.people[by], now=hall.now)


def seats(hall: ExamHall, number: int) -> dict[str, str]:
    sitting = hall.session.get_one(Sitting, number)
    return {seat.application.candidate_number or "": f"{seat.room.code}.{seat.place}" for seat in sitting.seats}


def by_hand(seed: str, items: list[str], places: list[str]) -> dict[str, str]:
    """The assignment written out again, apart from our code."""
    counter = 0

    def below(bound: int) -> int:
        nonlocal counter
        while True:
            block = hashlib.sha256(b"examsvc.v1/draw.block\0" + bytes.fromhex(seed) + b"\0" + counter.to_bytes(8, "big")).digest()
            counter += 1
            value = int.from_bytes(block[:8], "big")
            if value < 2**64 - 2**64 % bound:
                return value % bound

    left = list(places)
    for place in range(len(items)):
        other = place + below(len(left) - place)
        left[place], left[other] = left[other], left[place]
    return dict(zip(items, left, strict=False))


def plans(hall: ExamHall) -> list[dict]:
    rows = hall.session.scalars(
        select(LogEntry).where(LogEntry.log == "mot", LogEntry.type == "sitting.scheduled").order_by(LogEntry.position)
    ).all()
    found = []
    for row in rows:
        entry = read_entry(row.entry)
        opening = hall.session.scalars(select(Opening).where(Opening.entry_id == row.id, Opening.field == "plan")).one()
        seats = {one["candidate"]: f"{one['room']}.{one['seat']}" for one in opening.content["seats"]}
        found.append({**entry.body, "seats": seats})
    return found


def test_two_have_the_seats_drawn_and_anybody_can_repeat_it(session: Session) -> None:
    hall, number = planned(session)
    assert session.get_one(Sitting, number).seating == "to-draw"
    before = seats(hall, number)
    ask(hall, number)
    with pytest.raises(Refused, match="already waiting"):
        ask(hall, number)
    assert session.get_one(Sitting, number).seating == "to-draw", "one person alone draws nothing"
    assert hall.approve_all("Chair") == 1
    session.expire_all()
    after = seats(hall, number)
    sitting = session.get_one(Sitting, number)
    record = draw_records.draw_of(session, "mot", sitting.draw or "")
    assert record is not None
    assert (record.purpose, record.state, record.right, record.by_server) == ("seats", "drawn", True, True)
    alone = hall.number("Chi")
    common = sorted(set(before) - {alone})
    assert after[alone] == before[alone] == "room-3.1"
    assert {one: after[one] for one in common} == by_hand(record.seed or "", common, sorted(before[one] for one in common))
    assert sorted(after.values()) == sorted(before.values()), "the same places, filled from the first room on"
    first, second = plans(hall)
    assert (first.get("draw"), first["seats"]) == (None, before)
    assert (second["draw"], second["revision"], second["seats"]) == (sitting.draw, 2, after)
    with pytest.raises(Refused, match="drawn already"):
        ask(hall, number)
    told = session.scalars(select(Message).where(Message.account_id == hall.application("An").account_id)).all()
    room, _, place = after[hall.number("An")].partition(".")
    body = json.dumps([one.body for one in told], ensure_ascii=False)
    assert f"Seat: {place}" in body
    assert {"room-1": "P1", "room-2": "P2"}[room] in body
    assert_valid(session, "mot")


def test_no_attempt_is_made_before_the_seats_are_drawn(any_session: Session) -> None:
    hall, number = planned(any_session)
    form = hall.paper()
    hall.now = BELL - timedelta(minutes=10)
    hall.open_paper(form)
    hall.forms[number] = form
    with pytest.raises(Refused, match="not drawn yet"):
        hall.make_ready(number)
    hall.draw_seats(number)
    hall.make_ready(number)
    assert any_session.get_one(Sitting, number).prepared_at is not None


def test_who_comes_later_gets_the_next_free_place(session: Session) -> None:
    hall, number = planned(session, names=NAMES[:-1])
    hall.draw_seats(number)
    drawn = seats(hall, number)
    with hall.write():
        planning.take_in(
            session, hall.competition, hall.application("Em"), part="test", bell_at=BELL, room="P2",
            arrangement=planning.Arrangement(), by=hall.office, now=hall.now,
        )  # fmt: skip
    session.expire_all()
    after = seats(hall, number)
    assert after.pop(hall.number("Em")) == "room-2.1"
    assert after == drawn
    assert [one.get("draw") is not None for one in plans(hall)] == [False, True, True]
    with hall.write():
        planning.move_bell(session, session.get_one(Sitting, number), bell_at=BELL + timedelta(hours=1), by=hall.office, now=hall.now)
    assert plans(hall)[-1]["draw"] == session.get_one(Sitting, number).draw


def test_a_plan_that_changed_is_asked_for_again(any_session: Session) -> None:
    hall, number = planned(any_session)
    ask(hall, number)
    with hall.write():
        sitting = any_session.get_one(Sitting, number)
        planning.move_bell(any_session, sitting, bell_at=BELL + timedelta(hours=1), by=hall.office, now=hall.now)
    with pytest.raises(Refused, match="plan has changed"):
        hall.approve_all("Chair")


def test_who_may_ask(any_session: Session) -> None:
    hall, number = planned(any_session)
    for person in ("Office", "Hall", "Invigilator", "Setter", "An"):
        with pytest.raises(NotAllowed):
            ask(hall, number, by=person)
    ask(hall, number)
    (request,) = approvals.waiting(any_session, "mot", hall.now)
    assert "4" in " ".join(request.lines), "four common places"


def test_a_regulation_without_a_draw_seats_in_order(any_session: Session) -> None:
    tree = json.loads(objective_only().canonical_bytes())
    for rule in tree["draws"]:
        if rule["id"] == "seats":
            rule["method"] = "none"
    hall, number = planned(any_session, Regulation.model_validate_json(json.dumps(tree)))
    assert any_session.get_one(Sitting, number).seating == "in-order"
    with pytest.raises(Refused, match="not drawn"):
        ask(hall, number)
    assert seats(hall, number)[hall.number("An")] == "room-1.1"


def test_seats_by_steps(session: Session) -> None:
    """Three people give numbers, an outside value comes to them, and only then anybody knows a seat."""
    hall, number = planned(session, by_steps(objective_only(), "seats"))
    before = seats(hall, number)
    ask(hall, number)
    (request,) = approvals.waiting(session, "mot", hall.now)
    assert any("Giải đặc biệt" in line for line in request.lines), "they confirm the regulation's value"
    assert hall.approve_all("Chair") == 1
    sitting = session.get_one(Sitting, number)
    found = planning.seats_draw(session, sitting)
    assert found is not None
    assert (found.state, found.by_server, sitting.seating) == ("announced", False, "to-draw")
    with pytest.raises(Refused, match="being drawn already"):
        ask(hall, number)
    hold_by_steps(hall, found.code)
    session.expire_all()
    sitting = session.get_one(Sitting, number)
    record = planning.seats_draw(session, sitting)
    assert record is not None
    assert (record.state, record.right, sitting.seating, sitting.draw) == ("drawn", True, "drawn", record.code)
    common = sorted(set(before) - {hall.number("Chi")})
    after = seats(hall, number)
    assert {one: after[one] for one in common} == by_hand(record.seed or "", common, sorted(before[one] for one in common))
    assert_valid(session, "mot")


def v7(session: Session, edition: str) -> tuple[str, list[str]]:
    """What the offline verifier says of the draws in this log."""
    rows = list(session.scalars(select(LogEntry).where(LogEntry.log == "mot").order_by(LogEntry.position)))
    at = {row.id: row.position for row in rows}
    opened = [
        Opened(at[one.entry_id], one.commitment, one.type, bytes.fromhex(one.salt), one.content)
        for one in session.scalars(select(Opening).where(Opening.entry_id.in_(at)))
        if one.salt
    ]
    made = Material(entries=[row.entry for row in rows], checkpoint=b"", openings=opened)
    found = check_draws(read(compose(made, edition, ["A"], 1)))
    return found.verdict.name.lower(), list(found.reasons)


def test_an_insider_who_seats_somebody_else_is_found_out(any_session: Session) -> None:
    """Somebody is moved to the back row in the tables and the plan is recorded anew, with the draw's name and without."""
    hall, number = planned(any_session)
    hall.draw_seats(number)
    assert v7(any_session, RESTRICTED) == ("passed", [])
    with hall.write():
        sitting = any_session.get_one(Sitting, number)
        moved = planning.drawn_seats(sitting)[0]
        moved.room, moved.place = next(room for room in sitting.rooms if room.name == "P2"), "9"
        sitting.revision += 1
        planning._record_plan(any_session, sitting, hall.office, hall.now)
    verdict, reasons = v7(any_session, RESTRICTED)
    assert verdict == "failed"
    assert [reason.partition(": ")[2] for reason in reasons] == ["the seats are not the ones drawn"]
    assert v7(any_session, PUBLIC)[0] == "passed", "who sits where is in the restricted edition only"
    with hall.write():
        sitting = any_session.get_one(Sitting, number)
        sitting.seating, sitting.draw = "in-order", None
        sitting.revision += 1
        planning._record_plan(any_session, sitting, hall.office, hall.now)
    verdict, reasons = v7(any_session, PUBLIC)
    assert verdict == "failed"
    assert "names it no more" in reasons[0]


def test_the_pages_as_a_browser_shows_them(any_address: str, any_session: Session, tmp_path: Path, page: Page) -> None:
    """The plan before and while the seats are drawn, the page that declares the draw void, and what a candidate reads."""
    hall, number = planned(any_session, by_steps(objective_only(), "seats"))
    made = world(tmp_path, any_address, hall.now)
    secretary, candidate = hall.people["Secretary"], hall.application("An").account_id
    sitting = "/competitions/mot/sittings/test-1"

    def text(account: int, path: str) -> str:
        browser = made.client(account)
        browser.get("/language/en")
        answer = browser.get(path)
        assert answer.status_code == 200, path
        return answer.get_data(as_text=True)

    any_session.rollback()
    assert "Ask to draw the seats" in text(secretary, sitting)
    assert "Ask to draw the seats" not in text(hall.office, sitting)
    assert "Room and seat are drawn in public" in text(candidate, "/competitions/mot/my-exam")
    lists = f"{sitting}/rooms/room-1/list.pdf"
    assert made.client(hall.people["Hall"]).get(lists).status_code == 409, "nothing is printed before the draw"
    assert made.client(candidate).get("/competitions/mot/my-exam/test-1/summons.pdf").status_code == 409
    assert made.client(candidate).post(f"{sitting}/seats").status_code in (403, 404)
    with served(made) as home:
        assert faults(made, page, home, [(secretary, sitting), (secretary, "/competitions/mot/sittings/new")]) == []
        assert made.client(secretary).post(f"{sitting}/seats").status_code == 302
        assert "waits for a second approval" in text(secretary, sitting)
        any_session.rollback()
        assert hall.approve_all("Chair") == 1
        draw = planning.seats_draw(any_session, any_session.get_one(Sitting, number))
        assert draw is not None
        any_session.rollback()
        assert "secret numbers are awaited from" in text(secretary, sitting)
        void = f"/competitions/mot/void-draw/{draw.code}"
        looked = [(secretary, sitting), (secretary, void), (secretary, "/competitions/mot/regulation"), (candidate, "/competitions/mot/my-exam")]
        assert faults(made, page, home, looked) == []
    hold_by_steps(hall, draw.code)
    made.now = hall.now
    any_session.rollback()
    assert "How it was drawn" in text(candidate, "/competitions/mot/my-exam")
    assert "The draw of the seats" in text(secretary, sitting)
