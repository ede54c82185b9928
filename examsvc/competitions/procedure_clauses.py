"""Clauses on procedure: notice, calendar, holidays, appeals, interventions, retention."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from examsvc.competitions.terms import Amount, Clause, Count, EventName, Label, Length, Model, Range, Slug

COMPETITION_EVENTS = (
    "regulation-pinned",
    "notice-published",
    "applications-opened",
    "applications-closed",
    "eligibility-decided",
    "eligible-list-published",
    "summons-sent",
    "room-plan-posted",
    "draw-made",
    "results-reported",
    "results-approved",
    "results-published",
    "winner-file-completed",
    "winners-appointed",
    "competition-closed",
)
"""Events of a competition as a whole."""

STAGE_EVENTS = ("stage-opened", "exam-started", "exam-ended", "marks-locked", "stage-results-published")
"""Events of one stage, written "exam-started:<stage>"."""

CHANNEL_EVENTS = ("appeals-closed", "appeals-decided")
"""Events of one appeal channel, written "appeals-closed:<channel>"; its windows bound them."""

Unit = Literal["hours", "calendar-days", "working-days", "months"]


class SizeBand(Model):
    """Offset for some numbers of applicants."""

    applicants: Range
    """Number of applicants."""
    offset: Length
    """Offset in the rule's unit."""


class DeadlineRule(Clause):
    """When an event must happen, relative to another one."""

    id: Slug
    """Name of the rule."""
    label: Label
    """The rule in words."""
    event: EventName
    """Event that the rule bounds."""
    bound: Literal["at-latest", "at-earliest"]
    """Whether the event must have happened by then, or must not happen sooner."""
    direction: Literal["after", "before"]
    """Whether the offset counts forwards or backwards from `base`."""
    base: EventName
    """Event counted from; its own day does not count."""
    unit: Unit
    """Unit of the offset."""
    offset: Length | None = None
    """Length; null where it depends on the number of applicants."""
    by_applicants: tuple[SizeBand, ...] = ()
    """Lengths by number of applicants; they tile every number from 0. Empty where `offset` is given."""
    roll: Literal["none", "next-working-day", "previous-working-day"] = "none"
    """Where a day that is not a working day moves to."""

    @model_validator(mode="after")
    def _one_offset(self) -> Self:
        if (self.offset is None) != bool(self.by_applicants):
            raise PydanticCustomError(
                "two-offsets", "must state either offset or by_applicants, not both and not none"
            )
        return self

    def length(self, applicants: int | None) -> int | None:
        """The offset for a number of applicants; None where it depends on a number not yet known or not covered."""
        if self.offset is not None:
            return self.offset
        if applicants is None:
            return None
        return next((band.offset for band in self.by_applicants if applicants in band.applicants), None)


class Holiday(Model):
    """A day off."""

    day: date
    """The day."""
    label: Label
    """Its name."""


class HolidayYear(Clause):
    """Holidays of one year, as announced for it."""

    year: Annotated[int, Field(ge=1900, le=2200)]
    """The year."""
    holidays: tuple[Holiday, ...]
    """Days off, weekends need not be listed."""
    working: tuple[date, ...] = ()
    """Days of a weekend on which people work to make up."""


class Calendar(Model):
    """Deadlines, and the days they are counted in."""

    weekend: tuple[Annotated[int, Field(ge=1, le=7)], ...]
    """Days off in every week, 1 = Monday to 7 = Sunday."""
    years: tuple[HolidayYear, ...] = ()
    """Holidays by year; the institution adds those of other years."""
    deadlines: Annotated[tuple[DeadlineRule, ...], Field(max_length=200)]
    """The rules."""


NoticeItem = Literal[
    "posts",
    "places",
    "criteria",
    "deadline",
    "form-and-content",
    "time-and-place",
    "files",
    "regulation",
    "contact",
    "appeals",
    "privacy",
]


class Notice(Clause):
    """The public notice."""

    contents: tuple[NoticeItem, ...]
    """What it must state."""
    channels: tuple[Literal["website", "notice-board", "mass-medium"], ...]
    """Where it must appear."""
    frozen_from: EventName
    """Event from which it changes only by a reasoned decision."""


class Window(Model):
    """A length of time after an event; counted as deadlines are."""

    length: Length
    """Length in `unit`."""
    unit: Unit
    """Unit of the length."""
    after: EventName
    """Event it begins after; the event's own day does not count."""


class ReMark(Model):
    """How a re-mark works."""

    markers: Annotated[int, Field(ge=1, le=2)]
    """Independent re-markers."""
    hide_previous: bool
    """Whether earlier marks and markers are hidden."""
    replaces_from: Amount
    """Least difference, in marks, from which the new mark replaces the old one."""
    dialogue_from: Amount | None = None
    """Least difference, in marks, from which the two pairs of markers talk, with a record; null: never."""
    may_lower: bool
    """Whether the new mark may be lower."""
    third_if_different: bool
    """Whether a third re-marker is asked when the two differ."""


class AppealChannel(Clause):
    """One way to contest something. Re-marking, complaint and denunciation are different procedures."""

    id: Slug
    """Name of the channel."""
    label: Label
    """Title shown."""
    kind: Literal["question-complaint", "re-mark", "review", "complaint", "denunciation"]
    """What it contests."""
    parts: tuple[Slug, ...] = ()
    """Parts it is open for; empty where it is not about a part."""
    window: Window | None = None
    """When it is open; null: at any time."""
    decided_within: Window | None = None
    """When it must be decided; null: no rule."""
    decided_by: Slug
    """Role that decides."""
    effects: tuple[
        Literal[
            "neutralise-item", "replace-mark", "re-admit", "correct-record", "annul", "repeat-part", "refer"
        ],
        ...,
    ]
    """What a well-founded appeal leads to; "re-admit" returns the candidate to the step of exclusion."""
    holds_publication: bool
    """Whether the final list waits for open appeals of this channel."""
    re_mark: ReMark | None = None
    """Rules of the re-mark; only for that kind."""


class Intervention(Clause):
    """A reasoned decision that changes the course of a competition."""

    kind: Literal["postpone", "suspend", "resume", "annul", "correct"]
    """What is decided."""
    scopes: tuple[Literal["competition", "post", "sitting", "part"], ...]
    """What it may be about."""
    decided_by: Slug
    """Role that decides."""


class Retention(Clause):
    """How long data is kept."""

    id: Slug
    """Name of the rule."""
    data: Literal[
        "papers", "answers", "results", "files-of-unsuccessful", "files-of-winners", "accommodations", "log"
    ]
    """What is kept."""
    months: Count | None = None
    """Months after the event; null: without end."""
    after: EventName
    """Event counted from."""
    then: Literal["erase", "anonymise", "archive"]
    """What happens afterwards."""
    held_by: tuple[Literal["open-appeal", "archive-duty", "court-case"], ...]
    """What puts it off."""
