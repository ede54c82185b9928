"""Small pieces of SVG: scales, ticks and marks with presentation attributes only, so that a strict content policy holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from html import escape

import numpy as np

INK, QUIET, LINE, GROUND = "#1d1f23", "#4f555d", "#c9cdd2", "#f4f5f3"
TEAL, RED, AMBER, PALE = "#0b5d66", "#a4161a", "#8a5a00", "#8fb3b8"
"""Four hues; what must be told apart in grey differs in lightness or shape too."""
SIZE = 12
"""Letters, in units of the drawing: a drawing is shown at one unit a pixel or larger."""

Number = Callable[[float, int], str]
"""How a number is written in the reader's language: value, decimals."""


@dataclass(frozen=True)
class Scale:
    """Linear map of the values `low` … `high` to the places `start` … `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        width = self.high - self.low
        share = 0.5 if width == 0 else (value - self.low) / width
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self, most: int = 6, *, whole: bool = False) -> list[float]:
        return ticks(self.low, self.high, most, whole=whole)


def ticks(low: float, high: float, most: int = 6, *, whole: bool = False) -> list[float]:
    """At most `most` + 1 round numbers (1, 2 or 5 times a power of ten apart) between low and high; `whole`: of persons or points."""
    if not high > low:
        return [low]
    raw = max((high - low) / most, 1.0 if whole else 0.0)
    power = 10.0 ** np.floor(np.log10(raw))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= raw * (1 - 1e-9))
    first = np.ceil(low / step - 1e-9)
    return [float(step * k) for k in np.arange(first, np.floor(high / step + 1e-9) + 1)]


def decimals(value: float) -> int:
    """Decimals that this tick needs."""
    return next((d for d in range(7) if abs(value - round(value, d)) < 1e-9), 6)


@dataclass
class Drawing:
    """An SVG under construction: marks are added, `svg` closes it."""

    width: float
    height: float
    parts: list[str] = field(default_factory=list)

    def line(self, x1: float, y1: float, x2: float, y2: float, colour: str = LINE, width: float = 1, dash: str = "") -> None:
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}" stroke="{colour}" stroke-width="{_n(width)}"{dashed}/>'
        )

    def bar(self, x: float, y: float, width: float, height: float, colour: str = TEAL) -> None:
        self.parts.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(max(width, 0))}" height="{_n(max(height, 0))}" fill="{colour}"/>'
        )

    def dot(self, x: float, y: float, colour: str = TEAL, radius: float = 3.5, shape: str = "circle") -> None:
        """`shape`: circle, diamond (what is to be looked at) or ring (what is only a bound)."""
        if shape == "diamond":
            r = radius * 1.4
            self.parts.append(f'<path d="M{_n(x)} {_n(y - r)}L{_n(x + r)} {_n(y)}L{_n(x)} {_n(y + r)}L{_n(x - r)} {_n(y)}Z" fill="{colour}"/>')
        elif shape == "ring":
            self.parts.append(
                f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" fill="#ffffff" stroke="{colour}" stroke-width="1.5"/>'
            )
        else:
            self.parts.append(f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" fill="{colour}"/>')

    def path(self, points: Iterable[tuple[float, float]], colour: str = TEAL, width: float = 1.75, dash: str = "") -> None:
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        joined = "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
        self.parts.append(f'<path d="M{joined}" fill="none" stroke="{colour}" stroke-width="{_n(width)}"{dashed}/>')

    def text(
        self, x: float, y: float, words: str, *, anchor: str = "start", colour: str = QUIET, size: float = SIZE, strong: bool = False
    ) -> None:
        weight = ' font-weight="650"' if strong else ""
        at = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self.parts.append(
            f'<text x="{_n(x)}" y="{_n(y)}"{at} font-size="{_n(size)}" fill="{colour}"{weight}>{escape(words)}</text>'
        )

    def bottom_axis(self, scale: Scale, y: float, number: Number, *, label: str = "", most: int = 6, grid_to: float | None = None) -> None:
        """Ticks below `y`, hairlines up to `grid_to`, the label under the numbers."""
        for value in scale.ticks(most):
            at = scale(value)
            if grid_to is not None:
                self.line(at, y, at, grid_to)
            self.text(at, y + SIZE + 3, number(value, decimals(value)), anchor="middle")
        self.line(scale.start, y, scale.end, y, QUIET)
        if label:
            self.text((scale.start + scale.end) / 2, y + 2 * SIZE + 8, label, anchor="middle", colour=INK)

    def left_axis(
        self, scale: Scale, x: float, number: Number, *, most: int = 4, grid_to: float | None = None, whole: bool = False
    ) -> None:
        for value in scale.ticks(most, whole=whole):
            at = scale(value)
            if grid_to is not None:
                self.line(x, at, grid_to, at)
            self.text(x - 5, at + 4, number(value, decimals(value)), anchor="end")

    def svg(self, title: str) -> str:
        """The finished picture; `title` is what a screen reader says of it."""
        return (
            f'<svg viewBox="0 0 {_n(self.width)} {_n(self.height)}" width="{_n(self.width)}" height="{_n(self.height)}" '
            f'role="img" aria-label="{escape(title)}">' + "".join(self.parts) + "</svg>"
        )


def shorten(words: str, most: int) -> str:
    """At most `most` letters, an ellipsis for the rest."""
    return words if len(words) <= most else words[: most - 1] + "…"


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
