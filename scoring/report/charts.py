"""The charts of the report: values in, SVG out. Position and length, direct labels, intervals as a line with a dot.

All are 352 units wide or narrower, so that a telephone shows them at full size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.report.svg import (
    AMBER,
    GROUND,
    INK,
    LINE,
    PALE,
    QUIET,
    RED,
    SIZE,
    TEAL,
    Drawing,
    Number,
    Scale,
    shorten,
)

Floats = NDArray[np.float64]

WIDTH = 352
PANEL = 168
ROW = 20


@dataclass(frozen=True)
class Column:
    """One panel of `rows_of_dots`: values with intervals (rows × 2, or None), over `low` … `high`; `marks` are lines of reference
    with their words ("" = none)."""

    label: str
    value: Floats
    interval: Floats | None
    low: float
    high: float
    marks: tuple[tuple[float, str], ...] = ()


def histogram(
    title: str,
    edges: Floats,
    counts: Floats,
    number: Number,
    *,
    label: str,
    marks: Sequence[tuple[float, str]] = (),
    alert_below: float | None = None,
) -> str:
    """Bars of `counts` between `edges`; `marks`: values with a word, staggered; bars left of `alert_below` in red."""
    top = 20 + SIZE * len(marks)
    drawing = Drawing(WIDTH, top + 150 + 40)
    x = Scale(float(edges[0]), float(edges[-1]), 36, WIDTH - 12)
    y = Scale(0.0, max(float(counts.max()), 1.0), top + 150, top)
    drawing.left_axis(y, 36, number, grid_to=WIDTH - 12, whole=True)
    gap = 1.0 if len(counts) < 80 else 0.0
    for left, right, count in zip(edges[:-1], edges[1:], counts, strict=True):
        colour = RED if alert_below is not None and right <= alert_below + 1e-9 else TEAL
        drawing.bar(x(left) + gap / 2, y(count), x(right) - x(left) - gap, y(0) - y(count), colour)
    drawing.bottom_axis(x, top + 150, number, label=label)
    for row, (value, words) in enumerate(marks):
        at, height = x(value), 12 + row * (SIZE + 1)
        drawing.line(at, height - 4, at, top + 150, INK, 1.25, "3 2")
        right = at < WIDTH * 0.55
        drawing.text(at + (4 if right else -4), height + 3, words, anchor="start" if right else "end", colour=INK)
    return drawing.svg(title)


def rows_of_dots(
    title: str, names: Sequence[str], columns: Sequence[Column], number: Number, flagged: Sequence[bool] | None = None
) -> str:
    """A row per name, a panel per column: line from lower to upper limit, dot at the value. Flagged rows have a red diamond
    and strong letters; an interval over the whole range (the sample bounds nothing) is drawn pale with a ring."""
    longest = max((len(name) for name in names), default=0)
    room = min(max(40, 7.2 * min(longest, 18) + 8), 132)
    top = 22 + (14 if any(words for column in columns for _, words in column.marks) else 0)
    bottom = top + ROW * len(names) + 2
    drawing = Drawing(WIDTH, bottom + 20)
    each = (WIDTH - room - 8) / len(columns)
    scales = [
        Scale(column.low, column.high, room + place * each + 10, room + (place + 1) * each - 10)
        for place, column in enumerate(columns)
    ]
    for column, x in zip(columns, scales, strict=True):
        drawing.text((x.start + x.end) / 2, 12, column.label, anchor="middle", colour=INK, strong=True)
        drawing.bottom_axis(x, bottom, number, most=4, grid_to=top)
        for value, words in column.marks:
            drawing.line(x(value), top, x(value), bottom, QUIET, 1.25, "3 2")
            if words:
                drawing.text(x(value), top - 4, words, anchor="middle")
    for row, name in enumerate(names):
        y = top + ROW * row + ROW / 2
        bad = flagged is not None and flagged[row]
        drawing.text(room - 4, y + 4, shorten(name, int(room // 7)), anchor="end", colour=RED if bad else INK, strong=bad)
        for column, x in zip(columns, scales, strict=True):
            _dot_with_line(drawing, column, row, x, y, bad)
    return drawing.svg(title)


def _dot_with_line(drawing: Drawing, column: Column, row: int, x: Scale, y: float, bad: bool) -> None:
    value = float(column.value[row])
    unbounded = False
    if column.interval is not None:
        low, high = (float(v) for v in column.interval[row])
        if np.isnan(low) or np.isnan(high):
            low, high = column.low, column.high
        unbounded = low <= column.low and high >= column.high
        drawing.line(x(low), y, x(high), y, LINE if unbounded else RED if bad else TEAL, 2)
    if np.isnan(value):
        return
    inside = column.low <= value <= column.high
    shape = "diamond" if bad else "circle" if inside and not unbounded else "ring"
    drawing.dot(x(value), y, RED if bad else QUIET if unbounded else TEAL, shape=shape)


def option_shares(
    title: str,
    item: str,
    options: Sequence[str],
    key: int,
    share: Floats,
    interval: Floats,
    discrimination: Floats,
    number: Number,
    suspected: Sequence[int] = (),
) -> str:
    """A bar for each option with its interval; the key dark, its letter strong; on the right the option's correlation with the
    rest of the paper. Suspected options are red."""
    drawing = Drawing(PANEL, 24 + ROW * len(options) + 4)
    longest = max(len(shorten(option, 8)) for option in options)
    x = Scale(0.0, 1.0, max(16, 7 * longest + 6), PANEL - 44)
    drawing.text(0, 13, shorten(item, 14), colour=INK, strong=True)
    drawing.text(PANEL, 13, "r", anchor="end")
    for row, option in enumerate(options):
        y = 24 + ROW * row + ROW / 2
        colour = RED if row in suspected else TEAL if row == key else PALE
        drawing.bar(x.start, y - 6, x(float(share[row])) - x.start, 12, colour)
        drawing.line(x(float(interval[row, 0])), y, x(float(interval[row, 1])), y, INK, 1.25)
        chosen = row == key or row in suspected
        drawing.text(x.start - 4, y + 4, shorten(option, 8), anchor="end", colour=INK if chosen else QUIET, strong=chosen)
        r = float(discrimination[row])
        words = "–" if np.isnan(r) else number(r, 2)
        drawing.text(PANEL, y + 4, words, anchor="end", colour=RED if row in suspected else INK)
    drawing.line(x.start, 24, x.start, 24 + ROW * len(options), QUIET)
    return drawing.svg(title)


@dataclass(frozen=True)
class Curve:
    """One line of `curves` with the word at its end or peak ("" = none)."""

    x: Floats
    y: Floats
    word: str = ""
    colour: str = TEAL
    dash: str = ""


def curves(
    title: str,
    lines: Sequence[Curve],
    number: Number,
    *,
    label: str,
    heading: str = "",
    top: float | None = None,
    dots: tuple[Floats, Floats, Floats] | None = None,
    width: int = WIDTH,
    height: int = 150,
    bad: bool = False,
    word_at: str = "peak",
) -> str:
    """Lines over a common axis from 0 (or below) to `top`. `dots`: places, values and intervals of what was observed."""
    first = 26 if heading else 12
    left = 30 if width < WIDTH else 40
    drawing = Drawing(width, first + height + (22 if not label else 40))
    if heading:
        drawing.text(0, 13, shorten(heading, width // 9), colour=RED if bad else INK, strong=True)
    everything = np.concatenate([line.x for line in lines])
    values = np.concatenate([line.y for line in lines])
    x = Scale(float(everything.min()), float(everything.max()), left, width - 8)
    highest = top if top is not None else float(values.max()) * 1.08
    y = Scale(0.0, highest if highest > 0 else 1.0, first + height, first)
    drawing.left_axis(y, left, number, most=4 if width == WIDTH else 2, grid_to=width - 8)
    drawing.bottom_axis(x, first + height, number, label=label, most=6 if width == WIDTH else 3)
    for line in lines:
        points = [(x(float(a)), y(float(b))) for a, b in zip(line.x, line.y, strict=True)]
        drawing.path(points, RED if bad and line.colour == TEAL else line.colour, dash=line.dash)
        if line.word:
            at = int(np.argmax(line.y)) if word_at == "peak" else len(line.x) - 1
            place = points[at]
            near = "start" if place[0] < left + 30 else "end" if place[0] > width - 50 else "middle"
            drawing.text(place[0], max(place[1] - 4, first + 4), line.word, anchor=near, colour=INK)
    if dots is not None:
        for place, value, (low, high) in zip(*dots, strict=True):
            drawing.line(x(place), y(low), x(place), y(high), INK, 1.25)
            drawing.dot(x(place), y(value), INK, 2.5)
    return drawing.svg(title)


def wright_map(
    title: str,
    ability: Floats,
    difficulty: Floats,
    names: Sequence[str],
    number: Number,
    *,
    persons: str,
    items: str,
    alert: Sequence[bool],
) -> str:
    """Persons as bars to the left, items by name to the right of one vertical scale. Rows are half a unit high; names that do not
    fit into their row are counted."""
    both = np.concatenate([np.clip(ability, -6, 6), np.clip(difficulty, -6, 6)])
    low, high = np.floor(both.min() * 2) / 2, np.floor(both.max() * 2) / 2 + 0.5
    edges = np.arange(low, high + 0.25, 0.5)
    counts = np.histogram(np.clip(ability, -6, 6), edges)[0]
    rows = edges.size - 1
    height = 24
    drawing = Drawing(WIDTH, 26 + height * rows + 14)
    axis, left = 150.0, 8.0
    length = Scale(0.0, max(float(counts.max()), 1.0), axis - 34, left)
    y = Scale(float(low), float(high), 26 + height * rows, 26)
    drawing.text(axis - 34, 13, persons, anchor="end", colour=INK, strong=True)
    drawing.text(axis + 14, 13, items, colour=INK, strong=True)
    for row in range(rows):
        up, down = y(float(edges[row + 1])), y(float(edges[row]))
        if row % 2:
            drawing.bar(left, up, WIDTH - left - 8, down - up, GROUND)
    for row in range(rows):
        up, down = y(float(edges[row + 1])), y(float(edges[row]))
        drawing.bar(length(float(counts[row])), up + 3, axis - 34 - length(float(counts[row])), down - up - 6, TEAL)
        inside = np.flatnonzero((np.clip(difficulty, -6, 6) >= edges[row]) & (np.clip(difficulty, -6, 6) < edges[row + 1]))
        _names_in_row(drawing, [(names[j], alert[j]) for j in inside[np.argsort(difficulty[inside])]], axis + 14, (up + down) / 2 + 4)
    for value in np.arange(np.ceil(low), np.floor(high) + 1):
        drawing.text(axis - 10, y(float(value)) + 4, number(float(value), 0), anchor="middle")
    drawing.line(axis + 4, 26, axis + 4, 26 + height * rows, QUIET)
    return drawing.svg(title)


def _names_in_row(drawing: Drawing, names: list[tuple[str, bool]], x: float, y: float) -> None:
    for place, (name, bad) in enumerate(names):
        width = 7.2 * len(shorten(name, 12)) + 9
        left = len(names) - place
        if x + width > WIDTH - (36 if left > 1 else 8):
            drawing.text(x, y, f"+{left}", colour=QUIET)
            return
        drawing.text(x, y, shorten(name, 12), colour=AMBER if bad else INK, strong=bad)
        x += width
