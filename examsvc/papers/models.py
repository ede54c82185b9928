"""Items in use, blueprints, forms and the papers made of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examsvc.base.database import Base, Document, UTCDateTime


class Bank(Base):
    """A question bank of the installation."""

    __tablename__ = "banks"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    title: Mapped[dict[str, str]] = mapped_column(Document)
    imported_at: Mapped[datetime] = mapped_column(UTCDateTime)
    imported_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))


class ItemVersion(Base):
    """One version of one item, known by its digest; the native document holds content, declarations and marking."""

    __tablename__ = "item_versions"
    __table_args__ = (UniqueConstraint("bank_id", "identifier", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    bank_id: Mapped[int] = mapped_column(ForeignKey("banks.id"), index=True)
    identifier: Mapped[str] = mapped_column(String(80))
    digest: Mapped[str] = mapped_column(String(64), index=True)
    kind: Mapped[str] = mapped_column(String(30))
    topic: Mapped[str] = mapped_column(String(120))
    level: Mapped[str] = mapped_column(String(30))
    marks: Mapped[str] = mapped_column(String(20))
    native: Mapped[str] = mapped_column(Text)
    added_at: Mapped[datetime] = mapped_column(UTCDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Blueprint(Base):
    """What a paper must contain: cells of topic × level × kind with a number of items and their marks."""

    __tablename__ = "blueprints"

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    part: Mapped[str] = mapped_column(String(60))
    cells: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))


class Form(Base):
    """One form of a part: main or spare, drawn from the bank with a seed, so that it can be made again."""

    __tablename__ = "forms"
    __table_args__ = (
        UniqueConstraint("competition_id", "code"),
        CheckConstraint("role IN ('main', 'spare')", name="main_or_spare"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    code: Mapped[str] = mapped_column(String(60))
    part: Mapped[str] = mapped_column(String(60))
    role: Mapped[str] = mapped_column(String(10))
    blueprint_id: Mapped[int] = mapped_column(ForeignKey("blueprints.id"))
    seed: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    slots: Mapped[list[FormSlot]] = relationship(order_by="FormSlot.number", back_populates="form")
    approvals: Mapped[list[FormApproval]] = relationship(order_by="FormApproval.id")


class FormSlot(Base):
    """The n-th question of a form: an item version and the marks it carries here (a decimal string)."""

    __tablename__ = "form_slots"
    __table_args__ = (UniqueConstraint("form_id", "number"), CheckConstraint("number > 0", name="numbers_begin_at_one"))

    id: Mapped[int] = mapped_column(primary_key=True)
    form_id: Mapped[int] = mapped_column(ForeignKey("forms.id"), index=True)
    number: Mapped[int]
    item_version_id: Mapped[int] = mapped_column(ForeignKey("item_versions.id"))
    marks: Mapped[str] = mapped_column(String(20))

    form: Mapped[Form] = relationship(back_populates="slots")
    item_version: Mapped[ItemVersion] = relationship()


class FormApproval(Base):
    """One person's approval of a form; a form is approved by two who did not make it."""

    __tablename__ = "form_approvals"
    __table_args__ = (UniqueConstraint("form_id", "by_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    form_id: Mapped[int] = mapped_column(ForeignKey("forms.id"), index=True)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    digest: Mapped[str] = mapped_column(String(64))
