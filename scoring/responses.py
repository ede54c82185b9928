"""The gate for response matrices: every function of `scoring` that takes responses reads them here.

Rows are persons, columns are items; a response is a category 0, 1, 2, …; NaN (or None, or a masked
element) means *not administered*, which is not the same as wrong: nothing here turns one into the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import BadResponses
from scoring.numbers import read_numbers

NOT_ADMINISTERED = -1
_BLOCK = 16_384
_SAMPLE = 2_048

_Array = TypeVar("_Array", bound=np.ndarray[Any, Any])


@dataclass(frozen=True, eq=False)
class Responses:
    """A checked response matrix.

    `codes`: persons × items, int8 (int16 where a category exceeds 127), read-only; −1 = not administered.
    `categories`: number of categories of each item (highest category + 1, or as declared).
    `weights`: one non-negative weight per person (a frequency; 1 by default).
    `items`: item names, `"1"`, `"2"`, … where none were given.
    `complete`: no response is missing.
    """

    codes: NDArray[np.signedinteger[Any]]
    categories: NDArray[np.intp]
    weights: NDArray[np.float64]
    items: tuple[str, ...]
    complete: bool

    @property
    def n_persons(self) -> int:
        return int(self.codes.shape[0])

    @property
    def n_items(self) -> int:
        return int(self.codes.shape[1])

    @property
    def observed(self) -> NDArray[np.bool_]:
        """persons × items: True where the item was administered."""
        return self.codes >= 0

    def matrix(self) -> NDArray[np.float64]:
        """persons × items in float64 with NaN for not administered (8 bytes a cell: not for millions)."""
        values = self.codes.astype(np.float64)
        values[self.codes < 0] = np.nan
        return values

    def select(self, persons: NDArray[Any]) -> Responses:
        """The given persons (index or mask), all items, the same categories."""
        codes = _frozen(np.ascontiguousarray(self.codes[persons]))
        complete = self.complete or not bool((codes < 0).any())
        return Responses(codes, self.categories, _frozen(self.weights[persons]), self.items, complete)


@dataclass(frozen=True, eq=False)
class CollapsedRows:
    """`responses` with identical rows merged (weights added) and, for each person, `row`: where it went."""

    responses: Responses
    row: NDArray[np.intp]


def read_responses(
    responses: ArrayLike | Responses,
    *,
    categories: int | Sequence[int] | None = None,
    weights: ArrayLike | None = None,
    items: Sequence[str] | None = None,
    single_row: bool = False,
) -> Responses:
    """Check a response matrix and store it compactly (one byte a cell).

    `categories`: number of categories, for all items or for each; a response beyond it is refused. Without
    it the highest category seen decides.  `single_row`: a one-dimensional input is one person.
    Numbers may be of any real type; they must be whole. The input is never changed.

    Raises BadResponses: wrong shape, nothing in it, text, infinite, negative or fractional values, a
    category beyond those declared, weights that are negative, not finite, all zero or of the wrong length.
    """
    if isinstance(responses, Responses):
        if categories is None and weights is None and items is None:
            return responses
        raise BadResponses("This matrix has passed the gate already; give weights and names when it is read.")
    codes, complete = _read_codes(responses, single_row)
    n, k = codes.shape
    highest = codes.max(axis=0).astype(np.intp)
    names = tuple(str(j + 1) for j in range(k)) if items is None else tuple(str(name) for name in items)
    if len(names) != k:
        raise BadResponses(f"{len(names)} item names for {k} columns: give one name per column.")
    if len(set(names)) != k:
        raise BadResponses("Item names repeat: give every column its own name.")
    if categories is None:
        counts = highest + 1
    else:
        declared = np.asarray(categories)
        if (
            declared.dtype.kind not in "iu"
            or declared.ndim > 1
            or (declared.ndim == 1 and declared.size != k)
        ):
            raise BadResponses("Declare the number of categories as one whole number, or one for each item.")
        counts = np.broadcast_to(declared.astype(np.intp), (k,)).copy()
        if (counts < 1).any():
            raise BadResponses("An item needs at least one category.")
        beyond = np.flatnonzero(highest >= counts)
        if beyond.size:
            j = int(beyond[0])
            raise BadResponses(
                f"Item {names[j]} holds category {highest[j]}, but only 0 to {counts[j] - 1} were declared."
            )
    return Responses(_frozen(codes), _frozen(counts), _read_weights(weights, n), names, complete)


def collapse_rows(responses: Responses, *, always: bool = False) -> CollapsedRows | None:
    """Merge identical rows where it pays: None unless at least 30 % of a spread sample repeats another row.

    `always` merges without asking. Exact: rows are compared by a 64-bit hash and then cell by cell.
    Rows come out in the order of their first person.
    """
    codes = responses.codes
    n = codes.shape[0]
    if not always:
        sample = codes[:: max(1, n // _SAMPLE)]
        if np.unique(_hash(sample)).size > 0.7 * sample.shape[0]:
            return None
    _, first, row = np.unique(_hash(codes), return_index=True, return_inverse=True)
    row = row.reshape(-1)
    for start in range(0, n, _BLOCK):
        stop = min(start + _BLOCK, n)
        if not np.array_equal(codes[start:stop], codes[first[row[start:stop]]]):  # a hash collision
            _, first, row = np.unique(codes, axis=0, return_index=True, return_inverse=True)
            row = row.reshape(-1)
            break
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    row = rank[row]
    weights = np.zeros(order.size)
    np.add.at(weights, row, responses.weights)
    merged = Responses(
        _frozen(np.ascontiguousarray(codes[first[order]])),
        responses.categories,
        _frozen(weights),
        responses.items,
        responses.complete,
    )
    return CollapsedRows(merged, _frozen(row.astype(np.intp)))


def _read_codes(responses: Any, single_row: bool) -> tuple[NDArray[np.signedinteger[Any]], bool]:
    values = np.ma.filled(responses.astype(float), np.nan) if np.ma.isMaskedArray(responses) else responses
    try:
        values = np.asarray(values)
        if values.dtype.kind == "O":
            values = values.astype(np.float64)
    except (TypeError, ValueError):
        raise BadResponses(
            "Responses must be numbers in a rectangular table (NaN = not administered)."
        ) from None
    if values.dtype.kind not in "biuf":
        raise BadResponses(
            "Responses must be numbers (NaN = not administered); mark texts against a key first."
        )
    if values.ndim == 1 and single_row:
        values = values[None, :]
    if values.ndim != 2:
        raise BadResponses(f"Responses must be persons × items; this has {values.ndim} dimension(s).")
    n, k = values.shape
    if n == 0 or k == 0:
        raise BadResponses(f"Nothing to score: {n} persons and {k} items.")
    # Two passes in blocks: a million rows of float64 never have a second copy of that size.
    top = 0
    for start in range(0, n, _BLOCK):
        block = values[start : start + _BLOCK]
        if values.dtype.kind == "f":
            block = block[~np.isnan(block)]
            if block.size and not np.array_equal(block, np.rint(block)):
                raise BadResponses("A response is not a whole number: responses are categories 0, 1, 2, …")
        if block.size == 0:
            continue
        low, high = block.min(), block.max()
        if values.dtype.kind == "f" and not np.isfinite(high):
            raise BadResponses("A response is infinite: responses are categories 0, 1, 2, …")
        if low < 0:
            raise BadResponses(
                f"A response is {low}: categories begin at 0; use NaN, not a negative code, for not administered."
            )
        top = max(top, int(high))
    if top > np.iinfo(np.int16).max:
        raise BadResponses(f"A response is {top}: categories above 32767 are not categories.")
    kind = np.dtype(np.int8 if top <= np.iinfo(np.int8).max else np.int16)
    if values.dtype.kind != "f":
        return np.array(values, dtype=kind, order="C"), True
    codes = np.empty((n, k), dtype=kind)
    complete = True
    for start in range(0, n, _BLOCK):
        block = values[start : start + _BLOCK]
        missing = np.isnan(block)
        if missing.any():
            complete = False
            block = np.where(missing, NOT_ADMINISTERED, block)
        codes[start : start + _BLOCK] = block
    return codes, complete


def _read_weights(weights: ArrayLike | None, n: int) -> NDArray[np.float64]:
    if weights is None:
        return _frozen(np.ones(n))
    values = read_numbers(weights, "Person weights must be numbers.")
    if values.shape != (n,):
        raise BadResponses(f"{values.size} person weights for {n} persons: give one each.")
    if not np.isfinite(values).all() or (values < 0).any():
        raise BadResponses("Person weights must be finite and not negative.")
    if not values.any():
        raise BadResponses("All person weights are zero: nobody is left.")
    return _frozen(values)


def _hash(codes: NDArray[Any]) -> NDArray[np.uint64]:
    """One 64-bit number a row; equal rows have equal numbers."""
    rng = np.random.Generator(np.random.PCG64(8_191))
    table = rng.integers(0, 2**64, size=codes.shape[1], dtype=np.uint64) | np.uint64(1)
    out = np.empty(codes.shape[0], dtype=np.uint64)
    for start in range(0, codes.shape[0], _BLOCK):
        block = codes[start : start + _BLOCK].astype(np.int64).view(np.uint64)
        out[start : start + _BLOCK] = (block * table).sum(axis=1, dtype=np.uint64)
    return out


def _frozen(values: _Array) -> _Array:
    values.setflags(write=False)
    return values
