"""Charts as SVG: one grammar of position and length, labels at the things themselves, intervals as a line with a dot.

Every chart is a string of SVG with presentation attributes only, so that it stands under a strict content policy, prints, and
scales with the page.  Texts come in ready: translated, numbers as readers write them.  A chart never stands alone: the page
puts a sentence above it and its table below; ``alternative`` is what a screen reader says instead of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from markupsafe import Markup, escape

HUES = ("#0b5d66", "#cbc8f0", "#d67526", "#3a1030")
"""Four hues told apart by those who see no red or no green, and by lightness alone; the first is the accent of the site."""
INK, QUIET, LINE = "#1d1f23", "#4f555d", "#c9cdd2"
DANGER, ATTENTION = "#a4161a", "#8a5a00"
WIDTH = 440
_TEXT = 12
_LETTER = 6.6  # mean width of a letter at that size
_MOST_LABEL = 26


@dataclass(frozen=True)
class Axis:
    """A scale from ``low`` to ``high`` (low < high) with its ticks as (value, text)."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...] = ()

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"an axis from {self.low} to {self.high} has no length")

    def at(self, value: float, start: float, length: float) -> float:
        """Where a value lies on a line; values beyond the ends lie at the end."""
        held = min(max(value, self.low), self.high)
        return start + (held - self.low) / (self.high - self.low) * length


@dataclass(frozen=True)
class Reference:
    """A line across a chart, named at the line: a pass mark, a target, zero."""

    value: float
    label: str


@dataclass(frozen=True)
class Dot:
    """One person or thing on a scale; a strong one is filled and named."""

    value: float
    label: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Estimate:
    """A row with a number and its interval; None where nothing can be estimated.  ``text`` stands at the end of the row."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    text: str
    alarming: bool = False


@dataclass(frozen=True)
class Bar:
    """A row whose length is made of pieces, as (length, text in it); ``text`` stands at its end."""

    label: str
    pieces: tuple[tuple[float, str], ...]
    text: str


@dataclass(frozen=True)
class Pair:
    """Two numbers of one thing, as a place on a square; a strong one is named."""

    across: float
    up: float
    label: str = ""
    strong: bool = False


def round_ticks(low: float, high: float, most: int = 6) -> tuple[float, ...]:
    """Round numbers between the ends, at most so many, in steps of 1, 2 or 5 times a power of ten."""
    span = high - low
    if span <= 0:
        return (low,)
    power = 10.0 ** floor(log10(span / most))
    step = power * next(one for one in (1, 2, 5, 10, 20) if span / (power * one) <= most - 1 + 1e-9)
    first = ceil(low / step - 1e-9)
    last = floor(high / step + 1e-9)
    return tuple(round(step * place, 10) for place in range(first, last + 1))


# ---------------------------------------------------------------- charts


def distribution(alternative: str, dots: Sequence[Dot], axis: Axis, references: Sequence[Reference] = ()) -> Markup:
    """Everybody as a dot above the scale, equals on top of each other; where the stacks grow too high, a dot stands for several."""
    left, right, radius = 14.0, WIDTH - 14.0, 5.0
    columns: dict[int, list[Dot]] = {}
    for dot in sorted(dots, key=lambda one: (one.strong, one.value)):
        columns.setdefault(round((axis.at(dot.value, left, right - left) - left) / (2 * radius)), []).append(dot)
    highest = max((len(column) for column in columns.values()), default=1)
    step = min(2 * radius, 150 / highest)
    head = 18.0 * len(references) + 18.0
    ground = head + step * highest + radius
    drawn = _scale(axis, left, right - left, ground + 2)
    for place, reference in enumerate(references):
        drawn += _reference(axis, reference, left, right - left, 18.0 * place + 13, ground)
    for column in columns.values():
        for height, dot in enumerate(column):
            x = axis.at(dot.value, left, right - left)
            y = ground - radius - height * step
            fill = HUES[0] if dot.strong else "#ffffff"
            drawn.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius - 0.5}" fill="{fill}" stroke="{HUES[0]}" stroke-width="1.4"/>')
        top = column[-1]
        if top.strong and top.label:
            y = ground - radius - (len(column) - 1) * step - 9
            drawn.append(_words(axis.at(top.value, left, right - left), y, top.label, anchor="middle", weight="600"))
    return _svg(alternative, ground + 24, drawn)


def intervals(alternative: str, rows: Sequence[Estimate], axis: Axis, references: Sequence[Reference] = ()) -> Markup:
    """Each row a dot on the scale with its interval as a line; what cannot be estimated has only its words."""
    left, right = _columns([row.label for row in rows], [row.text for row in rows])
    length, height = right - left, 22.0
    head = 18.0 * len(references) + 4
    ground = head + height * len(rows)
    drawn = _scale(axis, left, length, ground + 2)
    for place, reference in enumerate(references):
        drawn += _reference(axis, reference, left, length, 18.0 * place + 13, ground)
    for place, row in enumerate(rows):
        y = head + height * (place + 0.5)
        colour = DANGER if row.alarming else HUES[0]
        drawn.append(_words(left - 8, y + 4, _short(row.label), anchor="end"))
        if row.low is not None and row.high is not None:
            x1, x2 = axis.at(row.low, left, length), axis.at(row.high, left, length)
            drawn.append(f'<line x1="{x1:.1f}" y1="{y:.1f}" x2="{x2:.1f}" y2="{y:.1f}" stroke="{colour}" stroke-width="2.5"/>')
        if row.value is not None:
            x = axis.at(row.value, left, length)
            drawn.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}" stroke="#ffffff" stroke-width="1"/>')
        drawn.append(_words(right + 10, y + 4, row.text, fill=colour if row.alarming else INK))
    return _svg(alternative, ground + 24, drawn)


def bars(alternative: str, rows: Sequence[Bar], axis: Axis, names: Sequence[str] = (), references: Sequence[Reference] = ()) -> Markup:
    """Each row a bar of at most four pieces in a fixed order; ``names`` of the pieces stand above the first bar."""
    if any(len(row.pieces) > len(HUES) for row in rows) or len(names) > len(HUES):
        raise ValueError(f"a bar has at most {len(HUES)} pieces")
    left, right = _columns([row.label for row in rows], [row.text for row in rows])
    length, height = right - left, 26.0
    named = 18.0 * len(names)
    head = named + 18.0 * len(references) + 4
    ground = head + height * len(rows)
    drawn = _scale(axis, left, length, ground + 2)
    for place, name in enumerate(names):
        y = 18.0 * place + 12
        drawn.append(f'<rect x="{left:.1f}" y="{y - 10:.1f}" width="12" height="12" fill="{HUES[place]}" stroke="{INK}" stroke-width="0.6"/>')
        drawn.append(_words(left + 18, y, name, fill=QUIET))
    for place, reference in enumerate(references):
        drawn += _reference(axis, reference, left, length, named + 18.0 * place + 13, ground)
    for place, row in enumerate(rows):
        y = head + height * place + 4
        drawn.append(_words(left - 8, y + 13, _short(row.label), anchor="end"))
        reached = axis.low
        for number, (size, text) in enumerate(row.pieces):
            x1, x2 = axis.at(reached, left, length), axis.at(reached + size, left, length)
            reached += size
            drawn.append(
                f'<rect x="{x1:.1f}" y="{y:.1f}" width="{max(x2 - x1, 0):.1f}" height="18" fill="{HUES[number]}"'
                f' stroke="{INK}" stroke-width="0.6"/>'
            )
            if text and x2 - x1 > _LETTER * len(text) + 4:
                drawn.append(_words((x1 + x2) / 2, y + 13, text, anchor="middle", fill=on(HUES[number])))
        drawn.append(_words(right + 10, y + 13, row.text))
    return _svg(alternative, ground + 24, drawn)


def pairs(alternative: str, points: Sequence[Pair], axis: Axis, across: str, up: str, band: float = 0.0) -> Markup:
    """Two marks of the same thing against each other: on the diagonal they agree; ``band`` draws lines at that distance."""
    left, top, size = 46.0, 10.0, 280.0
    ground = top + size

    def spot(x: float, y: float) -> tuple[float, float]:
        return axis.at(x, left, size), ground - axis.at(y, 0, size)

    drawn = [f'<rect x="{left}" y="{top}" width="{size}" height="{size}" fill="none" stroke="{LINE}"/>']
    for value, text in axis.ticks:
        x, y = spot(value, value)
        drawn.append(f'<line x1="{x:.1f}" y1="{ground}" x2="{x:.1f}" y2="{ground + 4}" stroke="{QUIET}"/>')
        drawn.append(_words(x, ground + 17, text, anchor="middle", fill=QUIET))
        drawn.append(f'<line x1="{left - 4}" y1="{y:.1f}" x2="{left}" y2="{y:.1f}" stroke="{QUIET}"/>')
        drawn.append(_words(left - 8, y + 4, text, anchor="end", fill=QUIET))
    for shift in (-band, 0.0, band) if band else (0.0,):
        low, high = max(axis.low, axis.low - shift), min(axis.high, axis.high - shift)
        (x1, y1), (x2, y2) = spot(low, low + shift), spot(high, high + shift)
        dashes = ' stroke-dasharray="4 4"' if shift else ""
        drawn.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{QUIET}"{dashes}/>')
    for point in points:
        x, y = spot(point.across, point.up)
        colour = DANGER if point.strong else HUES[0]
        drawn.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{"#ffffff" if not point.strong else colour}" stroke="{colour}" stroke-width="1.6"/>')
        if point.strong and point.label:
            end = x > left + 0.7 * size
            drawn.append(_words(x - 8 if end else x + 8, y + 4, point.label, anchor="end" if end else "start", fill=colour))
    drawn.append(_words(left + size / 2, ground + 34, across, anchor="middle"))
    drawn.append(
        f'<text x="12" y="{top + size / 2:.1f}" transform="rotate(-90 12 {top + size / 2:.1f})" text-anchor="middle"'
        f' font-size="{_TEXT}" fill="{INK}">{escape(up)}</text>'
    )
    return _svg(alternative, ground + 42, drawn)


# ---------------------------------------------------------------- pieces


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb", 0 to 1 (WCAG 2, sRGB)."""
    values = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def on(colour: str) -> str:
    """Ink or white, whichever reads better on this ground."""
    ground = luminance(colour)
    white, ink = 1.05 / (ground + 0.05), (ground + 0.05) / (luminance(INK) + 0.05)
    return "#ffffff" if white >= ink else INK


def _svg(alternative: str, height: float, drawn: Sequence[str]) -> Markup:
    tall = ceil(height)
    return Markup(  # noqa: S704 - every text that comes in is escaped
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(alternative)}" viewBox="0 0 {WIDTH} {tall}"'
        f' width="{WIDTH}" height="{tall}">{"".join(drawn)}</svg>'
    )


def _words(
    x: float, y: float, text: str, *, anchor: str = "start", fill: str = INK, weight: str = "400"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{_TEXT}" font-weight="{weight}" fill="{fill}">{escape(text)}</text>'
    )


def _short(label: str) -> str:
    return label if len(label) <= _MOST_LABEL else label[: _MOST_LABEL - 1] + "…"


def _columns(labels: Sequence[str], texts: Sequence[str]) -> tuple[float, float]:
    """Where the scale begins and ends between row labels on the left and texts on the right."""
    left = max((len(_short(one)) for one in labels), default=0) * _LETTER + 12
    right = WIDTH - max((len(one) for one in texts), default=0) * _LETTER - 14
    return min(left, WIDTH * 0.42), max(right, WIDTH * 0.55)


def _scale(axis: Axis, left: float, length: float, y: float) -> list[str]:
    drawn = [f'<line x1="{left:.1f}" y1="{y:.1f}" x2="{left + length:.1f}" y2="{y:.1f}" stroke="{QUIET}"/>']
    for value, text in axis.ticks:
        x = axis.at(value, left, length)
        drawn.append(f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{x:.1f}" y2="{y + 4:.1f}" stroke="{QUIET}"/>')
        drawn.append(_words(x, y + 17, text, anchor="middle", fill=QUIET))
    return drawn


def _reference(axis: Axis, reference: Reference, left: float, length: float, y: float, ground: float) -> list[str]:
    x = axis.at(reference.value, left, length)
    end = x > left + length / 2
    return [
        f'<line x1="{x:.1f}" y1="{y - 11:.1f}" x2="{x:.1f}" y2="{ground:.1f}" stroke="{ATTENTION}" stroke-dasharray="5 3"/>',
        _words(x - 5 if end else x + 5, y, reference.label, anchor="end" if end else "start", fill=ATTENTION),
    ]
