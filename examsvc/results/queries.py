"""What pages ask about results."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.results.models import Publication, ScoreRun


def latest_run(session: Session, competition_id: int) -> ScoreRun | None:
    return session.scalar(
        select(ScoreRun).where(ScoreRun.competition_id == competition_id).order_by(ScoreRun.number.desc()).limit(1)
    )


def published(session: Session, competition_id: int) -> Publication | None:
    """The newest published edition."""
    return session.scalar(
        select(Publication)
        .where(Publication.competition_id == competition_id, Publication.published_at.is_not(None))
        .order_by(Publication.edition.desc())
        .limit(1)
    )
