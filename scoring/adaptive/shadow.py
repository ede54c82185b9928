"""Shadow tests (van der Linden & Reese 1998): every choice is made from a whole test that meets the blueprint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from scoring.adaptive.selection import Selection
from scoring.adaptive.standing import Bank, read_history, standing
from scoring.assembly import Blueprint, Maximise, Pool, assemble
from scoring.errors import BadParameters, NotIdentified
from scoring.irt import ItemParameters, information


def next_shadow_item(
    items: ItemParameters | Bank,
    pool: Pool,
    blueprint: Blueprint,
    administered: Sequence[int] = (),
    responses: Sequence[int] = (),
    *,
    theta: float | None = None,
    prior: tuple[float, float] = (0.0, 1.0),
    eligible: ArrayLike | None = None,
    gap: float = 0.0,
    time_limit: float = 10.0,
) -> Selection:
    """Assemble the best full-length test at theta that holds the items given so far, and take its best free item.

    `pool`: the same items in the same order, with the attributes the blueprint speaks of; the blueprint's
    objective is replaced by information at theta.  The blueprint is met by the test as a whole whenever it
    can be met at all, without looking ahead by hand.  `eligible`: items that may be drawn (exposure control
    by eligibility); given items stay whatever it says.

    Raises ContradictoryBlueprint when no full test holds the given items; NotIdentified when the test is
    complete; BadParameters.
    """
    bank = items if isinstance(items, Bank) else Bank.of(items)
    if len(pool) != bank.items.n_items:
        raise BadParameters(f"The pool has {len(pool)} items, the parameters {bank.items.n_items}.")
    read_history(bank.items, administered, responses)
    if len(administered) >= blueprint.length[1]:
        raise NotIdentified("The test is complete.")
    at = standing(bank, administered, responses, prior).theta if theta is None else float(theta)
    values = information(bank.items, at).item[0]
    excluded = set(blueprint.exclude)
    if eligible is not None:
        mask = np.asarray(eligible)
        if mask.shape != (len(pool),) or mask.dtype != bool:
            raise BadParameters("eligible is one True or False per item.")
        excluded |= {name for name, ok in zip(pool.ids, mask, strict=True) if not ok}
    given = tuple(pool.ids[j] for j in administered)
    plan = replace(
        blueprint,
        objective=Maximise((1.0,)),
        include=tuple(dict.fromkeys((*blueprint.include, *given))),
        exclude=tuple(sorted(excluded - set(given))),
    )
    here = Pool.of(
        pool.ids,
        pool.attributes,
        theta=(at,),
        information=values[:, None],
        stimuli=pool.stimuli or None,
    )
    form = assemble(here, plan, gap=gap, time_limit=time_limit).forms[0]
    free = np.setdiff1d(form.positions, np.array(administered, dtype=np.intp))
    if free.size == 0:
        raise NotIdentified("The test is complete.")
    best = int(free[int(np.argmax(values[free]))])
    return Selection(best, float(values[best]), at, None, int(free.size))
