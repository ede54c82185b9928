"""At the door: identity, late limits, one-time codes, no-shows."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from examsvc.accounts.approvals import Approved, ask, carries_out, line
from examsvc.accounts.models import SignInSession, SignInTry
from examsvc.accounts.passwords import hash_password, matches
from examsvc.applications.models import Application
from examsvc.base.errors import N_, Refused
from examsvc.base.language import sentence
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.ledger.operations import Sealed, record
from examsvc.sittings import queries, rules, scope
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

    Checking in again (a lost slip) replaces the code and signs out whoever came in with the old one; what was written
    stays, and the candidate goes on with the new code.  After the regulation's late limit only
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
    attempt.code_hash, attempt.code_place = code_hash, None
    session.execute(
        update(SignInSession)
        .where(SignInSession.subject == attempt.code, SignInSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    session.flush()


def use_code(session: Session, attempt: Attempt, *, place: str | None) -> str:
    """Uses the one-time code of an attempt at one browser; returns what that browser has to keep.

    The first browser keeps the right to come back with the same code (a power cut, a closed window); at any other the code is
    worth nothing until the invigilator releases the attempt or gives a new one.  Of two at once, one gets in.
    """
    queries.hold(session, attempt)
    if attempt.code_place is None:
        place = secrets.token_urlsafe(24)
        attempt.code_place = sha256(place.encode()).hexdigest()
        session.flush()
        return place
    if place is None or not secrets.compare_digest(sha256(place.encode()).hexdigest(), attempt.code_place):
        raise Refused(
            N_("This code was used at another machine already. Ask the invigilator, who lets you go on here or gives you a new code.")
        )
    return place


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
    session: Session, attempt: Attempt, *, reason: str, document: str, by: int, now: datetime, language: str = "vi"
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
            sentence(language, N_("Admit a candidate who came after the late limit")),
            *scope.named(attempt, language),
            line(language, N_("Reason"), reason),
        ],
        arguments={"attempt": attempt.id, "document": document, "reason": reason},
        terms=competitions.approval_terms(competition, "admit-late-candidate"),
        by=by,
        now=now,
    )


@carries_out("sittings.admit_late")
def _admit_late(session: Session, approved: Approved) -> None:
    attempt = session.get_one(Attempt, approved.arguments["attempt"])
    if attempt.state != "prepared":
        raise Refused(N_("This candidate was checked in or put down as absent meanwhile."))
    regulation = competitions.regulation(attempt.sitting.competition)
    scope.require_decider(session, approved, regulation.sitting.late_exception_by)
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


TURNED_AWAY = {
    "late": N_("Came after the late limit and was not admitted"),
    "refused": N_("Could not show who it is"),
    "withdrawn": N_("Came and does not want to sit"),
}
"""Why somebody who stood at the door does not sit; who never came is put down by the clock."""


def mark_absent(
    session: Session, attempt: Attempt, *, cause: str, now: datetime, by: int | None = None
) -> None:
    """Puts on record that a candidate did not come, or was turned away; only once the bell has rung, since until then
    everybody may still come."""
    if attempt.state != "prepared":
        raise Refused(N_("Only a candidate who is not checked in can be absent."))
    if attempt.sitting.started_at is None:
        raise Refused(N_("The bell has not rung; until then everybody may still come. Put it down afterwards."))
    if by is not None and cause not in TURNED_AWAY:
        raise Refused(N_("Choose why the candidate does not sit."), field="cause")
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
