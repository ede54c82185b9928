"""What the clock does by itself in every sitting: the bell, the minute's chain heads, the closing."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.base import jobs
from examsvc.base.database import writing
from examsvc.sittings import conduct, ending, queries, running
from examsvc.sittings.models import Attempt, Save, Sitting

HEADS_EVERY = timedelta(seconds=60)
LATE_QUIET = timedelta(minutes=5)
"""Late answers are put on record when none has come for so long."""


def ring_and_close(session: Session, now: datetime) -> None:
    """Rings the bell of sittings whose time has come and ends what is over.

    What is due is looked up first, and each attempt ends in a transaction of its own: whoever still writes, having more
    time or sitting in another room, never waits behind a whole hall that is being closed.
    """
    for number in _running(session):
        sitting = session.get_one(Sitting, number)
        if sitting.started_at is None:
            if now < sitting.bell_at:
                continue
            with writing(session):
                running.start_sitting(session, session.get_one(Sitting, number), now=now)
                conduct.turn_out(session, session.get_one(Sitting, number), now=now)
        for attempt in ending.due_to_end(session, session.get_one(Sitting, number), now):
            with writing(session):
                ending.end_by_clock(session, session.get_one(Attempt, attempt), now=now)
        if all(one.state not in ("prepared", "checked-in") for one in session.get_one(Sitting, number).attempts):
            with writing(session):
                ending.close_sitting(session, session.get_one(Sitting, number), now=now)


def commit_to_heads(session: Session, now: datetime) -> None:
    """Each minute, the log takes the heads of all open attempts' chains."""
    for number in _running(session):
        if session.get_one(Sitting, number).started_at is None:
            continue
        with writing(session):
            sitting = session.get_one(Sitting, number)
            if sitting.closed_at is None:
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
            newest = queries.late_saves(session, number)[-1]
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
