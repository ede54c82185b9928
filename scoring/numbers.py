"""The gate for numbers of any shape: what is not a real number is refused in a sentence, never in a traceback."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.errors import BadParameters, BadResponses

LARGEST = 1e100
"""Beyond it squares and sums overflow."""


def read_numbers(
    values: Any, refusal: str, error: type[BadResponses | BadParameters] = BadResponses, *, ndim: int | None = None
) -> NDArray[np.float64]:
    """A float64 copy of `values`; NaN and infinity pass.

    Raises `error` with the sentence `refusal` for text that is no number, ragged rows, complex numbers, objects, and
    (where given) another number of dimensions; with a sentence of its own for numbers above LARGEST.
    """
    try:
        given = np.asarray(values)
        numbers = np.array(given, dtype=np.float64) if given.dtype.kind != "c" else None
    except (TypeError, ValueError, OverflowError):
        numbers = None
    if numbers is None or ndim not in (None, numbers.ndim):
        raise error(refusal)
    if (np.abs(numbers[np.isfinite(numbers)]) > LARGEST).any():
        raise error(f"A number is larger than {LARGEST:g}: measure in a larger unit.")
    return numbers
