"""A question as candidates see it, as plain data for pages and printed papers; and its key, for those who may see it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from question_banks import Item
from question_banks.presenting import WORDS
from question_banks.values import show

_PLACE = re.compile(r'<span data-(?:interaction|target)="([^"]*)"></span>')
MARKS = {"single": "○", "multiple": "□"}


@dataclass(frozen=True)
class Place:
    """One place to answer: its kind, its number where it stands inside the text, and what may be chosen there."""

    kind: str
    number: int | None
    prompt: str
    mark: str = ""
    choices: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    picture: Mapping[str, Any] | None = None
    unit: str = ""
    words: Mapping[str, int | None] = field(default_factory=dict)
    bounds: tuple[str, str] | None = None


@dataclass(frozen=True)
class Preview:
    """What candidates see of an item: its text with numbered places, and the places to answer."""

    language: str
    prompt: str
    places: tuple[Place, ...]


def preview(item: Item, language: str, media: str) -> Preview:
    """The item in one language, options in the order of the seed 0; ``media`` is the prefix of pictures' addresses.

    HTML in it is clean (question_banks.markup); places inside the text stand as <span class="place">1</span>.
    """
    shown = item.instance(0).presentation(language, 0, media)
    numbers = {
        one["id"]: place for place, one in enumerate((one for one in shown["interactions"] if one["placed"]), start=1)
    }

    def numbered(html: str) -> str:
        return _PLACE.sub(lambda found: f'<span class="place">{numbers.get(found[1], "…")}</span>', html)

    return Preview(
        language,
        numbered(shown["prompt"]),
        tuple(_place(one, numbers.get(one["id"]), numbered) for one in shown["interactions"]),
    )


def _place(one: Mapping[str, Any], number: int | None, numbered: Any) -> Place:
    choices = tuple(_choice(choice) for choice in one.get("choices", ()))
    mark = MARKS.get(one["cardinality"], "") if one["kind"] in ("choice", "hotspot", "hottext") else ""
    bounds = (str(one["lower"]), str(one["upper"])) if "lower" in one and "upper" in one else None
    return Place(
        one["kind"],
        number,
        numbered(one["prompt"]),
        mark,
        choices,
        tuple(_choice(choice) for choice in one.get("targets", ())),
        one.get("picture"),
        one.get("unit", ""),
        {name: value for name, value in one.get("words", {}).items() if value is not None},
        bounds,
    )


def _choice(choice: Mapping[str, Any]) -> str:
    picture = choice.get("picture")
    if picture and not choice["html"]:
        return f'<img src="{picture["src"]}" alt="{_attribute(picture["alt"])}">'
    return str(choice["html"])


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def key(item: Item, language: str) -> list[str]:
    """The right answers in words, one line for each place to answer (as plain text); empty where a person marks."""
    lines = []
    for number, interaction in enumerate(item.interactions, start=1):
        texts = {
            choice.id: choice.text.plain(language)
            or (choice.picture.alternative.plain(language) if choice.picture else WORDS.get(choice.id, {}).get(language, choice.id))
            for choice in interaction.everything()
        }

        def spoken(value: str, texts: Mapping[str, str] = texts) -> str:
            words = value.split(" ")
            return " → ".join(texts[word] for word in words) if all(word in texts for word in words) else value

        declared = item.declared[interaction.response]
        rules = [rule for rule in item.rules if rule.response == interaction.response]
        credits = [
            (spoken(answer.value) + (f" … {answer.upper}" if answer.upper else ""), answer.credit)
            for rule in rules
            for answer in rule.answers
            if answer.credit > 0
        ]
        right = [spoken(value) for value in declared.correct] or [
            text if credit == 1 else f"{text} ({show(credit)})" for text, credit in credits
        ]
        if not right and declared.mapping is not None:
            right = [f"{spoken(entry.key)} ({show(entry.value)})" for entry in declared.mapping.entries if entry.value > 0]
        if not right and declared.areas is not None:
            right = [f"{area.shape} {' '.join(map(str, area.coordinates))} ({show(area.value)})" for area in declared.areas.entries if area.value > 0]
        if right:
            joined = " ; ".join(f"{place}. {text}" for place, text in enumerate(right, 1)) if declared.cardinality == "ordered" else " ; ".join(right)
            lines.append(f"[{number}] {joined}" if len(item.interactions) > 1 else joined)
    return lines
