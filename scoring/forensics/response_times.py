"""Response times: answers too fast to have been thought about, and pairs who answer at the same moments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom, norm

from scoring.errors import BadParameters, NotConverged, TooFewObservations
from scoring.forensics.multiplicity import benjamini_hochberg, holm
from scoring.numbers import read_numbers

Floats = NDArray[np.float64]

MINIMUM_PERSONS = 20
MINIMUM_ITEMS = 10
MINIMUM_FOR_MIXTURE = 100
_ITERATIONS = 500


@dataclass(frozen=True, eq=False)
class ResponseTimes:
    """`threshold` (items): seconds below which an answer counts as too fast.  `too_fast` persons × items.
    `effort` (persons): share of answers that are not too fast (response time effort, Wise & Kong 2005).
    `speed` (persons), `intensity` and `dispersion` (items): lognormal model, log t = intensity − speed + e.
    `hasty`, `hasty_p_holm`: persons with more too-fast answers than the pool's rate explains.
    `first`, `second`, `correlation`, `p`, `p_holm`, `q`, `co_occurring`: all pairs, correlation of the
    residuals that speed and items leave: 1 means that two persons were slow and fast on the same items.
    """

    threshold: Floats
    too_fast: NDArray[np.bool_]
    effort: Floats
    speed: Floats
    intensity: Floats
    dispersion: Floats
    hasty: NDArray[np.bool_]
    hasty_p_holm: Floats
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    correlation: Floats
    p: Floats
    p_holm: Floats
    q: Floats
    co_occurring: NDArray[np.bool_]
    alpha: float
    method: str


def response_times(
    seconds: ArrayLike,
    *,
    method: str = "normative",
    share: float = 0.10,
    ceiling: float = 10.0,
    floor: float = 1.0,
    alpha: float = 0.01,
) -> ResponseTimes:
    """Screen response times, persons × items in seconds, NaN = not administered or not recorded.

    `method`: "normative": threshold = `share` of the item's mean time, at most `ceiling` and at least
    `floor` seconds (Wise & Ma 2012, NT10); "mixture": two lognormal components per item by EM, threshold
    where they are equally likely, for items where the fast one is distinct (means at least two standard
    deviations apart), otherwise normative.

    Lognormal model of van der Linden (2006), equal weights, fitted by alternating means over what was
    recorded. A person is hasty when P(Bin(answers, rate) ≥ too fast) is small after Holm, rate = the share of
    too-fast answers of all others. Pairs: Fisher z of the residuals' correlation over items both answered,
    one-sided, p by the normal tail, adjusted over all pairs by Holm and Benjamini–Hochberg.

    Raises TooFewObservations below MINIMUM_PERSONS persons or MINIMUM_ITEMS items (the mixture asks for
    MINIMUM_FOR_MIXTURE persons); BadParameters for times that are not positive and finite.
    Not handled: revisits (add an item's visits up first), item preknowledge.
    """
    times = _read(seconds)
    if method not in ("normative", "mixture"):
        raise BadParameters("The method is normative or mixture.")
    if not (0 < share < 1 and 0 < floor <= ceiling and 0 < alpha < 1):
        raise BadParameters("share and alpha lie between 0 and 1, and 0 < floor ≤ ceiling.")
    n, k = times.shape
    if n < MINIMUM_PERSONS or k < MINIMUM_ITEMS:
        raise TooFewObservations(
            f"{n} persons and {k} items: below {MINIMUM_PERSONS} persons and {MINIMUM_ITEMS} items nobody can say "
            "what time is usual."
        )
    if method == "mixture" and n < MINIMUM_FOR_MIXTURE:
        raise TooFewObservations(
            f"{n} persons: telling two kinds of times apart needs {MINIMUM_FOR_MIXTURE}; use normative thresholds."
        )
    seen = ~np.isnan(times)
    if (seen.sum(axis=0) < MINIMUM_PERSONS).any() or (seen.sum(axis=1) < MINIMUM_ITEMS).any():
        raise TooFewObservations(
            f"Every item needs the times of {MINIMUM_PERSONS} persons and every person those of {MINIMUM_ITEMS} items; "
            "leave out the others."
        )
    logs = np.log(np.where(seen, times, 1.0))
    threshold = np.clip(share * np.nanmean(times, axis=0), floor, ceiling)
    if method == "mixture":
        for j in range(k):
            cut = _mixture_threshold(logs[seen[:, j], j])
            if cut is not None:
                threshold[j] = max(floor, cut)
    too_fast = seen & (np.where(seen, times, np.inf) < threshold)
    answered = seen.sum(axis=1)
    fast = too_fast.sum(axis=1)
    speed, intensity = _lognormal(logs, seen)
    residual = np.where(seen, logs - (intensity - speed[:, None]), 0.0)
    freedom = np.maximum(1.0, seen.sum(axis=0) * (1 - 1 / k))
    dispersion = np.sqrt((residual**2).sum(axis=0) / freedom)
    hasty_p = _hasty(fast, answered)
    first, second, correlation, p = _pairs(residual / np.maximum(dispersion, 1e-12), seen)
    adjusted = holm(p)
    with np.errstate(invalid="ignore"):
        together = adjusted <= alpha
    return ResponseTimes(
        threshold,
        too_fast,
        1.0 - fast / answered,
        speed,
        intensity,
        dispersion,
        hasty_p <= alpha,
        hasty_p,
        first,
        second,
        correlation,
        p,
        adjusted,
        benjamini_hochberg(p),
        together,
        alpha,
        method,
    )


def _read(seconds: ArrayLike) -> Floats:
    times = read_numbers(seconds, "Response times are numbers of seconds, persons × items.", BadParameters)
    if times.ndim != 2 or times.size == 0:
        raise BadParameters("Response times are persons × items.")
    known = times[~np.isnan(times)]
    if not np.isfinite(known).all() or (known <= 0).any():
        raise BadParameters("Times must be positive and finite; use NaN where none was recorded.")
    return times


def _lognormal(logs: Floats, seen: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Speed of persons (mean 0) and intensity of items, least squares on the recorded cells."""
    speed, intensity = np.zeros(logs.shape[0]), np.zeros(logs.shape[1])
    by_item, by_person = seen.sum(axis=0), seen.sum(axis=1)
    for _ in range(_ITERATIONS):
        new = np.where(seen, logs + speed[:, None], 0.0).sum(axis=0) / by_item
        pace = np.where(seen, new - logs, 0.0).sum(axis=1) / by_person
        pace -= pace.mean()
        change = max(float(np.abs(new - intensity).max()), float(np.abs(pace - speed).max()))
        speed, intensity = pace, new
        if change < 1e-10:
            return speed, intensity
    raise NotConverged(
        "Persons and items of the time model share too few answers (change in log seconds).",
        iterations=_ITERATIONS,
        change=change,
    )


def _hasty(fast: NDArray[np.int_], answered: NDArray[np.int_]) -> Floats:
    others_fast, others = fast.sum() - fast, answered.sum() - answered
    rate = (others_fast + 0.5) / (others + 1.0)
    return holm(np.asarray(binom.sf(fast - 1, answered, rate)))


def _pairs(
    residual: Floats, seen: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats, Floats]:
    first, second = np.triu_indices(residual.shape[0], 1)
    mask = seen.astype(float)
    both = mask @ mask.T
    r = np.where(seen, residual, 0.0)
    sum_one, square = r @ mask.T, (r * r) @ mask.T
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = r @ r.T - sum_one * sum_one.T / both
        scale = np.sqrt((square - sum_one**2 / both) * (square.T - sum_one.T**2 / both))
        table = np.where(scale > 1e-12, covariance / scale, 0.0)
    correlation = np.clip(table[first, second], -1.0, 1.0)
    common = both[first, second]
    z = np.arctanh(np.clip(correlation, -1 + 1e-12, 1 - 1e-12)) * np.sqrt(np.maximum(common - 3, 1))
    p = np.where(common >= MINIMUM_ITEMS, norm.sf(z), np.nan)
    return first, second, correlation, p


def _mixture_threshold(logs: Floats) -> float | None:
    """Seconds at which a fast and a slow lognormal component are equally likely; None if not distinct."""
    low, high = np.quantile(logs, [0.1, 0.6])
    spread = max(float(logs.std()), 1e-3)
    means, sds, weight = np.array([low, high]), np.array([spread, spread]) / 2, 0.1
    before = -np.inf
    for _ in range(_ITERATIONS):
        dense = np.array([weight, 1 - weight])[:, None] * norm.pdf(logs, means[:, None], sds[:, None])
        total = np.maximum(dense.sum(axis=0), 1e-300)
        share = dense / total
        likelihood = float(np.log(total).sum())
        mass = share.sum(axis=1)
        if (mass < 2.0).any():
            return None
        weight = float(mass[0] / logs.size)
        means = (share @ logs) / mass
        sds = np.sqrt(np.maximum((share * (logs - means[:, None]) ** 2).sum(axis=1) / mass, 1e-4))
        if likelihood - before < 1e-9 * logs.size:
            break
        before = likelihood
    else:
        return None  # two components that never settle are not distinct
    slow, fast = (0, 1) if means[0] > means[1] else (1, 0)
    if means[slow] - means[fast] < 2.0 * max(sds):
        return None
    shares = np.array([weight, 1.0 - weight])
    at = np.linspace(means[fast], means[slow], 2_001)
    density = shares[:, None] * norm.pdf(at, means[:, None], sds[:, None])
    crossing = np.flatnonzero(density[slow] >= density[fast])
    return float(np.exp(at[crossing[0]])) if crossing.size else None
