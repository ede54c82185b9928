"""Ratings of the many-facet model and their marginal likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, sparse, special

from scoring.errors import BadResponses, NotConverged, NotIdentified
from scoring.numbers import read_numbers
from scoring.scores import read_levels

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class FacetData:
    """Ratings as codes. `cell` = criterion × raters + rater; `scale`: the step row of a criterion."""

    person: Codes
    criterion: Codes
    rater: Codes
    category: Codes
    scale: Codes
    tops: Codes
    persons: tuple[str, ...]
    criteria: tuple[str, ...]
    raters: tuple[str, ...]
    values: tuple[Floats, ...]
    collapsed: bool


def read_facets(
    scores: ArrayLike,
    person: Sequence[Any],
    criterion: Sequence[Any] | None,
    rater: Sequence[Any],
    steps: str,
) -> FacetData:
    given = read_numbers(scores, "Scores must be numbers, one per rating.", ndim=1)
    try:
        labels = {"person": list(person), "rater": list(rater)}
        labels["criterion"] = ["1"] * given.size if criterion is None else list(criterion)
    except TypeError:
        raise BadResponses("Persons, criteria and raters are lists of names, one per rating.") from None
    if given.ndim != 1 or any(len(column) != given.size for column in labels.values()):
        raise BadResponses("Give one score, person, criterion and rater per rating, all of the same length.")
    keep = ~np.isnan(given)
    given = given[keep]
    if given.size == 0 or not np.isfinite(given).all() or not np.array_equal(given, np.rint(given)):
        raise BadResponses("Scores must be finite whole numbers; multiply or band fractional marks first.")
    coded = {
        what: read_levels([label for label, kept in zip(column, keep, strict=True) if kept], what)
        for what, column in labels.items()
    }
    c, criteria = coded["criterion"]
    scale = np.arange(len(criteria)) if steps == "partial-credit" else np.zeros(len(criteria), dtype=np.intp)
    row = scale[c]
    category = np.zeros(given.size, dtype=np.intp)
    values, collapsed = [], False
    for s in range(int(scale.max()) + 1):
        seen, category[row == s] = np.unique(given[row == s], return_inverse=True)
        if seen.size < 2:
            name = criteria[s] if steps == "partial-credit" else "the scale"
            raise NotIdentified(f"All marks of {name} are {seen[0]:g}: a single category measures nothing.")
        collapsed |= bool((np.diff(seen) != 1).any())
        values.append(seen)
    tops = np.array([values[s].size - 1 for s in scale], dtype=np.intp)
    return FacetData(
        coded["person"][0],
        c,
        coded["rater"][0],
        category,
        scale.astype(np.intp),
        tops,
        coded["person"][1],
        criteria,
        coded["rater"][1],
        tuple(values),
        collapsed,
    )


def refuse_extreme(data: FacetData) -> None:
    """NotIdentified for a rater or criterion whose marks are all the lowest or all the highest."""
    for what, codes, names in (
        ("rater", data.rater, data.raters),
        ("criterion", data.criterion, data.criteria),
    ):
        if len(names) == 1:
            continue
        low = np.bincount(codes, data.category == 0) == np.bincount(codes)
        high = np.bincount(codes, data.category == data.tops[data.criterion]) == np.bincount(codes)
        for flags, word in ((low, "lowest"), (high, "highest")):
            if flags.any():
                raise NotIdentified(
                    f"All marks of {what} {names[int(np.argmax(flags))]} are the {word} possible, so its measure is "
                    f"infinite: leave that {what} out."
                )


class FacetLikelihood:
    """Marginal log-likelihood and gradient in x = free parameters and log SD.

    Category logits of a cell (criterion, rater) are k θ − B x with a fixed matrix B; persons are rows of a sparse
    indicator of the cells' categories they got, so that all their likelihoods are one product.
    """

    def __init__(self, data: FacetData, steps: str) -> None:
        n_c, n_r = len(data.criteria), len(data.raters)
        self.width = int(data.tops.max()) + 1
        codes = data.criterion * n_r + data.rater
        self.cells, cell = np.unique(codes, return_inverse=True)
        cell = cell.reshape(-1)
        self.cell_criterion, self.cell_rater = self.cells // n_r, self.cells % n_r
        self.tops = data.tops[self.cell_criterion]
        shape = (len(data.persons), self.cells.size * self.width)
        ones = np.ones(data.person.size)
        self.got = sparse.csr_matrix((ones, (data.person, cell * self.width + data.category)), shape=shape)
        self.times = sparse.csr_matrix((ones, (cell, data.person)), shape=(self.cells.size, shape[0]))
        self.counts = np.asarray(self.got.sum(axis=0)).reshape(self.cells.size, self.width)
        self.to_thresholds = _threshold_basis(data, steps)  # (criteria × steps) × free
        self.to_raters = np.vstack([np.eye(n_r - 1), -np.ones((1, n_r - 1))])
        n_threshold = self.to_thresholds.shape[1]
        self.size = n_threshold + n_r - 1 + 1
        self.n_threshold = n_threshold
        k = np.arange(self.width)
        thresholds = self.to_thresholds.reshape(n_c, self.width - 1, n_threshold)
        cumulative = np.concatenate([np.zeros((n_c, 1, n_threshold)), np.cumsum(thresholds, axis=1)], axis=1)
        self.design = np.concatenate(
            [cumulative[self.cell_criterion], k[None, :, None] * self.to_raters[self.cell_rater][:, None, :]],
            axis=2,
        )
        self.allowed = k[None, :] <= self.tops[:, None]
        self.place(121, 10.0)

    def place(self, nodes: int, reach: float) -> None:
        self.theta = np.linspace(-reach, reach, nodes)

    def probabilities(self, x: Floats, theta: Floats) -> Floats:
        """log P, cells × categories × nodes; −inf beyond a cell's top category."""
        fixed = np.where(self.allowed, -(self.design @ x[:-1]), -np.inf)
        logits = fixed[:, :, None] + np.arange(self.width)[None, :, None] * theta
        return np.asarray(logits - special.logsumexp(logits, axis=1, keepdims=True))

    def posterior(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Log-likelihood of each person, posterior over the nodes, log P."""
        log_p = self.probabilities(x, self.theta)
        finite = np.where(np.isfinite(log_p), log_p, 0.0)
        joint = self.got @ finite.reshape(-1, self.theta.size)
        prior = -0.5 * (self.theta / np.exp(x[-1])) ** 2
        joint = joint + (prior - special.logsumexp(prior))
        each = special.logsumexp(joint, axis=1)
        return each, np.exp(joint - each[:, None]), log_p

    def __call__(self, x: Floats) -> tuple[float, Floats]:
        """Minus log-likelihood and its gradient."""
        each, post, log_p = self.posterior(x)
        at_nodes = self.times @ post
        expected = np.einsum("vkq,vq->vk", np.exp(log_p), at_nodes)
        slope = np.einsum("vk,vkp->p", self.counts - expected, self.design)
        variance = np.exp(2 * x[-1])
        prior = special.softmax(-0.5 * self.theta**2 / variance)
        spread = (post @ self.theta**2).sum() - post.shape[0] * (prior @ self.theta**2)
        return -float(each.sum()), np.append(slope, -spread / variance)

    def hessian(self, x: Floats) -> Floats:
        """Central differences of the gradient (of minus log-likelihood)."""
        h = 1e-4
        out = np.empty((x.size, x.size))
        for i in range(x.size):
            step = np.zeros(x.size)
            step[i] = h
            out[i] = (self(x + step)[1] - self(x - step)[1]) / (2 * h)
        return (out + out.T) / 2


def _threshold_basis(data: FacetData, steps: str) -> Floats:
    """(criteria × steps) × free parameters: difficulty and steps that sum to 0, or free thresholds per criterion."""
    n_c, most = len(data.criteria), int(data.tops.max())
    if steps == "partial-credit":
        rows = [(c, h) for c in range(n_c) for h in range(data.tops[c])]
        basis = np.zeros((n_c, most, len(rows)))
        for column, (c, h) in enumerate(rows):
            basis[c, h, column] = 1.0
        return basis.reshape(n_c * most, -1)
    difficulty = np.repeat(np.eye(n_c), most, axis=0)
    step = np.tile(np.vstack([np.eye(most - 1), -np.ones((1, most - 1))]), (n_c, 1))
    return np.hstack([difficulty, step])


def maximise(
    model: FacetLikelihood, max_iterations: int, tolerance: float
) -> tuple[Floats, int, float, Floats]:
    """Estimate, iterations, largest gradient, Hessian of the free parameters (log SD left out at its lower bound 0.02).

    Raises NotConverged, NotIdentified.
    """
    x = np.zeros(model.size)
    low, high = np.log(0.02), np.log(30.0)
    bounds = [(-30.0, 30.0)] * (model.size - 1) + [(low, high)]
    used = 0
    for _ in range(6):
        found = optimize.minimize(
            model,
            x,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": max_iterations, "ftol": 1e-13},
        )
        x, used = found.x, used + int(found.nit)
        _, post, _ = model.posterior(x)
        mean = post @ model.theta
        narrowest = float(np.sqrt(np.maximum(post @ model.theta**2 - mean**2, 1e-12).min()))
        sd = float(np.exp(x[-1]))
        spacing, reach = model.theta[1] - model.theta[0], float(model.theta[-1])
        needed = max(6.0 * sd, float(np.abs(mean).max()) + 6.0 * narrowest)
        resolved = spacing <= 0.8 * min(narrowest, sd) or spacing <= 0.004
        if resolved and reach >= needed:
            break
        reach = 1.2 * needed
        model.place(min(4001, int(2 * reach / (0.6 * min(narrowest, sd))) + 2), reach)
    at_bound = x[-1] <= low + 1e-9
    free = np.arange(model.size - 1 if at_bound else model.size)
    norm = np.inf
    for _ in range(60):
        value, gradient = model(x)
        norm = float(np.abs(gradient[free]).max())
        hessian = model.hessian(x)
        if norm <= tolerance:
            break
        step = np.zeros(x.size)
        curvature, axes = np.linalg.eigh(hessian[np.ix_(free, free)])
        curvature = np.maximum(np.abs(curvature), 1e-6 * np.abs(curvature).max())  # always downhill
        step[free] = -axes @ ((axes.T @ gradient[free]) / curvature)
        scale = min(1.0, 2.0 / float(np.abs(step).max()))
        while scale > 1e-8 and model(x + scale * step)[0] > value + 1e-12 * abs(value):
            scale /= 2
        x, used = x + scale * step, used + 1
        if np.abs(x[:-1]).max() > 25 or x[-1] > high:
            raise NotIdentified(
                "The marks separate persons or categories perfectly, so measures grow without limit: use fewer score "
                "categories, or more scripts and markers."
            )
    if norm > max(tolerance, 1e-9 * abs(value)):
        raise NotConverged(
            f"The many-facet model did not converge in {used} iterations (largest gradient {norm:.2g}).",
            iterations=used,
            change=norm,
        )
    kept = hessian[np.ix_(free, free)]
    if np.linalg.eigvalsh(kept)[0] <= 0:
        raise NotIdentified(
            "The likelihood is flat in some direction: there are too few ratings for these parameters."
        )
    return x, used, norm, kept
