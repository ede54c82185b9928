"""What other rooms may ask about competitions."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import oracles
from examsvc.accounts.approvals import Terms
from examsvc.base.errors import NotFound
from examsvc.competitions.models import Competition, Post, RegulationDocument
from examsvc.competitions.regulation import Regulation, read_canonical


def competition(session: Session, slug: str) -> Competition:
    """The competition of that slug; NotFound otherwise."""
    found = session.scalar(select(Competition).where(Competition.slug == slug))
    if found is None:
        raise NotFound()
    return found


def announced(session: Session) -> list[Competition]:
    """Competitions that the public may see, the newest first."""
    return list(
        session.scalars(select(Competition).where(Competition.pinned_at.is_not(None)).order_by(Competition.id.desc()))
    )


def every(session: Session) -> list[Competition]:
    return list(session.scalars(select(Competition).order_by(Competition.id.desc())))


def post(session: Session, competition_id: int, code: str) -> Post:
    found = session.scalar(select(Post).where(Post.competition_id == competition_id, Post.code == code))
    if found is None:
        raise NotFound()
    return found


def regulation(of: Competition) -> Regulation:
    """The typed regulation of a competition: parsed once per process and digest."""
    document: RegulationDocument = of.regulation_document
    return _parsed(document.digest, document.canonical)


@lru_cache(maxsize=64)
def _parsed(digest: str, canonical: str) -> Regulation:
    regulation = read_canonical(canonical.encode())
    if regulation.digest() != digest:
        raise RuntimeError(f"the stored regulation {digest} does not have its digest any more")
    return regulation


def phase(of: Competition) -> str:
    """The phase entered last; "draft" before the competition is announced."""
    return of.phases[-1].phase if of.phases else "draft"


def date_of(of: Competition, event: str) -> datetime | None:
    """When the event is set to happen, or happened."""
    for record in reversed(of.dates):
        if record.event == event:
            return record.at
    return None


def approval_terms(of: Competition, step: str) -> Terms:
    """Who approves a step in this competition.

    Where the regulation is silent on the step, what it says of interventions holds: those people, that number, that term.
    LookupError where it says nothing of either (lint reports that).
    """
    rules = regulation(of)
    rule = rules.approval(step) or rules.approval("intervene")
    if rule is None:
        raise LookupError(f"the regulation does not say who approves {step}")
    return Terms(rule.roles, rule.people, timedelta(hours=rule.expires_hours))


@oracles.board_from
def board(session: Session, slug: str) -> oracles.Board | None:
    """What the regulation of a competition says about the people who act in it."""
    found = session.scalar(select(Competition).where(Competition.slug == slug))
    if found is None:
        return None
    rules = regulation(found)
    roles = {role.id: role.people for role in rules.roles}
    return oracles.Board(
        title=found.title,
        roles=roles,
        conflicts=frozenset(frozenset(pair) for pair in rules.conflicts.pairs(roles)),
        grant=approval_terms(found, "grant-role"),
        blocking=frozenset(rules.relations.blocking),
        declared=rules.relations.declared,
        barred=frozenset(rules.relations.roles),
        discipline_bars=rules.relations.under_discipline_barred,
        stages=tuple(stage.id for stage in rules.stages),
        posts=tuple(post.code for post in found.posts),
    )
