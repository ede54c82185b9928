"""Dividing items among parallel forms by exchanging them: an iterated local search.

The items chosen together for all forms are dealt at random. Then the exchange of two items, between forms or
with an item left over, that lowers the cost most is made until none does; a few random exchanges restart
the descent from the best division so far. Cost: violation of the constraints first, then the programme's
value. A heuristic: it proves nothing; the bound comes from the programme (see `solving`).
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from scoring.assembly.programme import OBJECTIVE, OVERLAP, Programme

RESTARTS = 10
"""Descents: where ten have failed, hundreds seldom help, and taking form after form off does (see `solving`)."""
FREE_ITEMS = 60
_VIOLATION = 1e3
_SMOOTH = 1e-3
"""Weight of the mean of the forms' values beside the worst: without it most exchanges change nothing."""
_EXACT = 1e-9

Floats = NDArray[np.float64]


class Division:
    """Candidate items dealt to forms: `owner[i]` is the form of candidate i, `forms` for the rest.

    `candidates`: item numbers; `anchors`: items that stand in every form and are never exchanged.
    """

    def __init__(self, programme: Programme, candidates: NDArray[np.intp], anchors: NDArray[np.intp]) -> None:
        self.programme = programme
        self.forms = len(programme.parts)
        self.candidates = candidates
        self.anchors = anchors
        names = np.array(programme.names)[programme.groups]
        at = programme.part_columns(0)
        first = programme.matrix[:, at]
        mine = np.diff(first.indptr) > 0
        limited = mine & (names != OBJECTIVE) & (names != OVERLAP)
        rows = first[limited].toarray()
        low, high = programme.low[limited], programme.high[limited]
        # Rows that hold whatever these candidates do, most groups of enemies, need not be watched.
        fixed = rows[:, anchors].sum(axis=1)
        most = fixed + np.maximum(rows[:, candidates], 0.0).sum(axis=1)
        least = fixed + np.minimum(rows[:, candidates], 0.0).sum(axis=1)
        watched = (most > high) | (least < low)
        rows, self.low, self.high = rows[watched], low[watched], high[watched]
        self.limits = rows[:, candidates]
        self.scale = np.maximum(1.0, np.abs(np.where(np.isfinite(self.low), self.low, self.high)))
        self.limits_of_anchors = rows[:, anchors].sum(axis=1)
        self.worst_counts = programme.scalar
        if programme.scalar:
            # A row of the objective reads low ≤ measure + weight·scalar ≤ high with one infinite side, so
            # the scalar must reach (side − measure)/weight; a height is bounded above, a deviation below.
            rated = mine & (names == OBJECTIVE)
            rows = first[rated].toarray()
            weight = programme.matrix[:, [programme.costs.size - 1]].toarray().ravel()[rated]
            low, high = programme.low[rated], programme.high[rated]
            sign = float(programme.costs[-1])
            self.measure = -sign * rows[:, candidates] / weight[:, None]
            self.start = (
                sign * (np.where(np.isfinite(low), low, high) - rows[:, anchors].sum(axis=1)) / weight
            )
        else:
            self.measure = programme.costs[at[candidates]][None, :]
            self.start = np.array([float(programme.costs[at[anchors]].sum())])

    def cost(self, reached: Floats, values: Floats) -> tuple[Floats, Floats]:
        """Violation and value of forms (columns); `reached` without anchors, `values` with `start`."""
        total = reached + self.limits_of_anchors[:, None]
        short = np.maximum(0.0, np.maximum(self.low[:, None] - total, total - self.high[:, None]))
        short[short <= _EXACT * self.scale[:, None]] = 0.0
        return (short / self.scale[:, None]).sum(axis=0), values.max(axis=0)

    def total(self, violation: Floats, value: Floats) -> Floats:
        """One cost per column from violations and values of the forms (rows)."""
        height = value.max(axis=0) + _SMOOTH * value.mean(axis=0) if self.worst_counts else value.sum(axis=0)
        return np.asarray(_VIOLATION * violation.sum(axis=0) + height)

    def state(self, owner: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Rows reached and values of each form: (rows, forms), (measures, forms)."""
        member = (owner[:, None] == np.arange(self.forms)).astype(np.float64)
        return self.limits @ member, self.start[:, None] + self.measure @ member

    def descend(self, owner: NDArray[np.intp]) -> tuple[float, float]:
        """Best exchanges until none helps; changes `owner`. Returns cost and violation."""
        reached, values = self.state(owner)
        while True:
            violation, value = self.cost(reached, values)
            now = float(self.total(violation[:, None], value[:, None])[0])
            for form in np.argsort(-(_VIOLATION * violation + value), kind="stable"):
                best, first, second = self._best_exchange(owner, int(form), reached, values, violation, value)
                if best < now - _EXACT * max(1.0, abs(now)):
                    owner[first], owner[second] = owner[second], owner[first]
                    reached, values = self.state(owner)
                    break
            else:
                return now, float(violation.sum())

    def _best_exchange(
        self,
        owner: NDArray[np.intp],
        form: int,
        reached: Floats,
        values: Floats,
        violation: Floats,
        value: Floats,
    ) -> tuple[float, int, int]:
        inside, outside = np.flatnonzero(owner == form), np.flatnonzero(owner != form)
        pairs = inside.size * outside.size
        partner = np.tile(owner[outside], inside.size)
        step = (self.limits[:, None, outside] - self.limits[:, inside, None]).reshape(-1, pairs)
        move = (self.measure[:, None, outside] - self.measure[:, inside, None]).reshape(-1, pairs)
        new_violation = np.tile(violation[:, None], pairs)
        new_value = np.tile(value[:, None], pairs)
        new_violation[form], new_value[form] = self.cost(reached[:, [form]] + step, values[:, [form]] + move)
        for other in range(self.forms):
            own = np.flatnonzero(partner == other)
            if own.size:
                new_violation[other, own], new_value[other, own] = self.cost(
                    reached[:, [other]] - step[:, own], values[:, [other]] - move[:, own]
                )
        costs = self.total(new_violation, new_value)
        best = int(np.argmin(costs))
        return float(costs[best]), int(inside[best // outside.size]), int(outside[best % outside.size])

    def columns(self, owner: NDArray[np.intp]) -> Floats:
        """The programme's columns (the scalar left 0)."""
        out = np.zeros(self.programme.costs.size)
        for form in range(self.forms):
            at = self.programme.part_columns(form)
            out[at[self.candidates[owner == form]]] = 1.0
            out[at[self.anchors]] = 1.0
        return out


def divide(
    programme: Programme,
    chosen: NDArray[np.intp],
    free: NDArray[np.intp],
    anchors: NDArray[np.intp],
    target: float,
    end: float,
) -> Floats | None:
    """Columns of `programme` (parts of size 1, no stimuli) from `chosen` items, or None without success.

    `free`: further items that may be exchanged in.  `target`: the value at which the search stops; otherwise
    it stops after RESTARTS descents or at `end` (monotonic seconds) with the best it has found.
    """
    division = Division(programme, np.concatenate([chosen, free]), anchors)
    forms = division.forms
    rng = np.random.Generator(np.random.PCG64(chosen.size))
    owner = np.full(chosen.size + free.size, forms, dtype=np.intp)
    owner[rng.permutation(chosen.size)] = np.arange(chosen.size) % forms
    best, best_cost, best_violation = owner.copy(), np.inf, np.inf
    for restart in range(RESTARTS):
        cost, violation = division.descend(owner)
        if cost < best_cost:
            best, best_cost, best_violation = owner.copy(), cost, violation
            reached, values = division.state(best)
            value = division.cost(reached, values)[1]
            height = float(value.max() if division.worst_counts else value.sum())
            if violation == 0.0 and height <= target:
                break
        if time.monotonic() > end:
            break
        owner = best.copy()
        for _ in range(2 + restart % 4):
            first, second = rng.integers(0, owner.size, 2)
            owner[first], owner[second] = owner[second], owner[first]
    return division.columns(best) if best_violation == 0.0 else None
