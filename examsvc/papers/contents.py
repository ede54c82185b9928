"""What is approved, sealed and opened: the committed objects of a form (docs/formats/entries.md), from its questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from examsvc.competitions.marking_clauses import MarkingScheme
from examsvc.competitions.terms import write_exact
from question_banks import Item

Slots = Sequence[tuple[int, Item, str]]
"""(number, item, marks) of each question, in order."""


def form_object(code: str, part: str, slots: Slots, languages: Sequence[str]) -> dict[str, Any]:
    """The object paper.form: every question as candidates are shown it, options in the author's order."""
    return {
        "paper": code,
        "form": code,
        "items": [
            {
                "slot": number,
                "item": item.digest,
                "part": part,
                "marks": marks,
                "content": {language: plain(item.presentation(language)) for language in languages},
            }
            for number, item, marks in slots
        ],
    }


def key_object(code: str, version: int, slots: Slots, natives: Mapping[int, str]) -> dict[str, Any]:
    """The object paper.key: each item as its native document, which holds answer and scoring, by item digest."""
    return {
        "paper": code,
        "version": version,
        "answers": [
            {"item": item.digest, "key": natives[number], "marks": marks}
            for number, item, marks in sorted(slots, key=lambda slot: slot[1].digest)
        ],
    }


def guide_object(scheme: MarkingScheme, slots: Slots) -> dict[str, Any] | None:
    """The object paper.guide: criteria, anchors and guide of each task that people mark; None where there is none."""
    tasks = [
        {
            "slot": number,
            "item": item.digest,
            "marks": marks,
            "guide": dict(item.guide.values),
            "criteria": [
                {
                    "id": one.id,
                    "title": dict(one.title.values),
                    "marks": write_exact(one.marks),
                    "levels": [
                        {"marks": write_exact(level.marks), "text": dict(level.text.values)} for level in one.levels
                    ],
                }
                for one in item.rubric
            ],
        }
        for number, item, marks in slots
        if item.by_person
    ]
    return {"scheme": scheme.id, "version": 1, "tasks": tasks} if tasks else None


def plain(value: Any) -> Any:
    """JSON data without floats, as commitments need it: numbers that are not whole become decimal strings."""
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, float | Decimal):
        return int(value) if value == int(value) else str(value)
    return value


def digest_lines(slots: Slots) -> list[list[str]]:
    """What the digest of a form is taken over: [item digest, marks] in the order of the slots."""
    return [[item.digest, marks] for _, item, marks in slots]
