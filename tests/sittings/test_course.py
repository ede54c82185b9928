"""Exam day as histories: who comes late, whose time is given back, who is sanctioned, who sits again; each on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from examsvc.accounts import approvals
from examsvc.base.errors import NotAllowed, Refused
from examsvc.base.messages import Message
from examsvc.competitions.logs import problems
from examsvc.ledger.models import LogEntry
from examsvc.papers.models import Form
from examsvc.sittings import arrival, conduct, ending, planning, queries, rules, running, second_attempts
from examsvc.sittings.models import Attempt, Incident, Pause, Room, SanctionRecord, Save, Sitting
from tests.exam_hall import BELL, ExamHall

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def singles(hall: ExamHall, name: str) -> list[int]:
    return [s.number for s in queries.slots(hall.session, hall.attempt(name)) if s.item.kind == "single"]


def answer(hall: ExamHall, name: str, nth: int, lease: str, base: int = 0) -> dict[str, object]:
    slot = singles(hall, name)[nth]
    return hall.save(name, slot, hall.right_value(name, slot), lease=lease, base=base)


def asked(hall: ExamHall, act: Callable[[], None], *, by: str) -> bool:
    """One asks, another approves; whether it was carried out."""
    with hall.write():
        act()
    return hall.approve_all(by) == 1


def entries(hall: ExamHall, kind: str) -> list[dict[str, object]]:
    rows = hall.session.scalars(
        select(LogEntry.entry).where(LogEntry.log == "mot", LogEntry.type == kind).order_by(LogEntry.position)
    )
    found = [json.loads(row) for row in rows]
    return [{**entry["body"], "by": entry["by"]} for entry in found]


def assert_in_order(hall: ExamHall) -> None:
    """The log is what a stranger would accept, as far as it goes; the spare paper is still its custodians' secret."""
    closed = ("nothing opens the commitment to paper.form", "nothing opens the commitment to paper.key")
    found = [problem for problem in problems(hall.session, "mot") if not problem.endswith(closed)]
    assert found == []


def incident(hall: ExamHall, name: str | None = "An", **more: object) -> int:
    with hall.write():
        return conduct.record_incident(
            hall.session,
            hall.session.get_one(Sitting, hall.sitting_id),
            kind="conduct",
            description="Điện thoại",
            signed=["Nguyễn Văn A"],
            attempt=hall.attempt(name) if name else None,
            by=hall.people["Invigilator"],
            now=hall.now,
            **more,  # type: ignore[arg-type]
        ).id


def sanctioned(hall: ExamHall, number: int, sanction: str, *, by: str, approver: str) -> bool:
    def act() -> None:
        found = hall.session.get_one(Incident, number)
        conduct.ask_sanction(hall.session, found, sanction=sanction, reason="quy chế", by=hall.people[by], now=hall.now)

    return asked(hall, act, by=approver)


# ------------------------------------------------------------------------ the door


def test_whoever_comes_within_the_late_limit_is_let_in_and_ends_with_everybody(hall: ExamHall) -> None:
    hall.bell(hall.sitting_id)
    hall.now = BELL + timedelta(minutes=5)
    hall.check_in("An")
    timing = queries.timing(hall.session, hall.attempt("An"))
    assert rules.deadline(timing, hall.now) == BELL + timedelta(minutes=20)
    hall.later(seconds=1)
    with pytest.raises(Refused, match="late limit of 5 minutes"):
        hall.check_in("Bình")
    assert hall.attempt("Bình").state == "prepared"


def late_admission(hall: ExamHall, name: str, by: str) -> Callable[[], None]:
    def act() -> None:
        arrival.ask_late_admission(
            hall.session, hall.attempt(name), reason="cầu sập", document="passport", by=hall.people[by], now=hall.now
        )

    return act


def test_after_the_late_limit_only_the_people_of_the_regulation_let_somebody_in(hall: ExamHall) -> None:
    hall.bell(hall.sitting_id)
    hall.later(minutes=6)
    with pytest.raises(NotAllowed), hall.write():
        late_admission(hall, "An", "Invigilator")()
    assert asked(hall, late_admission(hall, "An", "Authority"), by="Chair")
    assert (hall.attempt("An").state, hall.attempt("An").checked_in_at) == ("checked-in", hall.now)
    [entry] = entries(hall, "attempt.checked_in")
    assert entry["excused"] is True
    hall.check_in("An", code_hash="y")  # the slip is made as for everybody
    assert_in_order(hall)


def test_nobody_is_let_in_who_is_already_put_down_as_absent(hall: ExamHall) -> None:
    hall.bell(hall.sitting_id)
    hall.later(minutes=6)
    with hall.write():
        late_admission(hall, "An", "Authority")()
    hall.later(minutes=20)
    hall.work()
    assert hall.attempt("An").state == "absent"
    with pytest.raises(Refused, match="put down as absent"):
        hall.approve_all("Chair")
    assert_in_order(hall)


def test_no_shows_are_put_down_by_the_clock_and_those_turned_away_by_the_invigilator(hall: ExamHall) -> None:
    def turn_away(cause: str) -> None:
        with hall.write():
            arrival.mark_absent(
                hall.session, hall.attempt("An"), cause=cause, by=hall.people["Invigilator"], now=hall.now
            )

    with pytest.raises(Refused, match="until then everybody may still come"):
        turn_away("refused")
    hall.bell(hall.sitting_id)
    hall.later(minutes=7)
    with pytest.raises(Refused, match="Choose why"):
        turn_away("no_show")
    turn_away("refused")
    with pytest.raises(Refused, match="ended"):
        hall.check_in("An")
    hall.work()
    assert (hall.attempt("An").state, hall.attempt("Bình").state) == ("absent", "prepared"), "Bình's time is not over"
    hall.now = BELL + timedelta(minutes=25, seconds=31)
    hall.work()
    assert [(entry["cause"], entry["by"] == "system") for entry in entries(hall, "attempt.absent")] == [
        ("refused", False),
        ("no_show", True),
    ]
    [closed] = entries(hall, "sitting.closed")
    assert (closed["checked_in"], closed["absent"], closed["submitted"]) == (0, 2, 0)
    assert_in_order(hall)


# ------------------------------------------------------------------------ time


def test_time_that_was_lost_is_given_back_to_a_whole_room_by_one_approval(writing_hall: ExamHall) -> None:
    hall = writing_hall
    room = hall.attempt("An").room
    leases = {name: hall.lease(name) for name in ("An", "Bình")}

    def act() -> None:
        running.ask_room_credit(
            hall.session,
            hall.session.get_one(Room, room.id),
            minutes=10,
            reason="máy chủ dừng",
            by=hall.people["Invigilator"],
            now=hall.now,
        )

    with hall.write():
        act()
    [waiting] = approvals.waiting(hall.session, "mot", hall.now)
    numbers = sorted(hall.number(name) for name in ("An", "Bình"))
    assert waiting.lines[3] == f"Thí sinh: {', '.join(numbers)} (2)" or ", ".join(numbers) in "\n".join(waiting.lines)
    before = rules.deadline(queries.timing(hall.session, hall.attempt("An")), hall.now)
    hall.submit("Bình", leases["Bình"])
    assert hall.approve_all("Hall") == 1
    assert rules.deadline(queries.timing(hall.session, hall.attempt("An")), hall.now) == before + timedelta(minutes=10)
    assert queries.credits(hall.session, hall.attempt("Bình").id) == [], "what is handed in gets no time"
    assert len(entries(hall, "attempt.credited")) == 1
    hall.now = before + timedelta(minutes=10, seconds=30)
    assert answer(hall, "An", 0, leases["An"])["late"] is False
    assert_in_order(hall)


def test_a_server_that_was_away_ten_minutes_loses_nothing(writing_hall: ExamHall) -> None:
    """The browser kept everything, sends it out of order and twice; the outage is on record, and the time comes back."""
    hall = writing_hall
    lease = hall.lease("An")
    attempt = hall.attempt("An")
    heard = hall.now
    hall.later(minutes=10)
    slots = singles(hall, "An")
    queued = [(slot, hall.right_value("An", slot), f"00000000-0000-4000-8000-00000000000{nth}") for nth, slot in enumerate(slots)]
    first = [hall.save("An", slot, value, lease=lease, save_id=name) for slot, value, name in reversed(queued)]
    again = [hall.save("An", slot, value, lease=lease, save_id=name) for slot, value, name in queued]
    assert again == list(reversed(first))
    assert {reply["late"] for reply in first} == {False}
    [outage] = queries.outages(hall.session, attempt.id)
    assert (outage.since, outage.until) == (heard, hall.now)
    assert set(queries.counted_saves(hall.session, attempt.id)) == set(slots)
    assert hall.session.scalar(select(func.count()).select_from(Save).where(Save.attempt_id == attempt.id)) == len(slots)


def test_a_server_that_comes_back_after_the_end_keeps_and_flags_what_the_browser_kept(writing_hall: ExamHall) -> None:
    hall = writing_hall
    lease = hall.lease("An")
    assert answer(hall, "An", 0, lease)["late"] is False
    hall.now = BELL + timedelta(minutes=26)
    hall.work()
    receipt = hall.attempt("An").receipt
    assert receipt is not None
    assert answer(hall, "An", 1, lease)["late"] is True
    assert hall.attempt("An").receipt == receipt
    counted = set(queries.counted_saves(hall.session, hall.attempt("An").id))
    assert counted == {singles(hall, "An")[0]}
    hall.later(minutes=7)
    hall.work()
    assert len(entries(hall, "attempt.late_kept")) == 1

    def act() -> None:
        ending.ask_late_decision(
            hall.session, hall.attempt("An"), counts=True, reason="máy chủ dừng", by=hall.people["Chair"], now=hall.now
        )

    assert asked(hall, act, by="Secretary")
    assert set(queries.counted_saves(hall.session, hall.attempt("An").id)) == set(singles(hall, "An")[:2])
    with pytest.raises(Refused, match="decided on the late answers already"), hall.write():
        act()
    assert_in_order(hall)


def test_the_clocks_of_all_are_those_of_each(writing_hall: ExamHall) -> None:
    """One bulk answer for the live page and the closing, one for each save: they must never differ."""
    hall = writing_hall
    an, binh = hall.attempt("An"), hall.attempt("Bình")
    with hall.write():
        by = hall.people["Hall"]
        hall.session.add_all(
            [
                Pause(room_id=an.room_id, since=BELL + timedelta(minutes=1), until=BELL + timedelta(minutes=3), reason="x", by_id=by),
                Pause(attempt_id=binh.id, since=BELL + timedelta(minutes=2), until=BELL + timedelta(minutes=4), reason="x", by_id=by),
                Pause(attempt_id=an.id, since=BELL + timedelta(minutes=8), until=None, reason="x", by_id=by),
            ]
        )
        running._grant_credit(
            hall.session,
            approvals.Approved(
                0,
                "mot",
                {"attempts": [binh.id], "seconds": 90, "reason": "x"},
                by,
                by,
                (("a", hall.now), ("b", hall.now)),
                running.Sealed({"type": "attempt.credited", "lines": ["x"]}),
                hall.now,
            ),
        )
    together = queries.timings(hall.session, an.sitting)
    alone = {one.id: queries.timing(hall.session, one) for one in an.sitting.attempts}
    assert together == alone
    assert rules.deadline(together[binh.id], hall.now + timedelta(hours=1)) == BELL + timedelta(minutes=25 + 3, seconds=90)
    assert rules.standing(together[an.id], BELL + timedelta(minutes=9)).paused_since == BELL + timedelta(minutes=8)


def test_how_far_somebody_is_counts_the_newest_of_each_question(writing_hall: ExamHall) -> None:
    hall = writing_hall
    lease = hall.lease("An")
    answer(hall, "An", 0, lease)
    answer(hall, "An", 1, lease)
    hall.later(seconds=30)
    hall.save("An", singles(hall, "An")[1], None, lease=lease, base=1)
    an, binh = hall.attempt("An"), hall.attempt("Bình")
    found = queries.progress(hall.session, [an.id, binh.id])
    assert found == {an.id: queries.Progress(1, hall.now)}


# ------------------------------------------------------------------------ incidents and sanctions


@pytest.mark.parametrize(
    ("sanction", "share", "leaves", "annuls", "by", "approver"),
    [
        ("reprimand", "0.25", False, False, "Hall", "Secretary"),
        ("warning", "0.5", False, False, "Hall", "Chair"),
        ("suspension", "1", True, False, "Secretary", "Hall"),
        ("cancellation", "1", True, True, "Hall", "Chair"),
    ],
)
def test_the_four_sanctions_cost_what_the_regulation_says(
    writing_hall: ExamHall, sanction: str, share: str, leaves: bool, annuls: bool, by: str, approver: str
) -> None:
    hall = writing_hall
    lease = hall.lease("An")
    answer(hall, "An", 0, lease)
    number = incident(hall)
    assert sanctioned(hall, number, sanction, by=by, approver=approver)
    [record] = queries.deductions(hall.session, hall.attempt("An").id)
    assert (Fraction(record.deduction), record.annuls) == (Fraction(share), annuls)
    assert hall.attempt("An").state == ("closed" if leaves else "checked-in")
    if leaves:
        receipt = hall.attempt("An").receipt
        assert receipt is not None
        assert receipt["answered"] == 1, "what was written until then is handed in"
        assert answer(hall, "An", 1, lease)["late"] is True
        assert queries.manner_of_end(hall.session, hall.attempt("An")) == "hall"
    assert_in_order(hall)


def test_a_sanction_waits_for_the_role_that_decides_on_it(writing_hall: ExamHall) -> None:
    hall = writing_hall
    number = incident(hall)
    with pytest.raises(Refused, match="another role: Chair of the council"):
        sanctioned(hall, number, "cancellation", by="Hall", approver="Secretary")
    assert queries.deductions(hall.session, hall.attempt("An").id) == []
    assert hall.approve_all("Chair") == 1
    assert len(queries.deductions(hall.session, hall.attempt("An").id)) == 1


def test_a_lifted_sanction_costs_nothing_and_both_stay_on_record(writing_hall: ExamHall) -> None:
    hall = writing_hall
    assert sanctioned(hall, incident(hall), "warning", by="Hall", approver="Chair")
    [record] = queries.deductions(hall.session, hall.attempt("An").id)

    def act() -> None:
        imposed = hall.session.get_one(SanctionRecord, record.id)
        conduct.ask_lifting(hall.session, imposed, reason="nhầm người", by=hall.people["Chair"], now=hall.now)

    assert asked(hall, act, by="Authority")
    assert queries.deductions(hall.session, hall.attempt("An").id) == []
    assert (len(entries(hall, "sanction.imposed")), len(entries(hall, "sanction.lifted"))) == (1, 1)
    with pytest.raises(Refused, match="lifted already"), hall.write():
        act()
    assert_in_order(hall)


def test_whoever_has_to_leave_before_the_bell_is_out_at_the_bell(hall: ExamHall) -> None:
    hall.now = BELL - timedelta(minutes=5)
    for name in ("An", "Bình"):
        hall.check_in(name)
    assert sanctioned(hall, incident(hall), "suspension", by="Hall", approver="Chair")
    assert hall.attempt("An").state == "checked-in", "before the bell there is nothing to end"
    hall.now = BELL
    hall.work()
    assert (hall.attempt("An").state, hall.attempt("Bình").state) == ("closed", "checked-in")
    receipt = hall.attempt("An").receipt
    assert receipt is not None
    assert receipt["answered"] == 0
    assert_in_order(hall)


def test_whoever_refuses_to_sign_is_replaced_by_the_witnesses_of_the_regulation(writing_hall: ExamHall) -> None:
    hall = writing_hall
    with pytest.raises(Refused, match="2 of the nearest candidates"):
        incident(hall, refuses=True)
    with hall.write():
        made = conduct.record_incident(
            hall.session,
            hall.session.get_one(Sitting, hall.sitting_id),
            kind="conduct",
            description="Điện thoại",
            signed=["Trần B", " ", "Lê C"],
            attempt=hall.attempt("An"),
            refuses=True,
            by=hall.people["Invigilator"],
            now=hall.now,
        )
        assert made.signed == ["Trần B", "Lê C"]


def test_nobody_is_sanctioned_for_an_incident_that_names_nobody(writing_hall: ExamHall) -> None:
    number = incident(writing_hall, None)
    with pytest.raises(Refused, match="names no candidate"):
        sanctioned(writing_hall, number, "warning", by="Hall", approver="Chair")


# ------------------------------------------------------------------------ the end


def test_the_clock_closes_one_after_the_other_and_tells_everybody(writing_hall: ExamHall) -> None:
    hall = writing_hall
    lease = hall.lease("An")
    answer(hall, "An", 0, lease)
    hall.now = BELL + timedelta(minutes=20, seconds=30)
    hall.work()
    assert hall.attempt("An").state == "checked-in", "the grace is not over"
    hall.later(seconds=2)
    hall.work()
    assert (hall.attempt("An").state, hall.attempt("Bình").state) == ("closed", "checked-in"), "Bình has five minutes more"
    assert queries.manner_of_end(hall.session, hall.attempt("An")) == "deadline"
    receipt = hall.attempt("An").receipt
    assert receipt is not None
    told = hall.session.scalars(select(Message).where(Message.account_id == hall.people["An"])).all()
    grouped = "-".join(receipt["code"][at : at + 5] for at in (0, 5, 10, 15))
    assert any(grouped in message.body["vi"] and grouped in message.body["en"] for message in told)
    assert hall.session.get_one(Sitting, hall.sitting_id).closed_at is None
    hall.later(minutes=5)
    hall.work()
    assert hall.session.get_one(Sitting, hall.sitting_id).closed_at == hall.now
    [closed] = entries(hall, "sitting.closed")
    assert (closed["checked_in"], closed["absent"], closed["submitted"]) == (2, 0, 2)
    assert_in_order(hall)


def test_each_minute_the_log_takes_the_heads_of_those_who_write(writing_hall: ExamHall) -> None:
    hall = writing_hall
    for name in ("An", "Bình"):
        answer(hall, name, 0, hall.lease(name))
    hall.work()
    hall.submit("An", hall.lease("An"))
    hall.later(seconds=61)
    hall.work()
    found = entries(hall, "sitting.heads")
    assert [(entry["attempts"], entry["links"]) for entry in found][-1] == (1, 1)
    assert_in_order(hall)


def test_nothing_stands_still_in_a_sitting_that_is_over(writing_hall: ExamHall) -> None:
    hall = writing_hall
    hall.now = BELL + timedelta(minutes=26)
    hall.work()
    room = hall.attempt("An").room
    for act in (
        lambda: running.pause_room(hall.session, room, reason="x", by=hall.people["Hall"], now=hall.now),
        lambda: running.ask_credit(
            hall.session, hall.attempt("An"), minutes=1, reason="x", by=hall.people["Hall"], now=hall.now
        ),
        lambda: running.ask_room_credit(hall.session, room, minutes=1, reason="x", by=hall.people["Hall"], now=hall.now),
        lambda: running.release_attempt(hall.session, hall.attempt("An"), reason="x", by=hall.people["Hall"], now=hall.now),
        lambda: running.notify_rooms(
            hall.session,
            hall.session.get_one(Sitting, hall.sitting_id),
            content={"vi": "x", "en": "x"},
            by=hall.people["Hall"],
            now=hall.now,
        ),
    ):
        with pytest.raises(Refused), hall.write():
            act()


# ------------------------------------------------------------------------ once more


def grant_again(hall: ExamHall, bell: datetime) -> bool:
    def act() -> None:
        second_attempts.ask_second_attempt(
            hall.session,
            hall.attempt("An"),
            bell_at=bell,
            room="Phòng 9",
            reason="mất điện",
            zone=ZONE,
            by=hall.people["Chair"],
            now=hall.now,
        )

    return asked(hall, act, by="Authority")


def test_whoever_sits_again_does_so_with_the_spare_paper_and_only_that_counts(writing_hall: ExamHall) -> None:
    hall = writing_hall
    lease = hall.lease("An")
    answer(hall, "An", 0, lease)
    with pytest.raises(Refused, match="has not ended"):
        grant_again(hall, BELL + timedelta(days=1))
    hall.now = BELL + timedelta(minutes=26)
    hall.work()
    first = hall.attempt("An")
    assert grant_again(hall, BELL + timedelta(days=1))
    hall.session.expire_all()
    assert (first.state, first.receipt is not None) == ("cancelled", True)
    with pytest.raises(Refused, match="already granted"):
        grant_again(hall, BELL + timedelta(days=2))
    other = queries.sittings_of(hall.session, hall.competition_id)[-1]
    assert [(seat.room.name, seat.application_id) for seat in other.seats] == [("Phòng 9", hall.applications["An"])]
    main = hall.session.get_one(Form, hall.session.get_one(Sitting, hall.sitting_id).form_id)
    with pytest.raises(Refused, match="already before a candidate"), hall.write():
        planning.prepare_attempts(hall.session, other, form=main, now=hall.now)
    assert planning.paper_for(hall.session, other) is None, "the spare paper is not open yet"
    assert_in_order(hall)


def test_everybody_has_one_attempt_that_counts(writing_hall: ExamHall) -> None:
    hall = writing_hall
    hall.now = BELL + timedelta(minutes=26)
    hall.work()
    assert grant_again(hall, BELL + timedelta(days=1))
    states = dict(hall.session.execute(select(Attempt.application_id, Attempt.state)).all())
    assert sorted(states.values()) == ["cancelled", "closed"]
