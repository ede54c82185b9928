"""Marks of one script and of one hearing, held against calculations done another way."""

from __future__ import annotations

import statistics
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examsvc.base.errors import Refused
from examsvc.competitions.marking_clauses import MarkingScheme, Panel
from examsvc.competitions.regulation import read_preset
from examsvc.competitions.result_clauses import Rounding, RoundingPoint
from examsvc.marking.rules import Settled, Waiting, decimal, outliers, panel_mark, read_mark, settle
from examsvc.verify import settling

DEMO = read_preset("demo")
ESSAY: MarkingScheme = next(scheme for scheme in DEMO.marking if scheme.id == "essay")
MAXIMUM = Fraction(20)
EXACT = DEMO.rounding.model_copy(update={"points": ()})
quarters = st.integers(0, 80).map(lambda n: Fraction(n, 4))


@given(quarters, quarters)
@settings(max_examples=300, deadline=None)
def test_two_marks_follow_the_bands_of_the_regulation(first: Fraction, second: Fraction) -> None:
    """The demonstration's bands in plain words: below 2 the mean, 2 to 3 agree with a record, above 3 a third mark."""
    gap = max(first, second) - min(first, second)
    verdict = settle(ESSAY, EXACT, [first, second], MAXIMUM)
    if gap < 2:
        assert verdict == Settled(statistics.mean([first, second]), "mean", verdict.rule)  # type: ignore[union-attr]
    elif gap <= 3:
        assert verdict == Waiting("agree-with-record", "head-decides")
    else:
        assert verdict == Waiting("third-mark")


@given(quarters, quarters, quarters)
@settings(max_examples=300, deadline=None)
def test_three_marks_equal_pair_then_mean_then_the_head(a: Fraction, b: Fraction, c: Fraction) -> None:
    verdict = settle(ESSAY, EXACT, [a, b, c], MAXIMUM)
    ordered = sorted((a, b, c))
    if len(set(ordered)) < 3:
        assert isinstance(verdict, Settled)
        assert verdict.mark == ordered[1], "the median of three with an equal pair is the pair"
    elif ordered[2] - ordered[0] <= 5:
        assert isinstance(verdict, Settled)
        assert verdict.mark * 3 == a + b + c
    else:
        assert verdict == Waiting("head-decides")


@given(quarters, quarters)
@settings(max_examples=100, deadline=None)
def test_the_order_of_the_two_markers_changes_nothing(a: Fraction, b: Fraction) -> None:
    one, other = settle(ESSAY, EXACT, [a, b], MAXIMUM), settle(ESSAY, EXACT, [b, a], MAXIMUM)
    assert one == other


def test_an_agreed_and_a_decided_mark_count_as_such() -> None:
    marks = [Fraction(10), Fraction(12)]
    agreed = settle(ESSAY, EXACT, marks, MAXIMUM, agreed=Fraction(11))
    assert isinstance(agreed, Settled)
    assert (agreed.mark, agreed.manner) == (11, "agreed")
    decided = settle(ESSAY, EXACT, marks, MAXIMUM, decided=Fraction(23, 2))
    assert isinstance(decided, Settled)
    assert (decided.mark, decided.manner) == (Fraction(23, 2), "decided")


def test_the_mean_of_quarters_is_exact_and_rounded_only_where_the_regulation_says() -> None:
    marks = [Fraction("10.25"), Fraction("10.50")]
    exact = settle(ESSAY, EXACT, marks, MAXIMUM)
    assert isinstance(exact, Settled)
    assert exact.mark == Fraction("10.375")
    point = RoundingPoint(at="agreed-mark", decimals=1, mode="half-up")
    rounded = settle(ESSAY, Rounding(**{**dict(EXACT), "points": (point,)}), marks, MAXIMUM)
    assert isinstance(rounded, Settled)
    assert rounded.mark == Fraction("10.4")


@pytest.mark.parametrize("count", [0, 1, 4])
def test_too_few_or_too_many_marks_are_no_case(count: int) -> None:
    with pytest.raises(ValueError, match="cannot be settled"):
        settle(ESSAY, EXACT, [Fraction(10)] * count, MAXIMUM)


PANEL: Panel = next(panel for panel in DEMO.panels if panel.id == "defence")
totals = st.lists(st.integers(0, 200).map(lambda n: Fraction(n, 2)), min_size=5, max_size=5)


@given(totals)
@settings(max_examples=200, deadline=None)
def test_the_trimmed_mean_leaves_out_the_highest_and_the_lowest(values: list[Fraction]) -> None:
    found = panel_mark(PANEL, EXACT, {f"m{n}": value for n, value in enumerate(values)})
    middle = sorted(values)[1:4]
    assert found.mark * 3 == sum(middle)
    assert len(found.dropped) == 2
    assert len(found.counted) == 3


@given(totals)
@settings(max_examples=200, deadline=None)
def test_outliers_are_those_further_from_the_mean_than_the_regulation_allows(values: list[Fraction]) -> None:
    named = {f"m{n}": value for n, value in enumerate(values)}
    expected = tuple(n for n, value in sorted(named.items()) if abs(5 * value - sum(values)) > 5 * 15)
    assert outliers(PANEL, named) == expected


@pytest.mark.parametrize(
    ("combine", "expected"), [("mean", Fraction(74)), ("median", Fraction(80)), ("trimmed-mean", Fraction(230, 3))]
)
def test_each_way_to_combine(combine: Any, expected: Fraction) -> None:
    panel = PANEL.model_copy(update={"combine": combine})
    sheets = {"a": Fraction(40), "b": Fraction(60), "c": Fraction(80), "d": Fraction(90), "e": Fraction(100)}
    assert panel_mark(panel, EXACT, sheets).mark == expected


def test_an_excluded_outlier_does_not_count() -> None:
    rule = PANEL.outlier.model_copy(update={"action": "exclude"})  # type: ignore[union-attr]
    panel = PANEL.model_copy(update={"combine": "mean", "outlier": rule})
    sheets = {"a": Fraction(80), "b": Fraction(80), "c": Fraction(80), "d": Fraction(80), "e": Fraction(10)}
    found = panel_mark(panel, EXACT, sheets)
    assert (found.mark, found.dropped, found.outliers) == (80, ("e",), ("e",))


def test_a_panel_split_in_two_still_has_a_mark() -> None:
    """Everybody lies far from the mean, so nobody is left out for it; the same where one remains that trimming would take."""
    rule = PANEL.outlier.model_copy(update={"action": "exclude"})  # type: ignore[union-attr]
    split = {"a": Fraction(0), "b": Fraction(0), "c": Fraction(100), "d": Fraction(100), "e": Fraction(100)}
    mean = panel_mark(PANEL.model_copy(update={"combine": "mean", "outlier": rule}), EXACT, split)
    assert (mean.mark, mean.dropped, mean.outliers) == (60, (), ("a", "b", "c", "d", "e"))
    trimming = PANEL.model_copy(update={"combine": "trimmed-mean", "outlier": rule, "drop_lowest": 1, "drop_highest": 1})
    two = split | {"b": Fraction(60), "c": Fraction(62)}
    assert panel_mark(trimming, EXACT, two).mark == Fraction(60 + 62 + 100, 3)


@given(
    st.lists(st.integers(0, 400).map(lambda n: Fraction(n, 4)), min_size=5, max_size=5),
    st.sampled_from(["mean", "median", "trimmed-mean"]),
    st.integers(1, 60),
)
def test_whatever_the_totals_the_panel_has_the_mark_that_the_verifier_finds(
    values: list[Fraction], combine: Any, distance: int
) -> None:
    rule = PANEL.outlier.model_copy(update={"action": "exclude", "distance": Fraction(distance)})  # type: ignore[union-attr]
    panel = PANEL.model_copy(update={"combine": combine, "outlier": rule, "drop_lowest": 1, "drop_highest": 1})
    found = panel_mark(panel, EXACT, {f"m{n}": value for n, value in enumerate(values)})
    terms = SimpleNamespace(rounded=lambda step, mark: mark)
    said = {"members": 5, "combine": combine, "drop_lowest": 1, "drop_highest": 1, "outlier": {"action": "exclude", "distance": str(distance)}}
    assert found.mark == settling.panel(terms, said, values)  # type: ignore[arg-type]
    assert set(found.counted) | set(found.dropped) == {f"m{n}" for n in range(5)}


def test_a_panel_that_is_not_complete_has_no_mark() -> None:
    with pytest.raises(ValueError, match="4 sheets for a panel of 5"):
        panel_mark(PANEL, EXACT, {f"m{n}": Fraction(50) for n in range(4)})


@pytest.mark.parametrize("typed", ["7,25", "7.25", " 7.25 "])
def test_a_mark_is_read_with_comma_or_point(typed: str) -> None:
    assert read_mark(typed, MAXIMUM, Fraction(1, 4), what="analysis") == Fraction(29, 4)


@pytest.mark.parametrize("typed", ["", "x", "7.3", "-1", "20.25", "1e1", "nan", "١", "1/0"])
def test_what_is_no_mark_is_refused_in_one_sentence(typed: str) -> None:
    with pytest.raises(Refused, match="analysis"):
        read_mark(typed, MAXIMUM, Fraction(1, 4), what="analysis")


@pytest.mark.parametrize(
    ("mark", "text"),
    [(Fraction(1, 3), "0.333333"), (Fraction(2, 3), "0.666667"), (Fraction(29, 4), "7.25"), (Fraction(0), "0"), (Fraction(20), "20")],
)
def test_the_ledger_writes_decimals(mark: Fraction, text: str) -> None:
    assert decimal(mark) == text
