"""The observed information of the marginal likelihood, exactly (Louis 1982, eq. 3.2').

I = E[−∂² log L_complete] − Σ_i Var_i(s_i), where s_i(θ) is the complete-data score of person i and Var_i is
over that person's posterior. s_i is linear in the person's 0/1 indicators, s_i(θ) = F(θ)' (Z_i, 1), so the
sum of second moments needs only the indicator products Σ_i p_i(θ) (Z_i, 1) (Z_i, 1)' at every node. Where
the indicators' rows of F are straight lines in θ (partial credit kernels, nobody missing), the products with
the posterior moments 1, θ, θ² replace those at every node.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scoring.irt.kernels import PARTIAL_CREDIT, log_probabilities, scores
from scoring.irt.objective import Objective, Value
from scoring.irt.posterior import log_normal_prior

Floats = NDArray[np.float64]

_PRODUCT_BYTES = 128 * 2**20
_SINGLE_PRECISION_FROM = 4e9


@dataclass(frozen=True, eq=False)
class _Scores:
    """F(θ) by its non-zero entries: entry e stands in row `column[e]` (an indicator; the last row is the
    constant 1) and belongs to full parameter `parameter[e]`; `values` is (Q, entries)."""

    column: NDArray[np.intp]
    parameter: NDArray[np.intp]
    values: Floats
    width: int


def observed_information(objective: Objective, at: Value) -> Floats:
    """Negative Hessian of log-likelihood + log prior by the free parameters: (M, M), symmetric.

    Products over persons are summed in single precision blocks where they are many (relative error of the
    result about 1e-6).
    """
    persons, layout, theta = objective.persons, objective.layout, objective.theta
    mean, sd = layout.groups(at.free)
    weighting = persons.weighting(layout.blocks(at.free), theta)
    log_prior = log_normal_prior(theta, mean, sd)
    second = np.zeros((layout.n_free, layout.n_free))
    missing = np.zeros((layout.n_free, layout.n_free))
    entries = [_score_entries(objective, at, g) for g in range(layout.n_groups)]
    if bool(persons.columns.whole.all()) and all(k.kernel == PARTIAL_CREDIT for k in layout.kinds):
        second, missing = _by_moments(objective, at, entries)
        information = objective.complete_information(at) - second + missing
        return 0.5 * (information + information.T)
    width = entries[0].width
    kind = np.float32 if persons.n_persons * width**2 * theta.size > _SINGLE_PRECISION_FROM else np.float64
    at_once = max(1, int(_PRODUCT_BYTES // (width * width * 8)))
    scatter = [_scatter(objective, e) for e in entries]
    for first in range(0, theta.size, at_once):
        nodes = range(first, min(first + at_once, theta.size))
        products = np.zeros((layout.n_groups, len(nodes), width, width))
        for g, start, stop, z, post, _ in persons.posteriors(weighting, log_prior):
            extended = np.concatenate([z, np.ones((stop - start, 1))], axis=1)
            if first == 0:
                average = _average_scores(entries[g], scatter[g], extended, post)
                missing += (average * persons.weights[start:stop, None]).T @ average
            post *= persons.weights[start:stop]
            left = extended.astype(kind)
            right = np.empty_like(left)
            thin = post.astype(kind)
            for place, q in enumerate(nodes):
                np.multiply(left, thin[q][:, None], out=right)
                products[g, place] += right.T @ left
        for g in range(layout.n_groups):
            for place, q in enumerate(nodes):
                f = _at_node(scatter[g], entries[g], q)
                second += f.T @ (products[g, place] @ f)
    information = objective.complete_information(at) - second + missing
    return 0.5 * (information + information.T)


def _by_moments(objective: Objective, at: Value, entries: list[_Scores]) -> tuple[Floats, Floats]:
    """Σ E_i[s s'] and Σ E_i[s] E_i[s]' where every indicator's score is α + βθ."""
    persons, layout, theta = objective.persons, objective.layout, objective.theta
    n_columns = persons.columns.size
    weighting = persons.weighting(layout.blocks(at.free), theta)
    log_prior = log_normal_prior(theta, *layout.groups(at.free))
    scatter = [_scatter(objective, e) for e in entries]
    constant = []
    for e, to_free in zip(entries, scatter):
        fixed = np.flatnonzero(e.column == n_columns)
        constant.append(np.asarray((to_free[fixed].T @ e.values[:, fixed].T).T))  # (Q, M)
    line = np.flatnonzero(entries[0].column < n_columns)
    low, high = entries[0].values[0, line], entries[0].values[-1, line]
    rise = (high - low) / (theta[-1] - theta[0])
    place = (entries[0].column[line], np.arange(line.size))
    shape = (n_columns, line.size)
    beta = (sparse.csr_array((rise, place), shape=shape) @ scatter[0][line]).toarray()
    alpha = (sparse.csr_array((low - rise * theta[0], place), shape=shape) @ scatter[0][line]).toarray()
    moments = np.zeros((3, n_columns, n_columns))
    counts = np.zeros((layout.n_groups, theta.size, n_columns))
    missing = np.zeros((layout.n_free, layout.n_free))
    for g, start, stop, z, post, _ in persons.posteriors(weighting, log_prior):
        weights = persons.weights[start:stop]
        first = theta @ post
        average = post.T @ constant[g] + z @ alpha + first[:, None] * (z @ beta)
        missing += (average * weights[:, None]).T @ average
        for r, m in enumerate((weights, weights * first, weights * (theta**2 @ post))):
            moments[r] += (z * m[:, None]).T @ z
        post *= weights
        counts[g] += post @ z
    cross = alpha.T @ moments[1] @ beta
    second = alpha.T @ moments[0] @ alpha + beta.T @ moments[2] @ beta + cross + cross.T
    for g in range(layout.n_groups):
        second += (constant[g] * at.expectation.persons[g][:, None]).T @ constant[g]
        both = (counts[g] @ alpha + theta[:, None] * (counts[g] @ beta)).T @ constant[g]
        second += both + both.T
    return second, missing


def _average_scores(entries: _Scores, scatter: sparse.csr_array, extended: Floats, post: Floats) -> Floats:
    """Posterior mean of every person's score: (persons, M)."""
    terms = post.T @ entries.values
    terms *= extended[:, entries.column]
    return np.asarray((scatter.T @ terms.T).T)


def _score_entries(objective: Objective, at: Value, group: int) -> _Scores:
    persons, layout, theta = objective.persons, objective.layout, objective.theta
    columns = persons.columns
    constant = columns.size
    column, parameter, values = [], [], []
    for kind, block in zip(layout.kinds, layout.blocks(at.free)):
        s = scores(block, theta, log_probabilities(block, theta))  # (m, Q, K, p)
        whole = columns.whole[block.index]
        m, _, k, p = s.shape
        full = kind.start + np.arange(m)[:, None] * p + np.arange(p)
        base = np.where(whole[:, None, None], s[:, :, 0], 0.0)
        for c in range(k):
            rows = np.arange(m) if c else np.flatnonzero(~whole)
            where = columns.at(block.index[rows], c)
            column.append(np.repeat(where, p))
            parameter.append(full[rows].reshape(-1))
            values.append((s[rows, :, c] - base[rows]).transpose(1, 0, 2).reshape(theta.size, -1))
        rows = np.flatnonzero(whole)
        column.append(np.full(rows.size * p, constant))
        parameter.append(full[rows].reshape(-1))
        values.append(base[rows].transpose(1, 0, 2).reshape(theta.size, -1))
    mean, sd = layout.groups(at.free)
    z = (theta - mean[group]) / sd[group]
    n_full = layout.offset.size
    for index, value in (
        (layout.group_mean[group], z / sd[group]),
        (layout.group_log_sd[group], z * z - 1.0),
    ):
        if index >= 0:
            column.append(np.array([constant]))
            parameter.append(np.array([n_full + index - layout.n_item_parameters]))
            values.append(value[:, None])
    return _Scores(np.concatenate(column), np.concatenate(parameter), np.hstack(values), constant + 1)


def _scatter(objective: Objective, entries: _Scores) -> sparse.csr_array:
    """(entries, M): how a unit of each entry's full parameter moves the free parameters' scores."""
    layout = objective.layout
    groups = layout.n_free - layout.n_item_parameters
    design = sparse.block_diag([layout.design, sparse.eye_array(groups)], format="csr")
    return sparse.csr_array(design[entries.parameter])


def _at_node(scatter: sparse.csr_array, entries: _Scores, q: int) -> Floats:
    """F(θ_q): (width, M), dense."""
    place = sparse.csr_array(
        (entries.values[q], (entries.column, np.arange(entries.column.size))),
        shape=(entries.width, entries.column.size),
    )
    return np.asarray((place @ scatter).toarray())
