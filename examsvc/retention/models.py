"""What holds erasure back, what two people ordered to be erased, and what was erased.  No row here names a person."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examsvc.accounts.models import ApprovalRequest
from examsvc.applications.models import Application
from examsvc.base.database import Base, Document, UTCDateTime
from examsvc.competitions.models import Competition


class Hold(Base):
    """A reason to keep data longer than the schedule says: of one candidate, or (without an application) of everybody.

    ``until`` ends it by itself; ``reason`` is for the office and is forgotten with the candidate's data.
    """

    __tablename__ = "erasure_holds"
    __table_args__ = (
        CheckConstraint("cause IN ('complaint', 'archive', 'proceedings')", name="cause_is_known"),
        CheckConstraint("(released_at IS NULL) = (released_by_id IS NULL)", name="somebody_releases_it"),
        CheckConstraint("length(reason) > 0", name="has_a_reason"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    application_id: Mapped[int | None] = mapped_column(ForeignKey("applications.id"), index=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    cause: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)
    until: Mapped[date | None]
    set_at: Mapped[datetime] = mapped_column(UTCDateTime)
    set_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    released_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    released_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))

    application: Mapped[Application | None] = relationship()


class ErasureOrder(Base):
    """Two people approved that the data of these applications are erased under one rule of the regulation, when it is time.

    ``due_on`` is the day they read; nothing is erased before it, nor before the day that the rule gives now.
    """

    __tablename__ = "erasure_orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    rule: Mapped[str] = mapped_column(String(60))
    applications: Mapped[list[int]] = mapped_column(Document)
    due_on: Mapped[date]
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_requests.id"), unique=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    competition: Mapped[Competition] = relationship()
    request: Mapped[ApprovalRequest] = relationship()


class Erasure(Base):
    """One run of the job under one order: whose data went, how much it was, and what was still found afterwards.

    ``counts`` maps names of tables to rows deleted or emptied; ``traces`` lists the places (table, column, row) in which a search of
    the whole database still found a name, an address or a number of somebody erased.
    """

    __tablename__ = "erasures"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("erasure_orders.id"), index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    people: Mapped[int]
    counts: Mapped[dict[str, int]] = mapped_column(Document)
    traces: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    entries: Mapped[list[int]] = mapped_column(Document)
    rewritten_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    order: Mapped[ErasureOrder] = relationship()
    files: Mapped[list[ErasedFile]] = relationship(order_by="ErasedFile.id", back_populates="erasure")


class ErasedFile(Base):
    """The data of one application that one rule is about are gone; ``account_kept`` says why the account itself stays, if it does."""

    __tablename__ = "erased_files"
    __table_args__ = (UniqueConstraint("application_id", "rule"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    erasure_id: Mapped[int] = mapped_column(ForeignKey("erasures.id"), index=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"), index=True)
    rule: Mapped[str] = mapped_column(String(60))
    account_kept: Mapped[str | None] = mapped_column(String(20))

    erasure: Mapped[Erasure] = relationship(back_populates="files")
    application: Mapped[Application] = relationship()
