"""The words a regulation is written in: exact numbers, intervals, bilingual labels and the clause itself.

Nothing here knows of stages or marks. All values are immutable and exact; a regulation never holds a float.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import ceil, floor
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

EXACT_PATTERN = re.compile(
    r"(?P<sign>-?)(?P<whole>\d{1,12})(?:\.(?P<decimals>\d{1,12})|/(?P<below>\d{1,12}))?"
)


def read_exact(value: object) -> Fraction:
    """Read "7.5", "2/3" or a whole number exactly; raise a ValueError that pydantic can report otherwise.

    At most 12 digits on each side. Floats, exponents, signs other than "-" and spaces are refused.
    """
    if isinstance(value, Fraction):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Fraction(value)
    if isinstance(value, str) and (match := EXACT_PATTERN.fullmatch(value)) and value.isascii():
        below = int(match["below"]) if match["below"] else 10 ** len(match["decimals"] or "")
        if below:
            number = Fraction(int(match["whole"] + (match["decimals"] or "")), below)
            return -number if match["sign"] else number
    raise PydanticCustomError("exact", 'must be a whole number, or a text such as "7.5" or "2/3"')


def write_exact(number: Fraction) -> str:
    """The one spelling of an exact number: the shortest decimal where it ends, "a/b" in lowest terms otherwise."""
    below, twos, fives = number.denominator, 0, 0
    while below % 2 == 0:
        below, twos = below // 2, twos + 1
    while below % 5 == 0:
        below, fives = below // 5, fives + 1
    if below != 1:
        return f"{number.numerator}/{number.denominator}"
    places = max(twos, fives)
    digits = str(abs(number.numerator) * 10**places // number.denominator).rjust(places + 1, "0")
    sign = "-" if number < 0 else ""
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)


def _not_negative(number: Fraction) -> Fraction:
    if number < 0:
        raise PydanticCustomError("negative", "must not be negative")
    return number


def _positive(number: Fraction) -> Fraction:
    if number <= 0:
        raise PydanticCustomError("not-positive", "must be more than zero")
    return number


def _at_most_one(number: Fraction) -> Fraction:
    if number > 1:
        raise PydanticCustomError("share-above-one", 'is a share of the whole and must not exceed "1"')
    return number


_EXACT_SCHEMA = WithJsonSchema({"type": "string", "pattern": r"^-?\d+(\.\d+|/\d+)?$"})

Amount = Annotated[
    Fraction,
    PlainValidator(read_exact),
    AfterValidator(_not_negative),
    PlainSerializer(write_exact, return_type=str),
    _EXACT_SCHEMA,
]
"""An exact number, zero or more: marks, points, weights."""
Positive = Annotated[
    Fraction,
    PlainValidator(read_exact),
    AfterValidator(_positive),
    PlainSerializer(write_exact, return_type=str),
    _EXACT_SCHEMA,
]
"""An exact number above zero."""
Share = Annotated[
    Fraction,
    PlainValidator(read_exact),
    AfterValidator(_not_negative),
    AfterValidator(_at_most_one),
    PlainSerializer(write_exact, return_type=str),
    _EXACT_SCHEMA,
]
"""An exact share of a whole, 0 to 1."""

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=40)]
"""A name that other clauses refer to: lower-case letters, digits and single hyphens."""
StageName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=20)]
"""A short name, because events and phases of a stage are made from it."""
EventName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*(:[a-z][a-z0-9]*(-[a-z0-9]+)*)?$", max_length=60),
]
"""An event of the competition, "applications-closed", or of one stage, "exam-start:written"."""
FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z_]+$", max_length=60)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=False, pattern=r"\S")]
Whole = Annotated[int, Field(ge=0, le=1_000_000_000)]
"""A whole number, zero or more."""
Length = Annotated[int, Field(ge=0, le=10_000)]
"""A length of time in the unit stated beside it."""
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
"""A whole number, one or more."""


# ---------------------------------------------------------------------------------------------- intervals

INTERVAL_PATTERN = re.compile(r"([\[(])\s*([^,\s]+)\s*,\s*([^,\s]+)\s*([\])])")


@dataclass(frozen=True)
class Interval:
    """A range of exact numbers in the mathematical notation, "[0, 20)"; "inf" is allowed as an open upper end.

    `upper` is None where the range has no end. A range is never empty: "[5, 5]" holds one number.
    """

    lower: Fraction
    upper: Fraction | None
    lower_closed: bool
    upper_closed: bool

    @classmethod
    def read(cls, value: object) -> "Interval":
        if isinstance(value, Interval):
            return value
        if isinstance(value, str) and (match := INTERVAL_PATTERN.fullmatch(value)):
            lower_closed, upper_closed = match[1] == "[", match[4] == "]"
            lower = read_exact(match[2])
            upper = None if match[3] == "inf" else read_exact(match[3])
            if upper is None and not upper_closed:
                return cls(lower, None, lower_closed, False)
            if upper is not None and (lower < upper or (lower == upper and lower_closed and upper_closed)):
                return cls(lower, upper, lower_closed, upper_closed)
        raise PydanticCustomError(
            "interval", 'must be a range that is not empty, such as "[0, 20)", "[1, 30]" or "(20, inf)"'
        )

    def __str__(self) -> str:
        upper = "inf" if self.upper is None else write_exact(self.upper)
        return f"{'[' if self.lower_closed else '('}{write_exact(self.lower)}, {upper}{']' if self.upper_closed else ')'}"

    def __contains__(self, number: Fraction | int) -> bool:
        above = number > self.lower or (self.lower_closed and number == self.lower)
        below = self.upper is None or number < self.upper or (self.upper_closed and number == self.upper)
        return above and below

    def whole_numbers(self) -> tuple[int, int | None] | None:
        """The least and the greatest whole number inside (None: no end), or None when there is none."""
        first = ceil(self.lower)
        if first == self.lower and not self.lower_closed:
            first += 1
        if self.upper is None:
            return first, None
        last = floor(self.upper)
        if last == self.upper and not self.upper_closed:
            last -= 1
        return (first, last) if first <= last else None


Range = Annotated[
    Interval,
    PlainValidator(Interval.read),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string"}),
]


@dataclass(frozen=True)
class Coverage:
    """How well ranges tile a whole: the ranges left uncovered, and the pairs (by position) that overlap."""

    gaps: tuple[Interval, ...]
    overlaps: tuple[tuple[int, int], ...]


def coverage(ranges: Sequence[Interval], whole: Interval, *, whole_numbers: bool = False) -> Coverage:
    """Compare ranges with the whole that they should tile, over exact numbers or over whole numbers only."""
    taken = [_as_whole_numbers(r) if whole_numbers else r for r in ranges]
    gaps = [_as_whole_numbers(whole) if whole_numbers else whole]
    for one in taken:
        if one is not None:
            gaps = [rest for gap in gaps if gap is not None for rest in _difference(gap, one)]
    if whole_numbers:
        gaps = [_as_whole_numbers(gap) for gap in gaps if gap is not None]
    overlaps = tuple(
        (i, j)
        for j, later in enumerate(taken)
        for i, earlier in enumerate(taken[:j])
        if earlier is not None and later is not None and _intersection(earlier, later) is not None
    )
    left = [gap for gap in gaps if gap is not None]
    return Coverage(tuple(sorted(left, key=lambda gap: (gap.lower, not gap.lower_closed))), overlaps)


def _as_whole_numbers(interval: Interval) -> Interval | None:
    """The closed range of the whole numbers inside, None where there is none."""
    inside = interval.whole_numbers()
    if inside is None:
        return None
    first, last = inside
    return Interval(Fraction(first), None if last is None else Fraction(last), True, last is not None)


def _intersection(a: Interval, b: Interval) -> Interval | None:
    lower, lower_closed = max((a.lower, not a.lower_closed), (b.lower, not b.lower_closed))
    ends = [(i.upper, i.upper_closed) for i in (a, b) if i.upper is not None]
    if not ends:
        return Interval(lower, None, not lower_closed, False)
    upper, upper_closed = min(ends)
    if lower < upper or (lower == upper and not lower_closed and upper_closed):
        return Interval(lower, upper, not lower_closed, upper_closed)
    return None


def _difference(a: Interval, b: Interval) -> Iterable[Interval]:
    common = _intersection(a, b)
    if common is None:
        yield a
        return
    if (a.lower, not a.lower_closed) < (common.lower, not common.lower_closed):
        yield Interval(a.lower, common.lower, a.lower_closed, not common.lower_closed)
    if common.upper is not None and (
        a.upper is None or (common.upper, common.upper_closed) < (a.upper, a.upper_closed)
    ):
        yield Interval(common.upper, a.upper, not common.upper_closed, a.upper_closed)


# ---------------------------------------------------------------------------------------------- models


KEY_FIELDS = ("id", "step", "year", "at", "kind", "day")


def path_key(item: object) -> str | None:
    """What names an item of a list in a path: its id, or the step, year, place, kind or day that is unique there."""
    for name in KEY_FIELDS:
        value = item.get(name) if isinstance(item, dict) else getattr(item, name, None)
        if isinstance(value, str | int | date) and not isinstance(value, bool):
            return str(value)
    return None


class Model(BaseModel):
    """A part of a regulation: immutable, complete, without unknown fields, read strictly."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        for field in type(self).model_fields:
            items = getattr(self, field)
            if isinstance(items, tuple):
                keys = [key for item in items if (key := path_key(item)) is not None]
                twice = next((key for key, times in Counter(keys).items() if times > 1), None)
                if twice is not None:
                    raise PydanticCustomError(
                        "duplicate-name",
                        "has {field} that share the name {name}",
                        {"field": field, "name": twice},
                    )
        return self


class Label(Model):
    """A text in both languages."""

    vi: Text
    """Vietnamese."""
    en: Text
    """English."""

    def in_language(self, language: str) -> str:
        """The text for "vi" or "en"; English for any other language."""
        return self.vi if language == "vi" else self.en


def models_of(root: type[Model]) -> tuple[type[Model], ...]:
    """Every model that a document is made of, its root first, each once, in the order of their use."""
    found: dict[type[Model], None] = {}

    def visit(annotation: Any) -> None:
        if isinstance(annotation, type) and issubclass(annotation, Model) and annotation not in found:
            found[annotation] = None
            for info in annotation.model_fields.values():
                visit(info.annotation)
        for argument in get_args(annotation):
            visit(argument)

    visit(root)
    return tuple(found)


class Clause(Model):
    """A rule with its origin. A person can confirm it alone; see `regulation.clauses_to_confirm`."""

    source: Text
    """Where the rule was read: document and article, and the page it was read in; or that it is an example."""
    verified: bool
    """True only when the rule was read in the named source."""
    unverified_fields: tuple[FieldName, ...] = ()
    """Fields of this clause that the source does not state although the rest was read there."""

    @model_validator(mode="after")
    def _unverified_fields_exist(self) -> Self:
        own = set(type(self).model_fields) - set(Clause.model_fields)
        for name in self.unverified_fields:
            if name not in own:
                raise PydanticCustomError(
                    "unknown-unverified-field",
                    "names {field} in unverified_fields, which this clause does not have",
                    {"field": name},
                )
        if self.unverified_fields and not self.verified:
            raise PydanticCustomError(
                "unverified-twice",
                "lists unverified_fields although the whole clause is unverified; leave them out",
            )
        return self


RoundingMode = Literal["half-up", "half-even", "down", "up"]


def round_exact(number: Fraction, unit: Fraction, mode: RoundingMode) -> Fraction:
    """`number` as a multiple of `unit` (above zero).

    "half-up" sends 2.5 to 3 and −2.5 to −3, "half-even" 2.5 to 2; "down" cuts towards zero, "up" goes away from it.
    """
    steps = abs(number) / unit
    lower = floor(steps)
    rest = steps - lower
    if mode == "down":
        up = False
    elif mode == "up":
        up = rest > 0
    elif mode == "half-even":
        up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and lower % 2 == 1)
    else:
        up = rest >= Fraction(1, 2)
    rounded = (lower + up) * unit
    return -rounded if number < 0 else rounded
