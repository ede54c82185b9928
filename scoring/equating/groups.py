"""Equating when the two forms went to random groups."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.equating.errors import delta, moment_covariance, moments
from scoring.equating.percentiles import density_at, percentile_ranks, score_at
from scoring.equating.presmoothing import log_linear
from scoring.equating.result import Equating, counts, read_scale, read_scores
from scoring.errors import BadParameters, NotIdentified

Floats = NDArray[np.float64]
Scores = NDArray[np.intp]


def mean(x: ArrayLike, y: ArrayLike, *, scale: tuple[int, int] | None = None) -> Equating:
    """Mean equating: y = x − μ(X) + μ(Y). Scores one per candidate. Raises as `linear`."""
    one, other, _, points = _read(x, y, scale)
    shift = float(other.mean() - one.mean())
    error = float(np.sqrt(one.var() / one.size + other.var() / other.size))
    return _made(
        "mean",
        points,
        np.asarray(points + shift, dtype=np.float64),
        np.full(points.size, error),
        "delta",
        1.0,
        shift,
        one,
        other,
    )


def linear(
    x: ArrayLike, y: ArrayLike, *, scale: tuple[int, int] | None = None, normal: bool = False
) -> Equating:
    """Linear equating: equal means and standard deviations (Kolen & Brennan 2014, eq. 2.20).

    `scale`: lowest and highest possible score, common to the forms (0 to the highest seen without).
    Standard errors by the delta method over sample moments; `normal`: as if scores were normal.
    Raises BadResponses; TooFewObservations; NotIdentified when all scores of a form are equal.
    """
    one, other, _, points = _read(x, y, scale)

    def line(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(b[0] + np.sqrt(b[1] / a[1]) * (points - a[0]))

    a, b = moments(one), moments(other)
    error = delta(
        line,
        moments(one, ddof=0),
        moments(other, ddof=0),
        moment_covariance(one, normal=normal),
        moment_covariance(other, normal=normal),
    )
    slope = float(np.sqrt(b[1] / a[1]))
    return _made(
        "linear",
        points,
        line(a, b),
        error,
        "delta, normal" if normal else "delta",
        slope,
        float(b[0] - slope * a[0]),
        one,
        other,
    )


def equipercentile(
    x: ArrayLike,
    y: ArrayLike,
    *,
    scale: tuple[int, int] | None = None,
    degree: int | tuple[int, int] | None = None,
) -> Equating:
    """Equipercentile equating, e(x) = Q⁻¹(P(x)), with scores spread evenly over ±½ (Kolen & Brennan 2014, 2.5).

    `degree`: log-linear presmoothing of both forms, or of X and of Y; None: none.  Standard errors by the
    delta method over the score probabilities: without smoothing as Lord (1982), but with the exact variance of a
    percentile rank of whole scores, F(x−1) + f(x)/4 − P², where Lord has P(1−P); with smoothing through the
    covariance of the fitted probabilities (Holland & Thayer 1987); NaN where the old form has nobody at the
    equivalent, so that it is not determined. Without smoothing they are too small below about 1,000 persons a form
    (equivalent ± 1.96 standard errors held 0.90 at 200; with degree 4 0.95): presmooth.  Raises as `linear`; NotIdentified for too high a degree.
    """
    one, other, limits, points = _read(x, y, scale)
    degrees = (degree, degree) if degree is None or isinstance(degree, int) else degree
    share_x, root_x = smoothed(counts(one, limits), degrees[0])
    share_y, root_y = smoothed(counts(other, limits), degrees[1])
    equivalents = score_at(percentile_ranks(share_x), share_y, limits[0])
    error = _equipercentile_error(equivalents, share_x, share_y, root_x, root_y, limits[0])
    name = "equipercentile" if degree is None else "equipercentile, presmoothed"
    return _made(name, points, equivalents, error, "delta", None, None, one, other)


def circle_arc(
    x: ArrayLike,
    y: ArrayLike,
    *,
    scale: tuple[int, int] | None = None,
    low: tuple[float, float] | None = None,
    high: tuple[float, float] | None = None,
) -> Equating:
    """Simplified circle-arc equating (Livingston & Kim 2008): a line through two points known beforehand plus
    the arc that lifts it to the means. For small groups.

    `low`, `high`: (x, y) points, the ends of the scale without; beyond them the line continues.
    Standard errors by the delta method over the two means. Raises as `linear`; BadParameters.
    """
    one, other, limits, points = _read(x, y, scale)
    start = (float(limits[0]), float(limits[0])) if low is None else low
    end = (float(limits[1]), float(limits[1])) if high is None else high
    if not (np.isfinite((*start, *end)).all() and start[0] < end[0] and start[1] < end[1]):
        raise BadParameters("The points must be finite, the low one below the high one on both forms.")
    at = np.array([one.mean(), other.mean()])
    if not start[0] < at[0] < end[0]:
        raise NotIdentified("The mean of form X lies outside the two points: no arc passes through it.")
    equivalents = arc(points, start, end, at[0], at[1])
    variance = np.zeros(points.size)
    for i, own in enumerate((one, other)):
        step = np.zeros(2)
        step[i] = 1e-5
        slope = (arc(points, start, end, *(at + step)) - arc(points, start, end, *(at - step))) / 2e-5
        variance += slope**2 * own.var() / own.size
    return _made("circle-arc", points, equivalents, np.sqrt(variance), "delta", None, None, one, other)


def arc(
    x: NDArray[np.intp], start: tuple[float, float], end: tuple[float, float], mean_x: float, mean_y: float
) -> Floats:
    """The line from start to end plus a circle's arc through both ends and (mean_x, mean_y − line)."""
    slope = (end[1] - start[1]) / (end[0] - start[0])
    line = start[1] + slope * (x - start[0])
    height = mean_y - (start[1] + slope * (mean_x - start[0]))
    inside = (x >= start[0]) & (x <= end[0])
    if abs(height) < 1e-12:
        return np.asarray(line, dtype=np.float64)
    centre = (start[0] + end[0]) / 2
    half = (end[0] - start[0]) / 2
    # Circle through (start, 0), (end, 0) and (mean_x, height): its centre lies at (centre, depth).
    depth = (height**2 + (mean_x - centre) ** 2 - half**2) / (2 * height)
    radius = np.hypot(half, depth)
    lift = depth + np.sign(height) * np.sqrt(np.maximum(radius**2 - (x - centre) ** 2, 0.0))
    return np.asarray(np.where(inside, line + lift, line))


def smoothed(frequencies: Floats, degree: int | None) -> tuple[Floats, Floats]:
    """Score probabilities and a root of their covariance, presmoothed or not."""
    n = frequencies.sum()
    if degree is None:
        share = frequencies / n
        # A root of (D − ppᵀ)/n: D^{1/2}(I − √p√pᵀ)/√n.
        half = np.sqrt(share)
        return share, half[:, None] * (np.eye(share.size) - np.outer(half, half)) / np.sqrt(n)
    fit = log_linear(frequencies, degree)
    return fit.fitted / n, fit.covariance_root


def _equipercentile_error(
    equivalents: Floats, share_x: Floats, share_y: Floats, root_x: Floats, root_y: Floats, low: int
) -> Floats:
    size = share_x.size
    of_x = np.tril(np.ones((size, size)), -1) + 0.5 * np.eye(size)  # ∂P(x)/∂p_j
    at, density = density_at(equivalents, share_y, low)
    of_y = (np.arange(share_y.size) < at[:, None]).astype(np.float64)
    of_y[np.arange(size), at] = equivalents - low - at + 0.5
    variance = ((of_x @ root_x) ** 2).sum(axis=1) + ((of_y @ root_y) ** 2).sum(axis=1)
    return np.asarray(np.divide(np.sqrt(variance), density, out=np.full(size, np.nan), where=density > 0))


def _read(
    x: ArrayLike, y: ArrayLike, scale: tuple[int, int] | None
) -> tuple[Scores, Scores, tuple[int, int], Scores]:
    one, other = read_scores(x, scale, "scores on form X"), read_scores(y, scale, "scores on form Y")
    limits = read_scale(scale, one, other)
    return one, other, limits, np.arange(limits[0], limits[1] + 1)


def _made(
    method: str,
    points: Scores,
    equivalents: Floats,
    error: Floats,
    how: str,
    slope: float | None,
    intercept: float | None,
    one: Scores,
    other: Scores,
) -> Equating:
    return Equating(
        method, points, equivalents, error, how, slope, intercept, None, int(one.size), int(other.size)
    )
