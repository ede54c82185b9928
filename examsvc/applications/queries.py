"""What other rooms may ask about candidates' files."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examsvc.accounts import oracles
from examsvc.applications.models import Application, EligibilityFinding
from examsvc.base.errors import NotFound
from examsvc.competitions.models import Competition


def application(session: Session, application_id: int) -> Application:
    found = session.get(Application, application_id)
    if found is None:
        raise NotFound()
    return found


def of_account(session: Session, competition_id: int, account_id: int) -> Application | None:
    return session.scalar(
        select(Application).where(Application.competition_id == competition_id, Application.account_id == account_id)
    )


def submitted(session: Session, competition_id: int) -> list[Application]:
    """Files that were handed in and not withdrawn, by candidate number."""
    return list(
        session.scalars(
            select(Application)
            .where(
                Application.competition_id == competition_id,
                Application.submitted_at.is_not(None),
                Application.withdrawn_at.is_(None),
            )
            .order_by(Application.candidate_number)
        )
    )


def verdict(application: Application) -> str | None:
    """The newest finding on the whole file: eligible, refused, excluded, or None while it is open."""
    for finding in reversed(application.findings):
        if finding.criterion == "":
            return finding.outcome
    return None


def eligible(session: Session, competition_id: int) -> list[Application]:
    """Candidates who may sit the exam, by candidate number."""
    return [one for one in submitted(session, competition_id) if verdict(one) == "eligible"]


def count_submitted(session: Session, competition_id: int) -> int:
    return int(
        session.scalar(
            select(func.count())
            .select_from(Application)
            .where(
                Application.competition_id == competition_id,
                Application.submitted_at.is_not(None),
                Application.withdrawn_at.is_(None),
            )
        )
        or 0
    )


def findings(session: Session, application_id: int) -> list[EligibilityFinding]:
    return list(
        session.scalars(
            select(EligibilityFinding)
            .where(EligibilityFinding.application_id == application_id)
            .order_by(EligibilityFinding.id)
        )
    )


@oracles.candidates_from
def candidates(session: Session, slug: str) -> list[oracles.Candidate]:
    """Whom the relations of those who act are looked at against: everybody who handed in a file and did not withdraw."""
    found = session.scalar(select(Competition.id).where(Competition.slug == slug))
    return [oracles.Candidate(one.account_id) for one in submitted(session, found)] if found is not None else []
