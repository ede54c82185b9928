"""Linking: exact where items agree, invariant, with honest standard errors; score equating."""

import numpy as np
import pytest

from scoring.errors import BadParameters, NotIdentified
from scoring.irt import (
    ItemParameters,
    calibrate,
    category_probabilities,
    equate_observed_scores,
    equate_true_scores,
    estimate_ability,
    link,
)

METHODS = ("mean-mean", "mean-sigma", "mean-gmean", "haebara", "stocking-lord")
MIXED = ItemParameters.of(
    ["2PL", "3PL", "GRM", "GPCM", "2PL"],
    slope=[1.2, 1.5, 0.9, 1.1, 0.8],
    thresholds=[[0.3], [-0.4], [-1.0, 0.0, 1.2], [-0.6, 0.7], [1.5]],
    lower_asymptote=[0.0, 0.2, 0.0, 0.0, 0.0],
    items=list("abcde"),
)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("symmetric", [False, True])
def test_the_same_items_on_another_scale_are_found_exactly(method, symmetric):
    new = MIXED.rescaled(0.8, -0.5)
    found = link(MIXED, new, method, symmetric=symmetric)
    assert found.slope == pytest.approx(1 / 0.8, abs=1e-9)
    assert found.intercept == pytest.approx(0.5 / 0.8, abs=1e-9)
    back = found.items(new)
    np.testing.assert_allclose(back.slope, MIXED.slope)
    np.testing.assert_allclose(back.difficulty, MIXED.difficulty, atol=1e-9)
    assert found.theta(0.8 * 1.3 - 0.5) == pytest.approx(1.3)
    assert found.standard_errors is None
    assert found.common == tuple("abcde")


@pytest.mark.parametrize("method", METHODS)
def test_order_and_other_items_do_not_matter(method):
    rng = np.random.default_rng(1)
    new = ItemParameters.of(
        MIXED.model,
        slope=MIXED.slope * np.exp(rng.normal(0, 0.1, 5)),
        thresholds=[t + rng.normal(0, 0.1) for t in MIXED.thresholds],
        lower_asymptote=MIXED.lower_asymptote,
        items=MIXED.items,
    )
    base = link(MIXED, new, method)
    other = link(MIXED, new.select(["e", "c", "a", "d", "b"]), method)
    assert other.slope == pytest.approx(base.slope, abs=1e-8)
    assert other.intercept == pytest.approx(base.intercept, abs=1e-8)
    part = link(MIXED.select(["a", "b", "c", "d"]), new, method)
    assert part.common == tuple("abcd")


@pytest.fixture(scope="module")
def samples():
    """Forty times two groups of 600, θ_reference = 1.2 θ_new + 0.5, each calibrated on its own."""
    rng = np.random.default_rng(2)
    truth = ItemParameters.of("2PL", slope=np.tile([0.9, 1.3], 6), difficulty=np.linspace(-1.2, 1.6, 12))
    pairs = []
    for _ in range(40):
        calibrations = []
        for mean, sd in ((0.0, 1.0), (0.5, 1.2)):
            theta = rng.normal(mean, sd, 600)
            p = 1 / (1 + np.exp(-truth.slope * (theta[:, None] - truth.difficulty)))
            calibrations.append(calibrate((rng.random(p.shape) < p).astype(float), "2PL"))
        pairs.append(calibrations)
    return pairs


@pytest.mark.parametrize("method", METHODS)
def test_standard_errors_are_what_simulation_shows(samples, method):
    """A small version of benchmarks/irt_coverage.py --only link."""
    found = [link(*pair, method) for pair in samples]
    for true, value, error in (
        (1.2, [f.slope for f in found], [f.standard_errors[0] for f in found]),
        (0.5, [f.intercept for f in found], [f.standard_errors[1] for f in found]),
    ):
        spread = np.std(value, ddof=1)
        assert abs(np.mean(value) - true) < 4 * spread / np.sqrt(40) + 0.02
        assert 0.7 < np.median(error) / spread < 1.45
        inside = np.abs(np.array(value) - true) < 1.96 * np.array(error)
        assert inside.mean() >= 0.85


def test_a_fixed_scale_has_no_error():
    """Linking to known parameters: only the new calibration's error counts."""
    rng = np.random.default_rng(3)
    truth = ItemParameters.of(
        "2PL", slope=np.ones(8), difficulty=np.linspace(-1, 1, 8), items=list("abcdefgh")
    )
    p = category_probabilities(truth, rng.normal(size=500))
    x = np.column_stack([(rng.random(500) < q[:, 1]) for q in p]).astype(float)
    new = calibrate(x, "2PL", items=list("abcdefgh"))
    assert link(truth, new).standard_errors is None
    fixed = calibrate(x, "2PL", items=list("abcdefgh"), fixed=truth)
    both, one = link(fixed, new), link(new, fixed)
    assert both.standard_errors[0] > 0
    assert one.slope == pytest.approx(1 / both.slope, rel=0.05)


BAD = {
    "method": (lambda: link(MIXED, MIXED, "eye"), BadParameters),
    "no common item": (lambda: link(MIXED.select(["a"]), MIXED.select(["b"])), NotIdentified),
    "one threshold": (lambda: link(MIXED.select(["a"]), MIXED.select(["a"]), "mean-sigma"), NotIdentified),
    "weights alone": (lambda: link(MIXED, MIXED, weights=[1, 2]), BadParameters),
    "lengths": (lambda: link(MIXED, MIXED, theta=[0, 1], weights=[1]), BadParameters),
    "negative weights": (lambda: link(MIXED, MIXED, theta=[0, 1], weights=[-1, 1]), BadParameters),
    "another model": (
        lambda: link(MIXED, ItemParameters.of("GRM", thresholds=[[0.0, 1.0]], items=["a"])),
        BadParameters,
    ),
    "reversed slope": (
        lambda: link(
            MIXED.select(["a"]),
            ItemParameters.of("2PL", slope=-1.0, difficulty=[0], items=["a"]),
            "mean-gmean",
        ),
        NotIdentified,
    ),
    "falling curve": (
        lambda: equate_true_scores(ItemParameters.of("2PL", slope=-1.0, difficulty=[0]), MIXED),
        NotIdentified,
    ),
    "population": (lambda: equate_observed_scores(MIXED, MIXED, [0.0], [-1.0]), BadParameters),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(name):
    call, error = BAD[name]
    with pytest.raises(error, match=r"\w+ .*[.]"):
        call()


def test_a_form_equates_to_itself():
    true = equate_true_scores(MIXED, MIXED)
    np.testing.assert_allclose(true.equated, true.score, atol=1e-8)
    t = np.linspace(-4, 4, 41)
    observed = equate_observed_scores(MIXED, MIXED, t, np.exp(-0.5 * t**2))
    np.testing.assert_allclose(observed.equated, observed.score, atol=1e-9)


def test_equating_goes_there_and_back():
    other = ItemParameters.of(
        "GRM", slope=[1.0, 1.4, 0.8], thresholds=[[-1, 0, 1], [-0.5, 0.4, 1.5], [0, 0.3, 0.9]]
    )
    there = equate_true_scores(other, MIXED)
    inside = np.isfinite(there.theta)
    back = np.interp(there.equated[inside], *_curve(other))
    np.testing.assert_allclose(back, there.score[inside], atol=1e-3)


def _curve(form):
    from scoring.irt import expected_scores

    theta = np.linspace(-30, 30, 60_001)
    return expected_scores(MIXED, theta).sum(axis=1), expected_scores(form, theta).sum(axis=1)


def test_linked_abilities_agree_with_the_reference():
    rng = np.random.default_rng(5)
    x = rng.integers(0, 2, (100, 5)).astype(float)
    new = MIXED.rescaled(0.8, -0.5)
    found = link(MIXED, new)
    a = estimate_ability(x, MIXED, "WLE").theta
    b = found.theta(estimate_ability(x, new, "WLE", bounds=(-12 * 0.8 - 0.5, 12 * 0.8 - 0.5)).theta)
    np.testing.assert_allclose(a, b, atol=1e-6)
