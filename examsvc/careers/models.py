"""Units and posts of the administration with effective dates, title standards, and people's service in posts.

Nothing here is deleted or renamed: a unit that changed its name or was merged ends on a day, and its successors begin.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examsvc.accounts.models import Account
from examsvc.base.database import Base, Document, UTCDateTime


class Unit(Base):
    """An organisational unit.  It exists from ``begins_on`` up to the day before ``ends_on``.

    ``tier`` is its tier of administration (central, province, district, commune ...), as data.
    """

    __tablename__ = "units"
    __table_args__ = (CheckConstraint("ends_on IS NULL OR ends_on > begins_on", name="ends_after_it_begins"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[dict[str, str]] = mapped_column(Document)
    tier: Mapped[str] = mapped_column(String(40), default="")
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    begins_on: Mapped[date]
    ends_on: Mapped[date | None]
    basis: Mapped[str | None] = mapped_column(Text)

    parent: Mapped[Unit | None] = relationship(remote_side="Unit.id")
    posts: Mapped[list[Position]] = relationship(order_by="Position.code", back_populates="unit")


class TitleStandard(Base):
    """The criteria that a title asks for, under a name and with effective dates; a new version is a new row.

    ``criteria`` is a list of {"id", "text": {language: text}}; eligibility rules and rubrics are drawn from it.
    """

    __tablename__ = "title_standards"
    __table_args__ = (CheckConstraint("ends_on IS NULL OR ends_on > begins_on", name="ends_after_it_begins"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[dict[str, str]] = mapped_column(Document)
    source: Mapped[str] = mapped_column(String(300))
    criteria: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    begins_on: Mapped[date]
    ends_on: Mapped[date | None]


class Position(Base):
    """A post of a unit as the job-position list has it: level, whether elected, how many people, standard, since when."""

    __tablename__ = "positions"
    __table_args__ = (
        CheckConstraint("ends_on IS NULL OR ends_on > begins_on", name="ends_after_it_begins"),
        CheckConstraint("places > 0", name="at_least_one_place"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    title: Mapped[dict[str, str]] = mapped_column(Document)
    level: Mapped[str] = mapped_column(String(40))
    elected: Mapped[bool] = mapped_column(default=False)
    places: Mapped[int] = mapped_column(default=1)
    standard_id: Mapped[int | None] = mapped_column(ForeignKey("title_standards.id"))
    begins_on: Mapped[date]
    ends_on: Mapped[date | None]
    basis: Mapped[str | None] = mapped_column(Text)

    unit: Mapped[Unit] = relationship(back_populates="posts")
    standard: Mapped[TitleStandard | None] = relationship()


class UnitSuccession(Base):
    """On the day when the one unit ends, the other takes over from it; there may be several on either side."""

    __tablename__ = "unit_successions"
    __table_args__ = (
        UniqueConstraint("unit_id", "successor_id"),
        CheckConstraint("unit_id <> successor_id", name="another_unit_succeeds"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    successor_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)

    unit: Mapped[Unit] = relationship(foreign_keys=[unit_id])
    successor: Mapped[Unit] = relationship(foreign_keys=[successor_id])


class PositionSuccession(Base):
    """On the day when the one post ends, the other counts as its equivalent."""

    __tablename__ = "position_successions"
    __table_args__ = (
        UniqueConstraint("position_id", "successor_id"),
        CheckConstraint("position_id <> successor_id", name="another_post_succeeds"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    position_id: Mapped[int] = mapped_column(ForeignKey("positions.id"), index=True)
    successor_id: Mapped[int] = mapped_column(ForeignKey("positions.id"), index=True)

    position: Mapped[Position] = relationship(foreign_keys=[position_id])
    successor: Mapped[Position] = relationship(foreign_keys=[successor_id])


class Service(Base):
    """A stretch of service of a person, in a post of the list or elsewhere; counts once somebody confirmed it.

    ``level`` is the leadership level held, empty for none.  A correction ends the row's force with a reason and adds another.
    """

    __tablename__ = "services"
    __table_args__ = (
        CheckConstraint("ends_on IS NULL OR ends_on > begins_on", name="ends_after_it_begins"),
        CheckConstraint("(confirmed_at IS NULL) = (confirmed_by_id IS NULL)", name="somebody_confirms_it"),
        CheckConstraint("(void_at IS NULL) = (void_reason IS NULL)", name="a_correction_has_a_reason"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    position_id: Mapped[int | None] = mapped_column(ForeignKey("positions.id"))
    title: Mapped[str] = mapped_column(String(200))
    unit: Mapped[str] = mapped_column(String(200))
    level: Mapped[str] = mapped_column(String(40), default="")
    in_field: Mapped[bool] = mapped_column(default=True)
    begins_on: Mapped[date]
    ends_on: Mapped[date | None]
    noted_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    noted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    void_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    void_reason: Mapped[str | None] = mapped_column(Text)

    account: Mapped[Account] = relationship(foreign_keys=[account_id])
    position: Mapped[Position | None] = relationship()


class Discipline(Base):
    """A disciplinary measure: from its decision until the day it is spent."""

    __tablename__ = "disciplines"
    __table_args__ = (
        CheckConstraint("spent_on IS NULL OR spent_on > decided_on", name="is_spent_after_it_was_decided"),
        CheckConstraint("(void_at IS NULL) = (void_reason IS NULL)", name="a_correction_has_a_reason"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    measure: Mapped[str] = mapped_column(String(40))
    basis: Mapped[str] = mapped_column(Text)
    decided_on: Mapped[date]
    spent_on: Mapped[date | None]
    noted_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    noted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    void_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    void_reason: Mapped[str | None] = mapped_column(Text)

    account: Mapped[Account] = relationship(foreign_keys=[account_id])
