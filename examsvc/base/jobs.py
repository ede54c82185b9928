"""Work that outlives a request: our own table is the truth, the queue only carries a job's number.

An operation asks for work with :func:`ask_for`, in its own transaction; after the commit the web edge hands the number to
the queue.  A sweeper enqueues again whatever was asked for and never finished, so a killed worker loses nothing.  A handler
must therefore be safe to repeat; it commits by itself, once per step, through ``database.writing``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, String, Text, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from examsvc.base.database import Base, Document, UTCDateTime, writing

Handler = Callable[[Session, dict[str, Any], datetime], None]
_handlers: dict[str, Handler] = {}
_senders: list[Callable[[int], None]] = []
_ASKED = "examsvc_jobs"
RETRY_AFTER = timedelta(minutes=2)
MOST_TRIES = 10


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
    session.info.setdefault(_ASKED, []).append(job.id)
    return job


def on_committed(send: Callable[[int], None]) -> None:
    """Sets what carries a job's number to a worker: the queue in production, nothing in tests."""
    _senders[:] = [send]


def enqueue_committed(session: Session) -> None:
    """Hands over the numbers of jobs asked for in the transaction that has just been committed."""
    for number in session.info.pop(_ASKED, []):
        for send in _senders:
            send(number)


def run(session: Session, job_id: int, now: datetime) -> bool:
    """Does one waiting job; True when it is done.  A failure is written down and tried again later, at most ten times."""
    job = session.get(Job, job_id)
    if job is None or job.state != "waiting":
        return False
    kind, arguments = job.kind, dict(job.arguments)
    with writing(session):
        # claimed by moving its time forward, so that two workers never do the same job at once
        claimed = session.execute(
            update(Job)
            .where(Job.id == job_id, Job.state == "waiting", Job.due_at <= now)
            .values(due_at=now + RETRY_AFTER, tries=Job.tries + 1)
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
    """Numbers of jobs that wait and are due: what the sweeper enqueues again."""
    return list(
        session.scalars(select(Job.id).where(Job.state == "waiting", Job.due_at <= now).order_by(Job.id).limit(most))
    )


def run_due(session: Session, now: datetime) -> int:
    """Does everything that is due, here and now; the number of jobs done."""
    return sum(run(session, number, now) for number in due(session, now))
