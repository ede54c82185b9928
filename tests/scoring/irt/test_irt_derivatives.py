"""Every gradient and Hessian against finite differences, on a design with everything in it."""

import numpy as np
import pytest

from scoring.irt.kernels import (
    GRADED,
    PARTIAL_CREDIT,
    THREE_PARAMETER,
    Block,
    ability_derivatives,
    curvature,
    log_probabilities,
    scores,
)
from scoring.irt.layout import build_layout
from scoring.irt.linking import _pack, _Problem
from scoring.irt.model_fit import _conditional, _derivatives
from scoring.irt.nodes import choose_nodes, doubled
from scoring.irt.objective import Objective
from scoring.irt.observed_information import observed_information
from scoring.irt.parameters import ItemParameters
from scoring.irt.posterior import Persons, log_normal_prior
from scoring.irt.priors import Beta, LogNormal, Normal, Priors

KINDS = [
    (PARTIAL_CREDIT, 2),
    (PARTIAL_CREDIT, 4),
    (GRADED, 2),
    (GRADED, 3),
    (GRADED, 5),
    (THREE_PARAMETER, 2),
]
THETA = np.linspace(-6, 6, 25)


def block(kind, k, shift=None):
    """Two items; `shift` (p,) is added to the parameters of both."""
    rng = np.random.default_rng(k)
    slope = np.array([0.8, 1.7])
    intercept = np.sort(rng.normal(size=(2, k - 1)), axis=1)[:, ::-1] - np.arange(k - 1)
    logit = np.array([-1.5, -0.5])
    if shift is not None:
        slope = slope + shift[0]
        intercept = intercept + shift[1:k]
        if kind == THREE_PARAMETER:
            logit = logit + shift[2]
    c = 1 / (1 + np.exp(-logit)) if kind == THREE_PARAMETER else np.zeros(2)
    return Block(kind, k, np.arange(2), slope, intercept, c)


@pytest.mark.parametrize(("kind", "k"), KINDS)
def test_kernels(kind, k):
    here = block(kind, k)
    log_p = log_probabilities(here, THETA)
    assert np.allclose(np.exp(log_p).sum(axis=2), 1.0, atol=1e-13)
    p = 3 if kind == THREE_PARAMETER else k
    h = 1e-5
    counts = np.random.default_rng(1).uniform(0.1, 2.0, log_p.shape)
    hessian = np.zeros((2, p, p))
    for i in range(p):
        step = np.zeros(p)
        step[i] = h
        up, down = block(kind, k, step), block(kind, k, -step)
        change = (log_probabilities(up, THETA) - log_probabilities(down, THETA)) / (2 * h)
        np.testing.assert_allclose(scores(here, THETA, log_p)[..., i], change, atol=2e-8)
        for sign, other in ((1, up), (-1, down)):
            s = scores(other, THETA, log_probabilities(other, THETA))
            hessian[:, i] -= sign * np.einsum("mqk,mqkp->mp", counts, s) / (2 * h)
    ours = curvature(here, THETA, log_p, counts)
    np.testing.assert_allclose(ours, hessian, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(ours, ours.transpose(0, 2, 1), atol=1e-12)


@pytest.mark.parametrize(("kind", "k"), KINDS)
def test_derivatives_by_ability(kind, k):
    here = block(kind, k)
    p, first, second = ability_derivatives(here, THETA)
    np.testing.assert_allclose(p, np.exp(log_probabilities(here, THETA)), atol=1e-14)
    h = 1e-5
    up, down = (log_probabilities(here, THETA + s) for s in (h, -h))
    np.testing.assert_allclose(first, (up - down) / (2 * h), atol=1e-8)
    up, down = (ability_derivatives(here, THETA + s)[1] for s in (h, -h))
    np.testing.assert_allclose(np.broadcast_to(second, p.shape), (up - down) / (2 * h), atol=1e-8)


@pytest.mark.parametrize(("kind", "k"), KINDS)
def test_kernels_far_out(kind, k):
    """No overflow, and probabilities that sum to one, hundreds of units away."""
    with np.errstate(all="raise", under="ignore"):
        p, first, second = ability_derivatives(block(kind, k), np.array([-400.0, 400.0]))
        log_p = log_probabilities(block(kind, k), np.array([-400.0, 400.0]))
    assert np.isfinite(log_p).all()
    assert np.allclose(p.sum(axis=2), 1.0)
    assert np.isfinite(first).all()
    assert np.isfinite(second).all()


MODELS = ["2PL", "1PL", "3PL", "GRM", "GPCM", "RSM", "RSM", "PCM", "1PL", "Rasch"]
CATEGORIES = np.array([2, 2, 2, 4, 4, 3, 3, 3, 2, 2])
PRIORS = {
    "none but the asymptote's": Priors(),
    "all, logit": Priors(
        slope=LogNormal(0.1, 0.5), intercept=Normal(0.0, 2.0), lower_asymptote=Normal(-1.4, 0.5)
    ),
    "all, beta": Priors(slope=Normal(1.0, 0.5), intercept=Normal(0.3, 1.0), lower_asymptote=Beta(5.0, 17.0)),
}


def objective(models, missing, n_groups, priors, n=160):
    rng = np.random.default_rng(7)
    theta = rng.normal(size=n)
    x = np.empty((n, len(models)), dtype=np.int8)
    for j, k in enumerate(CATEGORIES):
        b = np.sort(rng.normal(size=k - 1))
        x[:, j] = (rng.random(n)[:, None] < 1 / (1 + np.exp(-(theta[:, None] - b)))).sum(axis=1)
    if missing:
        x[:, 2:][rng.random((n, len(models) - 2)) < 0.2] = -1
    names = ["A", "B"][:n_groups]
    layout = build_layout(
        models,
        CATEGORIES,
        [f"I{j}" for j in range(10)],
        {},
        names,
        [False, True][:n_groups],
        [True] * n_groups,
    )
    persons = Persons(x, CATEGORIES, rng.uniform(0.5, 2.0, n), rng.integers(0, n_groups, n), n_groups)
    here = Objective(persons, layout, priors, np.linspace(-9, 9, 91))
    free = rng.normal(size=layout.n_free) * 0.2
    free[layout.role == "slope"] += 1.0
    ordered = [i for i, name in enumerate(layout.names) if name.startswith("I3.intercept")]
    free[ordered] = [1.0, 0.1, -0.9]
    return here, free


@pytest.mark.parametrize("priors", PRIORS)
@pytest.mark.parametrize("n_groups", [1, 2])
@pytest.mark.parametrize("missing", [False, True])
def test_gradient_and_observed_information(priors, n_groups, missing):
    here, free = objective(MODELS, missing, n_groups, PRIORS[priors])
    at = here.value(free)
    h = 1e-5
    gradient, hessian = [], []
    for i in range(free.size):
        up, down = free.copy(), free.copy()
        up[i] += h
        down[i] -= h
        above, below = here.value(up), here.value(down)
        gradient.append((above.total - below.total) / (2 * h))
        hessian.append((above.gradient - below.gradient) / (2 * h))
    np.testing.assert_allclose(at.gradient, gradient, atol=5e-6)
    np.testing.assert_allclose(observed_information(here, at), -np.array(hessian), rtol=1e-5, atol=2e-3)


@pytest.mark.parametrize("n_groups", [1, 2])
def test_information_by_moments_and_by_nodes_agree(n_groups, monkeypatch):
    models = ["2PL", "1PL", "2PL", "GPCM", "GPCM", "RSM", "RSM", "PCM", "1PL", "Rasch"]
    here, free = objective(models, False, n_groups, Priors())
    at = here.value(free)
    quick = observed_information(here, at)
    monkeypatch.setattr("scoring.irt.observed_information.PARTIAL_CREDIT", "another kernel")
    np.testing.assert_allclose(observed_information(here, at), quick, rtol=1e-9, atol=1e-9)


def test_information_in_single_precision_and_in_parts(monkeypatch):
    here, free = objective(MODELS, True, 2, Priors())
    at = here.value(free)
    exact = observed_information(here, at)
    monkeypatch.setattr("scoring.irt.observed_information._SINGLE_PRECISION_FROM", 0.0)
    monkeypatch.setattr("scoring.irt.observed_information._PRODUCT_BYTES", 40_000)
    np.testing.assert_allclose(observed_information(here, at), exact, rtol=1e-5, atol=1e-4)


def test_em_steps_never_lower_the_likelihood():
    here, free = objective(MODELS, True, 2, PRIORS["all, logit"])
    at = here.value(free)
    climbed = 0
    for _ in range(25):
        after = here.value(here.m_step(at))
        assert after.total >= at.total - 1e-9
        climbed += after.total > at.total
        at = after
    assert climbed == 25


@pytest.mark.parametrize("method", ["haebara", "stocking-lord"])
@pytest.mark.parametrize("symmetric", [False, True])
def test_linking_residuals(method, symmetric):
    rng = np.random.default_rng(4)
    old = ItemParameters.of(
        ["3PL", "GRM", "GPCM", "2PL"],
        slope=[1.1, 0.9, 1.4, 0.7],
        thresholds=[[0.3], [-1.0, 0.2, 1.0], [-0.5, 0.4], [1.0]],
        lower_asymptote=[0.2, 0.0, 0.0, 0.0],
    )
    new = ItemParameters.of(
        old.model,
        slope=old.slope * 1.2,
        thresholds=[t / 1.2 - 0.3 + 0.05 * rng.normal() for t in old.thresholds],
        lower_asymptote=[0.18, 0.0, 0.0, 0.0],
    )
    problem = _Problem(old, new, np.linspace(-3, 3, 13), np.full(13, 1 / 13), symmetric)
    beta, h = np.array([1.1, 0.2]), 1e-6
    packed = _pack(old), _pack(new)
    jacobian = problem.residuals(method, beta, *packed)[1]
    for i in range(2):
        step = np.eye(2)[i] * h
        change = (
            problem.residuals(method, beta + step, *packed)[0]
            - problem.residuals(method, beta - step, *packed)[0]
        )
        np.testing.assert_allclose(jacobian[:, i], change / (2 * h), atol=1e-8)


def test_moment_derivatives_of_the_model_fit():
    from dataclasses import replace

    from scoring.irt import calibrate

    rng = np.random.default_rng(11)
    theta = rng.normal(size=400)
    x = (rng.random((400, 6)) < 1 / (1 + np.exp(-(theta[:, None] - np.linspace(-1, 1, 6))))).astype(float)
    x[:, 5] += (rng.random(400) < 0.4) & (x[:, 5] == 1)
    calibration = calibrate(x, ["Rasch", "2PL", "3PL", "2PL", "2PL", "GRM"])
    left, right = np.triu_indices(6, 1)
    nodes, weight, curves = _conditional(calibration, left, right)
    ours = _derivatives(calibration, nodes, weight, curves)
    h = 1e-5
    layout = calibration.layout
    for i in range(layout.n_free):
        sides = []
        for sign in (1, -1):
            free = calibration.free.copy()
            free[i] += sign * h
            mean, sd = layout.groups(free)
            changed = replace(calibration, free=free)
            full = {int(j): b for b in layout.blocks(free) for j in b.index}
            assert len(full) == 6
            w = np.exp(log_normal_prior(nodes, mean, sd)[0])
            singles, firsts = np.empty_like(curves.p), np.empty_like(curves.first)
            for b in layout.blocks(changed.free):
                p = np.exp(log_probabilities(b, nodes))
                firsts[b.index] = p @ np.arange(float(b.n_categories))
                for place, j in enumerate(b.index):
                    singles[curves.item == j] = p[place, :, 1:].T
            sides.append(np.concatenate([singles, firsts[left] * firsts[right]]) @ w)
        np.testing.assert_allclose(ours[:, i], (sides[0] - sides[1]) / (2 * h), atol=1e-8)


def test_nodes_are_as_dense_as_the_sharpest_posterior():
    items = ItemParameters.of("2PL", slope=np.full(50, 1.5), difficulty=np.linspace(-1, 1, 50))
    theta = choose_nodes(items.blocks, np.ones(50), np.zeros(1), np.ones(1), step=1.0, reach=6.0)
    step = theta[1] - theta[0]
    information = sum(
        (ability_derivatives(b, theta)[0] * ability_derivatives(b, theta)[1] ** 2).sum() for b in items.blocks
    )
    assert information > 0
    sharpest = 1 / np.sqrt(max(_information(items, t) for t in theta) + 1)
    assert step <= sharpest * 1.001
    twice = doubled(theta)
    assert np.isin(np.round(theta, 9), np.round(twice, 9)).all()
    assert twice[1] - twice[0] == pytest.approx(step / 2)


def _information(items, theta):
    p = 1 / (1 + np.exp(-items.slope * (theta - items.difficulty)))
    return (items.slope**2 * p * (1 - p)).sum()
