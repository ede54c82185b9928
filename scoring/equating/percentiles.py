"""Percentile ranks and their inverse for whole scores spread evenly over ±½ (Kolen & Brennan 2014, 2.4)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_TIE = 1e-10


def percentile_ranks(share: Floats) -> Floats:
    """P(x) = F(x − 1) + f(x)/2, in proportions, for every score."""
    return np.asarray(np.cumsum(share) - share / 2)


def rank_of(score: ArrayLike, share: Floats, low: int) -> Floats:
    """P at any real score; 0 below the scale, 1 above."""
    at = np.asarray(score, dtype=np.float64)
    cumulative = np.concatenate([[0.0], np.cumsum(share)])
    edges = np.arange(share.size + 1) + low - 0.5
    return np.asarray(np.interp(at, edges, cumulative))


def score_at(rank: ArrayLike, share: Floats, low: int) -> Floats:
    """The score with percentile rank `rank` (proportion): the inverse of `rank_of`.

    Where nobody has a score the inverse is an interval and its middle is taken (the mean of the upper and
    the lower inverse).
    """
    p = np.atleast_1d(np.asarray(rank, dtype=np.float64))
    cumulative = np.cumsum(share)
    top = share.size - 1
    upper = np.minimum(np.searchsorted(cumulative, p + _TIE, side="right"), top)
    before = np.where(upper > 0, cumulative[upper - 1], 0.0)
    mass = np.where(share[upper] > 0, share[upper], 1.0)
    from_above = upper - 0.5 + np.clip((p - before) / mass, 0.0, 1.0)
    lower = np.searchsorted(cumulative, p - _TIE, side="left")  # first score whose F reaches p
    lower = np.minimum(lower, top)
    start = np.where(lower > 0, cumulative[lower - 1], 0.0)
    mass = np.where(share[lower] > 0, share[lower], 1.0)
    from_below = lower - 0.5 + np.clip((p - start) / mass, 0.0, 1.0)
    out = (from_above + from_below) / 2
    out = np.where(p <= _TIE, -0.5, np.where(p >= 1 - _TIE, top + 0.5, out))
    return np.asarray(out + low)


def density_at(score: Floats, share: Floats, low: int) -> tuple[NDArray[np.intp], Floats]:
    """For real scores: the whole score they belong to (from 0), and its share."""
    at = np.clip(np.floor(score - low + 0.5), 0, share.size - 1).astype(np.intp)
    return at, share[at]
