"""Intervals of item parameters: their scales, what has none, and how often they hold the truth."""

import numpy as np
import pytest
from scipy.stats import norm

from scoring.errors import BadParameters
from scoring.irt import (
    ItemParameters,
    LogNormal,
    Priors,
    calibrate,
    category_probabilities,
    item_intervals,
)

PRIORS = Priors(slope=LogNormal(0.0, 0.5))


def simulate(items, n, rng):
    x = np.empty((n, items.n_items))
    for j, p in enumerate(category_probabilities(items, rng.normal(size=n))):
        x[:, j] = (rng.random(n)[:, None] > p.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return x


def three_parameter(n_items, rng):
    """Items as the priors say."""
    return ItemParameters.of(
        "3PL",
        slope=np.exp(rng.normal(0, 0.5, n_items)),
        difficulty=rng.normal(0, 1, n_items),
        lower_asymptote=1 / (1 + np.exp(-rng.normal(-1.386, 0.5, n_items))),
    )


def test_scales_without_priors():
    rng = np.random.default_rng(1)
    items = ItemParameters.of("GRM", slope=[0.8, 1.0, 1.4, 1.8], thresholds=np.array([[-1.0, 0.2, 1.0]] * 4))
    found = calibrate(simulate(items, 400, rng), "GRM")
    limits, error, z = item_intervals(found, 0.9), found.standard_errors, norm.ppf(0.95)
    assert limits.confidence == 0.9
    assert limits.items == found.items.items
    a = found.items.slope
    np.testing.assert_allclose(np.log(limits.slope).mean(axis=1), np.log(a))
    np.testing.assert_allclose(np.log(limits.slope[:, 1] / limits.slope[:, 0]), 2 * z * error.slope / a)
    for j in range(4):
        assert limits.thresholds[j].shape == (3, 2)
        np.testing.assert_allclose(limits.thresholds[j].mean(axis=1), found.items.thresholds[j])
        np.testing.assert_allclose(np.ptp(limits.thresholds[j], axis=1), 2 * z * error.thresholds[j])
    np.testing.assert_allclose(np.ptp(limits.difficulty, axis=1), 2 * z * error.difficulty)
    assert (limits.lower_asymptote == 0).all()


def test_the_centre_of_a_slope_is_the_mode_of_its_logarithm():
    """LogNormal(m + s², s) is LogNormal(m, s) times a: its mode in a is the mode in log a under the first."""
    rng = np.random.default_rng(2)
    x = simulate(three_parameter(15, rng), 600, rng)
    found = calibrate(x, "3PL", priors=PRIORS)
    other = calibrate(x, "3PL", priors=Priors(slope=LogNormal(0.25, 0.5)))
    centre = np.log(item_intervals(found).slope).mean(axis=1)
    step = np.log(other.items.slope) - np.log(found.items.slope)
    assert step.min() > 0.01
    relative = found.standard_errors.slope / found.items.slope
    np.testing.assert_array_less(np.abs(centre - np.log(other.items.slope)), 0.2 * relative)
    assert np.abs(centre - np.log(other.items.slope)).mean() < 0.4 * step.mean()


def test_shared_and_given_slopes():
    rng = np.random.default_rng(3)
    items = ItemParameters.of("1PL", slope=1.2, difficulty=np.linspace(-1, 1, 6))
    x = simulate(items, 500, rng)
    found = calibrate(x, ["1PL"] * 4 + ["2PL", "Rasch"], priors=PRIORS)
    limits = item_intervals(found)
    assert (limits.slope[:4] == limits.slope[0]).all()
    assert (limits.slope[5] == 1).all()
    assert np.ptp(limits.slope[4]) > np.ptp(limits.slope[0]) > 0
    assert np.sqrt(limits.slope[0].prod()) > found.items.slope[0]
    given = calibrate(x, "2PL", fixed={0: {"slope": 1.2, "difficulty": -1.0}}, priors=PRIORS)
    limits = item_intervals(given)
    assert limits.slope[0].tolist() == [1.2, 1.2]
    assert limits.difficulty[0].tolist() == [-1.0, -1.0]
    assert (np.ptp(limits.slope[1:], axis=1) > 0).all()


def test_a_slope_below_zero_keeps_its_scale_and_a_bound_has_no_limits():
    rng = np.random.default_rng(4)
    x = simulate(ItemParameters.of("2PL", slope=1.3, difficulty=np.linspace(-1, 1, 6)), 400, rng)
    x[:, 2] = 1 - x[:, 2]
    found = calibrate(x, "2PL")
    limits = item_intervals(found)
    assert found.items.slope[2] < 0
    assert limits.slope[2].mean() == pytest.approx(found.items.slope[2])
    separated = np.repeat([[0.0, 0, 0], [1, 1, 1]], 30, axis=0)
    bound = calibrate(separated, "2PL")
    assert bound.remarks
    assert np.isnan(item_intervals(bound).slope).all()


def test_refusals():
    rng = np.random.default_rng(5)
    x = simulate(ItemParameters.of("Rasch", difficulty=np.zeros(5)), 100, rng)
    with pytest.raises(BadParameters, match="standard errors"):
        item_intervals(calibrate(x, "Rasch", standard_errors=False))
    with pytest.raises(BadParameters, match="between 0 and 1"):
        item_intervals(calibrate(x, "Rasch"), 95)


def test_posterior_intervals_of_the_3pl_hold_on_average_over_their_priors():
    """Short version of benchmarks/irt_coverage.py --only 3PL: 16 papers of 30 items drawn from the priors."""
    rng = np.random.default_rng(6)
    inside, total = np.zeros(3), 0
    for _ in range(16):
        items = three_parameter(30, rng)
        limits = item_intervals(calibrate(simulate(items, 800, rng), "3PL", priors=PRIORS))
        for place, (pair, true) in enumerate(
            [
                (limits.slope, items.slope),
                (limits.difficulty, items.difficulty),
                (limits.lower_asymptote, items.lower_asymptote),
            ]
        ):
            inside[place] += ((pair[:, 0] <= true) & (true <= pair[:, 1])).sum()
        total += 30
    assert total == 480
    share = inside / total
    spread = 2.5 * np.sqrt(0.05 * 0.95 / total)
    assert (share > 0.95 - spread).all(), share
    assert (share < 0.97 + spread).all(), share
