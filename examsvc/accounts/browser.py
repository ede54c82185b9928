"""The cookie by which a signed-in browser is known: given at sign-in, read before each request."""

from __future__ import annotations

from datetime import timedelta

from flask import g, redirect, request, url_for
from flask import session as cookie
from werkzeug.wrappers import Response

from examsvc.accounts import operations, queries, rules
from examsvc.accounts.models import SignInSession
from examsvc.base import web
from examsvc.base.access import Actor

COOKIE = "examsvc_session"
_TOUCH = timedelta(minutes=1)


def enter(account_id: int, target: str, *, second_factor: bool = False) -> Response:
    """Opens a session for the account and goes to the target; a session that was open before is closed.

    Where the account has a second factor that was not shown yet, it leads to the page that asks for it.
    """
    if not second_factor and queries.factors(web.session(), account_id):
        return open_in_browser(
            redirect(url_for("accounts.second_step", next=target)), account_id, purpose="second-step"
        )
    return open_in_browser(redirect(target), account_id, second_factor=second_factor)


def open_in_browser(
    response: Response,
    account_id: int,
    *,
    second_factor: bool = False,
    attempt: str | None = None,
    purpose: str = "office",
) -> Response:
    """Opens a session and gives its cookie to the browser with this response.  Each step gets a cookie of its own, so that
    one planted before signing in is worth nothing afterwards."""
    settings = web.settings()
    lasts = rules.SECOND_STEP_LASTS if purpose == "second-step" else timedelta(hours=settings.session_hours)
    with web.writing() as session:
        old = request.cookies.get(COOKIE)
        if old:
            operations.close_session(session, old, web.now())
        opened = operations.open_session(
            session,
            account_id,
            now=web.now(),
            lasts=lasts,
            second_factor=second_factor,
            attempt=attempt,
            purpose=purpose,
            browser=browser_name(request.user_agent.string),
        )
    chosen = cookie.get("language")
    cookie.clear()
    if chosen:
        cookie["language"] = chosen
    response.set_cookie(
        COOKIE,
        opened.token,
        httponly=True,
        secure=settings.secure,
        samesite="Lax",
        max_age=int(lasts.total_seconds()),
        path="/",
    )
    return response


def browser_name(agent: str) -> str:
    """A few words by which a person recognises a machine: nothing that could identify it among others is kept."""
    browsers = (
        ("Edg", "Edge"),
        ("OPR", "Opera"),
        ("coc_coc", "Cốc Cốc"),
        ("Firefox", "Firefox"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    )
    systems = (
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    )
    browser = next((name for mark, name in browsers if mark in agent), "")
    system = next((name for mark, name in systems if mark in agent), "")
    return " · ".join(part for part in (browser, system) if part)


def load_actor() -> None:
    """Before each request: finds the session of the cookie and puts the actor into ``g``.

    Without a second factor no role has an effect; before an asked second step nobody is signed in at all.
    """
    token = request.cookies.get(COOKIE)
    if not token or request.endpoint in ("static", "bootstrap.static"):
        return
    settings = web.settings()
    found = operations.find_session(web.session(), token, web.now(), timedelta(minutes=settings.session_idle_minutes))
    if found is None:
        return
    account = found.account
    g.sign_in = found
    g.account_language = account.language
    if found.purpose == "second-step":
        return
    roles = frozenset() if found.subject else queries.roles_of(web.session(), account.id, web.now())
    g.actor = Actor(
        account_id=account.id,
        code=account.code,
        name=account.name,
        roles=roles if found.second_factor else frozenset(),
        second_factor=found.second_factor,
        attempt=found.subject,
        withheld=frozenset() if found.second_factor else roles,
        excluded=queries.excluded_from(web.session(), account.id) if any(not slug for _, slug in roles) else frozenset(),
    )
    if found.seen_at + _TOUCH <= web.now():
        with web.writing() as session:
            operations.touch_session(session, found.id, web.now())


def present_sign_in() -> SignInSession | None:
    """The session of this browser, also while its second step is asked; None when there is none."""
    found: SignInSession | None = g.get("sign_in")
    return found


def is_fresh() -> bool:
    """Whether the person signed in so short a time ago that the means of signing in may be changed."""
    found = present_sign_in()
    return found is not None and found.opened_at + rules.FRESH > web.now()
