"""How questions did when they were used: difficulty and discrimination with their intervals, from marked sittings.

What candidates scored is asked of the rooms above (``oracles.scores``).  Shown to setters after the marking; nothing is decided by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.papers import oracles, queries
from examsvc.papers.models import Form, FormSlot, ItemVersion
from examsvc.papers.rules import Candidate
from scoring.classical import item_analysis
from scoring.errors import ScoringError

FEWEST = 4
"""Fewer candidates tell nothing about a question."""


@dataclass(frozen=True)
class Use:
    """One use of a question in a marked paper.

    ``difficulty``: mean share of its marks, 0 to 1, high is easy.  ``discrimination``: correlation with the rest of the paper,
    −1 to 1.  Each as (value, low, high) with a 95 % interval; None where fewer than four candidates or no spread allow none.
    """

    form: str
    number: int
    candidates: int
    difficulty: tuple[float, float, float] | None
    discrimination: tuple[float, float, float] | None


Rows = tuple[tuple[tuple[int, Fraction], ...], ...]


@lru_cache(maxsize=64)
def analysed(rows: Rows, maxima: tuple[tuple[int, Fraction], ...]) -> dict[int, Use]:
    """Every question of a paper by its number; ``rows``: what each candidate scored by number of the question."""
    numbers = [number for number, _ in maxima]
    if len(rows) < FEWEST or len(numbers) < 2:
        return {number: Use("", number, len(rows), None, None) for number in numbers}
    scores = np.full((len(rows), len(numbers)), np.nan)
    for row, scored in enumerate(rows):
        given = dict(scored)
        for column, number in enumerate(numbers):
            if number in given:
                scores[row, column] = float(given[number])
    seen = [column for column in range(len(numbers)) if not np.isnan(scores[:, column]).all()]
    found = {number: Use("", number, 0, None, None) for number in numbers}
    try:
        analysis = item_analysis(scores[:, seen], maximum=[float(maxima[column][1]) for column in seen])
    except ScoringError:
        return found
    for place, column in enumerate(seen):
        number = numbers[column]
        low, high = (float(one) for one in analysis.difficulty_interval[place])
        rest = float(analysis.item_rest[place])
        least, most = (float(one) for one in analysis.item_rest_interval[place])
        found[number] = Use(
            "",
            number,
            int(analysis.n[place]),
            (float(analysis.difficulty[place]), low, high),
            (rest, least, most) if np.isfinite([rest, least, most]).all() else None,
        )
    return found


def of_form(session: Session, form: Form) -> dict[int, Use]:
    """Statistics of every question of an opened form by its number; empty before its sittings are marked."""
    rows = tuple(tuple(sorted(one.items())) for one in oracles.scores(session, form.id))
    if not rows:
        return {}
    maxima = tuple((slot.number, Fraction(slot.marks)) for slot in form.slots)
    return {
        number: Use(form.code, number, one.candidates, one.difficulty, one.discrimination)
        for number, one in analysed(rows, maxima).items()
    }


def of_item(session: Session, identifier: str, bank_id: int) -> list[tuple[Form, Use | None, int]]:
    """Every use of a question in an opened paper, the oldest first, with its number there; None where the marking is not done."""
    return [
        (form, of_form(session, form).get(slot.number), slot.number)
        for form, slot in queries.uses(session, identifier, bank_id)
    ]


def candidates(session: Session, versions: Sequence[ItemVersion]) -> list[Candidate]:
    """Questions of one bank as blueprints see them, with how often they were used and how hard they were there."""
    if not versions:
        return []
    bank_id = versions[0].bank_id
    uses = queries.earlier_uses(session, bank_id)
    past = difficulties(session, bank_id) if uses else {}
    return [queries.candidate(one, uses.get(one.identifier, 0), past.get(one.identifier)) for one in versions]


def difficulties(session: Session, bank_id: int) -> dict[str, float]:
    """Mean share of its marks that candidates got for each question of a bank, over all its marked uses, weighted by candidates."""
    got: dict[str, tuple[float, int]] = {}
    rows = session.execute(
        select(Form)
        .join(FormSlot, FormSlot.form_id == Form.id)
        .join(ItemVersion, ItemVersion.id == FormSlot.item_version_id)
        .where(ItemVersion.bank_id == bank_id, Form.opened_at.is_not(None))
        .distinct()
        .order_by(Form.id)
    ).scalars()
    for form in rows:
        used = of_form(session, form)
        for slot in form.slots:
            one = used.get(slot.number)
            if slot.item_version.bank_id == bank_id and one is not None and one.difficulty is not None:
                share, number = got.get(slot.item_version.identifier, (0.0, 0))
                got[slot.item_version.identifier] = (share + one.difficulty[0] * one.candidates, number + one.candidates)
    return {name: share / number for name, (share, number) in got.items() if number}
