"""What the personnel office does with units, posts, standards and service records."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.base.errors import N_, NotAllowed, NotFound, Refused
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

_CODE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,38}[A-Za-z0-9])?")


def _check_code(session: Session, model: type[Unit] | type[Position] | type[TitleStandard], code: str) -> None:
    if not _CODE.fullmatch(code):
        raise Refused(
            N_("Use 1 to 40 letters, digits, dots, dashes and underscores for the code, without accents."), field="code"
        )
    if session.scalar(select(model.id).where(model.code == code)) is not None:
        raise Refused(N_("This code is taken, or was once. Choose another one."), field="code")


def add_unit(
    session: Session,
    *,
    code: str,
    name: Mapping[str, str],
    begins_on: date,
    parent: Unit | None = None,
    tier: str = "",
    basis: str | None = None,
) -> Unit:
    """Adds a unit.  Refused when the code was ever used, or the unit above does not exist on its first day."""
    _check_code(session, Unit, code)
    if parent is not None and not _exists(parent, begins_on):
        raise Refused(N_("The unit above does not exist on that day. Choose another unit or day."), field="parent")
    made = Unit(
        code=code,
        name=dict(name),
        tier=tier,
        parent_id=parent.id if parent else None,
        begins_on=begins_on,
        basis=basis,
    )
    session.add(made)
    session.flush()
    return made


def end_unit(
    session: Session, unit: Unit, *, ends_on: date, successors: Sequence[Unit] = (), basis: str | None = None
) -> None:
    """The unit exists for the last time on the day before ``ends_on``; its posts end with it.

    Refused while a unit below it goes on, and when a successor does not exist on that day.
    """
    if unit.ends_on is not None:
        raise Refused(N_("This unit has an end already."))
    if ends_on <= unit.begins_on:
        raise Refused(N_("The end must lie after the beginning, %(day)s."), day=f"{unit.begins_on:%d/%m/%Y}", field="ends_on")
    below = session.scalars(select(Unit).where(Unit.parent_id == unit.id)).all()
    going_on = sorted(one.code for one in below if one.ends_on is None or one.ends_on > ends_on)
    if going_on:
        raise Refused(
            N_("These units below it would go on: %(codes)s. End them first, with their successors."),
            codes=", ".join(going_on),
        )
    for successor in successors:
        if successor.id == unit.id or not _exists(successor, ends_on):
            raise Refused(N_("A successor must be another unit that exists on that day."), field="successors")
        session.add(UnitSuccession(unit_id=unit.id, successor_id=successor.id))
    unit.ends_on = ends_on
    unit.basis = "\n".join(part for part in (unit.basis, basis) if part) or None
    for post in unit.posts:
        if post.begins_on >= ends_on:
            raise Refused(N_("The post %(code)s begins on or after that day. Choose a later end."), code=post.code)
        if post.ends_on is None or post.ends_on > ends_on:
            post.ends_on = ends_on
    session.flush()


def add_position(
    session: Session,
    unit: Unit,
    *,
    code: str,
    title: Mapping[str, str],
    level: str,
    begins_on: date,
    elected: bool = False,
    places: int = 1,
    standard: TitleStandard | None = None,
    basis: str | None = None,
) -> Position:
    """Adds a post to a unit that exists on its first day."""
    _check_code(session, Position, code)
    if not _exists(unit, begins_on):
        raise Refused(N_("The unit does not exist on that day. Choose another unit or day."), field="begins_on")
    made = Position(
        code=code,
        unit_id=unit.id,
        title=dict(title),
        level=level,
        elected=elected,
        places=places,
        standard_id=standard.id if standard else None,
        begins_on=begins_on,
        basis=basis,
    )
    session.add(made)
    session.flush()
    session.expire(unit, ["posts"])
    return made


def end_position(
    session: Session, position: Position, *, ends_on: date, successors: Sequence[Position] = (), basis: str | None = None
) -> None:
    """The post exists for the last time on the day before ``ends_on``; successors count as equivalent to it."""
    if position.ends_on is not None and position.ends_on != ends_on:
        raise Refused(N_("This post has an end already."))
    if ends_on <= position.begins_on:
        raise Refused(
            N_("The end must lie after the beginning, %(day)s."), day=f"{position.begins_on:%d/%m/%Y}", field="ends_on"
        )
    for successor in successors:
        if successor.id == position.id or not _exists(successor, ends_on):
            raise Refused(N_("A successor must be another post that exists on that day."), field="successors")
        session.add(PositionSuccession(position_id=position.id, successor_id=successor.id))
    position.ends_on = ends_on
    position.basis = "\n".join(part for part in (position.basis, basis) if part) or None
    session.flush()


def add_standard(
    session: Session,
    *,
    code: str,
    name: Mapping[str, str],
    source: str,
    criteria: Sequence[Mapping[str, str]],
    begins_on: date,
    replaces: TitleStandard | None = None,
) -> TitleStandard:
    """Adds a title standard of criteria (texts by language); the one that it replaces ends on its first day."""
    _check_code(session, TitleStandard, code)
    if not criteria:
        raise Refused(N_("Write at least one criterion."), field="criteria")
    if replaces is not None:
        if replaces.begins_on >= begins_on:
            raise Refused(N_("The new standard must begin after the one that it replaces."), field="begins_on")
        replaces.ends_on = begins_on
    made = TitleStandard(
        code=code,
        name=dict(name),
        source=source,
        criteria=[{"id": f"c{number}", "text": dict(text)} for number, text in enumerate(criteria, start=1)],
        begins_on=begins_on,
    )
    session.add(made)
    session.flush()
    return made


# ---------------------------------------------------------------- people


def note_service(
    session: Session,
    *,
    account_id: int,
    title: str,
    unit: str,
    begins_on: date,
    by: int,
    now: datetime,
    ends_on: date | None = None,
    level: str = "",
    in_field: bool = True,
    position: Position | None = None,
) -> Service:
    """Notes a stretch of service, by the person or by the office; it counts once an officer confirms it."""
    if ends_on is not None and ends_on <= begins_on:
        raise Refused(N_("The end must lie after the beginning, %(day)s."), day=f"{begins_on:%d/%m/%Y}", field="ends_on")
    if begins_on > now.date():
        raise Refused(N_("Service cannot begin in the future."), field="begins_on")
    made = Service(
        account_id=account_id,
        position_id=position.id if position else None,
        title=title,
        unit=unit,
        level=level,
        in_field=in_field,
        begins_on=begins_on,
        ends_on=ends_on,
        noted_by_id=by,
        noted_at=now,
    )
    session.add(made)
    session.flush()
    return made


def confirm_service(session: Session, service: Service, *, by: int, now: datetime) -> None:
    """An officer has seen the evidence; nobody confirms his or her own record."""
    if by == service.account_id:
        raise NotAllowed(N_("Nobody confirms his or her own record. A colleague does it."))
    if service.void_at is not None:
        raise NotFound()
    if service.confirmed_at is None:
        service.confirmed_by_id, service.confirmed_at = by, now
    session.flush()


def correct_service(session: Session, service: Service, *, reason: str, by: int, now: datetime) -> None:
    """Takes a row out of force with its reason; the right one is noted anew."""
    if by == service.account_id and service.confirmed_at is not None:
        raise NotAllowed(N_("Nobody changes his or her own record. A colleague does it."))
    if not reason.strip():
        raise Refused(N_("Write the reason."), field="reason")
    name = accounts.account(session, by).name
    if service.void_at is None:
        service.void_at, service.void_reason = now, f"{reason.strip()} ({name})"
    session.flush()


def note_discipline(
    session: Session,
    *,
    account_id: int,
    measure: str,
    basis: str,
    decided_on: date,
    by: int,
    now: datetime,
    spent_on: date | None = None,
) -> Discipline:
    """Notes a disciplinary measure and, where it is known, the day from which it is spent."""
    if by == account_id:
        raise NotAllowed(N_("Nobody changes his or her own record. A colleague does it."))
    if decided_on > now.date():
        raise Refused(N_("The decision cannot lie in the future."), field="decided_on")
    if spent_on is not None and spent_on <= decided_on:
        raise Refused(N_("The end must lie after the beginning, %(day)s."), day=f"{decided_on:%d/%m/%Y}", field="spent_on")
    made = Discipline(
        account_id=account_id,
        measure=measure,
        basis=basis,
        decided_on=decided_on,
        spent_on=spent_on,
        noted_by_id=by,
        noted_at=now,
    )
    session.add(made)
    session.flush()
    return made


def service(session: Session, number: int, account_id: int) -> Service:
    found = session.get(Service, number)
    if found is None or found.account_id != account_id or found.void_at is not None:
        raise NotFound()
    return found


def _exists(thing: Unit | Position, day: date) -> bool:
    return Stretch(thing.begins_on, thing.ends_on).holds(day)
