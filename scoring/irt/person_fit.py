"""Fit of persons: how plausible a response pattern is under the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.irt.ability import Ability
from scoring.irt.calibration import Calibration
from scoring.irt.item_fit import population
from scoring.irt.parameters import ItemParameters, as_items
from scoring.irt.residuals import (
    SMALLEST_VARIANCE,
    plain,
    read_ability,
    residuals,
    standardised_mean_square,
    usable_theta,
)
from scoring.responses import Responses

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PersonFit:
    """Arrays, one per person; NaN for a person without responses or without a finite ability.

    `lz`: standardised log-likelihood (Drasgow, Levine & Williams 1985); small values mean an unlikely
    pattern. With estimated abilities its spread is below 1, so N(0, 1) limits flag too few.
    `lz_star`: corrected for the estimation (Snijders 2001, eq. 10; Sinharay 2016 for more categories),
    N(0, 1) in long tests; None for EAP and given abilities, for which the correction is not defined.
    `outfit`, `infit`, `z_outfit`, `z_infit`: mean squares over the person's items.
    """

    lz: Floats
    lz_star: Floats | None
    outfit: Floats
    z_outfit: Floats
    infit: Floats
    z_infit: Floats
    ability: Ability


def person_fit(
    responses: ArrayLike | Responses,
    items: ItemParameters | Calibration,
    *,
    ability: Ability | ArrayLike | None = None,
    method: str = "WLE",
    prior: tuple[float, float] | None = None,
) -> PersonFit:
    """lz, lz*, infit and outfit at each person's ability (by default a new WLE).

    `prior`: mean and SD for EAP and MAP, by default the calibration's (single) group, else (0, 1).
    Raises BadResponses and BadParameters.
    """
    known = as_items(items)
    read = known.read(responses)
    prior = population(items) if prior is None and method in ("EAP", "MAP", "EAPsum") else prior or (0.0, 1.0)
    estimated = read_ability(read, known, ability, method, prior)
    n = read.n_persons
    lz, star, outfit, z_outfit, infit, z_infit = (np.full(n, np.nan) for _ in range(6))
    for r in residuals(read, plain(known), usable_theta(estimated)):
        count = r.seen.sum(axis=1)
        some = count > 0
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = np.where(r.seen, np.maximum(r.variance, SMALLEST_VARIANCE), 1.0)
            square = np.where(r.seen, r.residual**2 / variance, 0.0).sum(axis=1)
            kurtosis = np.where(r.seen, r.fourth / variance**2, 0.0).sum(axis=1)
            total = np.where(r.seen, variance, 0.0).sum(axis=1)
            spread = np.where(r.seen, r.fourth - variance**2, 0.0).sum(axis=1)
            out = square / count
            within = (r.residual**2).sum(axis=1) / total
            deviation = (r.log_p - r.entropy).sum(axis=1)
            log_variance = r.log_p_variance.sum(axis=1)
            outfit[r.rows], infit[r.rows] = out, within
            z_outfit[r.rows] = standardised_mean_square(out, kurtosis / count**2 - 1.0 / count)
            z_infit[r.rows] = standardised_mean_square(within, spread / total**2)
            lz[r.rows] = np.where(some & (log_variance > 0), deviation / np.sqrt(log_variance), np.nan)
            # The estimate satisfies r0 + Σ score = 0: the deviation loses its part along the score.
            information = r.information.sum(axis=1)
            along = r.log_p_score.sum(axis=1) / information
            rest = log_variance - along**2 * information
            if estimated.method == "WLE":
                r0 = r.third.sum(axis=1) / (2.0 * information)
            elif estimated.method == "MAP":
                mean, sd = estimated.prior
                r0 = -(estimated.theta[r.rows] - mean[r.rows]) / sd[r.rows] ** 2
            else:
                r0 = np.zeros(count.size)
            corrected = (deviation + along * r0) / np.sqrt(np.maximum(rest, 0.0))
            star[r.rows] = np.where(some & (rest > 1e-12 * log_variance), corrected, np.nan)
    defined = estimated.method in ("ML", "MAP", "WLE")
    return PersonFit(lz, star if defined else None, outfit, z_outfit, infit, z_infit, estimated)
