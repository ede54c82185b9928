"""Clauses on entering: posts, admission streams, criteria of eligibility, files, the least number of candidates."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from examsvc.competitions.terms import (
    Amount,
    Clause,
    Count,
    EventName,
    Label,
    Length,
    Model,
    Range,
    Slug,
    Whole,
)


class SourceDocument(Model):
    """A document that the regulation rests on."""

    id: Slug
    """Short name."""
    title: Label
    """Title, with number where it is known."""
    issued: date | None = None
    """Date of issue; null where it was not read."""
    status: Literal["in-force", "partly-in-force", "ended", "not-confirmed", "example"]
    """What is known of its force."""


class InForce(Clause):
    """When the rule that the regulation follows is in force."""

    since: date | None = None
    """First day; null where it is not known, which counts as not in force."""
    ended: date | None = None
    """First day on which it is no longer in force; null where no end is known."""

    def on(self, day: date) -> bool:
        """Whether it is known to be in force on this day."""
        return self.since is not None and self.since <= day and (self.ended is None or day < self.ended)


class Transition(Clause):
    """What happens to a competition under way when the rule changes."""

    rule: Literal["keep-pinned", "keep-for-months-then-cancel"]
    """"keep-pinned": it ends under the regulation it began with."""
    months: Whole
    """Months that remain under the second rule; 0 under the first."""


class Freeze(Clause):
    """A period in which no competition may be opened."""

    since: date
    """First day."""
    ended: date | None = None
    """First day after it; null where no end is known."""

    def on(self, day: date) -> bool:
        """Whether the period holds this day."""
        return self.since <= day and (self.ended is None or day < self.ended)


class Level(Model):
    """A level of posts."""

    id: Slug
    """Name of the level."""
    label: Label
    """Title of the level."""


class Posts(Clause):
    """Which posts the regulation is for."""

    kinds: tuple[
        Literal["leadership", "civil-servant", "public-employee", "senior-civil-service", "official"], ...
    ]
    """Kinds of posts."""
    appointments: tuple[Literal["first-appointment", "re-appointment", "recruitment", "promotion"], ...]
    """Kinds of appointment."""
    elected_titles: Literal["excluded", "feeds-ballot", "allowed"]
    """"feeds-ballot": the exam feeds the list of candidates and a ballot decides."""
    levels: tuple[Level, ...]
    """Levels from the lowest to the highest; posts and ladder rules refer to them."""
    posts_per_candidate: Count
    """How many posts one person may apply for in one competition."""
    posts_per_competition: Range
    """How many posts one competition may have."""


class Stream(Clause):
    """A way into the competition."""

    id: Slug
    """Name of the stream."""
    label: Label
    """Title of the stream."""
    kind: Literal["planned-here", "planned-elsewhere", "nominated", "open", "in-service"]
    """What entitles a person to it."""
    same_sector_only: bool
    """Whether "elsewhere" is limited to the same ministry, sector or locality."""
    evidence: tuple[Slug, ...] = ()
    """Ids of the files that prove it (planning decision, written approval of a nomination)."""


class CriterionRules(Clause):
    """What every criterion of eligibility has."""

    id: Slug
    """Name of the criterion."""
    label: Label
    """The criterion in words."""
    streams: tuple[Slug, ...] = ()
    """Streams it applies to; empty: all."""
    evidence: tuple[Slug, ...] = ()
    """Ids of the files that prove it."""
    needs_a_person: bool
    """True where the software only prepares and a person decides."""


class DateCriterion(CriterionRules):
    """A length of time that must lie in a range on a given day."""

    kind: Literal["date"]
    """What is looked at; it fixes the other fields."""
    measure: Literal[
        "age", "service", "service-in-field", "time-in-post", "time-to-retirement", "time-since-discipline"
    ]
    """What is measured."""
    unit: Literal["years", "months"]
    """Full years or full months."""
    allowed: Range
    """Lengths that meet the criterion."""
    on: EventName
    """Event on whose day it is measured."""
    for_sex: Literal["everyone", "women", "men"]
    """Whom the range applies to; age limits by sex are off in all presets."""


class NumberCriterion(CriterionRules):
    """A number in the candidate's file that must lie in a range."""

    kind: Literal["number"]
    """What is looked at; it fixes the other fields."""
    measure: Slug
    """Name of the number in the file."""
    unit: Label
    """Its unit."""
    allowed: Range
    """Numbers that meet the criterion."""


class DocumentCriterion(CriterionRules):
    """A file that must be there and be accepted."""

    kind: Literal["document"]
    """What is looked at; it fixes the other fields."""
    file: Slug
    """Id of the file, in `files`."""


class DeclarationCriterion(CriterionRules):
    """A statement that the candidate signs."""

    kind: Literal["declaration"]
    """What is looked at; it fixes the other fields."""
    statement: Label
    """The words signed."""


class LadderRule(Model):
    """From one level to others."""

    holds: Slug | None = None
    """Level of the post held now; null: no leadership post."""
    may_try: tuple[Slug, ...]
    """Levels that may be tried."""
    months: Whole
    """Months of service, in that post or (where none is held) in the field, that are needed."""


class LadderCriterion(CriterionRules):
    """Which level may be tried from which."""

    kind: Literal["ladder"]
    """What is looked at; it fixes the other fields."""
    rules: tuple[LadderRule, ...]
    """One rule for each level held."""


Criterion = Annotated[
    DateCriterion | NumberCriterion | DocumentCriterion | DeclarationCriterion | LadderCriterion,
    Field(discriminator="kind"),
]


class FileRule(Clause):
    """A file that candidates hand in."""

    id: Slug
    """Name of the file, to which criteria and parts refer."""
    label: Label
    """Title of the file."""
    purpose: Literal["action-plan", "commitment", "application", "evidence", "photograph", "nomination"]
    """What it is for."""
    required: bool
    """Whether an application without it is incomplete."""
    streams: tuple[Slug, ...] = ()
    """Streams it is asked of; empty: all."""
    formats: tuple[Literal["pdf", "docx", "jpeg", "png"], ...]
    """Formats accepted, found from the content."""
    max_bytes: Count
    """Greatest size in bytes."""
    editable_until: EventName
    """Event after which it can no longer be replaced; every version before it is kept."""
    erase_if_not_chosen: bool
    """Whether it is erased for candidates who are not chosen, as `retention` says."""


class MinimumCandidates(Clause):
    """The least number of candidates."""

    per_post: Count
    """Eligible candidates needed for each post."""
    below: tuple[Literal["extend", "cancel", "proceed-with-reason"], ...]
    """What may be decided below it, always with a written reason."""
    decided_by: Slug
    """Role that decides."""


class SupplementRule(Clause):
    """How long candidates have to complete a file that they were asked to supplement."""

    length: Length
    """Length in `unit`, counted from the request as deadlines are."""
    unit: Literal["calendar-days", "working-days"]
    """Unit of the length."""


class Accommodations(Clause):
    """Arrangements for candidates who need them; requests are confidential and never reach those who mark."""

    kinds: tuple[
        Literal[
            "extra-minutes", "separate-room", "breaks-that-stop-the-clock", "reader", "scribe", "large-print"
        ],
        ...,
    ]
    """What may be granted."""
    extra_share: Amount
    """Most extra time, as a share of the part's minutes; "0.5" is half as long again."""
    decided_by: Slug
    """Role that decides."""


class Admission(Model):
    """Who may enter."""

    streams: tuple[Stream, ...]
    """Ways in."""
    criteria: tuple[Criterion, ...]
    """Criteria of eligibility."""
    minimum_candidates: MinimumCandidates
    """The least number of candidates."""
    supplement: SupplementRule
    """Time to complete a file."""
    accommodations: Accommodations
    """Arrangements for candidates who need them."""
