"""What two people read independently where the outside value of a draw was published."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from examsvc.base.database import Base, UTCDateTime


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
