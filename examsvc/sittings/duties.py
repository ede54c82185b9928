"""What the clock does by itself in every sitting: the bell, the minute's chain heads, the closing."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.base import jobs
from examsvc.base.database import writing
from examsvc.sittings import ending, running
from examsvc.sittings.models import Attempt, Save, Sitting

HEADS_EVERY = timedelta(seconds=60)
LATE_QUIET = timedelta(minutes=5)
"""Late answers are put on record when none has come for so long."""


def ring_and_close(session: Session, now: datetime) -> None:
    """Rings the bell of sittings whose time has come and closes what is over; each sitting in a transaction of its own."""
    for number in _running(session):
        with writing(session):
            sitting = session.get_one(Sitting, number)
            running.start_sitting(session, sitting, now=now)
            if sitting.started_at is not None:
                ending.close_sitting(session, sitting, now=now)


def commit_to_heads(session: Session, now: datetime) -> None:
    """Each minute, the log takes the heads of all open attempts' chains."""
    for number in _running(session):
        with writing(session):
            sitting = session.get_one(Sitting, number)
            if sitting.started_at is not None and sitting.closed_at is None:
                running.record_heads(session, sitting, now=now)


def keep_late_answers(session: Session, now: datetime) -> None:
    """Puts late answers on record once they stop coming."""
    found = session.execute(
        select(Attempt.id, Attempt.links, Attempt.late_links)
        .join(Save, Save.attempt_id == Attempt.id)
        .where(Save.late.is_(True), Attempt.state.in_(("submitted", "closed")), Attempt.links > Attempt.late_links)
        .distinct()
    ).all()
    for number, _links, _kept in found:
        with writing(session):
            attempt = session.get_one(Attempt, number)
            newest = ending.late_saves(session, number)[-1]
            if now - newest.saved_at >= LATE_QUIET:
                ending.keep_late(session, attempt, now=now)
                attempt.late_links = attempt.links


def register() -> None:
    """Gives these duties to the workers."""
    jobs.every(timedelta(seconds=2))(ring_and_close)
    jobs.every(HEADS_EVERY)(commit_to_heads)
    jobs.every(timedelta(minutes=1))(keep_late_answers)


def _running(session: Session) -> list[int]:
    """Sittings that are prepared and not closed."""
    return list(
        session.scalars(select(Sitting.id).where(Sitting.prepared_at.is_not(None), Sitting.closed_at.is_(None)))
    )
