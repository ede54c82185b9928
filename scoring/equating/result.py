"""The result of every equating method, and reading the scores it starts from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import BadResponses, NotIdentified, TooFewObservations
from scoring.numbers import read_numbers

Floats = NDArray[np.float64]

MINIMUM_GROUP = 30
MOST_POINTS = 5_000
"""Standard errors need a matrix of points × points."""
"""Candidates per form. Below, the identity (no equating) is closer to the truth than an estimated function
unless the forms differ grossly (Kolen & Brennan 2014, chapter 8); circle-arc asks for the fewest."""


@dataclass(frozen=True, eq=False)
class Equating:
    """`x`: scores of the new form; `y`: their equivalents on the old form's scale, not rounded.

    `standard_error`: of `y`, from sampling candidates, by `error_method`: "delta", "delta, normal" or "bootstrap".
    `slope`, `intercept`: of a linear function, None otherwise.  `weight`: of population X in the synthetic
    population, None where there is none.  `n_x`, `n_y`: candidates.
    """

    method: str
    x: NDArray[np.intp]
    y: Floats
    standard_error: Floats
    error_method: str
    slope: float | None
    intercept: float | None
    weight: float | None
    n_x: int
    n_y: int

    def equivalent(self, score: int) -> float:
        """The equivalent of one score of form X."""
        at = score - int(self.x[0])
        if not 0 <= at < self.x.size:
            raise BadResponses(f"Score {score} lies outside form X's scale {self.x[0]} to {self.x[-1]}.")
        return float(self.y[at])


def read_scores(scores: ArrayLike, scale: tuple[int, int] | None, what: str) -> NDArray[np.intp]:
    """Whole-number scores of one form. Raises BadResponses; TooFewObservations; NotIdentified without variance."""
    values = read_numbers(scores, f"The {what} must be numbers, one per candidate.")
    if values.ndim != 1 or not np.isfinite(values).all() or (values != np.rint(values)).any():
        raise BadResponses(
            f"The {what} must be whole numbers, one per candidate: round weighted scores first."
        )
    if values.size < MINIMUM_GROUP:
        raise TooFewObservations(
            f"{values.size} candidates have {what}: below {MINIMUM_GROUP} an equating is worse than none."
        )
    if scale is not None and not scale[0] < scale[1]:
        raise BadResponses("The scale is given as (lowest, highest) whole score.")
    if scale is not None and (values.min() < scale[0] or values.max() > scale[1]):
        raise BadResponses(f"The {what} lie outside the scale {scale[0]} to {scale[1]}.")
    if values.min() == values.max():
        raise NotIdentified(f"All {what} are equal: there is no distribution to equate.")
    low, high = scale if scale is not None else (min(0.0, values.min()), values.max())
    if high - low >= MOST_POINTS:
        raise BadResponses(f"The {what} span {high - low + 1:g} points; up to {MOST_POINTS} are handled: band them first.")
    return values.astype(np.intp)


def read_scale(scale: tuple[int, int] | None, x: NDArray[np.intp], y: NDArray[np.intp]) -> tuple[int, int]:
    """The common scale: as given, or from 0 (or a lower score) to the highest score seen."""
    if scale is None:
        return min(0, int(x.min()), int(y.min())), int(max(x.max(), y.max()))
    low, high = scale
    return int(low), int(high)


def counts(scores: NDArray[np.intp], scale: tuple[int, int]) -> Floats:
    """Frequencies of every score of the scale."""
    return np.bincount(scores - scale[0], minlength=scale[1] - scale[0] + 1).astype(np.float64)
