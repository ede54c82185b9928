"""What markers add to the error of a mean mark, and what each of them decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from scoring.errors import BadResponses, NotIdentified
from scoring.generalizability.restricted import restricted_likelihood
from scoring.scores import read_names, read_scores, read_vector
from scoring.verdicts import Verdict

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MarkerError:
    """What markers add to the mean mark of a candidate, in mark points.

    `severity_variance` between markers, `residual_variance` of one mark beyond candidate and marker, with
    `degrees_of_freedom`. `standard_error`: of each candidate's mean mark; `covariance`: n × n, with the share that
    candidates have in common through common markers (it cancels where all have the same ones).
    """

    severity_variance: float
    residual_variance: float
    degrees_of_freedom: float
    mean_mark: Floats
    standard_error: Floats
    covariance: Floats


def marker_error(marks: ArrayLike) -> MarkerError:
    """`marks`: candidates × markers, NaN where a marker did not mark a candidate.

    Restricted maximum likelihood of mark = candidate + marker + residual, all random. Raises NotIdentified where nobody
    was marked twice, or no freedom is left for the residual; BadResponses, NotConverged. Not handled: markers whose
    residual differs; with two markers the severity variance rests on one degree of freedom.
    """
    table = read_scores(marks, rows="candidates", columns="markers")
    n, m = table.shape
    there = ~np.isnan(table)
    rows, columns = np.nonzero(there)
    if not (there.sum(axis=1) > 1).any():
        raise NotIdentified(
            "No candidate has two marks, so markers cannot be told from candidates: mark some twice."
        )
    score = table[rows, columns]
    design = np.zeros((rows.size, n + m))
    design[np.arange(rows.size), rows] = design[np.arange(rows.size), n + columns] = 1.0
    freedom = rows.size - int(np.linalg.matrix_rank(design))
    if freedom < 1:
        raise NotIdentified(
            f"{rows.size} marks of {n} candidates by {m} markers leave nothing to measure error with."
        )
    share = there / there.sum(axis=1, keepdims=True)
    mean_mark = np.nansum(table, axis=1) / there.sum(axis=1)
    differ = float(np.nanmax(table - mean_mark[:, None]) - np.nanmin(table - mean_mark[:, None]))
    severity = residual = 0.0
    if differ > 1e-12 * max(1.0, float(np.nanmax(np.abs(table)))):
        additive = score - design @ np.linalg.lstsq(design, score, rcond=None)[0]
        residual = float(additive @ additive) / freedom
        if residual > 1e-20 * float(np.nanmax(table**2)):
            fit = restricted_likelihood(score, [rows, columns])
            severity, residual = float(fit.variance[1]), float(fit.variance[2])
        else:  # markers differ by constants only
            severity = (
                float(np.var(np.linalg.lstsq(design, score, rcond=None)[0][n:], ddof=1)) if m > 1 else 0.0
            )
            residual = 0.0
    covariance = severity * share @ share.T + np.diag(residual / there.sum(axis=1))
    return MarkerError(
        severity, residual, float(freedom), mean_mark, np.sqrt(np.diag(covariance)), covariance
    )


@dataclass(frozen=True, eq=False)
class MarkerEffect:
    """The ranking without one marker. `score`, `rank` per candidate (NaN and 0: marked by nobody else, `sole`).

    `moved`: how many change rank among those still ranked; `largest_change` in score points; `first`: who is first then.
    """

    marker: str
    marked: int
    score: Floats
    rank: NDArray[np.intp]
    moved: int
    largest_change: float
    first: tuple[str, ...]
    sole: tuple[str, ...]
    verdict: Verdict


def leave_out_markers(
    marks: ArrayLike,
    *,
    other: ArrayLike = 0.0,
    weight: float = 1.0,
    names: Sequence[str] | None = None,
    markers: Sequence[str] | None = None,
) -> tuple[MarkerEffect, ...]:
    """Leave out each marker in turn: total = `other` + `weight` × mean of the remaining marks.

    `marks`: candidates × markers, NaN = not marked; `other`: points from elsewhere, one per candidate. Ranks are compared
    among the candidates that can still be ranked. Description, not inference. Raises BadResponses, BadParameters.
    """
    table = read_scores(marks, rows="candidates", columns="markers")
    n, m = table.shape
    labels, marker_names = read_names(names, n, "candidates"), read_names(markers, m, "markers")
    rest = read_vector(other, n, "other points")
    factor = float(read_vector(weight, 1, "weights")[0])
    if m < 2:
        raise BadResponses("There is one marker: nothing is left without them.")
    there = ~np.isnan(table)
    full = rest + factor * np.nansum(table, axis=1) / there.sum(axis=1)
    effects = []
    for j in range(m):
        others = np.arange(m) != j
        count = there[:, others].sum(axis=1)
        mean = np.divide(np.nansum(table[:, others], axis=1), count, out=np.full(n, np.nan), where=count > 0)
        score = rest + factor * mean
        ranked = count > 0
        rank, before = np.zeros(n, dtype=np.intp), np.zeros(n, dtype=np.intp)
        rank[ranked] = stats.rankdata(-np.round(score[ranked], 9), method="min")
        before[ranked] = stats.rankdata(-np.round(full[ranked], 9), method="min")
        moved = int((rank != before).sum())
        first = tuple(labels[i] for i in np.flatnonzero(rank == 1))
        decides = set(np.flatnonzero(rank == 1)) != set(np.flatnonzero(before == 1))
        sole = tuple(labels[i] for i in np.flatnonzero(~ranked))
        code = "marker.decides" if decides else "marker.reorders" if moved else "marker.no_effect"
        if sole and not moved:
            code = "marker.sole"
        effects.append(
            MarkerEffect(
                marker=marker_names[j],
                marked=int(there[:, j].sum()),
                score=score,
                rank=rank,
                moved=moved,
                largest_change=float(np.abs(score - full)[ranked].max()) if ranked.any() else float("nan"),
                first=first,
                sole=sole,
                verdict=Verdict(code, {"moved": float(moved), "candidates": float(len(sole))}),
            )
        )
    return tuple(effects)
