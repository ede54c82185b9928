"""What other rooms may ask about units, posts and service."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from examsvc.accounts import oracles
from examsvc.base.errors import NotFound
from examsvc.careers import rules
from examsvc.careers.models import (
    Discipline,
    Position,
    PositionSuccession,
    Service,
    TitleStandard,
    Unit,
    UnitSuccession,
)
from examsvc.careers.rules import Stretch


def units(session: Session) -> list[Unit]:
    """Every unit there is or was, by code."""
    return list(session.scalars(select(Unit).order_by(Unit.code)))


def units_on(session: Session, day: date) -> list[Unit]:
    """Units that exist on that day, by code."""
    return list(
        session.scalars(
            select(Unit).where(Unit.begins_on <= day, or_(Unit.ends_on.is_(None), Unit.ends_on > day)).order_by(Unit.code)
        )
    )


def unit(session: Session, code: str) -> Unit:
    found = session.scalar(select(Unit).where(Unit.code == code))
    if found is None:
        raise NotFound()
    return found


def positions_on(session: Session, day: date, *, level: str | None = None) -> list[Position]:
    """Posts that exist on that day, of one level or of all, by unit and code."""
    wanted = (
        select(Position)
        .join(Unit, Unit.id == Position.unit_id)
        .where(Position.begins_on <= day, or_(Position.ends_on.is_(None), Position.ends_on > day))
        .order_by(Unit.code, Position.code)
    )
    if level is not None:
        wanted = wanted.where(Position.level == level)
    return list(session.scalars(wanted))


def position(session: Session, code: str) -> Position:
    found = session.scalar(select(Position).where(Position.code == code))
    if found is None:
        raise NotFound()
    return found


def levels(session: Session) -> list[str]:
    """Levels that posts have or had, in alphabetical order."""
    return sorted(set(session.scalars(select(Position.level).distinct())))


def standards_on(session: Session, day: date) -> list[TitleStandard]:
    """Title standards in force on that day, by code."""
    return list(
        session.scalars(
            select(TitleStandard)
            .where(TitleStandard.begins_on <= day, or_(TitleStandard.ends_on.is_(None), TitleStandard.ends_on > day))
            .order_by(TitleStandard.code)
        )
    )


def unit_successors(session: Session, of: Unit, day: date) -> list[Unit]:
    """What stands for the unit on a day: itself, or the units that took over from it, at however many removes."""
    after: dict[int, list[int]] = defaultdict(list)
    for one in session.scalars(select(UnitSuccession)):
        after[one.unit_id].append(one.successor_id)
    every = {one.id: one for one in units(session)}
    existing = {key: Stretch(one.begins_on, one.ends_on) for key, one in every.items()}
    return [every[key] for key in rules.successors_on(of.id, after, existing, day)]


def position_successors(session: Session, of: Position, day: date) -> list[Position]:
    """What stands for the post on a day: itself, or its equivalents after reorganisations."""
    after: dict[int, list[int]] = defaultdict(list)
    for one in session.scalars(select(PositionSuccession)):
        after[one.position_id].append(one.successor_id)
    every = {one.id: one for one in session.scalars(select(Position))}
    existing = {key: Stretch(one.begins_on, one.ends_on) for key, one in every.items()}
    return [every[key] for key in rules.successors_on(of.id, after, existing, day)]


# ---------------------------------------------------------------- people


def service_of(session: Session, account_id: int, *, confirmed: bool = False) -> list[Service]:
    """A person's service as it is known, the earliest first; corrected rows left out."""
    wanted = select(Service).where(Service.account_id == account_id, Service.void_at.is_(None))
    if confirmed:
        wanted = wanted.where(Service.confirmed_at.is_not(None))
    return list(session.scalars(wanted.order_by(Service.begins_on, Service.id)))


def _stretches(rows: list[Service]) -> list[Stretch]:
    return [Stretch(one.begins_on, one.ends_on) for one in rows]


def levels_held(session: Session, account_id: int, day: date) -> set[str]:
    """Leadership levels of the posts held on that day; empty for none."""
    return {
        one.level
        for one in service_of(session, account_id, confirmed=True)
        if one.level and Stretch(one.begins_on, one.ends_on).holds(day)
    }


def months_at_level(session: Session, account_id: int, level: str, day: date) -> int:
    """Full months of confirmed service at a leadership level up to that day."""
    rows = [one for one in service_of(session, account_id, confirmed=True) if one.level == level]
    return rules.months_of(_stretches(rows), day)


def months_of_service(session: Session, account_id: int, day: date, *, in_field: bool = False) -> int:
    """Full months of confirmed service up to that day, in all or in the field only."""
    rows = [one for one in service_of(session, account_id, confirmed=True) if one.in_field or not in_field]
    return rules.months_of(_stretches(rows), day)


def disciplines_of(session: Session, account_id: int) -> list[Discipline]:
    """Measures against a person, the newest first; corrected rows left out."""
    return list(
        session.scalars(
            select(Discipline)
            .where(Discipline.account_id == account_id, Discipline.void_at.is_(None))
            .order_by(Discipline.decided_on.desc())
        )
    )


@oracles.discipline_from
def under_discipline(session: Session, account_id: int, day: date) -> bool:
    """Whether a measure is in force on that day."""
    return any(
        Stretch(one.decided_on, one.spent_on).holds(day) for one in disciplines_of(session, account_id)
    )
