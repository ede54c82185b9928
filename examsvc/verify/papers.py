"""What was put before candidates and how it is marked: forms, keys in force, faulty questions, and a response's exact mark."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from examsvc.ledger.definitions import PART_KINDS, StageKind
from examsvc.ledger.entries import Entry
from examsvc.verify.reading import Bundle
from examsvc.verify.terms import Terms, exact
from question_banks import LIMITS, Item, ItemError, soundness
from question_banks.fields import Fields
from question_banks.native import FORMAT
from question_banks.native.reading import read_item

RULES = {"redistribute": "redistributed", "full-marks": "full_marks", "drop": "removed"}
"""Rule of the regulation for a faulty question → the log's word for it."""


@dataclass(frozen=True, slots=True)
class Question:
    """One item of a form: place in the form, part of the stage, maximum marks."""

    slot: int
    item: str
    part: str | None
    marks: Fraction


@dataclass
class Paper:
    """A sealed paper as far as this edition opens it. Keys are by version, each item digest → native document."""

    code: str
    stage: str | None
    forms: dict[str, dict[str, Question]] = field(default_factory=dict)
    keys: dict[int, tuple[int, Mapping[str, Any]]] = field(default_factory=dict)
    corrections: list[tuple[int, int]] = field(default_factory=list)
    faulty: list[tuple[int, str, Mapping[str, Any] | None]] = field(default_factory=list)

    def key_in_force(self, index: int) -> int:
        """Version of the key before this entry."""
        return max([1, *(version for place, version in self.corrections if place < index)])

    def faulty_before(self, index: int) -> dict[str, Mapping[str, Any] | None]:
        """Faulty questions by item digest, with the object that says so, decided before this entry."""
        return {item: value for place, item, value in self.faulty if place < index}


class Papers:
    """All papers of a bundle, by code."""

    def __init__(self, read: Bundle, terms: Terms) -> None:
        self._terms = terms
        self._items: dict[str, Item | None] = {}
        self._parts: dict[tuple[str | None, StageKind], list[str]] = {}
        self.by_code: dict[str, Paper] = {}
        for entry in read.of("paper.sealed"):
            paper = Paper(entry.body["paper"], entry.stage)
            self.by_code[paper.code] = paper
            for commitment in entry.body["forms"]:
                form = read.opened(commitment)
                if form is not None:
                    paper.forms[form["form"]] = {
                        row["item"]: self._question(entry, row) for row in form["items"]
                    }
            self._add_key(read, paper, 1, entry.index, entry.body["key"])
        for entry in read.of("key.corrected", "item.neutralised"):
            found = self.by_code.get(entry.body["paper"])
            if found is None:
                continue
            if entry.type == "item.neutralised":
                value = read.opened(entry.body["neutralisation"])
                found.faulty.append((entry.index, entry.body["item"], value))
            else:
                found.corrections.append((entry.index, entry.body["version"]))
                self._add_key(read, found, entry.body["version"], entry.index, entry.body["key"])

    def _add_key(self, read: Bundle, paper: Paper, version: int, index: int, commitment: str) -> None:
        key = read.opened(commitment)
        if key is not None:
            paper.keys[version] = (index, {row["item"]: row["key"] for row in key["answers"]})

    def _question(self, entry: Entry, row: Mapping[str, Any]) -> Question:
        return Question(row["slot"], row["item"], row.get("part"), exact(row["marks"]))

    def part_of(self, paper: Paper, question: Question, kind: StageKind) -> str | None:
        """The part of the stage that a question belongs to, if it is of this kind; None otherwise, or if there is more than one."""
        parts = self._parts_of(paper.stage, kind)
        if question.part is not None:
            return question.part if question.part in parts else None
        return parts[0] if len(parts) == 1 else None

    def _parts_of(self, stage: str | None, kind: StageKind) -> list[str]:
        if (stage, kind) not in self._parts:
            self._parts[(stage, kind)] = [
                name
                for name, part in self._terms.parts.items()
                if part["stage"] == stage and PART_KINDS[part["kind"]] is kind
            ]
        return self._parts[(stage, kind)]

    def item(self, native: object) -> Item | None:
        """The item of a native document; None where this program cannot read it."""
        if not isinstance(native, str):
            return None
        if native not in self._items:
            self._items[native] = read_native_item(native)
        return self._items[native]


def read_native_item(native: str) -> Item | None:
    """The first item of a native document, whose pictures need not be in it; None where it is none."""
    try:
        document = tomllib.loads(native)
        if document["format"] != FORMAT:
            return None
        primary = (document.get("languages") or ["vi"])[0]
        found = read_item(Fields(document["item"][0], "", primary, LIMITS))
        soundness.check(found, LIMITS)
    except (ItemError, LookupError, TypeError, ValueError, RecursionError):
        return None
    return found


def share(shown: Item, by: Item, value: object) -> Fraction | None:
    """The share (0 to 1, or below 0) of its marks that a response earns; `by` is the item whose key counts, `shown` the one shown.

    None where this program cannot say: an item drawn from a template, or one that people mark.
    """
    if shown.template_processing is not None or by.template_processing is not None or by.by_person:
        return None
    given = _responses(value)
    if by is not shown:
        given = shown.identified(given)
    try:
        outcome = by.mark(given)
    except ItemError:
        return None
    if outcome.score is None:
        return None
    return Fraction(outcome.score) / Fraction(outcome.max_score) if outcome.max_score else Fraction(0)


def _responses(value: object) -> dict[str, Any]:
    """A stored answer as responses; what no browser would have stored counts as blank."""
    if not isinstance(value, dict):
        return {}
    found: dict[str, Any] = {}
    for name, given in value.items():
        if isinstance(given, str | bool | int):
            found[name] = given
        elif isinstance(given, list) and all(isinstance(one, str | bool | int) for one in given):
            found[name] = tuple(given)
    return found


def after_faults(
    scores: Mapping[str, tuple[Fraction | None, Fraction]], faulty: Mapping[str, str]
) -> dict[str, Fraction | None]:
    """Scores by item digest after faulty questions were dealt with; `scores` holds (score, maximum), a score None where unknown.

    "full-marks": everybody gets the maximum. "drop": nothing. "redistribute": nothing, and the others' scores grow in proportion so that
    the maximum stays; where no other is left everybody gets the maximum.
    """
    if not faulty:
        return {item: score for item, (score, _) in scores.items()}
    after: dict[str, Fraction | None] = {}
    lost = sum(
        (most for item, (_, most) in scores.items() if faulty.get(item) == "redistribute"), Fraction(0)
    )
    left = sum((most for item, (_, most) in scores.items() if item not in faulty), Fraction(0))
    for item, (score, most) in scores.items():
        rule = faulty.get(item)
        if rule == "full-marks" or (rule == "redistribute" and not left):
            after[item] = most
        elif rule is not None:
            after[item] = Fraction(0)
        elif score is None or not left:
            after[item] = score
        else:
            after[item] = score * (left + lost) / left
    return after
