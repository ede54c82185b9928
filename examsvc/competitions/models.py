"""A competition, its pinned regulation, posts, dates, decisions and phases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examsvc.accounts.models import Account
from examsvc.base.database import Base, Document, UTCDateTime
from examsvc.careers.models import Position


class RegulationDocument(Base):
    """A regulation: its canonical bytes are its identity, the TOML as it was handed in is kept for people."""

    __tablename__ = "regulations"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    canonical: Mapped[str] = mapped_column(Text)
    toml: Mapped[str | None] = mapped_column(Text)
    title: Mapped[dict[str, str]] = mapped_column(Document)
    added_at: Mapped[datetime] = mapped_column(UTCDateTime)
    added_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))


class Competition(Base):
    """One competition; the regulation is pinned when the competition is announced and never changes afterwards."""

    __tablename__ = "competitions"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    title: Mapped[dict[str, str]] = mapped_column(Document)
    regulation_id: Mapped[int] = mapped_column(ForeignKey("regulations.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    pinned_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    created_by: Mapped[Account] = relationship()
    regulation_document: Mapped[RegulationDocument] = relationship()
    posts: Mapped[list[Post]] = relationship(order_by="Post.code", back_populates="competition")
    phases: Mapped[list[PhaseRecord]] = relationship(order_by="PhaseRecord.id", back_populates="competition")
    dates: Mapped[list[DateRecord]] = relationship(order_by="DateRecord.id", back_populates="competition")


class Post(Base):
    """A post put to competition: its code within the competition, how many vacancies, and the position behind it."""

    __tablename__ = "posts"
    __table_args__ = (
        UniqueConstraint("competition_id", "code"),
        CheckConstraint("vacancies > 0", name="at_least_one_vacancy"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    code: Mapped[str] = mapped_column(String(20))
    title: Mapped[dict[str, str]] = mapped_column(Document)
    unit: Mapped[dict[str, str]] = mapped_column(Document)
    level: Mapped[str] = mapped_column(String(40))
    vacancies: Mapped[int] = mapped_column(default=1)
    position_id: Mapped[int | None] = mapped_column(ForeignKey("positions.id"))

    competition: Mapped[Competition] = relationship(back_populates="posts")
    position: Mapped[Position | None] = relationship()


class PhaseRecord(Base):
    """A phase was entered: appended, never changed; the newest is the present phase."""

    __tablename__ = "phase_records"

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    phase: Mapped[str] = mapped_column(String(30))
    entered_at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decisions.id"))

    competition: Mapped[Competition] = relationship(back_populates="phases")


class DateRecord(Base):
    """When an event of the calendar happens or happened; the newest row of an event counts."""

    __tablename__ = "date_records"

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    event: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    set_at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decisions.id"))

    competition: Mapped[Competition] = relationship(back_populates="dates")


class Decision(Base):
    """A reasoned decision: proposed by one, approved by another, and what it covers."""

    __tablename__ = "decisions"
    __table_args__ = (
        CheckConstraint(
            "approved_by_id IS NULL OR approved_by_id <> proposed_by_id", name="two_different_people"
        ),
        CheckConstraint("length(reason) > 0", name="has_a_reason"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    subject: Mapped[dict[str, Any]] = mapped_column(Document)
    reason: Mapped[str] = mapped_column(Text)
    proposed_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    proposed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    approved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    refused_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
