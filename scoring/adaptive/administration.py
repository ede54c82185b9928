"""A whole adaptive test, answer by answer; simulated to set Sympson–Hetter's probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.adaptive.selection import Content, Criterion, Exposure, next_item
from scoring.adaptive.standing import Bank, probability_table, standing
from scoring.adaptive.stopping import StoppingRule, stop
from scoring.errors import BadParameters, NotConverged, NotIdentified
from scoring.irt import ItemParameters, information

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Administration:
    """One test: `items` in order, `responses`, EAP `theta` and `standard_error` after each answer, `reason` of
    its end; `refused`: items that exposure control passed over."""

    items: NDArray[np.intp]
    responses: NDArray[np.intp]
    theta: Floats
    standard_error: Floats
    reason: str
    refused: NDArray[np.intp]


def administer(
    items: ItemParameters | Bank,
    answer: Callable[[int], int],
    rule: StoppingRule,
    *,
    start: float | None = None,
    criterion: Criterion = "information",
    prior: tuple[float, float] = (0.0, 1.0),
    content: Content | None = None,
    exposure: Exposure | None = None,
    rng: np.random.Generator | None = None,
) -> Administration:
    """Ask items until the rule ends the test. `answer(item)` gives the category answered; `start`: the ability
    at which the first item is chosen (the prior's mean without). An exposure rule with progress gets the
    share of the maximum length that is done. Raises as `next_item`."""
    bank = items if isinstance(items, Bank) else Bank.of(items)
    given: list[int] = []
    answers: list[int] = []
    thetas: list[float] = []
    errors: list[float] = []
    refused: set[int] = set()
    at = prior[0] if start is None else float(start)
    error = prior[1]
    while True:
        free = np.setdiff1d(np.arange(bank.items.n_items), given)
        best = None
        if rule.least_information is not None and free.size:
            best = float(information(bank.items, at).item[0, free].max())
        end = stop(
            rule,
            administered=len(given),
            standard_error=error,
            previous_error=errors[-2] if len(errors) > 1 else None,
            best_information=best,
            items_left=int(free.size),
        )
        if end.stop:
            break
        control = exposure
        if control is not None and control.progress is not None and rule.maximum is not None:
            control = replace(control, progress=len(given) / rule.maximum)
        allowed = np.ones(bank.items.n_items, dtype=bool)
        allowed[list(refused)] = False
        if not np.delete(allowed, given).any():
            allowed[:] = True  # everything left was refused before: a test must go on
        try:
            found = next_item(
                bank,
                given,
                answers,
                theta=at,
                criterion=criterion,
                prior=prior,
                allowed=allowed,
                content=content,
                exposure=control,
                rng=rng,
            )
        except NotIdentified:
            end = replace(end, stop=True, reason="no item left")
            break
        refused.update(found.refused)
        given.append(found.item)
        answers.append(int(answer(found.item)))
        now = standing(bank, given, answers, prior)
        at, error = now.theta, now.standard_error
        thetas.append(at)
        errors.append(error)
    return Administration(
        np.array(given, dtype=np.intp),
        np.array(answers, dtype=np.intp),
        np.array(thetas),
        np.array(errors),
        end.reason,
        np.array(sorted(refused), dtype=np.intp),
    )


def sympson_hetter(
    items: ItemParameters,
    abilities: ArrayLike,
    rule: StoppingRule,
    *,
    limit: float,
    rng: np.random.Generator,
    rounds: int = 10,
    tolerance: float = 0.02,
    **options: Any,
) -> tuple[Floats, Floats]:
    """Acceptance probabilities k that keep every item's exposure at `limit` (Sympson & Hetter 1985).

    Tests of simulated candidates with the given abilities are repeated: k = min(1, limit / P(selected)), until
    no item is given more often than limit + `tolerance`.  `options` go to `administer`.
    Returns k and the exposure rates of the last round. Raises BadParameters when the limit cannot be met
    (shorter pool than length / limit); NotConverged after `rounds` rounds.
    """
    at = np.asarray(abilities, dtype=np.float64)
    if at.ndim != 1 or at.size < 20 or not np.isfinite(at).all():
        raise BadParameters("Give the abilities of at least 20 simulated candidates.")
    if not 0 < limit <= 1:
        raise BadParameters("The exposure limit lies between 0 and 1.")
    if rule.maximum is None or rule.maximum > limit * items.n_items:
        raise BadParameters(
            "With this limit the pool is too small for the maximum length: it needs length / limit items."
        )
    bank = Bank.of(items)
    k = np.ones(items.n_items)
    worst = 1.0
    for _ in range(rounds):
        given, selected = np.zeros(items.n_items), np.zeros(items.n_items)
        for theta in at:
            test = administer(
                bank,
                _simulated(items, float(theta), rng),
                rule,
                exposure=Exposure(accept=k),
                rng=rng,
                **options,
            )
            given[test.items] += 1
            selected[np.union1d(test.items, test.refused)] += 1
        rates = given / at.size
        worst = float(rates.max())
        if worst <= limit + tolerance:
            return k, rates
        # P(given) = k · P(selected)
        k = np.minimum(1.0, limit / np.maximum(selected / at.size, limit))
    raise NotConverged(
        f"Some item is still given to {worst:.0%} of candidates (exposure rate above the limit).",
        iterations=rounds,
        change=worst - limit,
    )


def _simulated(items: ItemParameters, theta: float, rng: np.random.Generator) -> Callable[[int], int]:
    p = probability_table(items, np.array([theta]))[:, 0]

    def answer(item: int) -> int:
        return int(np.searchsorted(np.cumsum(p[item]), rng.random() * p[item].sum()))

    return answer
