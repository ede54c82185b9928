"""How attempts and sittings end: by the candidate, by the clock, by the invigilator.  Ending never changes an answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from examsvc.accounts.approvals import Approved, ask, carries_out, line
from examsvc.base.clock import seconds
from examsvc.base.errors import N_, Refused
from examsvc.base.language import sentence
from examsvc.competitions import queries as competitions
from examsvc.ledger import receipts
from examsvc.ledger.operations import Sealed, record
from examsvc.sittings import arrival, notices, queries, rules, scope
from examsvc.sittings.models import Attempt, LateDecision, Pause, Sitting
from examsvc.sittings.planning import form_code
from examsvc.sittings.saving import SaveRefused, moment

_MANNERS = {"candidate": "submitted", "deadline": "closed", "invigilator": "closed"}


def submit_attempt(
    session: Session,
    attempt: Attempt,
    *,
    lease: str | None,
    versions: Mapping[int, int],
    submit_id: str,
    now: datetime,
) -> dict[str, Any]:
    """Ends the attempt at its candidate's wish.  A repeated submit gets the same receipt.

    ``versions`` is what the page holds; where it differs from what is stored, nothing is submitted (409).
    """
    queries.hold(session, attempt)
    if attempt.receipt is not None:
        return attempt.receipt
    if attempt.lease is None or lease != attempt.lease:
        raise SaveRefused(
            423,
            "lease-lost",
            N_("This exam is now open on another page. Go on there; what you wrote here is kept on this machine."),
        )
    if rules.state(queries.timing(session, attempt), attempt.state, now) == "waiting":
        raise SaveRefused(423, "not-open", N_("The exam is not open yet. Wait for the bell."))
    newest = queries.newest_saves(session, attempt.id)
    stored = {slot: save.version for slot, save in newest.items()}
    every = {slot.number for slot in queries.slots(session, attempt)}
    differing = sorted(slot for slot in every | set(versions) if versions.get(slot, 0) != stored.get(slot, 0))
    if differing:
        raise SaveRefused(
            409,
            "conflict",
            N_("Some answers on the server are not the ones on this page. The page compares them now."),
            slots=differing,
        )
    return _end(session, attempt, manner="candidate", by=attempt.code, now=now, submit_id=submit_id)


def close_attempt(session: Session, attempt: Attempt, *, now: datetime) -> dict[str, Any] | None:
    """Ends an attempt whose time is over; None when it may not be closed yet."""
    queries.hold(session, attempt)
    if attempt.receipt is not None:
        return attempt.receipt
    if attempt.state != "checked-in" or not rules.may_be_closed(queries.timing(session, attempt), now):
        return None
    return _end(session, attempt, manner="deadline", by="system", now=now)


def end_by_invigilator(session: Session, attempt: Attempt, *, by: int, now: datetime) -> dict[str, Any]:
    """Ends an attempt because a sanction ends the sitting for its candidate."""
    queries.hold(session, attempt)
    for pause in session.scalars(select(Pause).where(Pause.attempt_id == attempt.id, Pause.until.is_(None))):
        pause.until = now
    return attempt.receipt or _end(session, attempt, manner="invigilator", by=scope.actor(session, by), now=now)


def _end(
    session: Session, attempt: Attempt, *, manner: str, by: str, now: datetime, submit_id: str | None = None
) -> dict[str, Any]:
    ended = session.execute(
        update(Attempt)
        .where(Attempt.id == attempt.id, Attempt.state == "checked-in")
        .values(state=_MANNERS[manner], ended_at=now, submit_id=submit_id)
    )
    if ended.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused(N_("This attempt has ended or was never opened."))
    session.refresh(attempt)
    answers = answer_set(session, attempt, now=now, late=False)
    entry = record(
        session,
        attempt.sitting.competition.slug,
        "attempt.submitted",
        now=now,
        by=by,
        **scope.of_attempt(attempt),
        manner=manner,
        links=attempt.links,
        head=attempt.chain_head,
        answers=Sealed(answers, subject=attempt.application.account.code),
    )
    answered = sum(1 for answer in answers["answers"] if answer["value"] is not None)
    attempt.receipt = {
        "code": receipts.slip(bytes.fromhex(entry.leaf)).replace("-", ""),
        "submitted_at": moment(now),
        "answered": answered,
        "blank": len(answers["answers"]) - answered,
    }
    session.flush()
    notices.ended(session, attempt, now=now)
    return attempt.receipt


def answer_set(session: Session, attempt: Attempt, *, now: datetime, late: bool) -> dict[str, Any]:
    """The whole ordered answer set, blanks included; with ``late`` the answers after the end count as well."""
    newest = queries.newest_saves(session, attempt.id, late=late)
    return {
        "attempt": attempt.code,
        "form": form_code(attempt.sitting.form),
        "deadline": seconds(rules.deadline(queries.timing(session, attempt), now)),
        "answers": [
            {
                "slot": slot.number,
                "version": newest[slot.number].version if slot.number in newest else 0,
                "value": newest[slot.number].value if slot.number in newest else None,
            }
            for slot in queries.slots(session, attempt)
        ],
    }


def due_to_end(session: Session, sitting: Sitting, now: datetime) -> list[int]:
    """Attempts of a sitting whose time is over and that are neither ended nor put down as absent yet."""
    timings = queries.timings(session, sitting)
    return [
        attempt.id
        for attempt in sitting.attempts
        if attempt.state in ("prepared", "checked-in") and rules.may_be_closed(timings[attempt.id], now)
    ]


def end_by_clock(session: Session, attempt: Attempt, *, now: datetime) -> None:
    """What the end of the time brings to one attempt: it is closed, or its candidate did not come."""
    if attempt.state == "checked-in":
        close_attempt(session, attempt, now=now)
    elif attempt.state == "prepared":
        arrival.mark_absent(session, attempt, cause="no_show", now=now)


def close_sitting(session: Session, sitting: Sitting, *, now: datetime) -> bool:
    """Closes every attempt whose time is over, puts no-shows on record, and the sitting when all have ended."""
    if sitting.started_at is None:
        return False
    if sitting.closed_at is not None:
        return True
    for number in due_to_end(session, sitting, now):
        end_by_clock(session, session.get_one(Attempt, number), now=now)
    session.flush()
    if any(attempt.state in ("prepared", "checked-in") for attempt in sitting.attempts):
        return False
    sitting.closed_at = now
    session.flush()
    ended = sum(1 for attempt in sitting.attempts if attempt.receipt is not None)
    record(
        session,
        sitting.competition.slug,
        "sitting.closed",
        now=now,
        **scope.of_sitting(sitting),
        checked_in=ended,
        absent=len(sitting.attempts) - ended,
        submitted=ended,
    )
    return True


def keep_late(session: Session, attempt: Attempt, *, now: datetime) -> None:
    """Puts on record that answers came after the end; called once they stop coming."""
    record(
        session,
        attempt.sitting.competition.slug,
        "attempt.late_kept",
        now=now,
        **scope.of_attempt(attempt),
        links=attempt.links,
        head=attempt.chain_head,
    )


def ask_late_decision(
    session: Session, attempt: Attempt, *, counts: bool, reason: str, by: int, now: datetime, language: str = "vi"
) -> None:
    """Asks the board to count, or to drop, the late answers of an attempt."""
    if not queries.late_saves(session, attempt.id):
        raise Refused(N_("This attempt has no late answers."))
    if queries.late_decision(session, attempt.id) is not None:
        raise Refused(N_("The board decided on the late answers already."))
    if not reason.strip():
        raise Refused(N_("Write the reason."), field="reason")
    competition = attempt.sitting.competition
    ask(
        session,
        kind="sittings.late_answers",
        entry_type="attempt.late_decided",
        competition=competition.slug,
        lines=[
            sentence(language, N_("The late answers count") if counts else N_("The late answers do not count")),
            *scope.named(attempt, language),
            line(language, N_("Late answers"), str(len(queries.late_saves(session, attempt.id)))),
            line(language, N_("Reason"), reason),
        ],
        arguments={"attempt": attempt.id, "outcome": "counted" if counts else "dropped", "reason": reason},
        terms=competitions.approval_terms(competition, "count-late-answers"),
        by=by,
        now=now,
    )


@carries_out("sittings.late_answers")
def _decide_late(session: Session, approved: Approved) -> None:
    attempt = session.get_one(Attempt, approved.arguments["attempt"])
    outcome, reason = approved.arguments["outcome"], approved.arguments["reason"]
    session.add(LateDecision(attempt_id=attempt.id, outcome=outcome, reason=reason, at=approved.now))
    session.flush()
    subject = attempt.application.account.code
    counted = answer_set(session, attempt, now=approved.now, late=True) if outcome == "counted" else None
    record(
        session,
        attempt.sitting.competition.slug,
        "attempt.late_decided",
        now=approved.now,
        by=scope.actor(session, approved.last_by),
        approvals=approved.approvals,
        summary=approved.summary,
        **scope.of_attempt(attempt),
        outcome=outcome,
        answers=Sealed(counted, subject=subject) if counted else None,
        reason=Sealed({"text": reason}, subject=subject),
    )
