"""False-positive control when many pairs are looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import BadParameters
from scoring.numbers import read_numbers


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Holm's adjusted p (1979): flagging those ≤ α errs at all with probability at most α, whatever the dependence.

    NaN (not tested) stays NaN and does not count.
    """
    values = _read(p)
    tested = ~np.isnan(values)
    ordered = np.sort(values[tested])
    m = ordered.size
    adjusted = np.minimum(1.0, np.maximum.accumulate(ordered * np.arange(m, 0, -1)))
    return _back(values, tested, adjusted)


def benjamini_hochberg(p: ArrayLike) -> NDArray[np.float64]:
    """Benjamini & Hochberg's adjusted p (1995): of those flagged at ≤ q, on average at most the share q is
    innocent, for independent or positively dependent tests. NaN stays NaN and does not count."""
    values = _read(p)
    tested = ~np.isnan(values)
    ordered = np.sort(values[tested])
    m = ordered.size
    scaled = ordered * m / np.arange(1, m + 1)
    adjusted = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return _back(values, tested, adjusted)


def _read(p: ArrayLike) -> NDArray[np.float64]:
    values = read_numbers(p, "Probabilities must be numbers in one dimension.", BadParameters)
    if values.ndim != 1 or (values < 0).any() or (values > 1).any():
        raise BadParameters("Probabilities must lie between 0 and 1, in one dimension.")
    return values


def _back(
    values: NDArray[np.float64], tested: NDArray[np.bool_], adjusted: NDArray[np.float64]
) -> NDArray[np.float64]:
    out = np.full(values.size, np.nan)
    places = np.flatnonzero(tested)
    out[places[np.argsort(values[tested], kind="stable")]] = adjusted
    return out
