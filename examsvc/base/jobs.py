"""Work that outlives a request, and duties that come round by the clock.

An operation asks for work with :func:`ask_for`, in its own transaction; workers take it from the table, so that what was
asked for and never finished is taken again: a killed worker loses nothing.  A handler must therefore be safe to
repeat; it commits by itself, once per step, through ``database.writing``.  Duties (closing a sitting, a checkpoint each
minute) are claimed through their row, so that of many workers one does them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, String, Text, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from examsvc.base.database import Base, Document, UTCDateTime, writing

Handler = Callable[[Session, dict[str, Any], datetime], None]
Duty = Callable[[Session, datetime], None]
_handlers: dict[str, Handler] = {}
_duties: dict[str, tuple[timedelta, Duty]] = {}
RETRY_AFTER = timedelta(minutes=2)
MOST_TRIES = 10


class DutyRecord(Base):
    """When a duty is next to be done; workers claim it by moving the time forward."""

    __tablename__ = "duties"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Job(Base):
    """One piece of work: what, with which arguments, how often tried, when done."""

    __tablename__ = "jobs"
    __table_args__ = (CheckConstraint("state IN ('waiting', 'done', 'failed')", name="state_is_known"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(60))
    arguments: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    state: Mapped[str] = mapped_column(String(10), default="waiting", index=True)
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)


def handles(kind: str) -> Callable[[Handler], Handler]:
    """Registers the handler of a kind of job."""

    def mark(handler: Handler) -> Handler:
        if _handlers.get(kind, handler) is not handler:
            raise RuntimeError(f"two handlers for the job {kind}")
        _handlers[kind] = handler
        return handler

    return mark


def ask_for(session: Session, kind: str, now: datetime, **arguments: Any) -> Job:
    """Writes the job down in the current transaction."""
    if kind not in _handlers:
        raise RuntimeError(f"no handler for the job {kind}")
    job = Job(kind=kind, arguments=arguments, asked_at=now, due_at=now)
    session.add(job)
    session.flush()
    return job


def run(session: Session, job_id: int, now: datetime) -> bool:
    """Does one waiting job; True when it is done.  A failure is written down and tried again, each time after
    twice as long: ten tries span a day and a half."""
    job = session.get(Job, job_id)
    if job is None or job.state != "waiting":
        return False
    kind, arguments = job.kind, dict(job.arguments)
    with writing(session):
        # claimed by moving its time forward, so that two workers never do the same job at once
        claimed = session.execute(
            update(Job)
            .where(Job.id == job_id, Job.state == "waiting", Job.due_at <= now)
            .values(due_at=now + RETRY_AFTER * 2**job.tries, tries=Job.tries + 1)
        )
    if claimed.rowcount != 1:  # type: ignore[attr-defined]
        return False
    try:
        _handlers[kind](session, arguments, now)
    except Exception as error:
        session.rollback()
        with writing(session):
            job = session.get_one(Job, job_id)
            job.error = f"{type(error).__name__}: {error}"[:2000]
            if job.tries >= MOST_TRIES:
                job.state = "failed"
        return False
    with writing(session):
        session.execute(update(Job).where(Job.id == job_id).values(state="done", done_at=now, error=None))
    return True


def due(session: Session, now: datetime, most: int = 100) -> list[int]:
    """Numbers of jobs that wait and are due, the oldest first."""
    return list(
        session.scalars(select(Job.id).where(Job.state == "waiting", Job.due_at <= now).order_by(Job.id).limit(most))
    )


def run_due(session: Session, now: datetime) -> int:
    """Does everything that is due, here and now; the number of jobs done."""
    return sum(run(session, number, now) for number in due(session, now))


def every(interval: timedelta) -> Callable[[Duty], Duty]:
    """Registers a duty, named after its function: done once in each interval by one of the workers."""

    def mark(duty: Duty) -> Duty:
        _duties[f"{duty.__module__.rpartition('.')[0]}.{duty.__name__}"[-60:]] = (interval, duty)
        return duty

    return mark


def do_duties(session: Session, now: datetime) -> list[str]:
    """Does every duty that has come round, and returns their names.  A duty commits by itself; one that fails is logged
    by raising from :func:`work`, and comes round again.  A round in which none is due writes nothing."""
    done: list[str] = []
    later = set(session.scalars(select(DutyRecord.name).where(DutyRecord.due_at > now)))
    for name, (interval, duty) in sorted(_duties.items()):
        if name in later:
            continue
        with writing(session):
            if session.get(DutyRecord, name) is None:
                session.add(DutyRecord(name=name, due_at=now))
                session.flush()
            claimed = session.execute(
                update(DutyRecord).where(DutyRecord.name == name, DutyRecord.due_at <= now).values(due_at=now + interval)
            )
        if claimed.rowcount == 1:  # type: ignore[attr-defined]
            duty(session, now)
            done.append(name)
    return done


def overdue(session: Session, now: datetime, patience: timedelta) -> list[str]:
    """Duties that should have been done longer ago than this, or never were: no worker is alive, or it fails at them."""
    records = {record.name: record.due_at for record in session.scalars(select(DutyRecord))}
    return [name for name in sorted(_duties) if name not in records or records[name] < now - patience]


def count_failed(session: Session) -> int:
    """Jobs that were given up after their last try."""
    return session.scalar(select(func.count()).where(Job.state == "failed").select_from(Job)) or 0


def work(session: Session, now: datetime) -> int:
    """One round of a worker: duties that have come round, then jobs that are due; the number of things done."""
    return len(do_duties(session, now)) + run_due(session, now)
