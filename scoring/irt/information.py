"""Curves over ability: category probabilities, expected scores, Fisher information, reliability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import BadParameters
from scoring.irt.kernels import ability_derivatives, log_probabilities
from scoring.irt.parameters import ItemParameters, as_items
from scoring.numbers import read_numbers

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Information:
    """Fisher information at `theta` (Q,): `item` (Q, n) and their sum `test` (Q,), in 1/θ² units;
    `standard_error` = 1/√test, infinite where the test says nothing."""

    theta: Floats
    item: Floats
    test: Floats
    standard_error: Floats


def information(items: ItemParameters, theta: ArrayLike) -> Information:
    """I_j(θ) = Σ_c P_c (∂ log P_c/∂θ)² (Samejima 1969; for the 3PL Birnbaum 1968, eq. 17.7.3)."""
    items = as_items(items)
    at = read_theta(theta)
    table = np.empty((at.size, items.n_items))
    for block in items.blocks:
        p, first, _ = ability_derivatives(block, at)
        table[:, block.index] = (p * first**2).sum(axis=2).T
    test = table.sum(axis=1)
    with np.errstate(divide="ignore"):
        error = 1.0 / np.sqrt(test)
    return Information(at, table, test, error)


def category_probabilities(items: ItemParameters, theta: ArrayLike) -> tuple[Floats, ...]:
    """P(X = c | θ) of every item: a tuple of arrays (Q, K_j)."""
    items = as_items(items)
    at = read_theta(theta)
    out: list[Floats] = [np.zeros(0)] * items.n_items
    for block in items.blocks:
        p = np.exp(log_probabilities(block, at))
        for place, j in enumerate(block.index):
            out[j] = p[place]
    return tuple(out)


def expected_scores(items: ItemParameters, theta: ArrayLike) -> Floats:
    """Expected item scores Σ_c c P_c: (Q, n), categories counted after recoding. Row sums: the test curve."""
    items = as_items(items)
    at = read_theta(theta)
    out = np.empty((at.size, items.n_items))
    for block in items.blocks:
        p = np.exp(log_probabilities(block, at))
        out[:, block.index] = (p @ np.arange(float(block.n_categories))).T
    return out


def marginal_reliability(items: ItemParameters, mean: float = 0.0, sd: float = 1.0) -> float:
    """∫ I/(I + 1/σ²) φ over N(mean, sd²): between 0 and 1, the same on every linear scale (Green et al.
    1984; Cheng, Yuan & Liu 2012, eq. 7)."""
    if not (np.isfinite(mean) and np.isfinite(sd) and sd > 0):
        raise BadParameters("The ability distribution needs a finite mean and a positive standard deviation.")
    z = np.linspace(-8.0, 8.0, 801)
    weight = np.exp(-0.5 * z * z)
    info = information(items, mean + sd * z).test
    return float(weight @ (info / (info + 1.0 / sd**2)) / weight.sum())


def read_theta(theta: ArrayLike) -> Floats:
    at = np.atleast_1d(read_numbers(theta, "Ability values must be numbers.", BadParameters))
    if at.ndim != 1 or not np.isfinite(at).all():
        raise BadParameters("Ability values must be finite numbers in one dimension.")
    return at
