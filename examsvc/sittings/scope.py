"""Which stage and posts a sitting's ledger entries are about, and the codes of those who act."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.competitions import queries as competitions
from examsvc.sittings.models import Attempt, Sitting


def of_sitting(sitting: Sitting) -> dict[str, Any]:
    """Stage, posts of everybody summoned, and the sitting's code: the frame of an entry about the sitting."""
    regulation = competitions.regulation(sitting.competition)
    posts = {seat.application.post.code for seat in sitting.seats} or {post.code for post in sitting.competition.posts}
    return {"stage": regulation.stage_of(sitting.part).id, "posts": sorted(posts), "sitting": sitting.code}


def of_attempt(attempt: Attempt) -> dict[str, Any]:
    """Stage, the candidate's post, sitting and attempt."""
    regulation = competitions.regulation(attempt.sitting.competition)
    return {
        "stage": regulation.stage_of(attempt.sitting.part).id,
        "posts": [attempt.application.post.code],
        "sitting": attempt.sitting.code,
        "attempt": attempt.code,
    }


def actor(session: Session, account_id: int) -> str:
    """The code that stands for a person in the ledger."""
    return accounts.account(session, account_id).code
