"""Markers and the order of hearings drawn by steps, one withheld number and its void draw, on pages and in the record."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import approvals
from examsvc.accounts import queries as accounts
from examsvc.base.errors import NotAllowed, NotFound, Refused
from examsvc.competitions import drawing
from examsvc.competitions.regulation import read_preset
from examsvc.ledger import draw_records
from examsvc.ledger.entries import read_entry
from examsvc.ledger.models import LogEntry
from examsvc.marking import blinding, essays, hearings, objective, queries
from examsvc.sittings.models import Sitting
from tests.draws_by_steps import by_steps, commit, hold_by_steps, read_outside, reveal
from tests.exam_hall import BELL, ExamHall
from tests.ledger.test_draws_in_steps import verdict
from tests.ledger_check import assert_valid
from tests.web import world

NAMES = ("An", "Bình")


def begun(session: Session) -> ExamHall:
    """Test and essay are sat and coded; markers and order are to be drawn by steps."""
    hall = ExamHall(session, by_steps(read_preset("demo"), "allocation", "order"))
    for phase in ("announced", "applications"):
        hall.phase(phase)
    for name in NAMES:
        hall.candidate(name)
    forms = hall.paper(), hall.paper("essay", [{"count": 1, "marks": "20", "kinds": ["essay"]}])
    hall.phase("exam")
    test, essay = hall.sitting(forms[0]), hall.sitting(forms[1], "essay", bell=BELL + timedelta(hours=2))
    hall.write_all(list(NAMES), test, {"An": 9, "Bình": 8})
    hall.write_all(list(NAMES), essay)
    hall.code_key()
    with hall.write():
        objective.mark_objective(session, session.get_one(Sitting, test), now=hall.now)
        blinding.code_scripts(session, session.get_one(Sitting, essay), by=hall.people["Coder"], now=hall.now)
    return hall


def ask_allocation(hall: ExamHall) -> str:
    with hall.write():
        essays.ask_allocation(hall.session, hall.competition, part="essay", by=hall.people["Chief"], now=hall.now)
    assert hall.approve_all("Chair") == 1
    found = essays.allocation_draw(hall.session, hall.competition, "essay")
    assert found is not None
    return found.code


def ask_void(hall: ExamHall, draw: str, cause: str, person: str | None, *, by: str = "Secretary", reason: str = "không nộp số") -> None:
    with hall.write():
        drawing.ask_void(
            hall.session, hall.competition, draw, cause=cause, person=person, reason=reason, by=hall.people[by], now=hall.now
        )


def test_markers_and_hearings_are_drawn_by_steps(any_address: str, any_session: Session, tmp_path: Path) -> None:
    session = any_session
    hall = begun(session)
    first = ask_allocation(hall)
    assert queries.scripts(session, hall.competition_id, "essay")[0].allocations == [], "nobody is drawn before the outside value"
    with pytest.raises(Refused, match="being drawn already"):
        ask_allocation(hall)

    # pages: whose turn it is
    session.rollback()
    made = world(tmp_path, any_address, hall.now)

    def page(person: str, path: str, status: int = 200) -> str:
        browser = made.client(hall.people[person])
        browser.get("/language/en")
        answer = browser.get(path)
        assert answer.status_code == status, answer.get_data(as_text=True)[-500:]
        return answer.get_data(as_text=True)

    assert "secret numbers are awaited from" in page("Chief", "/competitions/mot/marking/")
    assert "Commit to a secret number for the draw: Who marks which script" in page("Member1", "/account/")
    assert "Commit to a secret number" not in page("Marker1", "/account/")
    assert "Declare it void" in page("Secretary", f"/competitions/mot/draws/{first}")
    assert "Declare it void" not in page("Member1", f"/competitions/mot/draws/{first}")
    page("Member1", f"/competitions/mot/void-draw/{first}", 403)

    # one member withholds the number
    late = accounts.account(session, hall.people["Member3"]).code
    kept = commit(hall, first)
    reveal(hall, first, {code: number for code, number in kept.items() if code != late})
    with pytest.raises(Refused, match="not due yet"):
        ask_void(hall, first, "withheld", late)
    read_outside(hall, first)
    assert essays.allocation_draw(session, hall.competition, "essay").state == "fixed", "never a seed with a number left out"
    for wrong in (("withheld", None), ("withheld", accounts.account(session, hall.people["Chair"]).code), ("never", None)):
        with pytest.raises(Refused):
            ask_void(hall, first, *wrong)
    with pytest.raises(Refused, match="what happened"):
        ask_void(hall, first, "withheld", late, reason=" ")
    with pytest.raises(Refused, match="fixed in time"):
        ask_void(hall, first, "late", None)
    with pytest.raises(NotAllowed):
        ask_void(hall, first, "withheld", late, by="Setter")
    with pytest.raises(NotFound):
        ask_void(hall, "no-draw", "late", None)
    session.rollback()
    made.now = hall.now
    assert "Read the outside value of the draw" in page("Chair", "/account/")
    browser = made.client(hall.people["Secretary"])
    browser.get("/language/en")
    address = f"/competitions/mot/void-draw/{first}"
    assert "Choose whose secret number is missing" in browser.post(address, data={"cause": "withheld", "reason": "x"}).get_data(as_text=True)
    assert 'value="late"' not in browser.get(address).get_data(as_text=True), "what is fixed in time is not too late"
    assert browser.post(address, data={"cause": "withheld", "person": late, "reason": "không nộp số"}).status_code == 302
    assert "waits for a second approval" in browser.get(address).get_data(as_text=True)
    session.rollback()
    (request,) = approvals.waiting(session, "mot", hall.now)
    assert any("Member3" in line for line in request.lines), "approvers read the name"
    assert hall.approve_all("Chair") == 1
    void = draw_records.draw_of(session, "mot", first)
    assert (void.state, void.void_cause, void.void_person) == ("void", "withheld", late)
    with pytest.raises(Refused, match="over"):
        reveal(hall, first, {late: kept[late]})

    # a new one is announced and completed
    second = ask_allocation(hall)
    assert second != first
    hold_by_steps(hall, second)
    session.expire_all()
    record = essays.allocation_draw(session, hall.competition, "essay")
    assert (record.state, record.right, record.by_server) == ("drawn", True, False)
    given = {(one.script.code, one.marker.code, one.round) for s in queries.scripts(session, hall.competition_id, "essay") for one in s.allocations}
    assert given == {(row["script"], row["marker"], row["round"]) for row in record.result}
    assert len(given) == 6
    for name in NAMES:
        assert hall.mark_script(name, 15, 16) == "settled"
    hall.lock("written")
    hall.unblind("written")

    # the order of the hearings
    with hall.write():
        hearings.ask_order(
            session,
            hall.competition,
            part="plan-defence",
            candidates=queries.reached(session, hall.competition, "plan-defence"),
            by=hall.people["Secretary"],
            now=hall.now,
        )
    assert hall.approve_all("Chair") == 1
    assert queries.hearings(session, hall.competition_id, "plan-defence") == []
    order = hearings.order_draw(session, hall.competition, "plan-defence")
    assert order is not None
    hold_by_steps(hall, order.code)
    session.expire_all()
    listed = queries.hearings(session, hall.competition_id, "plan-defence")
    drawn = hearings.order_draw(session, hall.competition, "plan-defence")
    assert [one.application.candidate_number for one in listed] == drawn.result
    assert {one.draw for one in listed} == {order.code}
    entries = [read_entry(one) for one in session.scalars(select(LogEntry.entry).where(LogEntry.type == "hearing.listed"))]
    assert {one.body["draw"] for one in entries} == {order.code}
    assert_valid(session, "mot")
    assert verdict(session) == ("passed", [])
