"""Assembling a form from a blueprint: reproducible from its seed by anyone who has the bank."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from examsvc.base.errors import N_, Refused


@dataclass(frozen=True)
class Candidate:
    """An item that may be drawn: what the blueprint asks about, and the items it must not stand beside."""

    digest: str
    identifier: str
    kind: str
    topic: str
    level: str
    enemies: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Cell:
    """One cell of a blueprint: so many items of these topics, levels and kinds, each worth these marks.

    An empty tuple means any.  A topic covers those below it ("finance" covers "finance.budget").
    """

    count: int
    marks: str
    topics: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    def takes(self, item: Candidate) -> bool:
        return (
            (not self.topics or any(item.topic == t or item.topic.startswith(t + ".") for t in self.topics))
            and (not self.levels or item.level in self.levels)
            and (not self.kinds or item.kind in self.kinds)
        )

    @classmethod
    def read(cls, cell: Mapping[str, object]) -> Cell:
        def names(key: str) -> tuple[str, ...]:
            value = cell.get(key, ())
            return tuple(str(v) for v in value) if isinstance(value, Iterable) and not isinstance(value, str) else ()

        return cls(int(str(cell["count"])), str(cell["marks"]), names("topics"), names("levels"), names("kinds"))


def draw(pool: Sequence[Candidate], cells: Sequence[Cell], seed: str) -> list[tuple[Candidate, str]]:
    """Items with their marks, cell after cell, each cell in the order of SHA-256(seed, digest).

    An item is drawn at most once and never beside an enemy.  Refused, naming the cell, when the bank is too small.
    """
    ordered = sorted(pool, key=lambda item: hashlib.sha256(f"{seed}:{item.digest}".encode()).digest())
    taken: list[tuple[Candidate, str]] = []
    names: set[str] = set()
    barred: set[str] = set()
    for number, cell in enumerate(cells, start=1):
        found = 0
        for item in ordered:
            if found == cell.count:
                break
            if item.identifier in names or item.identifier in barred or item.enemies & names or not cell.takes(item):
                continue
            names.add(item.identifier)
            barred |= item.enemies
            taken.append((item, cell.marks))
            found += 1
        if found < cell.count:
            raise Refused(
                N_(
                    "Line %(line)d of the blueprint asks for %(asked)d items, but the bank has only %(found)d that fit."
                    " Lower the number or widen the line."
                ),
                line=number,
                asked=cell.count,
                found=found,
            )
    return taken
