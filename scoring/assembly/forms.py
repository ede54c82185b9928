"""Optimal test assembly: the best forms that a pool can give under a blueprint."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scoring.assembly.blueprint import Blueprint, Lot, Maximin, Maximise, Target, measures
from scoring.assembly.conflict import explain
from scoring.assembly.pool import Pool
from scoring.assembly.programme import Programme, Requirement, build
from scoring.assembly.solving import InfeasibleProgramme, Solution, solve
from scoring.errors import BadParameters

Status = Literal["optimal", "time limit"]


@dataclass(frozen=True, eq=False)
class Form:
    """One form: `items` (ids, pool order, items of one stimulus together) and their pool `positions`.

    `reached`: constraint name → its value in this form.  `information`: at the pool's points, None
    without parameters.
    """

    items: tuple[str, ...]
    positions: NDArray[np.intp]
    reached: Mapping[str, float]
    information: NDArray[np.float64] | None


@dataclass(frozen=True, eq=False)
class Assembly:
    """Assembled forms with the proof of how good they are.

    `objective`: what was maximised (weighted sum, maximin height) or minimised (largest deviation from the
    target), recomputed from the chosen items; for a lot, the number drawn (no meaning).  `bound`: no forms
    can be better than this.  `gap`: |objective − bound| relative to |bound|, the best that could be (for a
    target to its largest value plus |bound|, since a deviation may be 0).  `status`: "optimal" when `gap` is within the asked gap, "time limit" otherwise.
    """

    forms: tuple[Form, ...]
    objective: float
    bound: float
    gap: float
    status: Status
    seconds: float
    pool: Pool
    blueprint: Blueprint


def assemble(
    pool: Pool,
    blueprint: Blueprint,
    forms: int = 1,
    *,
    gap: float = 0.01,
    time_limit: float = 60.0,
) -> Assembly:
    """Choose `forms` parallel forms from the pool, as good as possible, meeting every constraint.

    `gap`: accept forms whose objective is proven to be within this share of the best (0.01: one per cent of
    the information, half a per cent of the standard error; 0 asks for the optimum itself and may take long for several forms).
    `time_limit`: seconds; at its end the best forms so far come back with status "time limit" and the gap
    that was reached. Deterministic as long as the limit is not reached.

    Raises ContradictoryBlueprint with the irreducible set of constraints in conflict; BadParameters when
    pool and blueprint do not fit; NotConverged when the time ended without any form.
    Not handled: constraints across forms other than `overlap`, item order, non-linear rules.
    """
    if not 0 <= gap < 1:
        raise BadParameters("The gap is a share of the objective: give 0 ≤ gap < 1.")
    if not time_limit > 0:
        raise BadParameters("The time limit must be a positive number of seconds.")
    started = time.monotonic()
    built: dict[tuple[int, ...], Programme] = {}

    def programme_of(parts: tuple[int, ...]) -> Programme:
        if parts not in built:
            built[parts] = build(pool, blueprint, parts)
        return built[parts]

    try:
        solution = solve(programme_of, forms, blueprint.overlap == 0, gap, time_limit)
    except InfeasibleProgramme as impossible:
        raise explain(impossible.programme, programme_of((1,)), min(10.0, time_limit)) from None
    programme = solution.programme
    chosen = solution.columns[programme.items].reshape(forms, len(pool)) > 0.5
    made = tuple(_form(pool, programme, solution, chosen[form], form) for form in range(forms))
    objective, bound, distance = _quality(pool, blueprint, programme, solution, chosen)
    return Assembly(
        made,
        objective,
        bound,
        distance,
        "optimal" if solution.proven else "time limit",
        time.monotonic() - started,
        pool,
        blueprint,
    )


def _form(pool: Pool, programme: Programme, solution: Solution, chosen: NDArray[np.bool_], form: int) -> Form:
    positions = np.flatnonzero(chosen)
    if pool.stimuli:
        first: dict[str, int] = {}
        for at in positions:
            stimulus = pool.stimuli[at]
            if stimulus is not None:
                first.setdefault(stimulus, int(at))
        keys = [(first.get(pool.stimuli[at] or "", int(at)), int(at)) for at in positions]
        positions = np.array([at for _, at in sorted(keys)], dtype=np.intp)
    columns = solution.columns[programme.part_columns(form)]
    reached = {need.name: _value(need, columns) for need in programme.requirements}
    information = None if pool.information is None else pool.information[positions].sum(axis=0)
    return Form(tuple(pool.ids[at] for at in positions), positions, reached, information)


def _value(need: Requirement, columns: NDArray[np.float64]) -> float:
    top = float(need.numerator @ columns)
    if need.denominator is None:
        return top
    bottom = float(need.denominator @ columns)
    return top / bottom if bottom > 0 else 0.0


def _quality(
    pool: Pool,
    blueprint: Blueprint,
    programme: Programme,
    solution: Solution,
    chosen: NDArray[np.bool_],
) -> tuple[float, float, float]:
    """Objective recomputed from the items, its bound, and the relative gap."""
    goal = blueprint.objective
    scale: float | None = None
    if isinstance(goal, Lot):
        objective, bound = -solution.value, -solution.bound
    else:
        reached = chosen.astype(np.float64) @ measures(pool, goal).T  # forms × measures
        if isinstance(goal, Maximise):
            objective, bound = float((reached @ np.asarray(goal.weights)).sum()), -solution.bound
        elif isinstance(goal, Maximin):
            objective, bound = float((reached / np.asarray(goal.relative)).min()), -solution.bound
        else:
            assert isinstance(goal, Target)
            weights = np.asarray(goal.weights) if goal.weights else np.ones(len(goal.values))
            objective = float(np.abs((reached - np.asarray(goal.values)) * weights).max())
            bound = max(0.0, solution.bound)
            scale = programme.offset + bound
    # Both come from the same items; a bound on the wrong side of the objective is rounding, not knowledge.
    bound = min(bound, objective) if isinstance(goal, Target) else max(bound, objective)
    reference = abs(bound) if scale is None else scale
    distance = abs(objective - bound)
    return objective, bound, distance / reference if reference > 0 else distance
