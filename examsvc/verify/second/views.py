"""The second verifier, served as it stands at a public address, to be used there or kept as a file."""

from __future__ import annotations

from flask import Blueprint, Flask
from werkzeug.wrappers import Response

from examsvc.base import access
from examsvc.settings import Settings
from examsvc.verify.second import page

bp = Blueprint("verifier", __name__)


@bp.get("/verifier.html")
@access.public
def verifier() -> Response:
    """The page that checks a bundle in the reader's own browser; nothing is sent back."""
    response = Response(page.page(), content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = page.policy() + "; frame-ancestors 'none'"
    return response


def register_room(app: Flask, settings: Settings) -> None:
    app.register_blueprint(bp)
