"""While the exam runs: the bell, chain heads, pauses, credits, notices, and machines that change."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts.approvals import Approved, ask, carries_out, line
from examsvc.base.clock import seconds
from examsvc.base.errors import N_, Refused
from examsvc.competitions import queries as competitions
from examsvc.ledger import chains
from examsvc.ledger.operations import Sealed, hold, record
from examsvc.ledger.operations import record_heads as ledger_heads
from examsvc.sittings import queries, scope
from examsvc.sittings.models import Attempt, Credit, Pause, Room, RoomNotice, Sitting
from examsvc.sittings.planning import form_code
from examsvc.sittings.saving import SaveRefused


def start_sitting(session: Session, sitting: Sitting, *, now: datetime) -> None:
    """The bell, put on record once; the attempts were ready before it."""
    if sitting.started_at is not None or sitting.prepared_at is None or now < sitting.bell_at:
        return
    sitting.started_at = now
    session.flush()
    record(
        session,
        sitting.competition.slug,
        "sitting.started",
        now=now,
        **scope.of_sitting(sitting),
        paper=form_code(sitting.form),
        bell=seconds(sitting.bell_at),
        prepared=len(sitting.attempts),
        checked_in=sum(1 for attempt in sitting.attempts if attempt.checked_in_at is not None),
    )


def record_heads(session: Session, sitting: Sitting, *, now: datetime) -> None:
    """Commits to where the chains of all open attempts stand; due at least each minute while the sitting runs."""
    slug = sitting.competition.slug
    hold(session, slug)
    standing = (
        select(Attempt)
        .where(Attempt.sitting_id == sitting.id, Attempt.state == "checked-in")
        .execution_options(populate_existing=True)  # whoever was checked in before the log was held counts
    )
    heads = [chains.Head(attempt.code, attempt.links, attempt.chain_head) for attempt in session.scalars(standing)]
    ledger_heads(session, slug, heads, now=now, **scope.of_sitting(sitting))


def _require_running(sitting: Sitting) -> None:
    if sitting.started_at is None:
        raise Refused(N_("The sitting has not begun yet."))
    if sitting.closed_at is not None:
        raise Refused(N_("The sitting is closed."))


def pause_room(session: Session, room: Room, *, reason: str, by: int, now: datetime) -> None:
    """Stops the clock of a room for everybody in it."""
    _require_running(room.sitting)
    if any(pause.until is None for pause in room.pauses):
        raise Refused(N_("The clock of this room stands still already."))
    if not reason.strip():
        raise Refused(N_("Write the reason."), field="reason")
    room.pauses.append(Pause(since=now, reason=reason, by_id=by))
    session.flush()
    body: dict[str, Any] = {"room": room.code, "from": seconds(now), "reason": Sealed({"text": reason})}
    record(
        session,
        room.sitting.competition.slug,
        "room.paused",
        now=now,
        by=scope.actor(session, by),
        **scope.of_sitting(room.sitting),
        **body,
    )


def resume_room(session: Session, room: Room, *, by: int, now: datetime) -> None:
    """Lets the clock of a room go on; every deadline in it moves by the length of the pause."""
    standing = next((pause for pause in room.pauses if pause.until is None), None)
    if standing is None:
        raise Refused(N_("The clock of this room is running."))
    standing.until = now
    session.flush()
    record(
        session,
        room.sitting.competition.slug,
        "room.resumed",
        now=now,
        by=scope.actor(session, by),
        **scope.of_sitting(room.sitting),
        room=room.code,
        at=seconds(now),
    )


def begin_break(session: Session, attempt: Attempt, *, by: int, now: datetime) -> None:
    """Stops one candidate's clock, where breaks that stop the clock were granted."""
    _require_running(attempt.sitting)
    if not attempt.seat.may_break:
        raise Refused(N_("Breaks that stop the clock were not granted to this candidate."))
    if attempt.state != "checked-in":
        raise Refused(N_("This attempt has ended or was never opened."))
    if session.scalar(select(Pause.id).where(Pause.attempt_id == attempt.id, Pause.until.is_(None))):
        raise Refused(N_("This candidate is on a break already."))
    session.add(Pause(attempt_id=attempt.id, since=now, reason="granted break", by_id=by))
    session.flush()


def end_break(session: Session, attempt: Attempt, *, by: int, now: datetime) -> None:
    """Lets the candidate's clock go on.  The break itself was granted beforehand; the deadline that it moved is part of the
    answer set that the log commits to when the attempt ends."""
    standing = session.scalar(select(Pause).where(Pause.attempt_id == attempt.id, Pause.until.is_(None)))
    if standing is None:
        raise Refused(N_("This candidate is not on a break."))
    standing.until = now
    session.flush()


def ask_credit(
    session: Session, attempt: Attempt, *, minutes: int, reason: str, by: int, now: datetime, language: str = "vi"
) -> None:
    """Asks to give lost time back to one attempt; a second person approves."""
    _require_running(attempt.sitting)
    if attempt.state != "checked-in":
        raise Refused(N_("This attempt has ended; time can no longer be given."))
    _ask_credits(
        session, [attempt], scope.named(attempt, language), minutes=minutes, reason=reason, by=by, now=now, language=language
    )


def ask_room_credit(
    session: Session, room: Room, *, minutes: int, reason: str, by: int, now: datetime, language: str = "vi"
) -> None:
    """Asks, once, to give lost time back to everybody who still writes in a room: after a power cut, a server that was away."""
    _require_running(room.sitting)
    writing = [one for one in room.sitting.attempts if one.room_id == room.id and one.state == "checked-in"]
    if not writing:
        raise Refused(N_("Nobody writes in this room any more; time can no longer be given."))
    numbers = ", ".join(sorted(one.application.candidate_number or "" for one in writing))
    lines = [
        line(language, N_("Sitting"), room.sitting.code),
        line(language, N_("Room"), room.name),
        line(language, N_("Candidates"), f"{numbers} ({len(writing)})"),
    ]
    _ask_credits(session, writing, lines, minutes=minutes, reason=reason, by=by, now=now, language=language)


def _ask_credits(
    session: Session,
    attempts: Sequence[Attempt],
    whose: Sequence[str],
    *,
    minutes: int,
    reason: str,
    by: int,
    now: datetime,
    language: str,
) -> None:
    if not 1 <= minutes <= 24 * 60:
        raise Refused(N_("Give a number of minutes above zero."), field="minutes")
    if not reason.strip():
        raise Refused(N_("Write the reason."), field="reason")
    competition = attempts[0].sitting.competition
    ask(
        session,
        kind="sittings.credit",
        entry_type="attempt.credited",
        competition=competition.slug,
        lines=[
            line(language, N_("Give lost time back, in minutes"), str(minutes)),
            *whose,
            line(language, N_("Reason"), reason),
        ],
        arguments={"attempts": [one.id for one in attempts], "seconds": minutes * 60, "reason": reason},
        terms=competitions.approval_terms(competition, "grant-time"),
        by=by,
        now=now,
    )


@carries_out("sittings.credit")
def _grant_credit(session: Session, approved: Approved) -> None:
    found = [session.get_one(Attempt, number) for number in approved.arguments["attempts"]]
    writing = [attempt for attempt in found if attempt.state == "checked-in"]
    if not writing:
        raise Refused(N_("This attempt has ended; time can no longer be given."))
    for attempt in writing:
        _credit(session, attempt, approved)


def _credit(session: Session, attempt: Attempt, approved: Approved) -> None:
    added = int(approved.arguments["seconds"])
    session.add(
        Credit(
            attempt_id=attempt.id,
            seconds=added,
            reason=approved.arguments["reason"],
            by_id=approved.last_by,
            at=approved.now,
        )
    )
    session.flush()
    record(
        session,
        attempt.sitting.competition.slug,
        "attempt.credited",
        now=approved.now,
        by=scope.actor(session, approved.last_by),
        approvals=approved.approvals,
        summary=approved.summary,
        **scope.of_attempt(attempt),
        credit=Sealed(
            {"attempt": attempt.code, "seconds": added, "reason": approved.arguments["reason"]},
            subject=attempt.application.account.code,
        ),
    )


def notify_rooms(
    session: Session, sitting: Sitting, *, content: Mapping[str, str], by: int, now: datetime
) -> RoomNotice:
    """One notice to all rooms, in every language of the exam; each player shows it until it is acknowledged."""
    _require_running(sitting)
    languages = competitions.regulation(sitting.competition).languages
    for language in languages:
        if not content.get(language, "").strip():
            raise Refused(N_("Write the notice in every language of the exam."), field=language)
    notice = RoomNotice(
        sitting_id=sitting.id, content={language: content[language] for language in languages}, by_id=by, at=now
    )
    session.add(notice)
    session.flush()
    record(
        session,
        sitting.competition.slug,
        "sitting.noticed",
        now=now,
        by=scope.actor(session, by),
        **scope.of_sitting(sitting),
        notice=Sealed({"sitting": sitting.code, "text": "\n".join(notice.content[one] for one in languages)}),
    )
    return notice


def take_lease(session: Session, attempt: Attempt, *, machine: str, now: datetime) -> str:
    """The right to save, for one page: the same machine takes over by itself, another only after a release."""
    queries.hold(session, attempt)
    if attempt.machine is not None and attempt.machine != machine:
        raise SaveRefused(
            423,
            "held-elsewhere",
            N_("This exam is open on another machine. Ask the invigilator to release it; what you wrote there is safe."),
        )
    attempt.machine, attempt.lease, attempt.moving_since = machine, secrets.token_hex(16), None
    if attempt.seen_at is None:
        attempt.seen_at = now
    if attempt.opened_at is None:
        attempt.opened_at = now
    session.flush()
    return attempt.lease


def ask_to_move(session: Session, attempt: Attempt, *, now: datetime) -> None:
    """Remembers that the candidate waits at another machine, so that the invigilator sees it; nothing is granted by it."""
    if attempt.moving_since is None and attempt.state == "checked-in":
        attempt.moving_since = now
        session.flush()


def release_attempt(session: Session, attempt: Attempt, *, reason: str, by: int, now: datetime) -> None:
    """Lets the candidate go on at another machine, with the same slip; the former page becomes read-only at its next request."""
    if attempt.state != "checked-in":
        raise Refused(N_("This attempt has ended or was never opened."))
    if attempt.machine is None:
        raise Refused(N_("No machine holds this attempt; the candidate can open it anywhere."))
    if not reason.strip():
        raise Refused(N_("Write the reason."), field="reason")
    left = attempt.machine
    attempt.machine = attempt.lease = attempt.moving_since = attempt.code_place = None
    attempt.leases += 1
    session.flush()
    record(
        session,
        attempt.sitting.competition.slug,
        "attempt.moved",
        now=now,
        by=scope.actor(session, by),
        **scope.of_attempt(attempt),
        lease=attempt.leases,
        move=Sealed(
            {"attempt": attempt.code, "from": left[:8], "to": "", "reason": reason},
            subject=attempt.application.account.code,
        ),
    )
