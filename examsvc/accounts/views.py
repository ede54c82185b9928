"""Signing in and out, registering, and the first page of a signed-in person."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Flask, g, redirect, render_template, request, url_for
from flask import session as cookie
from werkzeug.wrappers import Response

from examsvc.accounts import operations, queries
from examsvc.accounts.forms import RegisterForm, SignInForm
from examsvc.accounts.passwords import hash_password
from examsvc.base import access, web
from examsvc.base.access import Actor
from examsvc.base.errors import N_, Refused
from examsvc.base.pages import current_language, safe_target
from examsvc.settings import Settings

bp = Blueprint("accounts", __name__, template_folder="templates", url_prefix="/account")
COOKIE = "examsvc_session"
_TOUCH = timedelta(minutes=1)


@bp.route("/sign-in", methods=["GET", "POST"])
@access.public
def sign_in() -> str | Response:
    form = SignInForm()
    if form.validate_on_submit():
        try:
            account = operations.check_password(
                web.session(), email=form.email.data or "", password=form.password.data or "", now=web.now()
            )
        except Refused as refusal:
            form.refuse(refusal)
            return render_template("accounts/sign_in.html", form=form)
        if account is None:
            with web.writing() as session:
                operations.remember_failure(session, email=form.email.data or "", now=web.now())
            form.refuse(Refused(N_("The e-mail address or the password is not right. Check both and try again.")))
            return render_template("accounts/sign_in.html", form=form)
        return enter(account.id, safe_target(request.args.get("next")) or url_for("accounts.home"))
    return render_template("accounts/sign_in.html", form=form)


def enter(account_id: int, target: str, *, second_factor: bool = False) -> Response:
    """Opens a session for the account and goes to the target; a session that was open before is closed."""
    settings = web.settings()
    with web.writing() as session:
        old = request.cookies.get(COOKIE)
        if old:
            operations.close_session(session, old, web.now())
        opened = operations.open_session(
            session, account_id, now=web.now(), lasts=timedelta(hours=settings.session_hours), second_factor=second_factor
        )
    chosen = cookie.get("language")
    cookie.clear()
    if chosen:
        cookie["language"] = chosen
    response = redirect(target)
    response.set_cookie(
        COOKIE, opened.token, httponly=True, secure=settings.secure, samesite="Lax", max_age=settings.session_hours * 3600
    )
    return response


@bp.post("/sign-out")
@access.public
def sign_out() -> Response:
    token = request.cookies.get(COOKIE)
    if token:
        with web.writing() as session:
            operations.close_session(session, token, web.now())
    cookie.pop("csrf_token", None)
    response = redirect(url_for("competitions.index"))
    response.delete_cookie(COOKIE)
    web.say(N_("You are signed out."))
    return response


@bp.route("/register", methods=["GET", "POST"])
@access.public
def register() -> str | Response:
    form = RegisterForm()
    if form.validate_on_submit():
        hashed = hash_password(form.password.data or "")
        try:
            with web.writing() as session:
                account_id = operations.register_account(
                    session,
                    email=form.email.data or "",
                    name=form.name.data or "",
                    password_hash=hashed,
                    now=web.now(),
                    language=current_language(),
                ).id
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("Your account is made and you are signed in."))
            return enter(account_id, safe_target(request.args.get("next")) or url_for("accounts.home"))
    return render_template("accounts/register.html", form=form)


@bp.get("/")
@access.signed_in
def home() -> str:
    return render_template("accounts/home.html", grants=queries.active_grants(web.session(), access.actor().account_id))


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
        roles=queries.roles_of(web.session(), account.id),
        second_factor=found.second_factor,
    )
    if found.seen_at + _TOUCH <= web.now():
        with web.writing() as session:
            operations.touch_session(session, found.id, web.now())


def register_room(app: Flask, settings: Settings) -> None:
    app.register_blueprint(bp)
    app.before_request(load_actor)
