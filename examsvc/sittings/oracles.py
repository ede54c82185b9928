"""What this room must ask of higher ones: filled in their ``register_room``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from examsvc.sittings.models import Attempt


@dataclass(frozen=True)
class Remark:
    """One line beside a candidate's receipt, already in the reader's language: a score shown at once, a page to go on to."""

    label: str
    text: str
    address: str | None = None


RemarksOn = Callable[[Session, Attempt, datetime], list[Remark]]
_remarks: list[RemarksOn] = []


def beside_receipt(source: RemarksOn) -> RemarksOn:
    """Registers what a higher room says beside the receipt of an ended attempt, to its candidate alone."""
    if source not in _remarks:
        _remarks.append(source)
    return source


def remarks(session: Session, attempt: Attempt, now: datetime) -> list[Remark]:
    return [remark for source in _remarks for remark in source(session, attempt, now)]
