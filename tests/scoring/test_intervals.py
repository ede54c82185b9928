"""Intervals that several families share: exactness, closed cases, coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from scoring.errors import BadParameters
from scoring.intervals import (
    beta_interval,
    bounded_mean_interval,
    correlation,
    mean_interval,
    proportion_interval,
)


@pytest.mark.parametrize("n", [1, 5, 8, 20, 40, 200])
def test_blaker_covers_at_every_proportion(n):
    """Summed exactly over the binomial, on a fine grid of true proportions."""
    x = np.arange(n + 1)
    limits = proportion_interval(x, n)
    p = np.linspace(0.0005, 0.9995, 1999)
    inside = (limits[:, :1] <= p) & (p <= limits[:, 1:])
    coverage = (stats.binom.pmf(x[:, None], n, p) * inside).sum(axis=0)
    assert coverage.min() >= 0.95 - 1e-9
    if n >= 200:
        assert coverage.mean() <= 0.97


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 120), st.data(), st.floats(0.5, 0.999))
def test_blaker_is_the_hull_of_accepted_proportions(n, data, level):
    """Independent calculation: acceptability min(tail) + the largest opposite tail not above it, on a grid."""
    x = data.draw(st.integers(0, n))
    low, high = proportion_interval(x, n, level)
    clopper = beta_interval(x / n, n, level)
    assert clopper[0] <= low + 1e-9
    assert high <= clopper[1] + 1e-9

    def acceptability(p):
        below, above = stats.binom.cdf(x, n, p), stats.binom.sf(x - 1, n, p)
        tail = min(below, above)
        k = np.arange(n + 1)
        opposite = stats.binom.sf(k - 1, n, p) if below <= above else stats.binom.cdf(k, n, p)
        fitting = opposite[opposite <= tail * (1 + 1e-12)]
        return min(1.0, tail + (fitting.max() if fitting.size else 0.0))

    for inner, outer in ((low + 1e-6, low - 1e-6), (high - 1e-6, high + 1e-6)):
        if 0 < outer < 1:
            assert acceptability(outer) <= 1 - level + 1e-9
        if 0 < inner < 1 and low + 1e-5 < high:
            assert acceptability(inner) > 1 - level - 1e-4


def test_blaker_published_example():
    """x = 3 of n = 10: 0.0873 to 0.6194, from the acceptability function; Clopper-Pearson is 0.0667 to 0.6525."""
    np.testing.assert_allclose(proportion_interval(3, 10), [0.0873, 0.6194], atol=1e-4)
    np.testing.assert_allclose(beta_interval(0.3, 10), [0.0667, 0.6525], atol=1e-4)
    np.testing.assert_allclose(proportion_interval([0, 0], [0, 4])[0], [0, 1])


@pytest.mark.parametrize("arguments", [(3, 2), (-1, 2), (1.5, 2), (1, 2, 1.0), (np.nan, 2)])
def test_proportion_refuses(arguments):
    with pytest.raises(BadParameters):
        proportion_interval(*arguments)


@pytest.mark.parametrize(
    ("n", "a", "b"), [(5, 2, 2), (8, 5, 1.5), (40, 0.6, 0.6), (200, 5, 1.5), (200, 8, 2)]
)
def test_bounded_mean_covers(n, a, b):
    random = np.random.default_rng(n)
    x = np.rint(random.beta(a, b, (1500, n)) * 4) / 4
    truth = (np.rint(random.beta(a, b, 2_000_000) * 4) / 4).mean()
    limits = bounded_mean_interval(x.mean(axis=1), x.var(axis=1, ddof=1), n)
    coverage = ((limits[:, 0] <= truth) & (truth <= limits[:, 1])).mean()
    assert coverage >= 0.945
    if n >= 200:
        assert coverage <= 0.97


def test_scores_that_do_not_vary_still_have_an_interval():
    low, high = bounded_mean_interval(1.0, 0.0, 8)
    assert high == 1.0
    assert low == pytest.approx(0.025 ** (1 / 8))


def test_mean_interval_by_hand():
    """1, 2, 3: SE 1 / √3, t(2) = 4.302653."""
    error, low, high = mean_interval(np.array([1.0, 2, 3]))
    assert error == pytest.approx(0.5773503)
    assert (low, high) == pytest.approx((2 - 2.4841377, 2 + 2.4841377))
    assert mean_interval(np.array([1.0]))[1:] == (-np.inf, np.inf)


def test_correlation_jackknife_by_leaving_out():
    random = np.random.default_rng(2)
    x, y = random.integers(0, 2, 12).astype(float), random.normal(0, 1, 12)
    z = [np.arctanh(np.corrcoef(np.delete(x, i), np.delete(y, i))[0, 1]) for i in range(12)]
    found = correlation(x, y)
    assert found.value == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert found.standard_error == pytest.approx(np.sqrt(11 / 12 * np.sum((z - np.mean(z)) ** 2)))


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([1, 1, 1, 1, 1], [1, 2, 3, 4, 5]),
        ([0, 0, 0, 0, 1], [1, 2, 3, 4, 5]),
        ([1, 2, 3, 4, 5], [2, 4, 6, 8, 10]),
        ([0, 1, 1], [1, 2, 3]),
        ([1], [1]),
    ],
)
def test_correlation_that_the_sample_cannot_bound(x, y):
    found = correlation(np.array(x, dtype=float), np.array(y, dtype=float))
    assert found.interval == (-1.0, 1.0)
    assert not found.identified
