"""What question_banks has to say about a file or a question, in the language of the reader."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Protocol

from question_banks.problems import sentence, shorten

FOLDER = Path(__file__).parents[1] / "translations"


class Saying(Protocol):
    """A Problem, Finding, BankError or ItemError."""

    @property
    def code(self) -> str: ...
    @property
    def parameters(self) -> Mapping[str, str]: ...


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """The messages of question_banks in that language, by code; empty where it needs none (English)."""
    path = FOLDER / language / "question_banks.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def say(one: Saying, language: str) -> str:
    """The message as a sentence; in English where the language has none."""
    template = catalogue(language).get(one.code)
    if template is None:
        return sentence(one.code, one.parameters)
    return template.format_map({name: shorten(value) for name, value in one.parameters.items()})


_PLACES = {
    "vi": {"line": "dòng", "row": "dòng", "question": "câu", "item": "câu", "the head of the bank": "phần đầu của ngân hàng"},
}


def where(place: str, language: str) -> str:
    """The place inside a file in the reader's language: "line 12" as "dòng 12"; names of files stay."""
    words = _PLACES.get(language, {})
    if place in words:
        return words[place]
    return re.sub(r"\b(line|row|question|item) (?=\d)", lambda found: f"{words.get(found[1], found[1])} ", place)


def both(one: Saying) -> dict[str, str]:
    """The message in every language, as a parameter of a refusal."""
    return {language: say(one, language) for language in ("vi", "en")}
