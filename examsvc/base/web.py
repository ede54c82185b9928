"""The edge between Flask and the rooms: the request's session, its clock, its one commit, and how a refusal is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from typing import Any, cast

from flask import Flask, current_app, flash, g, jsonify, render_template, request
from flask_babel import get_locale, gettext
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException, RequestedRangeNotSatisfiable
from werkzeug.wrappers import Response

from examsvc.base import database, language
from examsvc.base.access import Actor, actor
from examsvc.base.clock import Clock
from examsvc.base.errors import N_, Refused
from examsvc.settings import Settings

db = SQLAlchemy(metadata=database.Base.metadata)


def session() -> Session:
    """The request's session, for reading; it ends with the request."""
    return cast(Session, db.session())


@contextmanager
def writing() -> Iterator[Session]:
    """Where a web request commits, but for ``write_together``."""
    with database.writing(session()) as open_session:
        yield open_session


def write_together(operation: Callable[[Session], database.T]) -> database.T:
    """A commit that requests share with each other; what ``database.write_together`` says of the operation holds here too."""
    return database.write_together(session(), operation)


def now() -> datetime:
    """This request's moment: read once, so that one request decides at one time."""
    if "now" not in g:
        clock: Clock = current_app.extensions["examsvc.clock"]
        g.now = clock()
    return cast(datetime, g.now)


def settings() -> Settings:
    return cast(Settings, current_app.extensions["examsvc.settings"])


def say(sentence: str, **params: object) -> None:
    """One sentence at the head of the next page: what has safely happened."""
    flash(gettext(sentence) % params if params else gettext(sentence), "success")


def explain(refusal: Refused) -> str:
    """The refusal's sentence in the reader's language."""
    sentence = str(gettext(refusal.sentence))
    return sentence % {name: _spoken(value) for name, value in refusal.params.items()} if refusal.params else sentence


def _spoken(value: object) -> object:
    if isinstance(value, tuple):
        return ", ".join(str(_spoken(one)) for one in value)
    if isinstance(value, Mapping):
        return language.in_language(value, str(get_locale() or language.LANGUAGES[0]))
    return str(gettext(value)) if isinstance(value, str) and value else value


def medium(data: bytes, media_type: str, *, keep: bool = False) -> Response:
    """A picture, sound or film of a question as the reply to this request: whole, or the one range that a player asks for.

    It is never taken for another type, and as a page of its own it can neither run nor load anything.  ``keep``: the browser may
    keep it for a day (a file of another content has another address).  416 for a range outside of it.
    """
    reply = Response(data, mimetype=media_type)
    reply.headers["X-Content-Type-Options"] = "nosniff"
    reply.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    reply.headers["Cache-Control"] = "private, max-age=86400, immutable" if keep else "private, no-cache"
    reply.set_etag(sha256(data).hexdigest())
    several = "," in request.headers.get("Range", "")  # a reply in several pieces is nobody's need: the whole file answers
    try:
        reply.make_conditional(request.environ, accept_ranges="bytes", complete_length=None if several else len(data))
    except RequestedRangeNotSatisfiable:
        return Response(status=416, headers={"Content-Range": f"bytes */{len(data)}", "Accept-Ranges": "bytes"})
    return reply


_HTTP = {
    400: N_("The page that you sent was incomplete or too old. Go back, reload the page and send it once more."),
    401: N_("Sign in first."),
    403: N_("Your role does not allow this. Ask the person who grants roles."),
    404: N_("There is no such page. Check the address, or begin at the first page."),
    405: N_("This page cannot be used in that way. Go back and use the buttons of the page."),
    413: N_("What you sent is too large. Make the file smaller and send it again; nothing was stored."),
    415: N_("This kind of content is not accepted here."),
    422: N_("What you sent could not be understood."),
    429: N_("Too many tries. Wait a little, then try again."),
    500: N_("Something failed on our side. What was stored before is safe; try again, and tell the hall or the office if it stays."),
}


def register(app: Flask) -> None:
    """Error pages, in the language of the reader and in the form the client asked for."""

    @app.errorhandler(Refused)
    def _refused(error: Refused) -> Any:
        return _answer(error.status, explain(error))

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Any:
        if error.response is not None:
            return error.response
        code = error.code or 500
        return _answer(code, gettext(_HTTP.get(code, _HTTP[500 if code >= 500 else 400])))

    @app.errorhandler(Exception)
    def _failed(error: Exception) -> Any:
        app.logger.exception("request failed")
        db.session.rollback()
        if app.config.get("PROPAGATE_EXCEPTIONS") or app.testing:
            raise error
        return _answer(500, gettext(_HTTP[500]))


def _answer(status: int, sentence: str) -> tuple[str | Response, int]:
    if request.is_json or request.accept_mimetypes.best == "application/json":
        return jsonify(error=sentence), status
    return render_template("base/error.html", status=status, sentence=sentence), status


__all__ = ["Actor", "actor", "db", "explain", "medium", "now", "register", "say", "session", "settings", "write_together", "writing"]
