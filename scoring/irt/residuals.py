"""Residuals of responses given abilities: what infit, outfit, lz and Q3 are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import BadParameters
from scoring.irt.ability import Ability, estimate_ability
from scoring.irt.kernels import ability_derivatives
from scoring.irt.parameters import ItemParameters
from scoring.responses import Responses

Floats = NDArray[np.float64]

_BLOCK = 2048

# A response whose variance is next to nothing would drown all others in a mean square: variances are held
# at √10⁻⁵ there (a convention of common software, kept so that results can be compared).
SMALLEST_VARIANCE = float(np.sqrt(1e-5))


@dataclass(frozen=True, eq=False)
class Residuals:
    """For some persons `rows` and all items, (persons, n): `seen`; `residual` x − E, `variance` and
    `fourth` central moment of x; `log_p` of the response, its conditional mean `entropy` E[log P] and
    variance `log_p_variance`, and the covariance `log_p_score` of log P with ∂ log P/∂θ; `score`
    ∂ log P/∂θ of the response, its variance `information`, and `third` = Σ P'P''/P. 0 where not seen."""

    rows: slice
    seen: NDArray[np.bool_]
    residual: Floats
    variance: Floats
    fourth: Floats
    log_p: Floats
    entropy: Floats
    log_p_variance: Floats
    log_p_score: Floats
    score: Floats
    information: Floats
    third: Floats


def residuals(read: Responses, items: ItemParameters, theta: Floats) -> Iterator[Residuals]:
    """Block by block of persons; persons without a finite θ count as having seen nothing."""
    for start in range(0, read.n_persons, _BLOCK):
        rows = slice(start, min(start + _BLOCK, read.n_persons))
        at = theta[rows]
        usable = np.isfinite(at)
        codes = read.codes[rows]
        seen = (codes >= 0) & usable[:, None]
        here = np.where(usable, at, 0.0)
        out = np.zeros((10, here.size, read.n_items))
        for block in items.blocks:
            p, first, second = ability_derivatives(block, here)  # (m, persons, K)
            category = np.arange(float(block.n_categories))
            mean = p @ category
            spread = category - mean[..., None]
            log_p = np.log(np.maximum(p, 1e-300))
            entropy = (p * log_p).sum(axis=2)
            pick = np.maximum(codes[:, block.index].T, 0).astype(np.intp)
            where = seen[:, block.index].T
            values = (
                pick - mean,
                (p * spread**2).sum(axis=2),
                (p * spread**4).sum(axis=2),
                np.take_along_axis(log_p, pick[..., None], axis=2)[..., 0],
                entropy,
                (p * log_p**2).sum(axis=2) - entropy**2,
                (p * log_p * first).sum(axis=2),
                np.take_along_axis(np.broadcast_to(first, p.shape), pick[..., None], axis=2)[..., 0],
                (p * first**2).sum(axis=2),
                (p * first * (second + first**2)).sum(axis=2),
            )
            for place, value in enumerate(values):
                out[place][:, block.index] = np.where(where, value, 0.0).T
        yield Residuals(rows, seen, *out)


def read_ability(
    read: Responses, items: ItemParameters, ability: Ability | ArrayLike | None, method: str, prior: Any
) -> Ability:
    """The given abilities, or new ones by `method`."""
    if ability is None:
        return estimate_ability(read, plain(items), method, prior)
    if not isinstance(ability, Ability):
        theta = np.asarray(ability, dtype=np.float64)
        ones = np.ones(theta.shape)
        ability = Ability(
            theta,
            np.full(theta.shape, np.nan),
            np.isfinite(theta),
            np.zeros(theta.shape, dtype=np.intp),
            "given",
            (0.0 * ones, ones),
        )
    if ability.theta.shape != (read.n_persons,):
        raise BadParameters(f"{ability.theta.size} abilities for {read.n_persons} persons: give one each.")
    return ability


def plain(items: ItemParameters) -> ItemParameters:
    """The same items for responses that are recoded already."""
    if all(codes == tuple(range(len(codes))) for codes in items.recoding):
        return items
    return ItemParameters.of(
        items.model,
        slope=items.slope,
        thresholds=items.thresholds,
        lower_asymptote=items.lower_asymptote,
        items=items.items,
    )


def usable_theta(ability: Ability) -> Floats:
    """θ with NaN where there is no finite estimate."""
    return np.where(ability.finite, ability.theta, np.nan)


def standardised_mean_square(mean_square: Floats, q_squared: Floats) -> Floats:
    """Wilson–Hilferty cube root z of a mean square of variance q² (Wright & Masters 1982, eq. 5.2.8)."""
    # q beyond √2 the approximation breaks down: it is held there, as in common software.
    q = np.minimum(np.sqrt(np.maximum(q_squared, 1e-12)), np.sqrt(2.0))
    return (np.cbrt(mean_square) - 1.0) * (3.0 / q) + q / 3.0
