"""Answer copying between two candidates, from the probabilities of their answers.

`responses`: persons × items, categories 0, 1, … (scored right/wrong, or chosen options), NaN = not
administered; only items that both met are compared. Probabilities come from item parameters and abilities,
or as an array persons × items × categories (options: `nominal_probabilities`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from scipy.stats import norm

from scoring.errors import BadParameters, TooFewObservations
from scoring.forensics.multiplicity import benjamini_hochberg, holm
from scoring.irt import ItemParameters, category_probabilities, estimate_ability
from scoring.numbers import read_numbers
from scoring.responses import Responses, read_responses

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

MINIMUM_ITEMS = 15
"""With fewer items in common two honest candidates agree on all of them too often."""
_BLOCK = 2_048


@dataclass(frozen=True, eq=False)
class Copying:
    """One row per pair of persons (numbers from 0).

    `matches`: identical answers; `expected` and `sd` of their number if the two worked independently.
    `statistic`: omega's z; for GBT and M4 the number of matches.  `p`: upper tail; `p_holm`, `q` adjusted
    for all pairs (Holm; Benjamini–Hochberg).  `flagged`: p_holm ≤ alpha.  `items`: items in common.
    """

    method: str
    copier: Indices
    source: Indices
    items: Indices
    matches: Indices
    expected: Floats
    sd: Floats
    statistic: Floats
    p: Floats
    p_holm: Floats
    q: Floats
    flagged: NDArray[np.bool_]
    alpha: float


def omega(
    responses: ArrayLike | Responses,
    probabilities: ArrayLike | ItemParameters,
    *,
    theta: ArrayLike | None = None,
    pairs: Sequence[tuple[int, int]] | None = None,
    alpha: float = 0.01,
) -> Copying:
    """Wollack's ω (1997, eq. 3–5): matches with the source's answers against the copier's probabilities of
    giving them, standardised; p from the upper normal tail. On scored responses this is also called W.

    `theta`: abilities of all persons when item parameters are given; estimated by MAP without them (the
    copied answers then count for the copier: ω becomes a little conservative).  `pairs`: (copier, source);
    all ordered pairs without.

    Raises TooFewObservations below MINIMUM_ITEMS items in common; BadParameters.
    """
    read, table = _probabilities(responses, probabilities, theta)
    copier, source = _pairs(pairs, read.n_persons, ordered=True)
    codes, seen = np.maximum(read.codes, 0).astype(np.intp), read.observed
    n = copier.size
    items, matches = np.zeros(n, dtype=np.intp), np.zeros(n, dtype=np.intp)
    expected, variance = np.zeros(n), np.zeros(n)
    column = np.arange(read.n_items)
    for at in _blocks(n):
        c, s = copier[at], source[at]
        both = seen[c] & seen[s]
        p = np.where(both, table[c[:, None], column, codes[s]], 0.0)
        items[at] = both.sum(axis=1)
        matches[at] = (both & (codes[c] == codes[s])).sum(axis=1)
        expected[at] = p.sum(axis=1)
        variance[at] = np.where(both, p * (1.0 - p), 0.0).sum(axis=1)
    _enough(items)
    sd = np.sqrt(variance)
    z = np.divide(matches - expected, sd, out=np.zeros(n), where=sd > 0)
    return _result("omega", copier, source, items, matches, expected, sd, z, norm.sf(z), alpha)


def gbt(
    responses: ArrayLike | Responses,
    probabilities: ArrayLike | ItemParameters,
    *,
    theta: ArrayLike | None = None,
    pairs: Sequence[tuple[int, int]] | None = None,
    conditional: bool = False,
    alpha: float = 0.01,
) -> Copying:
    """Generalised binomial test (van der Linden & Sotaridona 2006): exact P(M ≥ m) of the number of matches,
    which is Poisson-binomial with match probabilities Σ_k P_copier(k) P_source(k).

    `conditional`: given the source's answers (match probability P_copier(source's answer)), for ordered
    pairs.  `pairs`: all pairs without.  Raises as `omega`.
    """
    read, table = _probabilities(responses, probabilities, theta)
    copier, source = _pairs(pairs, read.n_persons, ordered=conditional)
    codes, seen = np.maximum(read.codes, 0).astype(np.intp), read.observed
    n = copier.size
    items, matches = np.zeros(n, dtype=np.intp), np.zeros(n, dtype=np.intp)
    expected, variance, tail = np.zeros(n), np.zeros(n), np.zeros(n)
    column = np.arange(read.n_items)
    for at in _blocks(n):
        c, s = copier[at], source[at]
        both = seen[c] & seen[s]
        if conditional:
            p = table[c[:, None], column, codes[s]]
        else:
            p = np.einsum("njk,njk->nj", table[c], table[s])
        p = np.where(both, p, 0.0)
        items[at] = both.sum(axis=1)
        matches[at] = (both & (codes[c] == codes[s])).sum(axis=1)
        expected[at] = p.sum(axis=1)
        variance[at] = (p * (1.0 - p)).sum(axis=1)
        tail[at] = _upper_tail(p, matches[at])
    _enough(items)
    return _result(
        "GBT", copier, source, items, matches, expected, np.sqrt(variance), matches.astype(float), tail, alpha
    )


def m4(
    responses: ArrayLike | Responses,
    probabilities: ArrayLike | ItemParameters,
    *,
    theta: ArrayLike | None = None,
    key: ArrayLike | None = None,
    pairs: Sequence[tuple[int, int]] | None = None,
    alpha: float = 0.01,
) -> Copying:
    """M4 (Maynes 2014): joint test of identical right and identical wrong answers.

    Their numbers (x wrong, y right) follow a generalised trinomial distribution; p sums the probability of
    all points whose P(X ≥ x, Y ≥ y) is at most that of the pair.  `key`: the right category of each item
    (1 for scored responses).  `pairs`: all pairs without.  Raises as `omega`.
    """
    read, table = _probabilities(responses, probabilities, theta)
    copier, source = _pairs(pairs, read.n_persons, ordered=False)
    right = np.ones(read.n_items, dtype=np.intp) if key is None else np.asarray(key)
    if right.shape != (read.n_items,) or (right < 0).any() or (right >= table.shape[2]).any():
        raise BadParameters("The key gives one category for each item.")
    right = right.astype(np.intp)
    codes, seen = np.maximum(read.codes, 0).astype(np.intp), read.observed
    n = copier.size
    items, matches = np.zeros(n, dtype=np.intp), np.zeros(n, dtype=np.intp)
    expected, variance, tail = np.zeros(n), np.zeros(n), np.zeros(n)
    column = np.arange(read.n_items)
    for at in _blocks(n, 64):
        c, s = copier[at], source[at]
        both = seen[c] & seen[s]
        good = np.where(both, table[c[:, None], column, right] * table[s[:, None], column, right], 0.0)
        same = np.where(both, np.einsum("njk,njk->nj", table[c], table[s]), 0.0)
        equal = both & (codes[c] == codes[s])
        correct = equal & (codes[c] == right)
        items[at], matches[at] = both.sum(axis=1), equal.sum(axis=1)
        expected[at], variance[at] = same.sum(axis=1), (same * (1 - same)).sum(axis=1)
        tail[at] = _trinomial_tail(
            np.maximum(same - good, 0.0), good, (equal & ~correct).sum(axis=1), correct.sum(axis=1)
        )
    _enough(items)
    return _result(
        "M4", copier, source, items, matches, expected, np.sqrt(variance), matches.astype(float), tail, alpha
    )


def nominal_probabilities(slope: ArrayLike, intercept: ArrayLike, theta: ArrayLike) -> Floats:
    """Bock's nominal response model (1972): P(k) ∝ exp(intercept_k + slope_k θ).

    `slope`, `intercept`: items × options; `theta`: persons. Returns persons × items × options.
    """
    a, c = np.asarray(slope, dtype=np.float64), np.asarray(intercept, dtype=np.float64)
    at = np.asarray(theta, dtype=np.float64)
    if a.ndim != 2 or a.shape != c.shape or at.ndim != 1:
        raise BadParameters("Slopes and intercepts are items × options of the same shape, abilities one row.")
    if not (np.isfinite(a).all() and np.isfinite(c).all() and np.isfinite(at).all()):
        raise BadParameters("Parameters and abilities must be finite.")
    return np.asarray(softmax(c + a * at[:, None, None], axis=2))


def _probabilities(
    responses: ArrayLike | Responses, given: ArrayLike | ItemParameters, theta: ArrayLike | None
) -> tuple[Responses, Floats]:
    if isinstance(given, ItemParameters):
        read = given.read(responses)
        if theta is None:
            at = estimate_ability(read, given, "MAP").theta
        else:
            at = read_numbers(theta, "Abilities must be numbers, one per person.", BadParameters)
        if at.shape != (read.n_persons,) or not np.isfinite(at).all():
            raise BadParameters(f"Give one finite ability for each of the {read.n_persons} persons.")
        curves = category_probabilities(given, at)
        table = np.zeros((read.n_persons, read.n_items, max(curve.shape[1] for curve in curves)))
        for j, curve in enumerate(curves):
            table[:, j, : curve.shape[1]] = curve
        return read, table
    read = read_responses(responses)
    table = read_numbers(given, "Probabilities must be numbers, persons × items × categories.", BadParameters)
    if table.ndim != 3 or table.shape[:2] != (read.n_persons, read.n_items):
        raise BadParameters(
            f"Probabilities are persons × items × categories, here {read.n_persons} × {read.n_items} × …"
        )
    if not np.isfinite(table).all() or (table < 0).any() or np.abs(table.sum(axis=2) - 1).max() > 1e-8:
        raise BadParameters("Each person's probabilities of an item's categories must sum to 1.")
    if (read.categories > table.shape[2]).any():
        raise BadParameters("A response lies in a category that has no probability.")
    return read, table


def _pairs(
    pairs: Sequence[tuple[int, int]] | None, persons: int, *, ordered: bool
) -> tuple[Indices, Indices]:
    if persons < 2:
        raise TooFewObservations("Copying needs two persons.")
    if pairs is None:
        first, second = np.triu_indices(persons, 1)
        if not ordered:
            return first, second
        return np.concatenate([first, second]), np.concatenate([second, first])
    table = np.asarray(pairs)
    if table.ndim != 2 or table.shape[1] != 2 or table.dtype.kind not in "iu" or table.shape[0] == 0:
        raise BadParameters("Pairs are (copier, source) rows of whole numbers.")
    if (table < 0).any() or (table >= persons).any() or (table[:, 0] == table[:, 1]).any():
        raise BadParameters(f"A pair names two different persons between 0 and {persons - 1}.")
    return table[:, 0].astype(np.intp), table[:, 1].astype(np.intp)


def _blocks(n: int, size: int = _BLOCK) -> list[slice]:
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def _enough(items: Indices) -> None:
    if items.min() < MINIMUM_ITEMS:
        raise TooFewObservations(
            f"A pair has only {int(items.min())} items in common: below {MINIMUM_ITEMS} agreement proves nothing."
        )


def _upper_tail(p: Floats, matches: Indices) -> Floats:
    """P(M ≥ m) of a sum of independent Bernoulli(p_j), rows at once, summed from the upper end."""
    n, k = p.shape
    density = np.zeros((n, k + 1))
    density[:, 0] = 1.0
    for j in range(k):
        q = p[:, j, None]
        density[:, 1 : j + 2] = density[:, 1 : j + 2] * (1.0 - q) + density[:, : j + 1] * q
        density[:, 0] *= 1.0 - p[:, j]
    upper = np.cumsum(density[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(np.minimum(1.0, upper[np.arange(n), matches]))


def _trinomial_tail(wrong: Floats, right: Floats, x: Indices, y: Indices) -> Floats:
    """M4's p: `wrong`, `right` are the items' probabilities of an identical wrong and right answer."""
    n, k = wrong.shape
    density = np.zeros((n, k + 1, k + 1))
    density[:, 0, 0] = 1.0
    for j in range(k):
        w, r = wrong[:, j, None, None], right[:, j, None, None]
        moved = density * (1.0 - w - r)
        moved[:, 1:, :] += density[:, :-1, :] * w
        moved[:, :, 1:] += density[:, :, :-1] * r
        density = moved
    upper = np.cumsum(np.cumsum(density[:, ::-1, ::-1], axis=1), axis=2)[:, ::-1, ::-1]
    own = upper[np.arange(n), x, y][:, None, None]
    possible = np.add.outer(np.arange(k + 1), np.arange(k + 1)) <= k
    extreme = (upper <= own * (1.0 + 1e-12)) & possible
    return np.asarray(np.minimum(1.0, np.where(extreme, density, 0.0).sum(axis=(1, 2))))


def _result(
    method: str,
    copier: Indices,
    source: Indices,
    items: Indices,
    matches: Indices,
    expected: Floats,
    sd: Floats,
    statistic: Floats,
    p: Floats,
    alpha: float,
) -> Copying:
    if not 0 < alpha < 1:
        raise BadParameters("alpha must lie between 0 and 1.")
    adjusted = holm(p)
    return Copying(
        method,
        copier,
        source,
        items,
        matches,
        expected,
        sd,
        statistic,
        np.asarray(p, dtype=np.float64),
        adjusted,
        benjamini_hochberg(p),
        adjusted <= alpha,
        alpha,
    )
