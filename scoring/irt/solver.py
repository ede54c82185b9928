"""Maximisation: EM accelerated by SQUAREM and guarded by the likelihood, then a quasi-Newton finish.

The finish starts from the observed information (Louis), so its first step is Newton's; BFGS updates with the
analytic gradient keep the inverse current. That is what ends problems in which EM crawls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scoring.errors import NotConverged
from scoring.irt.objective import Objective, Value
from scoring.irt.observed_information import observed_information

Floats = NDArray[np.float64]

_SAMPLE = 2000


@dataclass(frozen=True, eq=False)
class Progress:
    """Where the search stands: `value` at the best point so far, E steps spent on all persons."""

    value: Value
    e_steps: int


@dataclass(frozen=True, eq=False)
class Finish:
    """`held`: free parameters stopped at a bound; `decrement`: the gain in log-likelihood that a further
    Newton step promises; `change`: the last largest change of a parameter."""

    value: Value
    e_steps: int
    held: NDArray[np.bool_]
    decrement: float
    change: float


def accelerate(objective: Objective, start: Progress, tolerance: float, limit: int) -> Progress:
    """SQUAREM cycles (Varadhan & Roland 2008, scheme S3) until an EM step moves no parameter by `tolerance`.

    An extrapolation that lowers the penalised likelihood is replaced by the plain EM step. Returns at the
    limit too: the finish decides.
    """
    value, spent = start.value, start.e_steps
    while spent < limit:
        first, used = _em_step(objective, value)
        spent += used
        one = first.free - value.free
        if np.abs(one).max(initial=0.0) < tolerance:
            return Progress(first, spent)
        free = objective.m_step(first)
        two = free - first.free
        bend = two - one
        if np.abs(two).max(initial=0.0) < tolerance or not np.linalg.norm(bend) > 0.0:
            return Progress(_better(first, objective.value(free)), spent + 1)
        length = max(float(np.linalg.norm(one) / np.linalg.norm(bend)), 1.0)
        jump = objective.extrapolated(value.free, 2.0 * length * one + length**2 * bend)
        trial = objective.value(jump)
        spent += 1
        if not (np.isfinite(trial.total) and trial.total >= first.total):
            trial = _better(first, objective.value(free))
            spent += 1
        value = trial
    return Progress(value, spent)


def finish(objective: Objective, start: Progress, tolerance: float, limit: int) -> Finish:
    """Quasi-Newton steps until no parameter moves by `tolerance` and the promised gain is below 1e−7.

    Raises NotConverged at `limit` E steps.
    """
    layout = objective.layout
    value, spent = start.value, start.e_steps
    inverse: Floats | None = None
    held = np.zeros(layout.n_free, dtype=bool)
    change, decrement = np.inf, np.inf
    slow = 0
    while True:
        now = _held(objective, value)
        if inverse is None or (now != held).any():
            held = now
            inverse = _inverse_information(objective, value, held)
            slow = 0
        step = inverse @ np.where(held, 0.0, value.gradient)
        promise = 0.5 * float(step @ value.gradient)
        if np.abs(step).max(initial=0.0) < tolerance and abs(promise) < 1e-7:
            return Finish(value, spent, held, abs(promise), float(np.abs(step).max(initial=0.0)))
        slow = slow + 1 if abs(promise) > 0.2 * decrement else 0
        decrement = abs(promise)
        if slow >= 3:
            inverse = None
            decrement = np.inf
        if spent >= limit:
            raise NotConverged(
                f"The calibration stopped at its limit of {limit} E steps with the largest parameter change "
                f"{change:.2g}; raise max_iterations, add priors, or look at items that separate the data.",
                iterations=spent,
                change=change,
            )
        moved = False
        scale = 1.0
        while scale > 1e-3 and promise > 0:
            free = objective.extrapolated(value.free, scale * step)
            trial = objective.value(free)
            spent += 1
            # Rounding of the likelihood itself, about 1e-13 of it, must not look like a loss.
            if np.isfinite(trial.total) and trial.total >= value.total - 1e-12 * abs(value.total):
                moved = True
                break
            scale *= 0.25
        if not moved:
            trial, used = _em_step(objective, value)
            spent += used
            if inverse is not None and np.abs(trial.free - value.free).max() < 0.01 * tolerance:
                return Finish(value, spent, held, abs(promise), float(np.abs(trial.free - value.free).max()))
            inverse = None
        shift = trial.free - value.free
        change = float(np.abs(shift).max(initial=0.0))
        if moved and inverse is not None:
            inverse = _bfgs(inverse, shift, value.gradient - trial.gradient, held)
        value = trial


def _em_step(objective: Objective, value: Value) -> tuple[Value, int]:
    """One EM step, halved while the likelihood falls (the 3PL M step is not exactly concave)."""
    free = objective.m_step(value)
    spent = 0
    while True:
        trial = objective.value(free)
        spent += 1
        loss = value.total - trial.total
        if np.isfinite(loss) and loss <= 1e-11 * abs(value.total):
            return trial, spent
        if spent > 12:
            return value, spent
        free = value.free + 0.5 * (free - value.free)


def _better(a: Value, b: Value) -> Value:
    return b if np.isfinite(b.total) and b.total >= a.total else a


def _held(objective: Objective, value: Value) -> NDArray[np.bool_]:
    """Parameters at a bound that the likelihood would push beyond it."""
    layout = objective.layout
    at_top = (value.free >= layout.upper) & (value.gradient > 0)
    at_bottom = (value.free <= layout.lower) & (value.gradient < 0)
    return np.asarray(at_top | at_bottom)


def _inverse_information(objective: Objective, value: Value, held: NDArray[np.bool_]) -> Floats:
    information = approximate_information(objective, value)
    information[held, :] = 0.0
    information[:, held] = 0.0
    information[held, held] = 1.0
    # Away from the maximum the information may be indefinite: mirror and lift its eigenvalues.
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(information)), 1e-8))
    values, vectors = np.linalg.eigh(information * np.outer(scale, scale))
    values = np.maximum(np.abs(values), 1e-7)
    inverse = (vectors / values) @ vectors.T * np.outer(scale, scale)
    inverse[held, :] = 0.0
    inverse[:, held] = 0.0
    return np.asarray(inverse)


def approximate_information(objective: Objective, value: Value) -> Floats:
    """The observed information; for many persons, the complete information of all less the missing
    information of a sample, which is enough for a search direction."""
    persons = objective.persons
    size = max(_SAMPLE, 10 * objective.layout.n_free)
    if persons.n_persons <= 1.5 * size:
        return observed_information(objective, value)
    few = Objective(persons.sample(size), objective.layout, objective.priors, objective.theta)
    part = few.value(value.free)
    share = persons.weights.sum() / few.persons.weights.sum()
    missing = few.complete_information(part) - observed_information(few, part)
    return np.asarray(objective.complete_information(value) - share * missing)


def _bfgs(inverse: Floats, s: Floats, y: Floats, held: NDArray[np.bool_]) -> Floats:
    y = np.where(held, 0.0, y)
    s = np.where(held, 0.0, s)
    curvature = float(s @ y)
    if curvature <= 1e-10 * float(np.linalg.norm(s) * np.linalg.norm(y)):
        return inverse
    hy = inverse @ y
    factor = (1.0 + float(y @ hy) / curvature) / curvature
    return inverse + factor * np.outer(s, s) - (np.outer(hy, s) + np.outer(s, hy)) / curvature


def moved(progress: Progress, objective: Objective) -> Progress:
    """The same point on another grid or with more persons (one E step)."""
    return replace(progress, value=objective.value(progress.value.free), e_steps=progress.e_steps + 1)
