"""What is known of a candidate in the middle of an adaptive test: the posterior on a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import BadParameters, BadResponses
from scoring.irt import ItemParameters, category_probabilities

Floats = NDArray[np.float64]

GRID = (-6.0, 6.0, 121)


@dataclass(frozen=True, eq=False)
class Bank:
    """Items with their category probabilities on a grid of abilities, computed once for many decisions.

    `grid`: Q abilities, evenly spaced.  `table`: items × Q × categories, zero beyond an item's categories.
    """

    items: ItemParameters
    grid: Floats
    table: Floats

    @classmethod
    def of(cls, items: ItemParameters, grid: ArrayLike | None = None) -> Bank:
        at = np.linspace(*GRID) if grid is None else np.asarray(grid, dtype=np.float64)
        if at.ndim != 1 or at.size < 3 or not np.allclose(np.diff(at), at[1] - at[0]) or at[1] <= at[0]:
            raise BadParameters("The grid needs three or more evenly spaced abilities, ascending.")
        return cls(items, at, probability_table(items, at))

    @cached_property
    def log_table(self) -> Floats:
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.table))


@dataclass(frozen=True, eq=False)
class Standing:
    """Likelihood and posterior after some answers: `theta`, `standard_error` are the posterior's mean and SD."""

    likelihood: Floats
    posterior: Floats
    theta: float
    standard_error: float


def probability_table(items: ItemParameters, theta: Floats) -> Floats:
    """items × abilities × categories."""
    curves = category_probabilities(items, theta)
    out = np.zeros((items.n_items, theta.size, max(curve.shape[1] for curve in curves)))
    for j, curve in enumerate(curves):
        out[j, :, : curve.shape[1]] = curve
    return out


def standing(
    bank: Bank, administered: Sequence[int], responses: Sequence[int], prior: tuple[float, float]
) -> Standing:
    """EAP by the trapezoidal rule on the bank's grid, prior N(mean, sd²). Raises BadResponses, BadParameters."""
    mean, sd = prior
    if not (np.isfinite(mean) and np.isfinite(sd) and sd > 0):
        raise BadParameters("The prior needs a finite mean and a positive standard deviation.")
    items, answers = read_history(bank.items, administered, responses)
    log_likelihood = bank.log_table[items, :, answers].sum(axis=0) if items.size else np.zeros(bank.grid.size)
    likelihood = np.exp(log_likelihood - log_likelihood.max()) if items.size > 200 else np.exp(log_likelihood)
    weights = np.full(bank.grid.size, bank.grid[1] - bank.grid[0])
    weights[[0, -1]] /= 2
    log_posterior = log_likelihood - 0.5 * ((bank.grid - mean) / sd) ** 2 + np.log(weights)
    posterior = np.exp(log_posterior - log_posterior.max())
    posterior /= posterior.sum()
    theta = float(posterior @ bank.grid)
    spread = float(posterior @ (bank.grid - theta) ** 2)
    return Standing(likelihood, posterior, theta, float(np.sqrt(spread)))


def read_history(
    items: ItemParameters, administered: Sequence[int], responses: Sequence[int]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Checked item numbers and answers of a test so far."""
    if len(administered) != len(responses):
        raise BadResponses(
            f"{len(administered)} items and {len(responses)} answers: give one answer per item."
        )
    at, answers = np.array(administered, dtype=np.intp), np.array(responses)
    if at.size == 0:
        return at, at
    if (at < 0).any() or (at >= items.n_items).any() or len(set(at.tolist())) != at.size:
        raise BadParameters(f"Items are numbered from 0 to {items.n_items - 1}, each at most once in a test.")
    if answers.dtype.kind not in "iub" or (answers < 0).any() or (answers >= items.categories[at]).any():
        raise BadResponses("An answer is a category of its item, 0, 1, …")
    return at, answers.astype(np.intp)
