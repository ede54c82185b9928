"""Clauses on people who act: roles and their conflicts, approvals, council, votes, relations that bar."""

from collections.abc import Iterable
from datetime import timedelta
from fractions import Fraction
from itertools import combinations
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from examsvc.competitions.terms import Clause, Count, Label, Model, Range, Share, Slug, Whole

STANDARD_ROLES = (
    "competent-authority",
    "council-chair",
    "council-secretary",
    "council-member",
    "hr-officer",
    "question-setter",
    "paper-approver",
    "custodian",
    "chief-invigilator",
    "invigilator",
    "code-custodian",
    "chief-examiner",
    "marker",
    "re-marker",
    "panel-chair",
    "panel-member",
    "supervisor",
    "observer",
    "system-administrator",
)
"""Roles that the software gives a meaning to. A regulation may define others, which carry no rights in it."""


class Role(Clause):
    """A role in the competition."""

    id: Slug
    """Name of the role; see STANDARD_ROLES."""
    label: Label
    """Name shown."""
    people: Annotated[int, Field(ge=0, le=1000)]
    """Least number of different persons needed; 0 where the role may stay empty."""
    may_be_external: bool
    """Whether a person from outside the agency may hold it."""


class RoleConflicts(Clause):
    """Which roles one person may not hold in one competition."""

    groups: tuple[tuple[Slug, ...], ...]
    """Any two roles in one group exclude each other."""
    alone: tuple[Slug, ...] = ()
    """Roles that exclude every other role."""

    def conflict(self, first: str, second: str) -> bool:
        """Whether one person may not hold both."""
        together = any(first in group and second in group for group in self.groups)
        return first != second and (together or first in self.alone or second in self.alone)

    def pairs(self, roles: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """Every pair of these roles that one person may not hold, each once, in their order."""
        return tuple(pair for pair in combinations(roles, 2) if self.conflict(*pair))


ApprovalStep = Literal[
    "pin-regulation",
    "publish-notice",
    "grant-role",
    "admit-late-candidate",
    "approve-paper",
    "open-paper",
    "open-spare-paper",
    "change-after-lock",
    "unblind",
    "approve-results",
    "publish-results",
    "intervene",
    "recover-account",
    "erase",
    "hold-draw",
    "lock-marks",
    "reallocate-script",
    "replace-panel-member",
    "grant-time",
    "impose-sanction",
    "count-late-answers",
    "decide-eligibility",
    "decide-accommodation",
]


class Approval(Clause):
    """A step that more than one person must approve."""

    step: ApprovalStep
    """Which step."""
    roles: tuple[Slug, ...]
    """Roles whose holders may approve."""
    people: Annotated[int, Field(ge=2, le=20)]
    """How many different persons approve, the one who asks included."""
    expires_hours: Count | None = None
    """Hours after which an approval that was not completed lapses; for decisions of a council."""
    expires_minutes: Count | None = None
    """Minutes instead, for what is decided in a running exam; exactly one of the two is stated."""

    @model_validator(mode="after")
    def _one_term(self) -> Self:
        if (self.expires_hours is None) == (self.expires_minutes is None):
            raise PydanticCustomError(
                "two-terms", "must state either expires_hours or expires_minutes, not both and not none"
            )
        return self

    @model_serializer(mode="wrap")
    def _stated_term(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Only the term that is stated, so that a regulation has the same bytes as before there were minutes."""
        found: dict[str, Any] = written(self)
        return {name: value for name, value in found.items() if value is not None or not name.startswith("expires_")}

    @property
    def expires(self) -> timedelta:
        """How long an approval may stay incomplete."""
        return timedelta(hours=self.expires_hours or 0, minutes=self.expires_minutes or 0)


class Quota(Model):
    """A share of the council that a group must have."""

    group: Literal["external", "women", "staff"]
    """Whom it is about."""
    share: Range
    """Share of the members, 0 to 1; "(0.5, 1]" is more than half."""


class Council(Clause):
    """The council that recommends. The competent authority, another role, approves."""

    sizes: tuple[Count, ...]
    """Numbers of members that are allowed, the chair included."""
    chair_external: bool
    """Whether the chair must come from outside the agency."""
    quotas: tuple[Quota, ...]
    """Composition."""
    vote: Slug
    """Id of the vote rule, in `votes`."""
    recommends: Slug
    """Role that signs the recommendation."""
    approves: Slug
    """Role that approves the results."""


Kinship = Literal[
    "spouse",
    "parent",
    "child",
    "adopted-child",
    "sibling",
    "parent-of-spouse",
    "sibling-of-spouse",
]
DeclaredRelation = Literal[
    "superior", "subordinate", "rival", "mentor", "business-partner", "other-close-tie"
]


class Relations(Clause):
    """Relations between candidates and those who act."""

    blocking: tuple[Kinship, ...]
    """Relations to a candidate that bar a person from the roles; "parent" means the person is the candidate's parent."""
    declared: tuple[DeclaredRelation, ...]
    """Relations that must be declared and lead to recusal for that candidate."""
    roles: tuple[Slug, ...]
    """Roles that the relations bar from."""
    under_discipline_barred: bool
    """Whether persons under discipline are barred from the roles."""


class ShareBand(Model):
    """Outcome of a vote for a share of it."""

    share: Range
    """Share of the denominator, 0 to 1."""
    outcome: Slug
    """What it means, e.g. "carried", "rejected", "chair-side-carries", "authority-decides", "next-ballot"."""


class VoteRule(Clause):
    """A vote: quorum, denominator and what each share of it means."""

    id: Slug
    """Name of the vote; the council's own is "council"."""
    label: Label
    """Title of the vote."""
    quorum: Share
    """Least share of `quorum_of` that must be present."""
    quorum_of: Literal["summoned", "members"]
    """Denominator of the quorum."""
    secret: bool
    """Whether the ballot is secret."""
    counted: Literal["for", "each-name", "low-confidence"]
    """What is counted: votes in favour, votes for each name, or ballots of low confidence."""
    denominator: Literal["summoned", "members", "present", "issued", "valid"]
    """What the count is divided by."""
    outcomes: tuple[ShareBand, ...]
    """Bands that tile the shares from 0 to 1; the ends say whether exactly a half belongs."""
    runners_up: Whole = 0
    """How many of the highest go on to the next ballot when nobody carries; 0: none."""

    def outcome(self, count: int, of: int) -> str:
        """The outcome of `count` out of `of` (above zero). LookupError where the bands leave a gap (lint)."""
        share = Fraction(count, of)
        for band in self.outcomes:
            if share in band.share:
                return band.outcome
        raise LookupError(f"No outcome is stated for a share of {share}.")
