"""What the regulation makes of several marks for one script, or of a panel's marks for one hearing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from examsvc.verify.terms import Terms, exact, in_range


@dataclass(frozen=True, slots=True)
class Expected:
    """The one mark and manner that the regulation gives; `mark` None where people set it, in one of the `manners`."""

    mark: Fraction | None
    manners: tuple[str, ...]


class Unsettled(ValueError):
    """These marks do not make one yet, or not under this regulation; the message says why."""


def script(terms: Terms, scheme: Mapping[str, Any], marks: Sequence[Fraction], maximum: Fraction) -> Expected:
    """The mark of a script from its independent marks, in the order of their rounds. Raises Unsettled.

    The mark is rounded as an agreed mark is; one that people set is not checked beyond its manner.
    """
    if not scheme["markers"] <= len(marks) <= 3:
        raise Unsettled(f"it has {len(marks)} marks where the regulation asks for {scheme['markers']}")
    given = [terms.rounded("marker-mark", mark) for mark in marks]
    policy = scheme["discrepancy"]
    if len(given) == 1:
        return _one(terms, given[0], "single")
    if policy is None:
        return _one(terms, sum(given, Fraction(0)) / len(given), "mean")
    spread = max(given) - min(given)
    if policy["unit"] == "share":
        spread /= maximum
    if len(given) == 2:
        return _two(terms, policy, given, spread)
    return _three(terms, policy, given, spread)


def _one(terms: Terms, mark: Fraction, manner: str) -> Expected:
    return Expected(terms.rounded("agreed-mark", mark), (manner,))


def _two(terms: Terms, policy: Mapping[str, Any], marks: Sequence[Fraction], spread: Fraction) -> Expected:
    band = next((band for band in policy["bands"] if in_range(spread, band["difference"])), None)
    if band is None:
        raise Unsettled("its marks differ by more than the regulation provides for")
    match band["action"]:
        case "mean":
            return _one(terms, sum(marks, Fraction(0)) / 2, "mean")
        case "agree" | "agree-with-record":
            return Expected(None, ("agreed", "decided") if band["failing"] == "head-decides" else ("agreed",))
        case "head-decides":
            return Expected(None, ("decided",))
    raise Unsettled("its two marks differ so much that the regulation asks for a third")


def _three(terms: Terms, policy: Mapping[str, Any], marks: Sequence[Fraction], spread: Fraction) -> Expected:
    pair = [mark for mark in marks if list(marks).count(mark) > 1]
    for step in policy["three_marks"]:
        if step["rule"] == "equal-pair" and not pair:
            continue
        if step["spread"] is not None and not in_range(spread, step["spread"]):
            continue
        match step["rule"]:
            case "equal-pair":
                return _one(terms, pair[0], "third")
            case "mean-of-three":
                return _one(terms, sum(marks, Fraction(0)) / 3, "third")
            case "third-final":
                return _one(terms, marks[2], "third")
        return Expected(None, ("decided",))
    raise Unsettled("no rule of the regulation settles its three marks")


def _near(rule: Mapping[str, Any], totals: Sequence[Fraction]) -> list[Fraction]:
    """The totals that the rule for those far off does not exclude."""
    far = rule["outlier"]
    if far is None or far["action"] != "exclude":
        return list(totals)
    middle = sum(totals, Fraction(0)) / len(totals)
    return [total for total in totals if abs(total - middle) <= exact(far["distance"])]


def panel(terms: Terms, rule: Mapping[str, Any], totals: Sequence[Fraction]) -> Fraction:
    """The mark of a hearing from its members' totals, in any order. Raises Unsettled."""
    if len(totals) != rule["members"]:
        raise Unsettled(f"{len(totals)} members marked where the regulation asks for {rule['members']}")
    everybody, counted = sorted(totals), sorted(_near(rule, totals))
    low, high = (rule["drop_lowest"], rule["drop_highest"]) if rule["combine"] == "trimmed-mean" else (0, 0)
    if len(counted) <= low + high:
        counted = everybody
    counted = counted[low : len(counted) - high]
    if not counted:
        raise Unsettled("the regulation leaves out every mark of its panel")
    if rule["combine"] == "median":
        half = len(counted) // 2
        mark = (counted[half] + counted[-half - 1]) / 2
    else:
        mark = sum(counted, Fraction(0)) / len(counted)
    return terms.rounded("panel-mark", mark)
