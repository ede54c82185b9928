"""Effective dates, lines of succession and lengths of service: dates in, answers out.

A stretch of time runs from its first day up to the day before its end; an end of None is open.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Stretch:
    """From ``begins`` up to the day before ``ends``."""

    begins: date
    ends: date | None = None

    def holds(self, day: date) -> bool:
        return self.begins <= day and (self.ends is None or day < self.ends)


def successors_on(start: int, after: Mapping[int, Sequence[int]], existing: Mapping[int, Stretch], day: date) -> list[int]:
    """What stands for something on a day: itself while it exists, else its successors, and theirs, that exist then.

    Each at most once, in ascending order.  Empty where the line ended without a successor, or has not begun.
    """
    found, seen, open_ends = set(), {start}, [start]
    while open_ends:
        one = open_ends.pop()
        stretch = existing.get(one)
        if stretch is not None and stretch.holds(day):
            found.add(one)
            continue
        if stretch is not None and day < stretch.begins:
            continue
        for later in after.get(one, ()):
            if later not in seen:
                seen.add(later)
                open_ends.append(later)
    return sorted(found)


def months_between(begins: date, ends: date) -> int:
    """Full months from one day to another, as a calendar counts them: 31 January to 28 February is a month, since February
    has no later day.  Zero where the second is not later."""
    if ends <= begins:
        return 0
    months = (ends.year - begins.year) * 12 + ends.month - begins.month
    last = monthrange(ends.year, ends.month)[1]
    if ends.day < min(begins.day, last):
        months -= 1
    return months


def merged(stretches: Iterable[Stretch], until: date) -> list[Stretch]:
    """The stretches up to a day as ones that neither overlap nor touch, so that no day of service counts twice."""
    closed = sorted(
        (one.begins, min(one.ends or until, until)) for one in stretches if one.begins < min(one.ends or until, until)
    )
    joined: list[tuple[date, date]] = []
    for begins, ends in closed:
        if joined and begins <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], ends))
        else:
            joined.append((begins, ends))
    return [Stretch(begins, ends) for begins, ends in joined]


def months_of(stretches: Iterable[Stretch], until: date) -> int:
    """Full months of service up to a day.  Gaps do not count; what is left over in each stretch beyond its full months is put
    together, thirty days to a month."""
    months = days = 0
    for one in merged(stretches, until):
        assert one.ends is not None
        whole = months_between(one.begins, one.ends)
        months += whole
        days += (one.ends - _later(one.begins, whole)).days
    return months + days // 30


def _later(day: date, months: int) -> date:
    """The same day so many months later, or the last day of a month that is too short for it."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
