"""What a stem states in figures, read from its Markdown in either language: tables and the numbers of the prose."""

import re
from dataclasses import dataclass
from fractions import Fraction

NUMBER = {
    "vi": re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d+(?:,\d+)?"),
    "en": re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"),
}
GROUP, POINT = {"vi": ".", "en": ","}, {"vi": ",", "en": "."}


def numbers(text: str, language: str) -> list[Fraction]:
    """The numbers of a text in order; gaps such as [[g1]] are no numbers."""
    text = re.sub(r"\[\[\w+\]\]", " ", text)
    found = NUMBER[language].findall(text)
    return [Fraction(n.replace(GROUP[language], "").replace(POINT[language], ".")) for n in found]


@dataclass(frozen=True)
class Stem:
    text: str
    language: str

    @property
    def rows(self) -> list[list[str]]:
        """The cells of the table without its header."""
        lines = [line for line in self.text.split("\n") if line.startswith("|")]
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]

    @property
    def labels(self) -> list[str]:
        return [row[0] for row in self.rows]

    @property
    def table(self) -> list[list[Fraction]]:
        """The figures of each row; a row's label is left out, as are cells without a figure."""
        return [[n for cell in row[1:] for n in numbers(cell, self.language)] for row in self.rows]

    @property
    def columns(self) -> list[tuple[Fraction, ...]]:
        return list(zip(*self.table, strict=True))

    @property
    def prose(self) -> list[Fraction]:
        lines = [line for line in self.text.split("\n") if not line.startswith("|")]
        return numbers("\n".join(lines), self.language)


def best(stem: Stem, value: list[Fraction]) -> str:
    """The label of the row with the greatest value, which must be the only one."""
    assert sorted(value)[-1] > sorted(value)[-2]
    return stem.labels[value.index(max(value))]


def ranked(stem: Stem, value: list[tuple[Fraction, ...]]) -> list[str]:
    """The labels from the greatest to the smallest value; no two are equal."""
    assert len(set(value)) == len(value)
    return [label for _, label in sorted(zip(value, stem.labels, strict=True), reverse=True)]


def finish(stem: Stem, delays: dict[str, int] | None = None) -> dict[str, Fraction]:
    """When each task of a table (task, days, tasks to be finished first) ends at the earliest."""
    ends: dict[str, Fraction] = {}
    for label, days, first in stem.rows:
        before = [ends[name] for name in re.findall(r"[A-Z]", first)]
        start = max(before, default=Fraction(0))
        ends[label[0]] = start + numbers(days, stem.language)[0] + (delays or {}).get(label[0], 0)
    return ends
