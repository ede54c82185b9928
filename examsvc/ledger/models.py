"""The append-only log and what opens its commitments, kept apart so that it can be erased."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from examsvc.base.database import Base, Document, UTCDateTime


class LogEntry(Base):
    """One entry of one log: the canonical bytes as they were hashed, and their RFC 6962 leaf hash.

    ``log`` is the slug of a competition, or ``registry`` for the installation's own log.  Rows are only ever added.
    """

    __tablename__ = "log_entries"
    __table_args__ = (
        UniqueConstraint("log", "position"),
        CheckConstraint("position >= 0", name="positions_begin_at_zero"),
        Index("ix_log_entries_log_type", "log", "type"),
        {"info": {"append_only": True}},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    log: Mapped[str] = mapped_column(String(60))
    position: Mapped[int]
    type: Mapped[str] = mapped_column(String(60))
    entry: Mapped[bytes] = mapped_column(LargeBinary)
    leaf: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class Opening(Base):
    """What opens a commitment of an entry: the salt and the object.  May be erased; the log stays valid.

    ``subject`` is the code of the person whose data the object holds, so that erasure finds it.
    """

    __tablename__ = "log_openings"
    __table_args__ = (UniqueConstraint("entry_id", "field"), {"info": {"append_only": "erasable"}})

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("log_entries.id"), index=True)
    field: Mapped[str] = mapped_column(String(80))
    type: Mapped[str] = mapped_column(String(60))
    commitment: Mapped[str] = mapped_column(String(64), index=True)
    salt: Mapped[str | None] = mapped_column(String(64))
    content: Mapped[dict[str, Any] | None] = mapped_column(Document)
    subject: Mapped[str | None] = mapped_column(String(40), index=True)
    erased_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
