"""Charts say with position and length what their numbers say, in hues that everybody tells apart."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examsvc.base import charts
from examsvc.base.charts import HUES, Axis, Bar, Dot, Estimate, Pair, Reference

SVG = "{http://www.w3.org/2000/svg}"
TEN = Axis(0, 10, tuple((float(one), str(one)) for one in (0, 5, 10)))


def drawn(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(markup)


def circles(markup: str) -> list[tuple[float, float]]:
    return [(float(one.get("cx", "")), float(one.get("cy", ""))) for one in drawn(markup).iter(f"{SVG}circle")]


def every_chart() -> list[str]:
    label = 'Nguyễn <b>"An"</b> & co'
    return [
        charts.distribution(label, [Dot(3, label, True), Dot(3), Dot(99)], TEN, [Reference(5, label)]),
        charts.intervals(label, [Estimate(label, 5, 2, 8, label), Estimate("x", None, None, None, "?")], TEN, [Reference(5, label)]),
        charts.bars(label, [Bar(label, ((3, "3"), (4, "4")), label)], TEN, [label, "b"], [Reference(9, label)]),
        charts.pairs(label, [Pair(1, 9, label, True), Pair(5, 5)], TEN, label, label, band=2),
    ]


@pytest.mark.parametrize("number", range(4))
def test_a_chart_is_well_formed_named_and_needs_no_style(number: int) -> None:
    markup = every_chart()[number]
    root = drawn(markup)
    assert root.get("role") == "img"
    assert root.get("aria-label") == 'Nguyễn <b>"An"</b> & co'
    assert not re.search(r"\sstyle=|<style|<script|\son\w+=|href", markup)
    height = float(root.get("height", ""))
    width = float(root.get("width", ""))
    places = [
        (float(one.get(x, "")), float(one.get(y, "")))
        for one in root.iter()
        for x, y in (("x", "y"), ("cx", "cy"), ("x1", "y1"), ("x2", "y2"))
        if one.get(x) and one.get(y)
    ]
    assert len(places) > 5
    assert all(0 <= x <= width and 0 <= y <= height for x, y in places)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 10), min_size=2, max_size=40))
def test_dots_lie_in_the_order_of_their_values(values: list[float]) -> None:
    found = sorted(x for x, _ in circles(charts.distribution("a", [Dot(one) for one in values], TEN)))
    assert len(found) == len(values)
    span = charts.WIDTH - 28
    for x, value in zip(found, sorted(values), strict=True):
        assert x == pytest.approx(14 + span * value / 10, abs=0.06)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 300))
def test_stacks_of_equals_stay_on_the_chart(number: int) -> None:
    markup = charts.distribution("a", [Dot(5)] * number, TEN)
    ys = [y for _, y in circles(markup)]
    assert len(ys) == number
    assert min(ys) >= 0
    assert float(drawn(markup).get("height", "")) < 240


def test_an_interval_is_a_line_with_its_dot_between_the_ends() -> None:
    root = drawn(charts.intervals("a", [Estimate("x", 4, 2, 9, "4")], TEN))
    (dot,) = root.iter(f"{SVG}circle")
    line = next(one for one in root.iter(f"{SVG}line") if one.get("stroke-width") == "2.5")
    low, value, high = float(line.get("x1", "")), float(dot.get("cx", "")), float(line.get("x2", ""))
    assert (value - low) / (high - low) == pytest.approx(2 / 7, abs=0.01)


def test_pieces_of_a_bar_join_and_are_as_long_as_their_numbers() -> None:
    root = drawn(charts.bars("a", [Bar("x", ((2, "2"), (4, "4"), (1, "1")), "7")], TEN))
    pieces = [(float(one.get("x", "")), float(one.get("width", ""))) for one in root.iter(f"{SVG}rect")]
    assert len(pieces) == 3
    for (x, width), (following, _) in itertools.pairwise(pieces):
        assert x + width == pytest.approx(following, abs=0.15)
    assert pieces[1][1] == pytest.approx(2 * pieces[0][1], abs=0.3)
    with pytest.raises(ValueError, match="at most 4"):
        charts.bars("a", [Bar("x", ((1, ""),) * 5, "")], TEN)


def test_pairs_that_agree_lie_on_the_diagonal() -> None:
    points = circles(charts.pairs("a", [Pair(one, one) for one in range(11)], TEN, "first", "second"))
    slopes = {round((y2 - y1) / (x2 - x1), 2) for (x1, y1), (x2, y2) in itertools.pairwise(points)}
    assert slopes == {-1.0}


@settings(max_examples=80, deadline=None)
@given(st.floats(-1000, 1000), st.floats(0.01, 1000))
def test_ticks_are_few_round_and_inside(low: float, span: float) -> None:
    ticks = charts.round_ticks(low, low + span)
    assert 2 <= len(ticks) <= 6
    assert all(low - 1e-6 <= one <= low + span + 1e-6 for one in ticks)
    steps = {round(b - a, 9) for a, b in itertools.pairwise(ticks)}
    assert max(steps) - min(steps) < 1e-6
    digits = f"{max(steps):e}"[0]
    assert digits in "1259"  # 9: 9.99… of a rounded 10


def test_an_axis_has_a_length() -> None:
    with pytest.raises(ValueError, match="no length"):
        Axis(1, 1)


# ---------------------------------------------------------------- hues

# Machado, Oliveira & Fernandes (2009), severity 1.0, on linear RGB
DEFICIENCIES = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def lab(colour: str, matrix: tuple[tuple[float, ...], ...]) -> tuple[float, float, float]:
    """CIE L*a*b* (D65) of a colour as somebody with this deficiency sees it."""
    values = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in values]
    seen = [min(max(sum(m * v for m, v in zip(row, linear, strict=True)), 0), 1) for row in matrix]
    to_xyz = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    xyz = [sum(m * v for m, v in zip(row, seen, strict=True)) for row in to_xyz]
    x, y, z = (
        one ** (1 / 3) if one > 0.008856 else 7.787 * one + 16 / 116
        for one in (xyz[0] / 0.9505, xyz[1], xyz[2] / 1.089)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("name", DEFICIENCIES)
def test_hues_are_told_apart_by_everybody(name: str) -> None:
    seen = [lab(hue, DEFICIENCIES[name]) for hue in HUES]
    distances = [
        sum((p - q) ** 2 for p, q in zip(a, b, strict=True)) ** 0.5 for a, b in itertools.combinations(seen, 2)
    ]
    assert len(distances) == 6
    assert min(distances) > 18


def test_hues_are_told_apart_in_grey() -> None:
    lightness = sorted(lab(hue, DEFICIENCIES["normal"])[0] for hue in HUES)
    assert all(b - a > 14 for a, b in itertools.pairwise(lightness))


def test_words_on_a_hue_have_contrast() -> None:
    for hue in HUES:
        a, b = sorted((charts.luminance(hue), charts.luminance(charts.on(hue))))
        assert (b + 0.05) / (a + 0.05) >= 4.5
