"""Reading groups and responses for DIF; score levels and purification, which its methods share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.dif.results import LogisticDif, MantelHaenszel
from scoring.errors import BadParameters, BadResponses, NotIdentified, TooFewObservations
from scoring.numbers import read_numbers
from scoring.responses import Responses, read_responses

Floats = NDArray[np.float64]

MINIMUM_GROUP = 50
"""Persons per group. With 50, Mantel–Haenszel notices an item at the border of class C in one case of six (its
standard error of delta is about 8/sqrt(group size); benchmarks/screening.py), with fewer still less: "nothing
found" would be read as "nothing there"."""
PURIFICATION_STEPS = 20

Purifiable = TypeVar("Purifiable", MantelHaenszel, LogisticDif)


@dataclass(frozen=True, eq=False)
class Matched:
    """Scored responses `x` (persons × items), `focal` membership, item names."""

    x: NDArray[np.intp]
    focal: NDArray[np.bool_]
    items: tuple[str, ...]


def read(responses: ArrayLike | Responses, focal: ArrayLike, minimum: int, alpha: float) -> Matched:
    read = read_responses(responses)
    if not read.complete:
        raise BadResponses("DIF matches on total scores: leave out persons with items not administered.")
    if (read.codes > 1).any():
        raise BadResponses("DIF methods here take scored items, 0 and 1.")
    if read.n_items < 2:
        raise BadResponses("One item cannot be compared with a total score of itself.")
    member = read_groups(focal, read.n_persons, minimum, alpha)
    return Matched(read.codes.astype(np.intp), member, read.items)


def read_groups(focal: ArrayLike, n_persons: int, minimum: int, alpha: float) -> NDArray[np.bool_]:
    """Who belongs to the focal group; refuses where either group is too small for a finding to mean anything."""
    if not 0 < alpha < 1:
        raise BadParameters("alpha must lie between 0 and 1.")
    group = read_numbers(focal, "Give 0 (reference) or 1 (focal) for each person.", BadParameters)
    if group.shape != (n_persons,) or not np.isin(group, (0, 1)).all():
        raise BadParameters("Give 0 (reference) or 1 (focal) for each person.")
    member = group.astype(bool)
    smaller = min(int(member.sum()), int((~member).sum()))
    if smaller == 0:
        raise NotIdentified("Only one group is present: there is nothing to compare.")
    if smaller < minimum:
        raise TooFewObservations(
            f"The smaller group has {smaller} persons: below {minimum} an absence of DIF could not be told from "
            "an absence of data. Let a panel review the items instead."
        )
    return member


def read_match(match: ArrayLike | None, data: Matched) -> NDArray[np.intp] | None:
    if match is None:
        return None
    values = read_numbers(match, "The matching criterion must be numbers, one per person.", BadParameters)
    if (
        values.shape != (data.x.shape[0],)
        or not np.isfinite(values).all()
        or (values != np.rint(values)).any()
    ):
        raise BadParameters("The matching criterion is one whole number per person.")
    return np.asarray(values - values.min(), dtype=np.intp)


def totals(
    data: Matched, anchor: NDArray[np.bool_], j: int, outside: NDArray[np.intp] | None
) -> NDArray[np.intp]:
    if outside is not None:
        return outside
    total = data.x[:, anchor].sum(axis=1)
    return np.asarray(total if anchor[j] else total + data.x[:, j], dtype=np.intp)


def tables(data: Matched, j: int, total: NDArray[np.intp]) -> tuple[Floats, Floats, Floats, Floats]:
    """Per score level: reference right, reference wrong, focal right, focal wrong."""
    levels = int(total.max()) + 1
    cell = total * 4 + data.focal * 2 + (1 - data.x[:, j])
    counts = np.bincount(cell, minlength=levels * 4).reshape(levels, 4).astype(np.float64)
    return counts[:, 0], counts[:, 1], counts[:, 2], counts[:, 3]


def purified(analyse: Callable[[NDArray[np.bool_]], Purifiable], data: Matched, purify: bool) -> Purifiable:
    """`analyse(anchor items)`, repeated without the flagged items until the flagged set repeats."""
    anchor = np.ones(data.x.shape[1], dtype=bool)
    result = analyse(anchor)
    if not purify:
        return result
    steps = [tuple(np.flatnonzero(result.flagged).tolist())]
    for _ in range(PURIFICATION_STEPS):
        anchor = ~result.flagged
        if not anchor.any():
            raise NotIdentified(
                "Every item is flagged: nothing is left to match on. Look at the groups, not at the items."
            )
        result = analyse(anchor)
        steps.append(tuple(np.flatnonzero(result.flagged).tolist()))
        if steps[-1] == steps[-2]:
            return replace(result, steps=tuple(steps), settled=True)
        if steps[-1] in steps[:-1]:
            break  # the sets go round in a circle: the last one is returned and says so
    return replace(result, steps=tuple(steps), settled=False)
