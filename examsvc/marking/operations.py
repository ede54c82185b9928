"""Marking: objective answers by `question_banks`, and the lock on a part's marks."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.base.errors import N_, NotAllowed, Refused
from examsvc.competitions.models import Competition
from examsvc.marking import queries
from examsvc.marking.models import MarkLock, ObjectiveMark
from examsvc.sittings import queries as sittings
from examsvc.sittings.models import Attempt, Sitting


def mark_objective(session: Session, sitting: Sitting, *, now: datetime) -> int:
    """Marks every objective slot of every ended attempt once; the number of attempts marked.

    What is stored is what is marked, whoever ended the attempt; late answers count only by a decision.
    """
    if sitting.closed_at is None:
        raise Refused(N_("The sitting is not closed yet. Answers are marked when every attempt has ended."))
    marked = 0
    for attempt in sitting.attempts:
        if attempt.state not in ("submitted", "closed"):
            continue
        if session.scalar(select(ObjectiveMark.id).where(ObjectiveMark.attempt_id == attempt.id).limit(1)):
            continue
        _mark_attempt(session, attempt, now)
        marked += 1
    session.flush()
    return marked


def _mark_attempt(session: Session, attempt: Attempt, now: datetime) -> None:
    newest = sittings.counted_saves(session, attempt.id)
    for slot in sittings.slots(session, attempt):
        if slot.item.by_person:
            continue
        save = newest.get(slot.number)
        outcome = slot.item.instance(0).mark(save.value if save and save.value else {})
        share = Fraction(outcome.score or 0) / Fraction(outcome.max_score) if outcome.max_score else Fraction(0)
        session.add(
            ObjectiveMark(
                attempt_id=attempt.id,
                slot=slot.number,
                save_id=save.id if save else None,
                item_digest=slot.item.digest,
                score=str(share * Fraction(Decimal(slot.marks))),
                max_score=slot.marks,
                at=now,
            )
        )


def lock_marks(session: Session, competition: Competition, *, part: str, proposed_by: int, approved_by: int, now: datetime) -> MarkLock:
    """Locks a part's marks, by two people; nothing is changed afterwards but by listed, approved steps."""
    if proposed_by == approved_by:
        raise NotAllowed(N_("Two different people lock the marks."))
    if queries.lock(session, competition.id, part) is not None:
        raise Refused(N_("The marks of this part are locked already."))
    marks = queries.part_marks(session, competition, part)
    content = {number: str(mark) for number, mark in sorted(marks.items())}
    lock = MarkLock(
        competition_id=competition.id,
        part=part,
        digest=hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest(),
        proposed_by_id=proposed_by,
        approved_by_id=approved_by,
        at=now,
        details={"count": len(content)},
    )
    session.add(lock)
    session.flush()
    return lock
