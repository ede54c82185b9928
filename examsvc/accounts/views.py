"""Signing in and out, registering, the first page of a signed-in person, messages."""

from __future__ import annotations

from datetime import datetime

from flask import Flask, redirect, render_template, request, url_for
from flask import session as cookie
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.accounts import (
    approval_views,
    operations,
    queries,
    relations,
    role_views,
    rules,
    security_views,
    tries,
)
from examsvc.accounts.blueprint import bp
from examsvc.accounts.browser import COOKIE, enter, load_actor, present_sign_in
from examsvc.accounts.forms import CodeForm, RegisterForm, SignInForm
from examsvc.accounts.passwords import hash_password, matches
from examsvc.base import access, messages, pages, web
from examsvc.base.access import Actor
from examsvc.base.errors import N_, Refused
from examsvc.base.pages import current_language, safe_target
from examsvc.settings import Settings


def _onward() -> str:
    return safe_target(request.args.get("next")) or url_for("accounts.home")


@bp.route("/account/sign-in", methods=["GET", "POST"])
@access.public
def sign_in() -> str | Response:
    form = SignInForm()
    if form.validate_on_submit():
        email = form.email.data or ""
        subject = tries.password_subject(email)
        try:
            with web.writing() as session:
                tries.begin(session, subject, web.now())
            account = queries.by_email(web.session(), email)
            account_id = account.id if account is not None and account.disabled_at is None else None
            right = matches(account.password_hash if account is not None else None, form.password.data or "")
            if account_id is None or not right:
                raise Refused(N_("The e-mail address or the password is not right. Check both and try again."))
        except Refused as refusal:
            form.refuse(refusal)
        else:
            with web.writing() as session:
                tries.forget(session, subject)
            return enter(account_id, _onward())
    return render_template("accounts/sign_in.html", form=form)


@bp.route("/account/second-step", methods=["GET", "POST"])
@access.public
def second_step() -> str | Response:
    """Asks for the second factor of somebody whose password was right."""
    found = present_sign_in()
    if found is None or found.purpose != "second-step":
        return redirect(url_for("accounts.sign_in", next=safe_target(request.args.get("next"))))
    account_id = found.account_id
    held = queries.factors(web.session(), account_id)
    form = CodeForm()
    if form.validate_on_submit():
        try:
            if security_views.show_code(account_id, form.code.data or ""):
                return enter(account_id, _onward(), second_factor=True)
            raise Refused(N_("The code is not right, or it was used already. Enter the newest one."), field="code")
        except Refused as refusal:
            form.refuse(refusal)
    return render_template("accounts/second_step.html", form=form, factors=held, next_code=security_views.next_number(held))


@bp.post("/account/sign-out")
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


@bp.route("/account/register", methods=["GET", "POST"])
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
            return enter(account_id, _onward())
    return render_template("accounts/register.html", form=form)


@bp.get("/account/")
@access.signed_in
def home() -> str:
    actor = access.actor()
    session, now = web.session(), web.now()
    grants = queries.active_grants(session, actor.account_id, now)
    suspended = [
        grant
        for grant in queries.account(session, actor.account_id).grants
        if grant.revoked_at is None
        and any(one.lifted_at is None and one.competition == grant.competition for one in grant.suspensions)
    ]
    return render_template(
        "accounts/home.html",
        grants=grants,
        suspended=suspended,
        places={grant.competition for grant in [*grants, *suspended] if grant.competition},
        titles=role_views.titles({grant.competition for grant in [*grants, *suspended]}),
        newest=messages.of_account(session, actor.account_id, most=3),
    )


@bp.get("/account/messages")
@access.signed_in
def messages_page() -> str:
    actor = access.actor()
    found = messages.of_account(web.session(), actor.account_id)
    unread = {one.id for one in found if one.read_at is None}
    page = render_template("accounts/messages.html", messages=found, unread=unread)
    if unread:
        with web.writing() as session:
            messages.mark_read(session, actor.account_id, max(unread), web.now())
    return page


def role_name(role: str) -> str:
    """The role's name in the reader's language."""
    return str(gettext(rules.ROLE_NAMES.get(role, role)))


def tasks(session: Session, actor: Actor, slug: str, now: datetime) -> list[pages.Task]:
    """What people must do about their accounts, declarations and approvals."""
    found: list[pages.Task] = []
    if actor.withheld and not slug:
        found.append(
            pages.Task(
                label=gettext("Set up or show your second factor"),
                address=url_for("accounts.second_factor"),
                detail=gettext("Your roles have no effect until then."),
                urgent=True,
            )
        )
    waiting = approval_views.waiting_for(session, actor, slug, now)
    if waiting:
        found.append(
            pages.Task(
                label=ngettext("Approve or refuse %(num)d step", "Approve or refuse %(num)d steps", len(waiting)),
                address=url_for("accounts.approvals_page"),
                detail=waiting[0].lines[0] if waiting[0].lines else "",
                urgent=True,
            )
        )
    return [*found, *role_views.tasks(session, actor, slug, now)]


def links(session: Session, actor: Actor, now: datetime) -> list[pages.Link]:
    """Places about one's own account, and the people of the installation for those who see to them."""
    places = [
        (N_("All competitions"), "competitions.index", True),
        (N_("Approvals"), "accounts.approvals_page", bool(actor.roles)),
        (
            N_("People and roles"),
            "accounts.installation_people",
            actor.holds("hr-officer") or actor.holds("system-administrator"),
        ),
        (N_("Second factor"), "accounts.second_factor", True),
        (N_("Change the password"), "accounts.change_password", True),
        (N_("Where you are signed in"), "accounts.sessions", True),
        (N_("Identity number"), "accounts.identity", True),
    ]
    return [pages.Link(gettext(label), url_for(endpoint)) for label, endpoint, shown in places if shown]


def register_room(app: Flask, settings: Settings) -> None:
    app.register_blueprint(bp)
    app.jinja_env.filters["role_name"] = role_name
    app.jinja_env.filters["relation_name"] = lambda kind: str(gettext(rules.RELATION_NAMES.get(kind, kind)))
    app.before_request(load_actor)
    pages.tasks_from(tasks)
    pages.links_from(links)
    tries.register()
    relations.register()


