"""When the data of whom are erased: decided from the regulation's schedule, from what became of the person, and from what holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from examsvc.competitions.regulation import Retention

ERASED_DATA = ("files-of-unsuccessful", "files-of-winners", "accommodations", "answers")
"""Kinds of data that the software erases by itself; papers and results go to the archive, the log stays."""

Standing = Literal["unsuccessful", "withdrawn", "refused", "chosen", "reserve", "open"]
"""What became of somebody who began an application; "open" while no result is published."""
Cause = Literal["complaint", "archive", "proceedings", "window", "reserve"]
"""What puts erasure off: three that people enter, the time to contest, and a place on the reserve list."""
State = Literal["erased", "held", "waiting", "unordered", "due", "not-concerned", "undated"]

HOLDS = {"complaint": "open-appeal", "archive": "archive-duty", "proceedings": "court-case"}
"""The regulation's name for each cause that people enter."""


@dataclass(frozen=True)
class Held:
    """One thing that puts the erasure of one candidate's data off; until a day, or until it is released."""

    cause: Cause
    until: date | None = None


@dataclass(frozen=True)
class Outlook:
    """What happens to one kind of one candidate's data: the state, the day from which it may go, and what holds it."""

    state: State
    due: datetime | None
    holds: tuple[Held, ...] = ()


def erases(rule: Retention) -> bool:
    """Whether the software itself deletes or empties rows under this rule."""
    return rule.data in ERASED_DATA and rule.then in ("erase", "anonymise") and rule.months is not None


def concerns(rule: Retention, standing: Standing) -> bool:
    """Whether a rule is about the data of somebody of whom this became.

    Of files those of the unsuccessful and of winners are told apart; answers and requests for accommodation are everybody's.
    A place on the reserve list is an open end, not a failure.
    """
    if not erases(rule) or standing == "open":
        return False
    if rule.data == "files-of-unsuccessful":
        return standing != "chosen"
    return rule.data != "files-of-winners" or standing == "chosen"


def applies(rule: Retention, cause: Cause) -> bool:
    """Whether the rule lets itself be put off by this cause.  The time to contest and a reserve list hold every rule."""
    return cause in ("window", "reserve") or HOLDS[cause] in rule.held_by


def outlook(
    rule: Retention,
    *,
    standing: Standing,
    due: datetime | None,
    holds: Iterable[Held],
    ordered: bool,
    erased: bool,
    now: datetime,
) -> Outlook:
    """The state of one candidate's data under one rule at this moment."""
    if erased:
        return Outlook("erased", due)
    if standing == "open" and erases(rule):
        return Outlook("undated", None)
    if not concerns(rule, standing):
        return Outlook("not-concerned", None)
    held = tuple(one for one in holds if applies(rule, one.cause))
    if due is None:
        return Outlook("undated", None, held)
    if held:
        return Outlook("held", due, held)
    if due > now:
        return Outlook("waiting", due)
    return Outlook("due" if ordered else "unordered", due)


def category(standings: Collection[Standing]) -> str:
    """The ledger's word for the people of one run; runs are made for one category at a time."""
    (standing,) = set(standings)
    return {"chosen": "archive", "reserve": "unsuccessful"}.get(standing, standing)
