"""Pages of the room applications, and what each role should do next in it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import Flask, url_for
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from examsvc.applications import (
    arrangement_views,
    candidate_views,
    list_views,
    notices,
    office_views,
    operations,
    queries,
    rounds,
)
from examsvc.applications.blueprint import ACCOMMODATORS, OFFICE, bp
from examsvc.applications.eligibility import Assessment
from examsvc.applications.questions import NO_LEVEL
from examsvc.base import pages, web
from examsvc.base.access import Actor
from examsvc.base.errors import N_, Refused
from examsvc.base.language import day
from examsvc.competitions import oracles
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.settings import Settings

__all__ = ["arrangement_views", "bp", "candidate_views", "list_views", "office_views", "register_room", "tasks"]


def tasks(session: Session, actor: Actor, slug: str, now: datetime) -> list[pages.Task]:
    """What candidates must still do with their files, and the office with theirs."""
    found: list[pages.Task] = []
    for competition in [competitions.competition(session, slug)] if slug else competitions.announced(session):
        if competitions.is_public(competition):
            found += _candidate_tasks(session, actor, competition, slug, now)
        if any(actor.holds(role, competition.slug) for role in (*OFFICE, *ACCOMMODATORS)):
            found += _office_tasks(session, actor, competition, now)
    return found


def _candidate_tasks(
    session: Session, actor: Actor, competition: Competition, slug: str, now: datetime
) -> list[pages.Task]:
    mine = queries.all_of_account(session, competition.id, actor.account_id)
    title = "" if slug else pages.in_reader_language(competition.title)
    if not mine:
        takes = any(queries.takes_applications(session, post, now) for post in competition.posts)
        if slug and takes and not actor.roles_in(slug):
            return [
                pages.Task(
                    label=gettext("Apply for a post"),
                    address=url_for("applications.apply", slug=slug),
                    detail=_until(session, competition),
                )
            ]
        return []
    found = []
    for one in mine:
        if one.withdrawn_at is not None:
            continue
        home = url_for("applications.overview", slug=competition.slug, code=one.code)
        post = pages.in_reader_language(one.post.title)
        supplement = queries.open_supplement(one, now)
        if supplement is not None:
            found.append(
                pages.Task(
                    label=gettext("Complete your application: %(post)s") % {"post": post},
                    address=url_for(
                        "applications.supplement", slug=competition.slug, code=one.code, number=supplement.id
                    ),
                    detail=gettext("until %(moment)s") % {"moment": deadline(supplement.deadline)},
                    urgent=True,
                )
            )
        elif queries.takes_applications(session, one.post, now) and (
            not one.submissions or operations.changed_since(one)
        ):
            closes = queries.closes(session, one.post)
            found.append(
                pages.Task(
                    label=gettext("Complete your file and hand it in: %(post)s") % {"post": post}
                    if not one.submissions
                    else gettext("Hand in what you changed: %(post)s") % {"post": post},
                    address=home,
                    detail=gettext("until %(moment)s") % {"moment": deadline(closes)} if closes else title,
                    urgent=True,
                )
            )
        else:
            found.append(
                pages.Task(
                    label=gettext("Your application: %(post)s") % {"post": post},
                    address=home,
                    detail=title or gettext("Candidate number %(number)s") % {"number": one.candidate_number or "–"},
                    done=bool(one.submissions),
                )
            )
    return found


def _until(session: Session, competition: Competition) -> str:
    closes = [found for post in competition.posts if (found := queries.closes(session, post)) is not None]
    return gettext("until %(moment)s") % {"moment": deadline(max(closes))} if closes else ""


def _office_tasks(session: Session, actor: Actor, competition: Competition, now: datetime) -> list[pages.Task]:
    found = []
    slug = competition.slug
    acts = any(actor.holds(role, slug) for role in OFFICE)
    closed = all(
        rounds_ and (rounds_[-1].closed_at is not None or now >= rounds_[-1].until)
        for rounds_ in queries.rounds_of_posts(session, competition).values()
    )
    if acts and queries.count_submitted(session, competition.id):
        open_files = len(queries.undecided(session, competition.id))
        if open_files:
            found.append(
                pages.Task(
                    label=ngettext("Decide on %(num)d file", "Decide on %(num)d files", open_files),
                    address=url_for("applications.office_list", slug=slug),
                    detail=pages.in_reader_language(competition.title)
                    if closed
                    else gettext("Applications are still open; read and ask for supplements."),
                    urgent=closed,
                )
            )
        else:
            found.append(
                pages.Task(
                    label=gettext("Files of the candidates"),
                    address=url_for("applications.office_list", slug=slug),
                    detail=pages.in_reader_language(competition.title),
                    done=True,
                )
            )
    short = queries.short_posts(session, competition) if closed else []
    if short:
        found.append(
            pages.Task(
                label=ngettext(
                    "%(num)d post has too few candidates", "%(num)d posts have too few candidates", len(short)
                ),
                address=url_for("applications.candidate_lists", slug=slug),
                detail=", ".join(short),
                urgent=True,
            )
        )
    elif closed and acts and not queries.undecided(session, competition.id):
        gone = queries.cancelled_posts(session, competition.id)
        if any(queries.newest_list(session, post.id) is None for post in competition.posts if post.id not in gone):
            found.append(
                pages.Task(
                    label=gettext("Have the list of candidates approved"),
                    address=url_for("applications.candidate_lists", slug=slug),
                    urgent=True,
                )
            )
    open_requests = [one for one in queries.accommodation_requests(session, competition.id) if not one.decisions]
    if open_requests and any(actor.holds(role, slug) for role in ACCOMMODATORS):
        found.append(
            pages.Task(
                label=ngettext(
                    "Decide on %(num)d confidential request",
                    "Decide on %(num)d confidential requests",
                    len(open_requests),
                ),
                address=url_for("applications.arrangement_list", slug=slug),
                detail=pages.in_reader_language(competition.title),
                urgent=True,
            )
        )
    return found


def links(session: Session, competition: Competition, now: datetime) -> list[oracles.Link]:
    """What the notice offers to everybody: to apply while applications are taken, and the lists once they are posted."""
    found = []
    if any(queries.takes_applications(session, post, now) for post in competition.posts):
        found.append(oracles.Link(N_("Apply"), "applications.apply", main=True))
    if queries.posted(session, competition.id):
        found.append(oracles.Link(N_("Lists of candidates"), "applications.public_lists"))
    return found


def because(assessment: Assessment) -> str:
    """Why a criterion is computed as it is, in the reader's language."""
    params: dict[str, Any] = dict(assessment.params)
    return web.explain(Refused(assessment.because, **params))


def fact(value: object) -> str:
    """A fact as a reader writes it."""
    if isinstance(value, date):
        return day(value)
    return gettext("none") if value == NO_LEVEL else str(value)


def deadline(value: datetime | None) -> str:
    """A deadline as people read it: one that falls on midnight is the end of the day before."""
    return notices.deadline_text(value, web.settings().zone)[pages.current_language()] if value is not None else ""


def register_room(app: Flask, settings: Settings) -> None:
    app.register_blueprint(bp)
    app.jinja_env.filters.update(because=because, fact=fact, deadline=deadline)
    pages.tasks_from(tasks)
    oracles.links_from(links)
    rounds.register()
