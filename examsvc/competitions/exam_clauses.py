"""Clauses on the examination itself: stages and their parts, the hall, the paper.

Minutes are whole minutes of working time, marks are exact numbers, shares are 0 to 1.
"""

from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from examsvc.competitions.terms import (
    Amount,
    Clause,
    Count,
    Label,
    Model,
    Positive,
    Range,
    Share,
    Slug,
    StageName,
    Whole,
)


class PassMark(Model):
    """The least mark that passes."""

    at: Amount
    """The boundary: a share of the maximum (0 to 1) or marks, as `of` says."""
    of: Literal["maximum", "marks"]
    """"maximum": `at` is a share of the maximum; "marks": `at` is a number of marks."""
    boundary: Literal["at-least", "more-than"]
    """Whether the boundary itself passes ("at-least") or not ("more-than")."""

    def marks(self, maximum: Fraction) -> Fraction:
        """The boundary in marks, for a part or a total with this maximum."""
        return self.at * maximum if self.of == "maximum" else self.at

    def met(self, mark: Fraction, maximum: Fraction) -> bool:
        """Whether this mark passes."""
        threshold = self.marks(maximum)
        return mark > threshold or (self.boundary == "at-least" and mark == threshold)


class PartRules(Clause):
    """What every part has."""

    id: Slug
    """Name of the part, unique in the whole regulation."""
    label: Label
    """Title shown to candidates and on printed papers."""
    minutes: Annotated[int, Field(ge=1, le=1440)] | None = None
    """Working time in minutes, without preparation; null where the part is prepared at home."""
    preparation_minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    """Minutes of preparation before the working time."""
    maximum: Positive
    """Greatest mark of the part."""
    pass_mark: PassMark | None = None
    """Least mark that passes the part; null where the part has none."""
    hurdle: bool
    """True: missing the pass mark excludes the candidate whatever the total. False: the part is compensatory."""
    weight: Amount
    """Weight in the total (see `total`); 0 for a part that only qualifies."""
    results_at_once: bool
    """Whether the candidate sees the result as soon as the part ends."""
    appealable: bool
    """Whether the mark of this part can be re-marked on request."""


class ObjectivePart(PartRules):
    """Computer test whose items are marked without a person."""

    kind: Literal["objective"]
    """What the part is; it fixes the other fields."""
    items: Range
    """How many items the part may have."""
    shuffle_items: bool
    """Whether each candidate gets the items in an order of his own."""
    shuffle_options: bool
    """Whether each candidate gets the options of an item in an order of his own."""
    neutralised_item: Literal["redistribute", "full-marks", "drop"]
    """What a faulty item does: its marks go to the other items, everybody gets them, or the maximum falls."""


class EssayPart(PartRules):
    """Written paper of one or more tasks, marked from coded scripts."""

    kind: Literal["essay"]
    """What the part is; it fixes the other fields."""
    tasks: Range
    """How many tasks the part may have."""
    marking: Slug
    """Id of the marking scheme."""
    copying_counts: bool
    """Whether the time for copying the questions counts as working time."""
    word_limit_margin: Share
    """Share above a task's word limit that the editor still accepts; "0.1" stores up to 110 %."""


class PlanPart(PartRules):
    """Document handed in before the exam (action plan, project, talent screener) that is marked on its own."""

    kind: Literal["plan"]
    """What the part is; it fixes the other fields."""
    file: Slug
    """Id of the file, in `files`, that is marked."""
    marking: Slug
    """Id of the marking scheme."""


class PanelPart(PartRules):
    """Part that a panel hears and marks: defence of a plan, interview, or a simulation of the work. The order of the candidates is drawn."""

    kind: Literal["defence", "interview", "simulation"]
    """What the part is; it fixes the other fields."""
    panel: Slug
    """Id of the panel, in `panels`."""
    file: Slug | None = None
    """Id of the file that is defended; null where none is."""
    presentation_minutes: Whole
    """Minutes in which the candidate speaks alone; part of `minutes`."""
    questions_minutes: Whole
    """Minutes of questions and answers; part of `minutes`."""
    observers: bool
    """Whether the public or the press may listen."""


Part = Annotated[ObjectivePart | EssayPart | PlanPart | PanelPart, Field(discriminator="kind")]


class Stage(Clause):
    """One step of the selection. Stages follow one another; the parts of a stage do not wait for each other's marks."""

    id: StageName
    """Name of the stage, unique in the regulation."""
    label: Label
    """Title of the stage."""
    kind: Literal["eligibility", "examination", "documents"]
    """"eligibility": criteria decided file by file; "documents": originals checked; "examination": has parts."""
    parts: tuple[Part, ...] = ()
    """Parts in the order in which they are sat; none where the stage is not an examination."""
    places_per_post: Count | None = None
    """At most so many candidates per post go on, best first; null: all who pass."""
    ties_at_the_cut: Literal["all-go-on", "tie-breaks"] | None = None
    """What happens to equals at the last place; null where places_per_post is null."""

    @model_validator(mode="after")
    def _parts_fit_kind(self) -> Self:
        if (self.kind == "examination") != bool(self.parts):
            raise PydanticCustomError(
                "stage-parts", "must have parts when it is an examination, and none when it is not"
            )
        if (self.places_per_post is None) != (self.ties_at_the_cut is None):
            raise PydanticCustomError(
                "stage-cut", "must state places_per_post and ties_at_the_cut together, or neither"
            )
        return self


class LateBand(Clause):
    """Late limit for parts of some lengths."""

    id: Slug
    """Name of the band."""
    duration: Range
    """Length of the part in whole minutes."""
    minutes: Whole
    """Latest admission, in minutes after the bell."""


class Sanction(Clause):
    """A sanction recorded in the hall."""

    id: Literal["reprimand", "warning", "suspension", "cancellation"]
    """Which of the four."""
    label: Label
    """Name shown and printed."""
    deduction: Share
    """Share of the part's mark that is taken away; "1" leaves nothing."""
    ends_sitting: bool
    """Whether the candidate has to leave."""
    annuls: bool
    """Whether the result is annulled (rather than reduced)."""
    decided_by: Slug
    """Role that decides."""


class Sitting(Clause):
    """Rules of the hall that hold for every computer part."""

    grace_seconds: Annotated[int, Field(ge=0, le=600)]
    """Seconds after the deadline in which a save still counts as in time."""
    common_start: bool
    """Whether all begin at the bell, whenever they sign in."""
    practice: bool
    """Whether candidates may try a practice paper beforehand."""
    late_exception_by: Slug
    """Role that may admit a late candidate for force majeure, with a reason."""
    answers_after_the_end: Literal["kept-and-flagged"]
    """Late answers are stored and flagged; the council decides."""
    mode: Literal["open", "controlled", "supervised", "managed"]
    """Mode of administration in the terms of the guidelines on computer-based testing."""
    refusal_witnesses: Whole = 0
    """How many nearby candidates sign when one refuses to sign a record."""


class Remedy(Clause):
    """What a disturbance that was not the candidate's fault leads to, declared before anybody sits."""

    id: Slug
    """Name of the remedy."""
    cause: Literal["server-outage", "machine-failure", "power-cut", "disturbance", "faulty-paper"]
    """What happened."""
    lost: Range
    """Working time lost, in whole minutes."""
    action: Literal["none", "credit", "new-sitting"]
    """"credit": the lost time is added; "new-sitting": the candidate sits again with another paper."""
    decided_by: Slug
    """Role that decides, with the log of the outage before it."""


class Paper(Clause):
    """How papers are kept until the bell."""

    spare: bool
    """Whether a spare paper is sealed with the main one."""
    custodians: Count
    """Number of people who hold a share of the secret."""
    threshold: Count
    """Number of shares that open the paper; at least 2 where more than one person holds a share."""
    opening_lead_minutes: Whole
    """How many minutes before the bell custodians may open it."""
    rehearsal_days: Whole = 0
    """How many days before the sitting a dummy paper is opened as a rehearsal; 0: none."""


class WitnessRules(Clause):
    """Outside witnesses of the log. Their keys belong to the installation; the names and the quorum are fixed here."""

    names: tuple[Slug, ...]
    """Names of the witnesses."""
    quorum: Count
    """How many of them must have signed a checkpoint."""
