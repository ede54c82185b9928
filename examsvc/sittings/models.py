"""Sittings, attempts, saved answers and everything that happens in the rooms on exam day."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examsvc.applications.models import Application
from examsvc.base.database import Base, Document, UTCDateTime
from examsvc.competitions.models import Competition
from examsvc.papers.models import Form


class Sitting(Base):
    """One part of the exam at one time, in one or more rooms: opened by its bell, for all at once.

    ``seating`` says who has the places: given out in order, still to be drawn, or drawn by ``draw``.  ``unrehearsed_at`` is when two
    people decided to hold it though the opening of its paper was not rehearsed.
    """

    __tablename__ = "sittings"
    __table_args__ = (
        UniqueConstraint("competition_id", "code"),
        CheckConstraint("seating IN ('in-order', 'to-draw', 'drawn')", name="seating_is_known"),
        CheckConstraint("(seating = 'drawn') = (draw IS NOT NULL)", name="drawn_seats_name_their_draw"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    code: Mapped[str] = mapped_column(String(40))
    part: Mapped[str] = mapped_column(String(60))
    form_id: Mapped[int | None] = mapped_column(ForeignKey("forms.id"))
    bell_at: Mapped[datetime] = mapped_column(UTCDateTime)
    minutes: Mapped[int]
    grace_seconds: Mapped[int]
    planned_at: Mapped[datetime] = mapped_column(UTCDateTime)
    planned_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    revision: Mapped[int] = mapped_column(default=0)
    seating: Mapped[str] = mapped_column(String(10), default="in-order")
    draw: Mapped[str | None] = mapped_column(String(64))
    unrehearsed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    prepared_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    competition: Mapped[Competition] = relationship()
    form: Mapped[Form | None] = relationship()
    seats: Mapped[list[Seat]] = relationship(order_by="Seat.id", back_populates="sitting")
    rooms: Mapped[list[Room]] = relationship(order_by="Room.name", back_populates="sitting")
    attempts: Mapped[list[Attempt]] = relationship(order_by="Attempt.id", back_populates="sitting")


class Room(Base):
    """A room of a sitting; pauses belong to a room.  A separate one is for candidates to whom that was granted."""

    __tablename__ = "rooms"
    __table_args__ = (
        UniqueConstraint("sitting_id", "name"),
        UniqueConstraint("sitting_id", "code"),
        CheckConstraint("places > 0", name="has_places"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sitting_id: Mapped[int] = mapped_column(ForeignKey("sittings.id"), index=True)
    code: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(60))
    places: Mapped[int]
    separate: Mapped[bool] = mapped_column(default=False)

    sitting: Mapped[Sitting] = relationship(back_populates="rooms")
    pauses: Mapped[list[Pause]] = relationship(order_by="Pause.id")


class Seat(Base):
    """Who is summoned to which place, and what was granted to the candidate for this sitting."""

    __tablename__ = "seats"
    __table_args__ = (
        UniqueConstraint("sitting_id", "application_id"),
        UniqueConstraint("room_id", "place"),
        CheckConstraint("extra_minutes >= 0", name="takes_no_time_away"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sitting_id: Mapped[int] = mapped_column(ForeignKey("sittings.id"), index=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"), index=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"), index=True)
    place: Mapped[str] = mapped_column(String(20))
    extra_minutes: Mapped[int] = mapped_column(default=0)
    may_break: Mapped[bool] = mapped_column(default=False)
    arrangements: Mapped[str | None] = mapped_column(Text)

    sitting: Mapped[Sitting] = relationship(back_populates="seats")
    room: Mapped[Room] = relationship()
    application: Mapped[Application] = relationship()

    @property
    def awaits_draw(self) -> bool:
        """Whether somebody else may yet get this place: its draw is not made."""
        return self.sitting.seating == "to-draw" and not self.room.separate


class Pause(Base):
    """The clock of a room, or of one candidate with breaks, stood still from one moment to another (or still does)."""

    __tablename__ = "pauses"
    __table_args__ = (
        CheckConstraint("until IS NULL OR until >= since", name="ends_after_it_begins"),
        CheckConstraint("(room_id IS NULL) <> (attempt_id IS NULL)", name="of_a_room_or_of_one_attempt"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int | None] = mapped_column(ForeignKey("rooms.id"), index=True)
    attempt_id: Mapped[int | None] = mapped_column(ForeignKey("attempts.id"), index=True)
    since: Mapped[datetime] = mapped_column(UTCDateTime)
    until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(Text)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))


class Attempt(Base):
    """One candidate's sitting of one part, made before the bell.

    ``code`` stands in submits and in the ledger and is shown to no marker.  ``lease`` names the one page that may save, on
    the one ``machine`` that holds the attempt; an invigilator releases it for a take-over.  ``chain_head`` and ``links``
    are where the hash chain over the saves stands.  ``own_bell_at`` is set only where the regulation has no common start.
    ``code_place`` is the SHA-256 of what the browser holds at which the one-time code was used: elsewhere it opens nothing.
    ``seen_at`` is when the machine was last heard of; ``moving_since`` is since when the candidate waits at another machine
    for the release.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        CheckConstraint("extra_minutes >= 0", name="takes_no_time_away"),
        CheckConstraint(
            "state IN ('prepared', 'checked-in', 'absent', 'submitted', 'closed', 'cancelled')", name="state_is_known"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    sitting_id: Mapped[int] = mapped_column(ForeignKey("sittings.id"), index=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"), index=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"), index=True)
    seat_id: Mapped[int] = mapped_column(ForeignKey("seats.id"))
    seed: Mapped[str] = mapped_column(String(64))
    extra_minutes: Mapped[int] = mapped_column(default=0)
    previous_id: Mapped[int | None] = mapped_column(ForeignKey("attempts.id"))
    state: Mapped[str] = mapped_column(String(20), default="prepared")
    checked_in_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    own_bell_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    opened_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    lease: Mapped[str | None] = mapped_column(String(40))
    machine: Mapped[str | None] = mapped_column(String(64))
    leases: Mapped[int] = mapped_column(default=0)
    seen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    moving_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    flags: Mapped[list[int]] = mapped_column(Document, default=list)
    notices_read: Mapped[list[int]] = mapped_column(Document, default=list)
    submit_id: Mapped[str | None] = mapped_column(String(36))
    code_hash: Mapped[str | None] = mapped_column(String(200))
    code_place: Mapped[str | None] = mapped_column(String(64))
    links: Mapped[int] = mapped_column(default=0)
    late_links: Mapped[int] = mapped_column(default=0)
    chain_head: Mapped[str] = mapped_column(String(64))
    receipt: Mapped[dict[str, Any] | None] = mapped_column(Document)

    sitting: Mapped[Sitting] = relationship(back_populates="attempts")
    application: Mapped[Application] = relationship()
    room: Mapped[Room] = relationship()
    seat: Mapped[Seat] = relationship()


class Save(Base):
    """One stored answer: never changed.  The highest version of a slot is the answer.

    Erasure empties what was written and its salt; the commitment stays, so that the chain still verifies.
    """

    __tablename__ = "saves"
    __table_args__ = (
        UniqueConstraint("attempt_id", "slot", "version"),
        UniqueConstraint("attempt_id", "save_id"),
        UniqueConstraint("attempt_id", "link"),
        Index("ix_saves_attempt_slot", "attempt_id", "slot"),
        {"info": {"append_only": "erasable", "erases": ("value", "digest", "client_time", "salt")}},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"))
    save_id: Mapped[str] = mapped_column(String(36))
    slot: Mapped[int]
    version: Mapped[int]
    value: Mapped[Any] = mapped_column(Document, nullable=True)
    digest: Mapped[str] = mapped_column(String(64), nullable=True)
    late: Mapped[bool] = mapped_column(default=False)
    saved_at: Mapped[datetime] = mapped_column(UTCDateTime)
    client_time: Mapped[str | None] = mapped_column(String(40))
    salt: Mapped[str] = mapped_column(String(64), nullable=True)
    commitment: Mapped[str] = mapped_column(String(64))
    link: Mapped[int]
    erased_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Credit(Base):
    """Minutes granted to one attempt for time that was lost; appended with its reason."""

    __tablename__ = "credits"
    __table_args__ = (CheckConstraint("seconds > 0", name="adds_time"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"), index=True)
    seconds: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class Incident(Base):
    """Something that happened in a room: kind, what was seen, and the sanction if there was one."""

    __tablename__ = "incidents"
    __table_args__ = (
        CheckConstraint("kind IN ('technical', 'conduct', 'health', 'paper', 'other')", name="kind_is_known"),
        CheckConstraint("length(description) > 0", name="says_what_happened"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    sitting_id: Mapped[int] = mapped_column(ForeignKey("sittings.id"), index=True)
    room_id: Mapped[int | None] = mapped_column(ForeignKey("rooms.id"))
    attempt_id: Mapped[int | None] = mapped_column(ForeignKey("attempts.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    description: Mapped[str] = mapped_column(Text)
    signed: Mapped[list[str]] = mapped_column(Document, default=list)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    attempt: Mapped[Attempt | None] = relationship()
    room: Mapped[Room | None] = relationship()
    sanctions: Mapped[list[SanctionRecord]] = relationship(order_by="SanctionRecord.number", back_populates="incident")


class SanctionRecord(Base):
    """One of the regulation's sanctions, imposed for an incident by two people; ``deduction`` is a share as exact text."""

    __tablename__ = "sanctions"
    __table_args__ = (UniqueConstraint("incident_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), index=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"), index=True)
    number: Mapped[int]
    sanction: Mapped[str] = mapped_column(String(20))
    deduction: Mapped[str] = mapped_column(String(20))
    annuls: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text)
    imposed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    lifted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    lifted_reason: Mapped[str | None] = mapped_column(Text)

    incident: Mapped[Incident] = relationship(back_populates="sanctions")
    attempt: Mapped[Attempt] = relationship()


class SecondAttempt(Base):
    """A decision that one candidate sits a part again: in which seat, instead of which attempt, under which new code."""

    __tablename__ = "second_attempts"
    __table_args__ = (CheckConstraint("length(reason) > 0", name="says_why"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    previous_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"), unique=True)
    seat_id: Mapped[int] = mapped_column(ForeignKey("seats.id"), unique=True)
    reason: Mapped[str] = mapped_column(Text)
    granted_at: Mapped[datetime] = mapped_column(UTCDateTime)

    previous: Mapped[Attempt] = relationship()
    seat: Mapped[Seat] = relationship()


class LateDecision(Base):
    """What the board decided on the late answers of one attempt; until then they do not count."""

    __tablename__ = "late_decisions"
    __table_args__ = (CheckConstraint("outcome IN ('counted', 'dropped')", name="outcome_is_known"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"), unique=True)
    outcome: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class Outage(Base):
    """A stretch in which the server did not hear of a candidate's machine during the exam: kept for remedies."""

    __tablename__ = "outages"

    id: Mapped[int] = mapped_column(primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"), index=True)
    since: Mapped[datetime] = mapped_column(UTCDateTime)
    until: Mapped[datetime] = mapped_column(UTCDateTime)


class RoomNotice(Base):
    """One notice to all rooms of a sitting, in both languages; shown in every player."""

    __tablename__ = "room_notices"

    id: Mapped[int] = mapped_column(primary_key=True)
    sitting_id: Mapped[int] = mapped_column(ForeignKey("sittings.id"), index=True)
    content: Mapped[dict[str, str]] = mapped_column(Document)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class PracticeAttempt(Base):
    """A candidate tries the player out.  It counts for nothing, stands in no log, and the next try replaces it.

    ``answers`` maps a slot to its newest save: acknowledgement and value.
    """

    __tablename__ = "practice_attempts"
    __table_args__ = (UniqueConstraint("competition_id", "account_id"), CheckConstraint("minutes > 0", name="has_time"))

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    begun_at: Mapped[datetime] = mapped_column(UTCDateTime)
    minutes: Mapped[int]
    lease: Mapped[str | None] = mapped_column(String(40))
    flags: Mapped[list[int]] = mapped_column(Document, default=list)
    answers: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    receipt: Mapped[dict[str, Any] | None] = mapped_column(Document)

    competition: Mapped[Competition] = relationship()
