"""What the pages of exam day have in common: addresses, who may enter, finding what an address names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint

from examsvc.base import access, web
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.competitions import queries as competitions
from examsvc.sittings import (
    outages,
    queries,
    rules,
)
from examsvc.sittings.models import Attempt, Room, Sitting

bp = Blueprint("hall", __name__, template_folder="templates", url_prefix="/competitions/<slug>/sittings")

OFFICE = ("hr-officer", "council-secretary", "council-chair", "chief-invigilator")
HALL = ("chief-invigilator", "invigilator")
BOARD = ("council-chair", "council-secretary", "chief-invigilator")

STATES = {
    "prepared": N_("Expected"),
    "checked-in": N_("Checked in"),
    "absent": N_("Absent"),
    "submitted": N_("Submitted"),
    "closed": N_("Ended by the clock"),
    "cancelled": N_("Cancelled"),
    "waiting": N_("Waits for the bell"),
    "open": N_("Writing"),
    "paused": N_("Clock stands still"),
    "over": N_("Time is over"),
    "stopped": N_("Stopped"),
}


def sitting_of(slug: str, code: str) -> Sitting:
    competition = competitions.competition(web.session(), slug)
    return queries.sitting_of(web.session(), competition.id, code)


def attempt_of(sitting: Sitting, code: str) -> Attempt:
    found = queries.attempt(web.session(), code)
    if found.sitting_id != sitting.id:
        raise NotFound()
    return found


def typed_moment(value: datetime | None) -> datetime:
    """What was typed in the institution's zone, in UTC."""
    if value is None:
        raise Refused(N_("Enter day and time of the bell."), field="bell")
    return value.replace(tzinfo=web.settings().zone).astimezone(UTC)


def me() -> int:
    return access.actor().account_id


def room_of(found: Sitting, code: str) -> Room:
    place = next((one for one in found.rooms if one.code == code), None)
    if place is None:
        raise NotFound()
    return place


def row(attempt: Attempt) -> dict[str, Any]:
    timing = queries.timing(web.session(), attempt)
    where = rules.standing(timing, web.now())
    state = rules.state(timing, attempt.state, web.now()) if attempt.state == "checked-in" else attempt.state
    progress = queries.progress(web.session(), attempt.id)
    return {
        "attempt": attempt,
        "state": state,
        "deadline": where.deadline,
        "answered": progress.answered,
        "last_saved": progress.last_saved,
        "silent": state == "open" and outages.is_silent(attempt, web.now()),
    }
