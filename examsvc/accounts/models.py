"""People with accounts, how they sign in, which roles they hold and how they are related."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examsvc.base.database import Base, Document, UTCDateTime


class Account(Base):
    """One person.  ``code`` is random, public and stands for the person in the ledger; it never changes."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(2), default="vi")
    birth_date: Mapped[date | None]
    identity_digest: Mapped[str | None] = mapped_column(String(64), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    grants: Mapped[list[RoleGrant]] = relationship(foreign_keys="RoleGrant.account_id", back_populates="account")


class SignInSession(Base):
    """One browser that is signed in: known by the SHA-256 of its cookie, revocable at once.

    A session of the purpose "exam" was opened with a one-time code and opens only the attempt whose code is its ``subject``.
    """

    __tablename__ = "sign_in_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    second_factor: Mapped[bool] = mapped_column(default=False)
    purpose: Mapped[str] = mapped_column(String(20), default="office")
    subject: Mapped[str | None] = mapped_column(String(40))

    account: Mapped[Account] = relationship()

    __table_args__ = (CheckConstraint("purpose IN ('office', 'exam')", name="purpose_is_known"),)


class SignInTry(Base):
    """A failed sign-in, counted per account and per address; a success clears the account's."""

    __tablename__ = "sign_in_tries"
    __table_args__ = (Index("ix_sign_in_tries_subject_at", "subject", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class RoleGrant(Base):
    """A role for one competition (or, with the slug "", for the installation), proposed by one person and approved by another."""

    __tablename__ = "role_grants"
    __table_args__ = (
        CheckConstraint("approved_by_id IS NULL OR approved_by_id <> proposed_by_id", name="two_different_people"),
        CheckConstraint("(approved_at IS NULL) = (approved_by_id IS NULL)", name="an_approval_has_a_person"),
        Index("ix_role_grants_competition_role", "competition", "role"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    role: Mapped[str] = mapped_column(String(40))
    competition: Mapped[str] = mapped_column(String(60), default="")
    proposed_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    proposed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    approved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    reason: Mapped[str | None] = mapped_column(Text)

    account: Mapped[Account] = relationship(foreign_keys=[account_id], back_populates="grants")


class Relation(Base):
    """A declared tie between two people: ``kind`` is what ``person`` is to ``other`` (mother, spouse, superior ...)."""

    __tablename__ = "relations"
    __table_args__ = (
        UniqueConstraint("person_id", "other_id", "kind"),
        CheckConstraint("person_id <> other_id", name="between_two_people"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    kind: Mapped[str] = mapped_column(String(30))
    declared_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    declared_at: Mapped[datetime] = mapped_column(UTCDateTime)
    note: Mapped[str | None] = mapped_column(Text)


class ApprovalRequest(Base):
    """A high-value step that waits for more people: what it is, the summary that all of them read, and until when.

    ``kind`` names the executor that carries the step out in the transaction of the last approval; ``entry_type`` the ledger
    entry that will carry the approvals.  ``digest`` is the SHA-256 of the summary's canonical bytes.
    """

    __tablename__ = "approval_requests"
    __table_args__ = (
        CheckConstraint("people >= 2", name="more_than_one_person"),
        CheckConstraint("expires_at > asked_at", name="expires_after_it_was_asked"),
        CheckConstraint("outcome IS NULL OR outcome IN ('done', 'refused', 'withdrawn')", name="outcome_is_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    competition: Mapped[str] = mapped_column(String(60), default="", index=True)
    kind: Mapped[str] = mapped_column(String(60))
    entry_type: Mapped[str] = mapped_column(String(60))
    arguments: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    lines: Mapped[list[str]] = mapped_column(Document)
    digest: Mapped[str] = mapped_column(String(64))
    roles: Mapped[list[str]] = mapped_column(Document)
    people: Mapped[int]
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    outcome: Mapped[str | None] = mapped_column(String(20))
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str | None] = mapped_column(Text)

    votes: Mapped[list[ApprovalVote]] = relationship(order_by="ApprovalVote.id", back_populates="request")
    asked_by: Mapped[Account] = relationship()


class ApprovalVote(Base):
    """One person's approval of one request, for the very summary whose digest it names."""

    __tablename__ = "approval_votes"
    __table_args__ = (UniqueConstraint("request_id", "by_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_requests.id"), index=True)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    digest: Mapped[str] = mapped_column(String(64))

    request: Mapped[ApprovalRequest] = relationship(back_populates="votes")
    by: Mapped[Account] = relationship()
