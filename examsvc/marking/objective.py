"""Objective answers, marked exactly by `question_banks`, and the score shown at once where the regulation says so."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examsvc.base.errors import N_, Refused
from examsvc.competitions import queries as competitions
from examsvc.competitions.terms import write_exact
from examsvc.ledger.operations import Sealed, record
from examsvc.marking import queries, scope
from examsvc.marking.models import ObjectiveMark
from examsvc.marking.rules import decimal
from examsvc.sittings import queries as sittings
from examsvc.sittings.models import Attempt, Sitting
from examsvc.sittings.planning import form_code


def mark_objective(session: Session, sitting: Sitting, *, now: datetime) -> int:
    """Marks every objective slot of every ended attempt of a closed sitting; the number of attempts marked.

    What is stored is what is marked, whoever ended the attempt; late answers count only by a decision.  Does nothing the
    second time.
    """
    if sitting.closed_at is None:
        raise Refused(N_("The sitting is not closed yet. Answers are marked when every attempt has ended."))
    attempts = [attempt for attempt in sitting.attempts if attempt.state in ("submitted", "closed")]
    done = set(
        session.scalars(
            select(ObjectiveMark.attempt_id).where(ObjectiveMark.attempt_id.in_([one.id for one in attempts])).distinct()
        )
    )
    fresh = [attempt for attempt in attempts if attempt.id not in done]
    if not fresh or not any(not slot.item.by_person for slot in sittings.slots(session, fresh[0])):
        return 0
    for attempt in fresh:
        mark_attempt(session, attempt, now=now)
    version = 1 + int(session.scalar(select(func.count()).select_from(queries.score_runs(sitting).subquery())) or 0)
    table = {
        "paper": form_code(sitting.form),
        "key": 1,
        "scores": [_score_row(session, attempt) for attempt in sorted(attempts, key=lambda one: one.code)],
    }
    record(
        session,
        sitting.competition.slug,
        "responses.scored",
        now=now,
        **scope.of_part(sitting.competition, sitting.part, [one.application.post.code for one in attempts]),
        paper=form_code(sitting.form),
        version=version,
        attempts=len(attempts),
        scores=Sealed(table),
        under=queries.closing_entry(session, sitting),
    )
    return len(fresh)


def mark_attempt(session: Session, attempt: Attempt, *, now: datetime) -> Fraction:
    """Marks the objective slots of one attempt and returns their sum."""
    counted = sittings.counted_saves(session, attempt.id)
    total = Fraction(0)
    for slot in sittings.slots(session, attempt):
        if slot.item.by_person:
            continue
        save = counted.get(slot.number)
        outcome = slot.item.mark(save.value if save and save.value else {})
        share = Fraction(outcome.score or 0) / Fraction(outcome.max_score) if outcome.max_score else Fraction(0)
        score = share * Fraction(Decimal(slot.marks))
        total += score
        session.add(
            ObjectiveMark(
                attempt_id=attempt.id,
                slot=slot.number,
                form_slot=slot.form_slot,
                save_id=save.id if save else None,
                item_digest=slot.item.digest,
                score=write_exact(score),
                max_score=slot.marks,
                at=now,
            )
        )
    session.flush()
    return total


def _score_row(session: Session, attempt: Attempt) -> dict[str, object]:
    rows = list(
        session.scalars(
            select(ObjectiveMark).where(ObjectiveMark.attempt_id == attempt.id).order_by(ObjectiveMark.slot)
        )
    )
    total = sum((Fraction(row.score) for row in rows), Fraction(0))
    return {
        "attempt": attempt.code,
        "slots": [decimal(Fraction(row.score)) for row in rows],
        "total": decimal(total),
    }


def show_score(session: Session, attempt: Attempt, *, now: datetime) -> Fraction | None:
    """The candidate's objective score at once, where the regulation shows it; None where it does not, or not yet."""
    competition = attempt.sitting.competition
    part = competitions.regulation(competition).part(attempt.sitting.part)
    if not part.results_at_once or attempt.state not in ("submitted", "closed"):
        return None
    total = queries.objective_total(session, attempt.id)
    if total is None:
        total = mark_attempt(session, attempt, now=now)
        record(
            session,
            competition.slug,
            "score.shown",
            now=now,
            **scope.of_part(competition, part.id, [attempt.application.post.code]),
            attempt=attempt.code,
            score=Sealed(
                {"attempt": attempt.code, "total": decimal(total)}, subject=attempt.application.account.code
            ),
        )
    return total
