"""Exact numbers, ranges and roundings as a pinned regulation spells them, and the few fields of it that results rest on.

Read from the canonical JSON alone, so that regulations of other releases can be verified too: a field that no check asks for may be
anything. Nothing is shared with the program that computed the results; docs/formats/bundle.md is the common ground.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

from examsvc.ledger import canonical
from examsvc.verify.reading import Bundle

_EXACT = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,12}|/[0-9]{1,12})?")
_RANGE = re.compile(r"([\[(])([^,\s]+), ?([^,\s]+)([\])])")


class RegulationUnread(ValueError):
    """The pinned regulation is not in the bundle, or lacks what a check needs; the message says what."""


def exact(text: object) -> Fraction:
    """The number in "7.5", "2/3" or "20"; ValueError for anything else."""
    if not isinstance(text, str) or _EXACT.fullmatch(text) is None or re.search(r"/0+$", text):
        raise ValueError(f"{text!r:.40} is not an exact number")
    return Fraction(text)


@lru_cache(maxsize=4096)
def decimal(number: Fraction) -> str:
    """A number as the log writes marks: at most six places, half away from zero, no superfluous zeros."""
    units = (2 * abs(number.numerator) * 10**6 + number.denominator) // (2 * number.denominator)
    sign, digits = ("-" if number < 0 and units else ""), f"{units:07d}"
    return sign + f"{digits[:-6]}.{digits[-6:]}".rstrip("0").rstrip(".")


def round_to(number: Fraction, decimals: int, mode: str) -> Fraction:
    """`number` with so many places; the mode is half-up (away from zero), half-even, down (towards zero) or up."""
    steps, rest = divmod(abs(number.numerator) * 10**decimals, number.denominator)
    up = {
        "half-up": 2 * rest >= number.denominator,
        "half-even": 2 * rest > number.denominator or (2 * rest == number.denominator and steps % 2 == 1),
        "down": False,
        "up": rest > 0,
    }[mode]
    rounded = Fraction(steps + up, 10**decimals)
    return -rounded if number < 0 else rounded


def in_range(number: Fraction, text: str) -> bool:
    """Whether a number lies in a range such as "[0, 2)" or "(20, inf)"; ValueError if that is none."""
    found = _RANGE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r:.40} is not a range")
    lower = exact(found[2])
    above = number > lower or (found[1] == "[" and number == lower)
    if found[3] == "inf":
        return above
    upper = exact(found[3])
    return above and (number < upper or (found[4] == "]" and number == upper))


class Terms:
    """The pinned regulation as far as V10, V13 and V14 read it. Marks are in the parts' own scale.

    A missing or misspelt field shows as KeyError, TypeError or ValueError where it is asked for; `UNREADABLE` names these.
    """

    def __init__(self, tree: Mapping[str, Any]) -> None:
        self.tree = tree
        self.stages: list[dict[str, Any]] = [
            stage for stage in tree["stages"] if stage["kind"] == "examination"
        ]
        self.parts: dict[str, dict[str, Any]] = {
            part["id"]: {**part, "stage": stage["id"]} for stage in self.stages for part in stage["parts"]
        }
        self.weights = {name: exact(part["weight"]) for name, part in self.parts.items()}
        self.maxima = {name: exact(part["maximum"]) for name, part in self.parts.items()}
        self.rounding_points = {
            point["at"]: (int(point["decimals"]), point["mode"]) for point in tree["rounding"]["points"]
        }

    @classmethod
    def of(cls, read: Bundle) -> "Terms":
        """The terms of a bundle; RegulationUnread."""
        pinned = read.of("regulation.pinned")
        try:
            return cls(canonical.decode(read.documents[pinned[0].body["digest"]]))
        except IndexError:
            raise RegulationUnread("no regulation was pinned") from None
        except UNREADABLE:
            raise RegulationUnread("the pinned regulation is not in the bundle, or lacks a rule") from None

    def rounded(self, place: str, number: Fraction) -> Fraction:
        """A number as rounded at a place; unchanged where the regulation names none."""
        return round_to(number, *self.rounding_points[place]) if place in self.rounding_points else number

    def threshold(self, rule: Mapping[str, Any], maximum: Fraction) -> Fraction:
        """The boundary of a pass mark, in marks."""
        at = exact(rule["at"])
        return at * maximum if rule["of"] == "maximum" else at

    def met(self, rule: Mapping[str, Any], mark: Fraction, maximum: Fraction) -> bool:
        """Whether a mark passes."""
        boundary = self.threshold(rule, maximum)
        return mark > boundary or (rule["boundary"] == "at-least" and mark == boundary)

    def named(self, clause: str, name: str) -> dict[str, Any]:
        """The item of this id in a list of the regulation (`marking`, `panels`, `sanctions`); KeyError."""
        for item in self.tree[clause]:
            if item["id"] == name:
                return dict(item)
        raise KeyError(name)

    def worth(self, part: str, mark: Fraction) -> Fraction:
        """What a mark is worth in the total, rounded where contributions are."""
        total = self.tree["total"]
        share = self.weights[part] * mark
        if total["basis"] == "shares":
            share = exact(total["maximum"]) * share / self.maxima[part]
        return self.rounded("weighted-part", share)


UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError)
"""What reading a regulation of strangers can raise."""
