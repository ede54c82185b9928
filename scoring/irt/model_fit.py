"""Fit of a whole model: M2 and indices derived from it (Maydeu-Olivares & Joe 2006; Cai & Monro 2014)."""

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
    """`m2` ~ χ²(`df`) under the model (with more than two categories it is C2); `rmsea` with its 90 % interval; `srmsr` (root mean square of the
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
class _Curves:
    """Given θ: probabilities `p` (U, Q) of every category above 0 of every item, whose `item` and
    `category` those are; mean `first` and `variance` (n, Q) of the item scores. `left`, `right`: the pairs."""

    p: Floats
    item: NDArray[np.intp]
    category: Floats
    first: Floats
    variance: Floats
    left: NDArray[np.intp]
    right: NDArray[np.intp]

    @property
    def given(self) -> Floats:
        return np.concatenate([self.p, self.first[self.left] * self.first[self.right]])


@dataclass(frozen=True, eq=False)
class _Moments:
    """Category probabilities and mean products of item scores in a population: `expected` (T,), their
    `covariance` (T, T) for one person."""

    expected: Floats
    covariance: Floats


def model_fit(responses: ArrayLike | Responses, calibration: Calibration) -> ModelFit:
    """M2 (Maydeu-Olivares & Joe 2006, eq. 11) for two categories; with more, C2 (Cai & Monro 2014): all
    category proportions and the mean products of item scores.

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
    theta, weight, curves = _conditional(calibration, left, right)
    x = whole.codes.astype(np.float64)
    share = whole.weights @ (whole.codes[:, curves.item] == curves.category) / n
    first = whole.weights @ x / n
    product = (x * whole.weights[:, None]).T @ x / n
    observed = np.concatenate([share, product[left, right]])
    model = _moments(weight, curves)
    delta = _derivatives(calibration, theta, weight, curves)
    m2, df = _quadratic_form(observed, model, delta, n)
    # Independence: one node, the observed proportions, K−1 free parameters per item.
    square = whole.weights @ x**2 / n
    alone = _Curves(
        share[:, None],
        curves.item,
        curves.category,
        first[:, None],
        (square - first**2)[:, None],
        left,
        right,
    )
    null, df_null = _quadratic_form(
        observed, _moments(np.ones(1), alone), _independence_derivatives(alone), n
    )
    tli = (null / df_null - m2 / df) / (null / df_null - 1.0) if df_null else float("nan")
    cfi = 1.0 - (m2 - df) / (null - df_null) if df_null else float("nan")
    mean = curves.first @ weight
    spread = np.sqrt((curves.variance + curves.first**2) @ weight - mean**2)
    implied = (model.expected[curves.item.size :] - mean[left] * mean[right]) / (spread[left] * spread[right])
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


def _conditional(
    calibration: Calibration, left: NDArray[np.intp], right: NDArray[np.intp]
) -> tuple[Floats, Floats, _Curves]:
    """Nodes, weights and curves in the calibration's group."""
    items = calibration.items
    sd = np.sqrt(calibration.group_variance)
    theta = calibration.group_mean[0] + sd[0] * np.linspace(-7.0, 7.0, 141)
    weight = np.exp(log_normal_prior(theta, calibration.group_mean, sd)[0])
    item = np.repeat(np.arange(items.n_items), items.categories - 1)
    place = np.concatenate([[0], np.cumsum(items.categories - 1)[:-1]])
    category = np.arange(item.size) - place[item] + 1.0
    p = np.empty((item.size, theta.size))
    first, variance = np.empty((2, items.n_items, theta.size))
    for block in items.blocks:
        q = np.exp(log_probabilities(block, theta))
        score = np.arange(float(block.n_categories))
        first[block.index] = q @ score
        variance[block.index] = q @ score**2 - first[block.index] ** 2
        for c in range(1, block.n_categories):
            p[place[block.index] + c - 1] = q[..., c]
    return theta, weight, _Curves(p, item, category, first, variance, left, right)


def _moments(weight: Floats, curves: _Curves) -> _Moments:
    """Law of total covariance: given θ, moments covary only where they share an item."""
    given = curves.given
    expected = given @ weight
    covariance = (given * weight) @ given.T - np.outer(expected, expected)
    n_items, n_single = curves.first.shape[0], curves.item.size
    left, right = curves.left, curves.right
    for j in range(n_items):
        single = np.flatnonzero(curves.item == j)
        pair = np.flatnonzero((left == j) | (right == j))
        other = curves.first[np.where(left[pair] == j, right[pair], left[pair])]
        own = (curves.p[single] * weight) @ curves.p[single].T
        covariance[np.ix_(single, single)] += np.diag(curves.p[single] @ weight) - own
        # Cov(1[x_j = c], x_j x_k | θ) = P_jc (c − E x_j) E x_k
        pull = curves.p[single] * (curves.category[single, None] - curves.first[j]) * weight
        cross = pull @ other.T
        covariance[np.ix_(single, n_single + pair)] += cross
        covariance[np.ix_(n_single + pair, single)] += cross.T
        covariance[np.ix_(n_single + pair, n_single + pair)] += (
            other * (weight * curves.variance[j])
        ) @ other.T
    both = n_single + np.arange(left.size)
    # A pair's own variance: both items vary, v_j v_k beyond what the loop has counted.
    covariance[both, both] += (curves.variance[left] * curves.variance[right]) @ weight
    return _Moments(expected, covariance)


def _derivatives(calibration: Calibration, theta: Floats, weight: Floats, curves: _Curves) -> Floats:
    """∂ moments / ∂ free parameters: (T, M)."""
    layout, free = calibration.layout, calibration.free
    n_single, left, right = curves.item.size, curves.left, curves.right
    full = np.zeros((n_single + left.size, layout.offset.size))
    for kind, block in zip(layout.kinds, layout.blocks(free)):
        log_p = log_probabilities(block, theta)
        change = np.exp(log_p)[..., None] * scores(block, theta, log_p)  # ∂P/∂parameter: (m, Q, K, p)
        slope = np.einsum("mqkp,k->mqp", change, np.arange(float(block.n_categories)))
        for place, j in enumerate(block.index):
            span = slice(kind.start + place * kind.width, kind.start + (place + 1) * kind.width)
            full[np.flatnonzero(curves.item == j), span] = np.einsum(
                "q,qkp->kp", weight, change[place, :, 1:]
            )
            pair = np.flatnonzero((left == j) | (right == j))
            other = curves.first[np.where(left[pair] == j, right[pair], left[pair])]
            full[n_single + pair, span] = (other * weight) @ slope[place]
    out = np.zeros((n_single + left.size, layout.n_free))
    out[:, : layout.n_item_parameters] = full @ layout.design
    mean, sd = layout.groups(free)
    z = (theta - mean[0]) / sd[0]
    given = curves.given
    if layout.group_mean[0] >= 0:
        out[:, layout.group_mean[0]] = given @ (weight * z) / sd[0]
    if layout.group_log_sd[0] >= 0:
        out[:, layout.group_log_sd[0]] = given @ (weight * (z * z - 1.0))
    return out


def _independence_derivatives(curves: _Curves) -> Floats:
    """∂ moments / ∂ category proportions when items are independent."""
    n_single = curves.item.size
    mean = curves.first[:, 0]
    out = np.zeros((n_single + curves.left.size, n_single))
    out[np.arange(n_single), np.arange(n_single)] = 1.0
    for a, b in ((curves.left, curves.right), (curves.right, curves.left)):
        for u in range(n_single):
            pair = np.flatnonzero(a == curves.item[u])
            out[n_single + pair, u] += curves.category[u] * mean[b[pair]]
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
    variance = np.diag(model.covariance)
    if not (variance > 1e-14).all():
        raise NotIdentified(
            "Among the complete persons an item or category never varies: M2 cannot be formed."
        )
    scale = 1.0 / np.sqrt(variance)
    error = (observed - model.expected) * scale
    delta = delta * scale[:, None]
    try:
        factor = cho_factor(model.covariance * np.outer(scale, scale))
    except np.linalg.LinAlgError:
        raise NotIdentified(
            "The moments' covariance is singular under the model: M2 cannot be formed."
        ) from None
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
