"""The penalised marginal log-likelihood, its gradient, the EM map and the observed information."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import spsolve

from scoring.irt.kernels import GRADED, THREE_PARAMETER, Block, curvature, log_probabilities, scores
from scoring.irt.layout import Layout
from scoring.irt.posterior import Expectation, Persons, log_normal_prior
from scoring.irt.priors import Priors

Floats = NDArray[np.float64]

# A single step moves no parameter further than this: the quadratic model is not trusted beyond.
LONGEST_STEP = {
    "slope": 1.5,
    "intercept": 4.0,
    "asymptote": 0.7,
    "step": 2.0,
    "shift": 2.0,
    "mean": 2.0,
    "log_sd": 0.7,
}


@dataclass(frozen=True, eq=False)
class Value:
    """One E step: `log_likelihood`, `log_prior`, the `gradient` of their sum by the free parameters, and the
    expected counts that an M step needs."""

    free: Floats
    log_likelihood: float
    log_prior: float
    gradient: Floats
    expectation: Expectation
    counts: list[Floats]

    @property
    def total(self) -> float:
        return self.log_likelihood + self.log_prior


class Objective:
    """Marginal likelihood of `persons` under `layout` on the nodes `theta`, with `priors`."""

    def __init__(self, persons: Persons, layout: Layout, priors: Priors, theta: Floats) -> None:
        self.persons = persons
        self.layout = layout
        self.priors = priors
        self.theta = theta
        self._limits = np.array([LONGEST_STEP[role] for role in layout.role])

    def on(self, theta: Floats) -> Objective:
        return Objective(self.persons, self.layout, self.priors, theta)

    def value(self, free: Floats) -> Value:
        """E step and exact gradient (Fisher's identity) at `free`."""
        layout, persons = self.layout, self.persons
        blocks = layout.blocks(free)
        mean, sd = layout.groups(free)
        log_prior = log_normal_prior(self.theta, mean, sd)
        expectation = persons.expect(persons.weighting(blocks, self.theta), log_prior)
        counts = persons.category_expectations(blocks, expectation)
        full = self._full_gradient(blocks, counts)
        gradient = np.empty(layout.n_free)
        gradient[: layout.n_item_parameters] = layout.design.T @ full
        excess = expectation.persons - persons.group_weight[:, None] * np.exp(log_prior)
        for g in range(layout.n_groups):
            z = (self.theta - mean[g]) / sd[g]
            if layout.group_mean[g] >= 0:
                gradient[layout.group_mean[g]] = excess[g] @ z / sd[g]
            if layout.group_log_sd[g] >= 0:
                gradient[layout.group_log_sd[g]] = excess[g] @ (z * z)
        density, first, _ = self.prior(free)
        return Value(free, expectation.log_likelihood, density, gradient + first, expectation, counts)

    def log_likelihood(self, free: Floats) -> float:
        layout, persons = self.layout, self.persons
        log_prior = log_normal_prior(self.theta, *layout.groups(free))
        return persons.expect(persons.weighting(layout.blocks(free), self.theta), log_prior).log_likelihood

    def prior(self, free: Floats) -> tuple[float, Floats, Floats]:
        """Log prior density and its first and second derivatives (diagonal)."""
        density, first, second = 0.0, np.zeros_like(free), np.zeros_like(free)
        for role, prior in (
            ("slope", self.priors.slope),
            ("intercept", self.priors.intercept),
            ("asymptote", self.priors.lower_asymptote),
        ):
            at = self.layout.role == role
            if prior is not None and at.any():
                value, d1, d2 = prior.derivatives(free[at])
                density += float(value.sum())
                first[at], second[at] = d1, d2
        return density, first, second

    def m_step(self, at: Value, newton_steps: int = 2) -> Floats:
        """A few guarded Newton steps on the expected complete-data log-likelihood, then group moments."""
        layout = self.layout
        free = at.free.copy()
        n = layout.n_item_parameters
        for _ in range(newton_steps):
            blocks = layout.blocks(free)
            _, first, second = self.prior(free)
            gradient = layout.design.T @ self._full_gradient(blocks, at.counts) + first[:n]
            step = self._newton_step(blocks, at.counts, gradient, np.maximum(-second[:n], 0.0))
            free[:n] = self._admissible(free, step)[:n]
            if np.abs(step).max(initial=0.0) < 1e-8:
                break
        mean, _ = layout.groups(at.free)
        weight = at.expectation.persons
        total = weight.sum(axis=1)
        moment = weight @ self.theta / total
        centre = np.where(layout.group_mean >= 0, moment, mean)
        spread = (weight * (self.theta - centre[:, None]) ** 2).sum(axis=1) / total
        free[layout.group_mean[layout.group_mean >= 0]] = moment[layout.group_mean >= 0]
        some = layout.group_log_sd >= 0
        free[layout.group_log_sd[some]] = 0.5 * np.log(spread[some])
        return np.clip(free, layout.lower, layout.upper)

    def extrapolated(self, free: Floats, step: Floats) -> Floats:
        """free + step, clipped in size, inside the bounds and with graded thresholds in order."""
        return self._admissible(free, step)

    def complete_information(self, at: Value) -> Floats:
        """Negative Hessian of the expected complete-data log-likelihood and prior, dense (M, M)."""
        layout = self.layout
        blocks = layout.blocks(at.free)
        n = layout.n_item_parameters
        out = np.zeros((layout.n_free, layout.n_free))
        hessian = _diagonal(m for block, c in zip(blocks, at.counts) for m in self._curvature(block, c))
        out[:n, :n] = (layout.design.T @ hessian @ layout.design).toarray()
        mean, sd = layout.groups(at.free)
        for g in range(layout.n_groups):
            z = (self.theta - mean[g]) / sd[g]
            w = at.expectation.persons[g]
            i, k = layout.group_mean[g], layout.group_log_sd[g]
            if i >= 0:
                out[i, i] += w.sum() / sd[g] ** 2
            if k >= 0:
                out[k, k] += 2.0 * float(w @ z**2)
            if i >= 0 and k >= 0:
                out[i, k] = out[k, i] = 2.0 * float(w @ z) / sd[g]
        out[np.diag_indices_from(out)] -= self.prior(at.free)[2]
        return out

    def _full_gradient(self, blocks: tuple[Block, ...], counts: list[Floats]) -> Floats:
        parts = []
        for block, count in zip(blocks, counts):
            log_p = log_probabilities(block, self.theta)
            if block.kind in (GRADED, THREE_PARAMETER):
                part = np.einsum("mqk,mqkp->mp", count, scores(block, self.theta, log_p))
            else:
                category = np.arange(float(block.n_categories))
                p = np.exp(log_p)
                p *= count.sum(axis=2)[..., None]
                rest = count - p
                part = np.empty((block.slope.size, block.n_categories))
                part[:, 0] = (rest @ category) @ self.theta
                part[:, 1:] = rest[..., 1:].sum(axis=1)
            parts.append(part.reshape(-1))
        return np.concatenate(parts)

    def _curvature(self, block: Block, counts: Floats) -> Floats:
        return curvature(block, self.theta, log_probabilities(block, self.theta), counts)

    def _newton_step(
        self, blocks: tuple[Block, ...], counts: list[Floats], gradient: Floats, ridge: Floats
    ) -> Floats:
        """Solve (curvature + prior) step = gradient; 3PL curvature is made positive definite first."""
        layout = self.layout
        matrices = []
        for block, count in zip(blocks, counts):
            h = self._curvature(block, count)
            if block.kind == THREE_PARAMETER:
                values, vectors = np.linalg.eigh(h)
                floor = np.maximum(1e-3 * np.abs(values).max(axis=1, keepdims=True), 1e-6)
                h = (vectors * np.maximum(np.abs(values), floor)[:, None, :]) @ vectors.transpose(0, 2, 1)
            matrices.append(h)
        if layout.tied:
            hessian = _diagonal(m for h in matrices for m in h)
            system = (layout.design.T @ hessian @ layout.design).tocsc()
            system += sparse.diags_array(ridge + 1e-9, format="csc")
            return np.atleast_1d(spsolve(system, gradient))
        # Untied: every full parameter is one free parameter or a constant, so items are solved one by one.
        design = layout.design
        which = np.full(design.shape[0], -1)
        lines = np.repeat(np.arange(design.shape[0]), np.diff(design.indptr))
        which[lines] = design.indices
        step = np.zeros(layout.n_item_parameters)
        for kind, h in zip(layout.kinds, matrices):
            table = which[kind.start : kind.stop].reshape(kind.index.size, kind.width)
            free = table >= 0
            if not free.any():
                continue
            both = free[:, :, None] & free[:, None, :]
            place = np.where(free, table, 0)
            h = np.where(both, h, 0.0)
            diagonal = np.arange(kind.width)
            h[:, diagonal, diagonal] += np.where(free, ridge[place] + 1e-9, 1.0)
            right = np.where(free, gradient[place], 0.0)
            solved = np.linalg.solve(h, right[..., None])[..., 0]
            step[table[free]] = solved[free]
        return step

    def _shortening(self, step: Floats) -> Floats:
        """Factors that keep every parameter's step within its limit and an item's direction as it is."""
        layout = self.layout
        size = np.abs(step)
        limit = self._limits[: step.size]
        factor = np.minimum(1.0, limit / np.maximum(size, limit))
        item = layout.item[: step.size]
        own = item >= 0
        least = np.ones(int(item.max(initial=0)) + 1)
        np.minimum.at(least, item[own], factor[own])
        factor[own] = least[item[own]]
        return np.asarray(factor)

    def _admissible(self, free: Floats, step: Floats) -> Floats:
        layout = self.layout
        out = free.copy()
        out[: step.size] += step * self._shortening(step)
        out = np.clip(out, layout.lower, layout.upper)
        if self.priors.slope is not None:
            slope = layout.role == "slope"
            out[slope] = np.where((out[slope] <= 0) & (free[slope] > 0), free[slope] / 4.0, out[slope])
        for kind in layout.kinds:
            if kind.kernel != GRADED or kind.n_categories < 3:
                continue
            span = slice(kind.start, kind.stop)
            shape = (kind.index.size, kind.width)
            before = np.diff(layout.full(free)[span].reshape(shape)[:, 1:], axis=1)
            after = np.diff(layout.full(out)[span].reshape(shape)[:, 1:], axis=1)
            for place in np.flatnonzero((after > 0.1 * before).any(axis=1)):
                mine = layout.item == kind.index[place]
                change = after[place] - before[place]
                room = np.where(change > 0, -0.8 * before[place] / np.where(change > 0, change, 1.0), 1.0)
                out[mine] = free[mine] + min(1.0, float(room.min())) * (out[mine] - free[mine])
        return out


def _diagonal(blocks: Iterable[Floats]) -> sparse.csr_array:
    """Square blocks along the diagonal, of sparse arrays: what SciPy makes of dense blocks differs between its releases."""
    return sparse.csr_array(sparse.block_diag([sparse.coo_array(block) for block in blocks], format="csr"))
