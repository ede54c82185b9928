"""Before the bell: date, rooms and seats of a sitting, then an attempt for everybody summoned."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examsvc.accounts.approvals import Approved, ask, carries_out, line
from examsvc.accounts.models import ApprovalRequest
from examsvc.applications.models import Application
from examsvc.base.clock import seconds
from examsvc.base.errors import N_, Refused
from examsvc.base.language import in_language
from examsvc.competitions import drawing
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.ledger import chains
from examsvc.ledger import drawing as draws
from examsvc.ledger.draw_records import DrawRecord
from examsvc.ledger.operations import Sealed, record
from examsvc.papers import queries as papers
from examsvc.papers.models import Form
from examsvc.sittings import notices, queries, scope, unrehearsed
from examsvc.sittings.models import Attempt, Room, Seat, SecondAttempt, Sitting


@dataclass(frozen=True)
class RoomPlan:
    """A room as it is planned: its name, how many places, whether it is for separate seating only."""

    name: str
    places: int
    separate: bool = False


@dataclass(frozen=True)
class Arrangement:
    """What was granted to one candidate for the sitting: it reaches the sitting and never a marker."""

    extra_minutes: int = 0
    separate_room: bool = False
    may_break: bool = False
    note: str | None = None


def schedule_sitting(
    session: Session,
    competition: Competition,
    *,
    part: str,
    bell_at: datetime,
    rooms: Sequence[RoomPlan],
    candidates: Sequence[Application],
    by: int,
    now: datetime,
    arrangements: Mapping[int, Arrangement] | None = None,
) -> Sitting:
    """Fixes date, rooms and places of a part.  Minutes and grace are the regulation's.

    ``candidates`` are summoned in the order given; ``arrangements`` maps an application's id to what was granted.  Where the regulation
    has seats drawn, who sits on which of these places is open until that draw (``ask_seats``).  Refused when there is no place for
    somebody.
    """
    regulation = competitions.regulation(competition)
    rule = regulation.part(part)
    if rule.minutes is None or rule.kind not in ("objective", "essay"):
        raise Refused(N_("This part is not sat on a computer in a room."), field="part")
    if bell_at <= now:
        raise Refused(N_("The bell must lie ahead. Choose a later time."), field="bell")
    if not candidates:
        raise Refused(N_("Nobody is admitted to this part yet. Decide on the files first."))
    names = [room.name for room in rooms]
    if not rooms or len(set(names)) != len(names) or any(not name.strip() for name in names):
        raise Refused(N_("Name at least one room, each only once."), field="rooms")
    number = session.scalar(
        select(func.count()).select_from(Sitting).where(Sitting.competition_id == competition.id, Sitting.part == part)
    )
    sitting = Sitting(
        competition_id=competition.id,
        code=f"{part}-{(number or 0) + 1}",
        part=part,
        bell_at=bell_at,
        minutes=rule.minutes,
        grace_seconds=regulation.sitting.grace_seconds,
        planned_at=now,
        planned_by_id=by,
        revision=1,
    )
    sitting.rooms = [
        Room(code=f"room-{place}", name=room.name.strip(), places=room.places, separate=room.separate)
        for place, room in enumerate(rooms, start=1)
    ]
    session.add(sitting)
    session.flush()
    for room, place, application in _seated(sitting.rooms, candidates, arrangements or {}):
        granted = (arrangements or {}).get(application.id, Arrangement())
        session.add(
            Seat(
                sitting_id=sitting.id,
                room_id=room.id,
                application_id=application.id,
                place=place,
                extra_minutes=granted.extra_minutes,
                may_break=granted.may_break,
                arrangements=granted.note,
            )
        )
    session.flush()
    session.expire(sitting, ["seats"])
    if drawing.method(competition, "seats") != "none" and len(drawn_seats(sitting)) > 1:
        sitting.seating = "to-draw"
    _record_plan(session, sitting, by, now)
    return sitting


# -------------------------------------------------------------------------------- the draw of the seats

SEATS = "sittings.seats"


def drawn_seats(sitting: Sitting) -> list[Seat]:
    """The places that are drawn, with whoever holds them now: all but those in separate rooms."""
    return [seat for seat in sitting.seats if not seat.room.separate]


def seats_draw(session: Session, sitting: Sitting) -> DrawRecord | None:
    """The newest draw of the sitting's seats, as the log tells it."""
    return draws.newest(session, sitting.competition.slug, "seats", sitting.code)


def ask_seats(
    session: Session, sitting: Sitting, *, by: int, now: datetime, language: str = "vi"
) -> ApprovalRequest:
    """Asks to draw who sits where, among the places of the common rooms; a second person approves."""
    _require_drawable(session, sitting)
    competition = sitting.competition
    seats = drawn_seats(sitting)
    how, given = drawing.terms(session, competition, "seats", now=now, language=language)
    part = in_language(competitions.regulation(competition).part(sitting.part).label.model_dump(), language)
    return ask(
        session,
        kind=SEATS,
        entry_type="draw.announced",
        competition=competition.slug,
        lines=[
            line(language, N_("Draw the seats of the sitting"), f"{sitting.code} ({part})"),
            line(language, N_("Candidates and places"), str(len(seats))),
            *how,
        ],
        arguments={"sitting": sitting.id, "revision": sitting.revision, **given},
        terms=competitions.approval_terms(competition, drawing.STEP),
        by=by,
        now=now,
    )


def _require_drawable(session: Session, sitting: Sitting) -> None:
    if sitting.seating == "drawn":
        raise Refused(N_("The seats of this sitting are drawn already."))
    if sitting.seating != "to-draw":
        raise Refused(N_("The seats of this sitting are not drawn: the regulation gives them out in order."))
    if sitting.prepared_at is not None:
        raise Refused(N_("The attempts of this sitting are already prepared."))
    drawing.require_free(session, sitting.competition, "seats", sitting.code)


@carries_out(SEATS)
def _hold_seats(session: Session, approved: Approved) -> None:
    sitting = session.get_one(Sitting, int(approved.arguments["sitting"]))
    _require_drawable(session, sitting)
    if sitting.revision != approved.arguments["revision"]:
        raise Refused(N_("The plan has changed since the draw was asked for. Ask for it again."))
    seats = drawn_seats(sitting)
    frame = scope.of_sitting(sitting)
    drawing.hold(
        session,
        sitting.competition,
        approved,
        purpose="seats",
        posts=frame["posts"],
        stage=frame["stage"],
        about=draws.About(
            sitting.code,
            {"sitting": sitting.id},
            "assignment",
            {
                "items": sorted(seat.application.candidate_number or "" for seat in seats),
                "places": sorted(_place(seat.room, seat.place) for seat in seats),
            },
        ),
    )


def _place(room: Room, place: str) -> str:
    """How a draw names a place: room and number."""
    return f"{room.code}.{place}"


@draws.when_drawn("seats")
def _seat_as_drawn(session: Session, log: str, held: draws.Held, now: datetime) -> None:
    """Everybody takes the drawn place; whoever was summoned since the draw was announced keeps a place that was not in it."""
    sitting = session.get_one(Sitting, int(held.arguments["sitting"]))
    if sitting.prepared_at is not None:
        return  # too late for this sitting: the draw stands in the record and decides nothing
    rooms = {_place(room, str(number)): (room, str(number)) for room in sitting.rooms for number in range(1, room.places + 1)}
    drawn = {str(candidate): rooms[str(place)] for candidate, place in held.result}
    seats = [seat for seat in drawn_seats(sitting) if seat.application.candidate_number in drawn]
    for seat in seats:  # out of each other's way first: no two may hold one place even for a moment
        seat.place = f"-{seat.id}"
    session.flush()
    for seat in seats:
        seat.room, seat.place = drawn[seat.application.candidate_number or ""]
    sitting.seating, sitting.draw = "drawn", held.code
    sitting.revision += 1
    session.flush()
    session.expire(sitting, ["seats"])
    _record_plan(session, sitting, int(held.arguments["by"]), now)
    for seat in seats:
        notices.seated(session, seat, now=now)


def _seated(
    rooms: Sequence[Room], candidates: Sequence[Application], arrangements: Mapping[int, Arrangement]
) -> Iterable[tuple[Room, str, Application]]:
    """Common rooms are filled one after the other; separate rooms take those to whom one was granted, one each."""
    common = [room for room in rooms if not room.separate]
    separate = [room for room in rooms if room.separate]
    taken: dict[int, int] = {}
    for application in candidates:
        alone = arrangements.get(application.id, Arrangement()).separate_room
        for room in separate if alone else common:
            if taken.get(room.id, 0) < (1 if alone else room.places):
                taken[room.id] = taken.get(room.id, 0) + 1
                yield room, str(taken[room.id]), application
                break
        else:
            raise Refused(
                N_("There is no separate room for every candidate to whom one was granted. Add a separate room.")
                if alone
                else N_("The rooms have fewer places than there are candidates. Add a room or places."),
                field="rooms",
            )


def take_in(
    session: Session,
    competition: Competition,
    application: Application,
    *,
    part: str,
    bell_at: datetime,
    room: str,
    arrangement: Arrangement,
    by: int,
    now: datetime,
) -> Seat:
    """A seat for one more candidate: in the sitting of this part at that bell, if it is planned and not prepared, or in a new one.

    It is the next free place of the room, not a drawn one.
    """
    sitting = next(
        (
            one
            for one in queries.sittings_of(session, competition.id)
            if one.part == part and one.bell_at == bell_at and one.prepared_at is None
        ),
        None,
    )
    if sitting is None:
        sitting = schedule_sitting(
            session,
            competition,
            part=part,
            bell_at=bell_at,
            rooms=[RoomPlan(room, 1, arrangement.separate_room)],
            candidates=[application],
            arrangements={application.id: arrangement},
            by=by,
            now=now,
        )
        return sitting.seats[0]
    if any(seat.application_id == application.id for seat in sitting.seats):
        raise Refused(N_("This candidate has a seat in that sitting already. Choose another time."), field="bell")
    place = next((one for one in sitting.rooms if one.name == room.strip()), None)
    if place is None:
        place = Room(code=f"room-{len(sitting.rooms) + 1}", name=room.strip(), places=1, separate=arrangement.separate_room)
        sitting.rooms.append(place)
        session.flush()
    taken = [int(seat.place) for seat in sitting.seats if seat.room_id == place.id]
    seat = Seat(
        sitting_id=sitting.id,
        room_id=place.id,
        application_id=application.id,
        place=str(max(taken, default=0) + 1),
        extra_minutes=arrangement.extra_minutes,
        may_break=arrangement.may_break,
        arrangements=arrangement.note,
    )
    place.places = max(place.places, len(taken) + 1)
    sitting.revision += 1
    session.add(seat)
    session.flush()
    session.expire(sitting, ["seats"])
    _record_plan(session, sitting, by, now)
    return seat


def move_bell(session: Session, sitting: Sitting, *, bell_at: datetime, by: int, now: datetime) -> None:
    """Moves the bell of a sitting that has not begun; everybody's deadline moves with it."""
    if sitting.started_at is not None or sitting.bell_at <= now:
        raise Refused(N_("The sitting has begun; its bell can no longer be moved."))
    if bell_at <= now:
        raise Refused(N_("The bell must lie ahead. Choose a later time."), field="bell")
    sitting.bell_at = bell_at
    sitting.revision += 1
    session.flush()
    _record_plan(session, sitting, by, now)


def _record_plan(session: Session, sitting: Sitting, by: int, now: datetime) -> None:
    plan = {
        "sitting": sitting.code,
        "seats": [
            {"candidate": seat.application.candidate_number, "room": seat.room.code, "seat": seat.place}
            for seat in sorted(sitting.seats, key=lambda seat: seat.application.candidate_number or "")
        ],
    }
    record(
        session,
        sitting.competition.slug,
        "sitting.scheduled",
        now=now,
        by=scope.actor(session, by),
        **scope.of_sitting(sitting),
        revision=sitting.revision,
        bell=seconds(sitting.bell_at),
        rooms=sorted(room.code for room in sitting.rooms),
        count=len(sitting.seats),
        plan=Sealed(plan),
        draw=sitting.draw,
    )


def prepare_attempts(session: Session, sitting: Sitting, *, form: Form, now: datetime) -> list[Attempt]:
    """Makes every attempt before the bell, with its seed and its time: the bell only opens it."""
    if sitting.prepared_at is not None:
        raise Refused(N_("The attempts of this sitting are already prepared."))
    if sitting.seating == "to-draw":
        raise Refused(N_("The seats of this sitting are not drawn yet. Chair and secretary of the council draw them first."))
    if form.part != sitting.part or form.competition_id != sitting.competition_id:
        raise Refused(N_("This paper belongs to another part of the exam. Choose the right one."), field="form")
    if form.state != "opened":
        raise Refused(N_("The paper is not open yet. Its custodians open it shortly before the bell."), field="form")
    if unrehearsed.bars(session, sitting):
        raise Refused(
            N_("The custodians have not rehearsed opening a paper, as the regulation asks. Two people decide, with a reason, to go on without.")
        )
    again = queries.second_attempts(session, sitting.id)
    if any(one.previous.sitting.form_id == form.id for one in again.values()):
        raise Refused(
            N_("This paper was already before a candidate who sits again. Open the spare paper and prepare with it."),
            field="form",
        )
    sitting.form_id, sitting.prepared_at = form.id, now
    session.flush()
    session.refresh(sitting)
    return [_prepare(session, seat, again.get(seat.id), now) for seat in sitting.seats]


def paper_for(session: Session, sitting: Sitting) -> Form | None:
    """The open paper that the sitting is to use: the one in force, or the spare where somebody sits again; None before."""
    seen = {one.previous.sitting.form_id for one in queries.second_attempts(session, sitting.id).values()}
    shift = queries.shift_of(session, sitting)
    offered = (
        papers.usable_form(session, sitting.competition_id, sitting.part, shift),
        papers.standing(session, sitting.competition_id, sitting.part, "spare", shift) if seen else None,
    )
    return next((one for one in offered if one is not None and one.opened_at is not None and one.id not in seen), None)


def _prepare(session: Session, seat: Seat, again: SecondAttempt | None, now: datetime) -> Attempt:
    """One attempt for one summoned candidate; ``again`` is the decision that he sits again."""
    sitting = seat.sitting
    code = again.code if again is not None else secrets.token_hex(6)
    attempt = Attempt(
        code=code,
        sitting_id=sitting.id,
        application_id=seat.application_id,
        room_id=seat.room_id,
        seat_id=seat.id,
        seed=secrets.token_hex(16),
        extra_minutes=seat.extra_minutes,
        previous_id=again.previous_id if again is not None else None,
        chain_head=chains.start(sitting.competition.slug, code).head,
        flags=[],
        notices_read=[],
    )
    session.add(attempt)
    session.flush()
    number = attempt.application.candidate_number
    subject = attempt.application.account.code
    record(
        session,
        sitting.competition.slug,
        "attempt.prepared",
        now=now,
        **scope.of_attempt(attempt),
        paper=form_code(sitting.form),
        candidate=Sealed({"attempt": code, "candidate": number}, subject=subject),
        terms=Sealed(terms_of(session, attempt), subject=subject),
    )
    return attempt


def form_code(form: Form | None) -> str:
    """How the ledger names a paper."""
    if form is None:
        raise Refused(N_("This sitting has no paper yet."))
    return form.code


def terms_of(session: Session, attempt: Attempt) -> dict[str, Any]:
    """What is put before the candidate: form, order of items and options, time without credits and pauses."""
    orders = queries.shown_order(session, attempt)
    return {
        "attempt": attempt.code,
        "form": form_code(attempt.sitting.form),
        "seconds": (attempt.sitting.minutes + attempt.extra_minutes) * 60,
        "slots": [
            {"slot": slot.number, "item": slot.digest, **({"order": order} if order else {})}
            for slot, order in orders
        ],
    }
