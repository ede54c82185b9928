"""The blueprint of the room, who may enter its offices, and how a stored file goes out."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint
from werkzeug.wrappers import Response

from examsvc.applications.models import StoredFile

bp = Blueprint("applications", __name__, template_folder="templates", url_prefix="/competitions/<slug>")

OFFICE = ("hr-officer",)
READERS = ("hr-officer", "council-secretary", "council-chair", "competent-authority", "supervisor")
"""Roles that read files; only the office acts on them, with the approval of a second person."""
ACCOMMODATORS = ("hr-officer", "council-secretary", "council-chair")
"""Roles that decide on confidential requests; nobody who marks is among them."""
DECIDERS = ("competent-authority", "council-chair", "hr-officer")
"""Roles that the regulations name for going on with too few candidates."""


def download(file: StoredFile) -> Response:
    """A stored file, always as a download under its clean name, with the type that its content was found to have, and in a
    sandbox should a browser show it all the same."""
    plain = file.name.encode("ascii", "ignore").decode().replace('"', "").replace("\\", "").strip() or "file"
    response = Response(file.content, mimetype=file.media_type)
    response.headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "private, no-store"
    return response
