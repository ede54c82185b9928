"""Decisions on marks: steps and ranges, discrepancy between markers, third marks, panels.  All numbers are exact."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from examsvc.base.errors import N_, Refused
from examsvc.competitions.marking_clauses import Discrepancy, MarkingScheme, Panel
from examsvc.competitions.result_clauses import Rounding
from examsvc.competitions.terms import read_exact, write_exact

Manner = Literal["single", "mean", "agreed", "third", "decided"]
Need = Literal["third-mark", "agree", "agree-with-record", "head-decides"]


@dataclass(frozen=True)
class Settled:
    """The marks became one: which mark, how, and by which rule of the regulation."""

    mark: Fraction
    manner: Manner
    rule: str


@dataclass(frozen=True)
class Waiting:
    """The marks do not yet make one: what is needed, and what follows where that fails."""

    need: Need
    failing: str | None = None


def read_mark(text: str, maximum: Fraction, step: Fraction, *, what: str, field: str | None = None) -> Fraction:
    """A mark as typed (comma or point), within 0 and the maximum and on a step; Refused otherwise, naming what."""
    try:
        mark = read_exact(text.strip().replace(",", "."))
    except ValueError:
        raise Refused(N_("Enter a number for %(what)s."), what=what, field=field) from None
    if not 0 <= mark <= maximum:
        raise Refused(
            N_("%(what)s: the mark lies between 0 and %(maximum)s."), what=what, maximum=write_exact(maximum), field=field
        )
    if (mark / step).denominator != 1:
        raise Refused(N_("%(what)s: marks go in steps of %(step)s."), what=what, step=write_exact(step), field=field)
    return mark


def settle(
    scheme: MarkingScheme,
    rounding: Rounding,
    marks: Sequence[Fraction],
    maximum: Fraction,
    *,
    agreed: Fraction | None = None,
    decided: Fraction | None = None,
) -> Settled | Waiting:
    """What the regulation makes of the marks of one script: one, two or three independent ones, in the order of rounds.

    ``agreed`` is what two markers settled on, ``decided`` what the head decided.  ValueError when there are fewer marks
    than the scheme asks for, or more than three.
    """
    if not scheme.markers <= len(marks) <= 3:
        raise ValueError(f"{len(marks)} marks cannot be settled")
    rounded = [rounding.apply("marker-mark", mark) for mark in marks]

    def one(mark: Fraction, manner: Manner, rule: str) -> Settled:
        return Settled(rounding.apply("agreed-mark", mark), manner, rule)

    if decided is not None:
        return one(decided, "decided", "head-decides")
    if len(rounded) == 1:
        return one(rounded[0], "single", "single-marker")
    policy = scheme.discrepancy
    if policy is None:
        return one(sum(rounded, Fraction(0)) / len(rounded), "mean", "mean")
    if len(rounded) == 2:
        return _two(policy, rounded, maximum, agreed, one)
    return _three(policy, rounded, maximum, one)


One = Callable[[Fraction, Manner, str], Settled]


def _two(
    policy: Discrepancy, marks: Sequence[Fraction], maximum: Fraction, agreed: Fraction | None, one: One
) -> Settled | Waiting:
    band = policy.band(marks[0], marks[1], maximum)
    if band.action == "mean":
        return one((marks[0] + marks[1]) / 2, "mean", f"band {band.difference}: mean")
    if band.action in ("agree", "agree-with-record"):
        if agreed is not None:
            return one(agreed, "agreed", f"band {band.difference}: {band.action}")
        return Waiting(band.action, band.failing)
    return Waiting("third-mark" if band.action == "third-mark" else "head-decides")


def _three(policy: Discrepancy, marks: Sequence[Fraction], maximum: Fraction, one: One) -> Settled | Waiting:
    step = policy.step(marks, maximum)
    if step.rule == "equal-pair":
        pair = next(mark for mark in marks if marks.count(mark) >= 2)
        return one(pair, "third", "three marks: equal pair")
    if step.rule == "mean-of-three":
        return one(sum(marks, Fraction(0)) / 3, "third", "three marks: mean of three")
    if step.rule == "third-final":
        return one(marks[2], "third", "three marks: the third is final")
    return Waiting("head-decides")


@dataclass(frozen=True)
class PanelMark:
    """A panel's mark of one hearing: which members' totals counted, which were left out and why."""

    mark: Fraction
    counted: tuple[str, ...]
    dropped: tuple[str, ...]
    outliers: tuple[str, ...]
    rule: str


def outliers(panel: Panel, totals: Mapping[str, Fraction]) -> tuple[str, ...]:
    """Members whose total lies further from the mean of all than the regulation allows, sorted."""
    if panel.outlier is None or not totals:
        return ()
    mean = sum(totals.values(), Fraction(0)) / len(totals)
    return tuple(sorted(member for member, total in totals.items() if abs(total - mean) > panel.outlier.distance))


def panel_mark(panel: Panel, rounding: Rounding, totals: Mapping[str, Fraction]) -> PanelMark:
    """What the regulation makes of the members' totals of one hearing.

    ``totals`` maps a member to the sum of his criteria.  Equal totals at the edge of a trimmed mean are dropped in the order of
    the members' codes, which changes no number.  Where leaving out those who lie far off would leave no mark, nobody is left out
    for that.  ValueError when there are not as many sheets as the panel has members, or trimming alone leaves no mark.
    """
    if len(totals) != panel.members:
        raise ValueError(f"{len(totals)} sheets for a panel of {panel.members}")
    far = outliers(panel, totals)
    trimmed = (panel.drop_lowest, panel.drop_highest) if panel.combine == "trimmed-mean" else (0, 0)
    excluded = far if panel.outlier is not None and panel.outlier.action == "exclude" else ()
    if len(totals) - len(excluded) <= sum(trimmed):
        excluded = ()
    ordered = sorted(totals.keys() - set(excluded), key=lambda member: (totals[member], member))
    ordered = ordered[trimmed[0] : len(ordered) - trimmed[1]]
    if not ordered:
        raise ValueError("the panel's rule leaves no mark")
    dropped = totals.keys() - set(ordered)
    values = [totals[member] for member in ordered]
    if panel.combine == "median":
        middle = len(values) // 2
        mark = values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2
    else:
        mark = sum(values, Fraction(0)) / len(values)
    return PanelMark(
        rounding.apply("panel-mark", mark), tuple(sorted(ordered)), tuple(sorted(dropped)), far, panel.combine
    )


def decimal(mark: Fraction) -> str:
    """A mark as the ledger writes it: a decimal with at most six places, rounded half up where it does not end."""
    scaled = mark * 10**6
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    text = f"{whole // 10**6}.{whole % 10**6:06d}".rstrip("0").rstrip(".")
    return text or "0"
