"""What happens to a sitting: planned, prepared, checked in, opened, paused, submitted, closed."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from examsvc.accounts.passwords import hash_password, matches
from examsvc.applications.models import Application
from examsvc.base.errors import N_, Refused
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.ledger import chains
from examsvc.papers.models import Form
from examsvc.sittings import queries, rules
from examsvc.sittings.models import Attempt, Credit, Incident, Pause, Room, RoomNotice, Sitting
from examsvc.sittings.saving import SaveRefused, moment

CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CODE_LENGTH = 6


def plan_sitting(
    session: Session, competition: Competition, *, part: str, bell_at: datetime, rooms: Sequence[str]
) -> Sitting:
    """Fixes when and where a part is sat.  Minutes and grace come from the regulation."""
    regulation = competitions.regulation(competition)
    rule = regulation.part(part)
    if rule.minutes is None:
        raise Refused(N_("This part is not sat in a room."))
    if not rooms:
        raise Refused(N_("Name at least one room."), field="rooms")
    sitting = Sitting(
        competition_id=competition.id,
        part=part,
        bell_at=bell_at,
        minutes=rule.minutes,
        grace_seconds=regulation.sitting.grace_seconds,
    )
    sitting.rooms = [Room(name=name) for name in dict.fromkeys(rooms)]
    session.add(sitting)
    session.flush()
    return sitting


def prepare_attempts(
    session: Session,
    sitting: Sitting,
    *,
    form: Form,
    candidates: Sequence[Application],
    now: datetime,
    extra_minutes: Mapping[int, int] | None = None,
) -> list[Attempt]:
    """Makes every attempt before the bell, with its seat and its seed; the bell only opens it.

    ``extra_minutes`` maps an application's id to the minutes that its accommodation grants.
    """
    if sitting.prepared_at is not None:
        raise Refused(N_("The attempts of this sitting are already prepared."))
    if form.part != sitting.part:
        raise Refused(N_("This paper belongs to another part of the exam. Choose the right one."))
    sitting.form_id = form.id
    sitting.prepared_at = now
    slug = candidates[0].competition.slug if candidates else ""
    made = []
    for place, application in enumerate(candidates):
        code = secrets.token_hex(5).upper()
        attempt = Attempt(
            code=code,
            sitting_id=sitting.id,
            application_id=application.id,
            room_id=sitting.rooms[place % len(sitting.rooms)].id,
            seat=str(place // len(sitting.rooms) + 1),
            seed=secrets.token_hex(16),
            extra_minutes=(extra_minutes or {}).get(application.id, 0),
            chain_head=chains.start(slug, code).head,
            flags=[],
            notices_read=[],
        )
        session.add(attempt)
        made.append(attempt)
    session.flush()
    return made


def new_code() -> str:
    """A one-time code of six characters without look-alikes: about 30 bits, hashed at once, tries are limited."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


def hash_code(code: str) -> str:
    return hash_password(code.replace(" ", "").upper())


def check_in(
    session: Session, attempt: Attempt, *, code_hash: str, by: int, now: datetime, exception_reason: str | None = None
) -> None:
    """Lets a candidate in, against identity card and photograph, and gives the one-time code to that person alone.

    After the regulation's late limit only with the reason of an exception.  Checking in again (a lost code) replaces the
    code and ends nothing.
    """
    if attempt.state not in ("prepared", "checked-in", "absent"):
        raise Refused(N_("This attempt has ended; nobody can be checked in any more."))
    regulation = competitions.regulation(attempt.application.competition)
    sitting = attempt.sitting
    limit = regulation.late_limit(sitting.minutes)
    if attempt.state != "checked-in" and not rules.admitted(sitting.bell_at, limit, now) and not exception_reason:
        raise Refused(
            N_("The late limit of %(minutes)d minutes has passed. Only the person named in the regulation may admit this candidate, with a reason."),
            minutes=limit,
        )
    if attempt.state != "checked-in":
        attempt.checked_in_at = now
        if not regulation.sitting.common_start and now > sitting.bell_at:
            attempt.own_bell_at = now
    attempt.state = "checked-in"
    attempt.code_hash = code_hash
    if exception_reason:
        session.add(
            Incident(
                sitting_id=sitting.id,
                attempt_id=attempt.id,
                kind="late-exception",
                account_of=exception_reason,
                details={},
                by_id=by,
                at=now,
            )
        )
    session.flush()


def find_attempt_for_code(session: Session, *, competition: Competition, number: str, code: str, now: datetime) -> Attempt | None:
    """The checked-in attempt whose candidate number and one-time code these are.  Hashes: outside a writing transaction."""
    candidates = session.scalars(
        select(Attempt)
        .join(Application)
        .join(Sitting)
        .where(
            Application.competition_id == competition.id,
            Application.candidate_number == number.strip(),
            Sitting.closed_at.is_(None),
            Attempt.state.in_(("checked-in", "submitted", "closed")),
        )
        .order_by(Sitting.bell_at)
    ).all()
    cleaned = code.replace(" ", "").replace("-", "").upper()
    found = None
    for attempt in candidates:
        if matches(attempt.code_hash, cleaned):
            found = attempt
    if not candidates:
        matches(None, cleaned)
    return found


def take_lease(session: Session, attempt: Attempt, *, machine: str, now: datetime) -> str:
    """The right to save, for one page: the same machine takes over by itself, another only after a release."""
    session.refresh(attempt, with_for_update=True)
    if attempt.machine is not None and attempt.machine != machine:
        raise SaveRefused(
            423,
            "held-elsewhere",
            N_("This exam is open on another machine. Ask the invigilator to release it; what you wrote there is safe."),
        )
    attempt.machine = machine
    attempt.lease = secrets.token_hex(16)
    session.flush()
    return attempt.lease


def release_attempt(session: Session, attempt: Attempt, *, by: int, reason: str, now: datetime) -> None:
    """Lets the candidate go on at another machine; the former page becomes read-only at its next request."""
    if not reason:
        raise Refused(N_("Give the reason for the change of machine."), field="reason")
    attempt.machine = None
    attempt.lease = None
    session.add(
        Incident(
            sitting_id=attempt.sitting_id,
            attempt_id=attempt.id,
            kind="take-over",
            account_of=reason,
            details={},
            by_id=by,
            at=now,
        )
    )
    session.flush()


def mark_opened(session: Session, attempt: Attempt, now: datetime) -> None:
    if attempt.opened_at is None:
        attempt.opened_at = now
        session.flush()


def pause_room(session: Session, room: Room, *, reason: str, by: int, now: datetime) -> None:
    if any(pause.until is None for pause in room.pauses):
        raise Refused(N_("The clock of this room stands still already."))
    if not reason:
        raise Refused(N_("Give the reason for the pause."), field="reason")
    room.pauses.append(Pause(since=now, reason=reason, by_id=by))
    session.flush()


def resume_room(session: Session, room: Room, *, by: int, now: datetime) -> None:
    standing = next((pause for pause in room.pauses if pause.until is None), None)
    if standing is None:
        raise Refused(N_("The clock of this room is running."))
    standing.until = now
    session.flush()


def grant_credit(session: Session, attempt: Attempt, *, seconds: int, reason: str, by: int, now: datetime) -> None:
    """Gives lost time back to one attempt that has not ended."""
    if attempt.state != "checked-in":
        raise Refused(N_("This attempt has ended; time can no longer be given."))
    if seconds <= 0 or seconds > 24 * 3600:
        raise Refused(N_("Give a number of minutes above zero."), field="minutes")
    if not reason:
        raise Refused(N_("Give the reason for the extra time."), field="reason")
    session.add(Credit(attempt_id=attempt.id, seconds=seconds, reason=reason, by_id=by, at=now))
    session.flush()


def notify_rooms(session: Session, sitting: Sitting, *, content: Mapping[str, str], by: int, now: datetime) -> RoomNotice:
    if not all(content.get(language) for language in ("vi", "en")):
        raise Refused(N_("Write the notice in both languages."), field="vi")
    notice = RoomNotice(sitting_id=sitting.id, content=dict(content), by_id=by, at=now)
    session.add(notice)
    session.flush()
    return notice


def submit_attempt(
    session: Session, attempt: Attempt, *, lease: str | None, versions: Mapping[int, int], submit_id: str, now: datetime
) -> dict[str, Any]:
    """Ends the attempt at its candidate's wish; never changes an answer.  A repeated submit gets the same receipt."""
    session.refresh(attempt, with_for_update=True)
    if attempt.receipt is not None:
        return attempt.receipt
    if attempt.lease is None or lease != attempt.lease:
        raise SaveRefused(
            423,
            "lease-lost",
            N_("This exam is now open on another page. Go on there; what you wrote here is kept on this machine."),
        )
    newest = queries.newest_saves(session, attempt.id)
    differing = sorted(
        {slot for slot, version in versions.items() if version != (newest[slot].version if slot in newest else 0)}
        | {slot for slot in newest if slot not in versions}
    )
    if differing:
        raise SaveRefused(
            409,
            "conflict",
            N_("Some answers on the server are not the ones on this page. The page compares them now."),
            slots=differing,
        )
    return _end(session, attempt, state="submitted", submit_id=submit_id, now=now)


def close_attempt(session: Session, attempt: Attempt, *, now: datetime) -> dict[str, Any] | None:
    """Ends an attempt whose time is over; what is stored is what is marked.  None when it may not be closed yet."""
    session.refresh(attempt, with_for_update=True)
    if attempt.receipt is not None:
        return attempt.receipt
    if attempt.state != "checked-in" or not rules.may_be_closed(queries.timing(session, attempt), now):
        return None
    return _end(session, attempt, state="closed", submit_id=None, now=now)


def _end(session: Session, attempt: Attempt, *, state: str, submit_id: str | None, now: datetime) -> dict[str, Any]:
    ended = session.execute(
        update(Attempt)
        .where(Attempt.id == attempt.id, Attempt.state == "checked-in")
        .values(state=state, ended_at=now, submit_id=submit_id)
    )
    if ended.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused(N_("This attempt has ended already or was never opened."))
    session.refresh(attempt)
    every = queries.slots(session, attempt)
    newest = queries.newest_saves(session, attempt.id)
    answered = sum(1 for slot in every if slot.number in newest and newest[slot.number].value is not None)
    attempt.receipt = {
        "code": base64.b32encode(bytes.fromhex(attempt.chain_head)[:13]).decode()[:20],
        "submitted_at": moment(now),
        "answered": answered,
        "blank": len(every) - answered,
    }
    session.flush()
    return attempt.receipt


def close_sitting(session: Session, sitting: Sitting, *, now: datetime) -> bool:
    """Closes every attempt whose time is over, marks who never came as absent, and the sitting when all have ended."""
    if sitting.prepared_at is None:
        return False
    for attempt in sitting.attempts:
        if attempt.state == "checked-in":
            close_attempt(session, attempt, now=now)
        elif attempt.state == "prepared" and rules.may_be_closed(queries.timing(session, attempt), now):
            attempt.state = "absent"
    session.flush()
    running = session.scalar(
        select(func.count())
        .select_from(Attempt)
        .where(Attempt.sitting_id == sitting.id, Attempt.state.in_(("prepared", "checked-in")))
    )
    if running:
        return False
    if sitting.closed_at is None:
        sitting.closed_at = now
        session.flush()
    return True
