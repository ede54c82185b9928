"""Log-linear presmoothing of score distributions (Holland & Thayer 1987, 2000).

log of the expected frequency is a polynomial of the score: the fitted distribution has the sample's first
`degree` moments. For a total and an anchor, products of powers keep their joint moments too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, xlogy

from scoring.errors import BadParameters, NotConverged, NotIdentified
from scoring.numbers import read_numbers

Floats = NDArray[np.float64]

_STEPS = 100


@dataclass(frozen=True, eq=False)
class LogLinear:
    """`fitted`: expected frequencies, the shape of the counts.  `deviance`, `df`, `aic` (Poisson).
    `covariance_root` C: cells × parameters with Cov(fitted / n) = C Cᵀ (multinomial).  `iterations`."""

    fitted: Floats
    deviance: float
    df: int
    aic: float
    covariance_root: Floats
    degree: tuple[int, ...]
    iterations: int


def log_linear(
    counts: ArrayLike,
    degree: int | tuple[int, int],
    *,
    products: Sequence[tuple[int, int]] = ((1, 1),),
    impossible: ArrayLike | None = None,
) -> LogLinear:
    """Fit frequencies of one score (one dimension) or of total × anchor (two).

    `degree`: highest power, or one for each score; `products`: powers (i, j) of total^i · anchor^j, for two.
    `impossible`: mask of cells that cannot occur (an internal anchor above the total), left out of the fit.

    Raises BadParameters; NotIdentified when there are fewer scores with candidates than parameters;
    NotConverged.
    """
    table = read_numbers(counts, "Frequencies must be numbers, in one or two dimensions.", BadParameters)
    if table.ndim not in (1, 2) or not np.isfinite(table).all() or (table < 0).any() or table.sum() <= 0:
        raise BadParameters("Frequencies are not negative, in one or two dimensions, and not all zero.")
    degrees = (degree,) if isinstance(degree, int) else tuple(degree)
    if len(degrees) != table.ndim or min(degrees) < 1:
        raise BadParameters("Give one degree of at least 1 for each score.")
    free = np.ones(table.shape, dtype=bool)
    if impossible is not None:
        free = ~np.asarray(impossible, dtype=bool)
        if free.shape != table.shape or (table[~free] > 0).any():
            raise BadParameters("Cells marked impossible must have the table's shape and hold nobody.")
    design = _design(table.shape, degrees, products)[free.ravel()]
    y = table[free]
    if np.count_nonzero(y) < design.shape[1]:
        raise NotIdentified(
            f"{np.count_nonzero(y)} scores with candidates cannot carry {design.shape[1]} parameters: lower the degree."
        )
    mean, iterations = _fit(design, y)
    fitted = np.zeros(table.shape)
    fitted[free] = mean
    n = float(y.sum())
    share = mean / n
    # Holland & Thayer 1987, theorem 2: Cov = n⁻¹ D B (Bᵀ Σ B)⁻¹ Bᵀ D with D B centred, Σ = D − ppᵀ.
    centred = design[:, 1:] - share @ design[:, 1:]
    weighted = centred * share[:, None]
    inverse = np.linalg.inv(centred.T @ weighted)
    root = np.zeros((table.size, design.shape[1] - 1))
    root[free.ravel()] = weighted @ np.linalg.cholesky(inverse) / np.sqrt(n)
    deviance = 2.0 * float((xlogy(y, y / mean) - (y - mean)).sum())
    likelihood = float((xlogy(y, mean) - mean - _log_factorial(y)).sum())
    return LogLinear(
        fitted,
        deviance,
        y.size - design.shape[1],
        2.0 * design.shape[1] - 2.0 * likelihood,
        root,
        degrees,
        iterations,
    )


def select_degree(counts: ArrayLike, maximum: int = 8) -> int:
    """The degree from 1 to `maximum` of least AIC for one score's frequencies; degrees that cannot be fitted
    are passed over."""
    best: tuple[float, int] | None = None
    for degree in range(1, maximum + 1):
        try:
            found = log_linear(counts, degree)
        except (NotConverged, NotIdentified):
            continue
        if best is None or found.aic < best[0]:
            best = found.aic, degree
    if best is None:
        raise NotIdentified("No polynomial can be fitted to these frequencies.")
    return best[1]


def _design(shape: tuple[int, ...], degrees: tuple[int, ...], products: Sequence[tuple[int, int]]) -> Floats:
    """Cells × parameters: a constant, orthogonal polynomials of each score, centred products of powers."""
    columns = [np.ones(int(np.prod(shape)))]
    grids = np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij")
    for grid, degree in zip(grids, degrees, strict=True):
        line = grid.ravel()
        columns += [np.polynomial.legendre.legval(line, np.eye(degree + 1)[i]) for i in range(1, degree + 1)]
    if len(shape) == 2:
        for i, j in products:
            if not (1 <= i <= degrees[0] and 1 <= j <= degrees[1]):
                raise BadParameters("A product's powers lie between 1 and the degrees.")
            columns.append((grids[0] ** i * grids[1] ** j).ravel())
    return np.column_stack(columns)


def _fit(design: Floats, y: Floats) -> tuple[Floats, int]:
    """Poisson maximum likelihood by Newton steps, halved until the likelihood rises."""
    beta = np.zeros(design.shape[1])
    beta[0] = np.log(y.mean())
    eta = design @ beta
    value = float(y @ eta - np.exp(eta).sum())
    for iteration in range(1, _STEPS + 1):
        mean = np.exp(eta)
        gradient = design.T @ (y - mean)
        step = np.linalg.lstsq((design * mean[:, None]).T @ design, gradient, rcond=None)[0]
        length = 1.0
        while True:
            moved = design @ (beta + length * step)
            with np.errstate(over="ignore"):
                new = float(y @ moved - np.exp(moved).sum())
            if new >= value - 1e-12 * abs(value) or length < 1e-10:
                break
            length /= 2
        beta = beta + length * step
        eta = moved
        if float(np.abs(gradient).max()) < 1e-9 * y.sum():
            return np.exp(eta), iteration
        change, value = abs(new - value), new
    raise NotConverged(
        "The log-linear fit did not settle (change of the log-likelihood): lower the degree.",
        iterations=_STEPS,
        change=change,
    )


def _log_factorial(y: Floats) -> Floats:
    return np.asarray(gammaln(y + 1.0))
