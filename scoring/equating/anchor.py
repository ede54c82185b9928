"""Equating when the forms went to two populations that share an anchor test (NEAT).

Population 1 took X and the anchor, population 2 Y and the anchor. The synthetic population weights them w and
1 − w (w = n_x/(n_x + n_y) unless given). Scores are one per candidate; `anchor` scores belong to the same rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.equating.errors import REPLICATIONS, bootstrap, delta, moment_covariance, moments
from scoring.equating.percentiles import percentile_ranks, rank_of, score_at
from scoring.equating.presmoothing import log_linear
from scoring.equating.result import Equating, counts, read_scale, read_scores
from scoring.errors import BadParameters, BadResponses, NotIdentified

Floats = NDArray[np.float64]
Scores = NDArray[np.intp]
Degree = tuple[int, int]


@dataclass(frozen=True, eq=False)
class _Design:
    x: Scores
    x_anchor: Scores
    y: Scores
    y_anchor: Scores
    scale: tuple[int, int]
    anchor_scale: tuple[int, int]
    weight: float
    points: Scores


def tucker(
    x: ArrayLike,
    x_anchor: ArrayLike,
    y: ArrayLike,
    y_anchor: ArrayLike,
    *,
    kind: Literal["linear", "mean"] = "linear",
    weight: float | None = None,
    scale: tuple[int, int] | None = None,
    normal: bool = False,
) -> Equating:
    """Tucker equating (Kolen & Brennan 2014, 4.1): regression of the total on the anchor is the same in both
    populations, γ = σ(T,V)/σ²(V).

    `kind`: "mean" keeps the slope at 1.  Standard errors by the delta method over the two populations' moments
    up to the fourth order; `normal`: as if scores were bivariate normal.
    Raises BadResponses; TooFewObservations; NotIdentified where an anchor does not vary or relate to the total.
    """
    design = _read(x, x_anchor, y, y_anchor, weight, scale)

    def gamma(m: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(m[3] / m[4])

    return _synthetic("Tucker", design, gamma, gamma, kind, normal)


def levine(
    x: ArrayLike,
    x_anchor: ArrayLike,
    y: ArrayLike,
    y_anchor: ArrayLike,
    *,
    true_score: bool = False,
    internal: bool = True,
    kind: Literal["linear", "mean"] = "linear",
    weight: float | None = None,
    scale: tuple[int, int] | None = None,
    normal: bool = False,
) -> Equating:
    """Levine equating (Kolen & Brennan 2014, 4.2–4.3) for congeneric tests: γ = σ²(T)/σ(T,V) with an internal
    anchor, (σ²(T) + σ(T,V))/(σ²(V) + σ(T,V)) with an external one.

    `true_score`: Levine's true-score function applied to observed scores (no synthetic population; `weight`
    and `kind` then have no meaning).  Standard errors and errors as `tucker`.
    """
    design = _read(x, x_anchor, y, y_anchor, weight, scale)

    def gamma(m: NDArray[Any]) -> NDArray[Any]:
        if internal:
            return np.asarray(m[2] / m[3])
        return np.asarray((m[2] + m[3]) / (m[4] + m[3]))

    if not true_score:
        return _synthetic("Levine observed score", design, gamma, gamma, kind, normal)

    def line(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
        ga, gb = gamma(a), gamma(b)
        return np.asarray(gb / ga * (design.points - a[0]) + b[0] + gb * (a[1] - b[1]))

    return _linear("Levine true score", design, line, normal, weighted=False)


def nominal_weights(
    x: ArrayLike,
    x_anchor: ArrayLike,
    y: ArrayLike,
    y_anchor: ArrayLike,
    *,
    lengths: tuple[float, float, float] | None = None,
    kind: Literal["linear", "mean"] = "linear",
    weight: float | None = None,
    scale: tuple[int, int] | None = None,
    normal: bool = False,
) -> Equating:
    """Nominal weights (Babcock, Albano & Raymond 2012): γ is the ratio of the tests' lengths, for groups too
    small to estimate a regression.

    `lengths`: of X, Y and anchor; their highest possible scores without (the anchor's highest seen).
    """
    design = _read(x, x_anchor, y, y_anchor, weight, scale)
    top = (float(design.scale[1]), float(design.scale[1]), float(design.anchor_scale[1]))
    of_x, of_y, of_anchor = top if lengths is None else lengths
    if min(of_x, of_y, of_anchor) <= 0:
        raise BadParameters("The lengths of the tests are positive.")
    return _synthetic(
        "nominal weights",
        design,
        lambda m: np.asarray(of_x / of_anchor),
        lambda m: np.asarray(of_y / of_anchor),
        kind,
        normal,
    )


def chained(
    x: ArrayLike,
    x_anchor: ArrayLike,
    y: ArrayLike,
    y_anchor: ArrayLike,
    *,
    kind: Literal["linear", "mean", "equipercentile"] = "linear",
    scale: tuple[int, int] | None = None,
    degree: Degree | None = None,
    normal: bool = False,
    replications: int = REPLICATIONS,
    seed: int = 0,
) -> Equating:
    """Chained equating (Kolen & Brennan 2014, 4.4 and 5.2): X to the anchor in population 1, the anchor to Y in
    population 2.

    `degree`: presmoothing of total and anchor with one product (equipercentile only).  Standard errors: delta
    method for the linear kinds, bootstrap with `seed` for equipercentile.
    """
    design = _read(x, x_anchor, y, y_anchor, None, scale)
    if kind == "equipercentile":
        return _resampled(
            "chained equipercentile", design, _chained_percentiles(design, degree), replications, seed
        )
    if kind not in ("linear", "mean"):
        raise BadParameters("kind is linear, mean or equipercentile.")
    if degree is not None:
        raise BadParameters("Only the equipercentile kind is presmoothed.")

    def line(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
        first = np.sqrt(a[4] / a[2]) if kind == "linear" else 1.0
        second = np.sqrt(b[2] / b[4]) if kind == "linear" else 1.0
        return np.asarray(b[0] + second * (a[1] + first * (design.points - a[0]) - b[1]))

    return _linear(f"chained {kind}", design, line, normal, weighted=False)


def frequency_estimation(
    x: ArrayLike,
    x_anchor: ArrayLike,
    y: ArrayLike,
    y_anchor: ArrayLike,
    *,
    weight: float | None = None,
    scale: tuple[int, int] | None = None,
    degree: Degree | None = None,
    replications: int = REPLICATIONS,
    seed: int = 0,
) -> Equating:
    """Frequency estimation (Kolen & Brennan 2014, 5.1): the distribution of the total given the anchor is the
    same in both populations; equipercentile equating in the synthetic population.

    Anchor scores that only one population has carry no information about the other: its conditional
    distribution there is left out and the rest rescaled.  `degree`: presmoothing of total and anchor with one
    product.  Standard errors by bootstrap with `seed`.
    """
    design = _read(x, x_anchor, y, y_anchor, weight, scale)

    def function(a: Scores, av: Scores, b: Scores, bv: Scores) -> Floats:
        one, other = _synthetic_shares(design, (a, av), (b, bv), degree)
        return score_at(percentile_ranks(one), other, design.scale[0])

    return _resampled("frequency estimation", design, function, replications, seed, weighted=True)


def braun_holland(
    x: ArrayLike,
    x_anchor: ArrayLike,
    y: ArrayLike,
    y_anchor: ArrayLike,
    *,
    weight: float | None = None,
    scale: tuple[int, int] | None = None,
    degree: Degree | None = None,
    replications: int = REPLICATIONS,
    seed: int = 0,
) -> Equating:
    """Braun & Holland (1982): linear equating with the means and standard deviations of frequency estimation's
    synthetic distributions. Standard errors by bootstrap with `seed`."""
    design = _read(x, x_anchor, y, y_anchor, weight, scale)

    def function(a: Scores, av: Scores, b: Scores, bv: Scores) -> Floats:
        one, other = _synthetic_shares(design, (a, av), (b, bv), degree)
        at = design.points.astype(np.float64)
        mean_one, mean_other = float(one @ at), float(other @ at)
        slope = np.sqrt((other @ (at - mean_other) ** 2) / (one @ (at - mean_one) ** 2))
        return np.asarray(mean_other + slope * (at - mean_one))

    return _resampled("Braun–Holland", design, function, replications, seed, weighted=True, line=True)


def _read(
    x: ArrayLike,
    x_anchor: ArrayLike,
    y: ArrayLike,
    y_anchor: ArrayLike,
    weight: float | None,
    scale: tuple[int, int] | None,
) -> _Design:
    one, other = read_scores(x, scale, "scores on form X"), read_scores(y, scale, "scores on form Y")
    av = read_scores(x_anchor, None, "anchor scores with form X")
    bv = read_scores(y_anchor, None, "anchor scores with form Y")
    if av.size != one.size or bv.size != other.size:
        raise BadResponses(
            "Every candidate needs a total and an anchor score: the two have different lengths."
        )
    for total, anchor, form in ((one, av, "X"), (other, bv, "Y")):
        if abs(np.corrcoef(total, anchor)[0, 1]) < 1e-9:
            raise NotIdentified(f"The anchor says nothing about the scores on form {form}.")
    if weight is not None and not 0 <= weight <= 1:
        raise BadParameters("The weight of population X lies between 0 and 1.")
    limits = read_scale(scale, one, other)
    return _Design(
        one,
        av,
        other,
        bv,
        limits,
        read_scale(None, av, bv),
        one.size / (one.size + other.size) if weight is None else weight,
        np.arange(limits[0], limits[1] + 1),
    )


def _synthetic(
    method: str,
    design: _Design,
    gamma_x: Callable[[NDArray[Any]], NDArray[Any]],
    gamma_y: Callable[[NDArray[Any]], NDArray[Any]],
    kind: str,
    normal: bool,
) -> Equating:
    if kind not in ("linear", "mean"):
        raise BadParameters("kind is linear or mean.")
    w = design.weight

    def line(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
        ga, gb, gap = gamma_x(a), gamma_y(b), a[1] - b[1]
        mean_x, mean_y = a[0] - (1 - w) * ga * gap, b[0] + w * gb * gap
        var_x = a[2] - (1 - w) * ga**2 * (a[4] - b[4]) + w * (1 - w) * ga**2 * gap**2
        var_y = b[2] + w * gb**2 * (a[4] - b[4]) + w * (1 - w) * gb**2 * gap**2
        slope = np.sqrt(var_y / var_x) if kind == "linear" else 1.0
        return np.asarray(mean_y + slope * (design.points - mean_x))

    name = method if kind == "linear" else f"{method}, mean"
    return _linear(name, design, line, normal, weighted=True)


def _linear(
    method: str,
    design: _Design,
    line: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]],
    normal: bool,
    *,
    weighted: bool,
) -> Equating:
    a, b = moments(design.x, design.x_anchor), moments(design.y, design.y_anchor)
    equivalents = line(a, b)
    if not np.isfinite(equivalents).all():
        raise NotIdentified(
            "The synthetic variance is negative: the populations differ too much for this method."
        )
    error = delta(
        line,
        moments(design.x, design.x_anchor, ddof=0),
        moments(design.y, design.y_anchor, ddof=0),
        moment_covariance(design.x, design.x_anchor, normal=normal),
        moment_covariance(design.y, design.y_anchor, normal=normal),
    )
    return _made(
        method, design, equivalents, error, "delta, normal" if normal else "delta", weighted, line=True
    )


def _resampled(
    method: str,
    design: _Design,
    function: Callable[[Scores, Scores, Scores, Scores], Floats],
    replications: int,
    seed: int,
    *,
    weighted: bool = False,
    line: bool = False,
) -> Equating:
    equivalents = function(design.x, design.x_anchor, design.y, design.y_anchor)
    error = bootstrap(function, (design.x, design.x_anchor), (design.y, design.y_anchor), replications, seed)
    return _made(method, design, equivalents, error, "bootstrap", weighted, line=line)


def _made(
    method: str,
    design: _Design,
    equivalents: Floats,
    error: Floats,
    how: str,
    weighted: bool,
    *,
    line: bool,
) -> Equating:
    slope = float(equivalents[1] - equivalents[0]) if line else None
    intercept = float(equivalents[0] - slope * design.points[0]) if slope is not None else None
    return Equating(
        method,
        design.points,
        equivalents,
        error,
        how,
        slope,
        intercept,
        design.weight if weighted else None,
        int(design.x.size),
        int(design.y.size),
    )


def _joint(design: _Design, total: Scores, anchor: Scores, degree: Degree | None) -> Floats:
    """Proportions of total × anchor, presmoothed where asked."""
    rows = design.scale[1] - design.scale[0] + 1
    width = design.anchor_scale[1] - design.anchor_scale[0] + 1
    cell = (total - design.scale[0]) * width + anchor - design.anchor_scale[0]
    table = np.bincount(cell, minlength=rows * width).reshape(rows, width).astype(np.float64)
    if degree is not None:
        table = log_linear(table, degree).fitted
    return np.asarray(table / table.sum())


def _synthetic_shares(
    design: _Design,
    one: tuple[Scores, Scores],
    other: tuple[Scores, Scores],
    degree: Degree | None,
) -> tuple[Floats, Floats]:
    first, second = _joint(design, *one, degree), _joint(design, *other, degree)
    anchor_first, anchor_second = first.sum(axis=0), second.sum(axis=0)
    w = design.weight
    share_x = w * first.sum(axis=1) + (1 - w) * _carried(first, anchor_first, anchor_second)
    share_y = w * _carried(second, anchor_second, anchor_first) + (1 - w) * second.sum(axis=1)
    return share_x / share_x.sum(), share_y / share_y.sum()


def _carried(joint: Floats, own: Floats, others: Floats) -> Floats:
    """Distribution of the total when its distribution given the anchor meets the other population's anchor."""
    ratio = np.divide(others, own, out=np.zeros(own.size), where=own > 0)
    return np.asarray(joint @ ratio)


def _chained_percentiles(
    design: _Design, degree: Degree | None
) -> Callable[[Scores, Scores, Scores, Scores], Floats]:
    def function(a: Scores, av: Scores, b: Scores, bv: Scores) -> Floats:
        if degree is None:
            x, y = counts(a, design.scale) / a.size, counts(b, design.scale) / b.size
            xv, yv = counts(av, design.anchor_scale) / a.size, counts(bv, design.anchor_scale) / b.size
        else:
            first, second = _joint(design, a, av, degree), _joint(design, b, bv, degree)
            x, xv, y, yv = first.sum(axis=1), first.sum(axis=0), second.sum(axis=1), second.sum(axis=0)
        on_anchor = score_at(percentile_ranks(x), xv, design.anchor_scale[0])
        return score_at(rank_of(on_anchor, yv, design.anchor_scale[0]), y, design.scale[0])

    return function
