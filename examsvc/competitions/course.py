"""Leading a competition through its phases: which facts hold, which steps are open, and what the clock does by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.base import jobs
from examsvc.base.database import advisory_lock, writing
from examsvc.base.errors import N_, Refused
from examsvc.competitions import announcing, notice_document, oracles, phases, preparing, queries
from examsvc.competitions.models import Competition
from examsvc.competitions.operations import enter_phase
from examsvc.competitions.phases import Transition
from examsvc.competitions.procedure_clauses import AppealChannel

FACTS = {
    "regulation-pinned": N_("The regulation is pinned"),
    "clauses-confirmed": N_("Every clause has the confirmation that it needs"),
    "no-lint-errors": N_("Lint finds no error in the regulation"),
    "notice-complete": N_("The notice states all that the regulation asks"),
    "council-appointed": N_("The council is appointed and composed as the regulation asks"),
    "approved:publish-notice": N_("The notice is approved and published"),
    "applications-opened": N_("The time at which applications open has come"),
    "applications-closed": N_("The time for applications is over"),
    "eligibility-decided": N_("Eligibility of every candidate is decided"),
    "enough-candidates": N_("Each post has enough candidates, or it is decided how to go on"),
    "plans-handed-in": N_("The plans are handed in"),
    "papers-sealed": N_("The papers are approved and sealed"),
    "hall-staffed": N_("The roles of the hall are filled"),
    "candidates-summoned": N_("The candidates know time and place"),
    "sittings-closed": N_("Every sitting is closed"),
    "scripts-coded": N_("The scripts have their codes and are drawn to markers"),
    "panel-formed": N_("The panel has its size"),
    "order-drawn": N_("The order of the candidates is fixed"),
    "marks-locked": N_("The marks are locked"),
    "stage-results": N_("It is decided who goes on"),
    "results-reported": N_("The ranking is computed and the council has voted on it"),
    "approved:approve-results": N_("The competent authority has approved the results"),
    "approved:publish-results": N_("The publication of the results is approved"),
    "appeal-windows-closed": N_("Every time to contest is over"),
    "appeals-decided": N_("Every appeal is decided"),
    "winners-recorded": N_("The winners are recorded"),
}
"""Facts of ``phases.FACTS`` in a few words; the stage is named beside them."""
HALL_ROLES = ("chief-invigilator", "invigilator")


@dataclass(frozen=True)
class Need:
    """A fact that the next step needs, and whether it holds."""

    fact: str
    sentence: str
    stage: str | None
    holds: bool


def facts(session: Session, competition: Competition, *, zone: ZoneInfo, now: datetime) -> set[str]:
    """Every fact that holds: this room's own and what higher rooms say."""
    rules = queries.regulation(competition)
    pinned = competition.pinned_at is not None
    found = set(oracles.facts(session, competition, now))
    if pinned:
        found |= {"regulation-pinned", "clauses-confirmed", "no-lint-errors"}
    else:
        day = now.astimezone(zone).date()
        if not queries.open_clauses(session, competition, day):
            found.add("clauses-confirmed")
        if not any(one.severity == "error" for one in announcing.findings(competition, day)):
            found.add("no-lint-errors")
    if not notice_document.gaps(announcing.source_of(session, competition)):
        found.add("notice-complete")
    if not preparing.council_stands(session, competition, now):
        found.add("council-appointed")
    if competition.notices:
        found.add("approved:publish-notice")
    for event in ("applications-opened", "applications-closed"):
        at = queries.date_of(competition, event)
        if at is not None and at <= now:
            found.add(event)
    needed = {role.id: role.people for role in rules.roles if role.id in HALL_ROLES}
    if all(len(accounts.holders(session, role, competition.slug, now)) >= people for role, people in needed.items()):
        found |= {f"hall-staffed:{stage.id}" for stage in rules.stages}
    if windows_closed(session, competition, zone=zone, now=now):
        found.add("appeal-windows-closed")
    return found


def windows_closed(session: Session, competition: Competition, *, zone: ZoneInfo, now: datetime) -> bool:
    """Whether every time to contest has begun and is over; a channel open at any time does not hold a competition up."""
    timed: list[AppealChannel] = [one for one in queries.regulation(competition).appeals if one.window is not None]
    ends = {one.rule.id: one for one in queries.deadlines(session, competition, zone=zone, now=now)}
    return all(
        (end := ends[f"appeals-closed:{one.id}"]).instant is not None and not end.forecast and end.instant <= now
        for one in timed
        if end_matters(competition, one)
    )


def end_matters(competition: Competition, channel: AppealChannel) -> bool:
    """Whether the channel's parts are still held: one that is open only for annulled parts can end no more."""
    return not channel.parts or any(queries.standing(competition, part=part) != "annulled" for part in channel.parts)


def next_step(competition: Competition) -> Transition | None:
    """The step to the next phase; None where the competition stands still or has ended."""
    found = phases.transitions(queries.regulation(competition), queries.present(competition))
    return next((one for one in found if one.action == "advance"), None)


def decisions_open(competition: Competition) -> list[Transition]:
    """What may be decided about the whole competition now: postpone, suspend, resume, annul."""
    found = phases.transitions(queries.regulation(competition), queries.present(competition))
    return [one for one in found if one.action not in ("advance", "repeat")]


def needs(session: Session, competition: Competition, step: Transition, *, zone: ZoneInfo, now: datetime) -> list[Need]:
    """Each fact that the step needs, in order, and whether it holds."""
    hold = facts(session, competition, zone=zone, now=now)
    found = []
    for fact in step.needs:
        name, _, stage = fact.partition(":")
        whole = fact in FACTS
        found.append(Need(fact, FACTS[fact if whole else name], None if whole else stage, fact in hold))
    return found


def advance(session: Session, competition: Competition, *, zone: ZoneInfo, by: int | None, now: datetime) -> str:
    """Goes into the next phase and returns its id; refused while a fact that it needs does not hold."""
    queries.require_running(competition)
    step = next_step(competition)
    if step is None:
        raise Refused(N_("The competition has ended. There is no further phase."))
    missing = [one for one in needs(session, competition, step, zone=zone, now=now) if not one.holds]
    if missing:
        raise Refused(
            N_("The next phase still needs: %(needs)s."), needs=tuple(dict.fromkeys(one.sentence for one in missing))
        )
    enter_phase(session, competition, phase=step.to.phase.id, by=by, now=now)
    return step.to.phase.id


# ---------------------------------------------------------------- the clock


Timed = Literal["applications-opened", "applications-closed"]
BY_CLOCK: dict[str, Timed] = {"announced": "applications-opened", "applications": "applications-closed"}
"""Phases that end by the clock, and the date with which each does."""


def due(competition: Competition, now: datetime) -> bool:
    """Whether the clock ends the present phase."""
    event = BY_CLOCK.get(queries.phase(competition))
    at = queries.date_of(competition, event) if event else None
    return at is not None and at <= now and queries.standing(competition) == "going-on"


def keep_time(session: Session, now: datetime, *, zone: ZoneInfo) -> list[str]:
    """Opens and closes applications where their time has come, each in its own transaction; returns the slugs.

    What a person must still decide (too few candidates) leaves a competition where it is.
    """
    moved = []
    for number in [one.id for one in queries.announced(session) if due(one, now)]:
        with writing(session):
            competition = session.get_one(Competition, number)
            advisory_lock(session, f"course:{number}")
            step = next_step(competition) if due(competition, now) else None
            if step is not None and not step.missing(facts(session, competition, zone=zone, now=now)):
                enter_phase(session, competition, phase=step.to.phase.id, by=None, now=now)
                moved.append(competition.slug)
    return moved


def configure(zone: ZoneInfo) -> None:
    """Sets the zone in which the duty counts days."""
    global _zone
    _zone = zone


_zone = ZoneInfo("UTC")


@jobs.every(timedelta(minutes=1))
def follow_clock(session: Session, now: datetime) -> None:
    """The duty: deadlines in days count in the zone of the installation."""
    keep_time(session, now, zone=_zone)
