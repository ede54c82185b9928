"""What other rooms may ask about sittings, attempts and answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from examsvc.applications.models import Application
from examsvc.base.errors import NotFound
from examsvc.papers import queries as papers
from examsvc.papers.models import FormSlot
from examsvc.sittings.models import Attempt, Credit, Pause, RoomNotice, Save, Sitting
from examsvc.sittings.rules import Standstill, Timing
from question_banks.model import Item


def sitting(session: Session, sitting_id: int) -> Sitting:
    found = session.get(Sitting, sitting_id)
    if found is None:
        raise NotFound()
    return found


def sittings_of(session: Session, competition_id: int) -> list[Sitting]:
    return list(
        session.scalars(select(Sitting).where(Sitting.competition_id == competition_id).order_by(Sitting.bell_at, Sitting.id))
    )


def attempt(session: Session, code: str) -> Attempt:
    found = session.scalar(select(Attempt).where(Attempt.code == code))
    if found is None:
        raise NotFound()
    return found


def attempts_of_account(session: Session, account_id: int) -> list[Attempt]:
    return list(
        session.scalars(
            select(Attempt)
            .join(Application)
            .join(Sitting)
            .where(Application.account_id == account_id)
            .order_by(Sitting.bell_at, Attempt.id)
        )
    )


def timing(session: Session, attempt: Attempt) -> Timing:
    """All that this attempt's time depends on, as stored now."""
    sitting = attempt.sitting
    pauses = session.scalars(
        select(Pause).where(or_(Pause.room_id == attempt.room_id, Pause.attempt_id == attempt.id)).order_by(Pause.since)
    )
    credit = session.scalar(select(func.coalesce(func.sum(Credit.seconds), 0)).where(Credit.attempt_id == attempt.id))
    return Timing(
        bell=attempt.own_bell_at or sitting.bell_at,
        minutes=sitting.minutes,
        extra_minutes=attempt.extra_minutes,
        grace_seconds=sitting.grace_seconds,
        credit_seconds=int(credit or 0),
        standstills=tuple(Standstill(p.since, p.until) for p in pauses),
    )


@dataclass(frozen=True)
class Slot:
    """A place of the attempt with its item, under this attempt's seed."""

    number: int
    marks: str
    item: Item
    item_version_id: int


def slots(session: Session, attempt: Attempt) -> list[Slot]:
    """Slots of the attempt's form, in the form's order."""
    if attempt.sitting.form_id is None:
        return []
    rows = session.scalars(
        select(FormSlot).where(FormSlot.form_id == attempt.sitting.form_id).order_by(FormSlot.number)
    )
    return [Slot(row.number, row.marks, papers.item(row.item_version), row.item_version_id) for row in rows]


def newest_saves(session: Session, attempt_id: int, *, before: datetime | None = None, late: bool = True) -> dict[int, Save]:
    """The newest save of every slot that has one.  With ``late=False`` late ones are passed over."""
    query = select(Save).where(Save.attempt_id == attempt_id).order_by(Save.slot, Save.version)
    if before is not None:
        query = query.where(Save.saved_at <= before)
    if not late:
        query = query.where(Save.late.is_(False))
    return {save.slot: save for save in session.scalars(query)}


def notices(session: Session, sitting_id: int) -> list[RoomNotice]:
    return list(session.scalars(select(RoomNotice).where(RoomNotice.sitting_id == sitting_id).order_by(RoomNotice.id)))
