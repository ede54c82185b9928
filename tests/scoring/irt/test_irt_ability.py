"""Abilities: definitions, rows that say nothing, one row or many, and what the estimators promise."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from scoring.errors import BadParameters, BadResponses
from scoring.irt import (
    ItemParameters,
    calibrate,
    category_probabilities,
    estimate_ability,
    expected_scores,
    information,
    marginal_reliability,
    sum_score_table,
)

MIXED = ItemParameters.of(
    ["2PL", "3PL", "GRM", "GPCM", "Rasch", "PCM"],
    slope=[1.2, 1.5, 0.9, 1.1, 1.0, 1.0],
    thresholds=[[0.3], [-0.4], [-1.0, 0.0, 1.2], [-0.6, 0.7], [0.5], [-0.2, 0.1, 0.9]],
    lower_asymptote=[0.0, 0.2, 0.0, 0.0, 0.0, 0.0],
)
METHODS = ("EAP", "MAP", "ML", "WLE", "EAPsum")


def likelihood(row, theta):
    """P(row | θ) straight from the formulas."""
    out = 1.0
    for j, x in enumerate(row):
        if np.isnan(x):
            continue
        a, b, c, model = MIXED.slope[j], MIXED.thresholds[j], MIXED.lower_asymptote[j], MIXED.model[j]
        if model == "GRM":
            above = np.r_[1.0, 1 / (1 + np.exp(-a * (theta - b))), 0.0]
            p = above[:-1] - above[1:]
        elif model in ("GPCM", "PCM"):
            z = np.exp(np.r_[0.0, np.cumsum(a * (theta - b))])
            p = z / z.sum()
        else:
            right = c + (1 - c) / (1 + np.exp(-a * (theta - b[0])))
            p = np.array([1 - right, right])
        out *= p[int(x)]
    return out


rows = st.tuples(
    *[st.sampled_from([*range(k), np.nan]) for k in (2, 2, 4, 3, 2, 4)],
).map(lambda row: np.array(row, dtype=float))


@settings(max_examples=25, deadline=None)
@given(rows, st.sampled_from([(0.0, 1.0), (0.7, 1.6), (-0.4, 0.5)]))
def test_eap_and_map_are_the_mean_and_mode_of_the_posterior(row, prior):
    mean, sd = prior

    def density(t):
        return likelihood(row, t) * np.exp(-0.5 * ((t - mean) / sd) ** 2)

    low, high = mean - 10 * sd, mean + 10 * sd
    moments = [
        quad(lambda t, k=k: t**k * density(t), low, high, epsabs=1e-13, limit=200)[0] for k in range(3)
    ]
    centre = moments[1] / moments[0]
    spread = np.sqrt(moments[2] / moments[0] - centre**2)
    eap = estimate_ability(row, MIXED, "EAP", prior)
    assert eap.theta[0] == pytest.approx(centre, abs=1e-6)
    assert eap.standard_error[0] == pytest.approx(spread, abs=1e-6)
    found = estimate_ability(row, MIXED, "MAP", prior)
    mode = minimize_scalar(
        lambda t: -np.log(density(t)),
        bounds=(mean - 5 * sd, mean + 5 * sd),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert found.theta[0] == pytest.approx(mode.x, abs=1e-5)
    h = 1e-4
    f = [np.log(density(found.theta[0] + k * h)) for k in (-1, 0, 1)]
    assert found.standard_error[0] == pytest.approx(1 / np.sqrt(-(f[0] - 2 * f[1] + f[2]) / h**2), rel=1e-3)


@settings(max_examples=25, deadline=None)
@given(rows)
def test_ml_is_the_highest_point_of_the_likelihood(row):
    found = estimate_ability(row, MIXED, "ML")
    grid = np.linspace(-12, 12, 481)
    heights = np.array([likelihood(row, t) for t in grid])
    if np.isnan(row).all():
        assert np.isnan(found.theta[0])
        assert not found.finite[0]
        assert found.standard_error[0] == np.inf
    elif found.finite[0]:
        assert likelihood(row, found.theta[0]) >= heights.max() * (1 - 1e-9)
    else:
        assert abs(found.theta[0]) == 12.0
        assert found.standard_error[0] == np.inf
        assert likelihood(row, found.theta[0]) == pytest.approx(heights.max())


@settings(max_examples=25, deadline=None)
@given(rows)
def test_wle_solves_warms_equation(row):
    found = estimate_ability(row, MIXED, "WLE")
    if not found.finite[0]:
        return
    t, h = found.theta[0], 1e-4
    met = [j for j in range(6) if not np.isnan(row[j])]
    score = (np.log(likelihood(row, t + h)) - np.log(likelihood(row, t - h))) / (2 * h)
    p = [category_probabilities(MIXED, [t + k * h for k in (-1, 0, 1)])[j] for j in met]
    first = [(q[2] - q[0]) / (2 * h) for q in p]
    second = [(q[0] - 2 * q[1] + q[2]) / h**2 for q in p]
    info = sum((f**2 / q[1]).sum() for f, q in zip(first, p, strict=True))
    third = sum((f * s / q[1]).sum() for f, s, q in zip(first, second, p, strict=True))
    assert score + third / (2 * info) == pytest.approx(0.0, abs=2e-4)
    assert found.standard_error[0] == pytest.approx(1 / np.sqrt(info), rel=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_one_row_is_the_same_as_many(method):
    rng = np.random.default_rng(3)
    x = np.column_stack([rng.integers(0, k, 60) for k in (2, 2, 4, 3, 2, 4)]).astype(float)
    x[rng.random(x.shape) < 0.2] = np.nan
    x[7] = np.nan
    x.setflags(write=False)
    together = estimate_ability(x, MIXED, method)
    for i in range(60):
        alone = estimate_ability(x[i], MIXED, method)
        np.testing.assert_allclose(alone.theta[0], together.theta[i], atol=1e-8)
        np.testing.assert_allclose(alone.standard_error[0], together.standard_error[i], atol=1e-8)
    assert (together.n_responses == (~np.isnan(x)).sum(axis=1)).all()
    if method in ("EAP", "MAP", "EAPsum"):
        assert together.theta[7] == pytest.approx(0.0, abs=1e-9)
        assert together.standard_error[7] == pytest.approx(1.0)
        assert together.finite.all()


@pytest.mark.parametrize("method", METHODS)
def test_a_prior_for_each_person(method):
    rng = np.random.default_rng(4)
    x = rng.integers(0, 2, (30, 6)).astype(float)
    mean, sd = rng.choice([0.0, 0.5], 30), rng.choice([1.0, 1.4], 30)
    together = estimate_ability(x, MIXED, method, (mean, sd))
    for i in range(30):
        alone = estimate_ability(x[i], MIXED, method, (mean[i], sd[i]))
        np.testing.assert_allclose(alone.theta[0], together.theta[i], atol=1e-8)


def test_posterior_means_average_to_the_prior():
    """Over all response patterns, weighted by their probability, EAP has the prior's mean; EAPsum too."""
    items = ItemParameters.of("2PL", slope=[0.8, 1.3, 1.7], difficulty=[-0.5, 0.2, 0.9])
    patterns = np.array(list(itertools.product([0, 1], repeat=3)), dtype=float)
    t = np.linspace(-8, 8, 321)
    w = np.exp(-0.5 * t**2) / np.exp(-0.5 * t**2).sum()
    p = 1 / (1 + np.exp(-items.slope * (t[:, None] - items.difficulty)))
    probability = np.array([w @ np.prod(np.where(row, p, 1 - p), axis=1) for row in patterns.astype(bool)])
    for method in ("EAP", "EAPsum"):
        found = estimate_ability(patterns, items, method)
        assert probability @ found.theta == pytest.approx(0.0, abs=1e-9)
        total = probability @ (found.theta**2 + found.standard_error**2)
        assert total == pytest.approx(1.0, abs=1e-8)
    table = sum_score_table(items)
    by_score = np.bincount(patterns.sum(axis=1).astype(int), weights=probability)
    np.testing.assert_allclose(table.probability, by_score, atol=1e-12)


def test_rasch_scores_depend_on_the_sum_only():
    items = ItemParameters.of("Rasch", difficulty=np.linspace(-1, 1, 5))
    patterns = np.array(list(itertools.product([0, 1], repeat=5)), dtype=float)
    total = patterns.sum(axis=1).astype(int)
    for method in METHODS:
        found = estimate_ability(patterns, items, method)
        for s in range(6):
            assert np.ptp(found.theta[total == s]) < 1e-8
        by_score = [found.theta[total == s][0] for s in range(6)]
        assert (np.diff(by_score) > 0).all()


@pytest.mark.parametrize("method", ["EAP", "MAP", "ML", "WLE"])
def test_another_scale_moves_abilities_with_it(method):
    x = np.random.default_rng(5).integers(0, 2, (40, 6)).astype(float)
    base = estimate_ability(x, MIXED, method, (0.0, 1.0), bounds=(-10, 10))
    moved = estimate_ability(x, MIXED.rescaled(1.5, 0.4), method, (0.4, 1.5), bounds=(-14.6, 15.4))
    np.testing.assert_allclose(moved.theta, 1.5 * base.theta + 0.4, atol=1e-6)
    np.testing.assert_allclose(moved.standard_error, 1.5 * base.standard_error, rtol=1e-6)


def test_true_abilities_are_covered():
    rng = np.random.default_rng(6)
    items = ItemParameters.of("2PL", slope=np.full(30, 1.3), difficulty=np.linspace(-2, 2, 30))
    theta = rng.normal(size=4000)
    x = (rng.random((4000, 30)) < category_probabilities_of_right(items, theta)).astype(float)
    for method in ("EAP", "WLE"):
        found = estimate_ability(x, items, method)
        inside = np.abs(found.theta - theta) < 1.959964 * found.standard_error
        assert 0.93 < inside.mean() < 0.97
    eap = estimate_ability(x, items, "EAP")
    true_reliability = np.corrcoef(eap.theta, theta)[0, 1] ** 2
    assert eap.reliability == pytest.approx(true_reliability, abs=0.02)
    assert marginal_reliability(items) == pytest.approx(true_reliability, abs=0.03)
    wle = estimate_ability(x, items, "WLE")
    assert abs((wle.theta - theta).mean()) < 0.02


def category_probabilities_of_right(items, theta):
    return 1 / (1 + np.exp(-items.slope * (theta[:, None] - items.difficulty)))


def test_information_is_the_expected_squared_score():
    at = np.linspace(-3, 3, 13)
    info = information(MIXED, at)
    h = 1e-5
    for j in range(6):
        p = category_probabilities(MIXED, at)[j]
        up, down = (category_probabilities(MIXED, at + s)[j] for s in (h, -h))
        np.testing.assert_allclose(info.item[:, j], (((up - down) / (2 * h)) ** 2 / p).sum(axis=1), rtol=1e-6)
        np.testing.assert_allclose(expected_scores(MIXED, at)[:, j], p @ np.arange(p.shape[1]), atol=1e-12)
    np.testing.assert_allclose(info.test, info.item.sum(axis=1))
    np.testing.assert_allclose(info.standard_error, 1 / np.sqrt(info.test))


BAD = {
    "method": (lambda: estimate_ability([1] * 6, MIXED, "BAYES"), BadParameters),
    "prior": (lambda: estimate_ability([1] * 6, MIXED, prior=(0, 0)), BadParameters),
    "prior text": (lambda: estimate_ability([1] * 6, MIXED, prior=("a", 1)), BadParameters),
    "prior alone": (lambda: estimate_ability([1] * 6, MIXED, prior=1.0), BadParameters),
    "bounds": (lambda: estimate_ability([1] * 6, MIXED, "ML", bounds=(1, -1)), BadParameters),
    "columns": (lambda: estimate_ability([1, 0], MIXED), BadResponses),
    "category": (lambda: estimate_ability([2, 0, 0, 0, 0, 0], MIXED), BadResponses),
    "items": (lambda: estimate_ability([1, 0], {"slope": 1}), BadParameters),
    "theta": (lambda: information(MIXED, [np.nan]), BadParameters),
    "reliability": (lambda: marginal_reliability(MIXED, 0.0, -1.0), BadParameters),
    "unknown model": (lambda: ItemParameters.of("4PL", difficulty=[0]), BadParameters),
    "no difficulty": (lambda: ItemParameters.of("2PL"), BadParameters),
    "infinite": (lambda: ItemParameters.of("2PL", difficulty=[np.inf]), BadParameters),
    "asymptote": (lambda: ItemParameters.of("3PL", difficulty=[0], lower_asymptote=1.0), BadParameters),
    "asymptote on 2PL": (
        lambda: ItemParameters.of("2PL", difficulty=[0], lower_asymptote=0.2),
        BadParameters,
    ),
    "Rasch slope": (lambda: ItemParameters.of("Rasch", slope=2.0, difficulty=[0]), BadParameters),
    "disordered": (lambda: ItemParameters.of("GRM", thresholds=[[1.0, 0.0]]), BadParameters),
    "two difficulties": (lambda: ItemParameters.of("2PL", thresholds=[[1.0, 0.0]]), BadParameters),
    "lengths": (lambda: ItemParameters.of("2PL", slope=[1, 1], difficulty=[0, 0, 0]), BadParameters),
    "recoding": (lambda: ItemParameters.of("2PL", difficulty=[0], recoding=[[0, 2]]), BadParameters),
    "unknown item": (lambda: MIXED.select(["Q"]), BadParameters),
    "item number": (lambda: MIXED.select([9]), BadParameters),
    "scale": (lambda: MIXED.rescaled(0.0, 1.0), BadParameters),
    "text": (lambda: ItemParameters.of("2PL", slope="a", difficulty=[0]), BadParameters),
    "no items": (lambda: ItemParameters.of("2PL", thresholds=[]), BadParameters),
    "no thresholds": (lambda: ItemParameters.of("GRM", thresholds=[[]]), BadParameters),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(name):
    call, error = BAD[name]
    with pytest.raises(error, match=r"\w+ .*[.]"):
        call()


def test_merged_categories_are_recoded():
    items = ItemParameters.of("GRM", thresholds=[[0.0, 1.0], [0.5]], recoding=[[0, 1, 1, 2], [0, 1, 1]])
    plain = ItemParameters.of("GRM", thresholds=[[0.0, 1.0], [0.5]])
    raw = estimate_ability([[3, 2], [2, 0], [1, np.nan]], items)
    new = estimate_ability([[2, 1], [1, 0], [1, np.nan]], plain)
    np.testing.assert_allclose(raw.theta, new.theta)


def test_calibrations_can_be_given_for_items():
    x = np.random.default_rng(8).integers(0, 2, (200, 5)).astype(float)
    found = calibrate(x, "1PL")
    np.testing.assert_array_equal(estimate_ability(x, found).theta, estimate_ability(x, found.items).theta)
