"""Equating of raw scores through item parameters on one scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from scoring.errors import BadParameters, NotIdentified
from scoring.irt.ability import sum_score_likelihood
from scoring.irt.information import expected_scores
from scoring.irt.parameters import ItemParameters, as_items

Floats = NDArray[np.float64]

_FURTHEST = 200.0


@dataclass(frozen=True, eq=False)
class EquatedScores:
    """`score` of one form, `theta` that expects it (true-score equating only), and the `equated` score of the
    other form."""

    score: Floats
    theta: Floats | None
    equated: Floats


def equate_true_scores(form: ItemParameters, other: ItemParameters) -> EquatedScores:
    """The score of `other` expected at the ability that expects each whole score of `form` (Kolen & Brennan
    2014, sec. 6.5). Both forms on one scale. Scores not above the sum of the asymptotes belong to no ability:
    they are mapped linearly from 0 to that sum, as Kolen's rule has it, with θ = −∞; the maximum maps to the
    maximum with θ = +∞. Raises NotIdentified where a test curve does not rise (negative slopes).
    """
    form, other = as_items(form), as_items(other)
    top, other_top = (float((f.categories - 1).sum()) for f in (form, other))
    floor, other_floor = float(form.lower_asymptote.sum()), float(other.lower_asymptote.sum())
    if (form.slope <= 0).any():
        raise NotIdentified("True-score equating needs positive slopes: the test curve must rise.")
    score = np.arange(top + 1.0)
    theta, equated = np.empty(score.size), np.empty(score.size)
    for i, s in enumerate(score):
        if s <= floor:
            theta[i] = -np.inf
            equated[i] = other_floor * s / floor if floor > 0 else 0.0
        elif s >= top:
            theta[i], equated[i] = np.inf, other_top
        else:
            theta[i] = brentq(_excess, -_FURTHEST, _FURTHEST, args=(form, s), xtol=1e-11)
            equated[i] = expected_scores(other, theta[i]).sum()
    return EquatedScores(score, theta, equated)


def equate_observed_scores(
    form: ItemParameters, other: ItemParameters, theta: ArrayLike, weights: ArrayLike
) -> EquatedScores:
    """Equipercentile equating of the score distributions that the items imply in a population given by
    `theta` and `weights` (Kolen & Brennan 2014, sec. 6.6), with percentile ranks at the half points."""
    form, other = as_items(form), as_items(other)
    points = np.asarray(theta, dtype=np.float64)
    weight = np.asarray(weights, dtype=np.float64)
    if points.ndim != 1 or points.shape != weight.shape or not (weight >= 0).all() or not weight.sum() > 0:
        raise BadParameters("The population needs as many weights as ability values, none negative.")
    weight = weight / weight.sum()
    x = sum_score_likelihood(form, points) @ weight
    y = sum_score_likelihood(other, points) @ weight
    below = np.concatenate([[0.0], np.cumsum(x)[:-1]])
    rank = np.clip(below + 0.5 * x, 0.0, 1.0)
    cumulative = np.concatenate([[0.0], np.cumsum(y)])
    place = np.clip(np.searchsorted(cumulative, rank, side="right") - 1, 0, y.size - 1)
    equated = place - 0.5 + (rank - cumulative[place]) / y[place]
    return EquatedScores(np.arange(float(x.size)), None, equated)


def _excess(theta: float, form: ItemParameters, score: float) -> float:
    return float(expected_scores(form, theta).sum()) - score
