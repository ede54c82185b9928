"""Incidents in the rooms and the regulation's sanctions."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts.approvals import Approved, ask, carries_out, line
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.language import in_language, number, sentence
from examsvc.competitions import queries as competitions
from examsvc.competitions.terms import write_exact
from examsvc.ledger.operations import Sealed, record
from examsvc.sittings import ending, scope
from examsvc.sittings.models import Attempt, Incident, Room, SanctionRecord, Sitting


def record_incident(
    session: Session,
    sitting: Sitting,
    *,
    kind: str,
    description: str,
    signed: Sequence[str],
    by: int,
    now: datetime,
    room: Room | None = None,
    attempt: Attempt | None = None,
    refuses: bool = False,
) -> Incident:
    """Puts something out of the ordinary on record.

    ``signed`` names who signed; where the candidate ``refuses``, the regulation's number of nearby candidates sign instead.
    """
    if not description.strip():
        raise Refused(N_("Write what happened."), field="description")
    names = [name.strip() for name in signed if name.strip()]
    witnesses = competitions.regulation(sitting.competition).sitting.refusal_witnesses
    if refuses and len(names) < witnesses:
        raise Refused(
            N_("The candidate refuses to sign, so %(number)d of the nearest candidates sign instead. Name them."),
            number=witnesses,
            field="signed",
        )
    incident = Incident(
        code=secrets.token_hex(6),
        sitting_id=sitting.id,
        room_id=room.id if room else attempt.room_id if attempt else None,
        attempt_id=attempt.id if attempt else None,
        kind=kind,
        description=description,
        signed=names,
        by_id=by,
        at=now,
    )
    session.add(incident)
    session.flush()
    report = {
        "incident": incident.code,
        "candidates": [attempt.application.candidate_number] if attempt else [],
        "kind": kind,
        "description": description,
        "signed": incident.signed,
    }
    if incident.room is not None:
        report["room"] = incident.room.code
    frame = scope.of_sitting(sitting)
    record(
        session,
        sitting.competition.slug,
        "incident.recorded",
        now=now,
        by=scope.actor(session, by),
        stage=frame["stage"],
        posts=[attempt.application.post.code] if attempt else frame["posts"],
        sitting=sitting.code,
        incident=incident.code,
        report=Sealed(report, subject=attempt.application.account.code if attempt else None),
    )
    return incident


def ask_sanction(
    session: Session, incident: Incident, *, sanction: str, reason: str, by: int, now: datetime, language: str = "vi"
) -> None:
    """Asks to sanction the candidate of an incident; a second person approves, and the regulation's decider is one of the two."""
    attempt = incident.attempt
    if attempt is None:
        raise Refused(N_("This incident names no candidate; nobody can be sanctioned for it."))
    competition = attempt.sitting.competition
    regulation = competitions.regulation(competition)
    try:
        rule = regulation.sanction(sanction)
    except KeyError:
        raise NotFound() from None
    if not reason.strip():
        raise Refused(N_("Write the reason."), field="reason")
    ask(
        session,
        kind="sittings.sanction",
        entry_type="sanction.imposed",
        competition=competition.slug,
        lines=[
            line(language, N_("Sanction"), in_language(rule.label.model_dump(), language)),
            *scope.named(attempt, language),
            line(language, N_("Taken away of the mark of this part"), share_in_words(rule.deduction, language)),
            *([sentence(language, N_("The candidate leaves the exam."))] if rule.ends_sitting else []),
            *([sentence(language, N_("The result is annulled."))] if rule.annuls else []),
            line(language, N_("Reason"), reason),
        ],
        arguments={"incident": incident.id, "sanction": sanction, "reason": reason},
        terms=competitions.approval_terms(competition, "impose-sanction"),
        by=by,
        now=now,
    )


@carries_out("sittings.sanction")
def _impose(session: Session, approved: Approved) -> None:
    incident = session.get_one(Incident, approved.arguments["incident"])
    attempt = incident.attempt
    if attempt is None:
        raise NotFound()
    competition = attempt.sitting.competition
    rule = competitions.regulation(competition).sanction(approved.arguments["sanction"])
    scope.require_decider(session, approved, rule.decided_by)
    imposed = SanctionRecord(
        incident_id=incident.id,
        attempt_id=attempt.id,
        number=len(incident.sanctions) + 1,
        sanction=rule.id,
        deduction=write_exact(rule.deduction),
        annuls=rule.annuls,
        reason=approved.arguments["reason"],
        imposed_at=approved.now,
    )
    session.add(imposed)
    session.flush()
    session.expire(incident, ["sanctions"])
    frame = scope.of_attempt(attempt)
    record(
        session,
        competition.slug,
        "sanction.imposed",
        now=approved.now,
        by=scope.actor(session, approved.last_by),
        approvals=approved.approvals,
        summary=approved.summary,
        stage=frame["stage"],
        posts=frame["posts"],
        incident=incident.code,
        order=imposed.number,
        sanction=Sealed(
            {
                "candidate": attempt.application.candidate_number,
                "attempt": attempt.code,
                "level": rule.id,
                "deduction": decimal_share(rule.deduction),
                "clause": f"sanctions.{rule.id}",
                "reason": imposed.reason,
            },
            subject=attempt.application.account.code,
        ),
    )
    if rule.ends_sitting and attempt.state == "checked-in" and attempt.sitting.started_at is not None:
        ending.end_by_invigilator(session, attempt, by=approved.last_by, now=approved.now)


def turn_out(session: Session, sitting: Sitting, *, now: datetime) -> None:
    """Ends, at the bell, the attempts of those who were checked in and had to leave before it: an attempt can end only then."""
    sanctions = competitions.regulation(sitting.competition).sanctions
    leaving = [rule.id for rule in sanctions if rule.ends_sitting]
    found = session.execute(
        select(Attempt, Incident.by_id)
        .join(SanctionRecord, SanctionRecord.attempt_id == Attempt.id)
        .join(Incident, Incident.id == SanctionRecord.incident_id)
        .where(
            Attempt.sitting_id == sitting.id,
            Attempt.state == "checked-in",
            SanctionRecord.sanction.in_(leaving),
            SanctionRecord.lifted_at.is_(None),
        )
        .order_by(Attempt.id)
    ).all()
    for attempt, by in found:
        if attempt.receipt is None:
            ending.end_by_invigilator(session, attempt, by=by, now=now)


def ask_lifting(
    session: Session, imposed: SanctionRecord, *, reason: str, by: int, now: datetime, language: str = "vi"
) -> None:
    """Asks to take a sanction back; a second person approves.  What it ended stays ended: that is a second attempt's matter."""
    if imposed.lifted_at is not None:
        raise Refused(N_("This sanction is lifted already."))
    if not reason.strip():
        raise Refused(N_("Write the reason."), field="reason")
    attempt = imposed.attempt
    competition = attempt.sitting.competition
    rule = competitions.regulation(competition).sanction(imposed.sanction)
    ask(
        session,
        kind="sittings.lift_sanction",
        entry_type="sanction.lifted",
        competition=competition.slug,
        lines=[
            line(language, N_("Lift the sanction"), in_language(rule.label.model_dump(), language)),
            *scope.named(attempt, language),
            line(language, N_("Given back of the mark of this part"), share_in_words(rule.deduction, language)),
            line(language, N_("Reason"), reason),
        ],
        arguments={"sanction": imposed.id, "reason": reason},
        terms=competitions.approval_terms(competition, "lift-sanction"),
        by=by,
        now=now,
    )


@carries_out("sittings.lift_sanction")
def _lift(session: Session, approved: Approved) -> None:
    imposed = session.get_one(SanctionRecord, approved.arguments["sanction"])
    if imposed.lifted_at is not None:
        raise Refused(N_("This sanction is lifted already."))
    imposed.lifted_at, imposed.lifted_reason = approved.now, approved.arguments["reason"]
    session.flush()
    frame = scope.of_attempt(imposed.attempt)
    record(
        session,
        imposed.attempt.sitting.competition.slug,
        "sanction.lifted",
        now=approved.now,
        by=scope.actor(session, approved.last_by),
        approvals=approved.approvals,
        summary=approved.summary,
        stage=frame["stage"],
        posts=frame["posts"],
        incident=imposed.incident.code,
        order=imposed.number,
        reason=Sealed({"text": approved.arguments["reason"]}, subject=imposed.attempt.application.account.code),
    )


def share_in_words(share: Fraction, language: str) -> str:
    """25 %; 100/3 % where it does not come out even."""
    return f"{number(share * 100, language)} %"


def decimal_share(share: object) -> str:
    """A share as the ledger's decimal string, at most six places; the exact one stands in the regulation."""
    text = f"{float(share):.6f}".rstrip("0").rstrip(".")  # type: ignore[arg-type]
    return text or "0"
