"""Files that were handed in to be imported, and what was found in them, until somebody confirms."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from examsvc.base.database import Base, UTCDateTime
from examsvc.papers.vault import EncryptedBytes, EncryptedText


class BankUpload(Base):
    """A file that was handed in to be imported, kept until somebody confirms what was found in it.

    A job looks into it: before that ``looked_at`` is empty; then either ``refusal`` says why nothing of it can be read (a refusal's
    sentence and parameters as JSON), or its lines are there and ``found`` holds what concerns the file as a whole (JSON).
    ``bank_state`` is the state of the bank it was compared with.
    """

    __tablename__ = "bank_uploads"

    id: Mapped[int] = mapped_column(primary_key=True)
    file_name: Mapped[str] = mapped_column(String(200))
    format: Mapped[str] = mapped_column(String(20))
    language: Mapped[str] = mapped_column(String(10))
    bank_name: Mapped[str] = mapped_column(String(60))
    digest: Mapped[str] = mapped_column(String(64))
    data: Mapped[bytes] = mapped_column(EncryptedBytes("bank_uploads.data"), deferred=True)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    job_id: Mapped[int | None]
    looked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    bank_state: Mapped[str] = mapped_column(String(100), default="")
    refusal: Mapped[str | None] = mapped_column(EncryptedText("bank_uploads.refusal"))
    found: Mapped[str | None] = mapped_column(EncryptedText("bank_uploads.found"))


class UploadLine(Base):
    """What becomes of one question of a handed-in file, with everything that its import writes (``content``, JSON)."""

    __tablename__ = "upload_lines"
    __table_args__ = (UniqueConstraint("upload_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    upload_id: Mapped[int] = mapped_column(ForeignKey("bank_uploads.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    identifier: Mapped[str] = mapped_column(String(200))
    verdict: Mapped[str] = mapped_column(String(20))
    lossy: Mapped[bool]
    alike: Mapped[bool]
    content: Mapped[str] = mapped_column(EncryptedText("upload_lines.content"))


class UploadMedium(Base):
    """A picture, sound or film inside a handed-in file, by the SHA-256 of its bytes in hexadecimal."""

    __tablename__ = "upload_media"
    __table_args__ = (UniqueConstraint("upload_id", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    upload_id: Mapped[int] = mapped_column(ForeignKey("bank_uploads.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    type: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(200))
    data: Mapped[bytes] = mapped_column(EncryptedBytes("upload_media.data"), deferred=True)
