"""Choosing the questions of a form: reproducible by anyone who has the bank, the blueprint and the seed.

Each item gets a lot, SHA-256(seed, digest) as a number from 0 to 1.  Among all forms that meet the blueprint (each line
filled, no item twice, no two enemies, about as much to read as the blueprint's average) the one with the greatest sum of lots is
taken, by mixed integer programming (`scoring.assembly`) to the proven optimum.  Two such sums are practically never equal,
so the form follows from the seed alone, whichever solver finds it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from examsvc.base.errors import N_, Refused
from examsvc.papers.rules import Candidate, Cell
from scoring.assembly import (
    Blueprint,
    Constraint,
    ContradictoryBlueprint,
    Maximise,
    Pool,
    StimulusRule,
    assemble,
)

READING_WINDOWS: tuple[float | None, ...] = (0.1, 0.25, None)
"""Tried one after the other: by how much a form's words may differ from the average that its blueprint expects, so that main and
spare take equally long to read; None when the bank allows neither."""


@dataclass(frozen=True)
class Chosen:
    """A question of the form: the item, its marks, and the blueprint's line (from 1) that it fills."""

    item: Candidate
    marks: str
    line: int


def lot(seed: str, digest: str) -> float:
    """The item's number in this draw: the first 53 bits of SHA-256("seed:digest") as a fraction from 0 to 1."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{digest}".encode()).digest()[:7], "big") / 2**56


def choose(
    stock: Sequence[Candidate], cells: Sequence[Cell], seed: str, *, excluded: Collection[str] = ()
) -> list[Chosen]:
    """The questions of a form, line after line, within a line by lot.

    ``excluded`` are identifiers that must not be taken (those of the other paper).  Refused, naming the line or the lines in
    conflict, when the bank cannot give such a form.
    """
    free = [item for item in stock if item.identifier not in excluded]
    for number, cell in enumerate(cells, start=1):
        fitting = sum(1 for item in free if cell.takes(item))
        if fitting < cell.count:
            raise Refused(
                N_(
                    "Line %(line)d of the blueprint asks for %(asked)d questions, but the bank has only %(found)d free ones that"
                    " fit. Lower the number or widen the line."
                ),
                line=number,
                asked=cell.count,
                found=fitting,
            )
    pairs = [
        (number, cell, item) for number, cell in enumerate(cells, start=1) for item in free if cell.takes(item)
    ]
    if not pairs:
        raise Refused(N_("The blueprint asks for no question. Fill in at least one line."))
    names = [f"{number}:{item.identifier}" for number, _, item in pairs]
    pool = Pool.of(
        names,
        {
            "line": [str(number) for number, _, _ in pairs],
            "lot": [lot(seed, item.digest) for _, _, item in pairs],
            "words": [float(item.words) for _, _, item in pairs],
        },
        stimuli=[item.identifier for _, _, item in pairs],
    )
    by_name = dict(zip(names, pairs, strict=True))
    wanted = sum(cell.count for cell in cells)
    lines = tuple(
        Constraint(str(number), cell.count, cell.count, {"line": str(number)})
        for number, cell in enumerate(cells, start=1)
    )
    expected = sum(
        cell.count * _mean([item.words for item in free if cell.takes(item)]) for cell in cells if cell.count
    )
    for window in READING_WINDOWS:
        reading: tuple[Constraint, ...] = ()
        if window is not None:
            if not expected:
                continue
            low, high = expected * (1 - window), expected * (1 + window)
            reading = (Constraint("reading", low, high, measure="sum", of="words"),)
        blueprint = Blueprint(
            length=(wanted, wanted),
            constraints=(*lines, *reading),
            objective=Maximise([1.0], ["lot"]),
            enemies=_enemies(pairs),
            stimuli=StimulusRule(items=(1, 1)),
        )
        try:
            made = assemble(pool, blueprint, gap=0)
        except ContradictoryBlueprint as conflict:
            if window is not None:
                continue
            raise Refused(
                N_(
                    "No paper can be made of this bank: the lines %(lines)s of the blueprint ask for the same questions, or for"
                    " questions that must not stand together. Widen one of them, or add questions."
                ),
                lines=_named([one.name for one in conflict.conflict], len(cells)),
            ) from None
        taken = [by_name[name] for name in made.forms[0].items]
        lines_of = _settled({item: number for number, _, item in taken}, cells, seed)
        ordered = sorted(lines_of.items(), key=lambda one: (one[1], lot(seed, one[0].digest)))
        return [Chosen(item, cells[number - 1].marks, number) for item, number in ordered]
    raise AssertionError("the last window always answers")


def _named(names: Collection[str], lines: int) -> str:
    """The lines in conflict; all of them where the conflict is between a line and the paper as a whole."""
    found = sorted({int(name) for name in names if name.isdigit()})
    return ", ".join(str(line) for line in (found if len(found) > 1 else range(1, lines + 1)))


def _settled(lines: Mapping[Candidate, int], cells: Sequence[Cell], seed: str) -> dict[Candidate, int]:
    """Which question fills which line, where lines overlap and several answers are possible: the first of all questions by lot takes the
    first line that leaves a line for every other, then the second, and so on."""
    now = dict(lines)
    settled: set[Candidate] = set()
    for item in sorted(now, key=lambda one: lot(seed, one.digest)):
        for line in range(1, now[item]):
            if cells[line - 1].takes(item) and (moves := _chain(now, cells, settled | {item}, line, now[item])) is not None:
                now[item] = line
                now.update(moves)
                break
        settled.add(item)
    return now


def _chain(
    lines: Mapping[Candidate, int], cells: Sequence[Cell], settled: Collection[Candidate], start: int, end: int
) -> dict[Candidate, int] | None:
    """Moves of questions not settled yet that free a place in the line ``start`` and fill one in the line ``end``; None if there are none."""
    came: dict[int, tuple[int, Candidate]] = {}
    waiting = [start]
    while waiting:
        line = waiting.pop(0)
        for item, place in lines.items():
            if place != line or item in settled:
                continue
            for other in range(1, len(cells) + 1):
                if other == start or other in came or not cells[other - 1].takes(item):
                    continue
                came[other] = (line, item)
                waiting.append(other)
                if other == end:
                    moves: dict[Candidate, int] = {}
                    while other != start:
                        origin, mover = came[other]
                        moves[mover], other = other, origin
                    return moves
    return None


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values) if values else 0.0


def _enemies(pairs: Sequence[tuple[int, Cell, Candidate]]) -> tuple[tuple[str, ...], ...]:
    """One group of names for every two items that must not stand in one form."""
    names: dict[str, list[str]] = {}
    for number, _, item in pairs:
        names.setdefault(item.identifier, []).append(f"{number}:{item.identifier}")
    couples = {
        tuple(sorted((item.identifier, enemy)))
        for _, _, item in pairs
        for enemy in item.enemies
        if enemy in names and enemy != item.identifier
    }
    return tuple((*names[first], *names[second]) for first, second in sorted(couples))
