"""Results of the DIF methods: one entry per item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MantelHaenszel:
    """One entry per item.

    `odds_ratio`: α_MH, above 1 favours the reference group; `delta` = −2.35 ln α (ETS scale) with
    `standard_error` (Robins, Breslow & Greenland 1986) and 95 % limits `low`, `high`.  `chi2`, `p`: MH test, 1 df.
    `ets_class`: A negligible, B moderate, C large (Zieky 1993).  `flagged`: p ≤ alpha.
    `estimable`: False where no stratum tells anything (chi2 0, p 1, delta NaN).
    `steps`: items flagged at each step of purification; `settled`: purification reached the same set twice
    (True without purification).
    """

    items: tuple[str, ...]
    odds_ratio: Floats
    delta: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    chi2: Floats
    p: Floats
    ets_class: tuple[str, ...]
    flagged: NDArray[np.bool_]
    estimable: NDArray[np.bool_]
    alpha: float
    steps: tuple[tuple[int, ...], ...] = ()
    settled: bool = True


@dataclass(frozen=True, eq=False)
class LogisticDif:
    """One entry per item. `coefficients` items × (intercept, score, group, score·group) of the fuller model.

    `statistic`, `df`, `p`: test of the chosen kind; `r2_change`: Nagelkerke's R² of the fuller model minus
    the smaller; `effect`: negligible, moderate or large by Jodoin & Gierl (2001: .035, .070).
    `separated`: a group answered in a way that drives an estimate to infinity; its LRT stands, Wald does not.
    """

    items: tuple[str, ...]
    coefficients: Floats
    statistic: Floats
    df: int
    p: Floats
    r2_change: Floats
    effect: tuple[str, ...]
    flagged: NDArray[np.bool_]
    separated: NDArray[np.bool_]
    kind: str
    criterion: str
    alpha: float
    steps: tuple[tuple[int, ...], ...] = ()
    settled: bool = True


@dataclass(frozen=True, eq=False)
class Standardisation:
    """`difference`: STD P-DIF, focal minus reference proportion at equal score, weighted by the focal group;
    `standard_error` (Dorans & Holland 1993); `odds_ratio`: standardised, reference over focal; `category`:
    negligible (< .05), watch (< .10), large."""

    items: tuple[str, ...]
    difference: Floats
    standard_error: Floats
    odds_ratio: Floats
    category: tuple[str, ...]
    flagged: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sibtest:
    """`beta`: reference minus focal expected score at equal true score (for `crossing` the absolute
    value of the difference above the crossing minus that below); `standard_error` (NaN for crossing with two parts),
    `chi2`, `df`, `p`. `estimable`: False where no score level holds enough of both groups."""

    items: tuple[str, ...]
    beta: Floats
    standard_error: Floats
    chi2: Floats
    df: NDArray[np.intp]
    p: Floats
    flagged: NDArray[np.bool_]
    estimable: NDArray[np.bool_]
    crossing: bool
    alpha: float


@dataclass(frozen=True, eq=False)
class BreslowDay:
    """Homogeneity of the odds ratio over score levels: large where DIF changes with ability."""

    items: tuple[str, ...]
    statistic: Floats
    df: NDArray[np.intp]
    p: Floats
    flagged: NDArray[np.bool_]
    alpha: float
