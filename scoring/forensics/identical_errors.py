"""The K family: identical wrong answers compared with what candidates of the same score share with the source.

No item response model: candidates are grouped by their number of wrong answers. Scored responses, 0/1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom, poisson

from scoring.errors import BadParameters, BadResponses, NotConverged, TooFewObservations
from scoring.forensics.copying import MINIMUM_ITEMS, _pairs
from scoring.forensics.multiplicity import benjamini_hochberg, holm
from scoring.responses import Responses, read_responses

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

MINIMUM_PERSONS = 100
"""The regressions are over groups of equal scores: with fewer persons the groups are single persons."""
METHODS = ("K", "K1", "K2", "S1", "S2")
_PROBABILITY_LIMITS = (0.001, 0.999)
_LIMIT = 100


@dataclass(frozen=True, eq=False)
class IdenticalErrors:
    """One row per (copier, source).

    `matches`: identical wrong answers m; `source_errors`: wrong answers of the source.  `expected`: what
    the method expects of the copier's score group (S2: including weighted identical right answers).
    `p`: upper tail, NaN where the source has no wrong answer (nothing to copy that this family sees);
    `p_holm`, `q`, `flagged` over all pairs.  `group_size`: persons with the copier's number of wrong answers.
    """

    method: str
    copier: Indices
    source: Indices
    matches: Indices
    source_errors: Indices
    group_size: Indices
    expected: Floats
    p: Floats
    p_holm: Floats
    q: Floats
    flagged: NDArray[np.bool_]
    alpha: float


def k_index(
    responses: ArrayLike | Responses,
    *,
    method: str = "K2",
    pairs: Sequence[tuple[int, int]] | None = None,
    guessing: float = 0.2,
    alpha: float = 0.01,
) -> IdenticalErrors:
    """K (Holland 1996), K1, K2 (Sotaridona & Meijer 2002), S1, S2 (Sotaridona & Meijer 2003).

    The share of the source's w_s wrong answers that group r repeats: K takes the copier's group mean, K1 a
    line and K2 a parabola through all groups' means over the proportion wrong; p = P(Bin(w_s, share) ≥ m).
    S1 fits a log-linear Poisson mean, p = P(m ≤ X ≤ w_s). S2 adds identical right answers, each with weight
    (e(1+g)/(1−g))^{−P(1+g)/g}, P its frequency in the group, g = `guessing` (1 / number of options).
    Group means count once each, whatever their size, as published; K's group includes the source, the
    others leave it out.

    `pairs`: (copier, source); all ordered pairs without.  An answer that was not administered matches
    nothing.  Raises TooFewObservations below MINIMUM_PERSONS persons or MINIMUM_ITEMS items; BadResponses
    unless scored 0/1; BadParameters.
    """
    if method not in METHODS:
        raise BadParameters(f"The method is one of {', '.join(METHODS)}.")
    if not 0 < guessing < 1 or not 0 < alpha < 1:
        raise BadParameters("guessing and alpha must lie between 0 and 1.")
    read = read_responses(responses)
    if (read.codes > 1).any():
        raise BadResponses("The K family needs scored responses, 0 wrong and 1 right.")
    if read.n_persons < MINIMUM_PERSONS or read.n_items < MINIMUM_ITEMS:
        raise TooFewObservations(
            f"{read.n_persons} persons and {read.n_items} items: the K family needs at least {MINIMUM_PERSONS} and "
            f"{MINIMUM_ITEMS}; with fewer, use omega or GBT with known item parameters."
        )
    copier, source = _pairs(pairs, read.n_persons, ordered=True)
    wrong, right = read.codes == 0, read.codes == 1
    errors = wrong.sum(axis=1).astype(np.intp)
    n = copier.size
    matches = np.empty(n, dtype=np.intp)
    expected, p = np.full(n, np.nan), np.full(n, np.nan)
    for one in np.unique(source):
        mine = np.flatnonzero(source == one)
        shared = (wrong & wrong[one]).sum(axis=1)
        matches[mine] = shared[copier[mine]]
        if errors[one] == 0:
            continue
        rows = copier[mine]
        if method in ("S1", "S2"):
            expected[mine], p[mine] = _poisson(method, right, errors, shared, int(one), rows, guessing)
        else:
            share = _shares(method, errors, shared, int(one), read.n_items)[errors[rows]]
            share = np.clip(share, *_PROBABILITY_LIMITS) if method != "K" else share
            expected[mine] = share * errors[one]
            p[mine] = binom.sf(shared[rows] - 1, errors[one], share)
    adjusted = holm(p)
    with np.errstate(invalid="ignore"):
        flagged = adjusted <= alpha
    size = np.bincount(errors, minlength=read.n_items + 1)
    return IdenticalErrors(
        method,
        copier,
        source,
        matches,
        errors[source],
        size[errors[copier]],
        expected,
        p,
        adjusted,
        benjamini_hochberg(p),
        flagged,
        alpha,
    )


def _group_means(values: Floats, errors: Indices, keep: NDArray[np.bool_], items: int) -> Floats:
    """Mean of `values` by number of errors 0 … items, NaN for empty groups."""
    count = np.bincount(errors[keep], minlength=items + 1)
    total = np.bincount(errors[keep], weights=values[keep], minlength=items + 1)
    return np.asarray(np.divide(total, count, out=np.full(items + 1, np.nan), where=count > 0))


def _shares(method: str, errors: Indices, shared: NDArray[np.int_], source: int, items: int) -> Floats:
    """Expected share of the source's errors, by number of errors 0 … items."""
    keep = np.ones(errors.size, dtype=bool)
    keep[source] = method == "K"
    means = _group_means(shared.astype(float), errors, keep, items) / errors[source]
    if method == "K":
        return np.asarray(means)
    level = np.arange(items + 1) / items
    powers = np.vander(level, 2 if method == "K1" else 3, increasing=True)
    filled = ~np.isnan(means)
    coefficients = np.linalg.lstsq(powers[filled], means[filled], rcond=None)[0]
    return np.asarray(powers @ coefficients)


def _poisson(
    method: str,
    right: NDArray[np.bool_],
    errors: Indices,
    shared: NDArray[np.int_],
    source: int,
    copiers: Indices,
    guessing: float,
) -> tuple[Floats, Floats]:
    items = right.shape[1]
    keep = np.ones(errors.size, dtype=bool)
    keep[source] = False
    means = _group_means(shared.astype(float), errors, keep, items)
    extra = np.zeros(copiers.size)
    top = float(errors[source])
    if method == "S2":
        base = np.e * (1.0 + guessing) / (1.0 - guessing)
        both = right & right[source]
        top = float(items)
        for level in np.unique(errors[keep]):
            group = np.flatnonzero(keep & (errors == level))
            weight = base ** (-both[group].mean(axis=0) * (1.0 + guessing) / guessing)
            means[level] += np.ceil((both[group] @ weight).mean())
            own = np.flatnonzero(errors[copiers] == level)
            extra[own] = np.ceil(both[copiers[own]] @ weight)
    filled = np.flatnonzero(~np.isnan(means))
    fitted = _log_linear(filled.astype(float), means[filled], np.arange(items + 1.0))
    mean = np.minimum(fitted[errors[copiers]], top)
    p = poisson.sf(shared[copiers] + extra - 1, mean) - poisson.sf(top, mean)
    return mean, np.maximum(p, 0.0)


def _log_linear(x: Floats, y: Floats, at: Floats) -> Floats:
    """exp(b0 + b1 x) by Poisson maximum likelihood (iteratively reweighted least squares), at `at`."""
    if y.sum() == 0:
        return np.zeros(at.size)
    design = np.column_stack([np.ones(x.size), x])
    mean = y + 0.1
    deviance = np.inf
    for _ in range(_LIMIT):
        working = np.log(mean) + (y - mean) / mean
        root = np.sqrt(mean)
        beta = np.linalg.lstsq(design * root[:, None], working * root, rcond=None)[0]
        mean = np.exp(np.clip(design @ beta, -30.0, 30.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = np.where(y > 0, y * np.log(y / mean), 0.0) - (y - mean)
        new = 2.0 * float(parts.sum())
        if abs(new - deviance) < 1e-12 * (abs(new) + 0.1):
            return np.asarray(np.exp(beta[0] + beta[1] * at))
        change, deviance = abs(new - deviance), new
    raise NotConverged(
        "The log-linear means of the score groups did not settle (change of the deviance).",
        iterations=_LIMIT,
        change=change,
    )
