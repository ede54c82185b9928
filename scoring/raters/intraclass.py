"""Intraclass correlations: the six forms, with intervals that hold when raters differ in level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

from scoring.errors import BadResponses, NotIdentified
from scoring.scores import read_confidence, read_scores
from scoring.verdicts import Verdict, against_target

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class IntraclassCorrelation:
    """One form. `f` on `df1`, `df2` with `p_value` tests zero correlation.

    `interval`: exact F interval for the one-way and consistency forms; for the agreement forms a generalized interval.
    `f_interval`: McGraw & Wong's for every form; for agreement forms it covers far less than it says when raters
    differ in level (0.67 for a nominal 0.95 with 200 scripts, two raters and a third of the variance theirs).
    """

    form: str
    value: float
    f: float
    df1: int
    df2: int
    p_value: float
    interval: tuple[float, float]
    f_interval: tuple[float, float]


@dataclass(frozen=True)
class IntraclassCorrelations:
    """Forms of Shrout & Fleiss, in McGraw & Wong's names: `icc1` ICC(1), `icc2` ICC(A,1), `icc3` ICC(C,1); with k the
    mean of the raters' ratings. Components of variance of the two-way model (not below 0): units (scripts), raters,
    error. `verdict`: `icc2`'s interval against the target.
    """

    n: int
    raters: int
    confidence: float
    icc1: IntraclassCorrelation
    icc2: IntraclassCorrelation
    icc3: IntraclassCorrelation
    icc1k: IntraclassCorrelation
    icc2k: IntraclassCorrelation
    icc3k: IntraclassCorrelation
    unit_variance: float
    rater_variance: float
    error_variance: float
    verdict: Verdict


def icc(ratings: ArrayLike, *, target: float = 0.75, confidence: float = 0.95) -> IntraclassCorrelations:
    """Intraclass correlations of complete `ratings` (units × raters, real numbers).

    Use icc1 when scripts were marked by different people without a record of who; icc2 when marks are compared between
    candidates marked by different markers (severity counts as error); icc3 when all candidates have the same markers.
    Markers who never differ leave the intervals without a lower limit (NaN, with the verdict
    "agreement.no_disagreement").

    Raises BadResponses: fewer than 2 units or raters, missing ratings (sparse designs: `generalizability.study`);
    NotIdentified where all ratings are equal.
    Sources: Shrout & Fleiss (1979); McGraw & Wong (1996), tables 4 and 7; generalized intervals: Weerahandi
    (1993), JASA 88, 899–905.
    """
    level = read_confidence(confidence)
    x = read_scores(ratings, complete=True, rows="units", columns="raters")
    n, k = x.shape
    if n < 2 or k < 2:
        raise BadResponses(
            f"Intraclass correlations need 2 units and 2 raters or more; this has {n} and {k}."
        )
    scale = float(np.abs(x).max()) or 1.0
    grand = x.mean()
    rows, columns = x.mean(axis=1), x.mean(axis=0)
    df_rows, df_raters, df_error = n - 1, k - 1, (n - 1) * (k - 1)
    msr = float(k * ((rows - grand) ** 2).sum() / df_rows)
    msc = float(n * ((columns - grand) ** 2).sum() / df_raters)
    mse = float(((x - rows[:, None] - columns + grand) ** 2).sum() / df_error)
    msw = float(((x - rows[:, None]) ** 2).sum() / (n * df_raters))
    tiny = (1e-12 * scale) ** 2
    msr, msc, mse, msw = (0.0 if ms <= tiny else ms for ms in (msr, msc, mse, msw))
    if msr == 0 and msw == 0:
        raise NotIdentified("All ratings are equal: correlations need units that differ.")
    half = (1 - level) / 2

    def f_limits(f: float, df2: int) -> tuple[float, float]:
        low = f / float(stats.f.ppf(1 - half, df_rows, df2))
        return low, f * float(stats.f.ppf(1 - half, df2, df_rows))

    def form(
        name: str,
        value: float,
        f: float,
        df2: int,
        limits: tuple[float, float],
        better: tuple[float, float] | None = None,
    ) -> IntraclassCorrelation:
        return IntraclassCorrelation(
            name, value, f, df_rows, df2, float(stats.f.sf(f, df_rows, df2)), better or limits, limits
        )

    unbounded = (float("nan"), 1.0)
    within_df = n * df_raters
    f1 = msr / msw if msw > 0 else float("inf")
    f3 = msr / mse if mse > 0 else float("inf")
    one = one_k = three = three_k = two = two_k = general = general_k = unbounded
    if msw > 0:
        low, high = f_limits(f1, within_df)
        one = (low - 1) / (low + k - 1), (high - 1) / (high + k - 1)
        one_k = _ratio(low), _ratio(high)
    if mse > 0:
        low, high = f_limits(f3, df_error)
        three = (low - 1) / (low + k - 1), (high - 1) / (high + k - 1)
        three_k = _ratio(low), _ratio(high)
    v2 = (msr - mse) / (msr + df_raters * mse + k * (msc - mse) / n)
    v2k = (msr - mse) / (msr + (msc - mse) / n)
    if mse > 0:
        two = _agreement_limits(v2, msr, msc, mse, n, k, half)
        two_k = two[0] * k / (1 + two[0] * df_raters), two[1] * k / (1 + two[1] * df_raters)
        general, general_k = _generalized(msr, msc, mse, n, k, half)
    vp, vr = max(0.0, (msr - mse) / k), max(0.0, (msc - mse) / n)
    verdict = (
        against_target("agreement", general, target, n)
        if mse > 0
        else Verdict("agreement.no_disagreement", {"n": float(n)})
    )
    return IntraclassCorrelations(
        n=n,
        raters=k,
        confidence=level,
        icc1=form("ICC(1)", (msr - msw) / (msr + df_raters * msw), f1, within_df, one),
        icc2=form("ICC(A,1)", v2, f3, df_error, two, general),
        icc3=form("ICC(C,1)", (msr - mse) / (msr + df_raters * mse), f3, df_error, three),
        icc1k=form("ICC(k)", _ratio(f1), f1, within_df, one_k),
        icc2k=form("ICC(A,k)", v2k, f3, df_error, two_k, general_k),
        icc3k=form("ICC(C,k)", _ratio(f3), f3, df_error, three_k),
        unit_variance=vp,
        rater_variance=vr,
        error_variance=mse,
        verdict=verdict,
    )


def _ratio(f: float) -> float:
    return 1 - 1 / f if f > 0 else float("-inf")


def _agreement_limits(
    value: float, msr: float, msc: float, mse: float, n: int, k: int, half: float
) -> tuple[float, float]:
    """McGraw & Wong (1996), table 7, ICC(A,1), Satterthwaite degrees of freedom."""
    if value >= 1:
        return float("nan"), 1.0
    a = k * value / (n * (1 - value))
    b = 1 + a * (n - 1)
    df = (a * msc + b * mse) ** 2 / ((a * msc) ** 2 / (k - 1) + (b * mse) ** 2 / ((n - 1) * (k - 1)))
    low, high = float(stats.f.ppf(1 - half, n - 1, df)), float(stats.f.ppf(1 - half, df, n - 1))
    rest = k * msc + (k * n - k - n) * mse
    return n * (msr - low * mse) / (low * rest + n * msr), n * (high * msr - mse) / (rest + n * high * msr)


def _generalized(
    msr: float, msc: float, mse: float, n: int, k: int, half: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Quantiles of the generalized pivotal quantity, components cut at zero.

    P(ICC ≤ r) is a chi-square tail in the units' mean square given the other two, which are integrated out.
    """
    u_raters, w_raters = _uniform(160)  # few degrees of freedom: the limit hangs on the tail
    u_error, w_error = _uniform(32)
    weight = np.outer(w_raters, w_error)
    error = ((n - 1) * (k - 1) * mse / _chi_square(u_error, (n - 1) * (k - 1)))[None, :]
    raters = ((k - 1) * msc / _chi_square(u_raters, k - 1))[:, None]
    spread = np.maximum(0.0, (raters - error) / n) + error

    def excess(r: float, count: int, tail: float) -> float:
        total = k * r / (1 - r) * spread / count + error
        return float((weight * special.gammaincc((n - 1) / 2, (n - 1) * msr / total / 2)).sum()) - tail

    def quantile(count: int, tail: float) -> float:
        if excess(0.0, count, tail) >= 0:
            return 0.0
        return float(optimize.brentq(excess, 0.0, 1 - 1e-12, args=(count, tail), xtol=1e-7))

    one, mean = ((quantile(count, half), quantile(count, 1 - half)) for count in (1, k))
    return one, mean


def _uniform(nodes: int) -> tuple[Floats, Floats]:
    """Gauss–Legendre after t³(10 − 15t + 6t²): dense at both ends, where chi-square quantiles run away."""
    t, w = np.polynomial.legendre.leggauss(nodes)
    t = (t + 1) / 2
    return t**3 * (10 - 15 * t + 6 * t**2), w * 15 * t**2 * (1 - t) ** 2


def _chi_square(u: Floats, df: int) -> Floats:
    return np.asarray(2 * special.gammaincinv(df / 2, u))
