"""Which stage and posts an entry about a paper is about, and the codes of those who act."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.base.errors import N_, Refused
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.ledger.entries import read_entry
from examsvc.ledger.models import LogEntry


def of_part(competition: Competition, part: str) -> dict[str, Any]:
    """Stage and posts: the frame of an entry about the paper of a part."""
    return of_stage(competition, competitions.regulation(competition).stage_of(part).id)


def of_stage(competition: Competition, stage: str) -> dict[str, Any]:
    return {"stage": stage, "posts": sorted(post.code for post in competition.posts)}


def actor(session: Session, account_id: int) -> str:
    return accounts.account(session, account_id).code


def require_applications_closed(session: Session, competition: Competition) -> None:
    """Papers are approved and sealed when nobody can apply any more: until then a setter may still turn out to be a relative."""
    closed = {
        post
        for row in session.scalars(
            select(LogEntry.entry).where(LogEntry.log == competition.slug, LogEntry.type == "applications.closed")
        )
        for post in read_entry(row).posts
    }
    if closed < {post.code for post in competition.posts}:
        raise Refused(N_("Applications are still open. Approve the paper when they are closed."))
