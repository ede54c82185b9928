"""Time in the exam: one pure function decides every deadline, one every state, one whether a save is late.

All moments are aware; durations are whole seconds unless named otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

ClockState = Literal["waiting", "open", "paused", "over", "submitted", "closed", "stopped"]


@dataclass(frozen=True)
class Standstill:
    """A pause of the room or a break of the candidate: from ``since`` until ``until`` (None: still going on)."""

    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class Timing:
    """All that an attempt's time depends on."""

    bell: datetime
    minutes: int
    extra_minutes: int = 0
    grace_seconds: int = 0
    credit_seconds: int = 0
    standstills: tuple[Standstill, ...] = ()


@dataclass(frozen=True)
class Standing:
    """Where the attempt's clock stands at a moment: its deadline so far, and since when it is paused."""

    deadline: datetime
    paused_since: datetime | None


def standing(timing: Timing, now: datetime) -> Standing:
    """Deadline = bell + minutes + extra minutes + credits + every second in which the clock stood still.

    Standstills that overlap (the room's and the candidate's own) count once; what lies before the bell counts nothing;
    one that begins after the time has run out moves nothing.  One that still goes on adds nothing yet: the time left is
    frozen at ``deadline - paused_since``.
    """
    deadline = timing.bell + timedelta(minutes=timing.minutes + timing.extra_minutes, seconds=timing.credit_seconds)
    for since, until in _merged(timing.standstills):
        since = max(since, timing.bell)
        if since > deadline or since > now:
            continue
        if until is None or until > now:
            return Standing(deadline, since if now >= timing.bell else None)
        if until > since:
            deadline += until - since
    return Standing(deadline, None)


def _merged(standstills: Iterable[Standstill]) -> list[tuple[datetime, datetime | None]]:
    merged: list[tuple[datetime, datetime | None]] = []
    for one in sorted(standstills, key=lambda s: s.since):
        if merged and (merged[-1][1] is None or one.since <= merged[-1][1]):
            since, until = merged[-1]
            merged[-1] = (since, None if until is None or one.until is None else max(until, one.until))
        else:
            merged.append((one.since, one.until))
    return merged


def deadline(timing: Timing, now: datetime) -> datetime:
    return standing(timing, now).deadline


def state(timing: Timing | None, attempt_state: str, now: datetime) -> ClockState:
    """What the player shows.  ``timing`` is None before the bell is fixed."""
    if attempt_state == "submitted":
        return "submitted"
    if attempt_state == "closed":
        return "closed"
    if attempt_state in ("absent", "cancelled"):
        return "stopped"
    if timing is None or attempt_state == "prepared" or now < timing.bell:
        return "waiting"
    where = standing(timing, now)
    if where.paused_since is not None:
        return "paused"
    return "open" if now < where.deadline else "over"


def late(timing: Timing, now: datetime) -> bool:
    """Whether a save that arrives now counts as late: after the deadline and the regulation's grace, while not paused."""
    where = standing(timing, now)
    return where.paused_since is None and now > where.deadline + timedelta(seconds=timing.grace_seconds)


def may_be_closed(timing: Timing, now: datetime) -> bool:
    """Whether the system may close the attempt: the time and the grace are over and nothing stands still."""
    return late(timing, now)


def admitted(bell: datetime, late_limit_minutes: int, now: datetime) -> bool:
    """Whether a candidate who checks in now may still enter; the limit itself is still in time."""
    return now <= bell + timedelta(minutes=late_limit_minutes)
