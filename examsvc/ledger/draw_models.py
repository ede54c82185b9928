"""What a draw that goes step by step is about, and what people read independently where its outside value was published."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from examsvc.base.database import Base, Document, UTCDateTime


class DrawAbout(Base):
    """What a draw is about: the thing it decides (a part, a sitting), what it is drawn from, and what its continuation needs.

    ``task`` and ``parameters`` are those that two people approved; None where they are fixed by a step of its own.  ``over_at`` is when
    the draw was made or became void.
    """

    __tablename__ = "draw_abouts"
    __table_args__ = (UniqueConstraint("log", "draw"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    log: Mapped[str] = mapped_column(String(60), index=True)
    draw: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(200))
    task: Mapped[str | None] = mapped_column(String(20))
    parameters: Mapped[Any | None] = mapped_column(Document)
    arguments: Mapped[Any] = mapped_column(Document)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    over_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class OutsideReading(Base):
    """One person's reading of an outside value: the value as published, and where it stood.  Two equal ones of two people count."""

    __tablename__ = "draw_outside_readings"
    __table_args__ = (UniqueConstraint("log", "draw", "by", "number"), {"info": {"append_only": True}})

    id: Mapped[int] = mapped_column(primary_key=True)
    log: Mapped[str] = mapped_column(String(60), index=True)
    draw: Mapped[str] = mapped_column(String(64))
    number: Mapped[int]
    value: Mapped[str] = mapped_column(Text)
    place: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
