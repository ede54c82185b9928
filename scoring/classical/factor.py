"""One common factor by maximum likelihood, for omega."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from scoring.errors import NotConverged

Floats = NDArray[np.float64]
_FLOOR = 1e-3  # lowest share of an item's variance left as error; at it the solution is improper (Heywood)


@dataclass(frozen=True, eq=False)
class OneFactor:
    """`loading`, `residual` per item (covariance divided by n), `omega` = (Σλ)² / ((Σλ)² + Σψ).

    `log_error` is the standard error of log(1 − omega), robust to non-normal scores (sandwich). `chi_square` on
    `df`: fit of the single factor, n times the discrepancy. `improper`: an item's residual is at its floor.
    """

    n: int
    loading: Floats
    residual: Floats
    omega: float
    log_error: float
    chi_square: float
    df: int
    improper: bool

    def interval(self, confidence: float) -> tuple[float, float]:
        """On log(1 − omega) with Student's t on n − 1; NaN for an improper solution.

        The sandwich error is widened by √(n/(n − k/2)): residuals around k fitted loadings are too small in small
        samples, and half of that, by simulation, is what the interval needs (docs/methods/classical.md).
        """
        if self.improper:
            return float("nan"), float("nan")
        small = math.sqrt(self.n / (self.n - self.loading.size / 2))
        reach = stats.t.ppf(0.5 + confidence / 2, self.n - 1) * self.log_error * small
        return float(1 - (1 - self.omega) * np.exp(reach)), float(1 - (1 - self.omega) * np.exp(-reach))


def one_factor(scores: Floats) -> OneFactor | None:
    """None where the covariance matrix is singular (an item without variance, n ≤ k) or there are under 3 items.

    Concentrated over the residuals with analytic gradient. Source: Jöreskog (1967), Psychometrika 32, 443–482.
    Raises NotConverged.
    """
    n, k = scores.shape
    centred = scores - scores.mean(axis=0)
    covariance = centred.T @ centred / n
    sd = np.sqrt(np.diag(covariance))
    if k < 3 or n <= k or (sd <= 0).any():
        return None
    correlations = covariance / np.outer(sd, sd)
    if np.linalg.eigvalsh(correlations)[0] < 1e-8:
        return None
    start = np.clip(0.5 / np.diag(np.linalg.inv(correlations)), 0.05, 0.95)
    found = optimize.minimize(
        _discrepancy,
        start,
        args=(correlations,),
        jac=True,
        method="L-BFGS-B",
        bounds=[(_FLOOR, 1.0 + 1e-9)] * k,
        options={"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-8},
    )
    gradient = np.where((found.x <= _FLOOR) & (found.jac > 0), 0.0, found.jac)
    gradient = np.where((found.x >= 1.0) & (found.jac < 0), 0.0, gradient)
    if float(np.abs(gradient).max()) > 1e-4:
        raise NotConverged(
            f"The one-factor model did not converge (largest gradient {np.abs(gradient).max():.2g}).",
            iterations=int(found.nit),
            change=float(np.abs(gradient).max()),
        )
    lam = _loadings(found.x, correlations)
    loading, residual = lam * sd, found.x * sd**2
    shared = float(loading.sum() ** 2)
    omega = shared / (shared + float(residual.sum()))
    improper = bool((found.x <= _FLOOR * (1 + 1e-6)).any())
    return OneFactor(
        n=n,
        loading=loading,
        residual=residual,
        omega=omega,
        log_error=float("nan") if improper else _log_error(centred, loading, residual),
        chi_square=float(n * max(0.0, found.fun)),
        df=k * (k + 1) // 2 - 2 * k,
        improper=improper,
    )


def _loadings(psi: Floats, correlations: Floats) -> Floats:
    """The best loadings for these residual variances: from the first principal component of ψ^−½ R ψ^−½."""
    root = np.sqrt(psi)
    values, vectors = np.linalg.eigh(correlations / np.outer(root, root))
    direction = vectors[:, -1] * np.sign(vectors[:, -1].sum() or 1.0)
    return np.asarray(root * direction * np.sqrt(max(values[-1] - 1.0, 0.0)))


def _discrepancy(psi: Floats, correlations: Floats) -> tuple[float, Floats]:
    """log |Σ| + tr(R Σ⁻¹) − log |R| − k and its gradient in ψ, at the best loadings for this ψ."""
    lam = _loadings(psi, correlations)
    sigma = np.outer(lam, lam) + np.diag(psi)
    inverse = np.linalg.inv(sigma)
    product = inverse @ correlations
    value = np.linalg.slogdet(sigma)[1] + np.trace(product) - np.linalg.slogdet(correlations)[1] - psi.size
    return float(value), np.diag(inverse - product @ inverse)


def _log_error(centred: Floats, loading: Floats, residual: Floats) -> float:
    """Sandwich standard error of log(1 − omega): per-person scores against the expected information."""
    n, k = centred.shape
    inverse = np.linalg.inv(np.outer(loading, loading) + np.diag(residual))
    wl = inverse @ loading
    information = np.empty((2 * k, 2 * k))
    information[:k, :k] = inverse * (loading @ wl) + np.outer(wl, wl)
    information[:k, k:] = inverse * wl[None, :]
    information[k:, :k] = information[:k, k:].T
    information[k:, k:] = 0.5 * inverse**2
    u = centred @ inverse
    scores = np.hstack([u * (u @ loading)[:, None] - wl, 0.5 * (u**2 - np.diag(inverse))])
    total, error = float(loading.sum()), float(residual.sum())
    # log(1 − ω) = log Σψ − log((Σλ)² + Σψ)
    whole = total**2 + error
    gradient = np.concatenate([np.full(k, -2 * total / whole), np.full(k, 1 / error - 1 / whole)])
    influence = scores @ np.linalg.lstsq(information, gradient, rcond=None)[0]
    return float(np.sqrt((influence**2).sum() / (n * (n - 1))))
