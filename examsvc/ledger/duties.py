"""What the clock does by itself: signs what has grown, shows it to the witnesses, and names the software that runs."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from examsvc.base import jobs
from examsvc.base.database import writing
from examsvc.ledger import queries, signing, witnessing
from examsvc.ledger.operations import record_release

CHECKPOINT_EVERY = timedelta(seconds=20)
"""A log that has grown is signed at most so much later; during a sitting its heads grow it each minute."""


def sign_and_show(session: Session, now: datetime) -> None:
    """Signs every log that has grown and asks the witnesses who have not signed its newest checkpoint.

    One log that may not be signed does not keep the others waiting; it is reported when all have had their turn.
    """
    unsound: list[str] = []
    for log in queries.logs(session):
        try:
            newest = queries.newest_checkpoint(session, log)
            if newest is None or newest.size != queries.size(session, log):
                signing.sign_checkpoint(session, log, now=now)
            witnessing.collect(session, log, now=now)
        except signing.Unsound as error:
            session.rollback()
            unsound.append(str(error))
    if unsound:
        raise signing.Unsound(" ".join(unsound))


def name_release(session: Session, now: datetime) -> None:
    """Puts the software on record when it is another one than before."""
    with writing(session):
        record_release(session, now=now)


def register() -> None:
    """Gives these duties to the workers."""
    jobs.every(CHECKPOINT_EVERY)(sign_and_show)
    jobs.every(timedelta(minutes=1))(name_release)
