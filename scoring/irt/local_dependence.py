"""Local dependence: correlations of residuals that ability should have made disappear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import TooFewObservations
from scoring.irt.ability import Ability
from scoring.irt.calibration import Calibration
from scoring.irt.item_fit import population
from scoring.irt.parameters import ItemParameters, as_items
from scoring.irt.residuals import plain, read_ability, residuals, usable_theta
from scoring.responses import Responses

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LocalDependence:
    """`q3`: (n, n) correlations of residuals, 1 on the diagonal, NaN for pairs that fewer than three persons
    met or without variance; `n_pairs`: persons per pair; `mean_q3`: mean off the diagonal, near −1/(n−1) under
    independence, so that `q3 − mean_q3` above about 0.2 deserves a look (Christensen, Makransky & Horton
    2017)."""

    items: tuple[str, ...]
    q3: Floats
    n_pairs: Floats
    mean_q3: float


def local_dependence(
    responses: ArrayLike | Responses,
    items: ItemParameters | Calibration,
    *,
    ability: Ability | ArrayLike | None = None,
    method: str = "EAP",
    prior: tuple[float, float] | None = None,
) -> LocalDependence:
    """Yen's Q3 (Yen 1984, eq. 5): correlations of x − E[x | θ̂] over the persons that met both items.

    `prior`: by default the calibration's (single) group, else (0, 1). Raises BadResponses, BadParameters,
    TooFewObservations (fewer than three persons with a finite ability).
    """
    known = as_items(items)
    read = known.read(responses)
    estimated = read_ability(read, known, ability, method, population(items) if prior is None else prior)
    theta = usable_theta(estimated)
    if int(np.isfinite(theta).sum()) < 3:
        raise TooFewObservations("Q3 needs at least three persons with finite abilities.")
    n = known.n_items
    count, total, square, product = (np.zeros((n, n)) for _ in range(4))
    for r in residuals(read, plain(known), theta):
        w = read.weights[r.rows, None]
        seen = r.seen.astype(np.float64)
        count += (seen * w).T @ seen
        total += (r.residual * w).T @ seen
        square += (r.residual**2 * w).T @ seen
        product += (r.residual * w).T @ r.residual
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = product - total * total.T / count
        variance = square - total**2 / count
        q3 = covariance / np.sqrt(variance * variance.T)
    few = (count < 3) | ~(variance > 1e-12) | ~(variance.T > 1e-12)
    q3 = np.where(few, np.nan, np.clip(q3, -1.0, 1.0))
    q3[np.diag_indices(n)] = 1.0
    off = q3[~np.eye(n, dtype=bool)]
    mean = float(np.nanmean(off)) if np.isfinite(off).any() else float("nan")
    return LocalDependence(known.items, q3, count, mean)
