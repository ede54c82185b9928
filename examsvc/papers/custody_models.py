"""Rehearsals of an opening, and the public draws from which papers are assembled."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examsvc.accounts.models import Account
from examsvc.base.database import Base, UTCDateTime
from examsvc.competitions.models import Competition
from examsvc.papers.models import CustodianSet


class Rehearsal(Base):
    """One rehearsal of an opening: a dummy paper dealt like a real one to the custodians who were named last.

    It is over when everybody's share is in, or when the chair ends it; ``opened`` then says whether the dummy opened.
    """

    __tablename__ = "paper_rehearsals"
    __table_args__ = (
        UniqueConstraint("competition_id", "code"),
        CheckConstraint("(ended_at IS NULL) = (opened IS NULL)", name="an_ended_rehearsal_opened_or_failed"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    stage: Mapped[str] = mapped_column(String(60))
    code: Mapped[str] = mapped_column(String(60))
    set_id: Mapped[int] = mapped_column(ForeignKey("custodian_sets.id"))
    threshold: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    opened: Mapped[bool | None]
    entry: Mapped[int | None]

    competition: Mapped[Competition] = relationship()
    custodians: Mapped[CustodianSet] = relationship()
    shares: Mapped[list[RehearsalShare]] = relationship(order_by="RehearsalShare.x", back_populates="rehearsal")


class RehearsalShare(Base):
    """One custodian's share of a dummy paper, and what was handed in for it."""

    __tablename__ = "paper_rehearsal_shares"
    __table_args__ = (UniqueConstraint("rehearsal_id", "custodian"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    rehearsal_id: Mapped[int] = mapped_column(ForeignKey("paper_rehearsals.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    custodian: Mapped[str] = mapped_column(String(64))
    x: Mapped[int]
    commitment: Mapped[str] = mapped_column(String(64))
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    false_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    delivered: Mapped[bytes | None] = mapped_column(LargeBinary)

    rehearsal: Mapped[Rehearsal] = relationship(back_populates="shares")
    account: Mapped[Account] = relationship()
