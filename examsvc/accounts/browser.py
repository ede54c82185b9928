"""The cookie by which a signed-in browser is known: given at sign-in, read before each request."""

from __future__ import annotations

from datetime import timedelta

from flask import g, redirect, request
from flask import session as cookie
from werkzeug.wrappers import Response

from examsvc.accounts import operations, queries
from examsvc.base import web
from examsvc.base.access import Actor

COOKIE = "examsvc_session"
_TOUCH = timedelta(minutes=1)


def enter(account_id: int, target: str, *, second_factor: bool = False) -> Response:
    """Opens a session for the account and goes to the target; a session that was open before is closed."""
    return open_in_browser(redirect(target), account_id, second_factor=second_factor)


def open_in_browser(
    response: Response, account_id: int, *, second_factor: bool = False, attempt: str | None = None
) -> Response:
    """Opens a session and gives its cookie to the browser with this response."""
    settings = web.settings()
    with web.writing() as session:
        old = request.cookies.get(COOKIE)
        if old:
            operations.close_session(session, old, web.now())
        opened = operations.open_session(
            session,
            account_id,
            now=web.now(),
            lasts=timedelta(hours=settings.session_hours),
            second_factor=second_factor,
            attempt=attempt,
        )
    chosen = cookie.get("language")
    cookie.clear()
    if chosen:
        cookie["language"] = chosen
    response.set_cookie(
        COOKIE, opened.token, httponly=True, secure=settings.secure, samesite="Lax", max_age=settings.session_hours * 3600
    )
    return response


def load_actor() -> None:
    """Before each request: finds the session of the cookie and puts the actor into ``g``."""
    token = request.cookies.get(COOKIE)
    if not token or request.endpoint in ("static", "bootstrap.static"):
        return
    settings = web.settings()
    found = operations.find_session(
        web.session(), token, web.now(), timedelta(minutes=settings.session_idle_minutes)
    )
    if found is None:
        return
    account = found.account
    g.account_language = account.language
    g.actor = Actor(
        account_id=account.id,
        code=account.code,
        name=account.name,
        roles=frozenset() if found.subject else queries.roles_of(web.session(), account.id),
        second_factor=found.second_factor,
        attempt=found.subject,
    )
    if found.seen_at + _TOUCH <= web.now():
        with web.writing() as session:
            operations.touch_session(session, found.id, web.now())
