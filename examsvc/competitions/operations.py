"""Announcing a competition and leading it through its phases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.base.errors import N_, Refused
from examsvc.competitions import queries
from examsvc.competitions.models import Competition, DateRecord, PhaseRecord, Post, RegulationDocument
from examsvc.competitions.regulation import Regulation, RegulationError, read_toml


def read_regulation(toml: bytes) -> Regulation:
    """The regulation in a TOML document; Refused with the first problem and the number of the others."""
    try:
        return read_toml(toml)
    except RegulationError as error:
        first, *others = error.problems
        raise Refused(
            N_("The regulation cannot be used: %(problem)s (and %(others)d further problems)"),
            problem=first.message,
            others=len(others),
            field="regulation",
        ) from None


def add_regulation(
    session: Session, regulation: Regulation, *, by: int, now: datetime, toml: str | None = None
) -> RegulationDocument:
    """Stores a regulation under its digest; the same document twice is one row."""
    digest = regulation.digest()
    found = session.scalar(select(RegulationDocument).where(RegulationDocument.digest == digest))
    if found is None:
        found = RegulationDocument(
            digest=digest,
            canonical=regulation.canonical_bytes().decode(),
            toml=toml,
            title=regulation.title.model_dump(),
            added_at=now,
            added_by_id=by,
        )
        session.add(found)
        session.flush()
    return found


def create_competition(
    session: Session, *, slug: str, title: Mapping[str, str], regulation: RegulationDocument, by: int, now: datetime
) -> Competition:
    if session.scalar(select(Competition.id).where(Competition.slug == slug)) is not None:
        raise Refused(N_("There is already a competition with this address. Choose another one."), field="slug")
    competition = Competition(
        slug=slug, title=dict(title), regulation_id=regulation.id, created_at=now, created_by_id=by
    )
    session.add(competition)
    session.flush()
    return competition


def add_post(
    session: Session,
    competition: Competition,
    *,
    code: str,
    title: Mapping[str, str],
    unit: Mapping[str, str],
    level: str,
    vacancies: int = 1,
) -> Post:
    """Puts a post to competition; only before the competition is announced."""
    if competition.pinned_at is not None:
        raise Refused(N_("The competition is announced; posts change only by a reasoned decision."))
    post = Post(
        competition_id=competition.id, code=code, title=dict(title), unit=dict(unit), level=level, vacancies=vacancies
    )
    session.add(post)
    session.flush()
    session.expire(competition, ["posts"])
    return post


def set_date(session: Session, competition: Competition, *, event: str, at: datetime, by: int, now: datetime) -> None:
    session.add(DateRecord(competition_id=competition.id, event=event, at=at, set_at=now, by_id=by))
    session.flush()
    session.expire(competition, ["dates"])


def enter_phase(session: Session, competition: Competition, *, phase: str, by: int, now: datetime) -> None:
    """Goes into a phase; announcing pins the regulation."""
    if queries.phase(competition) == phase:
        return
    if phase == "announced":
        if not competition.posts:
            raise Refused(N_("Add at least one post before announcing the competition."))
        competition.pinned_at = now
    session.add(PhaseRecord(competition_id=competition.id, phase=phase, entered_at=now, by_id=by))
    session.flush()
    session.expire(competition, ["phases"])


def as_public(competition: Competition) -> dict[str, Any]:
    """What the public page shows of a competition."""
    return {"slug": competition.slug, "title": competition.title, "phase": queries.phase(competition)}
