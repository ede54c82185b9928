"""Fit of a whole model: M2 and indices derived from it (Maydeu-Olivares & Joe 2006; Cai & Hansen 2013)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_factor, cho_solve, qr
from scipy.optimize import brentq
from scipy.stats import chi2, ncx2

from scoring.errors import BadParameters, NotIdentified, TooFewObservations
from scoring.irt.calibration import Calibration
from scoring.irt.kernels import log_probabilities, scores
from scoring.irt.posterior import log_normal_prior
from scoring.responses import Responses

Floats = NDArray[np.float64]

MOST_ITEMS = 150


@dataclass(frozen=True, eq=False)
class ModelFit:
    """`m2` ~ χ²(`df`) under the model; `rmsea` with its 90 % interval; `srmsr` (root mean square of the
    residual correlations); `tli`, `cfi` against independence. `n_complete`: persons with all responses, on
    whom this rests."""

    m2: float
    df: int
    p_value: float
    rmsea: float
    rmsea_interval: tuple[float, float]
    srmsr: float
    tli: float
    cfi: float
    n_complete: int


@dataclass(frozen=True, eq=False)
class _Moments:
    """First and second moments of the item scores in a population: `expected` (T,), their asymptotic
    `covariance` (T, T)."""

    expected: Floats
    covariance: Floats


def model_fit(responses: ArrayLike | Responses, calibration: Calibration) -> ModelFit:
    """M2 from means and cross-products of item scores (for two categories the M2 of Maydeu-Olivares & Joe
    2006, eq. 11; for more the M2* of Cai & Hansen 2013, eq. 10).

    `responses`: those that were calibrated. Persons with missing responses are left out. Needs O(n⁴) memory in
    the number of items: refused above 150. Several groups are not handled.

    Raises BadParameters, NotIdentified (no degrees of freedom) and TooFewObservations (no complete persons).
    """
    if not isinstance(calibration, Calibration):
        raise BadParameters("Model fit needs the Calibration: it depends on which parameters were estimated.")
    if len(calibration.group_names) > 1:
        raise BadParameters("Model fit is defined here for one group: calibrate and test each group.")
    items = calibration.items
    if items.n_items > MOST_ITEMS:
        raise BadParameters(f"M2 of more than {MOST_ITEMS} items needs too much memory: test a part of them.")
    read = items.read(responses)
    whole = read.select(np.flatnonzero((read.codes >= 0).all(axis=1)))
    n = float(whole.weights.sum()) if whole.n_persons else 0.0
    if n <= 1:
        raise TooFewObservations("M2 needs persons with responses to every item; there are none.")
    left, right = np.triu_indices(items.n_items, 1)
    x = whole.codes.astype(np.float64)
    first = whole.weights @ x / n
    product = (x * whole.weights[:, None]).T @ x / n
    observed = np.concatenate([first, product[left, right]])
    theta, weight, first_moment, second_moment = _conditional(calibration)
    model = _moments(weight, first_moment, second_moment, left, right)
    delta = _derivatives(calibration, theta, weight, first_moment, left, right)
    m2, df = _quadratic_form(observed, model, delta, n)
    # Independence: one node, the observed marginal distributions, K−1 free parameters per item.
    square = whole.weights @ x**2 / n
    alone = _moments(np.ones(1), first[:, None], square[:, None], left, right)
    null, df_null = _quadratic_form(observed, alone, _independence_derivatives(first, left, right), n)
    tli = (null / df_null - m2 / df) / (null / df_null - 1.0) if df_null else float("nan")
    cfi = 1.0 - (m2 - df) / (null - df_null) if df_null else float("nan")
    spread = np.sqrt(second_moment @ weight - (first_moment @ weight) ** 2)
    implied = (model.expected[items.n_items :] - (first_moment @ weight)[left] * (first_moment @ weight)[right]) / (
        spread[left] * spread[right]
    )
    deviation = np.sqrt(square - first**2)
    correlation = (product[left, right] - first[left] * first[right]) / (deviation[left] * deviation[right])
    srmsr = float(np.sqrt(np.mean((correlation - implied) ** 2)))
    return ModelFit(
        m2,
        df,
        float(chi2.sf(m2, df)),
        float(np.sqrt(max(m2 / df - 1.0, 0.0) / (n - 1.0))),
        _rmsea_interval(m2, df, n),
        srmsr,
        float(tli),
        float(np.clip(cfi, 0.0, 1.0)),
        whole.n_persons,
    )


def _conditional(calibration: Calibration) -> tuple[Floats, Floats, Floats, Floats]:
    """Nodes, weights, and E[x | θ], E[x² | θ]: (n, Q)."""
    sd = np.sqrt(calibration.group_variance)
    theta = calibration.group_mean[0] + sd[0] * np.linspace(-7.0, 7.0, 141)
    weight = np.exp(log_normal_prior(theta, calibration.group_mean, sd)[0])
    first = np.empty((calibration.items.n_items, theta.size))
    second = np.empty_like(first)
    for block in calibration.items.blocks:
        p = np.exp(log_probabilities(block, theta))
        category = np.arange(float(block.n_categories))
        first[block.index], second[block.index] = p @ category, p @ category**2
    return theta, weight, first, second


def _moments(
    weight: Floats, first: Floats, second: Floats, left: NDArray[np.intp], right: NDArray[np.intp]
) -> _Moments:
    """Covariance by the law of total covariance: given θ, products of scores covary only where they share
    an item."""
    n = first.shape[0]
    given = np.concatenate([first, first[left] * first[right]])
    expected = given @ weight
    covariance = (given * weight) @ given.T - np.outer(expected, expected)
    variance = second - first**2
    for j in range(n):
        member = np.concatenate([[j], n + np.flatnonzero((left == j) | (right == j))])
        other = np.where(left[member[1:] - n] == j, right[member[1:] - n], left[member[1:] - n])
        partner = np.concatenate([np.ones((1, weight.size)), first[other]])
        covariance[np.ix_(member, member)] += (partner * (weight * variance[j])) @ partner.T
    pair = n + np.arange(left.size)
    # A pair's own variance: both items vary, v_j v_k beyond what the two loops above counted.
    covariance[pair, pair] += (variance[left] * variance[right]) @ weight
    return _Moments(expected, covariance)


def _derivatives(
    calibration: Calibration,
    theta: Floats,
    weight: Floats,
    first: Floats,
    left: NDArray[np.intp],
    right: NDArray[np.intp],
) -> Floats:
    """∂ moments / ∂ free parameters: (T, M)."""
    layout, free = calibration.layout, calibration.free
    n = first.shape[0]
    full = np.zeros((n + left.size, layout.offset.size))
    for kind, block in zip(layout.kinds, layout.blocks(free)):
        log_p = log_probabilities(block, theta)
        slope = np.einsum(
            "mqk,mqkp,k->mqp", np.exp(log_p), scores(block, theta, log_p), np.arange(float(block.n_categories))
        )
        for place, j in enumerate(block.index):
            span = slice(kind.start + place * kind.width, kind.start + (place + 1) * kind.width)
            full[j, span] = weight @ slope[place]
            mine = (left == j) | (right == j)
            other = np.where(left[mine] == j, right[mine], left[mine])
            full[n + np.flatnonzero(mine), span] = (first[other] * weight) @ slope[place]
    out = np.zeros((n + left.size, layout.n_free))
    out[:, : layout.n_item_parameters] = full @ layout.design
    mean, sd = layout.groups(free)
    z = (theta - mean[0]) / sd[0]
    given = np.concatenate([first, first[left] * first[right]])
    if layout.group_mean[0] >= 0:
        out[:, layout.group_mean[0]] = given @ (weight * z) / sd[0]
    if layout.group_log_sd[0] >= 0:
        out[:, layout.group_log_sd[0]] = given @ (weight * (z * z - 1.0))
    return out


def _independence_derivatives(first: Floats, left: NDArray[np.intp], right: NDArray[np.intp]) -> Floats:
    n = first.size
    out = np.zeros((n + left.size, n))
    out[np.arange(n), np.arange(n)] = 1.0
    pair = n + np.arange(left.size)
    out[pair, left] = first[right]
    out[pair, right] = first[left]
    return out


def _quadratic_form(observed: Floats, model: _Moments, delta: Floats, n: float) -> tuple[float, int]:
    """N e' [Ξ⁻¹ − Ξ⁻¹Δ(Δ'Ξ⁻¹Δ)⁻¹Δ'Ξ⁻¹] e and its degrees of freedom."""
    kept = np.abs(delta).max(axis=0, initial=0.0) > 0
    delta = delta[:, kept]
    if delta.shape[1]:
        # Parameters that moments of item scores cannot tell apart count once (polytomous items).
        _, r, order = qr(delta / np.linalg.norm(delta, axis=0), mode="economic", pivoting=True)
        rank = int((np.abs(np.diag(r)) > 1e-7 * abs(r[0, 0])).sum())
        delta = delta[:, np.sort(order[:rank])]
    df = observed.size - delta.shape[1]
    if df <= 0:
        raise NotIdentified("There are no degrees of freedom left to test the model: too few items.")
    scale = 1.0 / np.sqrt(np.diag(model.covariance))
    error = (observed - model.expected) * scale
    delta = delta * scale[:, None]
    try:
        factor = cho_factor(model.covariance * np.outer(scale, scale))
    except np.linalg.LinAlgError:
        raise NotIdentified("The moments' covariance is singular under the model: M2 cannot be formed.") from None
    inverse_error, inverse_delta = cho_solve(factor, error), cho_solve(factor, delta)
    middle = delta.T @ inverse_error
    fitted = np.linalg.solve(delta.T @ inverse_delta, middle) if middle.size else middle
    return float(n * (error @ inverse_error - middle @ fitted)), df


def _rmsea_interval(m2: float, df: int, n: float) -> tuple[float, float]:
    def bound(level: float) -> float:
        def excess(non_centrality: float) -> float:
            return float(ncx2.cdf(m2, df, non_centrality)) - level

        if float(chi2.cdf(m2, df)) < level:
            return 0.0
        top = max(4.0 * m2, 4.0 * df)
        while excess(top) > 0:
            top *= 2.0
        root = _solve(excess, 1e-12, top)
        return float(np.sqrt(root / (df * (n - 1.0))))

    return bound(0.95), bound(0.05)


def _solve(function: Callable[[float], float], low: float, high: float) -> float:
    return float(brentq(function, low, high, xtol=1e-10))
