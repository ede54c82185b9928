"""What the pages of exam day have in common: addresses, who may enter, finding what an address names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, redirect, render_template
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.base import access, web
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.forms import Form
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.sittings import (
    outages,
    queries,
    rules,
)
from examsvc.sittings.models import Attempt, Room, Sitting

bp = Blueprint("hall", __name__, template_folder="templates", url_prefix="/competitions/<slug>/sittings")

OFFICE = ("hr-officer", "council-secretary", "council-chair", "chief-invigilator")
HALL = ("chief-invigilator", "invigilator")
BOARD = ("council-chair", "council-secretary", "chief-invigilator", "competent-authority")
DECIDERS = ("invigilator", *BOARD)
"""Whoever may be given a say by a regulation; who has it is what the pinned one says of the step."""

STEPS = {
    "admit": "admit-late-candidate",
    "give_time": "grant-time",
    "sanction": "impose-sanction",
    "lift": "lift-sanction",
    "decide_late": "count-late-answers",
    "grant_again": "grant-second-attempt",
}

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


def may(competition: Competition) -> dict[str, bool]:
    """What the reader's roles allow in this competition's sittings: pages offer nothing else.

    ``STEPS`` are the regulation's: whoever it lets approve a step may ask for it.
    """
    held = set(access.actor().roles_in(competition.slug))
    return {
        "plan": bool(held & set(OFFICE)),
        "watch": bool(held & set(HALL)),
        "command": "chief-invigilator" in held,
        **{name: bool(held & set(competitions.approval_terms(competition, step).roles)) for name, step in STEPS.items()},
    }


def rows(sitting: Sitting, attempts: Sequence[Attempt]) -> list[dict[str, Any]]:
    """Attempts as the room sees them: state, time, how far; nothing of the answers.  By seat."""
    timings = queries.timings(web.session(), sitting)
    progress = queries.progress(web.session(), [attempt.id for attempt in attempts])
    found = []
    for attempt in sorted(attempts, key=lambda one: int(one.seat.place)):
        timing, far = timings[attempt.id], progress.get(attempt.id)
        state = rules.state(timing, attempt.state, web.now()) if attempt.state == "checked-in" else attempt.state
        found.append(
            {
                "attempt": attempt,
                "state": state,
                "deadline": rules.deadline(timing, web.now()),
                "answered": far.answered if far else 0,
                "last_saved": far.last_saved if far else None,
                "silent": state == "open" and outages.is_silent(attempt, web.now()),
            }
        )
    return found


def ask(
    found: Sitting,
    form: Form,
    act: Callable[[Session], None],
    *,
    title: str,
    button: str,
    done: str,
    back: str,
    notes: Sequence[str] = (),
) -> str | Response:
    """A page with one form and one operation behind it; a refusal stands at its field and nothing that was typed is lost.

    ``title``, ``button`` and ``notes`` are in the reader's language; ``done`` is a marked sentence; ``back`` is where it goes on.
    """
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                act(session)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(done)
            return redirect(back)
    return render_template(
        "sittings/ask.html",
        competition=found.competition,
        sitting=found,
        form=form,
        title=title,
        button=button,
        notes=notes,
        back=back,
    )
