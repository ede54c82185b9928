"""The gate for tables of scores and ratings: real numbers, where `responses` is for categories.

Rows are persons (or scripts), columns items, criteria or raters; NaN, None or a masked element = not there.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import BadParameters, BadResponses
from scoring.numbers import read_numbers
from scoring.responses import Responses

Floats = NDArray[np.float64]


def read_scores(
    values: ArrayLike | Responses,
    *,
    complete: bool = False,
    rows: str = "persons",
    columns: str = "items",
) -> Floats:
    """A read-only float64 copy, NaN = missing. `rows` and `columns` are the words for the error messages.

    Raises BadResponses: not a table of numbers, empty, infinite values, a row or column with nothing in it,
    weights other than 1 on `Responses`; with `complete`, any missing value.
    """
    if isinstance(values, Responses):
        if not np.all(values.weights == 1.0):
            raise BadResponses(
                "Person weights are not used here: repeat the rows or give the matrix without weights."
            )
        table = values.matrix()
    else:
        if np.ma.isMaskedArray(values):
            values = np.ma.filled(values.astype(float), np.nan)
        table = read_numbers(values, f"Scores must be numbers in a table of {rows} × {columns}.")
    if table.ndim != 2 or table.size == 0:
        raise BadResponses(f"Scores must be a table of {rows} × {columns}; this has the shape {table.shape}.")
    missing = np.isnan(table)
    if np.isinf(table).any():
        raise BadResponses("A score is infinite: scores are finite numbers, NaN where there is none.")
    if complete and missing.any():
        i, j = np.argwhere(missing)[0]
        raise BadResponses(
            f"A score is missing (row {i + 1}, column {j + 1}), and this method needs them all: leave out the "
            f"incomplete {rows}, or use a method for unbalanced designs."
        )
    for axis, word in ((1, rows), (0, columns)):
        empty = np.flatnonzero(missing.all(axis=axis))
        if empty.size:
            raise BadResponses(f"Nothing was scored for {empty.size} of the {word} (first: {empty[0] + 1}).")
    table.setflags(write=False)
    return table


def read_names(names: Sequence[Any] | None, n: int, what: str) -> tuple[str, ...]:
    """`names` as unique strings, or "1", "2", …; raises BadParameters on a wrong number or repetition."""
    if names is None:
        return tuple(str(i + 1) for i in range(n))
    out = tuple(str(name) for name in names)
    if len(out) != n:
        raise BadParameters(f"{len(out)} names for {n} {what}: give one each.")
    if len(set(out)) != n:
        raise BadParameters(f"Names of {what} repeat: give each its own.")
    return out


def read_vector(values: ArrayLike, n: int, what: str, *, positive: bool = False) -> Floats:
    """One finite number, or one each, as n float64; BadParameters otherwise. `what`: plural, for the message."""
    refusal = f"Give one number for all {what}, or one for each of the {n}."
    numbers = read_numbers(values, refusal, BadParameters)
    if numbers.shape not in ((), (1,), (n,)):
        raise BadParameters(refusal)
    vector = np.array(np.broadcast_to(numbers, (n,)))
    if not np.isfinite(vector).all() or (positive and (vector <= 0).any()):
        raise BadParameters(f"The numbers for {what} must be finite{' and positive' if positive else ''}.")
    return vector


def read_confidence(confidence: float) -> float:
    """Raises BadParameters unless 0 < confidence < 1."""
    if not 0.0 < confidence < 1.0:
        raise BadParameters(f"A confidence level lies between 0 and 1; this is {confidence}.")
    return float(confidence)


def read_levels(
    labels: Sequence[Hashable] | ArrayLike, what: str
) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Codes 0… and names of one facet given in long format, in the order of sorted labels.

    Raises BadResponses for a missing label (None, NaN, "").
    """
    try:
        column: list[Any] = (
            labels.tolist() if isinstance(labels, np.ndarray) else list(cast("Sequence[Any]", labels))
        )
        hash(tuple(column))
    except TypeError:
        raise BadResponses(f"Name the {what} of every row, one name each.") from None
    for label in column:
        if label is None or label == "" or label != label:
            raise BadResponses(f"A row has no {what}: name one in every row.")
    try:
        levels = sorted(set(column))
    except TypeError:
        levels = sorted(set(column), key=str)
    code = {level: i for i, level in enumerate(levels)}
    names = tuple(str(level) for level in levels)
    if len(set(names)) != len(names):
        raise BadResponses(f"Two {what}s have the same name in different types: use one type.")
    return np.array([code[label] for label in column], dtype=np.intp), names
