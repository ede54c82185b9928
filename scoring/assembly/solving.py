"""Solving an assembly programme: bound, kernel, division, proof.

One part (`_direct`):
1. The linear relaxation bounds what any form can reach and prices every item (reduced cost).
2. A kernel, the cheapest hundred or so columns, is searched for any form within the asked gap of that bound; such a
   form is its own proof (Angelelli, Mansini & Speranza 2010).
3. Without one a wider kernel gives a good form, every column whose reduced cost exceeds its distance from the bound is
   fixed at 0, exactly, and branch and bound (HiGHS) runs on what is left.

Several parallel forms: their items are chosen together as one part of that size, whose bound holds for the
forms too, and divided by exchanges. Where that misses the asked gap, form after form is taken off, each of whole items,
while the rest need only stand as shares of items (the shadow of van der Linden & Adema 1998). Only when both miss it
does the search run on all forms at once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp

from scoring.assembly.exchange import FREE_ITEMS, divide
from scoring.assembly.programme import OBJECTIVE, Programme
from scoring.errors import NotConverged

FEASIBILITY = 2e-6
"""Largest violation of a row, relative to max(1, |limit|), that rounding the solver's answer may show."""

NARROW, WIDE = (2, 20), (3, 50)
"""Sizes of kernels: times the items that the relaxation uses, and so many more."""
NODES = 200
"""Nodes of the tree spent on a search that may fail before another way is tried."""
ROOM = 0.2
"""Share of the allowed distance from the bound that forms not yet taken off may use in advance."""
ANY = 0.05
"""Gap for searches whose cutoff says what is good enough: their first solution will do."""

OPTIMAL, TIME_LIMIT, INFEASIBLE, UNBOUNDED = 0, 1, 2, 3
"""Status numbers of scipy.optimize.milp and linprog."""

Builder = Callable[[tuple[int, ...]], Programme]


@dataclass(frozen=True, eq=False)
class Solution:
    """`columns` of `programme`, integers exact; `value` and `bound` of the minimised costs without offset.

    No solution can have a value below `bound`. `proven`: their distance is within the asked gap.
    `prices`: |reduced cost| of each column in the linear relaxation.
    """

    programme: Programme
    columns: NDArray[np.float64]
    value: float
    bound: float
    proven: bool
    prices: NDArray[np.float64]


class InfeasibleProgramme(Exception):
    """No solution of `programme` exists, by its relaxation or by exhausting the tree."""

    def __init__(self, programme: Programme) -> None:
        super().__init__("infeasible")
        self.programme = programme


def solve(build: Builder, forms: int, divisible: bool, gap: float, time_limit: float) -> Solution:
    """The best `forms` within `gap`, as far as `time_limit` seconds allow.

    `build`: the programme for given parts.  `divisible`: forms share nothing but anchors, so that items may
    be chosen together and divided.  Raises InfeasibleProgramme; NotConverged when the time ends before any
    solution is found, or the solver stops for numerical reasons.
    """
    end = time.monotonic() + time_limit
    programme = build((1,) * forms)
    if forms == 1 or not divisible:
        return _checked(_direct(programme, gap, end))
    try:
        whole = _direct(build((forms,)), 0.5 * gap, time.monotonic() + 0.25 * _left(end))
    except NotConverged:
        return _checked(_direct(programme, gap, end))
    enough = whole.bound + _allowed(programme, whole.bound, gap)
    known: tuple[NDArray[np.float64], float] | None = None
    for way in (_exchanged, _taken_off, _divided):
        columns = way(build, whole, enough, time.monotonic() + 0.5 * _left(end))
        if columns is None:
            continue
        value = _height(programme, columns)
        if known is None or value < known[1]:
            known = columns, value
        if value <= enough:
            return _checked(Solution(programme, columns, value, whole.bound, True, whole.prices))
    return _checked(_direct(programme, gap, end, floor=whole.bound, known=known))


def relaxation(
    programme: Programme, time_limit: float, rows: NDArray[np.bool_] | None = None
) -> OptimizeResult:
    """The linear relaxation, optionally of a subset of rows, with marginals."""
    matrix, low, high = programme.matrix, programme.low, programme.high
    if rows is not None:
        matrix, low, high = matrix[rows], low[rows], high[rows]
    equal = low == high
    above = np.isfinite(high) & ~equal
    below = np.isfinite(low) & ~equal
    limited = bool((above | below).any())
    return linprog(
        programme.costs,
        A_ub=sparse.vstack([matrix[above], -matrix[below]]) if limited else None,
        b_ub=np.concatenate([high[above], -low[below]]) if limited else None,
        A_eq=matrix[equal] if equal.any() else None,
        b_eq=low[equal] if equal.any() else None,
        bounds=np.column_stack([np.zeros(programme.costs.size), programme.upper]),
        method="highs",
        options={"time_limit": time_limit},
    )


def integer_programme(
    programme: Programme,
    rows: NDArray[np.bool_],
    costs: NDArray[np.float64],
    time_limit: float,
) -> OptimizeResult:
    """Branch and bound with other costs on a subset of rows, all columns: for feasibility and extremes."""
    constraints = None
    if rows.any():
        constraints = LinearConstraint(
            programme.matrix[rows].tocsc(), programme.low[rows], programme.high[rows]
        )
    return milp(
        costs,
        integrality=programme.integral.astype(int),
        bounds=Bounds(0.0, programme.upper),
        constraints=constraints,
        options={"time_limit": time_limit, "mip_rel_gap": 0.0},
    )


def _direct(
    programme: Programme,
    gap: float,
    end: float,
    floor: float = -math.inf,
    known: tuple[NDArray[np.float64], float] | None = None,
) -> Solution:
    """Relaxation, kernel, fixing, branch and bound. `floor`: a bound, `known`: a solution found before."""
    relaxed = relaxation(programme, _left(end))
    if relaxed.status == INFEASIBLE:
        raise InfeasibleProgramme(programme)
    if relaxed.status != OPTIMAL:
        raise NotConverged(
            f"The relaxation was not solved in time ({relaxed.message}): allow more time.",
            iterations=int(relaxed.nit),
            change=math.nan,
        )
    floor = max(floor, float(relaxed.fun))
    allowed = _allowed(programme, floor, gap)
    prices = np.abs(relaxed.lower.marginals + relaxed.upper.marginals)
    best, value = (None, math.inf) if known is None else known
    for kernel, cutoff, share, nodes in (
        (_kernel(programme, np.asarray(relaxed.x), prices, *NARROW), floor + allowed, 1.0, NODES),
        (_kernel(programme, np.asarray(relaxed.x), prices, *WIDE), math.inf, 0.9, None),
    ):
        if known is not None or kernel is None or (math.isfinite(cutoff) and not programme.scalar):
            continue
        found = _branch(programme, kernel, share * gap, 0.25 * _left(end), cutoff, nodes)
        if found.x is None:
            continue
        best = np.zeros(programme.costs.size)
        best[kernel] = found.x
        value = _height(programme, best)
        if value - floor <= allowed:
            return Solution(programme, best, value, floor, True, prices)
    columns = np.arange(programme.costs.size)
    cutoff = math.inf
    if best is not None:
        # A column at its lower bound 0 whose price exceeds value − floor is 0 in every better solution.
        idle = np.asarray(relaxed.x) < 1e-9
        slack = value - float(relaxed.fun) + 1e-9
        columns = columns[~(idle & (prices > slack) & programme.integral)]
        cutoff = value
    found = _branch(programme, columns, gap, _left(end), cutoff)
    if found.status == INFEASIBLE:
        if best is None:
            raise InfeasibleProgramme(programme)
        return Solution(programme, best, value, value, True, prices)  # nothing better exists
    if found.mip_dual_bound is not None and math.isfinite(found.mip_dual_bound):
        floor = max(floor, float(found.mip_dual_bound) - programme.offset)
    if found.x is not None:
        full = np.zeros(programme.costs.size)
        full[columns] = found.x
        if _height(programme, full) < value:
            best, value = full, _height(programme, full)
    if best is None:
        raise NotConverged(
            "The time ended before any form was found or proven impossible: allow more time.",
            iterations=int(found.mip_node_count or 0),
            change=math.nan,
        )
    bound = min(floor, value)
    return Solution(programme, best, value, bound, value - bound <= allowed + 1e-9, prices)


def _exchanged(build: Builder, whole: Solution, enough: float, end: float) -> NDArray[np.float64] | None:
    """Forms from items chosen together, by exchanges (for pools without stimuli)."""
    programme = whole.programme
    if programme.n_stimuli:
        return None
    items = whole.columns[programme.items]
    anchors = np.flatnonzero(programme.upper[programme.items] > 1)
    single = np.setdiff1d(np.flatnonzero(items > 0.5), anchors)
    prices = whole.prices[programme.items].copy()
    prices[single] = prices[anchors] = math.inf
    free = np.argsort(prices, kind="stable")[: min(FREE_ITEMS, items.size - single.size - anchors.size)]
    return divide(build((1,) * programme.forms), single, free, anchors, enough, end)


def _taken_off(build: Builder, whole: Solution, enough: float, end: float) -> NDArray[np.float64] | None:
    """Form after form of whole items, while the rest need only stand as shares; None where one fails.

    With a height or deviation each form must reach `enough`, and the rest must leave room for it to be reached again;
    otherwise the items chosen together are divided, whose sum is what counts.
    """
    n, s, forms = whole.programme.n_items, whole.programme.n_stimuli, whole.programme.forms
    single = build((1,) * forms)
    out = np.zeros(single.costs.size)
    anchors = np.flatnonzero(whole.programme.upper[:n] > 1)
    used = np.zeros(n + s, dtype=bool)
    reference = max(abs(whole.bound + whole.programme.offset), 1e-9)
    share = max(0.9 * (enough - whole.value) / reference / forms, 1e-6)
    for first in range(forms):
        left = forms - first
        rest = _without(build((left,)), used)
        if single.scalar:
            relaxed = relaxation(rest, _left(end))
            if relaxed.status != OPTIMAL:
                return None
            prices = np.abs(relaxed.lower.marginals + relaxed.upper.marginals)
            kernel = _kernel(rest, np.asarray(relaxed.x), prices, *NARROW)
            at = np.arange(n + s) if kernel is None else kernel[kernel < n + s]
        else:
            at = np.flatnonzero(whole.columns[: n + s] > 0.5)
        at = at[~used[at]]
        cutoff = enough
        if left > 1:
            rest = _first_whole(_without(build((1, left - 1)), used), enough)
            cutoff = whole.bound + ROOM * (enough - whole.bound)
        columns = np.concatenate([rest.part_columns(part)[at] for part in range(len(rest.parts))])
        if rest.scalar:
            columns = np.append(columns, rest.costs.size - 1)
        found = _branch(rest, columns, ANY if rest.scalar else share, _left(end), cutoff, NODES)
        if found.x is None:
            return None
        chosen = np.zeros(n + s)
        chosen[at] = found.x[: at.size]
        out[single.part_columns(first)] = chosen
        used |= chosen > 0.5
        used[anchors] = False
        used[n:] &= whole.programme.upper[n : n + s] <= 1
    return out


def _divided(build: Builder, whole: Solution, enough: float, end: float) -> NDArray[np.float64] | None:
    """Forms from items chosen together, by halving them with integer programmes; None where one fails."""
    n, s, forms = whole.programme.n_items, whole.programme.n_stimuli, whole.programme.forms
    single = build((1,) * forms)
    out = np.zeros(single.costs.size)
    levels = math.ceil(math.log2(forms))
    # The whole has used part of the gap; each level of division may use an equal share of the rest.
    reference = max(abs(whole.bound + whole.programme.offset), 1e-9)
    share = max(0.9 * (enough - whole.value) / reference / levels, 1e-6)
    queue = [(0, forms, whole.columns[: n + s])]
    while queue:
        first, size, chosen = queue.pop()
        if size == 1:
            out[single.part_columns(first)] = chosen
            continue
        parts = (size - size // 2, size // 2)
        programme = build(parts)
        at = np.flatnonzero(chosen > 0.5)
        columns = np.concatenate([programme.part_columns(0)[at], programme.part_columns(1)[at]])
        if programme.scalar:
            columns = np.append(columns, programme.costs.size - 1)
        found = _branch(programme, columns, share, 0.25 * _left(end))
        if found.x is None:
            return None
        full = np.zeros(programme.costs.size)
        full[columns] = found.x
        for part in range(2):
            queue.append((first + part * parts[0], parts[part], full[programme.part_columns(part)]))
    return out


def _without(programme: Programme, used: NDArray[np.bool_]) -> Programme:
    """The same programme with some items and stimuli forbidden."""
    upper = programme.upper.copy()
    for part in range(len(programme.parts)):
        upper[programme.part_columns(part)[used]] = 0.0
    return replace(programme, upper=upper)


def _first_whole(programme: Programme, enough: float) -> Programme:
    """The first part must reach `enough` by itself; the others are continuous and alone make the objective."""
    integral = programme.integral.copy()
    for part in range(1, len(programme.parts)):
        integral[programme.part_columns(part)] = False
    if not programme.scalar:
        return replace(programme, integral=integral)
    # A row of the objective reads low ≤ measure + weight·scalar ≤ high: in the first part the scalar is settled.
    inside = np.diff(programme.matrix[:, programme.part_columns(0)].indptr) > 0
    own = inside & (programme.groups == programme.names.index(OBJECTIVE))
    weight = programme.matrix[:, [-1]].toarray().ravel() * own
    level = enough / programme.costs[-1]
    matrix = sparse.hstack([programme.matrix[:, :-1], programme.matrix[:, [-1]] * ~own[:, None]])
    return replace(
        programme,
        matrix=matrix.tocsr(),
        low=programme.low - weight * level,
        high=programme.high - weight * level,
        integral=integral,
    )


def _height(programme: Programme, columns: NDArray[np.float64]) -> float:
    """The minimised value of given items, with the scalar column set to what they reach exactly."""
    if programme.scalar:
        columns[-1] = 0.0
        own = programme.matrix[programme.groups == programme.names.index(OBJECTIVE)]
        reached = own @ columns
        weight = np.asarray(own[:, [programme.costs.size - 1]].todense()).ravel()
        limits = programme.groups == programme.names.index(OBJECTIVE)
        low, high = programme.low[limits], programme.high[limits]
        # Each row reads low ≤ reached + weight·scalar ≤ high with one side infinite.
        edge = np.where(np.isfinite(low), (low - reached) / weight, (high - reached) / weight)
        columns[-1] = edge.min() if programme.costs[-1] < 0 else max(0.0, float(edge.max()))
    return float(programme.costs @ columns)


def _allowed(programme: Programme, bound: float, gap: float) -> float:
    return gap * max(abs(bound + programme.offset), 1e-9)


def _left(end: float) -> float:
    return max(0.01, end - time.monotonic())


def _kernel(
    programme: Programme,
    relaxed: NDArray[np.float64],
    prices: NDArray[np.float64],
    times: int,
    more: int,
) -> NDArray[np.intp] | None:
    """Columns of the kernel: items of lowest price in any part, with all other columns. None: take all.

    Size: `times` the number of items that the relaxation uses, and `more`.
    """
    n, parts = programme.n_items, len(programme.parts)
    value = relaxed[programme.items].reshape(parts, n).max(axis=0)
    price = prices[programme.items].reshape(parts, n).min(axis=0)
    used = value > 1e-9
    size = times * int(used.sum()) + more
    if 2 * size > n:
        return None
    price[used] = -1.0
    kept = np.sort(np.argsort(price, kind="stable")[:size])
    base = parts * (n + programme.n_stimuli)
    pairs, scalar = divmod(programme.costs.size - base, n)
    return np.concatenate(
        [part * n + kept for part in range(parts)]
        + [np.arange(parts * n, base)]
        + [base + pair * n + kept for pair in range(pairs)]
        + [np.arange(base + pairs * n, base + pairs * n + scalar)]
    )


def _branch(
    programme: Programme,
    columns: NDArray[np.intp],
    gap: float,
    time_limit: float,
    cutoff: float = math.inf,
    nodes: int | None = None,
) -> OptimizeResult:
    """HiGHS on some columns (the others 0). A constant column carries the objective's offset.

    `cutoff`: a value already reached; solutions above it are not looked for, where a scalar column carries
    it. (A known bound is not handed over: a face of equal bounds makes branching slower.)
    """
    matrix = programme.matrix[:, columns]
    used = np.diff(matrix.indptr) > 0
    if ((programme.low[~used] > 0) | (programme.high[~used] < 0)).any():
        return OptimizeResult(status=INFEASIBLE, x=None, mip_dual_bound=None, mip_node_count=0)
    lower = np.zeros(columns.size + 1)
    upper = np.append(programme.upper[columns], 1.0)
    lower[-1] = 1.0
    if math.isfinite(cutoff) and programme.scalar:
        margin = 1e-9 * max(1.0, abs(cutoff))
        if programme.costs[-1] < 0:
            lower[-2] = max(0.0, -cutoff - margin)
        else:
            upper[-2] = cutoff + margin
    found = milp(
        np.append(programme.costs[columns], programme.offset),
        integrality=np.append(programme.integral[columns].astype(int), 0),
        bounds=Bounds(lower, upper),
        constraints=LinearConstraint(
            sparse.hstack([matrix[used], sparse.csr_array((int(used.sum()), 1))]).tocsc(),
            programme.low[used],
            programme.high[used],
        ),
        # HiGHS relates the gap to the solution, we to the bound.
        options={"time_limit": time_limit, "mip_rel_gap": gap / (1.0 + gap)}
        | ({} if nodes is None else {"node_limit": nodes}),
    )
    if found.x is not None:
        x = found.x[:-1].copy()
        whole = programme.integral[columns]
        x[whole] = np.rint(x[whole])
        found.x = x
    return found


def _checked(solution: Solution) -> Solution:
    """The same solution, once its rounded columns have been seen to meet every row."""
    programme = solution.programme
    reached = programme.matrix @ solution.columns
    scale = np.maximum(1.0, np.abs(np.where(np.isfinite(programme.low), programme.low, programme.high)))
    off = np.maximum(programme.low - reached, reached - programme.high) / scale
    worst = int(np.argmax(off))
    if off[worst] > FEASIBILITY:
        raise NotConverged(
            f"The solver's form misses {programme.names[int(programme.groups[worst])]!r} by a rounding error: "
            "rescale that attribute.",
            iterations=0,
            change=float(off[worst]),
        )
    return solution
