"""What papers must ask of the room above: when does the bell of a part ring?  That room fills the registry when it is imported."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

BellOf = Callable[[Session, int, str], datetime | None]
PreparedOf = Callable[[Session, int], bool]
_bells: list[BellOf] = []
_prepared: list[PreparedOf] = []


def bell_from(source: BellOf) -> BellOf:
    """Registers the answer to: when does the first sitting of this part that has not begun ring?"""
    if source not in _bells:
        _bells.append(source)
    return source


def begun_from(source: PreparedOf) -> PreparedOf:
    """Registers the answer to: has a sitting with this form begun?"""
    if source not in _prepared:
        _prepared.append(source)
    return source


def bell(session: Session, competition_id: int, part: str) -> datetime | None:
    """The next bell of a part; None where no sitting is planned."""
    found = [moment for source in _bells if (moment := source(session, competition_id, part)) is not None]
    return min(found, default=None)


def begun(session: Session, form_id: int) -> bool:
    """Whether candidates have begun to write this form."""
    return any(source(session, form_id) for source in _prepared)
