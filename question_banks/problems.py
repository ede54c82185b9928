"""What a reader, a writer or the lint has to say: a code, its parameters and one English sentence.

Pages translate by `code` and fill in `parameters`; the sentence is what a command prints. Every code is a key of
MESSAGES, so a missing translation can be found by a test.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["lossy", "refused"]
Weight = Literal["error", "warning", "advice"]

MESSAGES: dict[str, str] = {}


def declare(messages: Mapping[str, str]) -> None:
    """Adds message templates; a code may be declared once only."""
    for code, template in messages.items():
        if code in MESSAGES:
            raise ValueError(f"The message code {code} is declared twice.")
        MESSAGES[code] = template


def sentence(code: str, parameters: Mapping[str, str]) -> str:
    return MESSAGES[code].format_map({name: shorten(value) for name, value in parameters.items()})


def shorten(text: str, length: int = 120) -> str:
    """The text on one line, printable, at most `length` characters: parameters come from strangers' files."""
    line = " ".join("".join(c if c.isprintable() or c.isspace() else "�" for c in text[: 4 * length]).split())
    return line if len(line) <= length else line[: length - 1] + "…"


class BankError(Exception):
    """Nothing of a source can be read, or nothing of a bank written. `message` says what to do."""

    def __init__(self, code: str, *, file: str = "", line: int | None = None, **parameters: object) -> None:
        self.code = code
        self.parameters = {name: str(value) for name, value in parameters.items()}
        self.message = sentence(code, self.parameters)
        self.file = file
        self.line = line
        place = (
            f"{file}:{line}: " if file and line else f"{file}: " if file else f"line {line}: " if line else ""
        )
        super().__init__(place + self.message)


class ItemError(Exception):
    """One item cannot be carried; raised inside a reader or writer and turned into a Problem there."""

    def __init__(self, code: str, where: str = "", **parameters: object) -> None:
        self.code = code
        self.where = where
        self.parameters = {name: str(value) for name, value in parameters.items()}
        super().__init__(sentence(code, self.parameters))


@dataclass(frozen=True)
class Problem:
    """An item that was taken with loss or refused; `item` is its identifier ("" for the bank itself)."""

    item: str
    severity: Severity
    where: str  # file, line or path inside the source
    code: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def message(self) -> str:
        return sentence(self.code, self.parameters)

    def __str__(self) -> str:
        head = " ".join(part for part in (self.item, f"({self.where})" if self.where else "") if part)
        return f"{head + ': ' if head else ''}{self.severity}: {self.message}"


@dataclass(frozen=True)
class Finding:
    """What the lint found in an item ("" for the bank): an error must be mended, a warning looked at."""

    item: str
    weight: Weight
    where: str
    code: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def message(self) -> str:
        return sentence(self.code, self.parameters)

    def __str__(self) -> str:
        place = f" {self.where}" if self.where else ""
        return f"{self.item or 'bank'}{place}: {self.weight}: {self.message}"


@dataclass(frozen=True)
class Acceptance:
    """Whether responses are well formed: true or false in a condition; when false, which one and why."""

    code: str = ""
    response: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return not self.code

    @property
    def message(self) -> str:
        return sentence(self.code, self.parameters) if self.code else ""


class ProblemLog:
    """Collects the problems of one reading or writing; beyond the limit they are counted, not kept."""

    def __init__(self, limit: int = 20_000) -> None:
        self._problems: list[Problem] = []
        self._seen: set[tuple[str, str, str, tuple[tuple[str, str], ...]]] = set()
        self._limit = limit
        self._dropped = 0

    def lossy(self, code: str, item: str = "", where: str = "", **parameters: object) -> None:
        self._add(item, "lossy", where, code, parameters)

    def refused(self, code: str, item: str = "", where: str = "", **parameters: object) -> None:
        self._add(item, "refused", where, code, parameters)

    def refusal(self, item: str, where: str, refusal: ItemError) -> None:
        place = ", ".join(part for part in (where, refusal.where) if part)
        self._add(item, "refused", place, refusal.code, refusal.parameters)

    def _add(
        self, item: str, severity: Severity, where: str, code: str, parameters: Mapping[str, object]
    ) -> None:
        words = {name: str(value) for name, value in parameters.items()}
        sentence(code, words)  # a wrong code or parameter shows here, not on somebody's page
        key = (item, where, code, tuple(sorted(words.items())))
        if key in self._seen:
            return
        if len(self._problems) >= self._limit:
            self._dropped += 1
            return
        self._seen.add(key)
        self._problems.append(Problem(item, severity, where, code, words))

    def close(self) -> tuple[Problem, ...]:
        if self._dropped:
            self._problems.append(Problem("", "lossy", "", "more-problems", {"number": str(self._dropped)}))
            self._dropped = 0
        return tuple(self._problems)


declare({"more-problems": "{number} further problems are not listed."})
