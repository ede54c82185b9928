"""Coded scripts, allocation, sheets of every round, settlements, hearings of plans, and the lock of a stage."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examsvc.accounts.models import Account
from examsvc.applications.models import Application
from examsvc.base.database import Base, Document, UTCDateTime
from examsvc.competitions.models import Competition
from examsvc.papers.models import ItemVersion
from examsvc.sittings.models import Attempt, Sitting


class ObjectiveMark(Base):
    """What `question_banks` gave one slot of one attempt: pinned to the save and the item version it was computed from."""

    __tablename__ = "objective_marks"
    __table_args__ = (UniqueConstraint("attempt_id", "slot", "run"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"), index=True)
    slot: Mapped[int]
    form_slot: Mapped[int]
    run: Mapped[int] = mapped_column(default=1)
    save_id: Mapped[int | None] = mapped_column(ForeignKey("saves.id"))
    item_digest: Mapped[str] = mapped_column(String(64))
    score: Mapped[str] = mapped_column(String(40))
    max_score: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    attempt: Mapped[Attempt] = relationship()


class MarkerGroup(Base):
    """Which group a marker belongs to, where the regulation asks for markers of different groups."""

    __tablename__ = "marker_groups"
    __table_args__ = (UniqueConstraint("competition_id", "marker_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    marker_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    name: Mapped[str] = mapped_column(String(40))


class Guide(Base):
    """A later version of the marking guide of a scheme in one stage; version 1 is the one sealed with the paper.

    ``tasks`` maps the digest of each task's item version to its guide by language, as it stands in this version; ``changed``
    names the tasks that differ from the version before.
    """

    __tablename__ = "guides"
    __table_args__ = (
        UniqueConstraint("competition_id", "stage", "scheme", "version"),
        CheckConstraint("version > 1", name="the_first_version_is_in_the_paper"),
        {"info": {"append_only": True}},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    stage: Mapped[str] = mapped_column(String(60))
    scheme: Mapped[str] = mapped_column(String(60))
    version: Mapped[int]
    tasks: Mapped[dict[str, dict[str, str]]] = mapped_column(Document)
    changed: Mapped[list[str]] = mapped_column(Document)
    touched: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))


class Script(Base):
    """One essay of one attempt under its own code.  Markers know the code and the text, nothing else.

    Whose it is (``attempt``, ``slot``) nobody but the code custodians can tell until the code map is open; until then both are empty.
    ``writer`` is a random word for all scripts of one writer in one coding.  ``barred`` are accounts that must not mark it; neither says
    why, and where enough candidates sat, the same accounts are barred from scripts of others too (``blinding.hidden``).
    ``guide`` is the version of the marking guide that last changed its task: what was given under an earlier one does not count.
    """

    __tablename__ = "scripts"
    __table_args__ = (
        UniqueConstraint("attempt_id", "slot"),
        UniqueConstraint("competition_id", "code"),
        CheckConstraint("(attempt_id IS NULL) = (slot IS NULL)", name="blind_or_opened"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20))
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    part: Mapped[str] = mapped_column(String(60))
    post: Mapped[str] = mapped_column(String(20))
    attempt_id: Mapped[int | None] = mapped_column(ForeignKey("attempts.id"))
    slot: Mapped[int | None]
    writer: Mapped[str] = mapped_column(String(32), index=True)
    barred: Mapped[list[int]] = mapped_column(Document, default=list)
    content: Mapped[str] = mapped_column(Text)
    maximum: Mapped[str] = mapped_column(String(20))
    item_version_id: Mapped[int] = mapped_column(ForeignKey("item_versions.id"))
    guide: Mapped[int] = mapped_column(default=1)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)

    competition: Mapped[Competition] = relationship()
    attempt: Mapped[Attempt | None] = relationship()
    item_version: Mapped[ItemVersion] = relationship()
    allocations: Mapped[list[Allocation]] = relationship(order_by="Allocation.id", back_populates="script")
    settlements: Mapped[list[Settlement]] = relationship(order_by="Settlement.version", back_populates="script")

    @property
    def settlement(self) -> Settlement | None:
        """The settlement that counts: the newest, unless the guide changed after it."""
        return self.settlements[-1] if self.settlements and self.settlements[-1].guide >= self.guide else None

    @property
    def application(self) -> Application:
        """Whose it is.  LookupError while the code map is closed."""
        if self.attempt is None:
            raise LookupError(f"the code map that names the writer of {self.code} is closed")
        return self.attempt.application


class CodeMap(Base):
    """One part of the code map of one sitting, as one blind.map entry commits to it: what opens the commitments, age-encrypted.

    ``recipients`` maps the actor code of each code custodian to the key it was encrypted to; ``digest`` is the SHA-256 of the ciphertext, as in the
    entry.  The ciphertext goes when the map is open: from then on the openings stand beside the log, where they can be erased.
    """

    __tablename__ = "code_maps"
    __table_args__ = (
        UniqueConstraint("sitting_id", "part"),
        CheckConstraint("(ciphertext IS NULL) = (opened_at IS NOT NULL)", name="closed_or_opened"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sitting_id: Mapped[int] = mapped_column(ForeignKey("sittings.id"), index=True)
    part: Mapped[int]
    entry: Mapped[int]
    pairs: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    recipients: Mapped[dict[str, str]] = mapped_column(Document)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    opened_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    sitting: Mapped[Sitting] = relationship()


class Calibration(Base):
    """What the joint marking of a few scripts before the rest showed: marks by script code and marker's code.  They count for nobody."""

    __tablename__ = "calibrations"
    __table_args__ = ({"info": {"append_only": True}},)

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    part: Mapped[str] = mapped_column(String(60))
    marks: Mapped[dict[str, dict[str, str]]] = mapped_column(Document)
    held_at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))


class Allocation(Base):
    """A script given to a marker for a round (1 and 2 independent, 3 the third mark); replaced rows keep their cause.

    The third is drawn with the others and waits, not ``called``, until the regulation asks for a third mark.
    """

    __tablename__ = "allocations"
    __table_args__ = (
        CheckConstraint("round > 0", name="rounds_begin_at_one"),
        CheckConstraint("(replaced_at IS NULL) = (cause IS NULL)", name="a_replacement_has_a_cause"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    script_id: Mapped[int] = mapped_column(ForeignKey("scripts.id"), index=True)
    marker_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    round: Mapped[int]
    draw: Mapped[str] = mapped_column(String(40))
    drawn_at: Mapped[datetime] = mapped_column(UTCDateTime)
    called_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    recognised_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    replaced_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cause: Mapped[str | None] = mapped_column(String(20))
    draft: Mapped[dict[str, Any] | None] = mapped_column(Document)

    script: Mapped[Script] = relationship(back_populates="allocations")
    marker: Mapped[Account] = relationship()
    sheets: Mapped[list[Sheet]] = relationship(lazy="selectin", order_by="Sheet.version", back_populates="allocation")

    @property
    def sheet(self) -> Sheet | None:
        """The sheet that counts: the newest, unless the guide changed after it."""
        return self.sheets[-1] if self.sheets and self.sheets[-1].guide >= self.script.guide else None

    @property
    def reopened(self) -> bool:
        """Whether a mark was given that a change of the guide took back, and none since."""
        return bool(self.sheets) and self.sheet is None


class Sheet(Base):
    """What a marker handed in for one script: criterion by criterion, exact.

    A correction is a new version, and so is the first sheet of a marker who took over a round in which one was handed in.
    """

    __tablename__ = "sheets"
    __table_args__ = (UniqueConstraint("allocation_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    allocation_id: Mapped[int] = mapped_column(ForeignKey("allocations.id"), index=True)
    version: Mapped[int]
    guide: Mapped[int]
    criteria: Mapped[dict[str, str]] = mapped_column(Document)
    total: Mapped[str] = mapped_column(String(40))
    comment: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    allocation: Mapped[Allocation] = relationship(back_populates="sheets")


class Agreement(Base):
    """What one of two differing markers proposes to settle on; equal newest proposals of both are the agreement."""

    __tablename__ = "agreements"

    id: Mapped[int] = mapped_column(primary_key=True)
    script_id: Mapped[int] = mapped_column(ForeignKey("scripts.id"), index=True)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    guide: Mapped[int]
    mark: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class Settlement(Base):
    """The settled mark of a script: by which rule it came about, from which sheets, and who decided where a person did."""

    __tablename__ = "settlements"
    __table_args__ = (UniqueConstraint("script_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    script_id: Mapped[int] = mapped_column(ForeignKey("scripts.id"), index=True)
    version: Mapped[int]
    guide: Mapped[int]
    mark: Mapped[str] = mapped_column(String(40))
    manner: Mapped[str] = mapped_column(String(20))
    rule: Mapped[str] = mapped_column(String(120))
    sheets: Mapped[list[int]] = mapped_column(Document)
    reason: Mapped[str | None] = mapped_column(Text)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    script: Mapped[Script] = relationship(back_populates="settlements")


class Hearing(Base):
    """One candidate before the panel: place in the drawn order, the clock of the hearing, and its state."""

    __tablename__ = "hearings"
    __table_args__ = (
        UniqueConstraint("competition_id", "part", "application_id"),
        CheckConstraint("state IN ('listed', 'running', 'ended', 'shown', 'settled', 'absent')", name="state_is_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    part: Mapped[str] = mapped_column(String(60))
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"), index=True)
    place: Mapped[int]
    draw: Mapped[str] = mapped_column(String(40))
    starts_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    state: Mapped[str] = mapped_column(String(20), default="listed")
    preparation_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    presentation_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    questions_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    shown_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    competition: Mapped[Competition] = relationship()
    application: Mapped[Application] = relationship()
    members: Mapped[list[PanelSeat]] = relationship(order_by="PanelSeat.id", back_populates="hearing")
    settlements: Mapped[list[HearingSettlement]] = relationship(order_by="HearingSettlement.version")


class PanelSeat(Base):
    """One member's seat at one hearing; who stepped aside keeps the row with the substitute and the reason."""

    __tablename__ = "panel_seats"
    __table_args__ = (UniqueConstraint("hearing_id", "member_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    hearing_id: Mapped[int] = mapped_column(ForeignKey("hearings.id"), index=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    recused_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str | None] = mapped_column(Text)
    draft: Mapped[dict[str, Any] | None] = mapped_column(Document)

    hearing: Mapped[Hearing] = relationship(back_populates="members")
    member: Mapped[Account] = relationship(lazy="joined", innerjoin=True)
    sheets: Mapped[list[PanelSheet]] = relationship(lazy="selectin", order_by="PanelSheet.version", back_populates="seat")


class PanelSheet(Base):
    """What a panel member handed in for one hearing, before any other sheet was shown."""

    __tablename__ = "panel_sheets"
    __table_args__ = (UniqueConstraint("seat_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    seat_id: Mapped[int] = mapped_column(ForeignKey("panel_seats.id"), index=True)
    version: Mapped[int]
    criteria: Mapped[dict[str, str]] = mapped_column(Document)
    comments: Mapped[dict[str, str]] = mapped_column(Document, default=dict)
    total: Mapped[str] = mapped_column(String(40))
    explanation: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    seat: Mapped[PanelSeat] = relationship(back_populates="sheets")


class HearingSettlement(Base):
    """The panel's mark of one hearing, with what the regulation's rule did to each sheet."""

    __tablename__ = "hearing_settlements"
    __table_args__ = (UniqueConstraint("hearing_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    hearing_id: Mapped[int] = mapped_column(ForeignKey("hearings.id"), index=True)
    version: Mapped[int]
    mark: Mapped[str] = mapped_column(String(40))
    manner: Mapped[str] = mapped_column(String(20))
    details: Mapped[dict[str, Any]] = mapped_column(Document)
    reason: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class StageLock(Base):
    """The marks of one stage are complete and stand; ``digest`` is over part, script code (elsewhere candidate number) and mark.

    ``opening_id`` is the approved request to open the code map; ``opened_at`` says when a code custodian then handed the opened map in.
    """

    __tablename__ = "stage_locks"
    __table_args__ = (UniqueConstraint("competition_id", "stage", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id"), index=True)
    stage: Mapped[str] = mapped_column(String(60))
    number: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    units: Mapped[int]
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    opening_id: Mapped[int | None] = mapped_column(ForeignKey("approval_requests.id"))
    opened_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reopened_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
