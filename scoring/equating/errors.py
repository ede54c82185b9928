"""Standard errors: the multivariate delta method over moments or score probabilities, and the bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.errors import BadParameters

Floats = NDArray[np.float64]

REPLICATIONS = 500


def moments(*scores: NDArray[np.intp], ddof: int = 1) -> Floats:
    """Means of one or two scores, then variances and covariance over n − ddof: (μ, σ²) or (μt, μv, σtt, σtv, σvv).

    Estimates use n − 1; the delta method is evaluated at the sample's own moments (ddof 0), to which
    `moment_covariance` belongs.
    """
    data = np.array(scores, dtype=np.float64)
    centred = data - data.mean(axis=1, keepdims=True)
    first, second = np.triu_indices(data.shape[0])
    spread = (centred[first] * centred[second]).sum(axis=1) / (data.shape[1] - ddof)
    return np.asarray(np.concatenate([data.mean(axis=1), spread]))


def moment_covariance(*scores: NDArray[np.intp], normal: bool = False) -> Floats:
    """Sampling covariance of `moments`: from third and fourth moments, or as under normality (Browne 1984)."""
    data = np.array(scores, dtype=np.float64)
    p, n = data.shape
    centred = data - data.mean(axis=1, keepdims=True)
    first, second = np.triu_indices(p)
    k = first.size
    out = np.zeros((p + k, p + k))
    s = centred @ centred.T / n
    out[:p, :p] = s
    products = centred[first] * centred[second]
    if normal:
        out[p:, p:] = (
            s[first[:, None], first] * s[second[:, None], second]
            + s[first[:, None], second] * s[second[:, None], first]
        )
    else:
        out[:p, p:] = centred @ products.T / n
        out[p:, :p] = out[:p, p:].T
        means = products.mean(axis=1)
        out[p:, p:] = products @ products.T / n - np.outer(means, means)
    return np.asarray(out / n)


def delta(
    function: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]],
    of_x: Floats,
    of_y: Floats,
    covariance_x: Floats,
    covariance_y: Floats,
) -> Floats:
    """√(Jx Σx Jxᵀ + Jy Σy Jyᵀ), Jacobians by complex steps, exact to rounding: `function` must be analytic."""
    step = 1e-30
    total = np.zeros(1)
    for which, (at, covariance) in enumerate(((of_x, covariance_x), (of_y, covariance_y))):
        columns = []
        for i in range(at.size):
            moved = at.astype(np.complex128)
            moved[i] += 1j * step
            value = (
                function(moved, of_y.astype(np.complex128))
                if which == 0
                else function(of_x.astype(np.complex128), moved)
            )
            columns.append(value.imag / step)
        jacobian = np.array(columns).T
        total = total + np.einsum("ij,jk,ik->i", jacobian, covariance, jacobian)
    return np.asarray(np.sqrt(np.maximum(total, 0.0)))


def bootstrap(
    function: Callable[..., Floats],
    x: Sequence[NDArray[np.intp]],
    y: Sequence[NDArray[np.intp]],
    replications: int,
    seed: int,
) -> Floats:
    """Standard deviation of `function(*x, *y)` over resampled candidates of each form (Efron 1979)."""
    if replications < 50:
        raise BadParameters("A bootstrap standard error needs at least 50 replications.")
    rng = np.random.Generator(np.random.PCG64(seed))
    values = []
    for _ in range(replications):
        i = rng.integers(0, x[0].size, x[0].size)
        j = rng.integers(0, y[0].size, y[0].size)
        values.append(function(*(part[i] for part in x), *(part[j] for part in y)))
    return np.asarray(np.std(values, axis=0, ddof=1))
