"""Objective answers, marked exactly by `question_banks`, and the score shown at once where the regulation says so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from examsvc.base.errors import N_, Refused
from examsvc.competitions import queries as competitions
from examsvc.competitions.terms import write_exact
from examsvc.ledger.operations import Sealed, record
from examsvc.marking import queries, scope
from examsvc.marking.models import ObjectiveMark
from examsvc.marking.rules import decimal
from examsvc.papers import corrections
from examsvc.papers import queries as papers
from examsvc.papers.models import Form
from examsvc.papers.rules import neutralise
from examsvc.sittings import queries as sittings
from examsvc.sittings.models import Attempt, Sitting
from examsvc.sittings.planning import form_code
from question_banks.responding import identified


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
    _record_scores(session, sitting, attempts, now=now, under=queries.closing_entry(session, sitting))
    return len(fresh)


@corrections.on_change
def mark_again(session: Session, form: Form, under: int, now: datetime) -> None:
    """Marks a paper's attempts anew after its key was corrected or a question neutralised; what was marked before is kept."""
    for sitting in session.scalars(select(Sitting).where(Sitting.form_id == form.id, Sitting.closed_at.is_not(None))):
        marked = [one for one in sitting.attempts if queries.objective_total(session, one.id) is not None]
        for attempt in marked:
            mark_attempt(session, attempt, now=now, run=queries.run_of(session, attempt.id) + 1)
        if marked:
            _record_scores(session, sitting, marked, now=now, under=under)


def _record_scores(
    session: Session, sitting: Sitting, attempts: Sequence[Attempt], *, now: datetime, under: int
) -> None:
    paper = form_code(sitting.form)
    table = {
        "paper": paper,
        "key": papers.key_version(session, sitting.form_id) if sitting.form_id is not None else 1,
        "scores": [_score_row(session, attempt) for attempt in sorted(attempts, key=lambda one: one.code)],
    }
    record(
        session,
        sitting.competition.slug,
        "responses.scored",
        now=now,
        **scope.of_part(sitting.competition, sitting.part, [one.application.post.code for one in attempts]),
        paper=paper,
        version=1 + queries.score_runs(session, sitting, paper),
        attempts=len(attempts),
        scores=Sealed(table),
        under=under,
    )


def mark_attempt(session: Session, attempt: Attempt, *, now: datetime, run: int = 1) -> Fraction:
    """Marks the objective slots of one attempt and returns their sum.

    A corrected key is applied to what the candidate chose; a neutralised question does what the regulation says.
    """
    counted = sittings.counted_saves(session, attempt.id)
    form_id = attempt.sitting.form_id or 0
    corrected, neutralised = papers.corrected(session, form_id), papers.neutralised(session, form_id)
    slots = [slot for slot in sittings.slots(session, attempt) if not slot.item.by_person]
    scores: dict[int, tuple[Fraction, Fraction]] = {}
    digests: dict[int, str] = {}
    for slot in slots:
        save = counted.get(slot.number)
        chosen = save.value if save and save.value else {}
        by = corrected.get(slot.form_slot, slot.item)
        outcome = by.mark(identified(slot.item, chosen) if by is not slot.item else chosen)
        share = Fraction(outcome.score or 0) / Fraction(outcome.max_score) if outcome.max_score else Fraction(0)
        marks = Fraction(Decimal(slot.marks))
        scores[slot.form_slot], digests[slot.form_slot] = (share * marks, marks), by.digest
    after = neutralise(scores, neutralised)
    marks_given = [
        {
            "attempt_id": attempt.id,
            "slot": slot.number,
            "form_slot": slot.form_slot,
            "run": run,
            "save_id": save.id if (save := counted.get(slot.number)) else None,
            "item_digest": digests[slot.form_slot],
            "score": write_exact(after[slot.form_slot][0]),
            "max_score": write_exact(after[slot.form_slot][1]),
            "at": now,
        }
        for slot in slots
    ]
    if marks_given:
        session.execute(insert(ObjectiveMark), marks_given)
    return sum((score for score, _ in after.values()), Fraction(0))


def _score_row(session: Session, attempt: Attempt) -> dict[str, object]:
    rows = list(
        session.scalars(
            select(ObjectiveMark)
            .where(ObjectiveMark.attempt_id == attempt.id, ObjectiveMark.run == queries.newest_run())
            .order_by(ObjectiveMark.slot)
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
