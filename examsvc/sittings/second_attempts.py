"""A second attempt, granted by two people because of what was not the candidate's fault; of the two the new one counts."""

from __future__ import annotations

import secrets
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from examsvc.accounts.approvals import Approved, ask, carries_out, line
from examsvc.base.errors import N_, Refused
from examsvc.base.language import moment, sentence
from examsvc.competitions import queries as competitions
from examsvc.ledger.operations import Sealed, record
from examsvc.sittings import notices, planning, queries, scope
from examsvc.sittings.models import Attempt, SecondAttempt

ENDED = ("submitted", "closed", "absent")


def ask_second_attempt(
    session: Session,
    attempt: Attempt,
    *,
    bell_at: datetime,
    room: str,
    reason: str,
    zone: ZoneInfo,
    by: int,
    now: datetime,
    language: str = "vi",
) -> None:
    """Asks that this attempt's candidate sits the part again at that bell; a second person approves.

    The regulation's remedies say when such a thing is due; its log of outages is the evidence.
    """
    _require_open(session, attempt)
    if bell_at <= now:
        raise Refused(N_("The bell must lie ahead. Choose a later time."), field="bell")
    if not room.strip():
        raise Refused(N_("Name the room."), field="room")
    if not reason.strip():
        raise Refused(N_("Write the reason."), field="reason")
    competition = attempt.sitting.competition
    ask(
        session,
        kind="sittings.second_attempt",
        entry_type="attempt.granted",
        competition=competition.slug,
        lines=[
            sentence(language, N_("Grant a second attempt instead of this one")),
            *scope.named(attempt, language),
            line(language, N_("New bell"), moment(bell_at, zone)),
            line(language, N_("Room"), room.strip()),
            line(language, N_("Reason"), reason),
        ],
        arguments={"attempt": attempt.id, "bell": bell_at.isoformat(), "room": room.strip(), "reason": reason},
        terms=competitions.approval_terms(competition, "grant-second-attempt"),
        by=by,
        now=now,
    )


def _require_open(session: Session, attempt: Attempt) -> None:
    if queries.second_attempt_instead_of(session, attempt.id) is not None:
        raise Refused(N_("This candidate was already granted a second attempt instead of this one."))
    if attempt.state not in ENDED:
        raise Refused(N_("This attempt has not ended yet. A second one can be granted when it has."))


@carries_out("sittings.second_attempt")
def _grant(session: Session, approved: Approved) -> None:
    previous = session.get_one(Attempt, approved.arguments["attempt"])
    _require_open(session, previous)
    seat = planning.take_in(
        session,
        previous.sitting.competition,
        previous.application,
        part=previous.sitting.part,
        bell_at=datetime.fromisoformat(approved.arguments["bell"]),
        room=approved.arguments["room"],
        arrangement=planning.Arrangement(
            extra_minutes=previous.seat.extra_minutes,
            separate_room=previous.room.separate,
            may_break=previous.seat.may_break,
            note=previous.seat.arrangements,
        ),
        by=approved.last_by,
        now=approved.now,
    )
    granted = SecondAttempt(
        code=secrets.token_hex(6),
        previous_id=previous.id,
        seat_id=seat.id,
        reason=approved.arguments["reason"],
        granted_at=approved.now,
    )
    session.add(granted)
    previous.state = "cancelled"
    session.flush()
    notices.granted_again(session, seat, now=approved.now)
    frame = scope.of_attempt(previous)
    record(
        session,
        previous.sitting.competition.slug,
        "attempt.granted",
        now=approved.now,
        by=scope.actor(session, approved.last_by),
        approvals=approved.approvals,
        summary=approved.summary,
        stage=frame["stage"],
        posts=frame["posts"],
        attempt=granted.code,
        sitting=seat.sitting.code,
        grant=Sealed(
            {
                "candidate": previous.application.candidate_number,
                "attempt": granted.code,
                "previous": previous.code,
                "reason": granted.reason,
            },
            subject=previous.application.account.code,
        ),
    )
