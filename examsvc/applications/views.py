"""Pages of the room applications."""

from __future__ import annotations

from flask import Blueprint, Flask

from examsvc.settings import Settings

bp = Blueprint("applications", __name__, template_folder="templates")


def register_room(app: Flask, settings: Settings) -> None:
    app.register_blueprint(bp)
