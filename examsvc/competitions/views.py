"""Public pages of competitions: the list and the notice."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Flask, g, render_template, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from examsvc.base import access, pages, web
from examsvc.base.errors import N_, NotFound
from examsvc.competitions import queries
from examsvc.settings import Settings

bp = Blueprint("competitions", __name__, template_folder="templates")

PHASES = {
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


@bp.get("/")
@access.public
def index() -> str:
    found = queries.announced(web.session())
    return render_template("competitions/index.html", competitions=found, phase_of=queries.phase, phases=PHASES)


@bp.get("/competitions/<slug>")
@access.public
def notice(slug: str) -> str:
    competition = queries.competition(web.session(), slug)
    if competition.pinned_at is None and g.get("actor") is None:
        raise NotFound()
    return render_template(
        "competitions/notice.html",
        competition=competition,
        regulation=queries.regulation(competition),
        phase=queries.phase(competition),
    )


def timeline(session: Session, slug: str, now: datetime) -> list[pages.Step]:
    competition = queries.competition(session, slug)
    names = list(PHASES)
    present = queries.phase(competition)
    place = names.index(present) if present in names else -1
    return [
        pages.Step(
            label=gettext(PHASES[name]),
            when="",
            state="present" if i == place else "past" if i < place else "future",
            address=url_for("competitions.notice", slug=slug) if name == "announced" else None,
        )
        for i, name in enumerate(names)
    ]


def register_room(app: Flask, settings: Settings) -> None:
    app.register_blueprint(bp)
    pages.timeline_from(timeline)
