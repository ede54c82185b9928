"""The item pool from which forms are assembled."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import BadParameters

Cell = str | float | None


@dataclass(frozen=True, eq=False)
class Pool:
    """Items that may be drawn.

    `ids`: one unique name per item.  `attributes`: column name → one value per item; a column is numeric
    when all its values are numbers (or None), otherwise text; None = not known.
    `information`: items × points, Fisher information of each item at each ability in `theta` (None where
    no item parameters are known).  `stimuli`: the text, case or table to which the item belongs, or None.
    Build one with `Pool.of`, which checks.
    """

    ids: tuple[str, ...]
    attributes: Mapping[str, tuple[Cell, ...]]
    theta: tuple[float, ...] = ()
    information: NDArray[np.float64] | None = None
    stimuli: tuple[str | None, ...] = ()

    @classmethod
    def of(
        cls,
        ids: Sequence[str],
        attributes: Mapping[str, Sequence[Any]] | None = None,
        *,
        theta: Sequence[float] = (),
        information: ArrayLike | None = None,
        stimuli: Sequence[str | None] | None = None,
    ) -> Pool:
        """Check and freeze a pool.

        Raises BadParameters: no items, repeated ids, columns of another length, values that are neither
        text nor finite numbers, information that is negative, not finite or not items × points.
        """
        names = tuple(str(name) for name in ids)
        if not names:
            raise BadParameters("The pool is empty: there is nothing to assemble from.")
        if len(set(names)) != len(names):
            twice = next(name for i, name in enumerate(names) if name in names[:i])
            raise BadParameters(f"Item {twice!r} stands in the pool twice: give every item its own id.")
        columns: dict[str, tuple[Cell, ...]] = {}
        for column, values in (attributes or {}).items():
            if len(values) != len(names):
                raise BadParameters(
                    f"Column {column!r} has {len(values)} values for {len(names)} items: give one per item."
                )
            columns[column] = _column(column, values)
        points = tuple(float(point) for point in theta)
        matrix: NDArray[np.float64] | None = None
        if information is not None:
            matrix = np.array(information, dtype=np.float64)
            if matrix.shape != (len(names), len(points)) or not points:
                raise BadParameters(
                    f"Information must be items × points, {len(names)} × {len(points)}; it is {matrix.shape}."
                )
            if not np.isfinite(matrix).all() or (matrix < 0).any():
                raise BadParameters("Information must be finite and not negative at every point.")
            matrix.setflags(write=False)
        sets: tuple[str | None, ...] = ()
        if stimuli is not None:
            if len(stimuli) != len(names):
                raise BadParameters(
                    f"{len(stimuli)} stimuli for {len(names)} items: give one (or None) per item."
                )
            sets = tuple(None if value is None or value == "" else str(value) for value in stimuli)
        return cls(names, columns, points, matrix, sets)

    def __len__(self) -> int:
        return len(self.ids)

    def column(self, name: str) -> tuple[Cell, ...]:
        """Values of one attribute. Raises BadParameters when the pool has no such column."""
        try:
            return self.attributes[name]
        except KeyError:
            known = ", ".join(sorted(self.attributes)) or "none"
            raise BadParameters(f"The pool has no column {name!r}; its columns are: {known}.") from None

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A numeric attribute, NaN where it is not known. Raises BadParameters when it is text."""
        values = self.column(name)
        if any(isinstance(value, str) for value in values):
            raise BadParameters(f"Column {name!r} holds text: only numbers can be summed or compared.")
        return np.array([math.nan if value is None else float(value) for value in values])


def _column(name: str, values: Sequence[Any]) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    for value in values:
        if value is None or (isinstance(value, str) and value == ""):
            cells.append(None)
        elif isinstance(value, str):
            cells.append(value)
        elif isinstance(value, (bool, int, float, np.generic)):
            number = float(value)
            if math.isnan(number):
                cells.append(None)
            elif math.isinf(number):
                raise BadParameters(f"Column {name!r} holds an infinite number.")
            else:
                cells.append(number)
        else:
            raise BadParameters(f"Column {name!r} holds {value!r}: attributes are texts or numbers.")
    if any(isinstance(cell, str) for cell in cells):
        cells = [f"{cell:g}" if isinstance(cell, float) else cell for cell in cells]
    return tuple(cells)
