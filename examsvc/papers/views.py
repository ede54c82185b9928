"""Pages of the room papers."""

from __future__ import annotations

from flask import Blueprint, Flask

from examsvc.papers import approval, corrections, custody
from examsvc.settings import Settings

bp = Blueprint("papers", __name__, template_folder="templates")
OPERATIONS = (approval, corrections, custody)
"""Imported so that approvals and jobs of papers are known to every process that serves pages."""


def register_room(app: Flask, settings: Settings) -> None:
    app.register_blueprint(bp)
