"""What a check says: passed, failed with reasons, or not checkable in this edition."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Outcome of one check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKABLE = "not checkable"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's outcome. `reasons` say what is wrong or why it could not be checked; `notes` inform."""

    check: str
    title: str
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def conclude(check: str, title: str, reasons: Iterable[str], notes: Iterable[str] = ()) -> Finding:
    """Passed if there is no reason against it."""
    against = tuple(reasons)
    return Finding(check, title, Verdict.FAILED if against else Verdict.PASSED, against, tuple(notes))


def not_checkable(check: str, title: str, reason: str) -> Finding:
    """This edition, or what was given with it, does not allow the check."""
    return Finding(check, title, Verdict.NOT_CHECKABLE, (reason,))
