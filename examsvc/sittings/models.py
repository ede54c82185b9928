"""Sittings, attempts, saved answers and everything that happens in the rooms on exam day."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examsvc.applications.models import Application
from examsvc.base.database import Base, Document, UTCDateTime
from examsvc.papers.models import Form


class Sitting(Base):
    """One part of the exam at one time, in one or more rooms: opened by its bell, for all at once."""

    __tablename__ = "sittings"

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    part: Mapped[str] = mapped_column(String(60))
    form_id: Mapped[int | None] = mapped_column(ForeignKey("forms.id"))
    bell_at: Mapped[datetime] = mapped_column(UTCDateTime)
    minutes: Mapped[int]
    grace_seconds: Mapped[int]
    prepared_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    form: Mapped[Form | None] = relationship()
    rooms: Mapped[list[Room]] = relationship(order_by="Room.name", back_populates="sitting")
    attempts: Mapped[list[Attempt]] = relationship(order_by="Attempt.id", back_populates="sitting")


class Room(Base):
    """A room of a sitting; pauses belong to a room."""

    __tablename__ = "rooms"
    __table_args__ = (UniqueConstraint("sitting_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sitting_id: Mapped[int] = mapped_column(ForeignKey("sittings.id"), index=True)
    name: Mapped[str] = mapped_column(String(60))

    sitting: Mapped[Sitting] = relationship(back_populates="rooms")
    pauses: Mapped[list[Pause]] = relationship(order_by="Pause.id")


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
    """

    __tablename__ = "attempts"
    __table_args__ = (
        UniqueConstraint("sitting_id", "application_id"),
        CheckConstraint(
            "state IN ('prepared', 'checked-in', 'absent', 'submitted', 'closed', 'cancelled')", name="state_is_known"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    sitting_id: Mapped[int] = mapped_column(ForeignKey("sittings.id"), index=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"), index=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"), index=True)
    seat: Mapped[str] = mapped_column(String(20))
    seed: Mapped[str] = mapped_column(String(64))
    extra_minutes: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(20), default="prepared")
    checked_in_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    own_bell_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    opened_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    lease: Mapped[str | None] = mapped_column(String(40))
    machine: Mapped[str | None] = mapped_column(String(64))
    flags: Mapped[list[int]] = mapped_column(Document, default=list)
    notices_read: Mapped[list[int]] = mapped_column(Document, default=list)
    submit_id: Mapped[str | None] = mapped_column(String(36))
    code_hash: Mapped[str | None] = mapped_column(String(200))
    links: Mapped[int] = mapped_column(default=0)
    chain_head: Mapped[str] = mapped_column(String(64))
    receipt: Mapped[dict[str, Any] | None] = mapped_column(Document)

    sitting: Mapped[Sitting] = relationship(back_populates="attempts")
    application: Mapped[Application] = relationship()
    room: Mapped[Room] = relationship()


class Save(Base):
    """One stored answer: never changed.  The highest version of a slot is the answer."""

    __tablename__ = "saves"
    __table_args__ = (
        UniqueConstraint("attempt_id", "slot", "version"),
        UniqueConstraint("attempt_id", "save_id"),
        UniqueConstraint("attempt_id", "link"),
        Index("ix_saves_attempt_slot", "attempt_id", "slot"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"))
    save_id: Mapped[str] = mapped_column(String(36))
    slot: Mapped[int]
    version: Mapped[int]
    value: Mapped[Any] = mapped_column(Document)
    digest: Mapped[str] = mapped_column(String(64))
    late: Mapped[bool] = mapped_column(default=False)
    saved_at: Mapped[datetime] = mapped_column(UTCDateTime)
    client_time: Mapped[str | None] = mapped_column(String(40))
    salt: Mapped[str] = mapped_column(String(64))
    commitment: Mapped[str] = mapped_column(String(64))
    link: Mapped[int]


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

    id: Mapped[int] = mapped_column(primary_key=True)
    sitting_id: Mapped[int] = mapped_column(ForeignKey("sittings.id"), index=True)
    attempt_id: Mapped[int | None] = mapped_column(ForeignKey("attempts.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    sanction: Mapped[str | None] = mapped_column(String(40))
    account_of: Mapped[str] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class RoomNotice(Base):
    """One notice to all rooms of a sitting, in both languages; shown in every player."""

    __tablename__ = "room_notices"

    id: Mapped[int] = mapped_column(primary_key=True)
    sitting_id: Mapped[int] = mapped_column(ForeignKey("sittings.id"), index=True)
    content: Mapped[dict[str, str]] = mapped_column(Document)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
