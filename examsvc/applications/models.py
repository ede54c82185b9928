"""Candidates' files: applications, documents in versions, eligibility findings, accommodations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from examsvc.accounts.models import Account
from examsvc.base.database import Base, Document, UTCDateTime
from examsvc.competitions.models import Competition, Post


class Application(Base):
    """One person applies for one post.  ``candidate_number`` is given when the file is handed in."""

    __tablename__ = "applications"
    __table_args__ = (
        UniqueConstraint("competition_id", "account_id"),
        UniqueConstraint("competition_id", "candidate_number"),
        CheckConstraint("(submitted_at IS NULL) = (candidate_number IS NULL)", name="a_number_comes_with_submission"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    stream: Mapped[str | None] = mapped_column(String(40))
    answers: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    candidate_number: Mapped[str | None] = mapped_column(String(20))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    competition: Mapped[Competition] = relationship()
    post: Mapped[Post] = relationship()
    account: Mapped[Account] = relationship()
    files: Mapped[list[FileVersion]] = relationship(order_by="FileVersion.id", back_populates="application")
    findings: Mapped[list[EligibilityFinding]] = relationship(order_by="EligibilityFinding.id")


class FileVersion(Base):
    """One uploaded version of one required file.  Every version is kept until the deadline; the newest counts."""

    __tablename__ = "file_versions"

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = deferred(mapped_column(LargeBinary))
    uploaded_at: Mapped[datetime] = mapped_column(UTCDateTime)
    facts: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)

    application: Mapped[Application] = relationship(back_populates="files")


class EligibilityFinding(Base):
    """What was found on one criterion, or on the whole file (criterion ""): appended; the newest counts."""

    __tablename__ = "eligibility_findings"
    __table_args__ = (
        CheckConstraint("outcome IN ('met', 'not-met', 'eligible', 'refused', 'excluded')", name="outcome_is_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"), index=True)
    criterion: Mapped[str] = mapped_column(String(60), default="")
    outcome: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(Text)
    evidence: Mapped[dict[str, Any] | None] = mapped_column(Document)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
