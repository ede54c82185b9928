"""Classification against direct simulation, closed cases and each other."""

import numpy as np
import pytest
from scipy import stats

from scoring.errors import BadParameters, NotIdentified
from scoring.standard_setting import lee, livingston_lewis, rudner


def test_livingston_lewis_finds_the_truth_it_assumes():
    """True shares beta(6, 4) on 0.1–1, 40 binomial items: accuracy and consistency of 20,000 candidates on two forms."""
    random = np.random.default_rng(6)
    true = 0.1 + 0.9 * random.beta(6, 4, 20_000)
    one, two = random.binomial(40, true), random.binomial(40, true)
    reliability = np.corrcoef(one, two)[0, 1]
    found = livingston_lewis(one, [20, 30], reliability, maximum=40)
    classes = [np.searchsorted([20, 30], x, side="right") for x in (one, two, 40 * true)]
    assert found.effective_length == pytest.approx(40, abs=1.5)
    assert found.accuracy == pytest.approx((classes[0] == classes[2]).mean(), abs=0.01)
    assert found.consistency == pytest.approx((classes[0] == classes[1]).mean(), abs=0.01)
    assert found.false_positive == pytest.approx((classes[0] > classes[2]).mean(), abs=0.01)
    assert found.false_negative == pytest.approx((classes[0] < classes[2]).mean(), abs=0.01)
    table = np.histogram2d(classes[0], classes[1], bins=[np.arange(4)] * 2)[0] / one.size
    np.testing.assert_allclose(found.joint_forms, table, atol=0.01)
    assert found.joint_true.sum() == pytest.approx(1)


def test_livingston_lewis_with_the_two_parameter_beta_in_closed_form():
    """Where the beta is (1, 1), scores of n items are uniform on 0 … n and P(score ≥ k) = (n + 1 - k) / (n + 1)."""
    n = 10
    scores = np.repeat(np.arange(n + 1), 30)
    reliability = n / (n + 2)  # KR-21 of the beta-binomial: n / (n + alpha + beta)
    found = livingston_lewis(scores, 6, reliability, maximum=n)
    assert found.effective_length == pytest.approx(n)
    np.testing.assert_allclose([found.alpha, found.beta], 1, atol=1e-6)
    assert found.joint_forms[1].sum() == pytest.approx(5 / 11, abs=1e-9)


def test_rudner_by_hand():
    """One candidate a standard error above the cut: accuracy Φ(1) = .841345; consistency .841345² + .158655²."""
    found = rudner([1.0], 0.5, 0.5)
    p = stats.norm.cdf(1)
    assert found.accuracy == pytest.approx(p)
    assert found.false_positive == pytest.approx(1 - p)
    assert found.false_negative == 0
    assert found.consistency == pytest.approx(p**2 + (1 - p) ** 2)


def test_lee_by_hand():
    """Two items, one ability, P(1) = .8 and .6: P(score 2) = .48, expected 1.4. Cut 1.5: truly below, passes in .48."""
    found = lee([[[0.2, 0.8]], [[0.4, 0.6]]], [1.0], 1.5)
    assert found.accuracy == pytest.approx(0.52)
    assert found.false_positive == pytest.approx(0.48)
    assert found.consistency == pytest.approx(0.52**2 + 0.48**2)


def test_lee_against_simulation_with_polytomous_items_and_points():
    random = np.random.default_rng(7)
    theta = np.linspace(-4, 4, 81)
    weights = stats.norm.pdf(theta)
    tables = []
    for difficulty in (-1.0, 0.0, 0.5, 1.0):
        logits = np.stack(
            [np.zeros_like(theta), theta - difficulty, 2 * theta - 2 * difficulty - 0.4], axis=1
        )
        tables.append(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))
    points = [[0, 1, 2], [0, 2, 4], [0, 1, 3], [0, 1, 2]]
    found = lee(tables, weights, [4, 8], points=points)
    at = random.choice(theta.size, 40_000, p=weights / weights.sum())
    forms = []
    for _ in range(2):
        total = np.zeros(at.size)
        for table, earned in zip(tables, points, strict=True):
            category = (random.random(at.size)[:, None] > np.cumsum(table[at], axis=1)[:, :-1]).sum(axis=1)
            total += np.array(earned)[category]
        forms.append(np.searchsorted([4, 8], total, side="right"))
    expected = sum(table @ np.array(earned) for table, earned in zip(tables, points, strict=True))
    true = np.searchsorted([4, 8], expected[at], side="right")
    assert found.consistency == pytest.approx((forms[0] == forms[1]).mean(), abs=0.01)
    assert found.accuracy == pytest.approx((forms[0] == true).mean(), abs=0.01)


def test_bad_input():
    with pytest.raises(NotIdentified):
        livingston_lewis([5, 5, 5], 3, 0.8, maximum=10)
    for call in (
        lambda: livingston_lewis([5, 6], 3, 1.0, maximum=10),
        lambda: livingston_lewis([5, 60], 3, 0.8, maximum=10),
        lambda: livingston_lewis([5, 6], [6, 3], 0.8, maximum=10),
        lambda: rudner([0.0], 0.0, 0.5),
        lambda: lee([[[0.5, 0.6]]], [1.0], 1),
        lambda: lee([], [1.0], 1),
        lambda: lee([[[0.5, 0.5]]], [1.0], 1, points=[[0, 0.5]]),
    ):
        with pytest.raises(BadParameters):
            call()
