"""What a person can be found by, and a search of the whole database for it: erasure looks whether it left something."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import inspect, select, text
from sqlalchemy.orm import Session

from examsvc.accounts.models import Account
from examsvc.applications.models import Application
from examsvc.base.language import nfc

ERASED = "[…]"
"""What stands in a sentence of the office where a name stood."""
_LONG_NUMBER = re.compile(r"\+?\d[\d .()-]{7,}\d")
_ADDRESS = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]+\.[^\s@<>\"]+")
_BATCH = 500


@dataclass(frozen=True)
class Marks:
    """Strings that lead to a person: the whole name, the address, and telephone and identity numbers from the file."""

    strings: tuple[str, ...]

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        chosen = sorted({one for one in self.strings if len(one) > 1}, key=len, reverse=True)
        return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, chosen)) + r")(?!\w)") if chosen else None

    def found_in(self, value: object) -> bool:
        """Whether a stored value, of any kind, holds one of them."""
        return self.pattern is not None and any(self.pattern.search(one) for one in spoken(value))

    def without(self, value: Any) -> Any:
        """The value with each of them taken out of every string in it."""
        if self.pattern is None:
            return value
        if isinstance(value, str):
            return self.pattern.sub(ERASED, value)
        if isinstance(value, dict):
            return {self.without(name): self.without(one) for name, one in value.items()}
        return [self.without(one) for one in value] if isinstance(value, list) else value

    def __or__(self, other: Marks) -> Marks:
        return Marks(tuple(dict.fromkeys((*self.strings, *other.strings))))


NOTHING = Marks(())


def marks_of(session: Session, application: Application) -> Marks:
    """What leads to the person of this application.

    The name is left out where somebody else with an account bears the same: a sentence about that other person must stay.
    """
    account = application.account
    namesake = session.scalar(
        select(Account.id).where(Account.name == account.name, Account.id != account.id).limit(1)
    )
    strings = [account.email]
    if namesake is None:
        strings.append(nfc(account.name))
    for version in [application.answers, *(one.content for one in application.submissions)]:
        for one in spoken(version):
            strings += [found.strip() for found in (*_LONG_NUMBER.findall(one), *_ADDRESS.findall(one))]
    return Marks(tuple(dict.fromkeys(one for one in strings if not _is_date(one))))


def _is_date(value: str) -> bool:
    return re.fullmatch(r"\d{4}-\d{2}-\d{2}|\d{2}[./-]\d{2}[./-]\d{4}", value) is not None


def spoken(value: object) -> Iterator[str]:
    """Every string inside a value, in NFC: of JSON each string and key, of bytes what they say in UTF-8."""
    if isinstance(value, str):
        yield unicodedata.normalize("NFC", value)
    elif isinstance(value, bytes | memoryview):
        yield unicodedata.normalize("NFC", bytes(value).decode("utf-8", "replace"))
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from spoken(name)
            yield from spoken(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from spoken(one)


def search(session: Session, marks: Marks) -> list[dict[str, Any]]:
    """Where in the whole database one of the marks stands: table, column, and how many rows; nothing of the text itself.

    Tables are taken from the database, not from the models, so that none is forgotten.
    """
    if not marks.strings:
        return []
    connection = session.connection()
    quote = connection.dialect.identifier_preparer.quote
    found: dict[tuple[str, str], int] = {}
    for table in sorted(inspect(connection).get_table_names()):
        rows = connection.execution_options(yield_per=_BATCH).execute(
            text(f"SELECT * FROM {quote(table)}")  # noqa: S608 - names of tables as the database itself gives them
        )
        columns = tuple(rows.keys())
        for row in rows:
            for column, value in zip(columns, row, strict=True):
                if isinstance(value, str) and value[:1] in ("{", "[", '"'):
                    value = _read(value)
                if marks.found_in(value):
                    found[table, column] = found.get((table, column), 0) + 1
    return [{"table": table, "column": column, "rows": rows} for (table, column), rows in sorted(found.items())]


def _read(value: str) -> object:
    """JSON as stored on SQLite, where letters beyond ASCII are escaped; the text itself where it is not JSON."""
    try:
        return json.loads(value)
    except ValueError:
        return value
