"""Restricted maximum likelihood for random effects with unbalanced data, variances not below zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize

from scoring.errors import BadResponses, NotConverged, NotIdentified

Floats = NDArray[np.float64]
_MOST_LEVELS = 4_000
_LARGEST = 1e6  # a ratio of variances beyond which the residual counts as gone
_GONE = "The facets explain every score: no error variance is left to compare with."


@dataclass(frozen=True, eq=False)
class VarianceFit:
    """`variance` and `standard_error` of each random effect, the residual last (NaN error at the bound zero).

    `log_likelihood`: restricted. `gradient_norm`: largest slope of −2 log-likelihood in a variance ratio that is free.
    """

    mean: float
    variance: Floats
    standard_error: Floats
    log_likelihood: float
    iterations: int
    gradient_norm: float


class _Criterion:
    """−2 log restricted likelihood in the ratios λ = σ² / σ²(error), error variance and mean profiled out.

    Everything is in the q random levels: V = I + Z Λ Z', never n × n.
    """

    def __init__(self, score: Floats, groups: list[NDArray[np.intp]]) -> None:
        self.n = score.size
        self.sizes = [int(codes.max()) + 1 for codes in groups]
        self.q = sum(self.sizes)
        if self.q > _MOST_LEVELS:
            raise BadResponses(
                f"This unbalanced design has {self.q} random levels; up to {_MOST_LEVELS} are handled: "
                f"analyse a sample of the persons, or a balanced part."
            )
        self.block = np.repeat(np.arange(len(groups)), self.sizes)
        self.center = float(score.mean())
        y = score - self.center
        starts = np.cumsum([0, *self.sizes[:-1]])
        columns = [codes + start for codes, start in zip(groups, starts, strict=True)]
        self.gram = np.zeros((self.q, self.q))
        for a in columns:
            for b in columns:
                np.add.at(self.gram, (a, b), 1.0)
        self.ones = np.zeros(self.q)
        self.sums = np.zeros(self.q)
        for a in columns:
            np.add.at(self.ones, a, 1.0)
            np.add.at(self.sums, a, y)
        self.yy, self.y1 = float(y @ y), float(y.sum())

    def parts(self, ratio: Floats) -> tuple[float, float, Floats, Floats, float]:
        """log |V|, 1'V⁻¹1, Z'PZ, Z'Py, y'Py."""
        d = np.sqrt(ratio[self.block])
        lower = linalg.cholesky(np.eye(self.q) + d[:, None] * self.gram * d, lower=True)
        half = linalg.solve_triangular(
            lower, d[:, None] * np.column_stack([self.gram, self.ones, self.sums]), lower=True
        )
        g, one, s = half[:, : self.q], half[:, self.q], half[:, self.q + 1]
        zz = self.gram - g.T @ g
        z1, zy = self.ones - g.T @ one, self.sums - g.T @ s
        v11 = self.n - float(one @ one)
        v1y, vyy = self.y1 - float(one @ s), self.yy - float(s @ s)
        zz -= np.outer(z1, z1) / v11
        zy = zy - z1 * v1y / v11
        self.shift = v1y / v11
        return 2 * float(np.log(np.diag(lower)).sum()), v11, zz, zy, vyy - v1y**2 / v11

    def __call__(self, ratio: Floats) -> tuple[float, Floats]:
        log_det, v11, zz, zy, ypy = self.parts(ratio)
        df = self.n - 1
        value = log_det + np.log(v11) + df * np.log(max(ypy, 1e-300))
        trace = np.bincount(self.block, np.diag(zz))
        explained = np.bincount(self.block, zy**2)
        return float(value), trace - df * explained / max(ypy, 1e-300)


def restricted_likelihood(score: Floats, groups: list[NDArray[np.intp]]) -> VarianceFit:
    """`groups`: level codes of each random effect (residual excluded); one common mean.

    Bounded quasi-Newton with analytic gradient, then Fisher scoring on the free variances; errors from the
    expected information. Raises NotConverged, NotIdentified (no error variance left).
    Source: Patterson & Thompson (1971), Biometrika 58, 545–554; Searle, Casella & McCulloch (1992), chapter 6.
    """
    spread = float(score.std())
    if spread <= 1e-12 * max(1.0, float(np.abs(score).max())):
        raise NotIdentified("All scores are equal: there is no variance to divide.")
    criterion = _Criterion(score / spread, groups)
    m = len(groups)
    found = optimize.minimize(
        criterion,
        np.full(m, 0.5),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, _LARGEST)] * m,
        options={"maxiter": 500, "maxfun": 2000, "ftol": 1e-14, "gtol": 1e-7, "maxcor": 20},
    )
    ratio, iterations = found.x, int(found.nit)
    if ratio.max() >= 0.5 * _LARGEST:
        raise NotIdentified(_GONE)
    for _ in range(50):
        _, gradient = criterion(ratio)
        free = (ratio > 0) | (gradient < 0)
        norm = float(np.abs(gradient[free] * np.maximum(ratio[free], 1e-3)).max()) if free.any() else 0.0
        if norm < 1e-8:
            break
        information = _profile_information(criterion, ratio)
        step = np.zeros(m)
        step[free] = -np.linalg.lstsq(information[np.ix_(free, free)], gradient[free], rcond=None)[0]
        before, scale = criterion(ratio)[0], 1.0
        while scale > 1e-6 and criterion(np.clip(ratio + scale * step, 0.0, _LARGEST))[
            0
        ] > before + 1e-12 * abs(before):
            scale /= 2
        ratio = np.clip(ratio + scale * step, 0.0, _LARGEST)
        iterations += 1
    else:
        raise NotConverged(
            f"The restricted likelihood did not converge (largest gradient {norm:.2g}).",
            iterations=iterations,
            change=norm,
        )
    log_det, v11, zz, _, ypy = criterion.parts(ratio)
    df = criterion.n - 1
    if ypy <= 1e-12 * criterion.yy or ratio.max() >= 0.5 * _LARGEST:
        raise NotIdentified(_GONE)
    error = ypy / df
    value = log_det + np.log(v11) + df * np.log(error) + df + df * np.log(2 * np.pi)
    information = _information(criterion, ratio, zz) / error**2
    variances = np.append(ratio * error, error)
    free = variances > 0
    errors = np.full(m + 1, np.nan)
    errors[free] = np.sqrt(np.maximum(np.diag(np.linalg.pinv(information[np.ix_(free, free)])), 0.0))
    return VarianceFit(
        mean=(criterion.center + criterion.shift) * spread,
        variance=variances * spread**2,
        standard_error=errors * spread**2,
        log_likelihood=-0.5 * (value + 2 * df * np.log(spread)),
        iterations=iterations,
        gradient_norm=norm,
    )


def _information(criterion: _Criterion, ratio: Floats, zz: Floats) -> Floats:
    """½ tr(P Vₖ P Vₗ) with error variance 1; the residual's rows from P V P = P."""
    m = ratio.size
    edges = np.cumsum([0, *criterion.sizes])
    pair = np.array(
        [
            [(zz[edges[a] : edges[a + 1], edges[b] : edges[b + 1]] ** 2).sum() for b in range(m)]
            for a in range(m)
        ]
    )
    trace = np.bincount(criterion.block, np.diag(zz))
    with_error = trace - pair @ ratio
    alone = criterion.n - 1 - ratio @ trace - ratio @ with_error
    top = np.column_stack([pair, with_error])
    return np.asarray(0.5 * np.vstack([top, np.append(with_error, alone)]))


def _profile_information(criterion: _Criterion, ratio: Floats) -> Floats:
    """Expected second derivative of −2 log-likelihood in the ratios, error variance profiled out."""
    zz = criterion.parts(ratio)[2]
    m = ratio.size
    edges = np.cumsum([0, *criterion.sizes])
    pair = np.array(
        [
            [(zz[edges[a] : edges[a + 1], edges[b] : edges[b + 1]] ** 2).sum() for b in range(m)]
            for a in range(m)
        ]
    )
    trace = np.bincount(criterion.block, np.diag(zz))
    return np.asarray(pair - np.outer(trace, trace) / (criterion.n - 1))
