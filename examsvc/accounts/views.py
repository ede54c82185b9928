"""Signing in and out, registering, and the first page of a signed-in person."""

from __future__ import annotations

from flask import Blueprint, Flask, redirect, render_template, request, url_for
from flask import session as cookie
from flask_babel import gettext
from werkzeug.wrappers import Response

from examsvc.accounts import operations, queries, rules
from examsvc.accounts.browser import COOKIE, enter, load_actor
from examsvc.accounts.forms import RegisterForm, SignInForm
from examsvc.accounts.passwords import hash_password
from examsvc.base import access, web
from examsvc.base.errors import N_, Refused
from examsvc.base.pages import current_language, safe_target
from examsvc.settings import Settings

bp = Blueprint("accounts", __name__, template_folder="templates", url_prefix="/account")


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


def role_name(role: str) -> str:
    """The role's name in the reader's language."""
    return str(gettext(rules.ROLE_NAMES.get(role, role)))


def register_room(app: Flask, settings: Settings) -> None:
    app.register_blueprint(bp)
    app.jinja_env.filters["role_name"] = role_name
    app.before_request(load_actor)
