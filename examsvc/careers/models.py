"""Units and posts of the administration, with effective dates: what existed when, and what came after it."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examsvc.base.database import Base, Document


class Unit(Base):
    """An organisational unit; ``successor`` is the unit that took its place when it was abolished."""

    __tablename__ = "units"
    __table_args__ = (CheckConstraint("ends_on IS NULL OR ends_on > begins_on", name="ends_after_it_begins"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[dict[str, str]] = mapped_column(Document)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    begins_on: Mapped[date]
    ends_on: Mapped[date | None]
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))

    posts: Mapped[list[Position]] = relationship(back_populates="unit")


class Position(Base):
    """A post of a unit as the job-position list has it: level, whether elected, standard, since when."""

    __tablename__ = "positions"
    __table_args__ = (CheckConstraint("ends_on IS NULL OR ends_on > begins_on", name="ends_after_it_begins"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    title: Mapped[dict[str, str]] = mapped_column(Document)
    level: Mapped[str] = mapped_column(String(40))
    elected: Mapped[bool] = mapped_column(default=False)
    standard: Mapped[dict[str, Any] | None] = mapped_column(Document)
    begins_on: Mapped[date]
    ends_on: Mapped[date | None]
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("positions.id"))

    unit: Mapped[Unit] = relationship(back_populates="posts")
