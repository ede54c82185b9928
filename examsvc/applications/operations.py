"""What candidates and the office do with an application."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examsvc.applications import queries
from examsvc.applications.models import Application, EligibilityFinding
from examsvc.base.errors import N_, Refused
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition, Post


def start_application(
    session: Session, competition: Competition, post: Post, *, account_id: int, now: datetime
) -> Application:
    """Begins a file; one for each person and competition."""
    if competitions.phase(competition) != "applications":
        raise Refused(N_("Applications are not open. The dates stand in the notice."))
    if queries.of_account(session, competition.id, account_id) is not None:
        raise Refused(N_("You have a file in this competition already. Open it on your page."))
    application = Application(
        competition_id=competition.id, post_id=post.id, account_id=account_id, answers={}, started_at=now
    )
    session.add(application)
    session.flush()
    return application


def submit_application(session: Session, application: Application, *, now: datetime) -> str:
    """Hands the file in and gives the candidate number."""
    competition = application.competition
    if application.withdrawn_at is not None:
        raise Refused(N_("This application was withdrawn."))
    if application.candidate_number is not None:
        return application.candidate_number
    closes = competitions.date_of(competition, "applications-closed")
    if competitions.phase(competition) != "applications" or (closes is not None and now > closes):
        raise Refused(N_("The time for applications is over. Your file was kept as it is."))
    taken = session.scalar(
        select(func.count())
        .select_from(Application)
        .where(Application.competition_id == competition.id, Application.candidate_number.is_not(None))
    )
    application.candidate_number = f"{(taken or 0) + 1:03d}"
    application.submitted_at = now
    session.flush()
    return application.candidate_number


def withdraw_application(session: Session, application: Application, *, now: datetime) -> None:
    application.withdrawn_at = application.withdrawn_at or now
    session.flush()


def decide_eligibility(
    session: Session, application: Application, *, eligible: bool, reason: str | None, by: int, now: datetime
) -> None:
    """The decision on the whole file; a refusal carries its reason."""
    if not eligible and not reason:
        raise Refused(N_("Write the reason for the refusal; the candidate will read it."), field="reason")
    application.findings.append(
        EligibilityFinding(
            criterion="", outcome="eligible" if eligible else "refused", reason=reason, by_id=by, at=now
        )
    )
    session.flush()
