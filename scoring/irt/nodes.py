"""Quadrature: equally spaced nodes, as dense as the sharpest posterior needs.

The rectangle rule on a smooth density of standard deviation s with steps h errs by about 2 exp(−2π² s²/h²):
5·10⁻⁹ at h = s. So the step follows from the smallest posterior SD, 1/√(max test information + 1/σ²); the
calibration confirms the choice by doubling.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import BadParameters
from scoring.irt.kernels import Block, ability_derivatives
from scoring.numbers import read_numbers

Floats = NDArray[np.float64]

LEAST, MOST = 31, 2001
WIDEST_STEP = 5.0
"""Of given nodes, on the ability scale: between wider ones a normal population would hardly have weight."""


def choose_nodes(
    blocks: Sequence[Block],
    administered: Floats,
    mean: Floats,
    sd: Floats,
    *,
    step: float = 1.05,
    reach: float = 6.0,
) -> Floats:
    """Nodes over mean ± reach·sd of all groups, `step` posterior SDs apart; an odd number of them.

    `administered`: proportion of persons that met each item; a person of average length sets the density.
    """
    low = float((mean - reach * sd).min())
    high = float((mean + reach * sd).max())
    trial = np.linspace(low, high, 81)
    information = np.zeros(trial.size)
    for block in blocks:
        p, first, _ = ability_derivatives(block, trial)
        information += np.einsum("mqk,m->q", p * first**2, administered[block.index])
    smallest = 1.0 / np.sqrt(information.max() + 1.0 / float(sd.min()) ** 2)
    count = int(np.ceil((high - low) / (step * smallest))) | 1
    return np.linspace(low, high, min(max(count, LEAST), MOST))


def doubled(theta: Floats) -> Floats:
    """Twice the density, a sixth more reach on both sides."""
    step = (theta[1] - theta[0]) / 2.0
    extra = theta.size // 6 + 1
    return np.asarray(theta[0] + step * np.arange(-extra, 2 * theta.size - 1 + extra))


def read_nodes(nodes: int | ArrayLike | None) -> int | Floats | None:
    """A number of nodes, or the nodes themselves (increasing, equally spaced). Raises BadParameters."""
    if nodes is None:
        return None
    grid = read_numbers(nodes, "Nodes are their number, or at least five finite numbers.", BadParameters)
    if grid.ndim == 0:
        if grid != np.rint(grid) or not 5 <= grid <= MOST:
            raise BadParameters(f"The number of nodes is a whole number from 5 to {MOST}.")
        return int(grid)
    if grid.ndim != 1 or grid.size < 5 or not np.isfinite(grid).all():
        raise BadParameters("Nodes are at least five finite numbers.")
    steps = np.diff(grid)
    if not (steps > 0).all() or not np.allclose(steps, steps[0], rtol=1e-6):
        raise BadParameters("Nodes must increase in equal steps.")
    if steps[0] > WIDEST_STEP:
        raise BadParameters(f"Nodes lie at most {WIDEST_STEP:g} apart: the population would fall between them.")
    return grid
