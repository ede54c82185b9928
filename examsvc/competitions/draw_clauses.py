"""Clauses on draws: what is decided by lot, who gives the secret numbers, and which outside value counts."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from examsvc.competitions.terms import Clause, Count, Label, Model, Slug, Text

Purpose = Literal["assembly", "seats", "allocation", "order", "lots"]
"""What a draw decides: the questions of a paper, the seats, who marks which script, the order of hearings, ties."""


class OutsideValue(Model):
    """A value that nobody in the competition can choose, published again and again by somebody else."""

    what: Label
    """The value, described so that whoever reads this finds exactly one, for example a lottery's first prize with all its digits."""
    publisher: Label
    """Who publishes it."""
    place: Label
    """Where it is published and can be read later."""
    days: Annotated[tuple[Annotated[int, Field(ge=1, le=7)], ...], Field(min_length=1)]
    """Days of the week on which it comes out, 1 = Monday to 7 = Sunday."""
    hour: Annotated[int, Field(ge=0, le=23)]
    """Hour at which it is out, on the clocks of `zone`."""
    minute: Annotated[int, Field(ge=0, le=59)] = 0
    """Minute of that hour."""
    zone: Text
    """Time zone of the publication, by its name in the IANA list, such as Asia/Ho_Chi_Minh."""
    lead_hours: Count
    """Least number of hours between the announcement of a draw and the publication: the time to commit and to fix what is drawn from."""

    @property
    def known_zone(self) -> ZoneInfo | None:
        """The time zone; None where there is none of this name (lint)."""
        try:
            return ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return None

    def next(self, now: datetime) -> datetime:
        """The first publication at least `lead_hours` after `now` (aware), in UTC. LookupError for an unknown zone (lint)."""
        zone = self.known_zone
        if zone is None:
            raise LookupError(f"There is no time zone {self.zone}.")
        earliest = now + timedelta(hours=self.lead_hours)
        day = earliest.astimezone(zone).date()
        while True:
            out = datetime.combine(day, time(self.hour, self.minute), tzinfo=zone)
            if day.isoweekday() in self.days and out >= earliest:
                return out.astimezone(now.tzinfo)
            day += timedelta(days=1)


class DrawRule(Clause):
    """How one thing is drawn by lot."""

    id: Purpose
    """What is drawn: questions of a paper, seats, markers of scripts, order of hearings, or lots between equals."""
    method: Literal["steps", "server", "none"]
    """"steps": secret numbers of named people and an outside value; "server": the computer draws at once; "none": not drawn."""
    participants: tuple[Slug, ...] = ()
    """Roles whose holders each give a secret number; only with "steps"."""
    outside: OutsideValue | None = None
    """The outside value; only with "steps"."""

    @model_validator(mode="after")
    def _method_fits(self) -> Self:
        stated = (bool(self.participants), self.outside is not None)
        if stated != (self.method == "steps",) * 2:
            raise PydanticCustomError(
                "draw-steps", 'must name participants and an outside value with the method "steps", and neither with another'
            )
        unfit = {"assembly": "server"}.get(self.id, "none" if self.id != "seats" else "")
        if self.method == unfit:
            raise PydanticCustomError(
                "draw-method", 'papers are drawn by "steps" or "none"; markers, orders and lots by "steps" or "server"'
            )
        return self
