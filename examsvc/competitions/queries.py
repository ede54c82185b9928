"""What other rooms may ask about competitions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import oracles
from examsvc.accounts.approvals import Terms
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.competitions import calendar, phases
from examsvc.competitions.confirmations import Confirmation, OpenClause, missing_confirmations
from examsvc.competitions.models import (
    ClauseConfirmation,
    Competition,
    Council,
    Decision,
    HolidayTable,
    Notice,
    NoticeText,
    Post,
    RegulationDocument,
    StandingRecord,
)
from examsvc.competitions.regulation import Regulation, read_canonical
from examsvc.competitions.wording_procedure import STEPS


def competition(session: Session, slug: str) -> Competition:
    """The competition of that slug; NotFound otherwise."""
    found = session.scalar(select(Competition).where(Competition.slug == slug))
    if found is None:
        raise NotFound()
    return found


def every(session: Session) -> list[Competition]:
    return list(session.scalars(select(Competition).order_by(Competition.id.desc())))


def announced(session: Session) -> list[Competition]:
    """Competitions that were announced, the newest first; classified ones too."""
    return [one for one in every(session) if phase(one) != "draft"]


def is_public(of: Competition) -> bool:
    """Whether the public may see its pages: it is announced, and not classified or released."""
    return phase(of) != "draft" and (not of.classified or of.released_at is not None)


def post(session: Session, competition_id: int, code: str) -> Post:
    found = session.scalar(select(Post).where(Post.competition_id == competition_id, Post.code == code))
    if found is None:
        raise NotFound()
    return found


# ---------------------------------------------------------------- regulation


def regulation(of: Competition) -> Regulation:
    """The typed regulation of a competition: parsed once per process and digest."""
    document: RegulationDocument = of.regulation_document
    return parsed(document.digest, document.canonical)


@lru_cache(maxsize=64)
def parsed(digest: str, canonical: str) -> Regulation:
    if hashlib.sha256(canonical.encode()).hexdigest() != digest:
        raise RuntimeError(f"the stored regulation {digest} does not have its digest any more")
    return read_canonical(canonical.encode())


def confirmations(session: Session, competition_id: int) -> list[ClauseConfirmation]:
    """Confirmations of clauses, the oldest first; those of a clause's earlier wording too."""
    return list(
        session.scalars(
            select(ClauseConfirmation)
            .where(ClauseConfirmation.competition_id == competition_id)
            .order_by(ClauseConfirmation.id)
        )
    )


def open_clauses(session: Session, of: Competition, on: date) -> tuple[OpenClause, ...]:
    """Clauses that a person still has to confirm before the regulation may be used on this day."""
    given = [Confirmation(one.path, one.digest, one.by.code, one.at) for one in confirmations(session, of.id)]
    return missing_confirmations(regulation(of), given, on)


def approval_terms(of: Competition, step: str) -> Terms:
    """Who approves a step in this competition, as :func:`terms_of` says."""
    return terms_of(regulation(of), step)


def terms_of(rules: Regulation, step: str) -> Terms:
    """Who approves a step under a regulation.

    Where the regulation is silent on the step, what it says of interventions holds: those people, that number, that term.
    LookupError where it says nothing of either (lint reports that).
    """
    rule = rules.approval(step) or rules.approval("intervene")
    if rule is None:
        raise LookupError(f"the regulation does not say who approves {step}")
    return Terms(rule.roles, rule.people, rule.expires)


@oracles.board_from
def board(session: Session, slug: str) -> oracles.Board | None:
    """What the regulation of a competition says about the people who act in it."""
    found = session.scalar(select(Competition).where(Competition.slug == slug))
    if found is None:
        return None
    document = found.regulation_document
    of_all = _board_of(document.digest, document.canonical)
    return replace(of_all, title=found.title, posts=tuple(post.code for post in found.posts))


@lru_cache(maxsize=64)
def _board_of(digest: str, canonical: str) -> oracles.Board:
    """What is the same in all competitions under one regulation."""
    rules = parsed(digest, canonical)
    roles = {role.id: role.people for role in rules.roles}
    return oracles.Board(
        title={},
        roles=roles,
        conflicts=frozenset(frozenset(pair) for pair in rules.conflicts.pairs(roles)),
        grant=terms_of(rules, "grant-role"),
        blocking=frozenset(rules.relations.blocking),
        declared=rules.relations.declared,
        barred=frozenset(rules.relations.roles),
        discipline_bars=rules.relations.under_discipline_barred,
        stages=tuple(stage.id for stage in rules.stages),
        approves={
            role: tuple(STEPS[one.step] for one in rules.approvals if role in one.roles) for role in roles
        },
    )


# ---------------------------------------------------------------- phase and standing


def phase(of: Competition) -> str:
    """The id of the phase entered last, "exam:written"; "draft" before the competition is announced."""
    return of.phases[-1].phase if of.phases else "draft"


def phase_kind(of: Competition) -> str:
    """The kind of the present phase, without its stage: "exam"."""
    return phase(of).partition(":")[0]


def present(of: Competition) -> phases.Position:
    """Phase and standing of the whole competition."""
    return phases.Position(phases.phase(regulation(of), phase(of)), standing(of))


def standing(
    of: Competition, *, post: str | None = None, part: str | None = None, sitting: str | None = None
) -> phases.Standing:
    """Whether exactly this (the whole competition, or the post, part or sitting named) goes on or stands still."""
    record = standing_record(of, post=post, part=part, sitting=sitting)
    return cast(phases.Standing, record.standing) if record is not None else "going-on"


_STOPPED = {
    "postponed": N_("%(what)s is postponed by decision %(number)s. It goes on when a decision says so."),
    "suspended": N_("%(what)s is suspended by decision %(number)s. It goes on when a decision says so."),
    "annulled": N_("%(what)s was annulled by decision %(number)s. Nothing more can be done in it."),
}
_WHAT = {
    "competition": N_("The competition"),
    "post": N_("The competition for this post"),
    "part": N_("This part of the exam"),
    "sitting": N_("This sitting"),
}


def require_running(
    of: Competition,
    *,
    posts: Iterable[str] = (),
    part: str | None = None,
    sitting: str | None = None,
) -> None:
    """Refused while the competition, one of these posts, this part or this sitting is postponed, suspended or annulled.

    Every operation that leads a competition onward calls it; keeping what candidates hand in (saves) must not.
    """
    scopes = [("competition", standing_record(of))]
    scopes += [("post", standing_record(of, post=code)) for code in posts]
    scopes += [("part", standing_record(of, part=part))] if part else []
    scopes += [("sitting", standing_record(of, sitting=sitting))] if sitting else []
    for what, record in scopes:
        if record is not None and record.standing != "going-on":
            raise Refused(_STOPPED[record.standing], what=_WHAT[what], number=record.decision.number)


def standing_record(
    of: Competition, *, post: str | None = None, part: str | None = None, sitting: str | None = None
) -> StandingRecord | None:
    """The newest record of this scope, or None."""
    wanted = (post, part, sitting)
    return next((one for one in reversed(of.standings) if (one.post, one.part, one.sitting) == wanted), None)


def running_posts(of: Competition) -> list[Post]:
    """The posts that were not annulled, by code."""
    return [one for one in of.posts if standing(of, post=one.code) != "annulled"]


def decision(session: Session, of: Competition, number: int) -> Decision:
    found = session.get(Decision, number)
    if found is None or found.competition_id != of.id:
        raise NotFound()
    return found


# ---------------------------------------------------------------- calendar


def date_of(of: Competition, event: str) -> datetime | None:
    """When the event is set to happen, or happened."""
    for record in reversed(of.dates):
        if record.event == event:
            return record.at
    return None


def events(of: Competition) -> dict[str, datetime]:
    """Every event that has a time, past or planned."""
    newest = {record.event: record.at for record in of.dates}
    return {event: at for event, at in newest.items() if at is not None}


def holiday_table(session: Session, name: str) -> calendar.HolidayTables | None:
    """The institution's own table of this name, else the one that ships with the program, else None."""
    own = session.scalar(
        select(HolidayTable).where(HolidayTable.name == name).order_by(HolidayTable.id.desc()).limit(1)
    )
    if own is not None:
        return calendar.read_holidays(own.toml.encode())
    return calendar.holiday_preset(name) if name in calendar.holiday_presets() else None


def holiday_names(session: Session) -> list[str]:
    """Names of the tables of holidays that can be chosen."""
    return sorted({*calendar.holiday_presets(), *session.scalars(select(HolidayTable.name).distinct())})


def deadlines(
    session: Session,
    of: Competition,
    *,
    zone: ZoneInfo,
    now: datetime,
    dates: dict[str, datetime] | None = None,
) -> tuple[calendar.Deadline, ...]:
    """Every deadline of the regulation for the dates as they stand, or for the ones given here instead."""
    rules = regulation(of)
    table = holiday_table(session, of.holidays)
    known = events(of) if dates is None else dates
    closed = known.get("applications-closed")
    applicants = len(oracles.candidates(session, of.slug)) if closed is not None and closed <= now else None
    return calendar.deadlines(
        calendar.deadline_rules(rules),
        known,
        days=calendar.working_days(rules.calendar, table.years if table else ()),
        zone=zone,
        now=now,
        applicants=applicants,
    )


# ---------------------------------------------------------------- notice and council


def notice(of: Competition) -> Notice | None:
    """The notice in force, or None before one was published."""
    return of.notices[-1] if of.notices else None


def notice_texts(session: Session, competition_id: int) -> dict[str, dict[str, str]]:
    """What the office wrote for the notice: name of the text → text by language."""
    found = session.scalar(
        select(NoticeText).where(NoticeText.competition_id == competition_id).order_by(NoticeText.id.desc()).limit(1)
    )
    return {} if found is None else dict(found.texts)


def council(of: Competition) -> Council | None:
    """The council as it is composed now, or None."""
    return of.councils[-1] if of.councils else None
