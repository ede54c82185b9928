"""Honest candidates are left alone, planted copiers are found, too small samples are refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from scoring.errors import BadParameters, BadResponses, TooFewObservations
from scoring.forensics import benjamini_hochberg, gbt, holm, k_index, m4, nominal_probabilities, omega
from scoring.irt import ItemParameters


def simulate(seed: int, persons: int, items: int):
    rng = np.random.default_rng(seed)
    theta = rng.standard_normal(persons)
    a, b = np.exp(rng.normal(0.1, 0.25, items)), rng.normal(0, 1, items)
    p = 1 / (1 + np.exp(-a * (theta[:, None] - b)))
    return theta, ItemParameters.of("2PL", slope=a, difficulty=b), (rng.random(p.shape) < p).astype(int)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), min_size=1, max_size=12))
def test_adjustments_follow_their_definitions(p):
    tested = sorted(v for v in p if v == v)
    m = len(tested)
    step, down = [], 0.0
    for i, v in enumerate(tested):
        down = max(down, min(1.0, (m - i) * v))
        step.append(down)
    adjusted = holm(p)
    assert np.isnan(adjusted).tolist() == [v != v for v in p]
    np.testing.assert_allclose(sorted(adjusted[~np.isnan(adjusted)]), step)
    q = benjamini_hochberg(p)
    for level in (0.01, 0.05, 0.3):
        passing = [i + 1 for i, v in enumerate(tested) if v <= level * (i + 1) / m]
        wanted = max(passing, default=0)
        reached = int((q[~np.isnan(q)] <= level * (1 + 1e-12)).sum())
        assert reached >= wanted
        if reached > wanted:  # only by ties at the border
            assert tested[reached - 1] == pytest.approx(level * reached / m)
    with pytest.raises(BadParameters):
        holm([1.5])


@pytest.mark.parametrize("method", [omega, gbt, m4])
def test_pairs_of_honest_candidates_are_hardly_ever_flagged(method):
    errors, rejected, pairs = 0, 0, 0
    for seed in range(20):
        theta, items, responses = simulate(seed, 25, 40)
        found = method(responses, items, theta=theta, alpha=0.05)
        errors += bool(found.flagged.any())
        rejected += int((found.p <= 0.05).sum())
        pairs += found.p.size
    # At most 5 % of rooms may hold a wrong accusation; 4 of 20 would happen with probability 0.003.
    assert errors <= 3
    assert 0.015 <= rejected / pairs <= 0.06


def test_a_copier_is_found_among_all_pairs():
    theta, items, responses = simulate(99, 40, 50)
    weak, strong = (int(person) for person in np.argsort(theta)[[16, 20]])
    copied = responses.copy()
    copied[weak, :44] = copied[strong, :44]
    for method in (omega, gbt, m4):
        found = method(copied, items, theta=theta)
        strongest = int(np.argmin(found.p))
        assert {int(found.copier[strongest]), int(found.source[strongest])} == {weak, strong}
        assert found.flagged[strongest]
        others = [
            pair for pair in zip(found.copier[found.flagged], found.source[found.flagged]) if weak not in pair
        ]
        assert len(others) <= (0 if method is gbt else 1)  # the exact test names nobody else
    estimated = omega(copied, items)
    assert estimated.p[(estimated.copier == weak) & (estimated.source == strong)][0] < 1e-3


def test_gbt_is_the_binomial_when_all_items_are_alike():
    responses = np.array([[1] * 20, [1] * 15 + [0] * 5])
    table = np.full((2, 20, 2), 0.5)
    found = gbt(responses, table)
    assert found.p[0] == pytest.approx(binom.sf(14, 20, 0.5), rel=1e-12)
    assert gbt(responses[::-1], table).p[0] == pytest.approx(found.p[0], rel=1e-12)


def test_m4_sums_the_trinomial_by_hand():
    rng = np.random.default_rng(5)
    responses = rng.integers(0, 2, (2, 15))
    p = rng.uniform(0.2, 0.9, (2, 15))
    table = np.stack([1 - p, p], axis=2)
    density = {(0, 0): 1.0}
    for j in range(15):
        wrong, right = (1 - p[0, j]) * (1 - p[1, j]), p[0, j] * p[1, j]
        new: dict[tuple[int, int], float] = {}
        for (x, y), mass in density.items():
            for step, chance in (((1, 0), wrong), ((0, 1), right), ((0, 0), 1 - wrong - right)):
                at = (x + step[0], y + step[1])
                new[at] = new.get(at, 0.0) + mass * chance
        density = new
    upper = {at: sum(m for (x, y), m in density.items() if x >= at[0] and y >= at[1]) for at in density}
    own = (int(((responses == 0).all(axis=0)).sum()), int(((responses == 1).all(axis=0)).sum()))
    by_hand = sum(mass for at, mass in density.items() if upper[at] <= upper[own] * (1 + 1e-12))
    assert m4(responses, table).p[0] == pytest.approx(by_hand, rel=1e-10)


def test_missing_answers_are_not_matches():
    theta, items, responses = simulate(3, 3, 30)
    gaps = responses.astype(float)
    gaps[0, :10] = np.nan
    gaps[1, :10] = np.nan
    found = omega(gaps, items, theta=theta, pairs=[(0, 1)])
    assert found.items[0] == 20
    assert found.matches[0] == (responses[0, 10:] == responses[1, 10:]).sum()
    shorter = omega(responses[:, 10:], items.select(range(10, 30)), theta=theta, pairs=[(0, 1)])
    assert found.statistic[0] == pytest.approx(shorter.statistic[0])


@pytest.mark.parametrize("method", ["K", "K1", "K2", "S1", "S2"])
def test_the_k_family_leaves_honest_candidates_alone_and_does_not_depend_on_their_order(method):
    _, _, responses = simulate(11, 120, 40)
    found = k_index(responses, method=method, alpha=0.05)
    assert np.isfinite(found.p).all()
    assert (found.p <= 0.05).mean() <= 0.075
    assert found.flagged.sum() <= 2
    order = np.random.default_rng(1).permutation(120)
    turned = k_index(responses[order], method=method, pairs=[(0, 1), (5, 9)])
    same = k_index(
        responses, method=method, pairs=[(int(order[0]), int(order[1])), (int(order[5]), int(order[9]))]
    )
    np.testing.assert_allclose(turned.p, same.p, atol=1e-10)


def test_a_source_without_errors_has_nothing_to_copy():
    _, _, responses = simulate(12, 110, 20)
    responses[4] = 1
    for method in ("K", "K1", "K2", "S1", "S2"):
        found = k_index(responses, method=method, pairs=[(0, 4), (0, 1)])
        assert np.isnan(found.p[0])
        assert not found.flagged[0]
        assert np.isfinite(found.p[1])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: omega(np.zeros((3, 10)), np.full((3, 10, 2), 0.5)), TooFewObservations, "items in common"),
        (lambda: omega(np.zeros((1, 20)), np.full((1, 20, 2), 0.5)), TooFewObservations, "two persons"),
        (lambda: omega(np.zeros((2, 20)), np.full((2, 20, 2), 0.6)), BadParameters, "sum to 1"),
        (lambda: omega(np.full((2, 20), 2), np.full((2, 20, 2), 0.5)), BadParameters, "no probability"),
        (lambda: omega(np.zeros((2, 20)), np.full((2, 20, 2), 0.5), pairs=[(0, 0)]), BadParameters, "different"),
        (lambda: omega(np.zeros((2, 20)), np.full((2, 20, 2), 0.5), alpha=0), BadParameters, "alpha"),
        (lambda: m4(np.zeros((2, 20)), np.full((2, 20, 2), 0.5), key=[5] * 20), BadParameters, "key"),
        (lambda: k_index(np.zeros((50, 20))), TooFewObservations, "omega or GBT"),
        (lambda: k_index(np.full((100, 20), 3)), BadResponses, "scored"),
        (lambda: k_index(np.zeros((100, 20)), method="K9"), BadParameters, "method"),
        (lambda: nominal_probabilities([[1, 2]], [[1, 2, 3]], [0]), BadParameters, "same shape"),
    ],
)  # fmt: skip
def test_what_proves_nothing_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()
