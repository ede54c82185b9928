"""What candidates are told, always on their page and by e-mail where the installation sends it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from examsvc.applications.models import AccommodationDecision, Application, Submission, SupplementRequest
from examsvc.base import messages
from examsvc.base.errors import N_
from examsvc.base.language import LANGUAGES, both, day, moment, sentence


def deadline_text(at: datetime, zone: ZoneInfo) -> dict[str, str]:
    """A deadline in every language; one that falls on midnight is the end of the day before."""
    local = at.astimezone(zone)
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return both(N_("the end of %(day)s"), day=day(local.date() - timedelta(days=1)))
    return both("%(moment)s", moment=moment(at, zone))


def _tell(
    session: Session, application: Application, subject: str, body: str, now: datetime, **params: Any
) -> None:
    messages.send(
        session,
        account_id=application.account_id,
        competition=application.competition.slug,
        subject=both(subject, number=application.candidate_number or ""),
        body=both(
            body,
            number=application.candidate_number or "",
            post=application.post.title,
            competition=application.competition.title,
            **params,
        ),
        now=now,
    )


def received(session: Session, application: Application, submission: Submission, now: datetime) -> None:
    if submission.version == 1:
        _tell(
            session,
            application,
            N_("Your application was received: candidate number %(number)s"),
            N_(
                "Your application for %(post)s (%(competition)s) was received.\n\nCandidate number: %(number)s\n"
                "Receipt: %(receipt)s\n\nUntil applications close you may change your file and hand it in again."
            ),
            now,
            receipt=submission.commitment,
        )
        return
    _tell(
        session,
        application,
        N_("A new version of your application was received (%(number)s)"),
        N_(
            "Version %(version)d of your application for %(post)s (%(competition)s) was received and takes the place of"
            " the one before.\n\nReceipt: %(receipt)s"
        ),
        now,
        version=submission.version,
        receipt=submission.commitment,
    )


def withdrawn(session: Session, application: Application, now: datetime) -> None:
    _tell(
        session,
        application,
        N_("Your application was withdrawn (%(number)s)"),
        N_("You withdrew your application for %(post)s (%(competition)s). You take no further part for this post."),
        now,
    )


def supplement_asked(
    session: Session, application: Application, request: SupplementRequest, zone: ZoneInfo, now: datetime
) -> None:
    _tell(
        session,
        application,
        N_("Please complete your application (%(number)s)"),
        N_(
            "Something is missing in your application for %(post)s (%(competition)s):\n\n%(items)s\n\nHand it in on your page"
            " until %(deadline)s. What comes later cannot be taken into account."
        ),
        now,
        items="\n".join(f"– {item['text']}" for item in request.items),
        deadline=deadline_text(request.deadline, zone),
    )


def decided(session: Session, application: Application, eligible: bool, reason: str | None, now: datetime) -> None:
    if eligible:
        _tell(
            session,
            application,
            N_("You are admitted to the exam (%(number)s)"),
            N_(
                "Your application for %(post)s (%(competition)s) meets the requirements. Your candidate number is %(number)s."
                " You will be told time and place of the exam."
            ),
            now,
        )
        return
    _tell(
        session,
        application,
        N_("Your application was refused (%(number)s)"),
        N_(
            "Your application for %(post)s (%(competition)s) does not meet the requirements.\n\nReason: %(reason)s\n\n"
            "How you can contest the decision stands in the notice of the competition."
        ),
        now,
        reason=reason or "",
    )


def excluded(session: Session, application: Application, reason: str, now: datetime) -> None:
    _tell(
        session,
        application,
        N_("You are excluded from the competition (%(number)s)"),
        N_(
            "You are excluded from the competition for %(post)s (%(competition)s).\n\nReason: %(reason)s\n\n"
            "How you can contest the decision stands in the notice of the competition."
        ),
        now,
        reason=reason,
    )


def accommodation_decided(
    session: Session, application: Application, decision: AccommodationDecision, names: dict[str, str], now: datetime
) -> None:
    """``names`` maps a measure to its sentence of the program."""
    granted = {
        one: "\n".join(f"– {sentence(one, names[measure])}" for measure in decision.measures)
        or f"– {sentence(one, N_('nothing could be granted'))}"
        for one in LANGUAGES
    }
    _tell(
        session,
        application,
        N_("Your request for arrangements was decided"),
        N_(
            "On your request for arrangements for the exam (%(competition)s) it was decided:\n\n%(granted)s\n\nReason: %(reason)s\n\n"
            "Nobody who marks learns of it."
        ),
        now,
        granted=granted,
        reason=decision.reason,
    )
