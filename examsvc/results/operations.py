"""Computing, approving and publishing results."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examsvc.applications import queries as applications
from examsvc.base.errors import N_, NotAllowed, Refused
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.competitions.terms import write_exact
from examsvc.marking import queries as marking
from examsvc.results import rules
from examsvc.results.models import Publication, ScoreRun


def compute_results(session: Session, competition: Competition, *, by: int, now: datetime) -> ScoreRun:
    """A new score run from locked marks; earlier runs stay."""
    regulation = competitions.regulation(competition)
    for stage in regulation.stages:
        if stage.kind != "examination":
            continue
        lock = marking.lock(session, competition.id, stage.id)
        if lock is None:
            raise Refused(N_("The marks of the stage %(stage)s are not locked yet."), stage=stage.id)
        if lock.opened_at is None and any(part.kind in ("essay", "plan") for part in stage.parts):
            raise Refused(N_("The code map of the stage %(stage)s is not open yet."), stage=stage.id)
    marks = {part.id: marking.part_marks(session, competition, part.id) for part in regulation.parts}
    absent = {part.id: marking.absent(session, competition, part.id) for part in regulation.parts}
    entrants = [
        rules.Entrant(
            number=application.candidate_number or "",
            post=application.post.code,
            marks={part: of[application.candidate_number or ""] for part, of in marks.items() if application.candidate_number in of},
            absent=frozenset(part for part, of in absent.items() if application.candidate_number in of),
        )
        for application in applications.eligible(session, competition.id)
    ]
    ranking = rules.rank(regulation, entrants, {post.code: post.vacancies for post in competition.posts})
    outcome = as_document(ranking)
    inputs = {
        "regulation": competition.regulation_document.digest,
        "marks": {part: {number: write_exact(mark) for number, mark in sorted(of.items())} for part, of in marks.items()},
    }
    number = (session.scalar(select(func.max(ScoreRun.number)).where(ScoreRun.competition_id == competition.id)) or 0) + 1
    run = ScoreRun(
        competition_id=competition.id,
        number=number,
        digest=_digest({"inputs": inputs, "outcome": outcome}),
        inputs=inputs,
        outcome=outcome,
        at=now,
        by_id=by,
    )
    session.add(run)
    session.flush()
    return run


def as_document(ranking: rules.Ranking) -> dict[str, Any]:
    """The ranking as JSON: exact numbers are texts."""

    def text(value: Fraction | None) -> str | None:
        return None if value is None else write_exact(value)

    return {
        "rows": [
            {
                "number": row.number,
                "post": row.post,
                "outcome": row.outcome,
                "rank": row.rank,
                "total": text(row.total),
                "parts": {part: text(mark) for part, mark in row.part_marks.items()},
                "priority": text(row.priority),
                "tie_break": row.tie_break,
                "steps": [
                    {"code": s.code, "part": s.part, "value": text(s.value), "result": text(s.result), "detail": s.detail}
                    for s in row.steps
                ],
            }
            for row in ranking.rows
        ],
        "open_ties": [{"post": t.post, "numbers": list(t.numbers), "by": t.by} for t in ranking.open_ties],
    }


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def propose_publication(session: Session, competition: Competition, run: ScoreRun, *, by: int, now: datetime) -> Publication:
    """Freezes what would be published of a run, as the regulation allows; a second person publishes it."""
    if run.outcome["open_ties"]:
        raise Refused(N_("A tie still needs its decision. Decide it first, then compute the results again."))
    regulation = competitions.regulation(competition)
    names = {
        application.candidate_number: application.account.name
        for application in applications.submitted(session, competition.id)
    }
    content = public_content(run.outcome, regulation.publication, names)
    edition = (
        session.scalar(select(func.max(Publication.edition)).where(Publication.competition_id == competition.id)) or 0
    ) + 1
    publication = Publication(
        competition_id=competition.id,
        edition=edition,
        run_id=run.id,
        content=content,
        digest=_digest(content),
        proposed_by_id=by,
        proposed_at=now,
    )
    session.add(publication)
    session.flush()
    return publication


def public_content(outcome: dict[str, Any], rule: Any, names: dict[str | None, str]) -> dict[str, Any]:
    """Rows as the regulation publishes them: winners and others each by name, by number or not at all."""
    rows = []
    for row in outcome["rows"]:
        winner = row["outcome"] == "chosen"
        shown = rule.winners if winner else rule.others
        if shown == "nothing":
            continue
        marks = rule.winner_marks if winner else rule.other_marks
        rows.append(
            {
                "post": row["post"],
                "rank": row["rank"],
                "outcome": row["outcome"],
                "number": row["number"] if shown == "number" else None,
                "name": names.get(row["number"]) if shown == "name" else None,
                "total": row["total"] if marks in ("total", "parts") else None,
                "parts": row["parts"] if marks == "parts" else None,
            }
        )
    return {"rows": rows}


def publish(session: Session, publication: Publication, *, by: int, now: datetime) -> None:
    if by == publication.proposed_by_id:
        raise NotAllowed(N_("Another person than the one who proposed it publishes the result."))
    if publication.published_at is None:
        publication.approved_by_id, publication.published_at = by, now
        session.flush()
