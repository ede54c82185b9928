"""Where the search begins: proportions of the categories, slopes of one, asymptotes at the prior's mode."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from scoring.irt.kernels import GRADED, THREE_PARAMETER
from scoring.irt.layout import Layout
from scoring.irt.posterior import Persons
from scoring.irt.priors import Priors

Floats = NDArray[np.float64]

# An intercept under N(0, 1) ability is about √(1 + a²·(16√3/15π)²) times the logit of the proportion.
_SPREAD = 1.2


def starting_values(persons: Persons, layout: Layout, priors: Priors) -> Floats:
    """Free parameters to begin with: least squares of crude full parameters on the layout."""
    counts = persons.category_counts()
    floor = logit_of_prior(priors)
    full = layout.offset.copy()
    for kind in layout.kinds:
        for place, j in enumerate(kind.index):
            row = kind.start + place * kind.width
            share = (counts[j] + 0.5) / (counts[j].sum() + 0.5 * counts[j].size)
            full[row] = 1.0
            if kind.kernel == THREE_PARAMETER:
                c = float(expit(floor))
                right = min(max((share[1] - c) / (1.0 - c), 0.05), 0.98)
                full[row + 1], full[row + 2] = _SPREAD * logit(right), floor
            elif kind.kernel == GRADED:
                above = share[::-1].cumsum()[::-1][1:]
                full[row + 1 : row + kind.width] = _SPREAD * logit(above)
            elif kind.n_categories == 2:
                full[row + 1] = _SPREAD * logit(share[1])
            else:
                full[row + 1 : row + kind.width] = np.log(share[1:] / share[0])
    free = np.zeros(layout.n_free)
    n = layout.n_item_parameters
    if n:
        design = layout.design
        normal = (design.T @ design).toarray() + 1e-9 * np.eye(n) if layout.tied else None
        right = design.T @ (full - layout.offset)
        free[:n] = right if normal is None else np.linalg.solve(normal, right)
    return np.clip(free, layout.lower, layout.upper)


def logit_of_prior(priors: Priors) -> float:
    return (
        -1.386 if priors.lower_asymptote is None else float(np.clip(priors.lower_asymptote.mode(), -4.0, 0.0))
    )
