"""The model: a Bank of Items, and what an item can do: be instantiated, shown, checked and marked."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from question_banks import marking, presenting, responding
from question_banks.chance import Seed
from question_banks.declarations import (
    KINDS,
    Answer,
    AreaEntry,
    AreaMapped,
    Choice,
    Interaction,
    InteractionKind,
    MapEntry,
    Mapped,
    Node,
    OutcomeDeclaration,
    Picture,
    ResponseDeclaration,
    Rule,
    TemplateDeclaration,
)
from question_banks.limits import LIMITS, Limits
from question_banks.marking import Outcome, Part
from question_banks.markup import NO_TEXT, Text
from question_banks.papers import Test
from question_banks.problems import Acceptance, ItemError
from question_banks.processing import templates
from question_banks.values import Value, number, show

__all__ = [
    "KINDS",
    "Acceptance",
    "Answer",
    "AreaEntry",
    "AreaMapped",
    "Bank",
    "Choice",
    "Criterion",
    "Interaction",
    "InteractionKind",
    "Item",
    "Level",
    "MapEntry",
    "Mapped",
    "Media",
    "Metadata",
    "Node",
    "Outcome",
    "OutcomeDeclaration",
    "Part",
    "Picture",
    "ResponseDeclaration",
    "Rule",
    "TemplateDeclaration",
    "Text",
    "Value",
]

_MEDIA = re.compile(r"media/[0-9a-f]{64}")
ITEM_KINDS = (
    "single", "multiple", "true-false", "numeric", "text", "order", "match", "gap", "essay", "description", "composite",
)  # fmt: skip
LEVELS = ("recall", "understand", "apply", "analyse")
STATUSES = ("draft", "reviewed", "approved", "retired")


@dataclass(frozen=True)
class Level:
    """One rung of a rubric's criterion: what deserves so many marks."""

    marks: Fraction
    text: Text


@dataclass(frozen=True)
class Criterion:
    """One criterion of a rubric; the criteria's marks sum to the item's."""

    id: str
    title: Text
    marks: Fraction
    levels: tuple[Level, ...] = ()

    def canonical(self) -> object:
        levels = [[show(level.marks), level.text.canonical()] for level in self.levels]
        return [self.id, self.title.canonical(), show(self.marks), levels]


@dataclass(frozen=True)
class Metadata:
    """What is known about an item and does not change what the candidate sees or earns: not in the digest."""

    topic: str = ""  # dotted path
    level: str = ""  # recall | understand | apply | analyse
    author: str = ""
    source: str = ""
    status: str = "draft"  # draft | reviewed | approved | retired
    exposure: int = 0  # how often it was used
    minutes: Decimal | None = None  # expected time
    tags: tuple[str, ...] = ()
    enemies: tuple[str, ...] = ()  # items that must not stand in the same paper
    parameters: Mapping[str, str] = field(default_factory=dict)  # psychometric, decimal strings
    title: Text = NO_TEXT  # a name for lists, never shown to candidates


NO_METADATA = Metadata()


@dataclass(frozen=True)
class Item:
    """One question with one or several interactions.

    Marked by `rules` (each response earns its share of `marks`), or by QTI response `processing` when that is given; the
    score is then its outcome SCORE. `body` holds the text with inline interactions as [[response id]]; interactions that
    it does not name follow it. An item with template processing is only a pattern: take `instance(seed)` first.
    """

    id: str
    kind: str
    body: Text
    interactions: tuple[Interaction, ...] = ()
    responses: tuple[ResponseDeclaration, ...] = ()
    rules: tuple[Rule, ...] = ()
    combine: str = "sum"  # sum: shares add up; all: full marks only if every rule gives its full share
    marks: Decimal = Decimal(1)
    processing: Node | None = None
    outcomes: tuple[OutcomeDeclaration, ...] = ()
    templates: tuple[TemplateDeclaration, ...] = ()
    template_processing: Node | None = None
    explanation: Text = NO_TEXT
    guide: Text = NO_TEXT
    rubric: tuple[Criterion, ...] = ()
    metadata: Metadata = NO_METADATA

    @cached_property
    def digest(self) -> str:
        """SHA-256 in hex over the canonical bytes of content, declarations and marking.

        Neither the identifier nor anything in `metadata` is in it: the same question under two names has one digest.
        """
        return sha256(self.canonical_bytes()).hexdigest()

    def canonical_bytes(self) -> bytes:
        """RFC 8785 canonical JSON: docs/formats/native-bank.md says what stands in it."""
        content: dict[str, Any] = {
            "format": "examsvc-item/1",
            "kind": self.kind,
            "body": self.body.canonical(),
            "interactions": [interaction.canonical() for interaction in self.interactions],
            "responses": [response.canonical() for response in self.responses],
            "rules": [rule.canonical() for rule in self.rules],
            "combine": self.combine,
            "marks": show(Fraction(self.marks)),
            "processing": self.processing.canonical() if self.processing else None,
            "outcomes": [outcome.canonical() for outcome in self.outcomes],
            "templates": [template.canonical() for template in self.templates],
            "template_processing": self.template_processing.canonical() if self.template_processing else None,
            "explanation": self.explanation.canonical(),
            "guide": self.guide.canonical(),
            "rubric": [criterion.canonical() for criterion in self.rubric],
        }
        return canonical_json(content)

    @cached_property
    def by_person(self) -> bool:
        """Whether a marker must read (part of) the response."""
        return any(rule.method == "person" for rule in self.rules)

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Languages in which everything a candidate sees is there, in the order of the body's languages."""
        texts = [text for _, text in self.texts() if text]
        every = dict.fromkeys(language for text in texts for language in text.languages)
        return tuple(language for language in every if all(language in text.languages for text in texts))

    def texts(self) -> Iterator[tuple[str, Text]]:
        """Every text a candidate sees, with its place."""
        yield "prompt", self.body
        for interaction in self.interactions:
            for place, text in interaction.texts():
                yield (place if len(self.interactions) == 1 else f"{interaction.response} {place}"), text

    def hidden_texts(self) -> Iterator[tuple[str, Text]]:
        """Every text that candidates do not see before the release."""
        yield "explanation", self.explanation
        yield "guide", self.guide
        for criterion in self.rubric:
            yield f"rubric {criterion.id}", criterion.title
            for level in criterion.levels:
                yield f"rubric {criterion.id}", level.text
        for interaction in self.interactions:
            for choice in interaction.everything():
                yield f"choice {choice.id} why", choice.why
        for rule in self.rules:
            for answer in rule.answers:
                yield f"answer {answer.value}", answer.feedback

    @cached_property
    def media(self) -> frozenset[str]:
        """Keys of the media in its texts, hidden ones too, and in its interactions."""
        names = set()
        for _, text in (*self.texts(), *self.hidden_texts()):
            for _, source in text.values:
                if "media/" in source:
                    names |= set(_MEDIA.findall(source))
        for interaction in self.interactions:
            pictures = (interaction.picture, *(choice.picture for choice in interaction.everything()))
            names |= {picture.media for picture in pictures if picture}
        return frozenset(names)

    @cached_property
    def declared(self) -> Mapping[str, ResponseDeclaration]:
        """The response declarations by identifier."""
        return MappingProxyType({response.id: response for response in self.responses})

    @cached_property
    def tokens(self) -> Mapping[str, Mapping[str, str]]:
        """For each response, what stands for each choice's identifier in the presentation.

        Authors' identifiers give answers away (the options of an ordering written as a, b, c in the right order), so
        candidates see tokens instead: made from the digest, hence the same for everyone who sees this version of the
        item, and not computable without the key. `mark` and `accepts` take tokens and identifiers alike.
        """
        return MappingProxyType({i.response: presenting.tokens(self.digest, i) for i in self.interactions})

    def instance(self, seed: Seed = 0) -> "Item":
        """The item with its template variables drawn by `seed`; the same object where there is nothing to draw.

        Raises ItemError when the template processing is wrong (an unknown variable, a division by zero …).
        """
        return templates.instance(self, seed) if self.template_processing is not None else self

    def presentation(self, language: str, seed: Seed = 0, media: str = "media/") -> dict[str, Any]:
        """What the exam player shows, as plain JSON data, choices shuffled by `seed`; see `presenting.present`.

        It holds nothing of the key, the rubric or the metadata. `media` replaces the prefix of pictures' addresses.
        """
        return presenting.present(self.instance(seed), language, seed, media)

    def accepts(self, responses: object, limits: Limits = LIMITS) -> Acceptance:
        """Whether `responses` (a mapping from response identifiers to values) is well formed: true, or the reason."""
        return responding.accepts(self, responses, limits)

    def identified(self, responses: Mapping[str, Value]) -> dict[str, Value]:
        """The responses with tokens replaced by the choices' identifiers: for analyses, and for showing what was chosen."""
        return responding.identified(self, responses)

    def mark(self, responses: Mapping[str, Value]) -> Outcome:
        """The exact outcome. A missing, empty or malformed response earns nothing; nothing raises for a response.

        Raises ItemError when the item's own response processing is wrong.
        """
        return marking.mark(self.instance(0) if self.template_processing is not None else self, responses)

    @cached_property
    def marker(self) -> "marking.Marker":
        return marking.Marker(self)

    @property
    def max_score(self) -> Decimal:
        return self.marks

    def replaced(self, **changes: Any) -> "Item":
        return replace(self, **changes)


@dataclass(frozen=True)
class Media:
    """A picture, sound or film; its key in Bank.media is "media/" and the SHA-256 of its bytes in hex."""

    data: bytes
    type: str  # media type, for example image/png
    name: str = ""  # file name it came with

    @cached_property
    def key(self) -> str:
        return f"media/{sha256(self.data).hexdigest()}"


@dataclass(frozen=True)
class Bank:
    """Items under one name. `languages`: the first is the primary one."""

    id: str = "bank"
    title: Text = NO_TEXT
    languages: tuple[str, ...] = ("vi",)
    licence: str = ""
    items: tuple[Item, ...] = ()
    media: Mapping[str, Media] = field(default_factory=dict)
    tests: tuple[Test, ...] = ()  # that came with the items

    @cached_property
    def by_id(self) -> Mapping[str, Item]:
        return MappingProxyType({item.id: item for item in self.items})

    def __getitem__(self, identifier: str) -> Item:
        return self.by_id[identifier]

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def replaced(self, **changes: Any) -> "Bank":
        return replace(self, **changes)


def canonical_json(content: object) -> bytes:
    """RFC 8785 bytes of data without floats, whose keys are ASCII: then sorting and escaping are what `json` does."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def marks_of(value: Fraction) -> Decimal:
    """Marks as Decimal; ItemError where they are not a finite decimal number."""
    result = number(value)
    if not isinstance(result, Decimal):
        raise ItemError("marks-not-decimal", marks=show(value))
    return result
