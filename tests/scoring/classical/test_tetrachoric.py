"""Tetrachoric correlations by hand, in simulation and on tables with empty cells."""

import numpy as np
import pytest
from scipy import stats

from scoring.classical import tetrachoric
from scoring.classical.tetrachoric import bivariate_normal
from scoring.errors import BadParameters, BadResponses, TooFewObservations


def table(a, b, c, d):
    return np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], [a, b, c, d], axis=0)


def test_medians_give_the_arcsine_law():
    # Sheppard: with both thresholds at 0, P(both) = 1/4 + asin(rho) / 2 pi
    found = tetrachoric(table(40, 10, 10, 40))
    assert found.correlation[0, 1] == pytest.approx(np.sin(2 * np.pi * (0.4 - 0.25)), abs=1e-9)
    assert found.threshold == pytest.approx([0, 0])
    assert found.correlation[0, 1] == found.correlation[1, 0]
    assert found.n.tolist() == [[100, 100], [100, 100]]


@pytest.mark.parametrize("rho", [-0.99, -0.5, 0.0, 0.3, 0.8, 0.99])
def test_bivariate_normal_against_scipy(rho):
    at = np.array([[-2.0, 0.5], [0.3, 0.3], [1.5, -1.0], [3.0, 2.5]])
    theirs = stats.multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf(at)
    ours = bivariate_normal(at[:, 0], at[:, 1], np.full(4, rho))
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_standard_errors_are_what_simulation_shows():
    rng = np.random.default_rng(3)
    values, errors = [], []
    for _ in range(200):
        z = rng.standard_normal((250, 2))
        z[:, 1] = 0.6 * z[:, 0] + 0.8 * z[:, 1]
        found = tetrachoric(z > np.array([0.4, -0.3]))
        values.append(found.correlation[0, 1])
        errors.append(found.standard_error[0, 1])
    assert np.mean(values) == pytest.approx(0.6, abs=0.02)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.2)


def test_empty_cells_lie_at_the_bound_unless_corrected():
    found = tetrachoric(table(20, 0, 10, 20))
    assert found.correlation[0, 1] == 1
    assert np.isnan(found.standard_error[0, 1])
    mended = tetrachoric(table(20, 0, 10, 20), correction=0.5)
    same = tetrachoric(np.repeat(table(39, 1, 21, 39), 1, axis=0))  # half a person moved, margins kept, all doubled
    assert mended.correlation[0, 1] == pytest.approx(same.correlation[0, 1], abs=1e-9)
    assert mended.standard_error[0, 1] > 0
    assert tetrachoric(table(0, 20, 10, 0)).correlation[0, 1] == -1
    assert np.isnan(tetrachoric(table(20, 10, 0, 0)).correlation[0, 1])


def test_each_pair_uses_those_who_met_both():
    rng = np.random.default_rng(8)
    x = (rng.standard_normal((300, 1)) + rng.standard_normal((300, 3)) > 0).astype(float)
    x[:60, 2] = np.nan
    found = tetrachoric(x)
    assert found.n[0, 2] == 240
    assert found.correlation[0, 1] == pytest.approx(tetrachoric(x[:, :2]).correlation[0, 1])
    assert found.correlation[0, 2] == pytest.approx(tetrachoric(x[60:][:, [0, 2]]).correlation[0, 1])


def test_refusals():
    with pytest.raises(BadResponses):
        tetrachoric([[0, 2], [1, 1]])
    with pytest.raises(TooFewObservations):
        tetrachoric([[0], [1]])
    with pytest.raises(BadParameters):
        tetrachoric([[0, 1], [1, 1]], correction=-1)
