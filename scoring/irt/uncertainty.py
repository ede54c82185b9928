"""Standard errors: from the observed information to the parameters as reported (delta method)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scoring.irt.kernels import PARTIAL_CREDIT, THREE_PARAMETER
from scoring.irt.layout import Layout

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ItemErrors:
    """Standard errors in the shapes of ItemParameters, plus those of the `intercepts` d and of
    `logit_asymptote`. 0 where a parameter is fixed (by the model or by the user), NaN where it has no
    standard error; the calibration's remarks say why."""

    slope: Floats
    difficulty: Floats
    thresholds: tuple[Floats, ...]
    intercepts: tuple[Floats, ...]
    lower_asymptote: Floats
    logit_asymptote: Floats


@dataclass(frozen=True, eq=False)
class Scale:
    """Jacobian of the reported item parameters by the free ones: rows a, thresholds…, c item after item in
    the order of the data; `start[j]` the row of item j's slope."""

    jacobian: sparse.csr_array
    start: NDArray[np.intp]


def reported_scale(layout: Layout, free: Floats) -> Scale:
    full = layout.full(free)
    n_items = sum(kind.index.size for kind in layout.kinds)
    size = np.zeros(n_items, dtype=np.intp)
    for kind in layout.kinds:
        size[kind.index] = kind.n_categories + 1
    start = np.concatenate([[0], np.cumsum(size)[:-1]]).astype(np.intp)
    rows, columns, values = [], [], []

    def put(row: int, column: int, value: float) -> None:
        rows.append(row)
        columns.append(column)
        values.append(value)

    for kind in layout.kinds:
        for place, j in enumerate(kind.index):
            at, out = kind.start + place * kind.width, int(start[j])
            a = full[at]
            put(out, at, 1.0)
            for c in range(1, kind.n_categories):
                d = full[at + c]
                before = full[at + c - 1] if kind.kernel == PARTIAL_CREDIT and c > 1 else 0.0
                put(out + c, at, (d - before) / a**2)  # b = −(d − before)/a
                put(out + c, at + c, -1.0 / a)
                if kind.kernel == PARTIAL_CREDIT and c > 1:
                    put(out + c, at + c - 1, 1.0 / a)
            if kind.kernel == THREE_PARAMETER:
                asymptote = 1.0 / (1.0 + np.exp(-full[at + 2]))
                put(out + kind.n_categories, at + 2, asymptote * (1.0 - asymptote))
    by_full = sparse.csr_array((values, (rows, columns)), shape=(int(size.sum()), full.size))
    return Scale(sparse.csr_array(by_full @ layout.design), start)


def item_errors(layout: Layout, free: Floats, covariance: Floats) -> ItemErrors:
    n = layout.n_item_parameters
    inner = covariance[:n, :n]
    scale = reported_scale(layout, free)
    reported = _standard_errors(scale.jacobian, inner)
    full = _standard_errors(layout.design, inner)
    n_items = scale.start.size
    slope, difficulty = np.zeros(n_items), np.zeros(n_items)
    asymptote, logit_c = np.zeros(n_items), np.zeros(n_items)
    thresholds: list[Floats] = [np.zeros(0)] * n_items
    intercepts: list[Floats] = [np.zeros(0)] * n_items
    for kind in layout.kinds:
        k = kind.n_categories
        for place, j in enumerate(kind.index):
            at, row = kind.start + place * kind.width, int(scale.start[j])
            slope[j] = reported[row]
            thresholds[j] = reported[row + 1 : row + k]
            intercepts[j] = full[at + 1 : at + k]
            mean = scale.jacobian[row + 1 : row + k].sum(axis=0) / (k - 1)
            difficulty[j] = np.sqrt(max(float(mean @ inner @ mean), 0.0)) if n else 0.0
            asymptote[j] = reported[row + k]
            if kind.kernel == THREE_PARAMETER:
                logit_c[j] = full[at + 2]
    unknown = np.isnan(inner).any() if n else False
    if unknown:
        difficulty = np.array([np.nan if np.isnan(t).any() else d for d, t in zip(difficulty, thresholds)])
    return ItemErrors(slope, difficulty, tuple(thresholds), tuple(intercepts), asymptote, logit_c)


def _standard_errors(jacobian: sparse.csr_array, covariance: Floats) -> Floats:
    if jacobian.shape[1] == 0:
        return np.zeros(jacobian.shape[0])
    known = ~np.isnan(np.diag(covariance))
    variance = np.asarray(jacobian @ np.where(np.isnan(covariance), 0.0, covariance))
    out: Floats = np.sqrt(np.maximum(np.asarray(jacobian.multiply(variance).sum(axis=1)).reshape(-1), 0.0))
    touched = np.asarray(np.abs(jacobian) @ (~known).astype(float)).reshape(-1) > 0
    out[touched] = np.nan
    return out


def reported_covariance(layout: Layout, free: Floats, covariance: Floats) -> Floats:
    """Covariance with group variances in the place of log standard deviations."""
    factor = np.ones(layout.n_free)
    log_sd = layout.role == "log_sd"
    factor[log_sd] = 2.0 * np.exp(2.0 * free[log_sd])
    return np.asarray(covariance * np.outer(factor, factor))
