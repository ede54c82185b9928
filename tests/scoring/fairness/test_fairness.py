"""Selection ratios by hand, their readings with small and large numbers, and the intervals' coverage."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, hypergeom

from scoring.errors import BadParameters, NotIdentified
from scoring.fairness import ratio_interval, selection_ratios
from scoring.intervals import proportion_interval


def by(entries, stage, group):
    (found,) = [entry for entry in entries if entry.stage == stage and entry.group == group]
    return found


def test_the_example_of_the_guidelines():
    # 80 applicants white, 48 hired (60 %); 40 applicants black, 12 hired (30 %): ratio one half
    found = selection_ratios([("hired", {"white": (80, 48), "black": (40, 12)})])
    entry = by(found.stages, "hired", "black")
    assert entry.reference == "white"
    assert entry.ratio == pytest.approx(0.5)
    assert entry.below_four_fifths
    # Fisher by its definition
    table = hypergeom(120, 60, 40)
    chance = [table.pmf(k) for k in range(41)]
    assert entry.p == pytest.approx(sum(c for c in chance if c <= table.pmf(12) * (1 + 1e-7)))
    assert entry.reading == "adverse impact"
    assert found.adverse == (entry, by(found.total, "total", "black"))
    reference = by(found.stages, "hired", "white")
    assert math.isnan(reference.ratio)
    assert reference.reading == "no difference shown"


def test_stages_multiply_to_the_total():
    stages = [
        ("eligible", {"women": (100, 90), "men": (120, 110)}),
        ("written", {"women": (90, 40), "men": (110, 70)}),
        ("defence", {"women": (40, 10), "men": (70, 20)}),
    ]
    found = selection_ratios(stages, reference="men")
    product = math.prod(by(found.stages, name, "women").rate for name, _ in stages)
    assert by(found.total, "total", "women").rate == pytest.approx(product)
    ratios = math.prod(by(found.stages, name, "women").ratio for name, _ in stages)
    assert by(found.total, "total", "women").ratio == pytest.approx(ratios)


def test_small_numbers_are_never_called_adverse():
    found = selection_ratios([("defence", {"women": (4, 1), "men": (6, 4)})])
    entry = by(found.stages, "defence", "women")
    assert entry.below_four_fifths
    assert entry.caution
    assert entry.reading == "too few to tell"


def test_one_decision_that_would_change_the_rule_is_said():
    found = selection_ratios([("written", {"a": (40, 19), "b": (100, 61)})])
    entry = by(found.stages, "written", "a")
    assert entry.ratio < 0.8 <= entry.one_more
    assert entry.fragile
    assert entry.reading == "too few to tell"


def test_a_difference_that_is_sure_but_above_four_fifths_is_looked_at():
    found = selection_ratios([("written", {"a": (5000, 2500), "b": (5000, 2800)})])
    assert by(found.stages, "written", "a").reading == "look closer"


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=2, max_size=4))
def test_every_table_gives_finite_or_explained_numbers(rows):
    counts = {f"g{i}": (max(n, x), min(n, x)) for i, (n, x) in enumerate(rows)}
    if not sum(n for n, _ in counts.values()):
        with pytest.raises(NotIdentified):
            selection_ratios([("s", counts)])
        return
    for entry in selection_ratios([("s", counts)]).stages:
        assert 0 <= entry.p <= 1
        if entry.applicants:
            assert 0 <= entry.rate_low <= entry.rate <= entry.rate_high <= 1
        else:
            assert math.isnan(entry.rate)
        reference = counts[entry.reference]
        if entry.group == entry.reference or not entry.applicants or not reference[1]:
            assert math.isnan(entry.ratio)
        else:
            assert entry.ratio == pytest.approx(entry.rate / (reference[1] / reference[0]))


RATES = ((0.4, 0.5), (0.1, 0.2), (0.6, 0.9), (0.9, 0.9), (0.3, 0.9), (0.5, 0.5))


@pytest.mark.parametrize(("n", "m"), [(8, 8), (8, 40), (20, 400), (40, 40), (40, 200), (200, 200)])
def test_intervals_cover_in_the_sum_over_all_tables(n, m):
    """With every table's binomial probability, so without simulation error; given that somebody of the reference was selected."""
    x, y = np.arange(n + 1), np.arange(1, m + 1)
    of_x, of_y = proportion_interval(x, n), proportion_interval(y, m)
    low, high = ratio_interval((x / n)[:, None], (y / m)[None], of_x[:, None], of_y[None])
    for one, other in RATES:
        p, q = binom.pmf(x, n, one), binom.pmf(y, m, other)
        rate = p[(of_x[:, 0] <= one) & (one <= of_x[:, 1])].sum()
        ratio = (np.outer(p, q) * ((low <= one / other) & (one / other <= high))).sum() / q.sum()
        assert rate >= 0.95
        assert ratio >= 0.948
        if n == m == 200:
            assert max(rate, ratio) <= 0.97


def test_intervals_of_a_ratio_turn_over_with_the_groups():
    for x, n, y, m in ((3, 8, 5, 9), (1, 40, 30, 31), (8, 8, 2, 9), (50, 400, 3, 20)):
        there = selection_ratios([("s", {"a": (n, x), "b": (m, y)})], reference="b").stages[0]
        back = selection_ratios([("s", {"a": (n, x), "b": (m, y)})], reference="a").stages[1]
        assert there.ratio_low < there.ratio < there.ratio_high
        assert there.ratio_low == pytest.approx(1 / back.ratio_high)
        assert there.ratio_high == pytest.approx(1 / back.ratio_low)
    nobody = selection_ratios([("s", {"a": (9, 4), "b": (9, 0)})], reference="b").stages[0]
    assert math.isnan(nobody.ratio)
    assert 0 < nobody.ratio_low < nobody.ratio_high == math.inf
    assert selection_ratios([("s", {"a": (9, 0), "b": (9, 4)})], reference="b").stages[0].ratio_low == 0


@pytest.mark.parametrize(
    ("stages", "options", "error", "words"),
    [
        ([], {}, BadParameters, "at least one stage"),
        ([("s", {"a": (1, 1)})], {}, NotIdentified, "two groups"),
        ([("s", {"a": (1, 2), "b": (1, 1)})], {}, BadParameters, "cannot have passed"),
        ([("s", {"a": (3, 2), "b": (3, 1)}), ("t", {"a": (3, 2), "b": (1, 1)})], {}, BadParameters, "stage before"),
        ([("s", {"a": (3, 2), "b": (3, 1)}), ("t", {"a": (2, 2)})], {}, BadParameters, "other groups"),
        ([("s", {"a": (3.5, 2), "b": (3, 1)})], {}, BadParameters, "whole numbers"),
        ([("s", {"a": (3, 2), "b": (3, 1)})], {"reference": "c"}, BadParameters, "not among"),
        ([("s", {"a": (3, 2), "b": (3, 1)})], {"threshold": 2}, BadParameters, "threshold"),
    ],
)  # fmt: skip
def test_impossible_counts_are_refused(stages, options, error, words):
    with pytest.raises(error, match=words):
        selection_ratios(stages, **options)
