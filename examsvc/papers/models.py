"""Banks and their items, blueprints, forms, and what guards them: custodians, seals, shares, and who read what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examsvc.accounts.models import Account
from examsvc.base.database import Base, Document, UTCDateTime
from examsvc.competitions.models import Competition
from examsvc.papers.vault import EncryptedBytes, EncryptedText


class Bank(Base):
    """A question bank of the installation."""

    __tablename__ = "banks"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    title: Mapped[dict[str, str]] = mapped_column(Document)
    languages: Mapped[list[str]] = mapped_column(Document)
    licence: Mapped[str] = mapped_column(String(200), default="")
    imported_at: Mapped[datetime] = mapped_column(UTCDateTime)
    imported_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))


class ItemVersion(Base):
    """One version of one item, known by its digest.

    ``native`` is a native bank of this item alone, without its media: content, declarations, marking and metadata.  The
    columns beside it are what lists and blueprints ask for; ``search`` holds the words that candidates see, without case and accents.
    """

    __tablename__ = "item_versions"
    __table_args__ = (UniqueConstraint("bank_id", "identifier", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    bank_id: Mapped[int] = mapped_column(ForeignKey("banks.id"), index=True)
    identifier: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64), index=True)
    kind: Mapped[str] = mapped_column(String(30))
    topic: Mapped[str] = mapped_column(String(200))
    level: Mapped[str] = mapped_column(String(30))
    status: Mapped[str] = mapped_column(String(20))
    marks: Mapped[str] = mapped_column(String(20))
    words: Mapped[int]
    by_person: Mapped[bool]
    minutes: Mapped[str | None] = mapped_column(String(20))
    enemies: Mapped[list[str]] = mapped_column(Document)
    media: Mapped[list[str]] = mapped_column(Document)
    search: Mapped[str] = mapped_column(EncryptedText("item_versions.search"))
    native: Mapped[str] = mapped_column(EncryptedText("item_versions.native"))
    added_at: Mapped[datetime] = mapped_column(UTCDateTime)
    added_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    retired_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    bank: Mapped[Bank] = relationship()
    added_by: Mapped[Account | None] = relationship()
    decisions: Mapped[list[ItemDecision]] = relationship(order_by="ItemDecision.id")


class ItemDecision(Base):
    """What a person decided on one version of a question: reviewed, approved, returned to its author, retired.  Never changed."""

    __tablename__ = "item_decisions"
    __table_args__ = (
        CheckConstraint("what IN ('reviewed', 'approved', 'returned', 'retired')", name="what_is_known"),
        {"info": {"append_only": True}},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    item_version_id: Mapped[int] = mapped_column(ForeignKey("item_versions.id"), index=True)
    what: Mapped[str] = mapped_column(String(20))
    comment: Mapped[str] = mapped_column(EncryptedText("item_decisions.comment"))
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    by: Mapped[Account] = relationship()


class MediaFile(Base):
    """A picture, sound or film of items, by the SHA-256 of its bytes in hexadecimal."""

    __tablename__ = "media_files"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    type: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(200))
    data: Mapped[bytes] = mapped_column(EncryptedBytes("media_files.data"), deferred=True)


class Blueprint(Base):
    """What a part's paper must contain: lines of topic × level × kind with a number of items and their marks; versions are kept."""

    __tablename__ = "blueprints"
    __table_args__ = (UniqueConstraint("competition_id", "part", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    part: Mapped[str] = mapped_column(String(60))
    version: Mapped[int]
    bank_id: Mapped[int] = mapped_column(ForeignKey("banks.id"))
    cells: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    demands: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))

    bank: Mapped[Bank] = relationship()


class Form(Base):
    """One form of a part, main or spare, and at the same time the paper of that code: its questions, until it is sealed.

    ``shift`` says which of the part's sittings at different times it is for, counted by their bells; nobody who sits at noon gets what
    was asked in the morning.

    A form is a draft, then approved, sealed, opened; or withdrawn before it was sealed, replaced afterwards.  While it is
    sealed it has neither slots nor seed nor salt: they stand in the ciphertext alone and return when it is opened.
    """

    __tablename__ = "forms"
    __table_args__ = (
        UniqueConstraint("competition_id", "code"),
        CheckConstraint("role IN ('main', 'spare')", name="main_or_spare"),
        CheckConstraint("shift > 0", name="shifts_begin_at_one"),
        CheckConstraint("withdrawn_at IS NULL OR opened_at IS NULL", name="an_opened_paper_is_not_withdrawn"),
        CheckConstraint("opened_at IS NULL OR approved_at IS NOT NULL", name="opened_after_approval"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    code: Mapped[str] = mapped_column(String(60))
    part: Mapped[str] = mapped_column(String(60))
    role: Mapped[str] = mapped_column(String(10))
    shift: Mapped[int] = mapped_column(default=1)
    blueprint_id: Mapped[int] = mapped_column(ForeignKey("blueprints.id"))
    seed: Mapped[str | None] = mapped_column(String(64))
    salt: Mapped[str | None] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    items: Mapped[int]
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    approval_id: Mapped[int | None] = mapped_column(ForeignKey("approval_requests.id"))
    approval_entry: Mapped[int | None]
    approved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    opened_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    replaced_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    withdrawn_reason: Mapped[str | None] = mapped_column(Text)

    competition: Mapped[Competition] = relationship()
    blueprint: Mapped[Blueprint] = relationship()
    slots: Mapped[list[FormSlot]] = relationship(
        order_by="FormSlot.number", back_populates="form", cascade="all, delete-orphan"
    )
    swaps: Mapped[list[FormSwap]] = relationship(order_by="FormSwap.id", cascade="all, delete-orphan")
    seal: Mapped[Seal | None] = relationship(back_populates="form")

    @property
    def place(self) -> str:
        """What it is among the papers of its part: "main", "spare", "main-2" for the second sitting, …"""
        return self.role if self.shift == 1 else f"{self.role}-{self.shift}"

    @property
    def state(self) -> str:
        if self.withdrawn_at is not None:
            return "withdrawn"
        if self.replaced_at is not None:
            return "replaced"
        if self.opened_at is not None:
            return "opened"
        if self.seal is not None:
            return "sealed"
        return "approved" if self.approved_at is not None else "draft"


class FormSlot(Base):
    """The n-th question of a form: an item version, the line of the blueprint it fills, and its marks here (a decimal string)."""

    __tablename__ = "form_slots"
    __table_args__ = (UniqueConstraint("form_id", "number"), CheckConstraint("number > 0", name="numbers_begin_at_one"))

    id: Mapped[int] = mapped_column(primary_key=True)
    form_id: Mapped[int] = mapped_column(ForeignKey("forms.id"), index=True)
    number: Mapped[int]
    line: Mapped[int]
    item_version_id: Mapped[int] = mapped_column(ForeignKey("item_versions.id"))
    marks: Mapped[str] = mapped_column(String(20))

    form: Mapped[Form] = relationship(back_populates="slots")
    item_version: Mapped[ItemVersion] = relationship(lazy="joined", innerjoin=True)


class FormSwap(Base):
    """A question of a draft that a person exchanged for another, with the reason; sealed away with the form."""

    __tablename__ = "form_swaps"

    id: Mapped[int] = mapped_column(primary_key=True)
    form_id: Mapped[int] = mapped_column(ForeignKey("forms.id"), index=True)
    number: Mapped[int]
    out_id: Mapped[int] = mapped_column(ForeignKey("item_versions.id"))
    in_id: Mapped[int] = mapped_column(ForeignKey("item_versions.id"))
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))


class CustodianKey(Base):
    """The public half of a key that a custodian made on a machine of his own; the newest counts."""

    __tablename__ = "custodian_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    recipient: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    account: Mapped[Account] = relationship()


class CustodianSet(Base):
    """The custodians of a stage as named by two: actor code, account, key; so many of them open a paper."""

    __tablename__ = "custodian_sets"
    __table_args__ = (
        UniqueConstraint("competition_id", "stage", "revision"),
        CheckConstraint("threshold >= 2", name="no_single_custodian_opens"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    stage: Mapped[str] = mapped_column(String(60))
    revision: Mapped[int]
    threshold: Mapped[int]
    members: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    approval_id: Mapped[int] = mapped_column(ForeignKey("approval_requests.id"))


class Seal(Base):
    """A sealed paper: the file that nobody reads without enough custodians."""

    __tablename__ = "seals"

    id: Mapped[int] = mapped_column(primary_key=True)
    form_id: Mapped[int] = mapped_column(ForeignKey("forms.id"), unique=True)
    set_id: Mapped[int] = mapped_column(ForeignKey("custodian_sets.id"))
    threshold: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    entry: Mapped[int]
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    form: Mapped[Form] = relationship(back_populates="seal")
    shares: Mapped[list[SealShare]] = relationship(order_by="SealShare.x", back_populates="seal")


class SealShare(Base):
    """One custodian's share: encrypted to his own key, with its commitment; and once handed in, the share itself."""

    __tablename__ = "seal_shares"
    __table_args__ = (UniqueConstraint("seal_id", "custodian"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    seal_id: Mapped[int] = mapped_column(ForeignKey("seals.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    custodian: Mapped[str] = mapped_column(String(64))
    x: Mapped[int]
    commitment: Mapped[str] = mapped_column(String(64))
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    delivered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    delivered: Mapped[bytes | None] = mapped_column(LargeBinary)

    seal: Mapped[Seal] = relationship(back_populates="shares")
    account: Mapped[Account] = relationship()


class KeyCorrection(Base):
    """A corrected key of one question of an opened form: the item version by whose rules it is marked from now on."""

    __tablename__ = "key_corrections"
    __table_args__ = (UniqueConstraint("form_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    form_id: Mapped[int] = mapped_column(ForeignKey("forms.id"), index=True)
    version: Mapped[int]
    number: Mapped[int]
    item_version_id: Mapped[int] = mapped_column(ForeignKey("item_versions.id"))
    reason: Mapped[str] = mapped_column(Text)
    entry: Mapped[int]
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    item_version: Mapped[ItemVersion] = relationship()


class Neutralisation(Base):
    """A faulty question of an opened form, taken out of the scores in the way the regulation says."""

    __tablename__ = "neutralisations"
    __table_args__ = (
        UniqueConstraint("form_id", "number"),
        CheckConstraint("rule IN ('redistribute', 'full-marks', 'drop')", name="rule_is_the_regulations"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    form_id: Mapped[int] = mapped_column(ForeignKey("forms.id"), index=True)
    number: Mapped[int]
    rule: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)
    entry: Mapped[int]
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class Reading(Base):
    """Somebody read questions, keys or a printed paper: who, what, when.  Never changed."""

    __tablename__ = "paper_readings"
    __table_args__ = (Index("ix_paper_readings_competition_at", "competition", "at"), {"info": {"append_only": True}})

    id: Mapped[int] = mapped_column(primary_key=True)
    competition: Mapped[str] = mapped_column(String(60))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    what: Mapped[str] = mapped_column(String(20))
    thing: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    account: Mapped[Account] = relationship()
