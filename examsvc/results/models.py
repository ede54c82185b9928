"""Score runs, what people decided about them, and the editions that were published.  Every row is final when it is written."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from examsvc.accounts.models import Account, ApprovalRequest
from examsvc.applications.models import Application
from examsvc.base.database import Base, Document, UTCDateTime
from examsvc.competitions.models import Competition

APPEND_ONLY = {"info": {"append_only": True}}


class PriorityGrant(Base):
    """Priority points recognised for one candidate by two people, on the evidence named by its digest."""

    __tablename__ = "priority_grants"
    __table_args__ = (UniqueConstraint("application_id"), APPEND_ONLY)

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"))
    entries: Mapped[list[str]] = mapped_column(Document)
    points: Mapped[str] = mapped_column(String(40))
    evidence: Mapped[dict[str, str]] = mapped_column(Document)
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_requests.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    application: Mapped[Application] = relationship()


class ScoreRun(Base):
    """One computation of all totals and ranks of a competition, from inputs kept with it.

    ``digest`` is over inputs and outcome; ``inputs_digest`` over the inputs alone, so that a second run without a new fact is
    recognised.  ``commitments`` maps each post to the commitment that stands in its ledger entry.
    """

    __tablename__ = "score_runs"
    __table_args__ = (UniqueConstraint("competition_id", "number"), APPEND_ONLY)

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    number: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    inputs_digest: Mapped[str] = mapped_column(String(64))
    inputs: Mapped[dict[str, Any]] = mapped_column(Document)
    outcome: Mapped[dict[str, Any]] = mapped_column(Document)
    commitments: Mapped[dict[str, str]] = mapped_column(Document)
    release: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))

    competition: Mapped[Competition] = relationship()
    by: Mapped[Account] = relationship()


class TieRuling(Base):
    """A tie that the regulation's comparisons left open, decided by a person with a reason or by lots; the newest counts."""

    __tablename__ = "tie_rulings"
    __table_args__ = (
        CheckConstraint("length(reason) > 0", name="has_a_reason"),
        CheckConstraint("(role = 'lots') = (draw IS NOT NULL)", name="lots_have_their_draw"),
        APPEND_ONLY,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("score_runs.id"), index=True)
    post: Mapped[str] = mapped_column(String(20))
    order: Mapped[list[str]] = mapped_column(Document)
    role: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(Text)
    draw: Mapped[str | None] = mapped_column(String(64))
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    run: Mapped[ScoreRun] = relationship()


class Minutes(Base):
    """Printed minutes as they were read before they were signed."""

    __tablename__ = "minutes"
    __table_args__ = (APPEND_ONLY,)

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    title: Mapped[dict[str, str]] = mapped_column(Document)
    digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = deferred(mapped_column(LargeBinary))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)


class CouncilVote(Base):
    """The council's vote on one run for some posts: who was there, how they voted, what the regulation makes of it.

    ``ballots`` maps account ids of the members with a vote to for, against, abstained or absent; in a secret vote to present or
    absent, and only the counts stand here.
    """

    __tablename__ = "council_votes"
    __table_args__ = (
        CheckConstraint("present <= seats AND votes_for + votes_against + abstained <= present", name="counts_fit"),
        APPEND_ONLY,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("score_runs.id"), index=True)
    posts: Mapped[list[str]] = mapped_column(Document)
    held_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ballots: Mapped[dict[str, str]] = mapped_column(Document)
    seats: Mapped[int]
    present: Mapped[int]
    votes_for: Mapped[int]
    votes_against: Mapped[int]
    abstained: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(40))
    adopted: Mapped[bool]
    minutes_id: Mapped[int] = mapped_column(ForeignKey("minutes.id"))
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_requests.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    run: Mapped[ScoreRun] = relationship()
    minutes: Mapped[Minutes] = relationship()
    request: Mapped[ApprovalRequest] = relationship()


class ResultApproval(Base):
    """The competent authority's decision that a run is the result."""

    __tablename__ = "result_approvals"
    __table_args__ = (UniqueConstraint("run_id"), CheckConstraint("length(reason) > 0", name="has_a_reason"), APPEND_ONLY)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("score_runs.id"))
    number: Mapped[str] = mapped_column(String(100))
    decided_on: Mapped[date]
    authority: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_requests.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    run: Mapped[ScoreRun] = relationship()
    request: Mapped[ApprovalRequest] = relationship()


class Publication(Base):
    """An edition of the result as it was published: exactly what the public may see, frozen under its digest.

    ``entries`` maps each post to the index of its ledger entry results.published.
    """

    __tablename__ = "publications"
    __table_args__ = (
        UniqueConstraint("competition_id", "edition"),
        CheckConstraint("cause IN ('first', 'appeal', 'correction', 'withdrawal')", name="cause_is_known"),
        APPEND_ONLY,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    edition: Mapped[int]
    run_id: Mapped[int] = mapped_column(ForeignKey("score_runs.id"))
    cause: Mapped[str] = mapped_column(String(20))
    content: Mapped[dict[str, Any]] = mapped_column(Document)
    digest: Mapped[str] = mapped_column(String(64))
    entries: Mapped[dict[str, int]] = mapped_column(Document)
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_requests.id"))
    published_at: Mapped[datetime] = mapped_column(UTCDateTime)

    run: Mapped[ScoreRun] = relationship()
    request: Mapped[ApprovalRequest] = relationship()
