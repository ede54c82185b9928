"""Whether a candidate's machine is heard of, and the log of the stretches in which it was not."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from examsvc.sittings import rules
from examsvc.sittings.models import Attempt, Outage

SILENCE = timedelta(seconds=60)
"""A machine that was not heard of for so long during the exam had an outage: four polls of 15 s missed."""

OFTEN = timedelta(seconds=10)
"""What is heard within so long of the last time is not written down again."""


def is_news(attempt: Attempt, now: datetime) -> bool:
    """Whether hearing of this attempt's machine now is worth a write."""
    return attempt.receipt is None and (attempt.seen_at is None or now - attempt.seen_at >= OFTEN)


def is_silent(attempt: Attempt, now: datetime) -> bool:
    """Whether the machine of an open attempt has not been heard of for too long."""
    return attempt.seen_at is not None and now - attempt.seen_at > SILENCE


def hear(session: Session, attempt: Attempt, timing: rules.Timing, *, now: datetime) -> None:
    """Remembers that the machine was heard of; a silence while the clock was running is kept as an outage.

    Of requests that arrive at once, one writes the outage down.
    """
    if not is_news(attempt, now):
        return
    last = attempt.seen_at
    heard = session.execute(
        update(Attempt)
        .where(Attempt.id == attempt.id, Attempt.seen_at == last if last is not None else Attempt.seen_at.is_(None))
        .values(seen_at=now)
    )
    if heard.rowcount != 1 or last is None:  # type: ignore[attr-defined]
        return
    since = max(last, timing.bell)
    running = rules.state(timing, attempt.state, now) in ("open", "over")
    if running and now - since > SILENCE:
        session.add(Outage(attempt_id=attempt.id, since=since, until=now))
