"""What candidates scored for each question of a form: for the statistics that its setters see beside it."""

from __future__ import annotations

from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.marking import queries
from examsvc.marking.models import ObjectiveMark
from examsvc.papers import oracles
from examsvc.sittings.models import Attempt, Sitting


@oracles.scores_from
def scores(session: Session, form_id: int) -> list[dict[int, Fraction]]:
    """One row for each attempt at the form that the machine has marked: marks by number of the question, as marked last."""
    rows = session.execute(
        select(ObjectiveMark.attempt_id, ObjectiveMark.form_slot, ObjectiveMark.score)
        .join(Attempt, Attempt.id == ObjectiveMark.attempt_id)
        .join(Sitting, Sitting.id == Attempt.sitting_id)
        .where(Sitting.form_id == form_id, ObjectiveMark.run == queries.newest_run())
        .order_by(ObjectiveMark.attempt_id, ObjectiveMark.form_slot)
    )
    found: dict[int, dict[int, Fraction]] = {}
    for attempt, number, score in rows:
        found.setdefault(attempt, {})[number] = Fraction(score)
    return list(found.values())
