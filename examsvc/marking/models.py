"""Coded scripts, allocation, marks of every round, defence sheets and the locks on them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examsvc.base.database import Base, Document, UTCDateTime
from examsvc.sittings.models import Attempt


class ObjectiveMark(Base):
    """What `question_banks` gave one slot of one attempt: pinned to the save and the item version it was computed from."""

    __tablename__ = "objective_marks"
    __table_args__ = (UniqueConstraint("attempt_id", "slot", "run"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"), index=True)
    slot: Mapped[int]
    run: Mapped[int] = mapped_column(default=1)
    save_id: Mapped[int | None] = mapped_column(ForeignKey("saves.id"))
    item_digest: Mapped[str] = mapped_column(String(64))
    score: Mapped[str] = mapped_column(String(40))
    max_score: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    attempt: Mapped[Attempt] = relationship()


class Script(Base):
    """One essay of one attempt under its own code.  Markers know the code and the text, nothing else."""

    __tablename__ = "scripts"
    __table_args__ = (UniqueConstraint("attempt_id", "slot"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    part: Mapped[str] = mapped_column(String(60))
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"))
    slot: Mapped[int]
    content: Mapped[str] = mapped_column(Text)
    late: Mapped[bool] = mapped_column(default=False)
    item_version_id: Mapped[int] = mapped_column(ForeignKey("item_versions.id"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)

    allocations: Mapped[list[Allocation]] = relationship(order_by="Allocation.id", back_populates="script")


class Allocation(Base):
    """A script given to a marker for a round (1, 2, 3 or re-marking); replaced rows keep their reason."""

    __tablename__ = "allocations"
    __table_args__ = (CheckConstraint("round > 0", name="rounds_begin_at_one"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    script_id: Mapped[int] = mapped_column(ForeignKey("scripts.id"), index=True)
    marker_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    round: Mapped[int]
    drawn_at: Mapped[datetime] = mapped_column(UTCDateTime)
    replaced_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str | None] = mapped_column(Text)

    script: Mapped[Script] = relationship(back_populates="allocations")
    marks: Mapped[list[Mark]] = relationship(order_by="Mark.id", back_populates="allocation")


class Mark(Base):
    """One marker's mark: per criterion, append-only; the newest of an allocation counts until it is locked."""

    __tablename__ = "marks"

    id: Mapped[int] = mapped_column(primary_key=True)
    allocation_id: Mapped[int] = mapped_column(ForeignKey("allocations.id"), index=True)
    criteria: Mapped[dict[str, str]] = mapped_column(Document)
    total: Mapped[str] = mapped_column(String(40))
    comment: Mapped[str] = mapped_column(Text, default="")
    final: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    allocation: Mapped[Allocation] = relationship(back_populates="marks")


class Settlement(Base):
    """The settled mark of a script: by which rule it came about, from which marks, and who decided where a person did."""

    __tablename__ = "settlements"

    id: Mapped[int] = mapped_column(primary_key=True)
    script_id: Mapped[int] = mapped_column(ForeignKey("scripts.id"), index=True)
    mark: Mapped[str] = mapped_column(String(40))
    rule: Mapped[str] = mapped_column(String(40))
    sources: Mapped[list[int]] = mapped_column(Document)
    reason: Mapped[str | None] = mapped_column(Text)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class MarkLock(Base):
    """The marks of one part of one post are locked: nothing but listed, approved steps follows."""

    __tablename__ = "mark_locks"
    __table_args__ = (UniqueConstraint("competition_id", "part"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    part: Mapped[str] = mapped_column(String(60))
    digest: Mapped[str] = mapped_column(String(64))
    proposed_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    details: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
