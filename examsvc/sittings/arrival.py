"""At the door: identity, late limits, one-time codes, no-shows."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from examsvc.accounts.approvals import Approved, ask, carries_out
from examsvc.accounts.models import SignInTry
from examsvc.accounts.passwords import hash_password, matches
from examsvc.applications.models import Application
from examsvc.base.errors import N_, Refused
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.ledger.operations import Sealed, record
from examsvc.sittings import rules, scope
from examsvc.sittings.models import Attempt, Sitting

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CODE_LENGTH = 6
MOST_TRIES = 10
TRY_WINDOW = timedelta(minutes=10)


def new_code() -> str:
    """A one-time code of six characters without look-alikes (about 30 bits); only its hash is stored."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def clean_code(code: str) -> str:
    return "".join(character for character in code.upper() if character in ALPHABET)


def hash_code(code: str) -> str:
    """Slow: call it outside the writing transaction."""
    return hash_password(clean_code(code))


def check_in(
    session: Session,
    attempt: Attempt,
    *,
    code_hash: str,
    document: str,
    photograph_agrees: bool,
    by: int,
    now: datetime,
) -> None:
    """Lets a candidate in, against identity document and photograph, and gives the one-time code to that person alone.

    Checking in again (a lost slip) replaces the code and ends nothing.  After the regulation's late limit only
    :func:`ask_late_admission` helps.
    """
    _may_enter(attempt, document, photograph_agrees)
    if attempt.state != "checked-in":
        regulation = competitions.regulation(attempt.sitting.competition)
        limit = regulation.late_limit(attempt.sitting.minutes)
        if not rules.admitted(attempt.sitting.bell_at, limit, now):
            raise Refused(
                N_(
                    "The late limit of %(minutes)d minutes has passed. Only the person named in the regulation can still"
                    " admit this candidate, with a reason."
                ),
                minutes=limit,
            )
        _admit(session, attempt, document=document, excused=False, by=by, now=now)
    attempt.code_hash = code_hash
    session.flush()


def _may_enter(attempt: Attempt, document: str, photograph_agrees: bool) -> None:
    if attempt.state not in ("prepared", "checked-in"):
        raise Refused(N_("This attempt has ended; nobody can be checked in any more."))
    if not document.strip():
        raise Refused(N_("Say which identity document you saw."), field="document")
    if not photograph_agrees:
        raise Refused(
            N_("Compare the photograph with the person. If it does not agree, call the chief invigilator."),
            field="photograph_agrees",
        )


def _admit(session: Session, attempt: Attempt, *, document: str, excused: bool, by: int, now: datetime) -> None:
    regulation = competitions.regulation(attempt.sitting.competition)
    attempt.state, attempt.checked_in_at = "checked-in", now
    if not regulation.sitting.common_start and now > attempt.sitting.bell_at:
        attempt.own_bell_at = now
    session.flush()
    record(
        session,
        attempt.sitting.competition.slug,
        "attempt.checked_in",
        now=now,
        by=scope.actor(session, by),
        **scope.of_attempt(attempt),
        arrival=Sealed(
            {
                "attempt": attempt.code,
                "room": attempt.room.code,
                "seat": attempt.seat.place,
                "document": document,
                "photograph": True,
            },
            subject=attempt.application.account.code,
        ),
        excused=excused,
    )


def ask_late_admission(
    session: Session, attempt: Attempt, *, reason: str, document: str, by: int, now: datetime
) -> None:
    """Asks for a candidate who came after the late limit; the regulation's people decide on force majeure."""
    _may_enter(attempt, document, True)
    if not reason.strip():
        raise Refused(N_("Write the reason."), field="reason")
    competition = attempt.sitting.competition
    ask(
        session,
        kind="sittings.admit_late",
        entry_type="attempt.checked_in",
        competition=competition.slug,
        lines=[
            f"Late admission of candidate {attempt.application.candidate_number}, sitting {attempt.sitting.code}",
            f"Reason: {reason}",
        ],
        arguments={"attempt": attempt.id, "document": document, "reason": reason},
        terms=competitions.approval_terms(competition, "admit-late-candidate"),
        by=by,
        now=now,
    )


@carries_out("sittings.admit_late")
def _admit_late(session: Session, approved: Approved) -> None:
    attempt = session.get_one(Attempt, approved.arguments["attempt"])
    if attempt.state == "prepared":
        _admit(
            session,
            attempt,
            document=approved.arguments["document"],
            excused=True,
            by=approved.last_by,
            now=approved.now,
        )


def find_attempt(
    session: Session, competition: Competition, *, number: str, code: str, now: datetime
) -> Attempt | None:
    """The attempt whose candidate number and one-time code these are.  Hashes: outside a writing transaction.

    Refused after too many failures for this number; the hall's address never counts.
    """
    subject = try_subject(competition, number)
    tries = session.scalar(
        select(func.count())
        .select_from(SignInTry)
        .where(SignInTry.subject == subject, SignInTry.at > now - TRY_WINDOW)
    )
    if (tries or 0) >= MOST_TRIES:
        raise Refused(N_("Too many failed tries for this candidate number. Ask the invigilator for a new code."))
    candidates = session.scalars(
        select(Attempt)
        .join(Application, Application.id == Attempt.application_id)
        .join(Sitting, Sitting.id == Attempt.sitting_id)
        .where(
            Application.competition_id == competition.id,
            Application.candidate_number == number.strip(),
            Attempt.code_hash.is_not(None),
        )
        .order_by(Sitting.bell_at.desc(), Attempt.id.desc())
        .limit(4)
    ).all()
    cleaned = clean_code(code)
    for attempt in candidates:
        if matches(attempt.code_hash, cleaned):
            return attempt
    if not candidates:
        matches(None, cleaned)
    return None


def try_subject(competition: Competition, number: str) -> str:
    return f"exam:{competition.slug}:{number.strip()}"[:80]


def remember_failure(session: Session, competition: Competition, *, number: str, now: datetime) -> None:
    session.add(SignInTry(subject=try_subject(competition, number), at=now))
    session.flush()


def forget_failures(session: Session, competition: Competition, *, number: str) -> None:
    session.execute(delete(SignInTry).where(SignInTry.subject == try_subject(competition, number)))


def mark_absent(
    session: Session, attempt: Attempt, *, cause: str, now: datetime, by: int | None = None
) -> None:
    """Puts on record that a candidate did not come, or was turned away."""
    if attempt.state != "prepared":
        raise Refused(N_("Only a candidate who is not checked in can be absent."))
    attempt.state = "absent"
    session.flush()
    record(
        session,
        attempt.sitting.competition.slug,
        "attempt.absent",
        now=now,
        by=scope.actor(session, by) if by is not None else "system",
        **scope.of_attempt(attempt),
        cause=cause,
    )
