"""Rank probabilities against closed forms, numerical integration and simulation of their calibration."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from scoring.errors import BadParameters, BadResponses
from scoring.ranking import rank_uncertainty


def test_two_candidates_with_a_flat_prior_are_a_normal_tail():
    """P(A above B) = Phi(2 / sqrt(3² + 2²)) = Phi(0.5547) = 0.7105."""
    found = rank_uncertainty([80, 78], [3.0, 2.0], population=False)
    assert found.beats[0, 1] == pytest.approx(stats.norm.cdf(2 / np.sqrt(13)), abs=1e-12)
    assert found.first[0] == pytest.approx(0.7105, abs=0.001)


def test_population_prior_by_hand():
    """With equal errors s the shrinkage B = s² / (s² + σ²) has the density B^((n-1)/2) exp(-B SS / 2s²) on (0, 1).

    (x - mean has variance s² / B.) Given B the difference of two true scores is normal with mean (1 - B)(x1 - x2)
    and variance 2 (1 - B) s².
    """
    x, s = np.array([80.0, 78, 75, 70, 60]), 3.0
    squares = ((x - x.mean()) ** 2).sum()

    def density(b):
        return b ** ((x.size - 1) / 2) * np.exp(-b * squares / (2 * s**2))

    def above(b):
        return density(b) * stats.norm.cdf(np.sqrt((1 - b) / 2) * (x[0] - x[1]) / s)

    whole = integrate.quad(density, 0, 1)[0]
    found = rank_uncertainty(x, s)
    assert found.beats[0, 1] == pytest.approx(integrate.quad(above, 0, 1)[0] / whole, abs=5e-4)
    kept = 1 - integrate.quad(lambda b: b * density(b), 0, 1)[0] / whole
    assert found.signal == pytest.approx(kept, abs=1e-3)
    np.testing.assert_allclose(found.estimate, x.mean() + kept * (x - x.mean()), atol=0.02)


def test_ranks_of_independent_candidates_against_quadrature():
    """P(rank of i is r) = ∫ density of i times the probability that r - 1 of the others lie above (Poisson-binomial)."""
    x, s = np.array([71.0, 70.0, 66.0, 65.5]), np.array([2.0, 4.0, 1.0, 3.0])
    grid = np.linspace(40, 95, 20_001)
    truth = np.zeros((4, 4))
    for i in range(4):
        above = np.ones((1, grid.size))
        for j in set(range(4)) - {i}:
            p = stats.norm.sf(grid, x[j], s[j])
            above = np.vstack([above * (1 - p), np.zeros(grid.size)]) + np.vstack(
                [np.zeros(grid.size), above * p]
            )
        truth[i] = np.trapezoid(above * stats.norm.pdf(grid, x[i], s[i]), grid)
    found = rank_uncertainty(x, s, population=False)
    np.testing.assert_allclose(found.probability, truth, atol=3 * found.simulation_error)
    np.testing.assert_allclose(found.expected_rank, truth @ [1, 2, 3, 4], atol=0.01)


def test_probabilities_are_a_doubly_stochastic_matrix_and_repeat():
    scores = np.random.default_rng(3).normal(60, 8, 17)
    one, two = rank_uncertainty(scores, 4.0, seed=9), rank_uncertainty(scores, 4.0, seed=9)
    np.testing.assert_allclose(one.probability.sum(axis=0), 1)
    np.testing.assert_allclose(one.probability.sum(axis=1), 1)
    np.testing.assert_array_equal(one.probability, two.probability)
    other = rank_uncertainty(scores, 4.0, seed=10)
    assert 0 < np.abs(one.probability - other.probability).max() < 6 * one.simulation_error
    np.testing.assert_allclose(one.beats + one.beats.T, 1)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 8), st.integers(0, 10_000), st.floats(0.1, 50), st.floats(-100, 100))
def test_order_shift_and_scale_do_not_matter(n, seed, scale, shift):
    random = np.random.default_rng(seed)
    x, s = random.normal(0, 3, n), random.uniform(0.5, 3, n)
    first = rank_uncertainty(x, s)
    moved = rank_uncertainty(shift + scale * x, scale * s)
    order = random.permutation(n)
    turned = rank_uncertainty(x[order], s[order])
    np.testing.assert_allclose(moved.beats, first.beats, atol=1e-6)
    np.testing.assert_allclose(turned.beats, first.beats[np.ix_(order, order)], atol=1e-9)
    np.testing.assert_allclose(turned.first, first.first[order], atol=6 * first.simulation_error)


def test_an_error_common_to_all_does_not_count():
    x, s = [80, 78, 75, 70, 60], 3.0
    plain = rank_uncertainty(x, s)
    shared = rank_uncertainty(x, s, covariance=np.full((5, 5), 25.0))
    np.testing.assert_allclose(shared.beats, plain.beats, atol=1e-6)
    np.testing.assert_allclose(shared.probability, plain.probability, atol=6 * plain.simulation_error)


def test_markers_shared_by_some_count_between_groups_only():
    """Two candidates of one marker against two of another: the marker's severity separates the pairs, not the partners."""
    within, between = 1.0, 16.0
    block = np.kron(np.eye(2), np.full((2, 2), between))
    found = rank_uncertainty([74, 72, 70, 68], np.sqrt(within), covariance=block, population=False)
    assert found.beats[0, 1] == pytest.approx(stats.norm.cdf(2 / np.sqrt(2 * within)), abs=1e-9)
    assert found.beats[0, 2] == pytest.approx(stats.norm.cdf(4 / np.sqrt(2 * (within + between))), abs=1e-9)


def test_few_degrees_of_freedom_give_student_tails():
    """Without a population, the difference of two scores over its error is Student's t."""
    found = rank_uncertainty([80, 76], 2.0, degrees_of_freedom=4, population=False)
    assert found.beats[0, 1] == pytest.approx(stats.t.cdf(4 / np.sqrt(8), 4), abs=0.004)
    assert found.first[0] < rank_uncertainty([80, 76], 2.0, population=False).first[0]


def test_groups_and_top_by_hand():
    """Errors of 1: told apart at 0.95 when the difference exceeds 1.645 √2 = 2.326. Scores 10, 8, 6.5, 3."""
    found = rank_uncertainty([10, 8, 6.5, 3], 1.0, names="ABCD", population=False)
    assert found.groups == (("A", "B"), ("B", "C"), ("D",))
    assert found.top == ("A", "B")
    assert found.verdict.code == "ranking.first_likely"
    assert found.rank.tolist() == [1, 2, 3, 4]


def test_groups_need_not_be_neighbours():
    """The third candidate's error is so large that nobody is told apart from it, though the first two are."""
    found = rank_uncertainty([10, 5, 0], [0.5, 0.5, 20], names="ABC", population=False)
    assert found.groups == (("A", "C"), ("B", "C"))


def test_parts_with_weights():
    parts = np.array([[50.0, 30.0], [48.0, 33.0], [40.0, 35.0]])
    found = rank_uncertainty(parts, [3.0, 1.0], weights=[0.5, 2.0], population=False)
    np.testing.assert_allclose(found.score, [85, 90, 90])
    np.testing.assert_allclose(found.standard_error, np.sqrt(1.5**2 + 2**2))
    np.testing.assert_allclose(found.part_share, [2.25 / 6.25, 4 / 6.25])
    assert found.rank.tolist() == [3, 1, 1]


@pytest.mark.parametrize(
    ("scores", "error", "code"),
    [
        ([90, 70, 50], 2.0, "ranking.first_clear"),
        ([71, 70, 69, 40], 3.0, "ranking.first_open"),
        ([71, 70, 69], 5.0, "ranking.says_nothing"),
        ([71, 70, 69], 0.0, "ranking.no_error_given"),
        ([71], 1.0, "ranking.first_clear"),
    ],
)
def test_verdicts(scores, error, code):
    assert rank_uncertainty(scores, error).verdict.code == code


def test_no_error_gives_certainty_and_ties_are_shared():
    found = rank_uncertainty([5, 7, 7, 1], 0.0)
    np.testing.assert_allclose(found.probability[[0, 3]], [[0, 0, 1, 0], [0, 0, 0, 1]])
    np.testing.assert_allclose(found.first, [0, 0.5, 0.5, 0], atol=0.01)
    assert found.rank.tolist() == [3, 1, 1, 4]
    assert found.beats[1, 2] == 0.5


def test_equal_scores_say_nothing():
    found = rank_uncertainty(np.full(6, 50.0), 2.0)
    np.testing.assert_allclose(found.first, 1 / 6, atol=0.01)
    assert found.verdict.code == "ranking.says_nothing"
    assert found.groups == (tuple("123456"),)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (([1, np.nan], 1.0), BadResponses),
        (([], 1.0), BadResponses),
        (([1, 2], -1.0), BadParameters),
        (([1, 2], [1.0, 2.0, 3.0]), BadParameters),
        (([1, 2], np.inf), BadParameters),
    ],
)
def test_bad_input(arguments, error):
    with pytest.raises(error):
        rank_uncertainty(*arguments)


@pytest.mark.parametrize(
    "options",
    [
        {"covariance": [[1, 2], [2, 1]]},
        {"covariance": np.eye(3)},
        {"names": ["A", "A"]},
        {"weights": [1, 2]},
        {"degrees_of_freedom": 0},
        {"confidence": 1.0},
        {"draws": 10},
    ],
)
def test_bad_options(options):
    with pytest.raises(BadParameters):
        rank_uncertainty([1, 2], 1.0, **options)


@pytest.mark.parametrize(("n", "df"), [(5, np.inf), (5, 4), (8, np.inf), (40, np.inf)])
def test_probabilities_are_calibrated(n, df):
    """Over populations from "only error" to "no error" (B uniform): those said to be first with probability p are first
    about p of the time, and 95 % rank intervals hold at least 0.95. The sum of (hit - p) against its standard error."""
    random = np.random.default_rng(11)
    claims, hits, inside = [], [], []
    for _ in range(60 if n == 40 else 120):
        shrinkage = random.random()
        true = random.normal(70, np.sqrt((1 - shrinkage) / shrinkage), n)
        error = np.sqrt(random.chisquare(df) / df) if np.isfinite(df) else 1.0
        found = rank_uncertainty(true + random.normal(0, 1, n), error, degrees_of_freedom=df, draws=1_000)
        rank = stats.rankdata(-true)
        leader = int(found.first.argmax())
        claims.append(found.first[leader])
        hits.append(rank[leader] == 1)
        inside.extend((found.rank_interval[:, 0] <= rank) & (rank <= found.rank_interval[:, 1]))
    claims = np.array(claims)
    difference = (np.array(hits) - claims).sum()
    assert abs(difference) < 3.5 * np.sqrt((claims * (1 - claims)).sum())
    assert np.mean(inside) > 0.95 - 3 * np.sqrt(0.05 * 0.95 / (len(claims) * np.sqrt(n)))


def test_a_flat_prior_promises_too_much():
    """Why the population is the default: with errors as large as differences the flat prior is overconfident."""
    random = np.random.default_rng(12)
    flat, drawn, hits = [], [], []
    for _ in range(200):
        true = random.normal(0, 0.7, 10)
        scores = true + random.normal(0, 1, 10)
        hits.append(true.argmax() == scores.argmax())
        flat.append(rank_uncertainty(scores, 1.0, population=False, draws=1_000).first.max())
        drawn.append(rank_uncertainty(scores, 1.0, draws=1_000).first.max())
    error = np.sqrt(0.25 / len(hits))
    assert np.mean(flat) - np.mean(hits) > 2.5 * error
    assert abs(np.mean(drawn) - np.mean(hits)) < 3 * error
