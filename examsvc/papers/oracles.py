"""What papers must ask of the rooms above: when does the bell of a part ring, what did candidates score?  They fill the registry when imported."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from fractions import Fraction

from sqlalchemy.orm import Session

BellOf = Callable[[Session, int, str, int | None], datetime | None]
PreparedOf = Callable[[Session, int], bool]
_bells: list[BellOf] = []
_prepared: list[PreparedOf] = []


def bell_from(source: BellOf) -> BellOf:
    """Registers the answer to: when does the first sitting of this part, or of this shift of it, that has not begun ring?"""
    if source not in _bells:
        _bells.append(source)
    return source


def begun_from(source: PreparedOf) -> PreparedOf:
    """Registers the answer to: has a sitting with this form begun?"""
    if source not in _prepared:
        _prepared.append(source)
    return source


def bell(session: Session, competition_id: int, part: str, shift: int | None = None) -> datetime | None:
    """The next bell of a part, or of one shift of it; None where no such sitting is planned."""
    found = [moment for source in _bells if (moment := source(session, competition_id, part, shift)) is not None]
    return min(found, default=None)


def begun(session: Session, form_id: int) -> bool:
    """Whether candidates have begun to write this form."""
    return any(source(session, form_id) for source in _prepared)


ScoresOf = Callable[[Session, int], list[dict[int, Fraction]]]
_scores: list[ScoresOf] = []


def scores_from(source: ScoresOf) -> ScoresOf:
    """Registers the answer to: what did each candidate score for each question of this form?"""
    if source not in _scores:
        _scores.append(source)
    return source


def scores(session: Session, form_id: int) -> list[dict[int, Fraction]]:
    """For each marked attempt at a form, the marks by number of the question; empty before the marking."""
    return [row for source in _scores for row in source(session, form_id)]
