"""DIF from the two-by-two tables of score levels: Mantel–Haenszel, Breslow–Day, standardisation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2, norm

from scoring.dif.matching import MINIMUM_GROUP, Matched, purified, read, read_match, tables, totals
from scoring.dif.results import BreslowDay, MantelHaenszel, Standardisation
from scoring.responses import Responses

Floats = NDArray[np.float64]

ETS_FACTOR = -2.35


def mantel_haenszel(
    responses: ArrayLike | Responses,
    focal: ArrayLike,
    *,
    match: ArrayLike | None = None,
    correct: bool = True,
    purify: bool = False,
    alpha: float = 0.05,
    minimum: int = MINIMUM_GROUP,
) -> MantelHaenszel:
    """Mantel–Haenszel DIF with ETS classes (Holland & Thayer 1988).

    `focal`: 0 or 1 per person.  `match`: another criterion than the total score, one whole number each.
    `correct`: chi2 = (|ΣA − ΣE| − ½)² / ΣV, as published, also where the difference is below ½.
    `purify`: flagged items leave the total (the studied one stays) until the
    flagged set repeats.  Class C: |delta| ≥ 1.5 and significantly above 1; A: |delta| < 1 or p > alpha; else B.

    Raises TooFewObservations below `minimum` persons in a group; BadResponses; BadParameters; NotIdentified
    when only one group is present.
    """
    data = read(responses, focal, minimum, alpha)
    outside = read_match(match, data)

    def analyse(anchor: NDArray[np.bool_]) -> MantelHaenszel:
        return _mantel_haenszel(data, anchor, outside, correct, alpha)

    return purified(analyse, data, purify and outside is None)


def breslow_day(
    responses: ArrayLike | Responses,
    focal: ArrayLike,
    *,
    alpha: float = 0.05,
    minimum: int = MINIMUM_GROUP,
) -> BreslowDay:
    """Breslow & Day (1980, eq. 4.30) test, without Tarone's adjustment, over score levels where the table has
    no empty margin. Raises as `mantel_haenszel`."""
    data = read(responses, focal, minimum, alpha)
    k = data.x.shape[1]
    statistic, df = np.zeros(k), np.zeros(k, dtype=np.intp)
    total = data.x.sum(axis=1).astype(np.intp)
    for j in range(k):
        a, b, c, d = tables(data, j, total)
        used = (a + b > 0) & (c + d > 0) & (a + c > 0) & (b + d > 0)
        a, b, c, d = a[used], b[used], c[used], d[used]
        size = a + b + c + d
        below = (b * c / size).sum()
        if used.sum() < 2 or below == 0 or (a * d / size).sum() == 0:
            continue
        ratio = (a * d / size).sum() / below
        # A fitted a with the common odds ratio solves (1 − α)a² + (…)a + … = 0; the root within the margins.
        row, column = a + b, a + c
        quadratic, linear, constant = (
            1 - ratio,
            size - row - column + ratio * (row + column),
            -ratio * row * column,
        )
        if abs(quadratic) < 1e-12:
            fitted = -constant / linear
        else:
            fitted = (-linear + np.sqrt(linear**2 - 4 * quadratic * constant)) / (2 * quadratic)
        variance = 1 / (
            1 / fitted + 1 / (row - fitted) + 1 / (column - fitted) + 1 / (size - row - column + fitted)
        )
        statistic[j] = ((a - fitted) ** 2 / variance).sum()
        df[j] = int(used.sum()) - 1
    p = np.where(df > 0, chi2.sf(statistic, np.maximum(df, 1)), 1.0)
    return BreslowDay(data.items, statistic, df, p, p <= alpha, alpha)


def standardisation(
    responses: ArrayLike | Responses,
    focal: ArrayLike,
    *,
    threshold: float = 0.10,
    minimum: int = MINIMUM_GROUP,
) -> Standardisation:
    """Standardised difference of proportions correct (Dorans & Kulick 1986). `flagged`: |difference| ≥
    `threshold`. Raises as `mantel_haenszel`."""
    data = read(responses, focal, minimum, 0.05)
    k = data.x.shape[1]
    difference, error, ratio = np.zeros(k), np.full(k, np.nan), np.full(k, np.nan)
    total = data.x.sum(axis=1).astype(np.intp)
    for j in range(k):
        a, b, c, d = tables(data, j, total)
        used = (a + b > 0) & (c + d > 0)
        if not used.any():
            continue
        a, b, c, d = a[used], b[used], c[used], d[used]
        weight = (c + d) / (c + d).sum()
        focal_p, reference_p = c / (c + d), a / (a + b)
        difference[j] = weight @ (focal_p - reference_p)
        error[j] = np.sqrt(
            (
                weight**2 * (focal_p * (1 - focal_p) / (c + d) + reference_p * (1 - reference_p) / (a + b))
            ).sum()
        )
        expected, own = float(weight @ reference_p), float(weight @ focal_p)
        if 0 < own < 1 and 0 < expected < 1:
            ratio[j] = expected / (1 - expected) * (1 - own) / own
    size = np.abs(difference)
    category = tuple("negligible" if v < 0.05 else "watch" if v < 0.10 else "large" for v in size)
    return Standardisation(data.items, difference, error, ratio, category, size >= threshold)


def _mantel_haenszel(
    data: Matched,
    anchor: NDArray[np.bool_],
    outside: NDArray[np.intp] | None,
    correct: bool,
    alpha: float,
) -> MantelHaenszel:
    k = data.x.shape[1]
    ratio, error, statistic = np.full(k, np.nan), np.full(k, np.nan), np.zeros(k)
    for j in range(k):
        a, b, c, d = tables(data, j, totals(data, anchor, j, outside))
        size = a + b + c + d
        used = size > 1
        a, b, c, d, size = a[used], b[used], c[used], d[used], size[used]
        expected = (a + b) * (a + c) / size
        variance = ((a + b) * (c + d) * (a + c) * (b + d) / (size**2 * (size - 1))).sum()
        if variance > 0:
            gap = abs((a - expected).sum()) - (0.5 if correct else 0.0)
            statistic[j] = gap**2 / variance
        right, left = (a * d / size).sum(), (b * c / size).sum()
        if right > 0 and left > 0:
            ratio[j] = right / left
            spread = ((a * d + ratio[j] * b * c) * (a + d + ratio[j] * (b + c)) / size**2).sum()
            error[j] = np.sqrt(spread / (2 * right**2))
    estimable = np.isfinite(ratio)
    delta = ETS_FACTOR * np.log(ratio)
    spread = abs(ETS_FACTOR) * error
    p = chi2.sf(statistic, 1)
    half = norm.ppf(0.975) * spread
    classes = tuple(_ets_class(*values, alpha) for values in zip(delta, spread, p, strict=True))
    return MantelHaenszel(
        data.items,
        ratio,
        delta,
        spread,
        delta - half,
        delta + half,
        statistic,
        p,
        classes,
        p <= alpha,
        estimable,
        alpha,
    )


def _ets_class(delta: float, error: float, p: float, alpha: float) -> str:
    if not np.isfinite(delta) or abs(delta) < 1 or p > alpha:
        return "A"
    if abs(delta) >= 1.5 and (abs(delta) - 1) / error > norm.ppf(1 - alpha):
        return "C"
    return "B"
