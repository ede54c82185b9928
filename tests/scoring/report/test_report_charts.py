"""Charts: marks stand where their values say, nothing but presentation attributes, and the drawing stays inside."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.report.charts import Column, Curve, curves, histogram, option_shares, rows_of_dots, wright_map
from scoring.report.svg import Drawing, Scale, decimals, shorten, ticks

NS = "{http://www.w3.org/2000/svg}"


def number(value, digits):
    return f"{value:.{digits}f}"


def parsed(svg):
    tree = ElementTree.fromstring(svg)
    assert tree.get("role") == "img"
    assert tree.get("aria-label")
    assert "style" not in svg
    assert "nan" not in re.sub(r'aria-label="[^"]*"', "", svg)
    return tree


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 10))
@settings(max_examples=200, deadline=None)
def test_ticks_are_few_round_and_inside(low, width, most):
    found = ticks(low, low + width, most)
    assert len(found) <= most + 1
    assert all(low - 1e-6 * width <= value <= low + width * (1 + 1e-6) for value in found)
    if len(found) > 1:
        step = found[1] - found[0]
        assert np.allclose(np.diff(found), step, rtol=1e-4)
        assert round(step / 10 ** np.floor(np.log10(step) + 1e-6), 2) in (1, 2, 5, 10)


def test_ticks_of_persons_are_whole():
    assert ticks(0, 2, 4) == [0, 0.5, 1, 1.5, 2]
    assert ticks(0, 2, 4, whole=True) == [0, 1, 2]
    assert ticks(0, 90, 4, whole=True) == ticks(0, 90, 4) == [0, 50]


def test_scale_clips_and_maps():
    x = Scale(0, 10, 100, 200)
    assert [x(v) for v in (-5, 0, 5, 10, 99)] == [100, 100, 150, 200, 200]
    assert [decimals(v) for v in (1.0, 0.5, 0.25, -2.0)] == [0, 1, 2, 0]
    assert shorten("abcdef", 4) == "abc…"


def test_histogram_bars_have_the_lengths_of_their_counts():
    counts = np.array([1.0, 4.0, 0.0, 2.0])
    tree = parsed(histogram("t", np.arange(-0.5, 4), counts, number, label="score", marks=[(1.2, "mean")]))
    heights = np.array([float(bar.get("height")) for bar in tree.iter("rect")])
    np.testing.assert_allclose(heights / heights.max(), counts / counts.max(), atol=0.01)
    assert [t.text for t in tree.iter("text")].count("mean") == 1
    below = parsed(histogram("t", np.arange(4.0), np.ones(3), number, label="", alert_below=1.0))
    assert len({bar.get("fill") for bar in below.iter("rect")}) == 2


def test_dots_stand_at_their_values_and_lines_at_their_limits():
    value = np.array([0.2, 0.8, np.nan])
    limits = np.array([[0.1, 0.4], [0.7, 0.9], [np.nan, np.nan]])
    svg = rows_of_dots("t", ["a", "b", "c"], [Column("p", value, limits, 0.0, 1.0)], number, [False, True, False])
    tree = parsed(svg)
    circle, diamond = [float(c.get("cx")) for c in tree.iter("circle")], list(tree.iter("path"))
    assert len(circle) == len(diamond) == 1  # the flagged one has another shape; NaN has none
    thick = [line for line in tree.iter("line") if line.get("stroke-width") == "2"]
    assert len(thick) == 3
    low, high = (float(thick[2].get(k)) for k in ("x1", "x2"))  # the unbounded one spans the whole panel
    assert circle[0] == pytest.approx(low + 0.2 * (high - low), abs=0.1)
    assert float(thick[0].get("x2")) == pytest.approx(low + 0.4 * (high - low), abs=0.1)


def test_options_curves_and_map():
    options = parsed(
        option_shares("t", "Q1", ["A", "B", "∅"], 1, np.array([0.5, 0.25, 0.25]), np.array([[0.4, 0.6]] * 3), np.array([-0.2, 0.3, np.nan]), number, [0])
    )
    bars = [float(bar.get("width")) for bar in options.iter("rect")]
    assert bars[0] == pytest.approx(2 * bars[1], abs=0.2)
    x = np.linspace(-3, 3, 7)
    dots = (np.array([0.0]), np.array([0.5]), np.array([[0.4, 0.6]]))
    line = parsed(curves("t", [Curve(x, 1 / (1 + np.exp(-x)))], number, label="θ", top=1.0, dots=dots))
    (path,) = list(line.iter("path"))
    points = [tuple(map(float, p.split())) for p in path.get("d")[1:].split("L")]
    (dot,) = list(line.iter("circle"))
    assert (float(dot.get("cx")), float(dot.get("cy"))) == pytest.approx(points[3], abs=0.1)
    names = [f"item {j}" for j in range(30)]
    drawn = parsed(wright_map("t", np.zeros(50), np.zeros(30), names, number, persons="p", items="i", alert=[False] * 30))
    words = [t.text for t in drawn.iter("text")]
    shown = [word for word in words if word.startswith("item")]
    assert f"+{30 - len(shown)}" in words  # those without room are counted


@given(st.integers(1, 60), st.integers(1, 40), st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_nothing_is_drawn_outside(rows, letters, seed):
    rng = np.random.default_rng(seed)
    value = rng.uniform(-3, 3, rows)
    panel = Column("x", value, np.column_stack([value - 1, value + 1]), -1.0, 1.0)
    svgs = [
        rows_of_dots("t", ["n" * letters] * rows, [panel, panel], number),
        wright_map("t", rng.normal(0, 3, 50), value * 3, ["n" * letters] * rows, number, persons="p", items="i", alert=[True] * rows),
        curves("t", [Curve(np.arange(5.0), np.abs(value[:1]) * np.arange(5.0), "w")], number, label="x"),
    ]
    for svg in svgs:
        tree = parsed(svg)
        width, height = float(tree.get("width")), float(tree.get("height"))
        for mark in tree.iter():
            for name, end in (("x", width), ("x1", width), ("x2", width), ("cx", width), ("y", height), ("y1", height), ("y2", height), ("cy", height)):
                if mark.get(name) is not None:
                    assert -0.1 <= float(mark.get(name)) <= end + 0.1


def test_words_are_escaped():
    drawing = Drawing(10, 10)
    drawing.text(0, 0, '<script>"&')
    tree = ElementTree.fromstring(drawing.svg('a "b" <c>'))
    assert tree.get("aria-label") == 'a "b" <c>'
    assert next(tree.iter("text")).text == '<script>"&'
