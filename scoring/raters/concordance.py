"""Kendall's W: do raters put the units in the same order?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from scoring.errors import BadResponses, NotIdentified
from scoring.scores import read_scores


@dataclass(frozen=True)
class Concordance:
    """`w` 0–1, corrected for ties; `w_uncorrected` without. `mean_spearman` = (m w − 1) / (m − 1) over pairs of the m
    raters. `chi_square` on `df` = n − 1 with `p_value`; `p_value_beta` from Kendall & Babington Smith's
    beta approximation, the better one below about 15 units.
    """

    w: float
    w_uncorrected: float
    mean_spearman: float
    chi_square: float
    df: int
    p_value: float
    p_value_beta: float
    n: int
    raters: int
    ties: bool


def kendall_w(ratings: ArrayLike) -> Concordance:
    """Coefficient of concordance of complete `ratings` (units × raters, real numbers; ties share mean ranks).

    Raises BadResponses: fewer than 3 units or 2 raters, missing ratings; NotIdentified where a rater gave every unit the
    same rating. The p values test "no agreement at all", which is seldom the question: read W itself.
    Sources: Kendall & Babington Smith (1939); Kendall (1948), chapter 6 (ties).
    """
    table = read_scores(ratings, complete=True, rows="units", columns="raters")
    n, m = table.shape
    if n < 3 or m < 2:
        raise BadResponses(f"Concordance needs 3 units and 2 raters or more; this has {n} and {m}.")
    flat = np.flatnonzero(np.ptp(table, axis=0) == 0)
    if flat.size:
        raise NotIdentified(
            f"Rater {flat[0] + 1} rated all units alike, which is no order: leave that rater out."
        )
    ranks = stats.rankdata(table, axis=0)
    sums = ranks.sum(axis=1)
    squares = float(((sums - sums.mean()) ** 2).sum())
    ties = 0.0
    for g in range(m):
        counts = np.unique(table[:, g], return_counts=True)[1].astype(float)
        ties += float((counts**3 - counts).sum())
    full = m**2 * (n**3 - n)
    w, raw = 12 * squares / (full - m * ties), 12 * squares / full
    chi_square = m * (n - 1) * w
    v1 = n - 1 - 2 / m
    f = (m - 1) * w / (1 - w) if w < 1 else np.inf
    return Concordance(
        w=w,
        w_uncorrected=raw,
        mean_spearman=(m * w - 1) / (m - 1),
        chi_square=chi_square,
        df=n - 1,
        p_value=float(stats.chi2.sf(chi_square, n - 1)),
        p_value_beta=float(stats.f.sf(f, v1, (m - 1) * v1)) if v1 > 0 else float("nan"),
        n=n,
        raters=m,
        ties=ties > 0,
    )
