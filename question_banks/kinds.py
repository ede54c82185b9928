"""The usual kinds of questions, built from and taken apart into their simple parts.

Every reader builds through these functions and every writer asks them back, so that a question of one kind has one
form in the model, whatever format it came from.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from question_banks.declarations import (
    Answer,
    Choice,
    Interaction,
    ResponseDeclaration,
    Rule,
)
from question_banks.markup import NO_TEXT, PLACEHOLDER, Text
from question_banks.model import Criterion, Item

RESPONSE = "RESPONSE"
ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True)
class Option:
    """A choice with its credit: 1 for the right one of a single choice, a share otherwise."""

    choice: Choice
    credit: Fraction = ZERO

    @property
    def correct(self) -> bool:
        return self.credit > 0


def single(
    id: str,
    body: Text,
    options: Sequence[Option],
    *,
    shuffle: bool = True,
    marks: Decimal = Decimal(1),
    **rest: Any,
) -> Item:
    """One choice of several; options may carry partial or negative credit. The correct one has the highest credit."""
    best = max((o.credit for o in options), default=ZERO)
    correct = next((o.choice.id for o in options if o.credit == best and best > 0), "")
    plain = best == 1 and sum(o.credit != 0 for o in options) == 1
    return Item(
        id, "single", body,
        (Interaction("choice", RESPONSE, choices=tuple(o.choice for o in options), shuffle=shuffle),),
        (ResponseDeclaration(RESPONSE, "identifier", "single", (correct,) if correct else ()),),
        (Rule(RESPONSE, "all-or-nothing") if plain else _credits(options),),
        marks=marks, **rest,
    )  # fmt: skip


def _credits(options: Sequence[Option]) -> Rule:
    answers = tuple(Answer(o.choice.id, o.credit) for o in options if o.credit)
    return Rule(
        RESPONSE,
        "credits",
        floor=min([o.credit for o in options if o.credit < 0], default=ZERO),
        answers=answers,
    )


def multiple(
    id: str, body: Text, options: Sequence[Option], *, scoring: str = "all-or-nothing", shuffle: bool = True,
    marks: Decimal = Decimal(1), **rest: Any,
) -> Item:  # fmt: skip
    """Any number of choices. scoring: all-or-nothing, per-option, or credits (each option's own)."""
    rule = replace(_credits(options), floor=ZERO) if scoring == "credits" else Rule(RESPONSE, scoring)
    return Item(
        id, "multiple", body,
        (Interaction("choice", RESPONSE, choices=tuple(o.choice for o in options), shuffle=shuffle, max_choices=0),),
        (ResponseDeclaration(RESPONSE, "identifier", "multiple", tuple(o.choice.id for o in options if o.correct)),),
        (rule,), marks=marks, **rest,
    )  # fmt: skip


def true_false(
    id: str,
    body: Text,
    answer: bool,
    *,
    why: tuple[Text, Text] = (NO_TEXT, NO_TEXT),
    marks: Decimal = Decimal(1),
    **rest: Any,
) -> Item:
    """A statement that is true or false; `why`: the feedback to "true" and to "false"."""
    choices = (Choice("true", why=why[0]), Choice("false", why=why[1]))
    return Item(
        id, "true-false", body, (Interaction("choice", RESPONSE, choices=choices),),
        (ResponseDeclaration(RESPONSE, "boolean", "single", ("true" if answer else "false",)),),
        (Rule(RESPONSE, "all-or-nothing"),), marks=marks, **rest,
    )  # fmt: skip


def numeric(
    id: str, body: Text, answers: Iterable[Answer], *, unit: Text = NO_TEXT, units: tuple[tuple[str, Fraction], ...] = (),
    unit_required: bool = False, marks: Decimal = Decimal(1), **rest: Any,
) -> Item:  # fmt: skip
    """A number to type."""
    return Item(
        id, "numeric", body, (Interaction("text-entry", RESPONSE, unit=unit),), (_numeric(RESPONSE, answers := tuple(answers)),),
        (Rule(RESPONSE, "numeric", answers=answers, units=units, unit_required=unit_required),), marks=marks, **rest,
    )  # fmt: skip


def _numeric(response: str, answers: Sequence[Answer]) -> ResponseDeclaration:
    full = [
        a.value
        for a in answers
        if a.credit == 1 and not (a.upper or a.wildcard or PLACEHOLDER.search(a.value))
    ]
    return ResponseDeclaration(response, "float", "single", tuple(full[:1]))


def text(
    id: str, body: Text, answers: Iterable[Answer], *, case: bool = False, accents: bool = True,
    marks: Decimal = Decimal(1), **rest: Any,
) -> Item:  # fmt: skip
    """A short text to type."""
    return Item(
        id, "text", body, (Interaction("text-entry", RESPONSE),), (_text(RESPONSE, answers := tuple(answers)),),
        (Rule(RESPONSE, "text", answers=answers, case=case, accents=accents),), marks=marks, **rest,
    )  # fmt: skip


def _text(response: str, answers: Sequence[Answer]) -> ResponseDeclaration:
    full = [a.value for a in answers if a.credit == 1 and not (a.wildcard or PLACEHOLDER.search(a.value))]
    return ResponseDeclaration(response, "string", "single", tuple(full[:1]))


def order(
    id: str,
    body: Text,
    choices: Sequence[Choice],
    *,
    scoring: str = "all-or-nothing",
    marks: Decimal = Decimal(1),
    **rest: Any,
) -> Item:
    """Choices to put in order, given in the right order. They are always shuffled when shown."""
    return Item(
        id, "order", body, (Interaction("order", RESPONSE, choices=tuple(choices), shuffle=True, max_choices=0),),
        (ResponseDeclaration(RESPONSE, "identifier", "ordered", tuple(c.id for c in choices)),),
        (Rule(RESPONSE, scoring),), marks=marks, **rest,
    )  # fmt: skip


def match(
    id: str, body: Text, left: Sequence[Choice], right: Sequence[Choice], pairs: Sequence[str], *,
    scoring: str = "all-or-nothing", shuffle: bool = True, marks: Decimal = Decimal(1), **rest: Any,
) -> Item:  # fmt: skip
    """Left sides to be joined to right sides; right sides may be surplus, or serve several left ones."""
    per_left = max([sum(pair.split()[:1] == [c.id] for pair in pairs) for c in left], default=1)
    interaction = Interaction(
        "match", RESPONSE, shuffle=shuffle, max_choices=0,
        choices=tuple(replace(c, match_max=max(1, per_left)) for c in left),
        targets=tuple(replace(c, match_max=0) for c in right),
    )  # fmt: skip
    return Item(
        id, "match", body, (interaction,), (ResponseDeclaration(RESPONSE, "directedPair", "multiple", tuple(pairs)),),
        (Rule(RESPONSE, scoring),), marks=marks, **rest,
    )  # fmt: skip


@dataclass(frozen=True)
class Gap:
    """One gap of a cloze: kind choice (options), text or numeric (answers)."""

    id: str
    kind: str
    options: tuple[Option, ...] = ()
    answers: tuple[Answer, ...] = ()
    case: bool = False
    accents: bool = True
    shuffle: bool = True
    weight: Fraction = ONE
    units: tuple[tuple[str, Fraction], ...] = ()


def gap(
    id: str,
    body: Text,
    gaps: Sequence[Gap],
    *,
    scoring: str = "all-or-nothing",
    marks: Decimal = Decimal(1),
    **rest: Any,
) -> Item:
    """A text with gaps [[id]] to fill, each by choice or typing."""
    parts = [_gap(g) for g in gaps]
    return Item(
        id, "gap", body, tuple(p[0] for p in parts), tuple(p[1] for p in parts), tuple(p[2] for p in parts),
        combine="sum" if scoring == "per-part" else "all", marks=marks, **rest,
    )  # fmt: skip


def _gap(g: Gap) -> tuple[Interaction, ResponseDeclaration, Rule]:
    if g.kind == "choice":
        inner = single(g.id, Text(), g.options, shuffle=g.shuffle)
        interaction = replace(inner.interactions[0], kind="inline-choice", response=g.id)
        return (
            interaction,
            replace(inner.responses[0], id=g.id),
            replace(inner.rules[0], response=g.id, weight=g.weight),
        )
    declaration = _numeric(g.id, g.answers) if g.kind == "numeric" else _text(g.id, g.answers)
    rule = Rule(g.id, g.kind, g.weight, answers=g.answers, case=g.case, accents=g.accents, units=g.units)
    return Interaction("text-entry", g.id), declaration, rule


def essay(
    id: str, body: Text, *, words: tuple[int | None, int | None] = (None, None), guide: Text = NO_TEXT,
    rubric: Sequence[Criterion] = (), lines: int = 0, marks: Decimal = Decimal(1), **rest: Any,
) -> Item:  # fmt: skip
    """A long text that a person marks."""
    return Item(
        id, "essay", body, (Interaction("extended-text", RESPONSE, words=words, lines=lines),),
        (ResponseDeclaration(RESPONSE, "string"),), (Rule(RESPONSE, "person"),),
        guide=guide, rubric=tuple(rubric), marks=marks, **rest,
    )  # fmt: skip


def description(id: str, body: Text, **rest: Any) -> Item:
    """A text without a question."""
    return Item(id, "description", body, marks=Decimal(0), **rest)


def letters(count: int) -> list[str]:
    """Identifiers for choices that came without: A, B, … Z, A2, B2 …"""
    return [chr(65 + n % 26) + (str(n // 26 + 1) if n >= 26 else "") for n in range(count)]


def option_scoring(options: Sequence[Option]) -> str:
    """per-option when the credits are exactly that rule's, credits otherwise."""
    right = [o.credit for o in options if o.credit > 0]
    wrong = [o.credit for o in options if o.credit <= 0]
    even = all(c == Fraction(1, len(right)) for c in right) and all(
        c == Fraction(-1, len(wrong)) for c in wrong
    )
    return "per-option" if even else "credits"


def even_credits(item: Item) -> list[Fraction]:
    """The credits of a multiple choice's options for formats that add up credits: all-or-nothing becomes a share for
    each right choice and the loss of everything for a wrong one."""
    found = options(item)
    right = sum(option.correct for option in found)
    if item.rules[0].method == "credits" or not right:
        return [option.credit for option in found]
    wrong = len(found) - right
    penalty = (
        Fraction(-1) if item.rules[0].method == "all-or-nothing" else Fraction(-1, wrong) if wrong else ZERO
    )
    return [Fraction(1, right) if option.correct else penalty for option in found]


def options(item: Item, index: int = 0) -> tuple[Option, ...]:
    """The choices of one interaction with their credits; under per-option scoring each right one gets its share."""
    interaction = item.interactions[index]
    rule = next((r for r in item.rules if r.response == interaction.response), None)
    correct = item.declared[interaction.response].correct
    if rule is not None and rule.method == "credits":
        credits = {answer.value: answer.credit for answer in rule.answers}
        return tuple(Option(c, credits.get(c.id, ZERO)) for c in interaction.choices)
    return tuple(Option(c, ONE if c.id in correct else ZERO) for c in interaction.choices)


def gaps(item: Item) -> tuple[Gap, ...]:
    """The parts a gap item was built from."""
    result = []
    for index, (interaction, rule) in enumerate(zip(item.interactions, item.rules, strict=True)):
        if interaction.kind == "inline-choice":
            result.append(
                Gap(
                    rule.response,
                    "choice",
                    options(item, index),
                    shuffle=interaction.shuffle,
                    weight=rule.weight,
                )
            )
        else:
            result.append(
                Gap(
                    rule.response,
                    rule.method,
                    (),
                    rule.answers,
                    rule.case,
                    rule.accents,
                    True,
                    rule.weight,
                    rule.units,
                )
            )
    return tuple(result)


def rebuilt(item: Item) -> Item | None:
    """The item built anew from its simple parts, or None when its kind has none: equal to it when nothing is lost."""
    rest: dict[str, Any] = {
        "marks": item.marks, "explanation": item.explanation, "guide": item.guide, "rubric": item.rubric,
        "metadata": item.metadata, "templates": item.templates, "template_processing": item.template_processing,
    }  # fmt: skip
    if item.processing is not None or item.outcomes:
        return None
    if item.kind == "description":
        return Item(item.id, "description", item.body, **rest)
    if not item.interactions or not item.rules or not item.responses:
        return None
    first, rule, response = item.interactions[0], item.rules[0], item.responses[0]
    if item.kind == "single":
        return single(item.id, item.body, options(item), shuffle=first.shuffle, **rest)
    if item.kind == "multiple":
        return multiple(item.id, item.body, options(item), scoring=rule.method, shuffle=first.shuffle, **rest)
    if item.kind == "true-false" and len(first.choices) == 2:
        why = (first.choices[0].why, first.choices[1].why)
        return true_false(item.id, item.body, response.correct == ("true",), why=why, **rest)
    if item.kind == "numeric":
        return numeric(
            item.id,
            item.body,
            rule.answers,
            unit=first.unit,
            units=rule.units,
            unit_required=rule.unit_required,
            **rest,
        )
    if item.kind == "text":
        return text(item.id, item.body, rule.answers, case=rule.case, accents=rule.accents, **rest)
    if item.kind == "order":
        return order(item.id, item.body, first.choices, scoring=rule.method, **rest)
    if item.kind == "match":
        return match(
            item.id,
            item.body,
            first.choices,
            first.targets,
            response.correct,
            scoring=rule.method,
            shuffle=first.shuffle,
            **rest,
        )
    if item.kind == "gap" and len(item.interactions) == len(item.rules):
        return gap(
            item.id,
            item.body,
            gaps(item),
            scoring="per-part" if item.combine == "sum" else "all-or-nothing",
            **rest,
        )
    if item.kind == "essay":
        return essay(item.id, item.body, words=first.words, lines=first.lines, **rest)
    return None


def is_simple(item: Item) -> bool:
    """Whether the item's kind says everything about it, so that the short native form carries it whole."""
    again = rebuilt(item)
    return again is not None and again == item
