"""Why a blueprint cannot be met: an irreducible set of constraints in conflict.

Deletion filter (Chinneck & Dravnieks 1991): constraints are left out, in halves and then one by one; what
can be left out while the rest stays impossible is not to blame. What remains is irreducible: without any
one of its members the others can be met together. First on the linear relaxation, which is fast and
decides most conflicts, then on the integer programme.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.assembly.programme import OBJECTIVE, OVERLAP, STRUCTURE, Programme, Requirement
from scoring.assembly.solving import INFEASIBLE, OPTIMAL, integer_programme, relaxation
from scoring.errors import ScoringError

RATIO_STEPS = 20
EXTREME_SECONDS = 1.0


@dataclass(frozen=True)
class Conflict:
    """One member of the irreducible set.

    `low`, `high`: what the blueprint requires of every form (−inf, inf: no limit).  `available_low`,
    `available_high`: the least and most that the pool allows on average over the forms while the other
    members are met (when EXTREME_SECONDS run out, a bound outside of which nothing can lie); None where the rule is not a number (items shared between forms, items per stimulus)
    or the time to compute it ran out.
    """

    name: str
    low: float | None
    high: float | None
    available_low: float | None
    available_high: float | None


class ContradictoryBlueprint(ScoringError):
    """No form of the pool meets the blueprint.

    `conflict`: the constraints that contradict each other.  `irreducible`: all of them are needed for the
    contradiction; False when the time limit ended the search for a smaller set.
    """

    def __init__(self, conflict: tuple[Conflict, ...], irreducible: bool, forms: int) -> None:
        what = "no form" if forms == 1 else f"no {forms} parallel forms"
        parts = "; ".join(_sentence(member) for member in conflict)
        super().__init__(
            f"The pool has {what} meeting all of these: {parts}. Relax one of them or add items."
        )
        self.conflict = conflict
        self.irreducible = irreducible


def explain(programme: Programme, single: Programme, time_limit: float) -> ContradictoryBlueprint:
    """The error that names the conflict of an infeasible programme. `time_limit`: seconds per check.

    `single`: the programme of one form; when that is impossible already, its conflict is the one to mend.
    """
    everything = np.ones(single.groups.size, dtype=bool)
    free = np.zeros(single.costs.size)
    if integer_programme(single, everything, free, time_limit).status == INFEASIBLE:
        programme = single
    conflict, irreducible = _irreducible(programme, time_limit)
    if programme.forms > 1 and OVERLAP not in programme.names:
        # One part of several forms takes each item once: without that rule every form could be the same.
        conflict = (*conflict, Conflict(OVERLAP, None, None, None, None))
    return ContradictoryBlueprint(conflict, irreducible, programme.forms)


def _irreducible(programme: Programme, time_limit: float) -> tuple[tuple[Conflict, ...], bool]:
    fixed = [i for i, name in enumerate(programme.names) if name in (OBJECTIVE, STRUCTURE)]
    structure = [i for i in fixed if programme.names[i] == STRUCTURE]
    members = [i for i in range(len(programme.names)) if i not in fixed]
    undecided = False

    def relaxed_impossible(groups: list[int]) -> bool:
        rows = np.isin(programme.groups, groups + structure)
        return bool(rows.any()) and relaxation(programme, time_limit, rows).status == INFEASIBLE

    def impossible(groups: list[int]) -> bool:
        nonlocal undecided
        rows = np.isin(programme.groups, groups + structure)
        if not rows.any():
            return False
        found = integer_programme(programme, rows, np.zeros(programme.costs.size), time_limit)
        undecided |= found.status not in (OPTIMAL, INFEASIBLE)
        return bool(found.status == INFEASIBLE)

    if relaxed_impossible(members):
        members = _filter(members, relaxed_impossible)
    members = _filter(members, impossible)
    needs = {need.name: need for need in programme.requirements}
    conflict = tuple(
        _member(programme, needs.get(programme.names[i]), i, members, structure, time_limit) for i in members
    )
    return conflict, not undecided


def _filter(members: list[int], impossible: Callable[[list[int]], bool]) -> list[int]:
    """Drop chunks, then single members, as long as the rest stays impossible."""
    size = max(1, len(members) // 2)
    while True:
        start = 0
        while start < len(members):
            rest = members[:start] + members[start + size :]
            if impossible(rest):
                members = rest
            else:
                start += size
        if size == 1:
            return members
        size = max(1, size // 2)


def _member(
    programme: Programme,
    need: Requirement | None,
    group: int,
    members: list[int],
    structure: list[int],
    time_limit: float,
) -> Conflict:
    if need is None:
        return Conflict(programme.names[group], None, None, None, None)
    others = [i for i in members if i != group]
    rows = np.isin(programme.groups, others + structure)
    seconds = min(time_limit, EXTREME_SECONDS)
    low = _extreme(programme, need, rows, 1.0, seconds)
    high = _extreme(programme, need, rows, -1.0, seconds)
    return Conflict(need.name, need.low, need.high, low, high)


def _extreme(
    programme: Programme, need: Requirement, rows: NDArray[np.bool_], sign: float, time_limit: float
) -> float | None:
    """Least (sign 1) or greatest (−1) value of the requirement, averaged over forms.

    A ratio is made as small as possible by Dinkelbach's method: minimise N − q·D, put q = N/D, repeat.
    """
    top = np.zeros(programme.costs.size)
    bottom = np.zeros(programme.costs.size)
    for part in range(len(programme.parts)):
        at = programme.part_columns(part)
        top[at] = need.numerator
        if need.denominator is not None:
            bottom[at] = need.denominator
    if need.denominator is None:
        found = integer_programme(programme, rows, sign * top, time_limit)
        if found.status == OPTIMAL:
            return float(top @ np.rint(found.x)) / programme.forms
        bound = found.mip_dual_bound
        return sign * float(bound) / programme.forms if bound is not None and math.isfinite(bound) else None
    ratio: float | None = None
    for _ in range(RATIO_STEPS):
        costs = sign * (top - (0.0 if ratio is None else ratio) * bottom)
        found = integer_programme(programme, rows, costs, time_limit)
        if found.status != OPTIMAL:
            return ratio
        x = np.rint(found.x)
        if float(bottom @ x) <= 0.0:
            return ratio
        new = float(top @ x) / float(bottom @ x)
        if ratio is not None and abs(new - ratio) <= 1e-12 * max(1.0, abs(new)):
            return new
        ratio = new
    return ratio


def _sentence(member: Conflict) -> str:
    if member.low is None or member.high is None:
        return member.name
    if member.low == member.high:
        required = f"requires {member.low:g}"
    elif math.isinf(member.low):
        required = f"requires at most {member.high:g}"
    elif math.isinf(member.high):
        required = f"requires at least {member.low:g}"
    else:
        required = f"requires {member.low:g} to {member.high:g}"
    if member.available_low is None or member.available_high is None:
        return f"{member.name} {required}"
    return f"{member.name} {required}, with the others {member.available_low:g} to {member.available_high:g} can be had"
