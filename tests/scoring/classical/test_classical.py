"""Classical statistics by hand, in small samples, and on bad input."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scoring.classical import conditional_sem, guttman, item_analysis, reliability, split_half
from scoring.classical.factor import _discrepancy, one_factor
from scoring.errors import BadParameters, BadResponses, TooFewObservations
from scoring.responses import read_responses

FIVE = np.array([[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 1, 1], [1, 0, 0, 0], [1, 1, 1, 1]])


def simulate(random, n, k=10, slope=1.2):
    difficulty = np.linspace(-1.5, 1.5, k)
    p = 1 / (1 + np.exp(-slope * (random.normal(0, 1, (n, 1)) - difficulty)))
    return (random.random((n, k)) < p).astype(float)


def test_five_candidates_by_hand():
    """Totals 3, 2, 3, 1, 4. Item 1: all right. Item 3 against the rest 2, 2, 2, 1, 3: deviations of the item .4 -.6 .4
    -.6 .4, of the rest 0 0 0 -1 1: r = (.6 + .4) / √(1.2 × 2) = .6455."""
    found = item_analysis(FIVE)
    np.testing.assert_allclose(found.difficulty, [1, 0.6, 0.6, 0.4])
    np.testing.assert_allclose(found.total.score, [3, 2, 3, 1, 4])
    assert found.item_rest[2] == pytest.approx(1 / np.sqrt(2.4))
    assert found.verdicts[0][0].code == "item.no_variation"
    assert np.isnan(found.item_rest[0])
    assert found.item_rest_interval[0].tolist() == [-1, 1]
    assert found.difficulty_interval[0, 1] == 1
    assert 0.4 < found.difficulty_interval[0, 0] < 0.6
    assert found.verdict.code == "paper.says_nothing"
    assert "5 candidates" in str(found.verdict)


def test_shrinkage_pulls_extremes_to_the_paper_and_vanishes_in_large_samples():
    random = np.random.default_rng(3)
    small, large = item_analysis(simulate(random, 12)), item_analysis(simulate(random, 20_000))
    for found in (small, large):
        mean = found.difficulty.mean()
        assert (np.abs(found.difficulty_shrunken - mean) <= np.abs(found.difficulty - mean) + 1e-12).all()
    assert np.abs(large.difficulty_shrunken - large.difficulty).max() < 1e-3
    assert np.abs(small.difficulty_shrunken - small.difficulty).max() > 0.02
    spread = small.item_rest[np.isfinite(small.item_rest)]
    assert np.ptp(small.item_rest_shrunken) < np.ptp(spread)


def test_shrunken_values_are_closer_to_the_truth():
    """Mean squared error of difficulties and discriminations over 60 samples of 12 candidates."""
    random = np.random.default_rng(5)
    truth = item_analysis(simulate(random, 50_000))
    raw, shrunken, raw_r, shrunken_r = 0.0, 0.0, 0.0, 0.0
    for _ in range(60):
        found = item_analysis(simulate(random, 12))
        raw += ((found.difficulty - truth.difficulty) ** 2).sum()
        shrunken += ((found.difficulty_shrunken - truth.difficulty) ** 2).sum()
        known = np.isfinite(found.item_rest) & np.isfinite(found.item_rest_shrunken)
        raw_r += ((found.item_rest - truth.item_rest)[known] ** 2).sum()
        shrunken_r += ((found.item_rest_shrunken - truth.item_rest)[known] ** 2).sum()
    assert shrunken < raw
    assert shrunken_r < 0.6 * raw_r


def test_a_wrong_key_is_suspected():
    random = np.random.default_rng(6)
    right = simulate(random, 300)
    answers = np.where(right == 1, "A", np.where(random.random(right.shape) < 0.5, "B", "C")).astype(object)
    answers[::50, 3] = None
    key = ["A"] * 10
    key[3] = "B"
    found = item_analysis(answers, key)
    assert [v.code for v in found.verdicts[3]] == ["item.reversed", "item.key_suspect"]
    assert found.verdicts[3][1].names == {"option": "A", "key": "B"}
    assert found.distractors[3].options == ("A", "B", "C", None)
    assert found.distractors[3].n[-1] == 6
    assert all(len(v) == 1 for j, v in enumerate(found.verdicts) if j != 3)


def test_false_alarms_are_as_announced():
    """Without any true discrimination about 5 % of items look decided, and the paper's verdict says it says nothing."""
    random = np.random.default_rng(7)
    decided = [
        sum(v[0].code in ("item.discriminates", "item.reversed") for v in item_analysis(x).verdicts)
        for x in (random.integers(0, 2, (40, 20)) for _ in range(60))
    ]
    assert 0.02 < np.mean(decided) / 20 < 0.08


def test_some_columns_keyed_some_scored_and_missing():
    answers = [["A", 2.5, 1], ["B", 4, 0], ["A", None, 1], ["", 3, 1], ["A", 1, 0], ["C", 0, 1]]
    found = item_analysis(answers, ["A", None, None], maximum=[1, 5, 1], items=["Q1", "essay", "Q2"])
    np.testing.assert_allclose(found.difficulty, [0.5, 10.5 / 5 / 5, 4 / 6])
    assert found.n.tolist() == [6, 5, 6]
    assert found.total.score[2] == pytest.approx(2 * 7 / 2)  # 2 of the 2 points offered, scaled to 7
    assert found.distractors[0].options == ("A", "B", "C", None)
    assert found.distractors[1] is None
    assert np.isnan(found.biserial[1])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 30), st.integers(3, 8))
@example(682, 4, 3)  # one item's rest lies on a line: an error of nothing but rounding
def test_invariances(seed, n, k):
    random = np.random.default_rng(seed)
    x = random.integers(0, 4, (n, k)).astype(float)
    people, items = random.permutation(n), random.permutation(k)
    first, turned = item_analysis(x, maximum=3), item_analysis(x[people][:, items], maximum=3)
    for name in ("difficulty", "item_rest", "difficulty_interval", "item_rest_interval", "alpha_if_deleted"):
        np.testing.assert_allclose(getattr(turned, name), getattr(first, name)[items], atol=1e-9)
    scaled = item_analysis(2.5 * x, maximum=7.5)
    np.testing.assert_allclose(scaled.item_rest_interval, first.item_rest_interval, atol=1e-9)
    np.testing.assert_allclose(scaled.difficulty_interval, first.difficulty_interval, atol=1e-9)


@pytest.mark.parametrize(
    ("responses", "options", "error"),
    [
        ([[1, 0], [np.nan, np.nan]], {}, BadResponses),
        ([[1, np.nan], [0, np.nan]], {}, BadResponses),
        ([[1, np.inf]], {}, BadResponses),
        ([["A", "B"]], {}, BadResponses),
        ([], {}, BadResponses),
        ([[1, -1], [0, 1]], {}, BadParameters),
        ([[1, 2], [0, 1]], {"maximum": 1}, BadParameters),
        ([[1, 0], [0, 1]], {"items": ["a", "a"]}, BadParameters),
        ([[1, 0], [0, 1]], {"key": ["A"]}, BadResponses),
        ([["x", 0], ["y", 1]], {"key": [None, None]}, BadResponses),
        ([[1, 0], [0, 1]], {"confidence": 0}, BadParameters),
        (read_responses([[1, 0], [0, 1]], weights=[1, 2]), {}, BadResponses),
    ],
)
def test_bad_input(responses, options, error):
    with pytest.raises(error):
        item_analysis(responses, **options)


@pytest.mark.parametrize(
    "responses",
    [np.ones((5, 3)), np.zeros((1, 4)), np.eye(2), np.ones((2, 1)), np.vstack([np.eye(3), np.ones(3)])],
)
def test_degenerate_papers_have_finite_or_flagged_answers(responses):
    found = item_analysis(responses)
    assert np.isfinite(found.difficulty_interval).all()
    assert np.isfinite(found.item_rest_interval).all()
    for j in np.flatnonzero(np.isnan(found.item_rest)):
        assert found.verdicts[j][0].code in ("item.no_variation", "item.too_few")


def test_read_only_input_is_left_alone():
    x = FIVE.astype(float)
    x.setflags(write=False)
    item_analysis(x)
    reliability(x)


def test_reliability_by_hand():
    """Two items, four persons: (2, 3), (4, 4), (6, 5), (4, 8): variances 8/3 and 14/3, covariance 4/3 of deviations
    -2 0 2 0 and -2 -1 0 3 (product sum 4): alpha = 2 (1 - (8/3 + 14/3) / (22/3 + 8/3)) = 2 (1 - .73333) = .53333."""
    found = reliability([[2, 3], [4, 4], [6, 5], [4, 8]])
    assert found.alpha == pytest.approx(8 / 15)
    assert found.split_halves[0].flanagan == pytest.approx(8 / 15)
    assert found.sem == pytest.approx(np.sqrt(10 * 7 / 15))
    assert np.isnan(found.omega)
    assert found.reasons["omega"].code == "reliability.singular"
    assert found.reasons["kr20"].code == "reliability.not_dichotomous"
    assert found.verdict.code == "reliability.says_nothing"


def test_every_missing_coefficient_has_a_reason():
    flat = reliability(np.ones((4, 3)))
    assert np.isnan(flat.alpha)
    assert flat.verdict.code == "reliability.not_estimable"
    assert {"alpha", "omega", "sem", "guttman", "kr20"} <= set(flat.reasons)
    constant = reliability(np.column_stack([simulate(np.random.default_rng(1), 30), np.ones(30)]))
    assert np.isfinite(constant.alpha)
    assert set(constant.reasons) == {"average_correlation", "omega", "guttman.lambda6"}
    few = reliability(simulate(np.random.default_rng(2), 6))
    assert {"omega", "guttman.lambda6"} <= set(few.reasons)


def test_incomplete_persons_are_left_out_and_counted():
    x = simulate(np.random.default_rng(3), 50)
    whole = reliability(x[:45])
    x[45:, 2] = np.nan
    found = reliability(x)
    assert (found.n, found.left_out) == (45, 5)
    assert found.alpha == whole.alpha


@pytest.mark.parametrize("responses", [[[1, 0]], [[1], [0]], [[1, np.nan], [np.nan, 1], [1, 1]]])
def test_reliability_refuses(responses):
    with pytest.raises(TooFewObservations):
        reliability(responses)


def test_guttman_bounds_are_ordered():
    bounds = guttman(np.cov(simulate(np.random.default_rng(4), 500), rowvar=False))
    assert bounds.lambda1 < bounds.lambda3 <= bounds.lambda2
    assert bounds.lambda5 > bounds.lambda1


def test_given_split():
    x = simulate(np.random.default_rng(5), 80)
    assert split_half(x, [0, 2, 4, 6, 8]).correlation == pytest.approx(split_half(x).correlation)
    for bad in ("thirds", [], range(10), [12]):
        with pytest.raises(BadParameters):
            split_half(x, bad)


def test_lord_by_hand():
    """3 of 4 right: √(3 × 1 / 3) = 1. Strata (1, 2), (3, 4) of the first candidate: 1 1 | 1 0: 0 + 2 × .5 = 1, root 1."""
    lord = conditional_sem(FIVE)
    np.testing.assert_allclose(lord.standard_error, np.sqrt(np.array([3, 4, 3, 3, 0]) / 3))
    compound = conditional_sem(FIVE, "compound", strata=["a", "a", "b", "b"])
    np.testing.assert_allclose(compound.standard_error**2, [1, 0, 1, 1, 0])


def test_conditional_error_for_points_and_missing():
    """2, 3, 4 of 5 points each: k s² = 3 × 1. Items of different range form strata of their own."""
    np.testing.assert_allclose(conditional_sem([[2, 3, 4]]).standard_error, [np.sqrt(3)])
    mixed = conditional_sem([[1, 0, 2, 4]], maximum=[1, 1, 5, 5])
    np.testing.assert_allclose(mixed.standard_error**2, [2 * 0.5 + 2 * 2])
    gap = conditional_sem([[1, 0, np.nan, 1], [1, np.nan, np.nan, np.nan], [1, 1, 1, 1]])
    np.testing.assert_allclose(gap.standard_error[0] ** 2, 3 * (2 / 3 - 4 / 9) * 1.5)
    assert np.isnan(gap.standard_error[1])


@pytest.mark.parametrize(
    "options",
    [
        {"method": "guess"},
        {"method": "compound"},
        {"method": "compound", "strata": ["a"]},
        {"strata": ["a"] * 4},
    ],
)
def test_conditional_error_refuses(options):
    with pytest.raises(BadParameters):
        conditional_sem(FIVE, **options)


@pytest.mark.parametrize("x", [[[1, 2], [2, 1]], [[1, 1], [1, 1]]])
def test_keats_refuses(x):
    with pytest.raises(BadParameters):
        conditional_sem(x, "keats")


@pytest.mark.parametrize("n", [8, 40, 200])
def test_intervals_cover(n):
    """Short version of benchmarks/coverage_classical.py: at least nominal within simulation error, at most 0.97 from 200."""
    random = np.random.default_rng(n)
    big = simulate(random, 60_000)
    truth, whole = item_analysis(big), reliability(big)
    repeats = {8: 100, 40: 70, 200: 40}[n]
    hits = {"difficulty": [], "item_rest": [], "biserial": [], "alpha": [], "sem": []}
    for _ in range(repeats):
        x = simulate(random, n)
        found = item_analysis(x)
        for name in ("difficulty", "item_rest", "biserial"):
            limits, true = getattr(found, f"{name}_interval"), getattr(truth, name)
            hits[name].extend((limits[:, 0] <= true) & (true <= limits[:, 1]))
        paper = reliability(x)
        hits["alpha"].append(paper.alpha_interval[0] <= whole.alpha <= paper.alpha_interval[1])
        if np.isfinite(paper.sem_interval[0]):
            hits["sem"].append(paper.sem_interval[0] <= whole.sem <= paper.sem_interval[1])
    for name, found in hits.items():
        independent = (
            len(found) if name in ("alpha", "sem") else repeats * 4
        )  # items of one sample hang together
        error = np.sqrt(0.95 * 0.05 / independent)
        assert np.mean(found) >= 0.95 - 2.5 * error, name
        if n >= 200:
            assert np.mean(found) <= 0.97 + 2.5 * error, name


def test_gradient_of_the_factor_discrepancy_and_of_omega():
    random = np.random.default_rng(12)
    x = random.normal(0, 1, (60, 1)) * [0.9, 0.6, 0.4, 0.8, 0.5] + random.normal(0, 1, (60, 5))
    correlations = np.corrcoef(x.T)
    for psi in random.uniform(0.2, 0.95, (10, 5)):
        value, gradient = _discrepancy(psi, correlations)
        assert value > 0
        for i in range(5):
            h = np.eye(5)[i] * 1e-6
            change = _discrepancy(psi + h, correlations)[0] - _discrepancy(psi - h, correlations)[0]
            assert gradient[i] == pytest.approx(change / 2e-6, rel=1e-5, abs=1e-7)
    # the error of log(1 − omega) against the delete-one jackknife, which knows no derivative
    found = one_factor(x)
    left = np.array([np.log(1 - one_factor(np.delete(x, i, axis=0)).omega) for i in range(60)])
    jackknife = np.sqrt(59 / 60 * ((left - left.mean()) ** 2).sum())
    assert found.log_error == pytest.approx(jackknife, rel=0.15)
