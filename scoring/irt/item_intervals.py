"""Intervals of item parameters, each on the scale where its distribution is closest to normal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

from scoring.errors import BadParameters
from scoring.irt.calibration import Calibration
from scoring.irt.priors import LogNormal
from scoring.scores import read_confidence

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ItemIntervals:
    """Limits (lower, upper) in the last axis: `slope`, `difficulty`, `lower_asymptote` (items × 2), `thresholds` (per item,
    thresholds × 2). A parameter that was given has both limits at its value; one without a standard error has NaN."""

    items: tuple[str, ...]
    confidence: float
    slope: Floats
    difficulty: Floats
    thresholds: tuple[Floats, ...]
    lower_asymptote: Floats


def item_intervals(calibration: Calibration, confidence: float = 0.95) -> ItemIntervals:
    """Intervals of the reported item parameters: difficulties as they are, slopes as log a, asymptotes as logit c.

    Without priors these are confidence intervals; with priors they are posterior intervals (Laplace): their coverage is
    nominal on average over items that are as the prior says, higher for items at the prior's centre and lower for items
    in its tails. A lognormal prior's mode depends on the scale; on the scale of log a the posterior gains the factor a,
    and the centre moves by one Newton step, Σ(1/a). A slope below zero keeps its own scale.

    Raises BadParameters where the calibration was made without standard errors.
    Source: Tierney & Kadane (1986), JASA 81, 82–86 (parametrisation of Laplace's method).
    """
    errors = calibration.standard_errors
    if errors is None:
        raise BadParameters("Intervals need a calibration with standard errors: calibrate(…, standard_errors=True).")
    z = float(norm.ppf(0.5 + read_confidence(confidence) / 2.0))
    items = calibration.items
    return ItemIntervals(
        items=items.items,
        confidence=confidence,
        slope=_slopes(calibration, errors.slope, z),
        difficulty=_around(items.difficulty, errors.difficulty, z),
        thresholds=tuple(_around(b, e, z) for b, e in zip(items.thresholds, errors.thresholds, strict=True)),
        lower_asymptote=_asymptotes(items.lower_asymptote, errors.logit_asymptote, z),
    )


def _around(value: Floats, error: Floats, z: float) -> Floats:
    return np.stack([value - z * error, value + z * error], axis=-1)


def _slopes(calibration: Calibration, error: Floats, z: float) -> Floats:
    slope = calibration.items.slope
    positive = slope > 0
    relative = np.where(positive, error / np.where(positive, slope, 1.0), 0.0)
    centre = np.log(np.where(positive, slope, 1.0)) + np.where(positive, _shift(calibration), 0.0)
    known = positive & (error != 0)
    return np.where(known[:, None], np.exp(_around(centre, relative, z)), _around(slope, error, z))


def _shift(calibration: Calibration) -> Floats:
    """How far the mode of log a lies above the log of the mode of a, per item; 0 without a lognormal prior."""
    out = np.zeros(calibration.items.n_items)
    covariance, layout = calibration.covariance, calibration.layout
    if covariance is None or not isinstance(calibration.priors.slope, LogNormal):
        return out
    at = np.flatnonzero(layout.role == "slope")
    inner = covariance[np.ix_(at, at)]
    moved = (np.where(np.isnan(inner), 0.0, inner) @ (1.0 / calibration.free[at])) / calibration.free[at]
    own = layout.item[at]
    out[own[own >= 0]] = moved[own >= 0]
    if (own < 0).any():  # the slope that all 1PL items share
        out[[model == "1PL" for model in calibration.items.model]] = moved[own < 0][0]
    out[list(calibration.fixed_items)] = 0.0
    return out


def _asymptotes(value: Floats, error: Floats, z: float) -> Floats:
    inside = (value > 0) & (value < 1)
    held = np.where(inside, value, 0.5)
    limits = expit(_around(np.log(held / (1.0 - held)), error, z))
    return np.where(inside[:, None] & (error[:, None] != 0), limits, np.stack([value, value], axis=-1))
