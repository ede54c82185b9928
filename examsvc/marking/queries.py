"""What other rooms may ask about marks."""

from __future__ import annotations

from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.competitions.models import Competition
from examsvc.marking.models import MarkLock, ObjectiveMark
from examsvc.sittings.models import Attempt, Sitting


def lock(session: Session, competition_id: int, part: str) -> MarkLock | None:
    return session.scalar(select(MarkLock).where(MarkLock.competition_id == competition_id, MarkLock.part == part))


def part_marks(session: Session, competition: Competition, part: str) -> dict[str, Fraction]:
    """Mark of a part by candidate number, exact; only candidates whose attempt ended."""
    rows = session.execute(
        select(Attempt, ObjectiveMark.score)
        .join(ObjectiveMark, ObjectiveMark.attempt_id == Attempt.id)
        .join(Sitting, Sitting.id == Attempt.sitting_id)
        .where(Sitting.competition_id == competition.id, Sitting.part == part)
    ).all()
    totals: dict[str, Fraction] = {}
    for attempt, score in rows:
        number = attempt.application.candidate_number or ""
        totals[number] = totals.get(number, Fraction(0)) + Fraction(score)
    return totals


def absent(session: Session, competition: Competition, part: str) -> set[str]:
    """Candidate numbers of those who did not sit the part."""
    return {
        attempt.application.candidate_number or ""
        for attempt in session.scalars(
            select(Attempt).join(Sitting).where(
                Sitting.competition_id == competition.id, Sitting.part == part, Attempt.state == "absent"
            )
        )
    }
