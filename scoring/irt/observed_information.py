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

_PRODUCT_BYTES = 64 * 2**20
_SINGLE_PRECISION_FROM = 4e9


@dataclass(frozen=True, eq=False)
class _Part:
    """Non-zero rows of F: indicator `column[i]` (the last is the constant 1) gives full parameters
    `parameter[i]` (p,) the scores `values[:, i]` (Q, items, p)."""

    column: NDArray[np.intp]
    parameter: NDArray[np.intp]
    values: Floats

    @property
    def flat(self) -> Floats:
        return self.values.reshape(self.values.shape[0], -1)


@dataclass(frozen=True, eq=False)
class _Scores:
    """F(θ) of one group in `parts`; `width` rows; `to_free` (full and group parameters, M)."""

    parts: tuple[_Part, ...]
    width: int
    to_free: sparse.csr_array
    chosen: NDArray[np.intp] | None

    def average(self, extended: Floats, post: Floats) -> Floats:
        """Posterior mean of every person's score: (persons, M)."""
        full = np.zeros((extended.shape[0], self.to_free.shape[0]))
        for part in self.parts:
            terms = (post.T @ part.flat).reshape(extended.shape[0], *part.parameter.shape)
            if part.column[0] != self.width - 1:
                terms *= extended[:, part.column, None]
            full[:, part.parameter.reshape(-1)] += terms.reshape(extended.shape[0], -1)
        return self.free(full)

    def free(self, full: Floats) -> Floats:
        """Scores of the free parameters from those of the full ones: (…, M)."""
        if self.chosen is not None:
            return full[:, self.chosen]
        return np.asarray((self.to_free.T @ full.T).T)

    def at_node(self, q: int) -> Floats:
        """F(θ_q): (width, M)."""
        full = np.zeros((self.width, self.to_free.shape[0]))
        for part in self.parts:
            full[part.column[:, None], part.parameter] += part.values[q]
        return self.free(full)

    def of_constant(self) -> Floats:
        """The constant's row at every node: (Q, M)."""
        full = np.zeros((self.parts[0].values.shape[0], self.to_free.shape[0]))
        for part in self.parts:
            if part.column[0] == self.width - 1:
                full[:, part.parameter.reshape(-1)] += part.flat
        return self.free(full)


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
    for first in range(0, theta.size, at_once):
        nodes = range(first, min(first + at_once, theta.size))
        products = np.zeros((layout.n_groups, len(nodes), width, width))
        for g, start, stop, z, post, _ in persons.posteriors(weighting, log_prior):
            weights = persons.weights[start:stop]
            extended = np.concatenate([z, np.ones((stop - start, 1))], axis=1)
            if first == 0:
                average = entries[g].average(extended, post) * np.sqrt(weights)[:, None]
                missing += average.T @ average
            # The square root of the weight on both sides: a symmetric product costs half.
            root = np.sqrt(post * weights).astype(kind)
            left = extended.astype(kind)
            scaled = np.empty_like(left)
            for place, q in enumerate(nodes):
                np.multiply(left, root[q][:, None], out=scaled)
                products[g, place] += scaled.T @ scaled
        for g in range(layout.n_groups):
            for place, q in enumerate(nodes):
                f = entries[g].at_node(q)
                second += f.T @ (products[g, place] @ f)
    information = objective.complete_information(at) - second + missing
    return 0.5 * (information + information.T)


def _by_moments(objective: Objective, at: Value, entries: list[_Scores]) -> tuple[Floats, Floats]:
    """Σ E_i[s s'] and Σ E_i[s] E_i[s]' where every indicator's score is α + βθ."""
    persons, layout, theta = objective.persons, objective.layout, objective.theta
    n_columns = persons.columns.size
    weighting = persons.weighting(layout.blocks(at.free), theta)
    log_prior = log_normal_prior(theta, *layout.groups(at.free))
    constant = [e.of_constant() for e in entries]
    # Items' rows are the same in all groups; a line is given by its two ends.
    low, high = (entries[0].at_node(q)[:n_columns] for q in (0, theta.size - 1))
    beta = (high - low) / (theta[-1] - theta[0])
    alpha = low - beta * theta[0]
    by_alpha, by_beta = sparse.csr_array(alpha.T), sparse.csr_array(beta.T)
    moments = np.zeros((3, n_columns, n_columns))
    counts = np.zeros((layout.n_groups, theta.size, n_columns))
    missing = np.zeros((layout.n_free, layout.n_free))
    for g, start, stop, z, post, _ in persons.posteriors(weighting, log_prior):
        weights = persons.weights[start:stop]
        first = theta @ post
        root = np.sqrt(weights)
        turned = np.array(z.T, order="C")  # a copy: z may be kept for the next pass
        average = constant[g].T @ post
        average += by_alpha @ turned
        average += (by_beta @ turned) * first
        average *= root
        missing += average @ average.T
        turned *= root
        moments[0] += turned @ turned.T
        moments[1] += (turned * first) @ turned.T
        turned *= np.sqrt(theta**2 @ post)
        moments[2] += turned @ turned.T
        post *= weights
        counts[g] += post @ z
    cross = alpha.T @ moments[1] @ beta
    second = alpha.T @ moments[0] @ alpha + beta.T @ moments[2] @ beta + cross + cross.T
    for g in range(layout.n_groups):
        second += (constant[g] * at.expectation.persons[g][:, None]).T @ constant[g]
        both = (counts[g] @ alpha + theta[:, None] * (counts[g] @ beta)).T @ constant[g]
        second += both + both.T
    return second, missing


def _score_entries(objective: Objective, at: Value, group: int) -> _Scores:
    persons, layout, theta = objective.persons, objective.layout, objective.theta
    columns = persons.columns
    constant = columns.size
    parts = []
    for kind, block in zip(layout.kinds, layout.blocks(at.free)):
        s = scores(block, theta, log_probabilities(block, theta))  # (m, Q, K, p)
        whole = columns.whole[block.index]
        m, _, k, p = s.shape
        full = kind.start + np.arange(m)[:, None] * p + np.arange(p)
        base = np.where(whole[:, None, None], s[:, :, 0], 0.0)
        for c in range(k):
            rows = np.arange(m) if c else np.flatnonzero(~whole)
            if rows.size:
                values = (s[rows, :, c] - base[rows]).transpose(1, 0, 2)
                parts.append(
                    _Part(columns.at(block.index[rows], c), full[rows], np.ascontiguousarray(values))
                )
        rows = np.flatnonzero(whole)
        if rows.size:
            values = np.ascontiguousarray(base[rows].transpose(1, 0, 2))
            parts.append(_Part(np.full(rows.size, constant), full[rows], values))
    mean, sd = layout.groups(at.free)
    z = (theta - mean[group]) / sd[group]
    n_full, n_item = layout.offset.size, layout.n_item_parameters
    for index, value in (
        (layout.group_mean[group], z / sd[group]),
        (layout.group_log_sd[group], z * z - 1.0),
    ):
        if index >= 0:
            parameter = np.array([[n_full + index - n_item]])
            parts.append(_Part(np.array([constant]), parameter, value[:, None, None]))
    groups = sparse.eye_array(layout.n_free - n_item)
    to_free = sparse.csr_array(sparse.block_diag([layout.design, groups], format="csr"))
    chosen = None
    if not layout.tied:  # every free parameter is one full parameter
        by_column = to_free.tocsc()
        chosen = np.asarray(by_column.indices, dtype=np.intp)
    return _Scores(tuple(parts), constant + 1, to_free, chosen)
