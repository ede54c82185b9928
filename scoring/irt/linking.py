"""Linking: put separately calibrated items on one scale, θ_reference = A·θ_new + B."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

from scoring.errors import BadParameters, NotConverged, NotIdentified
from scoring.irt.calibration import Calibration
from scoring.irt.kernels import Block, ability_derivatives
from scoring.irt.parameters import KERNEL, ItemParameters, as_items

Floats = NDArray[np.float64]

METHODS = ("mean-mean", "mean-sigma", "mean-gmean", "haebara", "stocking-lord")


@dataclass(frozen=True, eq=False)
class Link:
    """θ_reference = `slope`·θ_new + `intercept`; new items move by a/slope and slope·b + intercept.

    `covariance` (2, 2) and `standard_errors` of slope and intercept: sampling error of both calibrations,
    taken as independent; None where one of them came without covariance. `criterion`: the minimum reached
    (Haebara, Stocking–Lord), else None. `common`: items that carried the link.
    """

    slope: float
    intercept: float
    covariance: Floats | None
    standard_errors: tuple[float, float] | None
    criterion: float | None
    method: str
    common: tuple[str, ...]

    def items(self, new: ItemParameters | Calibration) -> ItemParameters:
        """The new items on the reference scale."""
        return as_items(new).rescaled(self.slope, self.intercept)

    def theta(self, theta: ArrayLike) -> Floats:
        """New abilities on the reference scale; standard errors go by the slope alone."""
        return np.asarray(self.slope * np.asarray(theta, dtype=np.float64) + self.intercept)


def link(
    reference: ItemParameters | Calibration,
    new: ItemParameters | Calibration,
    method: str = "stocking-lord",
    *,
    theta: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    symmetric: bool = False,
) -> Link:
    """Link two calibrations by the items whose names they share.

    mean-mean (Loyd & Hoover 1980), mean-sigma (Marco 1977), mean-gmean (Mislevy & Bock 1990) use moments of
    slopes and thresholds; Haebara (1980) the differences of all category curves (dichotomous items: of the
    right answer); Stocking & Lord (1983) those of the test curve. Thresholds of polytomous items are pooled;
    the curve methods weight `theta` by `weights` (default: −4, −3.8, …, 4 by the normal density) on the
    reference scale, and with `symmetric` on both scales with the differences added.
    Standard errors: delta method (Ogasawara 2000, 2001).

    Raises BadParameters (method, weights, a common item with different models), NotIdentified (no or too
    few common items) and NotConverged.
    """
    if method not in METHODS:
        raise BadParameters(f"Unknown method {method!r}; known are {', '.join(METHODS)}.")
    old_items, new_items = as_items(reference), as_items(new)
    common = tuple(name for name in old_items.items if name in set(new_items.items))
    if not common:
        raise NotIdentified("The two calibrations share no item: there is nothing to link them by.")
    old, other = old_items.select(common), new_items.select(common)
    for j, name in enumerate(common):
        if KERNEL[old.model[j]] != KERNEL[other.model[j]] or old.categories[j] != other.categories[j]:
            raise BadParameters(f"Item {name} has different models or categories in the two calibrations.")
    points, weight = _read_weights(theta, weights)
    problem = _Problem(old, other, points, weight, symmetric)
    start = _pack(old), _pack(other)
    if method in ("haebara", "stocking-lord"):
        beta, criterion = problem.solve(method, *start)
    else:
        beta, criterion = problem.moments(method, *start), None
    covariance = None
    known = [inner for c in (reference, new) if (inner := _covariance(c, common)) is not None]
    if len(known) == 2:
        covariance = np.zeros((2, 2))
        for place, inner in enumerate(known):
            by_parameters = problem.sensitivity(method, beta, start, place)
            covariance += by_parameters @ inner @ by_parameters.T
    errors = None if covariance is None else (float(covariance[0, 0] ** 0.5), float(covariance[1, 1] ** 0.5))
    return Link(float(beta[0]), float(beta[1]), covariance, errors, criterion, method, common)


class _Problem:
    """Common items as two vectors (a, thresholds, c item after item) and what the methods ask of them."""

    def __init__(
        self, old: ItemParameters, new: ItemParameters, theta: Floats, weight: Floats, symmetric: bool
    ) -> None:
        self.old, self.new = old, new
        self.theta, self.weight, self.symmetric = theta, weight, symmetric
        size = old.categories + 1
        self.slope_at = np.concatenate([[0], np.cumsum(size)[:-1]]).astype(np.intp)
        threshold = np.ones(int(size.sum()), dtype=bool)
        threshold[self.slope_at] = False
        threshold[self.slope_at + size - 1] = False
        self.threshold_at = np.flatnonzero(threshold)

    def moments(self, method: str, old: Floats, new: Floats) -> Floats:
        a_old, a_new = old[self.slope_at], new[self.slope_at]
        b_old, b_new = old[self.threshold_at], new[self.threshold_at]
        if method == "mean-mean":
            slope = a_new.mean() / a_old.mean()
        elif method == "mean-gmean":
            if not (a_old * a_new > 0).all():
                raise NotIdentified(
                    "A common item's slope changes sign or is zero: leave it out of the link."
                )
            slope = np.exp(np.mean(np.log(np.abs(a_new)) - np.log(np.abs(a_old))))
        else:
            if b_new.size < 2 or not b_new.std() > 0:
                raise NotIdentified(
                    "Mean-sigma needs at least two different thresholds among the common items."
                )
            slope = b_old.std() / b_new.std()
        if not (np.isfinite(slope) and slope > 0):
            raise NotIdentified("The common items' slopes do not give a positive linking slope.")
        return np.array([slope, b_old.mean() - slope * b_new.mean()])

    def residuals(self, method: str, beta: Floats, old: Floats, new: Floats) -> tuple[Floats, Floats]:
        """Weighted differences whose squares add up to the criterion, and their derivatives by A and B."""
        parts = [self._one_way(method, beta, old, new, forward=True)]
        if self.symmetric:
            parts.append(self._one_way(method, beta, old, new, forward=False))
        return np.concatenate([p[0] for p in parts]), np.vstack([p[1] for p in parts])

    def gradient(self, method: str, beta: Floats, old: Floats, new: Floats) -> Floats:
        r, jacobian = self.residuals(method, beta, old, new)
        return np.asarray(jacobian.T @ r)

    def solve(self, method: str, old: Floats, new: Floats) -> tuple[Floats, float]:
        found = least_squares(
            lambda beta: self.residuals(method, beta, old, new)[0],
            self.moments("mean-mean", old, new),
            jac=lambda beta: self.residuals(method, beta, old, new)[1],
            method="lm",
            xtol=1e-15,
            ftol=1e-15,
            gtol=1e-15,
            max_nfev=500,
        )
        if found.status <= 0:
            raise NotConverged(
                "The linking criterion has not reached its minimum; try mean-mean, or look at the common items.",
                iterations=int(found.nfev),
                change=float(found.optimality),
            )
        singular = np.linalg.svd(found.jac, compute_uv=False)
        if not found.x[0] > 0 or singular[-1] <= 1e-10 * singular[0]:
            raise NotIdentified("The common items do not determine slope and intercept of the link.")
        return np.asarray(found.x), float(2.0 * found.cost)

    def sensitivity(self, method: str, beta: Floats, at: tuple[Floats, Floats], which: int) -> Floats:
        """∂(A, B)/∂ parameters of one calibration: (2, size). Implicit function theorem for the curve methods,
        with central differences of the exact gradient."""
        moments = method not in ("haebara", "stocking-lord")

        def value(shifted: Floats) -> Floats:
            both = (shifted, at[1]) if which == 0 else (at[0], shifted)
            return self.moments(method, *both) if moments else self.gradient(method, beta, *both)

        change = _central_differences(value, at[which])
        if moments:
            return change
        hessian = _central_differences(lambda b: self.gradient(method, b, *at), beta)
        return np.asarray(-np.linalg.solve(hessian, change))

    def _one_way(
        self, method: str, beta: Floats, old: Floats, new: Floats, forward: bool
    ) -> tuple[Floats, Floats]:
        """Curves of the fixed side at θ less curves of the moving side at the θ that it calls the same."""
        slope, intercept = beta
        if forward:  # the reference scale: new items at (θ − B)/A
            fixed, moving, at = (self.old, old), (self.new, new), (self.theta - intercept) / slope
            by_beta = np.stack([-at / slope, np.full(at.size, -1.0 / slope)], axis=1)
        else:  # the new scale: old items at Aθ + B
            fixed, moving, at = (self.new, new), (self.old, old), slope * self.theta + intercept
            by_beta = np.stack([self.theta, np.ones(at.size)], axis=1)
        root = np.sqrt(self.weight)
        values, slopes = [], []
        total, total_slope = np.zeros(at.size), np.zeros(at.size)
        for one, two in zip(self._blocks(*fixed), self._blocks(*moving)):
            p_fixed, _, _ = ability_derivatives(one, self.theta)
            p, first, _ = ability_derivatives(two, at)
            change = p * first
            if method == "stocking-lord":
                score = np.arange(float(one.n_categories))
                total += ((p_fixed - p) @ score).sum(axis=0)
                total_slope += (change @ score).sum(axis=0)
                continue
            used = slice(1, None) if one.n_categories == 2 else slice(None)
            values.append(((p_fixed - p) * root[:, None])[..., used].transpose(0, 2, 1).reshape(-1, at.size))
            slopes.append((change * root[:, None])[..., used].transpose(0, 2, 1).reshape(-1, at.size))
        if method == "stocking-lord":
            return root * total, -(root * total_slope)[:, None] * by_beta
        r, s = np.vstack(values), np.vstack(slopes)
        return r.reshape(-1), -(s[..., None] * by_beta).reshape(-1, 2)

    def _blocks(self, items: ItemParameters, packed: Floats) -> list[Block]:
        out = []
        for block in items.blocks:
            start = self.slope_at[block.index]
            a = packed[start]
            k = block.n_categories
            b = packed[start[:, None] + 1 + np.arange(k - 1)]
            steps = np.cumsum(b, axis=1) if block.kind == "partial credit" else b
            out.append(Block(block.kind, k, block.index, a, -a[:, None] * steps, packed[start + k]))
        return out


def _pack(items: ItemParameters) -> Floats:
    return np.concatenate(
        [
            np.concatenate([[a], b, [c]])
            for a, b, c in zip(items.slope, items.thresholds, items.lower_asymptote)
        ]
    )


def _covariance(calibration: ItemParameters | Calibration, common: tuple[str, ...]) -> Floats | None:
    """Covariance of the common items' parameters in packed order."""
    if not isinstance(calibration, Calibration) or calibration.item_covariance is None:
        return None
    size = calibration.items.categories + 1
    start = np.concatenate([[0], np.cumsum(size)[:-1]])
    at = [calibration.items.position(name) for name in common]
    rows = np.concatenate([start[j] + np.arange(size[j]) for j in at])
    inner = calibration.item_covariance[np.ix_(rows, rows)]
    return None if np.isnan(inner).any() else np.asarray(inner)


def _read_weights(theta: ArrayLike | None, weights: ArrayLike | None) -> tuple[Floats, Floats]:
    if theta is None:
        if weights is not None:
            raise BadParameters("Weights need the ability values that they belong to.")
        points = np.linspace(-4.0, 4.0, 41)
        density = np.exp(-0.5 * points**2)
        return points, density / density.sum()
    points = np.atleast_1d(np.asarray(theta, dtype=np.float64))
    weight = (
        np.ones(points.shape) if weights is None else np.atleast_1d(np.asarray(weights, dtype=np.float64))
    )
    if points.ndim != 1 or points.shape != weight.shape or points.size < 2:
        raise BadParameters("Give as many weights as ability values, at least two.")
    if (
        not np.isfinite(points).all()
        or not (np.isfinite(weight) & (weight >= 0)).all()
        or not weight.sum() > 0
    ):
        raise BadParameters("Ability values must be finite, weights finite, not negative and not all zero.")
    return points, weight / weight.sum()


def _central_differences(function: Callable[[Floats], Floats], at: Floats) -> Floats:
    """(values, parameters)."""
    columns = []
    for i in range(at.size):
        step = 1e-5 * max(1.0, abs(float(at[i])))
        up, down = at.copy(), at.copy()
        up[i] += step
        down[i] -= step
        columns.append((function(up) - function(down)) / (2.0 * step))
    return np.stack(columns, axis=1)
