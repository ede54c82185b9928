"""Hearings as histories: who sits, who steps aside, what is shown when, and who is told."""

from __future__ import annotations

from fractions import Fraction

import pytest
from sqlalchemy import select

from examsvc.accounts import queries as accounts
from examsvc.accounts import relations
from examsvc.base.errors import NotFound, Refused
from examsvc.base.messages import Message
from examsvc.marking import hearings, queries, substituting
from examsvc.marking.models import Hearing, PanelSeat
from tests.exam_hall import ExamHall, spread
from tests.ledger_check import assert_valid
from tests.marking.test_scripts import bodies, opened

PART = "plan-defence"


@pytest.fixture
def ready(hall: ExamHall) -> ExamHall:
    """The written stage is marked, locked and open; Chi missed its hurdle."""
    for name, mark in (("An", 16), ("Bình", 14), ("Chi", 2)):
        assert hall.mark_script(name, mark, mark) == "settled"
    hall.lock("written")
    hall.unblind("written")
    return hall


def ask_order(hall: ExamHall, members: list[int] | None = None) -> None:
    with hall.write():
        hearings.ask_order(
            hall.session,
            hall.competition,
            part=PART,
            candidates=queries.reached(hall.session, hall.competition, PART),
            members=members,
            by=hall.people["Secretary"],
            now=hall.now,
        )


def hearing_of(hall: ExamHall, name: str) -> Hearing:
    listed = queries.hearings(hall.session, hall.competition_id, PART)
    return next(one for one in listed if one.application_id == hall.applications[name])


def step(hall: ExamHall, hearing: Hearing, times: int = 1) -> None:
    for _ in range(times):
        hall.later(minutes=5)
        with hall.write():
            hearings.next_step(hall.session, hearing, by=hall.people["PanelChair"], now=hall.now)


def begin(hall: ExamHall, hearing: Hearing) -> None:
    with hall.write():
        hearings.begin(hall.session, hearing, by=hall.people["PanelChair"], now=hall.now)


def hand_in(hall: ExamHall, seat: PanelSeat, total: int) -> None:
    rows = [(one.id, one.maximum, one.id) for one in hearings.panel_of(seat.hearing).criteria]
    with hall.write():
        hearings.hand_in(hall.session, seat, criteria=spread(rows, total), comments={}, by=seat.member_id, now=hall.now)


def test_those_sit_who_are_recused_for_the_fewest_and_everybody_is_told_who_goes_on(ready: ExamHall) -> None:
    hall = ready
    close = hall.people["Panel1"]
    with hall.write():
        relations.recuse(
            hall.session, "mot", close, hall.application("An").account_id, reason="cấp trên trực tiếp", now=hall.now
        )
    hall.approve_all("Chair")
    hall.approve_all("Secretary")
    ask_order(hall)
    assert hall.approve_all("Chair") == 1
    for name in ("An", "Bình"):
        seated = {one.member_id for one in hearing_of(hall, name).members}
        assert seated == {hall.people[f"Panel{n}"] for n in range(2, 7)}
    told = {
        row.account_id: row.body["en"]
        for row in hall.session.scalars(select(Message))
        if row.subject["en"] == "Who goes on is decided"
    }
    assert {hall.application(name).account_id for name in ("An", "Bình", "Chi")} == set(told)
    assert f"your place is {hearing_of(hall, 'An').place} of 2" in told[hall.application("An").account_id]
    assert told[hall.application("Chi").account_id].startswith("You do not go on")
    assert "panel-formed:defence" in queries.facts_for_phases(hall.session, hall.competition, hall.now)
    assert "order-drawn:defence" in queries.facts_for_phases(hall.session, hall.competition, hall.now)


@pytest.mark.parametrize("count", [0, 4, 6])
def test_the_panel_has_the_size_of_the_regulation(ready: ExamHall, count: int) -> None:
    with pytest.raises(Refused, match="exactly 5 members"):
        ask_order(ready, [ready.people[f"Panel{n}"] for n in range(1, count + 1)])


def test_a_member_steps_aside_and_the_panel_keeps_its_size(ready: ExamHall) -> None:
    hall = ready
    ask_order(hall, [hall.people[f"Panel{n}"] for n in range(1, 6)])
    assert hall.approve_all("Chair") == 1
    hearing = hearing_of(hall, "An")
    seat = queries.seat(hall.session, hearing.id, hall.people["Panel2"])
    assert seat is not None

    def ask(reason: str, by: str = "Panel2") -> None:
        with hall.write():
            substituting.ask_substitution(hall.session, seat, reason=reason, by=hall.people[by], now=hall.now)

    with pytest.raises(Refused, match="Write the reason"):
        ask(" ")
    ask("đã cùng viết đề án")
    with pytest.raises(Refused, match="must step aside for this candidate"):
        begin(hall, hearing)
    hall.approve_all("Chair")
    assert bodies(hall, "hearing.substituted") == [], "who steps aside does not approve it: two others do"
    hall.approve_all("Secretary")
    hall.session.expire_all()
    (entry,) = bodies(hall, "hearing.substituted")
    assert (entry["from"], entry["to"]) == (seat.member.code, accounts.account(hall.session, hall.people["Panel6"]).code)
    assert opened(hall, entry["reason"]) == {"text": "đã cùng viết đề án"}
    assert len(queries.sitting_members(hearing)) == 5
    assert accounts.recused(hall.session, "mot", seat.member_id) == {hall.application("An").account_id}
    assert len(queries.sitting_members(hearing_of(hall, "Bình"))) == 5
    assert seat.member_id in {one.member_id for one in queries.sitting_members(hearing_of(hall, "Bình"))}
    begin(hall, hearing)
    assert bodies(hall, "hearing.begun")[0]["plan"] == 1
    other = queries.seat(hall.session, hearing.id, hall.people["Panel3"])
    assert other is not None
    with hall.write(), pytest.raises(Refused, match="has begun"):
        substituting.ask_substitution(hall.session, other, reason="ốm", by=hall.people["PanelChair"], now=hall.now)
    assert_valid(hall.session, "mot")


def test_nothing_is_shown_before_all_sheets_are_in_and_the_hearing_is_over(ready: ExamHall) -> None:
    hall = ready
    ask_order(hall)
    hall.approve_all("Chair")
    hearing = hearing_of(hall, "Bình")
    seats = queries.sitting_members(hearing)
    with pytest.raises(Refused, match="while the hearing runs"):
        hand_in(hall, seats[0], 70)
    begin(hall, hearing)
    for seat in seats:
        hand_in(hall, seat, 70)
    assert hearing.state == "running"
    with pytest.raises(Refused, match="Your sheet is in"):
        hand_in(hall, seats[0], 80)
    step(hall, hearing, 3)
    assert hearing.state == "settled"
    (shown,) = bodies(hall, "hearing.shown")
    assert shown["members"] == 5
    assert queries.part_marks(hall.session, hall.competition, PART) == {hall.number("Bình"): Fraction(70)}
    with pytest.raises(Refused, match="not running"):
        step(hall, hearing)
    absent = hearing_of(hall, "An")
    with hall.write(), pytest.raises(Refused, match="why there is no hearing"):
        hearings.mark_absent(hall.session, absent, cause="boredom", by=hall.people["PanelChair"], now=hall.now)
    with hall.write():
        hearings.mark_absent(hall.session, absent, cause="late", by=hall.people["PanelChair"], now=hall.now)
    assert bodies(hall, "hearing.absent")[0]["cause"] == "late"
    hall.lock("defence")
    assert_valid(hall.session, "mot")


def test_a_sheet_without_criteria_in_the_regulation_has_one_line(ready: ExamHall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two presets leave the criteria to the council: the member then gives the mark of the part as a whole."""
    hall = ready
    ask_order(hall)
    hall.approve_all("Chair")
    hearing = hearing_of(hall, "An")
    regulation = hall.regulation
    bare = tuple(one.model_copy(update={"criteria": ()}) for one in regulation.panels)
    changed = regulation.model_copy(update={"panels": bare})
    monkeypatch.setattr(hearings.competitions, "regulation", lambda of: changed)
    (line,) = hearings.panel_of(hearing).criteria
    assert (line.id, line.maximum, line.label.vi) == ("mark", 100, "Điểm")
    begin(hall, hearing)
    for seat in queries.sitting_members(hearing):
        hand_in(hall, seat, 80)
    step(hall, hearing, 3)
    assert hearing.settlements[-1].mark == "80"
    with pytest.raises(NotFound):
        hearings.keep_draft(hall.session, queries.sitting_members(hearing)[0], draft={}, by=hall.people["Chief"])
