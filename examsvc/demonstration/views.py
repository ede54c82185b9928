"""The page of a demonstration that signs one in as any of its invented people.  It exists nowhere else."""

from __future__ import annotations

from flask import Blueprint, Flask, render_template, url_for
from werkzeug.wrappers import Response

from examsvc.accounts import queries as accounts
from examsvc.accounts.browser import enter
from examsvc.base import access, web
from examsvc.base.errors import NotFound
from examsvc.demonstration.people import CANDIDATES, STAFF
from examsvc.demonstration.story import DOMAIN
from examsvc.settings import Settings

bp = Blueprint("demonstration", __name__, template_folder="templates")


@bp.get("/demo")
@access.public
def people() -> str:
    return render_template("demonstration/people.html", staff=STAFF, candidates=CANDIDATES)


@bp.post("/demo/<handle>")
@access.public
def become(handle: str) -> Response:
    if handle not in {person.handle for person in (*STAFF, *CANDIDATES)}:
        raise NotFound()
    account = accounts.by_email(web.session(), f"{handle}@{DOMAIN}")
    if account is None:
        raise NotFound()
    return enter(account.id, url_for("accounts.home"), second_factor=True)


def register_room(app: Flask, settings: Settings) -> None:
    """Only in a demonstration; elsewhere the addresses do not exist."""
    if settings.mode == "demo":
        app.register_blueprint(bp)
