"""Clauses on results: rounding, total, priority points, ties, who is chosen, what is published."""

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from examsvc.competitions.exam_clauses import PassMark
from examsvc.competitions.terms import (
    Clause,
    Count,
    EventName,
    Label,
    Model,
    Positive,
    RoundingMode,
    Slug,
    Whole,
    round_exact,
)

RoundingPlace = Literal["marker-mark", "agreed-mark", "panel-mark", "part-mark", "weighted-part", "total"]


class RoundingPoint(Model):
    """A place where a number is rounded. Where no point is named, nothing is rounded."""

    at: RoundingPlace
    """What is rounded: a marker's own mark, the mark settled between markers, a panel's mark, a part's mark after
    deductions, a part's weighted contribution, or the total."""
    decimals: Annotated[int, Field(ge=0, le=6)]
    """Digits kept after the point."""
    mode: RoundingMode
    """Which neighbour is taken; a half goes away from zero in "half-up"."""

    def round(self, number: Fraction) -> Fraction:
        """The rounded number, exact."""
        return round_exact(number, Fraction(1, 10**self.decimals), self.mode)


class Rounding(Clause):
    """All rounding points."""

    points: tuple[RoundingPoint, ...]
    """At most one for each place."""

    def apply(self, place: RoundingPlace, number: Fraction) -> Fraction:
        """The number as the regulation rounds it at this place; unchanged where no point is named."""
        for point in self.points:
            if point.at == place:
                return point.round(number)
        return number


class Total(Clause):
    """How the parts make the total.

    "marks": sum of weight × mark. "shares": maximum × sum of weight × mark / part's maximum.
    """

    basis: Literal["marks", "shares"]
    """Which of the two formulas."""
    maximum: Positive
    """Greatest total without priority points; lint compares it with the weights."""
    pass_mark: PassMark | None = None
    """Least total that passes, on top of the hurdles; null: none."""
    unequal_weights_reason: Label | None = None
    """Why the parts weigh differently; null where the weights are equal."""


class PriorityEntry(Model):
    """A group entitled to priority points."""

    id: Slug
    """Name of the group."""
    label: Label
    """Who belongs to it."""
    points: Positive
    """Points added."""
    evidence: tuple[Slug, ...] = ()
    """Ids of the files, in `files`, that prove it."""


class Priority(Clause):
    """Priority points."""

    entries: tuple[PriorityEntry, ...]
    """The groups."""
    combine: Literal["highest", "sum"]
    """Whether only the highest entitlement counts or their sum."""
    added_to: Slug | None = None
    """Id of the part whose mark gets the points; null: the total."""
    after_pass_check: bool
    """Whether points are added only after pass marks have been checked without them."""


class TieBreak(Model):
    """One step in breaking a tie."""

    by: Literal[
        "part-mark",
        "total-without-priority",
        "women-first",
        "ethnic-minority-first",
        "older-first",
        "longer-service-first",
        "lots",
        "role-decides",
    ]
    """What is compared; "lots" is a public, replayable draw; "role-decides" asks for a written reason."""
    part: Slug | None = None
    """The part whose mark is compared; only with "part-mark"."""
    role: Slug | None = None
    """The role that decides; only with "role-decides"."""


class Ties(Clause):
    """Tie-breaks in order; the last one always decides."""

    steps: tuple[TieBreak, ...]
    """Tried one after the other on those still equal."""


class Selection(Clause):
    """Who is chosen from the ranking, and what becomes of the others."""

    winners: Literal["highest-total", "reserve-list"]
    """Whether the best per post win, or those who pass form a list from which authorities recruit."""
    ballot_decides: bool
    """True where the exam feeds a candidate list and a ballot decides."""
    reserve_places_per_post: Whole = 0
    """Places on the reserve list for each post; 0: no reserve list."""
    reserve_months: Whole = 0
    """Validity of the reserve list in months; 0 where there is none."""
    carry_over: bool
    """Whether results count in later competitions."""
    next_in_line: bool
    """Whether the next candidate may take the place of a winner who drops out."""
    false_declaration: tuple[Literal["result-cancelled", "published", "banned-from-next-period"], ...]
    """What a false declaration leads to."""


class Publication(Clause):
    """What is published of whom."""

    winners: Literal["name", "number", "nothing"]
    """How winners are named."""
    others: Literal["name", "number", "nothing"]
    """How the unsuccessful are named."""
    winner_marks: Literal["parts", "total", "nothing"]
    """Which marks of winners are published."""
    other_marks: Literal["parts", "total", "nothing"]
    """Which marks of the unsuccessful are published."""
    channels: tuple[Literal["website", "notice-board", "mass-medium"], ...]
    """Where results are published."""
    private_feedback: bool
    """Whether each candidate gets the derivation of his own result."""
    reference_event: EventName
    """The event after which results may be published."""


class Disclosure(Clause):
    """How much the public edition of the record shows."""

    responses_cohort: Count
    """Responses are public only when at least so many candidates sat the part."""
    statistics_cohort: Count
    """Statistics of groups are shown only for at least so many persons."""
    withhold_until_release: bool
    """Whether public pages, witnesses and records wait until the competent authority has released the competition."""
