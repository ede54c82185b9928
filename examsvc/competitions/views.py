"""Public pages of competitions: the list, the notice with its versions and its PDF, the regulation; and the timeline."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from flask import Flask, Response, g, make_response, redirect, render_template, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from examsvc.base import access, documents, language, pages, web
from examsvc.base.access import Actor
from examsvc.base.errors import N_, NotFound
from examsvc.base.pages import current_language
from examsvc.competitions import (
    announcing_views,
    course,
    course_views,
    draw_views,
    oracles,
    phases,
    preparing,
    queries,
    regulation_text,
    setup_views,
    staffing_views,
)
from examsvc.competitions.blueprint import SETTERS, bp, is_reader, visible
from examsvc.competitions.decisions import DONE
from examsvc.competitions.models import Competition, Notice
from examsvc.competitions.regulation import Regulation, preset_bytes, preset_names, read_preset
from examsvc.settings import Settings

PHASES = {
    "draft": N_("Being set up"),
    "announced": N_("Announced"),
    "applications": N_("Applications"),
    "eligibility": N_("Eligibility"),
    "exam": N_("Exam"),
    "marking": N_("Marking"),
    "defence": N_("Defence"),
    "results": N_("Results"),
    "appeals": N_("Appeals"),
    "final": N_("Final"),
}
STANDINGS = {
    "going-on": N_("goes on"),
    "postponed": N_("postponed"),
    "suspended": N_("suspended"),
    "annulled": N_("annulled"),
}
SOURCE_STATES = {
    "in-force": N_("in force"),
    "partly-in-force": N_("partly in force"),
    "ended": N_("no longer in force"),
    "not-confirmed": N_("force not confirmed"),
    "example": N_("an example"),
}


# ---------------------------------------------------------------- list and notice


@bp.get("/")
@access.public
def index() -> str:
    session, now = web.session(), web.now()
    every = queries.every(session)
    shown = [one for one in every if queries.is_public(one)]
    actor: Actor | None = g.get("actor")
    hidden = [one for one in every if one not in shown and actor is not None and is_reader(one.slug)]
    return render_template(
        "competitions/index.html",
        competitions=shown,
        hidden=hidden,
        phase_of=queries.phase_kind,
        standing_of=queries.standing,
        phases=PHASES,
        standings=STANDINGS,
        next_of=lambda one: _next_date(one, now),
        may_open=actor is not None and (actor.holds("hr-officer") or actor.holds("system-administrator")),
    )


def _next_date(competition: Competition, now: datetime) -> tuple[str, datetime] | None:
    """The next date that the notice states, with its label in the reader's language."""
    notice = queries.notice(competition)
    if notice is None:
        return None
    ahead = [(one["t"], one["label"]) for one in json.loads(notice.document)["dates"] if one["t"] > now.timestamp()]
    if not ahead:
        return None
    at, label = min(ahead, key=lambda pair: pair[0])
    return language.in_language(label, current_language()), datetime.fromtimestamp(at, tz=now.tzinfo)


@bp.get("/competitions/<slug>")
@access.public
def notice(slug: str) -> str | BaseResponse:
    competition = visible(queries.competition(web.session(), slug))
    found = queries.notice(competition)
    if found is None:
        return redirect(url_for("competitions.setup" if is_reader(slug) else "accounts.home", slug=slug))
    return _notice_page(competition, found)


@bp.get("/competitions/<slug>/notices/<int:revision>")
@access.public
def old_notice(slug: str, revision: int) -> str:
    competition = visible(queries.competition(web.session(), slug))
    return _notice_page(competition, _revision(competition, revision))


@bp.get("/competitions/<slug>/notices/<int:revision>.json")
@access.public
def notice_document(slug: str, revision: int) -> Response:
    """The canonical bytes whose SHA-256 stands in the ledger."""
    competition = visible(queries.competition(web.session(), slug))
    return _file(_revision(competition, revision).document.encode(), "application/json", f"{slug}-notice-{revision}.json")


@bp.get("/competitions/<slug>/notices/<int:revision>.pdf")
@access.public
def notice_pdf(slug: str, revision: int) -> Response:
    competition = visible(queries.competition(web.session(), slug))
    found = _revision(competition, revision)
    return _file(printed_notice(found, current_language()), "application/pdf", f"{slug}-{revision}.pdf")


def printed_notice(found: Notice, reader: str) -> bytes:
    """The notice as PDF in one language."""
    settings = web.settings()
    document = json.loads(found.document)
    institution = {"vi": settings.institution_vi, "en": settings.institution_en}[reader]

    def say(text: str) -> str:
        return language.sentence(reader, text)

    return documents.pdf(
        "competitions",
        "notice",
        {
            "subtitle": language.in_language(document["title"], reader),
            "words": {
                "posts": say(N_("Posts")),
                "code": say(N_("Code")),
                "post": say(N_("Post")),
                "unit": say(N_("Unit")),
                "level": say(N_("Level")),
                "vacancies": say(N_("Vacancies")),
                "dates": say(N_("Dates")),
                "event": say(N_("Event")),
                "when": say(N_("When")),
                "regulation": say(N_("Regulation")),
                "version": say(N_("Version of the notice")),
                "fingerprint": say(N_("Fingerprint (SHA-256) of the notice")),
                "fingerprint-of-regulation": say(N_("Fingerprint (SHA-256) of the regulation")),
            },
            "posts": [
                [
                    one["code"],
                    language.in_language(one["title"], reader),
                    language.in_language(one["unit"], reader),
                    language.in_language(one["level"], reader),
                    str(one["vacancies"]),
                ]
                for one in document["posts"]
            ],
            "dates": [
                [
                    language.in_language(one["label"], reader),
                    language.moment(datetime.fromtimestamp(one["t"], tz=settings.zone), settings.zone),
                ]
                for one in document["dates"]
            ],
            "sections": [
                {
                    "title": language.in_language(section["title"], reader),
                    "items": [
                        {
                            "heading": language.in_language(item["heading"], reader),
                            "lines": [language.in_language(line, reader) for line in item["lines"]],
                        }
                        for item in section["items"]
                    ],
                }
                for section in document["sections"]
            ],
            "regulation": language.in_language(document["regulation"]["title"], reader),
            "regulation-digest": document["regulation"]["digest"],
            "revision": str(found.revision),
            "digest": found.digest,
            "signer": say(N_("Chair of the council")),
        },
        title=say(N_("Notice of a competition")),
        language=reader,
        institution=institution,
        moment=found.published_at.astimezone(settings.zone),
    )


def _revision(competition: Competition, revision: int) -> Notice:
    found = next((one for one in competition.notices if one.revision == revision), None)
    if found is None:
        raise NotFound()
    return found


def _notice_page(competition: Competition, found: Notice) -> str:
    session, now = web.session(), web.now()
    document = json.loads(found.document)
    dates = [{**one, "at": datetime.fromtimestamp(one["t"], tz=now.tzinfo)} for one in document["dates"]]
    by_event = {one["event"]: one["at"] for one in dates}
    return render_template(
        "competitions/notice.html",
        competition=competition,
        notice=found,
        newest=competition.notices[-1],
        document=document,
        dates=dates,
        opens_at=by_event.get("applications-opened"),
        closes_at=by_event.get("applications-closed"),
        phase=queries.phase_kind(competition),
        standing=queries.standing(competition),
        standings=STANDINGS,
        stopped_posts={post.code: queries.standing(competition, post=post.code) for post in competition.posts},
        decisions=list(reversed(competition.decisions)),
        kinds=DONE,
        links=oracles.links(session, competition, now),
        reader=is_reader(competition.slug),
    )


def _file(data: bytes, kind: str, name: str) -> Response:
    response = make_response(data)
    response.headers["Content-Type"] = kind
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response


# ---------------------------------------------------------------- the regulation


@bp.get("/competitions/<slug>/regulation")
@access.public
def regulation(slug: str) -> str:
    competition = visible(queries.competition(web.session(), slug))
    return regulation_page(
        queries.regulation(competition),
        competition=competition,
        confirmed={(one.path, one.digest): one for one in queries.confirmations(web.session(), competition.id)},
    )


@bp.get("/competitions/<slug>/regulation.json")
@access.public
def regulation_document(slug: str) -> Response:
    """The canonical bytes whose SHA-256 is pinned."""
    competition = visible(queries.competition(web.session(), slug))
    return _file(competition.regulation_document.canonical.encode(), "application/json", f"{slug}-regulation.json")


@bp.get("/regulations/<name>")
@access.public
def preset(name: str) -> str:
    if name not in preset_names():
        raise NotFound()
    return regulation_page(read_preset(name), preset=name)


@bp.get("/regulations/<name>.toml")
@access.public
def preset_toml(name: str) -> Response:
    if name not in preset_names():
        raise NotFound()
    return _file(preset_bytes(name), "text/plain; charset=utf-8", f"{name}.toml")


def regulation_page(
    rules: Regulation,
    *,
    competition: Competition | None = None,
    preset: str | None = None,
    confirmed: dict[tuple[str, str], Any] | None = None,
) -> str:
    return render_template(
        "competitions/regulation.html",
        competition=competition,
        preset=preset,
        regulation=rules,
        digest=competition.regulation_document.digest if competition is not None else rules.digest(),
        sections=regulation_text.sections(rules, current_language()),
        confirmed={path: one for (path, _), one in (confirmed or {}).items()},
        source_states=SOURCE_STATES,
        reader=competition is not None and is_reader(competition.slug),
        in_force=rules.in_force.on(web.now().astimezone(web.settings().zone).date()),
    )


# ---------------------------------------------------------------- shell and tasks


def timeline(session: Session, slug: str, now: datetime) -> list[pages.Step]:
    """The phases of the regulation in their order, with the dates that are known and the present one marked."""
    competition = queries.competition(session, slug)
    rules = queries.regulation(competition)
    order = [one for one in phases.phases(rules) if one.kind != "draft"]
    present = queries.phase(competition)
    place = next((i for i, one in enumerate(order) if one.id == present), -1)
    stopped = queries.standing(competition) != "going-on"
    several = {kind: sum(one.kind == kind for one in order) > 1 for kind in PHASES}
    words = preparing.words(competition, current_language())
    entered = {record.phase: record.entered_at for record in competition.phases}
    steps = []
    for i, one in enumerate(order):
        label = gettext(PHASES[one.kind])
        if several[one.kind] and one.stage:
            label = f"{label}: {words.named('stage', one.stage)}"
        state = "past" if i < place else "future"
        if i == place:
            state = "stopped" if stopped else "present"
            if stopped:
                label = f"{label} – {gettext(STANDINGS[queries.standing(competition)])}"
        steps.append(pages.Step(label=label, when=_when(competition, one, entered), state=state, address=_address(competition, one)))
    return steps


def _when(competition: Competition, phase: phases.Phase, entered: dict[str, datetime]) -> str:
    zone = web.settings().zone
    planned = {
        "announced": "notice-published",
        "applications": "applications-opened",
        "exam": f"exam-started:{phase.stage}",
        "defence": f"exam-started:{phase.stage}",
        "results": "results-reported",
        "appeals": "results-published",
    }.get(phase.kind)
    at = queries.date_of(competition, planned) if planned else None
    at = at or entered.get(phase.id)
    if at is None:
        return ""
    text = language.day(at, zone)
    closes = queries.date_of(competition, "applications-closed") if phase.kind == "applications" else None
    return f"{text} – {language.day(closes, zone)}" if closes is not None else text


def _address(competition: Competition, phase: phases.Phase) -> str | None:
    return url_for("competitions.notice", slug=competition.slug) if phase.kind == "announced" and competition.notices else None


def tasks(session: Session, actor: Actor, slug: str, now: datetime) -> list[pages.Task]:
    """What those who set up and lead competitions should do now."""
    chosen = [queries.competition(session, slug)] if slug else queries.every(session)
    found: list[pages.Task] = []
    for competition in chosen:
        if not any(actor.holds(role, competition.slug) for role in SETTERS):
            continue
        title = language.in_language(competition.title, current_language())
        if queries.phase(competition) == "draft":
            step = setup_views.next_open(session, competition, now)
            if step is not None:
                found.append(
                    pages.Task(label=gettext(step.label), address=step.address, detail=title, urgent=step.ready)
                )
            continue
        late = [
            one
            for one in queries.deadlines(session, competition, zone=web.settings().zone, now=now)
            if one.state == "overdue" and not one.rule.event.startswith(("appeals-", "kept-until"))
        ]
        if late and queries.standing(competition) == "going-on":
            found.append(
                pages.Task(
                    label=gettext("A deadline has passed: %(rule)s") % {"rule": late[0].rule.label.in_language(current_language())},
                    address=url_for("competitions.calendar", slug=competition.slug),
                    detail=title,
                    urgent=True,
                )
            )
        following = course.next_step(competition)
        if following is not None and not following.missing(
            course.facts(session, competition, zone=web.settings().zone, now=now)
        ):
            found.append(
                pages.Task(
                    label=gettext("Begin the phase: %(phase)s") % {"phase": gettext(PHASES[following.to.phase.kind])},
                    address=url_for("competitions.course_page", slug=competition.slug),
                    detail=title,
                    urgent=True,
                )
            )
    return found


PAGES = (announcing_views, course_views, draw_views, setup_views, staffing_views)
"""Modules whose import puts further pages on the blueprint."""


def register_room(app: Flask, settings: Settings) -> None:
    app.register_blueprint(bp)
    app.jinja_env.globals["competition_phases"] = PHASES
    app.jinja_env.globals["person_names"] = draw_views.person_names
    pages.timeline_from(timeline)
    pages.tasks_from(tasks)
    pages.tasks_from(draw_views.tasks)
    course.configure(settings.zone)
