"""The shell of every page: language, who one is, where one is in the competition, and the one thing to do now.

Rooms fill three small registries in ``create_app``: what stands in the timeline of a competition, the tasks of a role, and
the places that a person's own page leads to.  Nothing here knows a room.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask, g, redirect, request, url_for
from flask import session as cookie
from flask_babel import Babel, get_locale
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.base import access, language, messages, web
from examsvc.base.access import Actor
from examsvc.settings import Settings


@dataclass(frozen=True)
class Step:
    """One phase in the timeline: its label (already translated), dates as text, and whether past, present or to come."""

    label: str
    when: str
    state: str  # "past" | "present" | "future" | "stopped"
    address: str | None = None


@dataclass(frozen=True)
class Task:
    """One thing that the reader's role should do now: ``urgent`` ones stand first."""

    label: str
    address: str
    detail: str = ""
    urgent: bool = False
    done: bool = False


@dataclass(frozen=True)
class Link:
    """A place that a person goes to now and then, without being asked to: it stands on the person's own page."""

    label: str
    address: str


LinksOf = Callable[[Session, Actor, datetime], list[Link]]
TimelineOf = Callable[[Session, str, datetime], list[Step]]
TasksOf = Callable[[Session, Actor, str, datetime], list[Task]]

_timelines: list[TimelineOf] = []
_tasks: list[TasksOf] = []
_links: list[LinksOf] = []


def timeline_from(source: TimelineOf) -> TimelineOf:
    """Registers the room that knows a competition's phases."""
    if source not in _timelines:
        _timelines.append(source)
    return source


def tasks_from(source: TasksOf) -> TasksOf:
    """Registers a room's answer to: what should this person do now in this competition ("" for all)?"""
    if source not in _tasks:
        _tasks.append(source)
    return source


def links_from(source: LinksOf) -> LinksOf:
    """Registers a room's places for a person's own page."""
    if source not in _links:
        _links.append(source)
    return source


def links() -> list[Link]:
    """Places of the signed-in person."""
    actor: Actor | None = g.get("actor")
    if actor is None:
        return []
    return [link for source in _links for link in source(web.session(), actor, web.now())]


def timeline(slug: str) -> list[Step]:
    return [step for source in _timelines for step in source(web.session(), slug, web.now())]


def tasks(slug: str = "") -> list[Task]:
    """Tasks of the signed-in person, the urgent first, the done last."""
    actor: Actor | None = g.get("actor")
    if actor is None:
        return []
    found = [task for source in _tasks for task in source(web.session(), actor, slug, web.now())]
    return sorted(found, key=lambda task: (task.done, not task.urgent))


def _unread() -> int:
    actor: Actor | None = g.get("actor")
    return messages.unread(web.session(), actor.account_id) if actor is not None and actor.attempt is None else 0


def current_language() -> str:
    """vi or en: what the reader chose, else the account's language, else the installation's."""
    if "language" in g:
        return str(g.language)
    chosen = cookie.get("language")
    if chosen not in language.LANGUAGES:
        chosen = g.get("account_language")
    if chosen not in language.LANGUAGES:
        chosen = web.settings().default_language
    g.language = chosen
    return str(chosen)


def in_reader_language(texts: Mapping[str, str] | None) -> str:
    """A text of data in the language of this page."""
    return language.in_language(texts, current_language())


def register(app: Flask, settings: Settings) -> None:
    """Wires languages, filters, the shell's context and the security headers into the application.  Raises Refused without a catalogue."""
    language.require_catalogues()
    Babel(
        app,
        locale_selector=current_language,
        default_locale=settings.default_language,
        default_timezone=settings.time_zone,
        default_translation_directories="translations",
    )
    zone = settings.zone
    messages.configure(settings)

    app.jinja_env.filters.update(
        day=lambda value: language.day(value, zone) if value else "",
        moment=lambda value: language.moment(value, zone) if value else "",
        clock=lambda value: language.clock_time(value, zone) if value else "",
        number=lambda value: language.number(value, current_language()),
        text=lambda value: language.in_language(value, current_language()),
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True

    @app.context_processor
    def _shell() -> dict[str, Any]:
        return {
            "language": current_language(),
            "languages": language.LANGUAGE_NAMES,
            "institution": language.in_language(
                {"vi": settings.institution_vi, "en": settings.institution_en}, current_language()
            ),
            "actor": g.get("actor"),
            "timeline_of": timeline,
            "tasks_of": tasks,
            "opens": access.opens,
            "links_of": links,
            "now": web.now(),
            "unread_messages": _unread,
            "demo": settings.mode == "demo",
            "locale": str(get_locale() or "vi"),
        }

    @app.get("/language/<code>")
    @access.public
    def choose_language(code: str) -> Response:
        if code in language.LANGUAGES:
            cookie["language"] = code
        return redirect(safe_target(request.args.get("next")) or url_for("competitions.index"))

    @app.after_request
    def _headers(response: Response) -> Response:
        headers = response.headers
        headers.setdefault(
            "Content-Security-Policy",
            "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; object-src 'none';"
            " base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
        )
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
        if settings.secure:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if request.endpoint not in ("static", "bootstrap.static"):
            headers.setdefault("Cache-Control", "no-store")
        return response


def safe_target(address: str | None) -> str | None:
    """A path of this service to which a redirect may go; anything else is dropped."""
    if not address or not address.startswith("/") or address.startswith(("//", "/\\")) or "\\" in address:
        return None
    if any(ord(character) < 32 for character in address):
        return None
    return address
