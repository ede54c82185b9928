"""Candidates' files: rounds of applications, files in versions, what was handed in, what was asked, found and decided."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, declared_attr, deferred, mapped_column, relationship

from examsvc.accounts.models import Account, ApprovalRequest
from examsvc.base.database import Base, Document, UTCDateTime
from examsvc.competitions.models import Competition, Post


class ApplicationRound(Base):
    """A time in which applications for one post are taken; opened again as a new round."""

    __tablename__ = "application_rounds"
    __table_args__ = (
        UniqueConstraint("post_id", "number"),
        CheckConstraint("until > opened_at", name="ends_after_it_begins"),
        CheckConstraint("(closed_at IS NULL) = (handed_in IS NULL)", name="counted_when_closed"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), index=True)
    number: Mapped[int]
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    until: Mapped[datetime] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    handed_in: Mapped[int | None]

    post: Mapped[Post] = relationship()


class Application(Base):
    """One person applies for one post.

    ``code`` is random, stands for the application in the ledger and in addresses, and is known to the candidate and to personnel
    only.  ``candidate_number`` is given when the file is first handed in.  ``answers`` is the candidate's own draft; what
    counts is the newest submission.
    """

    __tablename__ = "applications"
    __table_args__ = (
        UniqueConstraint("post_id", "account_id"),
        UniqueConstraint("competition_id", "candidate_number"),
        CheckConstraint("(submitted_at IS NULL) = (candidate_number IS NULL)", name="a_number_comes_with_submission"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    stream: Mapped[str] = mapped_column(String(40))
    answers: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    candidate_number: Mapped[str | None] = mapped_column(String(20))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    competition: Mapped[Competition] = relationship()
    post: Mapped[Post] = relationship()
    account: Mapped[Account] = relationship()
    files: Mapped[list[FileVersion]] = relationship(order_by="FileVersion.id", back_populates="application")
    signatures: Mapped[list[Signature]] = relationship(order_by="Signature.id")
    relatives: Mapped[list[DeclaredRelative]] = relationship(order_by="DeclaredRelative.id", back_populates="application")
    submissions: Mapped[list[Submission]] = relationship(order_by="Submission.version", back_populates="application")
    supplements: Mapped[list[SupplementRequest]] = relationship(
        order_by="SupplementRequest.id", back_populates="application"
    )
    findings: Mapped[list[EligibilityFinding]] = relationship(order_by="EligibilityFinding.id")
    accommodations: Mapped[list[AccommodationRequest]] = relationship(
        order_by="AccommodationRequest.id", back_populates="application"
    )


class StoredFile:
    """An uploaded file: its bytes, what they were found to be, and their SHA-256 in hexadecimal."""

    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    uploaded_at: Mapped[datetime] = mapped_column(UTCDateTime)
    facts: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)

    @declared_attr
    def content(cls) -> Mapped[bytes]:  # noqa: N805 - declared_attr hands over the class
        return deferred(mapped_column(LargeBinary))


class FileVersion(StoredFile, Base):
    """One uploaded version of one file that the regulation names.  Every version is kept; the newest not taken back counts."""

    __tablename__ = "file_versions"
    __table_args__ = (
        UniqueConstraint("application_id", "kind", "number"),
        CheckConstraint("size > 0", name="is_not_empty"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    number: Mapped[int]
    supplement_id: Mapped[int | None] = mapped_column(ForeignKey("supplement_requests.id"))
    taken_back_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    application: Mapped[Application] = relationship(back_populates="files")


class Signature(Base):
    """A statement of the regulation, signed by typing one's name.  Appended; the words signed stand in it."""

    __tablename__ = "application_signatures"
    __table_args__ = (UniqueConstraint("application_id", "criterion"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"), index=True)
    criterion: Mapped[str] = mapped_column(String(60))
    statement: Mapped[dict[str, str]] = mapped_column(Document)
    typed: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class DeclaredRelative(Base):
    """Somebody on the boards, or who may come on them, to whom the candidate is close.  ``kind`` is what that person is to the
    candidate.  Personnel ties a name to an account, or notes that nobody of that name has a role."""

    __tablename__ = "declared_relatives"
    __table_args__ = (CheckConstraint("(settled_at IS NULL) = (settled_by_id IS NULL)", name="somebody_settles_it"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    unit: Mapped[str] = mapped_column(String(200), default="")
    kind: Mapped[str] = mapped_column(String(30))
    identity_digest: Mapped[str | None] = mapped_column(String(64))
    declared_at: Mapped[datetime] = mapped_column(UTCDateTime)
    taken_back_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))

    application: Mapped[Application] = relationship(back_populates="relatives")
    account: Mapped[Account | None] = relationship(foreign_keys=[account_id])


class Submission(Base):
    """What was handed in at one moment, whole: answers, signatures and files.

    ``commitment`` is that of the ledger's entry ``application.submitted`` or ``application.supplemented`` to this content, ``position``
    the entry's place in the log; together they are the candidate's receipt.
    """

    __tablename__ = "submissions"
    __table_args__ = (UniqueConstraint("application_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"), index=True)
    version: Mapped[int]
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    content: Mapped[dict[str, Any]] = mapped_column(Document)
    file_ids: Mapped[list[int]] = mapped_column(Document)
    supplement_id: Mapped[int | None] = mapped_column(ForeignKey("supplement_requests.id"))
    plan_version: Mapped[int | None]
    commitment: Mapped[str] = mapped_column(String(64))
    position: Mapped[int]

    application: Mapped[Application] = relationship(back_populates="submissions")


class SupplementRequest(Base):
    """What personnel asked a candidate to supply, until when, and that it was handed in."""

    __tablename__ = "supplement_requests"
    __table_args__ = (CheckConstraint("deadline > asked_at", name="leaves_time"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"), index=True)
    items: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    deadline: Mapped[datetime] = mapped_column(UTCDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answer: Mapped[str | None] = mapped_column(Text)

    application: Mapped[Application] = relationship(back_populates="supplements")
    asked_by: Mapped[Account] = relationship()


class EligibilityFinding(Base):
    """What was found on one criterion, or decided on the whole file (criterion ""): appended; the newest counts."""

    __tablename__ = "eligibility_findings"
    __table_args__ = (
        CheckConstraint("outcome IN ('met', 'not-met', 'eligible', 'refused', 'excluded')", name="outcome_is_known"),
        CheckConstraint("(criterion = '') = (outcome IN ('eligible', 'refused', 'excluded'))", name="whole_or_criterion"),
        CheckConstraint("outcome NOT IN ('refused', 'excluded', 'not-met') OR length(reason) > 0", name="bad_news_has_a_reason"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"), index=True)
    criterion: Mapped[str] = mapped_column(String(60), default="")
    outcome: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(Text)
    evidence: Mapped[dict[str, Any] | None] = mapped_column(Document)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    request_id: Mapped[int | None] = mapped_column(ForeignKey("approval_requests.id"))

    by: Mapped[Account] = relationship()


# ---------------------------------------------------------------- accommodations, kept apart from the file


class AccommodationRequest(Base):
    """A confidential request: what the candidate needs and why.  Nobody who marks ever reads it."""

    __tablename__ = "accommodation_requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"), index=True)
    measures: Mapped[list[str]] = mapped_column(Document)
    explanation: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    application: Mapped[Application] = relationship(back_populates="accommodations")
    evidence: Mapped[list[AccommodationEvidence]] = relationship(order_by="AccommodationEvidence.id", back_populates="request")
    decisions: Mapped[list[AccommodationDecision]] = relationship(order_by="AccommodationDecision.id", back_populates="request")


class AccommodationEvidence(StoredFile, Base):
    """A doctor's letter or the like, handed in with the request."""

    __tablename__ = "accommodation_evidence"

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("accommodation_requests.id"), index=True)

    request: Mapped[AccommodationRequest] = relationship(back_populates="evidence")


class AccommodationDecision(Base):
    """What two people decided on a request; a later decision replaces it.

    ``measures`` are of the regulation's kinds; ``extra`` maps each seated part to its extra minutes.  Nothing granted: both empty.
    """

    __tablename__ = "accommodation_decisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("accommodation_requests.id"), index=True)
    number: Mapped[int]
    measures: Mapped[list[str]] = mapped_column(Document)
    extra: Mapped[dict[str, int]] = mapped_column(Document)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    approval_id: Mapped[int | None] = mapped_column(ForeignKey("approval_requests.id"))

    request: Mapped[AccommodationRequest] = relationship(back_populates="decisions")
    approval: Mapped[ApprovalRequest | None] = relationship()


# ---------------------------------------------------------------- what concerns a post as a whole


class CandidateList(Base):
    """The admitted candidates of a post as two people approved them, in one revision."""

    __tablename__ = "candidate_lists"
    __table_args__ = (UniqueConstraint("post_id", "revision"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), index=True)
    revision: Mapped[int]
    numbers: Mapped[list[str]] = mapped_column(Document)
    listed_at: Mapped[datetime] = mapped_column(UTCDateTime)

    post: Mapped[Post] = relationship()


class PostedList(Base):
    """A list as it was posted for the public: numbers only; its digest stands in the ledger."""

    __tablename__ = "posted_lists"
    __table_args__ = (CheckConstraint("kind IN ('admitted', 'refused')", name="kind_is_known"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    numbers: Mapped[list[str]] = mapped_column(Document)
    digest: Mapped[str] = mapped_column(String(64))
    posted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))

    post: Mapped[Post] = relationship()
