"""What changed between two versions of a question, as people read it: field by field, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from examsvc.base.errors import N_

NAMES = {
    "prompt": N_("What is asked"),
    "choices": N_("Option"),
    "left": N_("Left side"),
    "right": N_("Right side"),
    "pairs": N_("Pairs"),
    "gaps": N_("Gap"),
    "rubric": N_("Criterion"),
    "levels": N_("Level of marks"),
    "text": N_("Text"),
    "correct": N_("right"),
    "why": N_("Why it is right or wrong"),
    "explanation": N_("Why the key is right"),
    "guide": N_("Marking guide"),
    "answer": N_("Right answer"),
    "accept": N_("Answers that count"),
    "tolerance": N_("Tolerance"),
    "tolerance_percent": N_("Tolerance in per cent"),
    "unit": N_("Unit"),
    "marks": N_("Marks"),
    "scoring": N_("How marks are given"),
    "shuffle": N_("Shuffled"),
    "words": N_("Words"),
    "topic": N_("Topic"),
    "level": N_("Cognitive level"),
    "minutes": N_("Expected minutes"),
    "enemies": N_("Never in one paper with"),
    "status": N_("State"),
    "kind": N_("Kind"),
}

Piece = tuple[Literal["same", "out", "in"], str]


@dataclass(frozen=True)
class Change:
    """One field that differs: the marked names of its place (with plain identifiers between), and its words, kept, taken out or put in."""

    place: tuple[str, ...]
    pieces: tuple[Piece, ...]


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Fields that differ between two native tables, in the order of the new one; fields that are gone come last."""
    before, after = dict(leaves(old)), dict(leaves(new))
    places = [*after, *(place for place in before if place not in after)]
    return [
        Change(place, tuple(words(before.get(place, ""), after.get(place, ""))))
        for place in places
        if before.get(place) != after.get(place)
    ]


def leaves(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """(place, text) of everything in a native table; entries of a list are named by their identifier."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            if not (key == "id" and place):
                yield from leaves(one, (*place, str(key)))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        if all(isinstance(one, str) for one in value):
            yield place, ", ".join(value)
            return
        for number, one in enumerate(value, start=1):
            name = str(one.get("id", number)) if isinstance(one, Mapping) else str(number)
            yield from leaves(one, (*place, name))
    else:
        yield place, str(value).lower() if isinstance(value, bool) else str(value)


def words(old: str, new: str) -> Iterator[Piece]:
    """The words of both, those in common once."""
    first, second = re.findall(r"\s+|\w+|[^\w\s]", old), re.findall(r"\s+|\w+|[^\w\s]", new)
    for what, a, b, c, d in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if what == "equal":
            yield "same", "".join(first[a:b])
            continue
        if b > a:
            yield "out", "".join(first[a:b])
        if d > c:
            yield "in", "".join(second[c:d])
