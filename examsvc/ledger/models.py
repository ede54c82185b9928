"""The append-only log, what opens its commitments (kept apart so that it can be erased), its checkpoints and frozen editions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

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

    entry: Mapped[LogEntry] = relationship()


class HeadCounts(Base):
    """Behind one ``sitting.heads`` entry: the number of saves of each open attempt, which its root alone would not tell.

    ``links`` maps attempt codes to numbers of saves.
    """

    __tablename__ = "log_head_counts"
    __table_args__ = ({"info": {"append_only": True}},)

    entry_id: Mapped[int] = mapped_column(ForeignKey("log_entries.id"), primary_key=True)
    links: Mapped[dict[str, int]] = mapped_column(Document)


class LogCheckpoint(Base):
    """A checkpoint that the log's key signed: ``note`` is the signed note without cosignatures, ``root`` hexadecimal."""

    __tablename__ = "log_checkpoints"
    __table_args__ = (
        UniqueConstraint("log", "size"),
        CheckConstraint("size > 0", name="commits_to_something"),
        {"info": {"append_only": True}},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    log: Mapped[str] = mapped_column(String(60))
    size: Mapped[int]
    root: Mapped[str] = mapped_column(String(64))
    note: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    cosignatures: Mapped[list[LogCosignature]] = relationship(order_by="LogCosignature.id")


class LogCosignature(Base):
    """One witness's signature line under a checkpoint, verified before it was stored; ``key`` is its verifier key."""

    __tablename__ = "log_cosignatures"
    __table_args__ = (UniqueConstraint("checkpoint_id", "key"), {"info": {"append_only": True}})

    id: Mapped[int] = mapped_column(primary_key=True)
    checkpoint_id: Mapped[int] = mapped_column(ForeignKey("log_checkpoints.id"))
    key: Mapped[str] = mapped_column(String(400))
    line: Mapped[str] = mapped_column(Text)
    signed_at: Mapped[datetime] = mapped_column(UTCDateTime)


class WitnessContact(Base):
    """When a witness was last asked about a log, when it last answered well, and what stands between; rewritten each time.

    ``trouble`` is a code of ``witnessing.TROUBLES``; ``detail`` its words or number.
    """

    __tablename__ = "log_witness_contacts"

    log: Mapped[str] = mapped_column(String(60), primary_key=True)
    key: Mapped[str] = mapped_column(String(400), primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    trouble: Mapped[str | None] = mapped_column(String(20))
    detail: Mapped[str | None] = mapped_column(Text)


class FrozenBundle(Base):
    """An edition of a competition's bundle, frozen when it was made.

    ``entries`` is the size of the checkpoint inside, ``posts`` those whose results it proves.  The bytes can be erased, when the
    restricted edition's personal data must go; digest and entry stay.
    """

    __tablename__ = "log_bundles"
    __table_args__ = (
        UniqueConstraint("log", "edition", "kind"),
        CheckConstraint("kind IN ('public', 'restricted')", name="kind_is_known"),
        {"info": {"append_only": "erasable"}},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    log: Mapped[str] = mapped_column(String(60))
    edition: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))
    posts: Mapped[list[str]] = mapped_column(Document)
    digest: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int]
    entries: Mapped[int]
    content: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    erased_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
