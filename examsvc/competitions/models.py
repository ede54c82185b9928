"""A competition, its pinned regulation, posts, council, dates, notices, decisions and phases.

What is marked append-only is never changed: the newest row counts, and the database refuses to touch the others.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examsvc.accounts.models import Account
from examsvc.base.database import Base, Document, UTCDateTime
from examsvc.careers.models import Position

APPEND_ONLY = {"info": {"append_only": True}}


class RegulationDocument(Base):
    """A regulation: its canonical bytes are its identity, the TOML as it was handed in is kept for people."""

    __tablename__ = "regulations"
    __table_args__ = (APPEND_ONLY,)

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    canonical: Mapped[str] = mapped_column(Text)
    toml: Mapped[str | None] = mapped_column(Text)
    title: Mapped[dict[str, str]] = mapped_column(Document)
    added_at: Mapped[datetime] = mapped_column(UTCDateTime)
    added_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))


class Competition(Base):
    """One competition; once the regulation is pinned it never changes, nor does the policy of witnesses.

    A classified competition has no public pages until ``released_at``.  ``holidays`` names the table of holidays that stands in
    for years that the regulation does not list.  ``witness_keys`` maps the names of the regulation's witnesses to verifier
    keys; ``policy`` is the file (c2sp.org/tlog-policy) that was made of them when the regulation was pinned.
    """

    __tablename__ = "competitions"
    __table_args__ = (CheckConstraint("released_at IS NULL OR classified", name="only_what_is_classified_is_released"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    title: Mapped[dict[str, str]] = mapped_column(Document)
    regulation_id: Mapped[int] = mapped_column(ForeignKey("regulations.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    pinned_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    classified: Mapped[bool] = mapped_column(default=False)
    released_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    holidays: Mapped[str] = mapped_column(String(60), default="vietnam")
    witness_keys: Mapped[dict[str, str]] = mapped_column(Document, default=dict)
    policy: Mapped[str | None] = mapped_column(Text)

    created_by: Mapped[Account] = relationship()
    regulation_document: Mapped[RegulationDocument] = relationship(lazy="joined", innerjoin=True)
    posts: Mapped[list[Post]] = relationship(order_by="Post.code", back_populates="competition")
    phases: Mapped[list[PhaseRecord]] = relationship(order_by="PhaseRecord.id", back_populates="competition")
    standings: Mapped[list[StandingRecord]] = relationship(order_by="StandingRecord.id", back_populates="competition")
    dates: Mapped[list[DateRecord]] = relationship(order_by="DateRecord.id", back_populates="competition")
    notices: Mapped[list[Notice]] = relationship(order_by="Notice.revision", back_populates="competition")
    decisions: Mapped[list[Decision]] = relationship(order_by="Decision.id", back_populates="competition")
    councils: Mapped[list[Council]] = relationship(order_by="Council.revision", back_populates="competition")


class ClauseConfirmation(Base):
    """A person stands for a clause that was not read in its source, or whose rule is not in force; bound to its content."""

    __tablename__ = "clause_confirmations"
    __table_args__ = (UniqueConstraint("competition_id", "path", "digest"), APPEND_ONLY)

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    path: Mapped[str] = mapped_column(String(300))
    digest: Mapped[str] = mapped_column(String(64))
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    by: Mapped[Account] = relationship()


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


class Council(Base):
    """One composition of the council, appointed by a decision; the newest revision counts."""

    __tablename__ = "councils"
    __table_args__ = (UniqueConstraint("competition_id", "revision"), APPEND_ONLY)

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    revision: Mapped[int]
    number: Mapped[str] = mapped_column(String(100))
    decided_on: Mapped[date]
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_requests.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    competition: Mapped[Competition] = relationship(back_populates="councils")
    seats: Mapped[list[CouncilSeat]] = relationship(order_by="CouncilSeat.id", back_populates="council")


class CouncilSeat(Base):
    """A seat of a council: who sits there, whether with a vote, and which groups of the regulation's quotas it counts for."""

    __tablename__ = "council_seats"
    __table_args__ = (
        UniqueConstraint("council_id", "account_id"),
        CheckConstraint("seat IN ('chair', 'secretary', 'member', 'substitute')", name="seat_is_known"),
        CheckConstraint("seat <> 'substitute' OR NOT votes", name="a_substitute_has_no_vote"),
        APPEND_ONLY,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    council_id: Mapped[int] = mapped_column(ForeignKey("councils.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    seat: Mapped[str] = mapped_column(String(20))
    votes: Mapped[bool]
    groups: Mapped[list[str]] = mapped_column(Document, default=list)

    council: Mapped[Council] = relationship(back_populates="seats")
    account: Mapped[Account] = relationship()


class PhaseRecord(Base):
    """A phase was entered, by a person or (without one) by the clock; the newest is the present phase.

    ``phase`` is the id of competitions.phases: "applications", "exam:written".
    """

    __tablename__ = "phase_records"
    __table_args__ = (APPEND_ONLY,)

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    phase: Mapped[str] = mapped_column(String(30))
    entered_at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decisions.id"))

    competition: Mapped[Competition] = relationship(back_populates="phases")


class StandingRecord(Base):
    """The whole competition, or the post, stage, part or sitting named here, goes on or stands still from now on.

    The newest row of one scope counts.  What is annulled never goes on.
    """

    __tablename__ = "standing_records"
    __table_args__ = (
        CheckConstraint(
            "standing IN ('going-on', 'postponed', 'suspended', 'annulled')", name="standing_is_known"
        ),
        APPEND_ONLY,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    post: Mapped[str | None] = mapped_column(String(20))
    part: Mapped[str | None] = mapped_column(String(40))
    sitting: Mapped[str | None] = mapped_column(String(40))
    standing: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decisions.id"))

    competition: Mapped[Competition] = relationship(back_populates="standings")
    decision: Mapped[Decision] = relationship()


class DateRecord(Base):
    """When an event of the calendar happens or happened; the newest row of an event counts, one without a time takes it back."""

    __tablename__ = "date_records"
    __table_args__ = (APPEND_ONLY,)

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    event: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    set_at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decisions.id"))

    competition: Mapped[Competition] = relationship(back_populates="dates")


class HolidayTable(Base):
    """Holidays by year as the institution entered them; the newest table of a name counts."""

    __tablename__ = "holiday_tables"
    __table_args__ = (APPEND_ONLY,)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60), index=True)
    title: Mapped[dict[str, str]] = mapped_column(Document)
    toml: Mapped[str] = mapped_column(Text)
    added_at: Mapped[datetime] = mapped_column(UTCDateTime)
    added_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))


class NoticeText(Base):
    """What the office writes into the notice beside what follows from the data, in both languages; the newest row counts."""

    __tablename__ = "notice_texts"
    __table_args__ = (APPEND_ONLY,)

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    texts: Mapped[dict[str, dict[str, str]]] = mapped_column(Document)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))


class Notice(Base):
    """A notice as it was published: canonical JSON with every sentence in both languages, known by its digest.

    ``decision_id`` is set on a notice that a reasoned decision corrected after applications had opened.
    """

    __tablename__ = "notices"
    __table_args__ = (UniqueConstraint("competition_id", "revision"), APPEND_ONLY)

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    revision: Mapped[int]
    document: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime] = mapped_column(UTCDateTime)
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_requests.id"))
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decisions.id"))

    competition: Mapped[Competition] = relationship(back_populates="notices")
    decision: Mapped[Decision | None] = relationship()


class Decision(Base):
    """A reasoned decision in force: proposed by one, approved by another, what it covers, and what the public reads of it.

    ``subject`` holds level, posts, stage, part, sitting, the dates it moves and the texts it corrects; ``entry`` is its index in the log.
    """

    __tablename__ = "decisions"
    __table_args__ = (
        CheckConstraint("approved_by_id <> proposed_by_id", name="two_different_people"),
        CheckConstraint("length(reason) > 0", name="has_a_reason"),
        CheckConstraint(
            "kind IN ('postpone', 'suspend', 'resume', 'annul', 'correct', 'continue')", name="kind_is_known"
        ),
        APPEND_ONLY,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    number: Mapped[str] = mapped_column(String(100))
    decided_on: Mapped[date]
    subject: Mapped[dict[str, Any]] = mapped_column(Document)
    reason: Mapped[str] = mapped_column(Text)
    announcement: Mapped[dict[str, str]] = mapped_column(Document)
    entry: Mapped[int]
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_requests.id"), unique=True)
    proposed_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    approved_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    approved_at: Mapped[datetime] = mapped_column(UTCDateTime)

    competition: Mapped[Competition] = relationship(back_populates="decisions")
