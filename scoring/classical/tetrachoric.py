"""Tetrachoric correlations: of the normal variables thought to lie behind items scored 0/1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from scoring.errors import BadParameters, BadResponses, TooFewObservations
from scoring.responses import Responses, read_responses

Floats = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_EDGE = 1.0 - 1e-9


@dataclass(frozen=True, eq=False)
class Tetrachoric:
    """`correlation`, `standard_error`, `n`: items × items; `threshold`: τ with P(right) = Φ(−τ), per item.

    NaN where an item does not vary among the persons of a pair; ±1 with standard error NaN where a cell of the
    2 × 2 table is empty (the estimate lies at the bound; `correction` avoids it). The matrix need not be positive
    definite: pairs are taken one by one.
    """

    items: tuple[str, ...]
    correlation: Floats
    standard_error: Floats
    threshold: Floats
    n: NDArray[np.intp]


def tetrachoric(responses: ArrayLike | Responses, *, correction: float = 0.0) -> Tetrachoric:
    """Two-step maximum likelihood: Φ₂(h, k; ρ) = the share right on both, h and k from the margins.

    `correction`: added to empty cells (0.5 by custom; Brown & Benedetti 1977), its opposite to the others of their
    row and column so that margins stay. Missing responses: each pair uses the persons who met both.
    Standard errors: delta method over the three free cells (Brown 1977, Applied Statistics 26, 343–351).
    Raises BadResponses (items not 0/1), TooFewObservations (fewer than two items), BadParameters (a correction
    outside 0–0.5). Not handled: person weights.
    """
    if not 0.0 <= correction <= 0.5:
        raise BadParameters("The correction of empty cells lies between 0 and 0.5 persons.")
    read = read_responses(responses)
    if (read.codes > 1).any():
        raise BadResponses("Tetrachoric correlations are of items scored 0 or 1.")
    if read.n_items < 2:
        raise TooFewObservations("A correlation needs at least two items.")
    seen = read.observed.astype(np.float64)
    right = (read.codes == 1).astype(np.float64)
    n = seen.T @ seen
    both, first, second = right.T @ right, right.T @ seen, seen.T @ right
    upper = np.triu_indices(read.n_items, 1)
    cells = np.array(
        [both[upper], (first - both)[upper], (second - both)[upper], (n - first - second + both)[upper]]
    )
    value, error = _pairs(cells, correction)
    correlation = np.eye(read.n_items)
    correlation[upper] = value
    standard_error = np.zeros_like(correlation)
    standard_error[upper] = error
    correlation.T[upper], standard_error.T[upper] = value, error
    share = right.sum(axis=0) / np.maximum(seen.sum(axis=0), 1.0)
    threshold = -ndtri(np.where((share > 0) & (share < 1), share, np.nan))
    return Tetrachoric(read.items, correlation, standard_error, threshold, n.astype(np.intp))


def bivariate_normal(h: Floats, k: Floats, rho: Floats) -> Floats:
    """P(X ≤ h, Y ≤ k) of standard normals with correlation ρ, by an integral over asin ρ (Drezner & Wesolowsky 1990)."""
    reach = np.arcsin(rho)[..., None] / 2.0
    angle = reach * (1.0 + _NODES)
    h, k = h[..., None], k[..., None]
    inside = np.exp(-(h * h + k * k - 2.0 * h * k * np.sin(angle)) / (2.0 * np.cos(angle) ** 2))
    total = ndtr(h[..., 0]) * ndtr(k[..., 0]) + (inside * reach) @ _WEIGHTS / (2.0 * np.pi)
    return np.asarray(np.clip(total, 0.0, 1.0))


def _pairs(cells: Floats, correction: float) -> tuple[Floats, Floats]:
    """`cells` (4, pairs): right on both, on the first only, on the second only, on neither."""
    cells = cells + np.array([1.0, -1.0, -1.0, 1.0])[:, None] * _moved(cells, correction)
    n = cells.sum(axis=0)
    value, error = np.full(n.shape, np.nan), np.full(n.shape, np.nan)
    rows, columns = cells[0] + cells[1], cells[0] + cells[2]
    usable = (rows > 0) & (rows < n) & (columns > 0) & (columns < n)
    a, b, c, d = cells
    value[usable & ((a == 0) | (d == 0))] = -1.0
    value[usable & ((b == 0) | (c == 0))] = 1.0
    inner = usable & np.isnan(value)
    if not inner.any():
        return value, error
    p = cells[:, inner] / n[inner]
    p1, p2 = p[0] + p[1], p[0] + p[2]
    h, k = ndtri(p1), ndtri(p2)
    low, high = np.full(h.shape, -_EDGE), np.full(h.shape, _EDGE)
    for _ in range(60):
        middle = 0.5 * (low + high)
        above = bivariate_normal(h, k, middle) > p[0]
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    rho = 0.5 * (low + high)
    spread = np.sqrt(1.0 - rho**2)
    density = np.exp(-(h * h + k * k - 2 * rho * h * k) / (2 * spread**2)) / (2 * np.pi * spread)
    by_row, by_column = ndtr((k - rho * h) / spread), ndtr((h - rho * k) / spread)
    # dρ = (dp₁₁ − Φ(·) dp₁ − Φ(·) dp₂) / φ₂: a weight for each cell, multinomial variance
    weight = np.stack([1.0 - by_row - by_column, -by_row, -by_column, np.zeros_like(rho)]) / density
    variance = ((p * weight**2).sum(axis=0) - (p * weight).sum(axis=0) ** 2) / n[inner]
    value[inner], error[inner] = rho, np.sqrt(np.maximum(variance, 0.0))
    return value, error


def _moved(cells: Floats, correction: float) -> Floats:
    """By how much to raise the diagonal (negative: to lower it) so that an empty cell holds `correction`."""
    empty = cells == 0
    return np.where(empty[0] | empty[3], correction, 0.0) - np.where(empty[1] | empty[2], correction, 0.0)
