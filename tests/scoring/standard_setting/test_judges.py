"""Angoff, bookmark, Hofstee, borderline: hand calculations with their working."""

import numpy as np
import pytest

from scoring.errors import BadParameters, BadResponses, NotIdentified
from scoring.standard_setting import angoff, bookmark, borderline, hofstee


def test_angoff_by_hand():
    """Three judges, two items (1 point each): ratings (.5 .7), (.6 .8), (.4 .9): cuts 1.2, 1.4, 1.3.

    Cut 1.3; SD .1; SE .1 / √3 = .057735; t(2) = 4.302653, interval 1.3 ± .248414.
    Items: means .5 and .8. Mean squares: judges 2 × Σ(.6, .7, .65 - .65)² / 2 = .005; items 3 × 2 × .15² / 1 = .135;
    rest: deviations ∓.05, .. Σ = .03 - of total .175 - .01 - .135 = .03, / 2 = .015. Error of the grand mean:
    (.005 + .135 - .015) / 6 = .0208333, its root .144338, times 2 items = .288675. Consistency 1 - .015 / .135 = .888889.
    """
    found = angoff([[0.5, 0.7], [0.6, 0.8], [0.4, 0.9]])
    np.testing.assert_allclose(found.rounds[0].judge_cut, [1.2, 1.4, 1.3])
    assert found.cut == pytest.approx(1.3)
    assert found.standard_error == pytest.approx(0.1 / np.sqrt(3))
    np.testing.assert_allclose(found.interval, [1.3 - 0.2484138, 1.3 + 0.2484138], atol=1e-6)
    assert found.rounds[0].total_error == pytest.approx(0.2886751, abs=1e-6)
    assert found.rounds[0].consistency == pytest.approx(1 - 0.015 / 0.135)
    np.testing.assert_allclose(found.without_judge, [1.35, 1.25, 1.3])
    assert found.verdicts[0].code == "cut.stable"


def test_angoff_rounds_points_and_difficulty():
    first = [[0.2, 0.9, 0.5], [0.8, 0.3, 0.4]]
    second = [[0.4, 0.8, 0.5], [0.6, 0.5, 0.4]]
    found = angoff([first, second], maximum=[1, 1, 2], difficulty=[0.3, 0.9, 0.6], judges=["An", "Bo"])
    np.testing.assert_allclose([r.judge_cut for r in found.rounds], [[2.1, 1.9], [2.2, 1.9]])
    np.testing.assert_allclose(found.moved, [[0.1], [0.0]])
    assert found.maximum == 4
    assert found.spread_change == pytest.approx(1.5)
    assert found.cut == pytest.approx(2.05)
    assert found.difficulty_correlation[0] > 0.9 > 0 > found.difficulty_correlation[1]
    named = [v for v in found.verdicts if v.code == "judge.inconsistent"]
    assert [v.names["judge"] for v in named] == ["Bo"]


def test_angoff_with_one_judge_and_with_a_hopeless_panel():
    alone = angoff([[0.5, 0.6]])
    assert alone.verdicts[0].code == "cut.one_judge"
    assert np.isnan(alone.standard_error)
    assert alone.interval == (0.0, 2.0)
    assert angoff([[0.1, 0.2], [0.9, 0.8]]).verdicts[0].code == "cut.says_nothing"


def test_angoff_interval_covers():
    """Judges' cuts normal around 6: the 95 % interval of 8 judges holds 6 in .93 to .97 of 1,000 panels."""
    random = np.random.default_rng(4)
    hits = 0
    for _ in range(1000):
        ratings = np.clip(0.6 + random.normal(0, 0.08, (8, 1)) + random.normal(0, 0.03, (8, 10)), 0, 1)
        low, high = angoff(ratings).interval
        hits += low <= 6 <= high
    assert 0.93 <= hits / 1000 <= 0.97


@pytest.mark.parametrize(
    ("ratings", "options", "error"),
    [
        ([[60, 70], [50, 40]], {}, BadResponses),
        ([[0.5, np.nan], [0.5, 0.5]], {}, BadResponses),
        ([], {}, BadResponses),
        ([[[0.5, 0.5]], [[0.5, 0.5], [0.5, 0.5]]], {}, BadResponses),
        ([[0.5, 0.5]], {"maximum": [1, 2, 3]}, BadParameters),
        ([[0.5, 0.5]], {"difficulty": [0.5]}, BadParameters),
    ],
)
def test_angoff_refuses(ratings, options, error):
    with pytest.raises(error):
        angoff(ratings, **options)


def test_bookmark_by_hand():
    """Rasch items 0.5, -1, 0 at RP 2/3: locations b + ln 2 = 1.193, -.307, .693; order items 2, 3, 1.

    Bookmarks on pages 3, 2, 3: cuts .693 (page 2), -.307 (page 1), .693; median .693147, mean .359814.
    """
    found = bookmark([3, 2, 3], [0.5, -1.0, 0.0])
    assert found.order.tolist() == [1, 2, 0]
    np.testing.assert_allclose(found.judge_cut, np.log(2) + np.array([0.0, -1.0, 0.0]))
    assert found.cut == pytest.approx(np.log(2))
    assert found.standard_error == pytest.approx(1 / 3 * np.sqrt(np.pi / 2))
    p = 1 / (1 + np.exp(np.array([0.5, -1.0, 0.0]) - np.log(2)))
    assert found.score_cut == pytest.approx(p.sum())
    assert bookmark([3, 2, 3], [0.5, -1.0, 0.0], statistic="mean").cut == pytest.approx(np.log(2) - 1 / 3)


def test_bookmark_with_guessing_and_slopes():
    """P = .2 + .8 / (1 + exp(-2(θ - 1))) = 2/3 at θ = 1 + ln(.46667 / .33333) / 2 = 1.168236."""
    found = bookmark([2], [1.0], slope=2.0, lower_asymptote=0.2)
    assert found.cut == pytest.approx(1.168236, abs=1e-6)
    assert found.score_cut == pytest.approx(2 / 3)
    assert found.verdict.code == "cut.one_judge"
    assert bookmark([1], [1.0], slope=2.0, lower_asymptote=0.2).cut == found.cut


@pytest.mark.parametrize(
    ("pages", "options"),
    [
        ([0], {}),
        ([4], {}),
        ([1.5], {}),
        ([1], {"lower_asymptote": 0.7}),
        ([1], {"slope": -1}),
        ([1], {"statistic": "mode"}),
    ],
)
def test_bookmark_refuses(pages, options):
    with pytest.raises(BadParameters):
        bookmark(pages, [0.0, 1.0], **options)


def test_hofstee_by_hand():
    """Scores 1 … 10 once each: the share below a score s is (s - 1) / 10. Limits: cut 3–7, failure .1–.5.

    Line: .5 - (c - 3) / 10; curve (c - 1) / 10; equal at c = 4.5, rate .35.
    """
    found = hofstee(np.arange(1, 11), 3, 7, 0.1, 0.5)
    assert found.found
    assert found.cut == pytest.approx(4.5)
    assert found.failure_rate == pytest.approx(0.35)


def test_hofstee_takes_the_judges_mean_and_their_error():
    found = hofstee(np.arange(1, 11), [2, 4], [6, 8], [0.1, 0.1], [0.4, 0.6])
    assert found.cut == pytest.approx(4.5)
    # without the first judge: line .6 - (c - 4)/8 meets (c - 1)/10 at c = 1.2 / .225; without the second: .4 - .075(c - 2)
    without = np.array([1.2 / 0.225, 0.65 / 0.175])
    assert found.standard_error == pytest.approx(np.sqrt(0.5 * ((without - without.mean()) ** 2).sum()))


def test_hofstee_without_a_crossing():
    found = hofstee(np.arange(1, 11), 9, 10, 0.0, 0.1)
    assert not found.found
    assert found.cut == 9
    assert found.verdict.code == "cut.no_intersection"
    assert hofstee(np.arange(1, 11), 1, 2, 0.5, 0.9).cut == 2


@pytest.mark.parametrize(
    "limits", [(7, 3, 0.1, 0.5), (3, 7, 0.5, 0.1), (3, 7, 0.1, 1.5), ([3, 3], [7, 7, 7], 0.1, 0.5)]
)
def test_hofstee_refuses(limits):
    with pytest.raises(BadParameters):
        hofstee([1, 2, 3], *limits)


def test_borderline_regression_by_hand():
    """Grades 1 2 3 4, scores 2 3 5 6: slope 7/5, intercept .5; at 2.5 the mean 4; residuals .1 -.3 .3 -.1, variance .2 / 2.

    SE at the mean √(.1 / 4) = .158114; t(2) = 4.302653.
    """
    found = borderline([2, 3, 5, 6], [1, 2, 3, 4], 2.5)
    assert found.slope == pytest.approx(1.4)
    assert found.intercept == pytest.approx(0.5)
    assert found.cut == pytest.approx(4.0)
    assert found.standard_error == pytest.approx(0.1581139)
    np.testing.assert_allclose(found.interval, [4 - 0.6803089, 4 + 0.6803089], atol=1e-6)
    assert found.r_squared == pytest.approx(1 - 0.2 / 10)


def test_borderline_group_by_hand():
    """Eight borderline scores: the exact 95 % interval of the median runs from the 1st to the 8th (1 - 2/256 = .992),
    since the 2nd to the 7th reach only 1 - 18/256 = .93."""
    scores, grades = [4, 5, 5, 6, 7, 8, 8, 9, 1, 10], [2] * 8 + [1, 3]
    found = borderline(scores, grades, 2, method="group")
    assert (found.cut, found.interval, found.n) == (6.5, (4.0, 9.0), 8)
    few = borderline(scores[:5], grades[:5], 2, method="group")
    assert few.interval == (-np.inf, np.inf)
    assert few.verdict.code == "cut.says_nothing"
    mean = borderline(scores, grades, 2, method="group", statistic="mean")
    assert mean.cut == pytest.approx(6.5)
    assert mean.standard_error == pytest.approx(np.std([4, 5, 5, 6, 7, 8, 8, 9], ddof=1) / np.sqrt(8))


@pytest.mark.parametrize("n", [8, 40, 200])
def test_median_interval_covers_for_any_distribution(n):
    random = np.random.default_rng(n)
    hits = 0
    for _ in range(400):
        low, high = borderline(random.exponential(1, n), np.ones(n), 1, method="group").interval
        hits += low <= np.log(2) <= high
    assert 0.93 <= hits / 400 <= (0.99 if n < 200 else 0.985)


def test_borderline_refuses():
    with pytest.raises(NotIdentified):
        borderline([1, 2, 3], [1, 1, 1], 2, method="group")
    with pytest.raises(NotIdentified):
        borderline([1, 2, 3], [1, 1, 1], 1)
    with pytest.raises(BadResponses):
        borderline([1, 2], [1, 2, 3], 1)
    with pytest.raises(BadParameters):
        borderline([1, 2, 3], [1, 2, 3], 2, method="contrasting")


def test_order_of_judges_items_and_candidates_and_a_shift_do_not_matter():
    random = np.random.default_rng(5)
    ratings = random.random((6, 9))
    found, turned = angoff(ratings), angoff(ratings[random.permutation(6)][:, random.permutation(9)])
    assert turned.cut == pytest.approx(found.cut)
    assert turned.interval == pytest.approx(found.interval)
    assert turned.rounds[0].total_error == pytest.approx(found.rounds[0].total_error)
    grades = random.integers(0, 4, 60)
    scores = 40 + 10 * grades + random.normal(0, 5, 60)
    order = random.permutation(60)
    for options in ({}, {"method": "group"}, {"method": "group", "statistic": "mean"}):
        one = borderline(scores, grades, 1, **options)
        other = borderline(2 * scores[order] + 7, grades[order] + 1, 2, **options)
        assert other.cut == pytest.approx(2 * one.cut + 7)
        assert other.interval == pytest.approx(tuple(2 * limit + 7 for limit in one.interval))
