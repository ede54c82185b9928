"""Response functions and their derivatives, on the log scale, for many items of one kind at once.

Linear predictors are slope–intercept: z = aθ + d. Three kernels cover every model:

- partial credit (Rasch, 1PL, 2PL, PCM, RSM, GPCM; Masters 1982, Muraki 1992): P_c ∝ exp(c·aθ + d_c), d_0 = 0;
- graded (Samejima 1969): P(X ≥ c) = S_c = logistic(aθ + d_c), d decreasing. Category probabilities use
  S_c − S_{c+1} = S_c (1 − S_{c+1}) (1 − e^{−(d_c − d_{c+1})}): no cancellation, and log P is concave;
- three-parameter (Birnbaum 1968): P = c + (1−c) logistic(aθ + d), c = logistic(γ).

Shapes: m items, Q ability values, K categories, p parameters per item (slope, intercepts…, γ).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]

PARTIAL_CREDIT = "partial credit"
GRADED = "graded"
THREE_PARAMETER = "three-parameter"


@dataclass(frozen=True, eq=False)
class Block:
    """m items of one kernel with K categories: columns `index`, `slope` (m,), `intercept` (m, K−1),
    `asymptote` (m,) on the probability scale."""

    kind: str
    n_categories: int
    index: NDArray[np.intp]
    slope: Floats
    intercept: Floats
    asymptote: Floats


def n_parameters(kind: str, n_categories: int) -> int:
    return 3 if kind == THREE_PARAMETER else n_categories


def log_probabilities(block: Block, theta: Floats) -> Floats:
    """log P(X = c | θ): (m, Q, K)."""
    if block.kind == PARTIAL_CREDIT:
        z = _cumulative(block, theta)
        if block.n_categories == 2:
            z[..., 0] = -np.logaddexp(0.0, z[..., 1])
            z[..., 1] += z[..., 0]
            return z
        z -= z.max(axis=2, keepdims=True)
        z -= np.log(np.exp(z).sum(axis=2, keepdims=True))
        return z
    z = block.slope[:, None, None] * theta[None, :, None] + block.intercept[:, None, :]
    below = -np.logaddexp(0.0, z)  # log P(X < c), c = 1 … K−1
    if block.kind == GRADED:
        out = np.zeros((*z.shape[:2], block.n_categories))
        out[..., :-1] += below
        out[..., 1:] += below + z
        if block.n_categories > 2:
            out[..., 1:-1] += np.log(-np.expm1(np.diff(block.intercept, axis=1)))[:, None, :]
        return out
    c = block.asymptote[:, None]
    with np.errstate(divide="ignore"):  # an asymptote of 0 is allowed: log 0 = −inf is what is meant
        floor = np.log(c)
    out = np.empty((*z.shape[:2], 2))
    out[..., 0] = np.log1p(-c) + below[..., 0]
    out[..., 1] = np.logaddexp(floor, np.log1p(-c) + below[..., 0] + z[..., 0])
    return out


def scores(block: Block, theta: Floats, log_p: Floats) -> Floats:
    """∂ log P_c / ∂ parameters: (m, Q, K, p)."""
    m, n, k = log_p.shape
    out = np.zeros((m, n, k, n_parameters(block.kind, k)))
    if block.kind == PARTIAL_CREDIT:
        p = np.exp(log_p)
        category = np.arange(float(k))
        out[..., 0] = theta[None, :, None] * (category - (p @ category)[..., None])
        out[..., 1:] = -p[:, :, None, 1:]
        step = np.arange(1, k)
        out[:, :, step, step] += 1.0
        return out
    if block.kind == GRADED:
        s = _boundaries(block, theta)
        gap = 1.0 / np.expm1(-np.diff(block.intercept, axis=1))  # (m, K−2): d_c − d_{c+1} > 0
        out[..., 0] = theta[None, :, None] * (1.0 - s[..., :-1] - s[..., 1:])
        for b in range(1, k):
            out[:, :, b, b] = 1.0 - s[..., b]
            out[:, :, b - 1, b] = -s[..., b]
            if b < k - 1:
                out[:, :, b, b] += gap[:, b - 1, None]
            if b > 1:
                out[:, :, b - 1, b] -= gap[:, b - 2, None]
        return out
    logistic = expit(block.slope[:, None] * theta + block.intercept)
    c = block.asymptote[:, None]
    p = np.exp(log_p[..., 1])
    lead = (1.0 - c) * logistic * (1.0 - logistic) / p
    out[..., 1, 0] = lead * theta
    out[..., 1, 1] = lead
    out[..., 1, 2] = c * (1.0 - c) * (1.0 - logistic) / p
    out[..., 0, 0] = -logistic * theta
    out[..., 0, 1] = -logistic
    out[..., 0, 2] = -c
    return out


def curvature(block: Block, theta: Floats, log_p: Floats, counts: Floats) -> Floats:
    """−Σ_q Σ_c counts_qc ∂² log P_c / ∂ parameters²: (m, p, p). `counts`: (m, Q, K)."""
    m, _, k = log_p.shape
    width = n_parameters(block.kind, k)
    out = np.zeros((m, width, width))
    if block.kind == PARTIAL_CREDIT:
        total = counts.sum(axis=2)
        p = np.exp(log_p)
        category = np.arange(float(k))
        mean = p @ category
        variance = p @ category**2 - mean**2
        out[:, 0, 0] = (total * variance) @ theta**2
        weighted = total[..., None] * p[..., 1:]
        out[:, 0, 1:] = np.einsum("mqk,q->mk", weighted * (category[1:] - mean[..., None]), theta)
        out[:, 1:, 0] = out[:, 0, 1:]
        out[:, 1:, 1:] = -np.matmul(weighted.transpose(0, 2, 1), p[..., 1:])
        step = np.arange(1, k)
        out[:, step, step] += weighted.sum(axis=1)
        return out
    if block.kind == GRADED:
        s = _boundaries(block, theta)
        w = s * (1.0 - s)
        both = w[..., :-1] + w[..., 1:]
        out[:, 0, 0] = np.einsum("mqk,mqk,q->m", counts, both, theta**2)
        around = counts[..., :-1] + counts[..., 1:]  # the boundary c touches categories c−1 and c
        inner = around * w[..., 1:-1]
        out[:, 0, 1:] = np.einsum("mqk,q->mk", inner, theta)
        out[:, 1:, 0] = out[:, 0, 1:]
        step = np.arange(1, k)
        out[:, step, step] = inner.sum(axis=1)
        if k > 2:
            delta = -np.diff(block.intercept, axis=1)
            bend = 0.25 / np.sinh(delta / 2.0) ** 2 * counts[..., 1:-1].sum(axis=1)  # e^δ/(e^δ−1)²
            left, right = np.arange(1, k - 1), np.arange(2, k)
            out[:, left, left] += bend
            out[:, right, right] += bend
            out[:, left, right] -= bend
            out[:, right, left] -= bend
        return out
    logistic = expit(block.slope[:, None] * theta + block.intercept)
    c = block.asymptote[:, None]
    right = np.exp(log_p[..., 1])
    w = logistic * (1.0 - logistic)
    f = scores(block, theta, log_p)[..., 1, :]
    # −∂² log P = f f' − P''/P for a right answer; for a wrong one log(1−c) + log(1−logistic)
    zz = counts[..., 1] * (f[..., 1] ** 2 - (1.0 - c) * w * (1.0 - 2.0 * logistic) / right)
    zz += counts[..., 0] * w
    zg = counts[..., 1] * (f[..., 1] * f[..., 2] + c * (1.0 - c) * w / right)
    gg = counts[..., 1] * (f[..., 2] ** 2 - c * (1.0 - c) * (1.0 - 2.0 * c) * (1.0 - logistic) / right)
    gg += counts[..., 0] * c * (1.0 - c)
    out[:, 0, 0] = zz @ theta**2
    out[:, 0, 1] = out[:, 1, 0] = zz @ theta
    out[:, 1, 1] = zz.sum(axis=1)
    out[:, 0, 2] = out[:, 2, 0] = zg @ theta
    out[:, 1, 2] = out[:, 2, 1] = zg.sum(axis=1)
    out[:, 2, 2] = gg.sum(axis=1)
    return out


def ability_derivatives(block: Block, theta: Floats) -> tuple[Floats, Floats, Floats]:
    """P, ∂ log P/∂θ and ∂² log P/∂θ² of every category: three arrays (m, Q, K)."""
    a = block.slope[:, None, None]
    if block.kind == PARTIAL_CREDIT:
        p = np.exp(log_probabilities(block, theta))
        category = np.arange(float(block.n_categories))
        mean = p @ category
        variance = p @ category**2 - mean**2
        first = a * (category - mean[..., None])
        return p, first, np.broadcast_to(-(a**2) * variance[..., None], p.shape)
    if block.kind == GRADED:
        p = np.exp(log_probabilities(block, theta))
        s = _boundaries(block, theta)
        w = s * (1.0 - s)
        return p, a * (1.0 - s[..., :-1] - s[..., 1:]), -(a**2) * (w[..., :-1] + w[..., 1:])
    logistic = expit(block.slope[:, None] * theta + block.intercept)
    c = block.asymptote[:, None]
    w = logistic * (1.0 - logistic)
    right = c + (1.0 - c) * logistic
    p = np.stack([(1.0 - c) * (1.0 - logistic), right], axis=2)
    first = np.empty_like(p)
    second = np.empty_like(p)
    slope = block.slope[:, None]
    first[..., 0] = -slope * logistic
    second[..., 0] = -(slope**2) * w
    with np.errstate(divide="ignore", invalid="ignore"):  # c = 0 and P underflowing to 0: the limit is 2PL's
        ratio = np.where(right > 0.0, (1.0 - c) * logistic / right, 1.0)
    first[..., 1] = slope * ratio * (1.0 - logistic)
    second[..., 1] = slope**2 * ratio * (1.0 - logistic) * (1.0 - 2.0 * logistic) - first[..., 1] ** 2
    return p, first, second


def _cumulative(block: Block, theta: Floats) -> Floats:
    """c·aθ + d_c, d_0 = 0: (m, Q, K)."""
    k = block.n_categories
    z = np.empty((block.slope.size, theta.size, k))
    z[..., 0] = 0.0
    line = block.slope[:, None] * theta
    for c in range(1, k):
        z[..., c] = c * line + block.intercept[:, c - 1, None]
    return z


def _boundaries(block: Block, theta: Floats) -> Floats:
    """S_0 = 1, S_1, …, S_{K−1}, S_K = 0: (m, Q, K+1)."""
    s = np.zeros((block.slope.size, theta.size, block.n_categories + 1))
    s[..., 0] = 1.0
    s[..., 1:-1] = expit(block.slope[:, None, None] * theta[None, :, None] + block.intercept[:, None, :])
    return s
