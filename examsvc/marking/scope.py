"""Which stage and posts an entry about marks is about, and the lock that stands over it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.accounts.approvals import Approved
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.competitions import queries as competitions
from examsvc.competitions.marking_clauses import MarkingScheme
from examsvc.competitions.models import Competition
from examsvc.marking.models import StageLock


def of_part(competition: Competition, part: str, posts: list[str] | None = None) -> dict[str, Any]:
    """Stage and posts (all of the competition unless given): the frame of an entry."""
    regulation = competitions.regulation(competition)
    codes = posts if posts is not None else [post.code for post in competition.posts]
    return {"stage": regulation.stage_of(part).id, "posts": sorted(set(codes))}


def stage_name(competition: Competition, stage: str, language: str) -> str:
    return competitions.regulation(competition).stage(stage).label.in_language(language)


def part_name(competition: Competition, part: str, language: str) -> str:
    return competitions.regulation(competition).part(part).label.in_language(language)


def scheme(competition: Competition, part: str) -> MarkingScheme:
    """How the regulation has the scripts of a part marked; NotFound for a part without scripts."""
    regulation = competitions.regulation(competition)
    rule = regulation.part(part)
    if rule.kind not in ("essay", "plan"):
        raise NotFound()
    return regulation.marking_of(rule)


def actor(session: Session, account_id: int) -> str:
    return accounts.account(session, account_id).code


def signer(session: Session, approved: Approved, role: str) -> str | None:
    """Code of the first approver who holds this role in the competition: who stands as the actor of an entry that the role makes."""
    holders = {
        one.code for place in (approved.competition, "") for one in accounts.holders(session, role, place, approved.now)
    }
    return next((code for code, _ in approved.approvals if code in holders), None)


def lock(session: Session, competition_id: int, stage: str) -> StageLock | None:
    """The lock that stands over a stage now, if any."""
    return session.scalar(
        select(StageLock)
        .where(
            StageLock.competition_id == competition_id, StageLock.stage == stage, StageLock.reopened_at.is_(None)
        )
        .order_by(StageLock.number.desc())
        .limit(1)
    )


def require_open(session: Session, competition: Competition, part: str) -> None:
    """Refused when the marks of the part's stage are locked."""
    stage = competitions.regulation(competition).stage_of(part).id
    if lock(session, competition.id, stage) is not None:
        raise Refused(N_("The marks of this stage are locked. Nothing in them can be changed any more."))
