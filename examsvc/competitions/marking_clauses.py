"""Clauses on marking: markers, discrepancy, third mark, panels."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from examsvc.competitions.exam_clauses import PassMark
from examsvc.competitions.terms import (
    Clause,
    Count,
    Label,
    Model,
    Positive,
    Range,
    Slug,
    Whole,
)

DiscrepancyAction = Literal["mean", "agree", "agree-with-record", "head-decides", "third-mark"]


class DiscrepancyBand(Model):
    """What follows when the marks of two markers differ by so much."""

    difference: Range
    """Absolute difference, in the unit that the policy's `unit` names."""
    action: DiscrepancyAction
    """"mean": of the two; "agree": the two settle on one mark; "agree-with-record": they do so and sign a record;
    "head-decides"; "third-mark": another marker marks independently."""
    failing: Literal["head-decides", "third-mark"] | None = None
    """What follows when the two cannot agree; null where they need not agree."""


class ThreeMarkStep(Model):
    """One attempt to settle three marks; steps are tried in order, the first that applies settles them."""

    rule: Literal["equal-pair", "mean-of-three", "third-final", "head-decides"]
    """"equal-pair": two equal marks are the result; "mean-of-three"; "third-final": the third mark is the result."""
    spread: Range | None = None
    """The step applies only when greatest minus least mark is in this range (in the policy's unit); null: always."""


class Discrepancy(Clause):
    """Policy for two marks that differ, in bands."""

    unit: Literal["marks", "share"]
    """Whether differences are in marks or a share (0 to 1) of the maximum of the part."""
    bands: tuple[DiscrepancyBand, ...]
    """Bands that tile the range from 0 to the maximum."""
    three_marks: tuple[ThreeMarkStep, ...] = ()
    """Steps for three marks; the last one always applies. Empty where no band asks for a third mark."""
    head: Slug
    """Role that decides where the policy says "head-decides"."""

    def difference(self, marks: Sequence[Fraction], maximum: Fraction) -> Fraction:
        """Greatest minus least mark, in the policy's unit."""
        spread = max(marks) - min(marks)
        return spread / maximum if self.unit == "share" else spread

    def band(self, first: Fraction, second: Fraction, maximum: Fraction) -> DiscrepancyBand:
        """The band of two marks. LookupError where the bands leave a gap, which lint reports beforehand."""
        difference = self.difference((first, second), maximum)
        for band in self.bands:
            if difference in band.difference:
                return band
        raise LookupError(f"No discrepancy band holds a difference of {difference}.")

    def step(self, marks: Sequence[Fraction], maximum: Fraction) -> ThreeMarkStep:
        """The step that settles three marks. LookupError where none applies, which lint reports beforehand."""
        spread = self.difference(marks, maximum)
        for step in self.three_marks:
            if step.rule == "equal-pair" and len(set(marks)) == len(marks):
                continue
            if step.spread is None or spread in step.spread:
                return step
        raise LookupError(f"No step settles three marks that differ by {spread}.")


class MarkingScheme(Clause):
    """How scripts of a part are marked."""

    id: Slug
    """Name of the scheme, to which parts refer."""
    label: Label
    """Title of the scheme."""
    markers: Annotated[int, Field(ge=1, le=2)]
    """Independent marks for each script before any third one."""
    mark_step: Positive
    """Marks are multiples of this step; "0.25" allows quarters."""
    different_groups: bool
    """Whether the markers of one script come from two different groups."""
    joint_scripts: Whole = 0
    """Scripts that all markers mark together before the rest, to calibrate."""
    discrepancy: Discrepancy | None = None
    """Policy for marks that differ; null with a single marker."""


class Anchor(Model):
    """What a performance at some marks looks like."""

    marks: Range
    """Marks that the description belongs to."""
    label: Label
    """The description."""


class SheetCriterion(Model):
    """A criterion of a panel's sheet."""

    id: Slug
    """Name of the criterion."""
    label: Label
    """Title on the sheet."""
    maximum: Positive
    """Greatest mark for the criterion."""
    pass_mark: PassMark | None = None
    """Least mark (of the panel, on this criterion) that passes; null where there is none."""
    anchors: tuple[Anchor, ...] = ()
    """Descriptions that tie marks to performance; may be empty."""


class OutlierRule(Model):
    """What happens when a member's sheet is far from the others'."""

    distance: Positive
    """Distance of a member's mark from the mean of all members, in marks, above which it counts as an outlier."""
    action: Literal["report", "explain-with-record", "exclude"]
    """"report": shown to the chair; "explain-with-record": the member explains in writing, the mark stands;
    "exclude": the mark is left out of the result, unless no mark would remain."""


class Panel(Clause):
    """A panel that hears candidates: same size for all, independent entry, stated combination."""

    id: Slug
    """Name of the panel, to which parts refer."""
    label: Label
    """Title of the panel."""
    members: Count
    """How many members mark each candidate; the same for every candidate of the post."""
    external_members: Whole = 0
    """At least so many of them come from outside the agency."""
    substitutes: Whole = 0
    """Members in reserve; a recused or absent member is replaced so that the size stays."""
    mark_step: Positive
    """Marks on a criterion are multiples of this step."""
    combine: Literal["mean", "trimmed-mean", "median"]
    """How the members' marks become the panel's mark."""
    drop_highest: Whole = 0
    """How many of the highest sheets a trimmed mean leaves out."""
    drop_lowest: Whole = 0
    """How many of the lowest sheets a trimmed mean leaves out."""
    outlier: OutlierRule | None = None
    """Rule for a mark far from the others; null: none."""
    independent_entry: bool
    """Whether a member sees others' marks only after all have entered theirs."""
    criteria: tuple[SheetCriterion, ...] = ()
    """Criteria of the sheet; a member's mark is their sum, so their maxima add up to the part's. Empty where the council fixes them for each competition."""
