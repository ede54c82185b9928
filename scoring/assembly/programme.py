"""A blueprint as a mixed integer linear programme.

A programme has parts. A part of size k stands for k parallel forms at once: k times the limits, k times the
measures, each item at most once. Parts of size 1 are the forms themselves; one part of size `forms` is the
relaxation whose solution is then divided (the big shadow test of van der Linden & Adema 1998).

Columns, in this order: x (part by part, item by item) = item in part; y (part by part, stimulus by
stimulus) = stimulus in part; z (pair of forms by item) = item in both; then at most one continuous column,
the height or the deviation of the objective. Minimised: `costs` · columns.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from scoring.assembly.blueprint import (
    Blueprint,
    Constraint,
    Lot,
    Maximin,
    Maximise,
    complete,
    measures,
)
from scoring.assembly.pool import Pool
from scoring.errors import BadParameters

OBJECTIVE = "objective"
"""Name of the rows that only define the objective: they never take part in a conflict."""
OVERLAP = "overlap"
"""Name of the rows that keep forms apart."""
STRUCTURE = "structure"
"""Name of the rows that tie stimuli and shared items to items: logic, not a wish of the blueprint."""


@dataclass(frozen=True, eq=False)
class Requirement:
    """One named constraint as numbers: low ≤ numerator·x / denominator·x ≤ high in every form.

    `denominator` is None for counts and sums. Coefficients are over items, then stimuli.
    """

    name: str
    low: float
    high: float
    numerator: NDArray[np.float64]
    denominator: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class Programme:
    """`matrix` rows × columns, `low` ≤ matrix·columns ≤ `high`; `groups[r]` indexes `names`.

    `offset`: what to add to the minimised value so that a relative gap means something.
    `scalar`: the last column is the objective's height or deviation.
    """

    n_items: int
    n_stimuli: int
    parts: tuple[int, ...]
    costs: NDArray[np.float64]
    matrix: sparse.csr_array
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    groups: NDArray[np.intp]
    names: tuple[str, ...]
    upper: NDArray[np.float64]
    integral: NDArray[np.bool_]
    requirements: tuple[Requirement, ...]
    offset: float
    scalar: bool

    @property
    def forms(self) -> int:
        return sum(self.parts)

    @property
    def items(self) -> slice:
        return slice(0, len(self.parts) * self.n_items)

    def part_columns(self, part: int) -> NDArray[np.intp]:
        """Columns of one part's items, then of its stimuli: the order of a requirement's coefficients."""
        return _part_columns(part, len(self.parts), self.n_items, self.n_stimuli)


class _Rows:
    """Collects sparse rows with their limits and names."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.blocks: list[sparse.coo_array] = []
        self.low: list[float] = []
        self.high: list[float] = []
        self.groups: list[int] = []
        self.names: dict[str, int] = {}

    def add(self, name: str, columns: ArrayLike, values: ArrayLike, low: float, high: float) -> None:
        """One row."""
        at = np.asarray(columns, dtype=np.intp)
        self.add_block(name, np.zeros(at.size, dtype=np.intp), at, values, [low], [high])

    def add_block(
        self,
        name: str,
        rows: NDArray[np.intp],
        columns: NDArray[np.intp],
        values: ArrayLike,
        low: Sequence[float] | NDArray[np.float64],
        high: Sequence[float] | NDArray[np.float64],
    ) -> None:
        data = np.broadcast_to(np.asarray(values, dtype=np.float64), columns.shape)
        kept = data != 0
        shape = (len(low), self.width)
        self.blocks.append(sparse.coo_array((data[kept], (rows[kept], columns[kept])), shape=shape))
        self.low.extend(low)
        self.high.extend(high)
        self.groups.extend([self.names.setdefault(name, len(self.names))] * len(low))


def build(pool: Pool, blueprint: Blueprint, parts: tuple[int, ...]) -> Programme:
    """The programme of parallel forms gathered in parts. Raises BadParameters when pool and blueprint do not fit."""
    if not parts or min(parts) < 1:
        raise BadParameters("Assemble at least one form.")
    n = len(pool)
    stimuli, member = _stimuli(pool, blueprint)
    s = len(stimuli)
    shared = len(parts) > 1 and blueprint.overlap > 0
    pairs = list(itertools.combinations(range(len(parts)), 2)) if shared else []
    scalar = not isinstance(blueprint.objective, (Lot, Maximise))
    base = len(parts) * (n + s)
    width = base + len(pairs) * n + int(scalar)
    rows = _Rows(width)
    index = {name: i for i, name in enumerate(pool.ids)}
    include = _positions(index, blueprint.include, "include")
    exclude = _positions(index, blueprint.exclude, "exclude")
    requirements = _requirements(pool, blueprint, stimuli, member, index, include, exclude)
    anchors = np.zeros(n + s, dtype=bool)
    anchors[include] = True
    anchors[n + member[include][member[include] >= 0]] = True
    upper = np.ones(width)
    for part, size in enumerate(parts):
        at = _part_columns(part, len(parts), n, s)
        upper[at[anchors]] = size  # an anchor stands in each of the part's forms
        for need in requirements:
            _add_requirement(rows, need, at, size)
        if s:
            _tie_stimuli(rows, blueprint, member, s, at)
    if len(parts) > 1:
        _separate_parts(rows, blueprint, n, s, len(parts), pairs, base, anchors)
    costs = np.zeros(width)
    offset = _add_objective(rows, costs, pool, blueprint, parts)
    integral = np.ones(width, dtype=bool)
    # z is forced to 0 or 1 by the forms' binaries and the limit on its sum: integrality would cost for nothing.
    integral[base : base + len(pairs) * n] = False
    matrix = sparse.vstack(rows.blocks).tocsr()
    low, high = np.array(rows.low, dtype=np.float64), np.array(rows.high, dtype=np.float64)
    groups = np.array(rows.groups, dtype=np.intp)
    if scalar:
        own = groups == rows.names[OBJECTIVE]
        upper[-1] = _furthest(matrix[own], np.where(np.isfinite(low), low, high)[own], upper)
        integral[-1] = False
    return Programme(
        n,
        s,
        parts,
        costs,
        matrix,
        low,
        high,
        groups,
        tuple(rows.names),
        upper,
        integral,
        requirements,
        offset,
        scalar,
    )


def _furthest(rows: sparse.csr_array, level: NDArray[np.float64], upper: NDArray[np.float64]) -> float:
    """A height or deviation that no choice of items exceeds.

    Without it the last column is unbounded, and HiGHS 1.12's presolve then called a form optimal that was not (a target,
    a share as limit, 10 items: seed 1083 of the test against all subsets).
    """
    weight = np.abs(np.asarray(rows[:, [-1]].todense()).ravel())
    reach = np.abs(rows[:, :-1]) @ upper[:-1] + np.abs(level)
    return 1.0 + float((reach / weight).max())


def _part_columns(part: int, parts: int, n: int, s: int) -> NDArray[np.intp]:
    start = parts * n + part * s
    return np.concatenate([np.arange(part * n, (part + 1) * n), np.arange(start, start + s)])


def _positions(index: dict[str, int], ids: Sequence[str], what: str) -> NDArray[np.intp]:
    unknown = [name for name in ids if name not in index]
    if unknown:
        raise BadParameters(f"The blueprint's {what} names {unknown[0]!r}, which is not in the pool.")
    return np.array(sorted({index[name] for name in ids}), dtype=np.intp)


def _stimuli(pool: Pool, blueprint: Blueprint) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Stimuli of the pool and, for each item, its stimulus's number (−1 without)."""
    asks = blueprint.stimuli is not None or any(c.per_stimulus for c in blueprint.constraints)
    if not asks:
        return (), np.full(len(pool), -1, dtype=np.intp)
    names = tuple(dict.fromkeys(name for name in pool.stimuli if name is not None))
    if not names:
        raise BadParameters("The blueprint speaks of stimuli, but no item of the pool belongs to one.")
    number = {name: i for i, name in enumerate(names)}
    return names, np.array([-1 if v is None else number[v] for v in pool.stimuli], dtype=np.intp)


def _requirements(
    pool: Pool,
    blueprint: Blueprint,
    stimuli: tuple[str, ...],
    member: NDArray[np.intp],
    index: dict[str, int],
    include: NDArray[np.intp],
    exclude: NDArray[np.intp],
) -> tuple[Requirement, ...]:
    n, s = len(pool), len(stimuli)
    none = np.zeros(s)

    def indicator(positions: NDArray[np.intp]) -> NDArray[np.float64]:
        values = np.zeros(n + s)
        values[positions] = 1.0
        return values

    length = np.concatenate([np.ones(n), none])
    found = [Requirement("length", *blueprint.length, length)]
    for constraint in blueprint.constraints:
        mask = constraint.matches(pool)
        if constraint.per_stimulus:
            numerator = np.concatenate(
                [np.zeros(n), _stimulus_values(pool, constraint, mask, member, stimuli)]
            )
            found.append(Requirement(constraint.name, constraint.low, constraint.high, numerator))
            continue
        if constraint.of is None:
            values = mask.astype(np.float64)
        else:
            values = complete(pool, constraint.of, f"constraint {constraint.name!r}", mask)
        denominator = None
        if constraint.measure == "share":
            denominator = length
        elif constraint.measure == "mean":
            denominator = np.concatenate([mask.astype(np.float64), none])
        numerator = np.concatenate([values, none])
        found.append(Requirement(constraint.name, constraint.low, constraint.high, numerator, denominator))
    for group in blueprint.enemies:
        positions = _positions(index, group, "enemies")
        if positions.size > 1:
            found.append(Requirement(f"enemies {', '.join(group)}", -math.inf, 1.0, indicator(positions)))
    if include.size:
        found.append(Requirement("include", float(include.size), math.inf, indicator(include)))
    if exclude.size:
        found.append(Requirement("exclude", -math.inf, 0.0, indicator(exclude)))
    if blueprint.stimuli is not None:
        chosen = np.concatenate([np.zeros(n), np.ones(s)])
        low, high = blueprint.stimuli.count
        found.append(Requirement("stimuli", low, high, chosen))
    names = [need.name for need in found]
    if len(set(names)) != len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise BadParameters(f"The name {twice!r} belongs to two constraints: give each its own.")
    return tuple(found)


def _stimulus_values(
    pool: Pool,
    constraint: Constraint,
    mask: NDArray[np.bool_],
    member: NDArray[np.intp],
    stimuli: tuple[str, ...],
) -> NDArray[np.float64]:
    asker = f"constraint {constraint.name!r}"
    inside = mask & (member >= 0)
    values = (
        inside.astype(np.float64) if constraint.of is None else complete(pool, constraint.of, asker, inside)
    )
    out = np.zeros(len(stimuli))
    for number, name in enumerate(stimuli):
        own = member == number
        if not (own & inside).any():
            continue
        if not inside[own].all() or np.ptp(values[own]) > 0:
            raise BadParameters(
                f"{asker} counts stimuli, but the items of stimulus {name!r} differ in what it looks at."
            )
        out[number] = values[own][0]
    return out


def _add_requirement(rows: _Rows, need: Requirement, at: NDArray[np.intp], size: int) -> None:
    if need.denominator is None:
        rows.add(need.name, at, need.numerator, size * need.low, size * need.high)
        return
    # low ≤ N/D ≤ high with D > 0 is linear: N − low·D ≥ 0 and N − high·D ≤ 0.
    if math.isfinite(need.low):
        rows.add(need.name, at, need.numerator - need.low * need.denominator, 0.0, math.inf)
    if math.isfinite(need.high):
        rows.add(need.name, at, need.numerator - need.high * need.denominator, -math.inf, 0.0)


def _tie_stimuli(
    rows: _Rows, blueprint: Blueprint, member: NDArray[np.intp], s: int, at: NDArray[np.intp]
) -> None:
    n = member.size
    items = np.flatnonzero(member >= 0)
    r = np.arange(items.size)
    rows.add_block(  # an item brings its stimulus
        STRUCTURE,
        np.concatenate([r, r]),
        np.concatenate([at[items], at[n + member[items]]]),
        np.concatenate([np.ones(items.size), -np.ones(items.size)]),
        np.full(items.size, -math.inf),
        np.zeros(items.size),
    )
    low, high = blueprint.stimuli.items if blueprint.stimuli is not None else (1.0, math.inf)
    for number in range(s):
        own = np.flatnonzero(member == number)
        columns = np.append(at[own], at[n + number])
        name = "items per stimulus"
        rows.add(STRUCTURE, columns, np.append(np.ones(own.size), -1.0), 0.0, math.inf)
        if low > 1:
            rows.add(name, columns, np.append(np.ones(own.size), -float(low)), 0.0, math.inf)
        if high < own.size:
            rows.add(name, columns, np.append(np.ones(own.size), -float(high)), -math.inf, 0.0)


def _separate_parts(
    rows: _Rows,
    blueprint: Blueprint,
    n: int,
    s: int,
    parts: int,
    pairs: list[tuple[int, int]],
    base: int,
    anchors: NDArray[np.bool_],
) -> None:
    free = np.flatnonzero(~anchors[:n])
    if not pairs:
        # Neither an item nor a text may stand in two parts.
        for kind, start in ((free, 0), (np.flatnonzero(~anchors[n:]), parts * n)):
            width = n if start == 0 else s
            rows.add_block(
                OVERLAP,
                np.tile(np.arange(kind.size), parts),
                np.concatenate([start + part * width + kind for part in range(parts)]),
                1.0,
                np.full(kind.size, -math.inf),
                np.ones(kind.size),
            )
        return
    for p, (first, second) in enumerate(pairs):
        both = base + p * n + free
        rows.add_block(  # z ≥ x_first + x_second − 1
            STRUCTURE,
            np.tile(np.arange(free.size), 3),
            np.concatenate([first * n + free, second * n + free, both]),
            np.concatenate([np.ones(2 * free.size), -np.ones(free.size)]),
            np.full(free.size, -math.inf),
            np.ones(free.size),
        )
        rows.add(OVERLAP, both, np.ones(free.size), -math.inf, float(blueprint.overlap))


def _add_objective(
    rows: _Rows, costs: NDArray[np.float64], pool: Pool, blueprint: Blueprint, parts: tuple[int, ...]
) -> float:
    """Fill `costs` and add the rows that define the objective; returns the offset."""
    n = len(pool)
    objective = blueprint.objective
    if isinstance(objective, Lot):
        draw = np.random.Generator(np.random.PCG64(objective.seed)).random(n)
        costs[: len(parts) * n] = -np.tile(draw, len(parts))
        return 0.0
    rated = measures(pool, objective)
    if isinstance(objective, Maximise):
        costs[: len(parts) * n] = -np.tile(
            np.asarray(objective.weights, dtype=np.float64) @ rated, len(parts)
        )
        return 0.0
    last = rows.width - 1
    if isinstance(objective, Maximin):
        relative = np.asarray(objective.relative, dtype=np.float64)
        if (relative <= 0).any():
            raise BadParameters("Relative targets must be positive: leave out a point that does not matter.")
        costs[last] = -1.0
        for part, size in enumerate(parts):
            columns = np.append(np.arange(part * n, (part + 1) * n), last)
            for k in range(relative.size):
                rows.add(OBJECTIVE, columns, np.append(rated[k] / size, -relative[k]), 0.0, math.inf)
        return 0.0
    values = np.asarray(objective.values, dtype=np.float64)
    weights = np.asarray(objective.weights, dtype=np.float64) if objective.weights else np.ones(values.size)
    if weights.size != values.size or not (np.isfinite(weights) & (weights > 0)).all():
        raise BadParameters("A target needs one positive weight for each of its values (or none at all).")
    costs[last] = 1.0
    for part, size in enumerate(parts):
        columns = np.append(np.arange(part * n, (part + 1) * n), last)
        for k in range(values.size):
            level = values[k] * weights[k]
            mean = weights[k] * rated[k] / size
            rows.add(OBJECTIVE, columns, np.append(mean, -1.0), -math.inf, level)
            rows.add(OBJECTIVE, columns, np.append(mean, 1.0), level, math.inf)
    # A deviation may be zero, and a gap relative to zero never closes: it is taken relative to the target.
    return float(np.max(np.abs(values * weights)))
