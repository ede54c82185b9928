"""Intervals that several families use: an exact one for proportions, one for bounded means, the jackknife.

Why these: boards meet 5–40 candidates, where the textbook p ± 1.96 SE covers far less than it says and the
Wilson interval still dips below its level for extreme proportions. Blaker's is exact (never below the level)
and the shortest of the usual exact ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from scoring.errors import BadParameters
from scoring.scores import read_confidence

Floats = NDArray[np.float64]


def proportion_interval(successes: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> Floats:
    """Blaker's exact interval for a binomial proportion; shape of the inputs + (2,).

    The convex hull of the proportions whose acceptability exceeds 1 − confidence. Coverage is at least
    `confidence` for every n and every proportion; nested in Clopper–Pearson. n = 0 gives (0, 1).
    Source: Blaker (2000), Canadian Journal of Statistics 28, 783–798, section 2.
    """
    alpha = 1.0 - read_confidence(confidence)
    x, m = np.broadcast_arrays(np.asarray(successes, dtype=float), np.asarray(n, dtype=float))
    if not (np.all(np.isfinite(x) & np.isfinite(m)) and np.all((x == np.rint(x)) & (m == np.rint(m)))):
        raise BadParameters("Successes and trials must be whole numbers.")
    if np.any((x < 0) | (x > m)):
        raise BadParameters("Successes must lie between 0 and the number of trials.")
    return np.stack([_blaker_lower(x, m, alpha), 1.0 - _blaker_lower(m - x, m, alpha)], axis=-1)


def _upper_tail(x: Floats, n: Floats, p: Floats) -> Floats:
    """P(X ≥ x), x ≥ 1."""
    return np.asarray(special.betainc(x, n - x + 1.0, p))


def _lower_tail(k: Floats, n: Floats, p: Floats) -> Floats:
    """P(X ≤ k), −1 ≤ k < n."""
    safe = np.maximum(k, 0.0)
    return np.where(k < 0, 0.0, special.betainc(n - safe, safe + 1.0, 1.0 - p))


def _blaker_lower(x: Floats, n: Floats, alpha: float) -> Floats:
    """Between two jumps the acceptability 1 − P(k < X < x) is quasi-convex, so each piece is crossed once."""
    lower = np.zeros(x.shape)
    some = x > 0
    x, n = x[some], n[some]
    if x.size == 0:
        return lower
    start = special.betaincinv(x, n - x + 1.0, alpha / 2)  # Clopper–Pearson
    k = stats.binom.ppf(alpha / 2, n, start) - 1.0
    k = np.where(_lower_tail(k + 1.0, n, start) <= alpha / 2, k + 1.0, k)
    low, high = start.copy(), np.ones_like(start)
    for _ in range(60):  # the next jump: P(X ≥ x) = P(X ≤ k + 1)
        middle = 0.5 * (low + high)
        beyond = _upper_tail(x, n, middle) >= _lower_tail(k + 1.0, n, middle)
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    jump = high
    low, high = start.copy(), jump.copy()
    for _ in range(60):
        middle = 0.5 * (low + high)
        accepted = _upper_tail(x, n, middle) + _lower_tail(k, n, middle) > alpha
        low, high = np.where(accepted, low, middle), np.where(accepted, middle, high)
    lower[some] = high
    return lower


def bounded_mean_interval(
    mean: ArrayLike, variance: ArrayLike, n: ArrayLike, confidence: float = 0.95
) -> Floats:
    """Interval for the mean of scores between 0 and 1; `variance` is that of one score (n − 1).

    Clopper–Pearson at the effective number of trials mean (1 − mean) / variance of the mean, times
    (z / t)² because the variance is itself estimated from n scores. Where the scores do not vary, the n
    scores count as n trials. Source: Korn & Graubard (1998), Survey Methodology 24, 193–201.
    """
    half = (1.0 - read_confidence(confidence)) / 2
    m, v, size = np.broadcast_arrays(
        np.asarray(mean, dtype=float), np.asarray(variance, dtype=float), np.asarray(n, dtype=float)
    )
    df = np.maximum(size - 1.0, 1.0)
    shrink = (special.ndtri(half) / stats.t.ppf(half, df)) ** 2
    spread = m * (1.0 - m)
    effective = np.where(v > 0, shrink * size * spread / np.where(v > 0, v, 1.0), size)
    effective = np.where(spread > 0, effective, size)
    return beta_interval(m, effective, confidence)


def beta_interval(proportion: ArrayLike, trials: ArrayLike, confidence: float = 0.95) -> Floats:
    """Clopper–Pearson for real numbers of successes and trials; shape of the inputs + (2,)."""
    half = (1.0 - read_confidence(confidence)) / 2
    m, size = np.broadcast_arrays(np.asarray(proportion, dtype=float), np.asarray(trials, dtype=float))
    x = m * size
    inner_low, inner_high = x > 0, x < size
    lower = np.where(
        inner_low,
        special.betaincinv(np.where(inner_low, x, 1.0), np.where(inner_low, size - x + 1.0, 1.0), half),
        0.0,
    )
    upper = np.where(
        inner_high,
        special.betaincinv(np.where(inner_high, x + 1.0, 1.0), np.where(inner_high, size - x, 1.0), 1 - half),
        1.0,
    )
    return np.stack([lower, upper], axis=-1)


def mean_interval(values: Floats, confidence: float = 0.95) -> tuple[float, float, float]:
    """Standard error of a mean and Student's interval; (nan, -inf, inf) for one value."""
    n = values.size
    if n < 2:
        return float("nan"), float("-inf"), float("inf")
    error = float(values.std(ddof=1)) / np.sqrt(n)
    reach = float(stats.t.ppf(0.5 + read_confidence(confidence) / 2, n - 1)) * error
    return float(error), float(values.mean()) - reach, float(values.mean()) + reach


@dataclass(frozen=True)
class Correlation:
    """`value`, `standard_error` on Fisher's scale, `interval`; `identified` is False where the interval is (−1, 1)."""

    value: float
    standard_error: float
    interval: tuple[float, float]
    identified: bool


def pearson(x: Floats, y: Floats) -> float:
    """Pearson's r; NaN where either variable is constant."""
    x, y = x - x.mean(), y - y.mean()
    spread = float(x @ x) * float(y @ y)
    return float(np.clip(float(x @ y) / np.sqrt(spread), -1.0, 1.0)) if spread > 1e-48 else float("nan")


def correlation(x: Floats, y: Floats, confidence: float = 0.95) -> Correlation:
    """Pearson's r with the jackknife on Fisher's z and Student's t on n − 1 degrees of freedom.

    Holds for 0/1 and skewed scores, where z ± 1.96/√(n − 3) need not. Where leaving out one person makes either
    variable constant, or r is ±1, or n < 4, the sample cannot bound r and the interval is (−1, 1).
    Source: Hinkley (1978), Biometrika 65, 13–21 (jackknife of a transformed correlation).
    """
    n = x.size
    everything = (-1.0, 1.0)
    if n < 2:
        return Correlation(float("nan"), float("nan"), everything, False)
    x, y = x - x.mean(), y - y.mean()
    sxx, syy, sxy = float(x @ x), float(y @ y), float(x @ y)
    tiny_x, tiny_y = 1e-12 * max(sxx, 1e-300) + 1e-28, 1e-12 * max(syy, 1e-300) + 1e-28
    if sxx <= 1e-24 or syy <= 1e-24:
        return Correlation(float("nan"), float("nan"), everything, False)
    r = sxy / np.sqrt(sxx * syy)
    r = float(np.clip(r, -1.0, 1.0))
    if n < 4 or abs(r) > 1.0 - 1e-12:
        return Correlation(r, float("nan"), everything, False)
    scale = n / (n - 1)  # leaving out one of centred values: S − x² n/(n − 1)
    vx, vy, c = sxx - scale * x * x, syy - scale * y * y, sxy - scale * x * y
    if (vx <= tiny_x * 1e3).any() or (vy <= tiny_y * 1e3).any():
        return Correlation(r, float("nan"), everything, False)
    without = np.arctanh(np.clip(c / np.sqrt(vx * vy), -1.0 + 1e-9, 1.0 - 1e-9))
    error = float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))
    reach = float(stats.t.ppf(0.5 + read_confidence(confidence) / 2, n - 1)) * error
    z = float(np.arctanh(r))
    return Correlation(r, error, (float(np.tanh(z - reach)), float(np.tanh(z + reach))), True)
