"""Tests as other systems exchange them: parts, sections with selection and order, time limits (QTI "AssessmentTest").

examsvc builds its own papers from blueprints; a test that comes with a package is kept so that its choice of items,
their weights and the time can be looked at and taken over.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from question_banks.chance import Chance, Seed, shuffled
from question_banks.markup import NO_TEXT, Text
from question_banks.problems import ItemError, declare

declare({"test-selection": "The section {section} selects {select} of {number}, which is not possible."})


@dataclass(frozen=True)
class TimeLimits:
    """Seconds; None where there is no limit."""

    least: Fraction | None = None
    most: Fraction | None = None
    late_allowed: bool = False


NO_LIMITS = TimeLimits()


@dataclass(frozen=True)
class ItemReference:
    """An item of the test, by the path of its file; `weight` scales its score."""

    id: str
    href: str
    weight: Fraction = Fraction(1)
    required: bool = False
    fixed: bool = False
    categories: tuple[str, ...] = ()
    time: TimeLimits = NO_LIMITS


@dataclass(frozen=True)
class Section:
    """Items and sections. `select`: how many of them are drawn (None: all); `shuffle`: in which order they come."""

    id: str
    title: Text = NO_TEXT
    parts: tuple["ItemReference | Section", ...] = ()
    select: int | None = None
    with_replacement: bool = False
    shuffle: bool = False
    keep_together: bool = True
    required: bool = False
    fixed: bool = False
    visible: bool = True
    time: TimeLimits = NO_LIMITS

    def items(self) -> Iterator[ItemReference]:
        """Every item reference, in the order of the file."""
        for part in self.parts:
            if isinstance(part, Section):
                yield from part.items()
            else:
                yield part


@dataclass(frozen=True)
class TestPart:
    """A part with its navigation (linear | nonlinear) and submission (individual | simultaneous)."""

    id: str
    navigation: str
    submission: str
    sections: tuple[Section, ...]
    time: TimeLimits = NO_LIMITS


@dataclass(frozen=True)
class Test:
    """A test of parts; `drawn` gives the items of one candidate."""

    id: str
    title: Text
    parts: tuple[TestPart, ...]
    time: TimeLimits = NO_LIMITS

    def items(self) -> Iterator[ItemReference]:
        for part in self.parts:
            for section in part.sections:
                yield from section.items()

    def drawn(self, seed: Seed) -> tuple[ItemReference, ...]:
        """Selection, then ordering, of every section (QTI 3.0, "Selection", "Ordering"), reproducible by the seed."""
        return tuple(
            r for part in self.parts for section in part.sections for r in _drawn(section, seed, self.id)
        )


def _drawn(section: Section, seed: Seed, path: str) -> list[ItemReference]:
    label = f"{path}/{section.id}"
    chosen = _selected(section, seed, label)
    blocks = list(chosen)
    if section.shuffle:
        # a section that does not keep together gives its items to the shuffle of the one around it
        loose: list[ItemReference | Section] = []
        for part in blocks:
            if isinstance(part, Section) and not part.keep_together and not part.visible:
                loose.extend(_drawn(part, seed, label))
            else:
                loose.append(part)
        moving = iter(shuffled([part for part in loose if not part.fixed], seed, f"{label} order"))
        blocks = [part if part.fixed else next(moving) for part in loose]
    result: list[ItemReference] = []
    for number, part in enumerate(blocks):
        result += _drawn(part, seed, f"{label}#{number}") if isinstance(part, Section) else [part]
    return result


def _selected(section: Section, seed: Seed, label: str) -> list[ItemReference | Section]:
    """The required parts and a draw of the others, in the order of the file."""
    if section.select is None:
        return list(section.parts)
    required = [n for n, part in enumerate(section.parts) if part.required]
    others = [n for n, part in enumerate(section.parts) if not part.required]
    free = section.select - len(required)
    possible = free >= 0 and ((section.with_replacement and section.parts) or free <= len(others))
    if not possible:
        raise ItemError(
            "test-selection", section=section.id, select=section.select, number=len(section.parts)
        )
    if section.with_replacement:
        chance = Chance(seed, f"{label} selection")
        drawn = [chance.below(len(section.parts)) for _ in range(free)]
    else:
        drawn = shuffled(others, seed, f"{label} selection")[:free]
    return [section.parts[n] for n in sorted(required + drawn)]
