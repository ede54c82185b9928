"""What a form must be: constraints by name, and what to make as good as possible.

Constraint classes and objectives follow van der Linden, *Linear Models for Optimal Test Design* (2005),
chapters 3 and 4: quantitative, categorical and logical constraints on items and on item sets, relative
(maximin) and absolute (minimax) targets for the information function.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scoring.assembly.pool import Cell, Pool
from scoring.errors import BadParameters

Measure = Literal["count", "sum", "mean", "share"]
MEASURES: tuple[Measure, ...] = ("count", "sum", "mean", "share")


@dataclass(frozen=True)
class Between:
    """Numbers from `low` to `high`, both included unless `open` (then neither is)."""

    low: float = -math.inf
    high: float = math.inf
    open: bool = False

    def holds(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        with np.errstate(invalid="ignore"):
            if self.open:
                return np.asarray((values > self.low) & (values < self.high))
            return np.asarray((values >= self.low) & (values <= self.high))


Condition = str | float | Between | Collection[str | float]


@dataclass(frozen=True)
class Constraint:
    """`low` ≤ measure of the chosen items that meet `where` ≤ `high`, in every form.

    `measure`: "count" of items; "sum" of the numeric attribute `of` (minutes, words, marks); "mean" of
    `of` over the matching items; "share" (0 to 1) of the form's items that match.
    `where`: attribute → value, collection of values, or Between; all must hold; an unknown attribute
    value (None) never matches.  `per_stimulus`: count or sum over the chosen stimuli instead of items (a
    text's words are read once, however many items it carries); `of` must then agree within a stimulus.
    """

    name: str
    low: float = -math.inf
    high: float = math.inf
    where: Mapping[str, Condition] = field(default_factory=dict)
    measure: Measure = "count"
    of: str | None = None
    per_stimulus: bool = False

    def __post_init__(self) -> None:
        if not self.name:
            raise BadParameters("A constraint needs a name: it is how a conflict is reported.")
        if self.measure not in MEASURES:
            raise BadParameters(f"{self.name}: the measure is one of {', '.join(MEASURES)}.")
        if (self.measure in ("sum", "mean")) != (self.of is not None):
            raise BadParameters(f"{self.name}: `of` names the attribute of a sum or mean, and only of these.")
        if self.per_stimulus and self.measure not in ("count", "sum"):
            raise BadParameters(f"{self.name}: stimuli can be counted or summed, nothing else.")
        if math.isnan(self.low) or math.isnan(self.high) or self.low > self.high:
            raise BadParameters(f"{self.name}: low {self.low} must not exceed high {self.high}.")
        if math.isinf(self.low) and math.isinf(self.high):
            raise BadParameters(f"{self.name}: give a low or a high limit.")

    def matches(self, pool: Pool) -> NDArray[np.bool_]:
        """Which items of the pool meet `where`."""
        mask = np.ones(len(pool), dtype=bool)
        for attribute, condition in self.where.items():
            mask &= _holds(pool, attribute, condition, self.name)
        return mask


@dataclass(frozen=True)
class Maximise:
    """Largest Σ_form Σ_k weight_k · measure_k; measures are information at the pool's `theta` points, or
    the sums of the numeric attributes named in `of` (a negative weight makes a sum small)."""

    weights: Sequence[float]
    of: Sequence[str] = ()


@dataclass(frozen=True)
class Maximin:
    """Largest y with measure_k of every form ≥ relative_k · y: the shape of the information is prescribed,
    its height is as great as the pool allows (van der Linden & Boekkooi-Timminga 1989)."""

    relative: Sequence[float]
    of: Sequence[str] = ()


@dataclass(frozen=True)
class Target:
    """Smallest largest deviation |measure_k − value_k| · weight_k over forms and points: parallel forms, or
    a form parallel to last year's. `weights` default to 1."""

    values: Sequence[float]
    weights: Sequence[float] = ()
    of: Sequence[str] = ()


@dataclass(frozen=True)
class Lot:
    """Any form that meets the blueprint, chosen by items' random weights drawn from `seed`: for pools
    without item parameters. Not a uniform draw from all such forms."""

    seed: int


Objective = Maximise | Maximin | Target | Lot


@dataclass(frozen=True)
class StimulusRule:
    """For forms with item sets: `count` stimuli per form (low, high); `items` per chosen stimulus
    (low, high). Items without a stimulus stay free."""

    count: tuple[float, float] = (0, math.inf)
    items: tuple[float, float] = (1, math.inf)


@dataclass(frozen=True)
class Blueprint:
    """A form's length, constraints and objective.

    `length`: items per form, (low, high).  `enemies`: groups of ids of which one form takes at most one.
    `include`: ids that every form must hold (anchors, exempt from `overlap`); `exclude`: ids that none may.
    `overlap`: how many items two parallel forms may share besides `include`.
    """

    length: tuple[float, float]
    constraints: tuple[Constraint, ...] = ()
    objective: Objective = Lot(0)
    enemies: tuple[tuple[str, ...], ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    overlap: int = 0
    stimuli: StimulusRule | None = None

    def __post_init__(self) -> None:
        low, high = self.length
        if not (0 <= low <= high) or high < 1:
            raise BadParameters(f"A form's length runs from {low} to {high}: give 0 ≤ low ≤ high, high ≥ 1.")
        names = [constraint.name for constraint in self.constraints]
        if len(set(names)) != len(names):
            twice = next(name for i, name in enumerate(names) if name in names[:i])
            raise BadParameters(
                f"Two constraints are called {twice!r}: conflicts are reported by name, so each needs its own."
            )
        if self.overlap < 0:
            raise BadParameters("Forms cannot share fewer than no items: overlap must be 0 or more.")


def measures(pool: Pool, objective: Maximise | Maximin | Target) -> NDArray[np.float64]:
    """measures × items: what the objective adds up. Raises BadParameters when the pool does not know it."""
    if objective.of:
        rows = np.array([complete(pool, attribute, "the objective") for attribute in objective.of])
    elif pool.information is None:
        raise BadParameters(
            "The objective needs information at ability points, but the pool has none: "
            "give item parameters, an attribute in `of`, or draw by lot."
        )
    else:
        rows = pool.information.T
    given = (
        objective.weights
        if isinstance(objective, Maximise)
        else objective.relative
        if isinstance(objective, Maximin)
        else objective.values
    )
    if len(given) != rows.shape[0]:
        raise BadParameters(
            f"The objective has {len(given)} values for {rows.shape[0]} points or attributes."
        )
    if not np.isfinite(np.asarray(given, dtype=float)).all():
        raise BadParameters("The objective's values must be finite numbers.")
    return np.asarray(rows, dtype=np.float64)


def complete(
    pool: Pool, attribute: str, asker: str, mask: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """A numeric column without gaps where `mask` holds (0 elsewhere). Raises BadParameters naming the item."""
    values = pool.numbers(attribute)
    needed = np.ones(len(pool), dtype=bool) if mask is None else mask
    gaps = np.flatnonzero(np.isnan(values) & needed)
    if gaps.size:
        raise BadParameters(
            f"Item {pool.ids[int(gaps[0])]!r} has no {attribute!r}, which {asker} needs ({gaps.size} such items)."
        )
    return np.where(needed, values, 0.0)


def _holds(pool: Pool, attribute: str, condition: Condition, asker: str) -> NDArray[np.bool_]:
    if isinstance(condition, Between):
        return condition.holds(pool.numbers(attribute))
    cells = pool.column(attribute)
    numeric = not any(isinstance(cell, str) for cell in cells)
    wanted = [condition] if isinstance(condition, (str, int, float)) else list(condition)
    allowed: set[Cell] = set()
    for value in wanted:
        if not numeric:
            allowed.add(value if isinstance(value, str) else f"{value:g}")
            continue
        try:
            allowed.add(float(value))
        except ValueError:
            raise BadParameters(
                f"{asker}: column {attribute!r} is numeric and cannot equal {value!r}."
            ) from None
    return np.array([cell is not None and cell in allowed for cell in cells], dtype=bool)
