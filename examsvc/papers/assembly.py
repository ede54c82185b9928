"""Choosing the questions of a form: reproducible by anyone who has the bank, the blueprint and the seed.

Each item gets a lot, SHA-256(seed, digest) as a number from 0 to 1.  Among all forms that meet the blueprint (each line
filled, no item twice, no two enemies, the demands on the whole, about as much to read as the blueprint's average) the one with the
greatest sum of lots is taken, by mixed integer programming (`scoring.assembly`) to the proven optimum.  Two such sums are practically
never equal, so the form follows from the seed alone, whichever solver finds it.

Where more than `SHORTLIST` questions fit a line, those with the greatest lots are tried first, and all of them only if those give no form
of about the average reading time: still the same form for everybody who has the seed.

Where the blueprint aims at information, the best that any such form reaches is found first; then the lot decides among the forms
that reach nearly as much (`NEARLY`), so that the same few questions do not stand in every paper.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from examsvc.base import language
from examsvc.base.errors import N_, Refused
from examsvc.papers.rules import Candidate, Cell, Demands
from scoring.assembly import (
    Assembly,
    Blueprint,
    Constraint,
    ContradictoryBlueprint,
    Maximin,
    Maximise,
    Objective,
    Pool,
    StimulusRule,
    Target,
    assemble,
)
from scoring.assembly.conflict import Conflict
from scoring.errors import NotConverged
from scoring.irt.information import information
from scoring.irt.parameters import ItemParameters

READING_WINDOWS: tuple[float | None, ...] = (0.1, 0.25, None)
"""Tried one after the other: by how much a form's words may differ from the average that its blueprint expects, so that main and
spare take equally long to read; None when the bank allows neither."""
NEARLY = 0.95
"""A form that aims at information reaches at least this share of the best; of a target it misses at most 1 − NEARLY more than the best."""
SHORTLIST = 1000
"""So many of a line's questions, or ten times as many as it asks for, are tried first where the lot alone decides: of ten thousand
questions a form is then found in a tenth of the time."""
NONE = Demands()
SECONDS = 60.0
"""How long a solver may take for one form."""


@dataclass(frozen=True)
class Chosen:
    """A question of the form: the item, its marks, and the blueprint's line (from 1) that it fills."""

    item: Candidate
    marks: str
    line: int


def lot(seed: str, digest: str) -> float:
    """The item's number in this draw: the first 56 bits of SHA-256("seed:digest") as a fraction from 0 to 1."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{digest}".encode()).digest()[:7], "big") / 2**56


def curves(items: Sequence[Candidate], points: Sequence[float]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """items × points: Fisher information of each item, 0 where its parameters are not known."""
    table = np.zeros((len(items), len(points)))
    known = [place for place, item in enumerate(items) if item.curve is not None]
    if known and len(points):
        given = np.array([items[place].curve for place in known], dtype=float)
        parameters = ItemParameters.of("3PL", slope=given[:, 0], difficulty=given[:, 1], lower_asymptote=given[:, 2])
        table[known] = information(parameters, np.asarray(points, dtype=float)).item.T
    return table


def choose(
    stock: Sequence[Candidate],
    cells: Sequence[Cell],
    seed: str,
    *,
    excluded: Collection[str] = (),
    demands: Demands = NONE,
    like: Sequence[Candidate] = (),
) -> list[Chosen]:
    """The questions of a form, line after line, within a line by lot.

    ``excluded`` are identifiers that must not be taken (those of the other paper); ``like`` are the questions of the form to which
    this one shall be parallel where the blueprint aims at most information.  Refused, naming the line or the demands in conflict,
    when the bank cannot give such a form.
    """
    free = [item for item in stock if item.identifier not in excluded and demands.admits(item)]
    barred = [item for item in stock if item.identifier not in excluded and not demands.admits(item)]
    _require_stock(free, barred, cells)
    pairs: Pairs = [
        (number, cell, item) for number, cell in enumerate(cells, start=1) for item in free if cell.takes(item)
    ]
    if not pairs:
        raise Refused(N_("The blueprint asks for no question. Fill in at least one line."))
    points = [float(one) for one in demands.points] if demands.aim != "lot" else []
    expected = sum(
        cell.count * _mean([item.words for item in free if cell.takes(item)]) for cell in cells if cell.count
    )
    short = _shortlist(pairs, seed) if demands.aim == "lot" else pairs
    tries: list[tuple[Pairs, float | None]] = [(pairs, window) for window in READING_WINDOWS]
    if len(short) < len(pairs):
        tries = [(short, window) for window in READING_WINDOWS if window is not None] + tries
    pools: dict[int, tuple[Pool, list[Constraint]]] = {}
    for pairs, window in tries:
        if len(pairs) not in pools:
            pools[len(pairs)] = (_pool(pairs, seed, points, demands), [*_lines(cells), *_whole(demands, pairs)])
        pool, whole = pools[len(pairs)]
        constraints = list(whole)
        if window is not None:
            if not expected:
                continue
            constraints.append(Constraint("reading", expected * (1 - window), expected * (1 + window), measure="sum", of="words"))
        try:
            made = _drawn(pool, constraints, cells, pairs, demands, points, like)
        except ContradictoryBlueprint as contradiction:
            if window is None:
                raise _impossible(contradiction.conflict, cells) from None
            continue
        by_name = dict(zip(pool.ids, pairs, strict=True))
        taken = [by_name[name] for name in made.forms[0].items]
        lines_of = _settled({item: number for number, _, item in taken}, cells, seed)
        ordered = sorted(lines_of.items(), key=lambda one: (one[1], lot(seed, one[0].digest)))
        return [Chosen(item, cells[number - 1].marks, number) for item, number in ordered]
    raise AssertionError("the last window always answers")


Pairs = Sequence[tuple[int, Cell, Candidate]]


def _shortlist(pairs: Pairs, seed: str) -> Pairs:
    """Of each line the questions with the greatest lots."""
    by_line: dict[int, list[tuple[int, Cell, Candidate]]] = {}
    for pair in pairs:
        by_line.setdefault(pair[0], []).append(pair)
    kept = []
    for of_line in by_line.values():
        most = max(SHORTLIST, 10 * of_line[0][1].count)
        kept += sorted(of_line, key=lambda pair: -lot(seed, pair[2].digest))[:most] if len(of_line) > most else of_line
    return kept


def _require_stock(free: Sequence[Candidate], barred: Sequence[Candidate], cells: Sequence[Cell]) -> None:
    for number, cell in enumerate(cells, start=1):
        fitting = sum(1 for item in free if cell.takes(item))
        if fitting >= cell.count:
            continue
        kept_out = sum(1 for item in barred if cell.takes(item))
        if kept_out:
            raise Refused(
                N_(
                    "Line %(line)d of the blueprint asks for %(asked)d questions, but the bank has only %(found)d free ones that"
                    " fit; %(barred)d more are drafts or were used too often. Lower the number, widen the line, or ask for less."
                ),
                line=number,
                asked=cell.count,
                found=fitting,
                barred=kept_out,
            )
        raise Refused(
            N_(
                "Line %(line)d of the blueprint asks for %(asked)d questions, but the bank has only %(found)d free ones that"
                " fit. Lower the number or widen the line."
            ),
            line=number,
            asked=cell.count,
            found=fitting,
        )


def _pool(pairs: Pairs, seed: str, points: Sequence[float], demands: Demands) -> Pool:
    items = [item for _, _, item in pairs]
    table = curves(items, points)
    if points and not table.any():
        raise Refused(
            N_(
                "No question that fits has the parameters (a, b, c) from which information is computed. Draw by lot, or bring the"
                " parameters into the bank."
            )
        )
    columns: dict[str, Sequence[object]] = {
        "line": [str(number) for number, _, _ in pairs],
        "lot": [lot(seed, item.digest) for item in items],
        "words": [float(item.words) for item in items],
        "minutes": [float(item.minutes or 0) for item in items],
    }
    columns |= {f"information {place}": [float(one) for one in table[:, place]] for place in range(len(points))}
    names = [f"{number}:{item.identifier}" for number, _, item in pairs]
    return Pool.of(names, columns, stimuli=[item.identifier for item in items])


def _lines(cells: Sequence[Cell]) -> list[Constraint]:
    return [
        Constraint(str(number), cell.count, cell.count, {"line": str(number)})
        for number, cell in enumerate(cells, start=1)
    ]


def _whole(demands: Demands, pairs: Pairs) -> list[Constraint]:
    """The demands on the form as a whole."""
    found = []
    low, high = demands.words
    if low is not None or high is not None:
        found.append(
            Constraint("words", -math.inf if low is None else low, math.inf if high is None else high, measure="sum", of="words")
        )
    if demands.minutes is not None:
        if any(item.minutes is None for _, _, item in pairs):
            unknown = next(item.identifier for _, _, item in pairs if item.minutes is None)
            raise Refused(
                N_("The expected minutes of the question %(name)s are not known. Enter them, or leave the limit of minutes empty."), name=unknown
            )
        found.append(Constraint("minutes", high=float(demands.minutes), measure="sum", of="minutes"))
    return found


def _drawn(
    pool: Pool,
    constraints: Sequence[Constraint],
    cells: Sequence[Cell],
    pairs: Pairs,
    demands: Demands,
    points: Sequence[float],
    like: Sequence[Candidate],
) -> Assembly:
    wanted = sum(cell.count for cell in cells)

    def solved(objective: Objective, more: Sequence[Constraint], gap: float) -> Assembly:
        blueprint = Blueprint(
            length=(wanted, wanted),
            constraints=(*constraints, *more),
            objective=objective,
            enemies=_enemies(pairs),
            stimuli=StimulusRule(items=(1, 1)),
        )
        late = Refused(N_("No paper was found in %(seconds)d seconds. Ask for less at once, or draw by lot."), seconds=int(SECONDS))
        try:
            made = assemble(pool, blueprint, gap=gap, time_limit=SECONDS)
        except NotConverged:
            raise late from None
        if made.status != "optimal":
            raise late  # the best so far depends on how fast the machine is: nobody could draw it again
        return made

    more: list[Constraint] = []
    if points:
        columns = [f"information {place}" for place in range(len(points))]
        if demands.aim == "most" and not like:
            best = solved(Maximin([1.0] * len(points), columns), (), 0.01).objective
            more = [Constraint(f"information {place}", low=best * NEARLY, measure="sum", of=name) for place, name in enumerate(columns)]
        else:
            aims = [float(one) for one in demands.target] if demands.aim == "target" else list(curves(like, points).sum(axis=0))
            missed = solved(Target(aims, of=columns), (), 0.01).objective
            more = [
                Constraint(
                    f"information {place}",
                    low=aim - missed - (1 - NEARLY) * aim,
                    high=aim + missed + (1 - NEARLY) * aim,
                    measure="sum",
                    of=name,
                )
                for place, (name, aim) in enumerate(zip(columns, aims, strict=True))
            ]
    return solved(Maximise([1.0], ["lot"]), more, 0)


# -------------------------------------------------------------------------------- what is in conflict


def _impossible(conflict: Sequence[Conflict], cells: Sequence[Cell]) -> Refused:
    """The refusal that names every demand of the contradiction and what the bank allows."""
    lines = sorted({int(one.name) for one in conflict if one.name.isdigit()})
    if not any(one.name in ("words", "minutes") for one in conflict):
        return Refused(
            N_(
                "No paper can be made of this bank: the lines %(lines)s of the blueprint ask for the same questions, or for"
                " questions that must not stand together. Widen one of them, or add questions."
            ),
            lines=", ".join(str(line) for line in (lines if len(lines) > 1 else range(1, len(cells) + 1))),
        )
    return Refused(
        N_("No paper can be made of this bank: these demands contradict each other: %(demands)s. Relax one of them, or add questions."),
        demands={
            tongue: "; ".join(text for one in conflict if (text := _demand(one, cells, tongue))) for tongue in language.LANGUAGES
        },
    )


def _demand(one: Conflict, cells: Sequence[Cell], tongue: str) -> str:
    """One member of a contradiction in words; empty where it says nothing of its own."""

    def say(text: str, **params: object) -> str:
        return language.sentence(tongue, text, **params)

    def number(value: float) -> str:
        return language.number(Fraction(value).limit_denominator(10), tongue)

    def between(low: float | None, high: float | None) -> str:
        least = low if low is not None and math.isfinite(low) else None
        most = high if high is not None and math.isfinite(high) else None
        if least is None or most is None:
            return f"≥ {number(least)}" if least is not None else f"≤ {number(most)}" if most is not None else "?"
        return number(least) if least == most else f"{number(least)}–{number(most)}"

    if one.name.isdigit():
        return say(N_("line %(line)s (%(count)d questions)"), line=one.name, count=cells[int(one.name) - 1].count)
    if one.name in ("words", "minutes"):
        what = say(N_("words to read") if one.name == "words" else N_("expected minutes"))
        asked, possible = between(one.low, one.high), between(one.available_low, one.available_high)
        return say(N_("%(what)s: %(asked)s asked, %(possible)s possible with the rest"), what=what, asked=asked, possible=possible)
    if one.name.startswith("enemies "):
        names = sorted({part.partition(":")[2] for part in one.name.removeprefix("enemies ").split(", ")})
        return say(N_("%(names)s never in one paper"), names=", ".join(names))
    return ""


# -------------------------------------------------------------------------------- which question fills which line


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
