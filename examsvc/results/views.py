"""The public result."""

from __future__ import annotations

from flask import Blueprint, Flask, render_template

from examsvc.base import access, web
from examsvc.base.errors import NotFound
from examsvc.competitions import queries as competitions
from examsvc.results import queries
from examsvc.settings import Settings

bp = Blueprint("results", __name__, template_folder="templates")


@bp.get("/competitions/<slug>/results")
@access.public
def public(slug: str) -> str:
    competition = competitions.competition(web.session(), slug)
    publication = queries.published(web.session(), competition.id)
    if publication is None:
        raise NotFound()
    return render_template("results/public.html", competition=competition, publication=publication)


def register_room(app: Flask, settings: Settings) -> None:
    app.register_blueprint(bp)
