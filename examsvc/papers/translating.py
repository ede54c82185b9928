"""Translating a question side by side: its texts with their places in the native table, and the table with other texts in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Table = dict[str, Any]


def texts(table: Mapping[str, Any], languages: Sequence[str]) -> list[tuple[tuple[str | int, ...], dict[str, str]]]:
    """Every text of a question with its place in the table, in order: for translating side by side."""
    found: list[tuple[tuple[str | int, ...], dict[str, str]]] = []

    def walk(value: Any, path: tuple[str | int, ...]) -> None:
        if isinstance(value, list):
            for place, one in enumerate(value):
                walk(one, (*path, place))
        elif isinstance(value, Mapping):
            if is_text(value, languages):
                found.append((path, {language: str(value.get(language, "")) for language in languages}))
            else:
                for key, one in value.items():
                    walk(one, (*path, key))

    walk(table, ())
    return found


def is_text(value: Mapping[str, Any], languages: Sequence[str]) -> bool:
    return bool(value) and set(value) <= {*languages, "format"} and all(isinstance(one, str) for one in value.values())


def translated(table: Mapping[str, Any], change: Callable[[tuple[str | int, ...], dict[str, str]], dict[str, str]], languages: Sequence[str]) -> Table:
    """The table with every text replaced by what ``change`` gives for its place; an empty translation is left out."""

    def walk(value: Any, path: tuple[str | int, ...]) -> Any:
        if isinstance(value, list):
            return [walk(one, (*path, place)) for place, one in enumerate(value)]
        if isinstance(value, Mapping):
            if is_text(value, languages):
                now = change(path, {language: str(value.get(language, "")) for language in languages})
                return {key: one for key, one in (dict(value) | now).items() if one}
            return {key: walk(one, (*path, key)) for key, one in value.items()}
        return value

    made: Table = walk(table, ())
    return made
