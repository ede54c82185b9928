"""What other rooms may ask about sittings, attempts and answers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from examsvc.applications.models import Application
from examsvc.base.errors import NotFound
from examsvc.competitions import queries as competitions
from examsvc.papers import queries as papers
from examsvc.papers.models import FormSlot, ItemVersion
from examsvc.sittings.models import (
    Attempt,
    Credit,
    Incident,
    LateDecision,
    Outage,
    Pause,
    RoomNotice,
    SanctionRecord,
    Save,
    Sitting,
)
from examsvc.sittings.rules import Standstill, Timing
from question_banks.model import Item


def sitting(session: Session, sitting_id: int) -> Sitting:
    found = session.get(Sitting, sitting_id)
    if found is None:
        raise NotFound()
    return found


def sitting_of(session: Session, competition_id: int, code: str) -> Sitting:
    found = session.scalar(select(Sitting).where(Sitting.competition_id == competition_id, Sitting.code == code))
    if found is None:
        raise NotFound()
    return found


def unfinished(session: Session) -> list[Sitting]:
    """Sittings that are planned and not closed, by bell."""
    return list(session.scalars(select(Sitting).where(Sitting.closed_at.is_(None)).order_by(Sitting.bell_at)))


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
    """The n-th question as this attempt's candidate sees it; ``form_slot`` is its place in the form, the same for all."""

    number: int
    form_slot: int
    marks: str
    item: Item
    item_version_id: int


def slots(session: Session, attempt: Attempt) -> list[Slot]:
    """Slots of the attempt in the order shown: the form's, or the candidate's own where the regulation shuffles items.

    The own order is that of SHA-256(seed, place in the form), so it can be found again from the seed alone.
    """
    if attempt.sitting.form_id is None:
        return []
    rows = list(form_slots(session, attempt.sitting.form_id))
    part = competitions.regulation(attempt.sitting.competition).part(attempt.sitting.part)
    if getattr(part, "shuffle_items", False):
        rows.sort(key=lambda row: hashlib.sha256(f"{attempt.seed}:{row[0]}".encode()).digest())
    return [
        Slot(number, form_slot, marks, papers.parsed(digest, native), version)
        for number, (form_slot, marks, version, digest, native) in enumerate(rows, start=1)
    ]


def form_slots(session: Session, form_id: int) -> tuple[tuple[int, str, int, str, str], ...]:
    """(place, marks, item version, digest, native document) of a form; kept in memory, since a form never changes."""
    key = (str(session.get_bind().engine.url), form_id)
    if key not in _forms:
        rows = session.execute(
            select(FormSlot.number, FormSlot.marks, ItemVersion.id, ItemVersion.digest, ItemVersion.native)
            .join(ItemVersion, ItemVersion.id == FormSlot.item_version_id)
            .where(FormSlot.form_id == form_id)
            .order_by(FormSlot.number)
        )
        _forms[key] = tuple((n, m, v, d, t) for n, m, v, d, t in rows)
    return _forms[key]


_forms: dict[tuple[str, int], tuple[tuple[int, str, int, str, str], ...]] = {}


def presented(attempt: Attempt, slot: Slot, language: str, media: str = "media/") -> dict[str, Any]:
    """The slot's item as this candidate sees it: options in his own order where the regulation shuffles them."""
    part = competitions.regulation(attempt.sitting.competition).part(attempt.sitting.part)
    seed = f"{attempt.seed}:{slot.form_slot}" if getattr(part, "shuffle_options", False) else 0
    return slot.item.presentation(language, seed, media)


def shown_order(session: Session, attempt: Attempt) -> list[tuple[Slot, list[str]]]:
    """Each slot with the tokens of its first interaction's options in the order shown; empty where it has none."""
    language = competitions.regulation(attempt.sitting.competition).languages[0]
    found = []
    for slot in slots(session, attempt):
        interactions = presented(attempt, slot, language)["interactions"]
        order = [choice["id"] for one in interactions for choice in one.get("choices", [])]
        found.append((slot, order))
    return found


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


@dataclass(frozen=True)
class Progress:
    """How far an attempt is: slots with an answer, and when something was saved last.  Nothing of the answers."""

    answered: int
    last_saved: datetime | None


def progress(session: Session, attempt_id: int) -> Progress:
    newest = newest_saves(session, attempt_id)
    return Progress(
        sum(1 for save in newest.values() if save.value is not None),
        max((save.saved_at for save in newest.values()), default=None),
    )


def incidents(session: Session, sitting_id: int) -> list[Incident]:
    return list(session.scalars(select(Incident).where(Incident.sitting_id == sitting_id).order_by(Incident.id)))


def outages(session: Session, attempt_id: int) -> list[Outage]:
    return list(session.scalars(select(Outage).where(Outage.attempt_id == attempt_id).order_by(Outage.since)))


def credits(session: Session, attempt_id: int) -> list[Credit]:
    return list(session.scalars(select(Credit).where(Credit.attempt_id == attempt_id).order_by(Credit.id)))


def on_break(session: Session, attempt_id: int) -> bool:
    return session.scalar(select(Pause.id).where(Pause.attempt_id == attempt_id, Pause.until.is_(None))) is not None


def attempts_with_late_answers(session: Session, sitting_id: int) -> list[Attempt]:
    return list(
        session.scalars(
            select(Attempt)
            .where(
                Attempt.sitting_id == sitting_id,
                Attempt.id.in_(select(Save.attempt_id).where(Save.late.is_(True))),
            )
            .order_by(Attempt.id)
        )
    )


def late_decision(session: Session, attempt_id: int) -> LateDecision | None:
    return session.scalar(select(LateDecision).where(LateDecision.attempt_id == attempt_id))


def counted_saves(session: Session, attempt_id: int) -> dict[int, Save]:
    """The saves that are marked: the newest in time, or the newest of all where the board counted late ones."""
    decision = late_decision(session, attempt_id)
    return newest_saves(session, attempt_id, late=decision is not None and decision.outcome == "counted")


def deductions(session: Session, attempt_id: int) -> list[SanctionRecord]:
    """Sanctions in force on an attempt, in the order imposed."""
    return list(
        session.scalars(
            select(SanctionRecord)
            .where(SanctionRecord.attempt_id == attempt_id, SanctionRecord.lifted_at.is_(None))
            .order_by(SanctionRecord.id)
        )
    )
