"""SIBTEST: differences in expected item score at equal true score."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

from scoring.dif.matching import MINIMUM_GROUP, Matched, read
from scoring.dif.results import Sibtest
from scoring.errors import TooFewObservations
from scoring.responses import Responses

Floats = NDArray[np.float64]


class _Levels(NamedTuple):
    """Score levels of the matching total: weights, corrected differences, their variances."""

    scores: Floats
    weight: Floats
    difference: Floats
    variance: Floats
    usable: NDArray[np.bool_]
    size: Floats


def sibtest(
    responses: ArrayLike | Responses,
    focal: ArrayLike,
    *,
    crossing: bool = False,
    smallest: int = 5,
    alpha: float = 0.05,
    minimum: int = MINIMUM_GROUP,
) -> Sibtest:
    """SIBTEST (Shealy & Stout 1993) of each item against the total of all others, with the regression correction
    for groups of different ability; `crossing`: two sides of the crossing score (Li & Stout 1996), each its own
    z², added (Chalmers 2018).

    `smallest`: score levels with this many persons or fewer in a group are left out, as are the lowest and
    the highest level.  Raises as `mantel_haenszel`.
    """
    data = read(responses, focal, minimum, alpha)
    k = data.x.shape[1]
    if k < 3:
        raise TooFewObservations("SIBTEST matches on the other items: it needs at least three.")
    beta, error, statistic = np.zeros(k), np.full(k, np.nan), np.zeros(k)
    df, estimable = np.ones(k, dtype=np.intp), np.ones(k, dtype=bool)
    for j in range(k):
        levels = _levels(data, j, smallest)
        if levels is None:
            estimable[j] = False
            continue
        above = np.zeros(levels.scores.size, dtype=bool)
        if crossing:
            above = levels.scores > _crossing(levels, data.x.shape[0])
        parts = []
        for side in (above, ~above):
            own = side & levels.usable
            if own.any():
                part = float((levels.weight * levels.difference)[own].sum())
                parts.append((part, float((levels.weight**2 * levels.variance)[own].sum())))
        beta[j] = parts[0][0] - (parts[1][0] if len(parts) == 2 else 0.0)
        if crossing:
            beta[j] = abs(beta[j])
        df[j] = len(parts)
        statistic[j] = sum(value**2 / spread for value, spread in parts)
        if len(parts) == 1:
            error[j] = np.sqrt(parts[0][1])
    p = np.where(estimable, chi2.sf(statistic, df), 1.0)
    return Sibtest(data.items, beta, error, statistic, df, p, p <= alpha, estimable, crossing, alpha)


def _levels(data: Matched, j: int, smallest: int) -> _Levels | None:
    rest = np.delete(data.x, j, axis=1)
    total = rest.sum(axis=1)
    scores = np.unique(total)
    y = data.x[:, j].astype(np.float64)
    usable = (scores > scores[0]) & (scores < scores[-1])
    mean, variance, count, true = [], [], [], []
    for group in (~data.focal, data.focal):
        own = total[group]
        at = np.searchsorted(scores, own)
        n = np.bincount(at, minlength=scores.size).astype(np.float64)
        ok = n > 1
        average = np.divide(
            np.bincount(at, y[group], scores.size), n, out=np.full(scores.size, np.nan), where=n > 0
        )
        spread = np.where(ok, average * (1 - average) * n / np.maximum(n - 1, 1), 0.0)
        usable &= (n > smallest) & (np.nan_to_num(spread) > 0)
        mean.append(average)
        variance.append(np.nan_to_num(spread))
        count.append(n)
        centre = own.mean()
        true.append((centre + _alpha(rest[group]) * (scores - centre)) / rest.shape[1])
    if not usable.any():
        return None
    size = count[0] + count[1]
    weight = np.where(usable, size, 0.0)
    weight /= weight.sum()
    middle = (true[0] + true[1]) / 2
    corrected = [_moved(mean[g], true[g], middle, count[g], usable) for g in range(2)]
    difference = np.where(usable, corrected[0] - corrected[1], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.where(usable, variance[0] / count[0] + variance[1] / count[1], 0.0)
    return _Levels(scores.astype(np.float64), weight, difference, error, usable, np.maximum(*count))


def _alpha(x: NDArray[np.intp]) -> float:
    """Coefficient alpha of the matching items: the slope of true score on observed score."""
    covariance = np.cov(x, rowvar=False)
    total = covariance.sum()
    if total <= 0:
        return 0.0
    k = x.shape[1]
    return float(k / (k - 1) * (1 - np.trace(covariance) / total))


def _moved(mean: Floats, true: Floats, middle: Floats, count: Floats, usable: NDArray[np.bool_]) -> Floats:
    """Group means moved along their local slope to the true score between the groups.

    The slope runs over the nearest levels below and above at which the group has persons.
    """
    filled = np.flatnonzero(count > 0)
    out = np.zeros(mean.size)
    for at in np.flatnonzero(usable):
        place = int(np.searchsorted(filled, at))
        low, high = filled[max(place - 1, 0)], filled[min(place + 1, filled.size - 1)]
        run = true[high] - true[low]
        slope = (mean[high] - mean[low]) / run if run > 0 else 0.0
        out[at] = mean[at] + slope * (middle[at] - true[at])
    return out


def _crossing(levels: _Levels, persons: int) -> float:
    """Score at which a weighted line through the differences is zero; levels with over 1 % of persons."""
    used = levels.size / persons > 0.01
    x, w = levels.scores[used], levels.size[used]
    if used.sum() < 2:
        return float("inf")
    slope, intercept = np.polyfit(x, levels.difference[used], 1, w=np.sqrt(w))
    return float(-intercept / slope) if slope != 0 else float("inf")
