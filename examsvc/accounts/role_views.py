"""Who holds which role: proposing, taking back, delegating; and what holders declare about themselves."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.accounts import approvals, operations, oracles, queries, relations, roles, rules, tries
from examsvc.accounts.blueprint import PEOPLE, bp
from examsvc.accounts.forms import (
    ContactForm,
    DelegateForm,
    InviteForm,
    ProposeForm,
    ReasonForm,
    RelationForm,
    RevokeForm,
)
from examsvc.accounts.identity import identity_digest
from examsvc.accounts.models import Account, RoleGrant
from examsvc.base import access, language, messages, pages, web
from examsvc.base.access import Actor
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.forms import options
from examsvc.base.pages import current_language

INVITERS = ("hr-officer", "system-administrator")
INSPECTION = ("supervisor", "competent-authority")
"""Who reads what somebody declared about an approach, a gift or pressure."""


def titles(slugs: Collection[str]) -> dict[str, str]:
    """Titles of competitions by slug, in the reader's language."""
    found = {}
    for slug in slugs:
        try:
            found[slug] = language.in_language(oracles.board(web.session(), slug).title, current_language())
        except NotFound:
            found[slug] = slug
    return found


def _account_of(email: str) -> Account:
    found = queries.by_email(web.session(), email)
    if found is None or found.disabled_at is not None:
        raise Refused(N_("Nobody here has this e-mail address. Invite the person first."), field="email")
    return found


def _end_of(day: date | None) -> datetime | None:
    """The last moment of a day in the institution's time zone."""
    if day is None:
        return None
    return datetime.combine(day, time(23, 59, 59), tzinfo=web.settings().zone).astimezone(UTC)


# ---------------------------------------------------------------- people of a competition, and of the installation


def _people_page(slug: str, form: ProposeForm | None = None) -> str:
    session, now = web.session(), web.now()
    board = oracles.board(session, slug)
    form = form or _propose_form(board, formdata=None)
    grants = queries.grants_of(session, slug)
    actor = access.actor()
    held: dict[str, list[RoleGrant]] = {role: [] for role in board.roles}
    for grant in [*(_of_installation(board) if slug else ()), *grants]:
        held.setdefault(grant.role, []).append(grant)
    return render_template(
        "accounts/people.html",
        slug=slug,
        title=language.in_language(board.title, current_language()),
        board=board,
        held=held,
        in_force={one.id for role in held.values() for one in role if one in queries.active_grants(session, one.account_id, now)},
        waiting=[one for one in approvals.waiting(session, slug, now) if one.kind.startswith("accounts.")],
        suspensions=queries.suspensions(session, slug),
        recusals=queries.recusals(session, slug) if slug else [],
        contacts=[one for one in queries.declarations(session, slug) if one.about == "contact"]
        if slug and any(actor.holds(role, slug) for role in INSPECTION)
        else [],
        declared={
            account_id: queries.has_declared(session, slug, account_id)
            for account_id in {one.account_id for one in grants}
        }
        if slug
        else {},
        may_propose=any(actor.holds(role, slug) for role in board.grant.roles),
        form=form,
    )


def _of_installation(board: oracles.Board) -> list[RoleGrant]:
    """Grants for the whole installation that count in this competition too."""
    return [one for one in queries.grants_of(web.session(), "") if one.role in board.roles]


def _propose_form(board: oracles.Board, **kw: Any) -> ProposeForm:
    form = ProposeForm(**kw)
    form.role.choices = options([("", gettext("Choose")), *((role, gettext(rules.ROLE_NAMES.get(role, role))) for role in board.roles)])
    form.stage.choices = options([("", gettext("the whole competition")), *((stage, stage) for stage in board.stages)])
    return form


def _propose(slug: str) -> str | Response:
    board = oracles.board(web.session(), slug)
    form = _propose_form(board)
    if form.validate_on_submit():
        try:
            account_id = _account_of(form.email.data or "").id
            with web.writing() as session:
                roles.propose_role(
                    session,
                    account_id=account_id,
                    role=form.role.data or "",
                    competition=slug,
                    by=access.actor().account_id,
                    now=web.now(),
                    stage=form.stage.data or None,
                    until=_end_of(form.until.data),
                    language=current_language(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The role is proposed. It has effect when another person has approved it."))
            return redirect(_people_address(slug))
    return _people_page(slug, form)


def _people_address(slug: str) -> str:
    return url_for("accounts.people_of", slug=slug) if slug else url_for("accounts.installation_people")


@bp.route("/account/people", methods=["GET", "POST"])
@access.roles(*INVITERS)
def installation_people() -> str | Response:
    return _propose("") if request.method == "POST" else _people_page("")


@bp.route("/competitions/<slug>/people", methods=["GET", "POST"])
@access.roles(*PEOPLE)
def people_of(slug: str) -> str | Response:
    return _propose(slug) if request.method == "POST" else _people_page(slug)


@bp.route("/account/people/invite", methods=["GET", "POST"])
@access.roles(*INVITERS)
def invite() -> str | Response:
    """An account for a member of staff, without any role yet."""
    form = InviteForm()
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                account, link = operations.invite(
                    session,
                    email=form.email.data or "",
                    name=form.name.data or "",
                    by=access.actor().account_id,
                    base_url=web.settings().base_url,
                    now=web.now(),
                    language=current_language(),
                )
                name = account.name
        except Refused as refusal:
            form.refuse(refusal)
        else:
            mailed = messages.may_be_mailed()
            return render_template("accounts/invited.html", name=name, link=None if mailed else link)
    return render_template("accounts/invite.html", form=form)


@bp.get("/account/people/find")
@access.roles(*INVITERS)
def find_person() -> str:
    """Looks a person up by address: for unlocking, and to see the roles held."""
    email = request.args.get("email", "").strip()
    account = queries.by_email(web.session(), email) if email else None
    return render_template(
        "accounts/find_person.html",
        email=email,
        account=account,
        grants=queries.active_grants(web.session(), account.id, web.now()) if account else [],
        tries=tries.count(web.session(), account, web.now()) if account else 0,
        factors=queries.factors(web.session(), account.id) if account else [],
    )


@bp.post("/account/people/<int:number>/unlock")
@access.roles("system-administrator")
def unlock(number: int) -> Response:
    with web.writing() as session:
        account = session.get(Account, number)
        if account is None:
            raise NotFound()
        tries.unlock(session, account)
        email = account.email
    web.say(N_("The failed tries are forgotten; the person can try again at once."))
    return redirect(url_for("accounts.find_person", email=email))


@bp.route("/account/grants/<int:number>/revoke", methods=["GET", "POST"], defaults={"slug": ""})
@bp.route("/competitions/<slug>/people/<int:number>/revoke", methods=["GET", "POST"])
@access.roles(*PEOPLE)
def revoke(slug: str, number: int) -> str | Response:
    grant = queries.grant(web.session(), number, slug)
    form = RevokeForm()
    form.reason.choices = options([(key, gettext(text)) for key, text in roles.REVOCATIONS.items()])
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                roles.propose_revocation(
                    session,
                    queries.grant(session, number, slug),
                    reason=form.reason.data or "",
                    by=access.actor().account_id,
                    now=web.now(),
                    language=current_language(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("It is proposed to take the role back. It ends when another person has approved it."))
            return redirect(_people_address(slug))
    return render_template("accounts/revoke.html", form=form, grant=grant, back=_people_address(slug))


@bp.route("/competitions/<slug>/people/suspensions/<int:number>", methods=["GET", "POST"])
@access.roles(*PEOPLE)
def lift(slug: str, number: int) -> str | Response:
    found = next((one for one in queries.suspensions(web.session(), slug) if one.id == number), None)
    if found is None:
        raise NotFound()
    form = ReasonForm()
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                again = next((one for one in queries.suspensions(session, slug) if one.id == number), None)
                if again is None:
                    raise NotFound()
                relations.ask_to_lift(
                    session,
                    again,
                    reason=form.reason.data or "",
                    by=access.actor().account_id,
                    now=web.now(),
                    language=current_language(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("Your approval is recorded. The step waits for another person."))
            return redirect(_people_address(slug))
    return render_template("accounts/lift.html", form=form, suspension=found, back=_people_address(slug))


# ---------------------------------------------------------------- what a holder of a role does


def _own_grants(slug: str) -> list[RoleGrant]:
    """The roles of the signed-in person here, suspended ones included; NotFound when there are none."""
    account_id = access.actor().account_id
    board = oracles.board(web.session(), slug)
    found = [
        one
        for one in [*_of_installation(board), *queries.grants_of(web.session(), slug)]
        if one.account_id == account_id
    ]
    if not found:
        raise NotFound()
    return found


@bp.route("/competitions/<slug>/people/<int:number>/delegate", methods=["GET", "POST"])
@access.signed_in
def delegate(slug: str, number: int) -> str | Response:
    grant = next((one for one in _own_grants(slug) if one.id == number), None)
    if grant is None or not access.actor().holds(grant.role, slug):
        raise NotFound()
    form = DelegateForm()
    if form.validate_on_submit():
        try:
            to = _account_of(form.email.data or "").id
            until = _end_of(form.until.data)
            assert until is not None
            with web.writing() as session:
                roles.propose_delegation(
                    session,
                    queries.grant(session, number, slug),
                    to=to,
                    until=until,
                    by=access.actor().account_id,
                    now=web.now(),
                    language=current_language(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The delegation is proposed. Two people who grant roles approve it."))
            return redirect(url_for("accounts.home"))
    return render_template("accounts/delegate.html", form=form, grant=grant)


@bp.get("/competitions/<slug>/declarations")
@access.signed_in
def declarations(slug: str) -> str:
    return _declarations_page(slug)


def _declarations_page(
    slug: str, relation: RelationForm | None = None, contact: ContactForm | None = None
) -> str:
    grants = _own_grants(slug)
    account_id = access.actor().account_id
    board = oracles.board(web.session(), slug)
    return render_template(
        "accounts/declarations.html",
        slug=slug,
        title=language.in_language(board.title, current_language()),
        grants=grants,
        declared=queries.declarations(web.session(), slug, account_id),
        recused=[
            queries.account(web.session(), one).name
            for one in sorted(queries.recused(web.session(), slug, account_id))
        ],
        form=relation or _relation_form(slug, formdata=None),
        contact=contact or ContactForm(formdata=None, prefix="contact-"),
        knows_identity=queries.account(web.session(), account_id).identity_digest is not None,
    )


def _relation_form(slug: str, **kw: Any) -> RelationForm:
    board = oracles.board(web.session(), slug)
    form = RelationForm(**kw)
    people = [queries.account(web.session(), one.account_id) for one in oracles.candidates(web.session(), slug)]
    people.sort(key=lambda one: language.sorting_name(one.name))
    form.candidate.choices = options([("", gettext("not in this list")), *((one.code, one.name) for one in people)])
    kinds = [kind for kind in rules.RELATION_NAMES if kind in board.blocking or kind in board.declared]
    form.kind.choices = options([("", gettext("Choose")), *((kind, gettext(rules.RELATION_NAMES[kind])) for kind in kinds)])
    return form


@bp.post("/competitions/<slug>/declarations/relation")
@access.signed_in
def declare_relation(slug: str) -> str | Response:
    _own_grants(slug)
    form = _relation_form(slug)
    if form.validate_on_submit():
        chosen = queries.by_code(web.session(), form.candidate.data) if form.candidate.data else None
        other_id = chosen.id if chosen is not None else None
        try:
            digest = (
                identity_digest(form.identity.data, web.settings().people_key())
                if other_id is None and form.identity.data
                else None
            )
            with web.writing() as session:
                relations.declare_relation(
                    session,
                    slug,
                    account_id=access.actor().account_id,
                    kind=form.kind.data or "",
                    now=web.now(),
                    other_id=other_id,
                    other_digest=digest,
                    other_name=form.name.data or None,
                    statement=form.statement.data or None,
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("Your declaration is recorded."))
            return redirect(url_for("accounts.declarations", slug=slug))
    return _declarations_page(slug, relation=form)


@bp.post("/competitions/<slug>/declarations/none")
@access.signed_in
def declare_none(slug: str) -> Response:
    _own_grants(slug)
    with web.writing() as session:
        relations.declare_none(session, slug, account_id=access.actor().account_id, now=web.now())
    web.say(N_("Your declaration is recorded."))
    return redirect(url_for("accounts.declarations", slug=slug))


@bp.post("/competitions/<slug>/declarations/contact")
@access.signed_in
def declare_contact(slug: str) -> str | Response:
    _own_grants(slug)
    form = ContactForm(prefix="contact-")
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                relations.declare_contact(
                    session,
                    slug,
                    account_id=access.actor().account_id,
                    statement=form.statement.data or "",
                    now=web.now(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("Your declaration is recorded."))
            return redirect(url_for("accounts.declarations", slug=slug))
    return _declarations_page(slug, contact=form)


def tasks(session: Session, actor: Actor, slug: str, now: datetime) -> list[pages.Task]:
    """Declarations that are missing, and suspended roles for those who grant roles."""
    found: list[pages.Task] = []
    places = sorted({place for _, place in actor.roles if place and slug in ("", place)})
    for place in places:
        board = oracles.board(session, place)
        title = language.in_language(board.title, current_language())
        mine = {role for role, where in actor.roles if where == place}
        if mine & board.barred and not queries.has_declared(session, place, actor.account_id):
            found.append(
                pages.Task(
                    label=gettext("Declare your relations to candidates"),
                    address=url_for("accounts.declarations", slug=place),
                    detail=title,
                    urgent=True,
                )
            )
    for place in queries.competitions_with_suspensions(session) if actor.roles else ():
        board = oracles.board(session, place)
        if slug not in ("", place) or not any(actor.holds(role, place) for role in board.grant.roles):
            continue
        title = language.in_language(board.title, current_language())
        found += [
            pages.Task(
                label=gettext("Name another person for a suspended role"),
                address=url_for("accounts.people_of", slug=place),
                detail=f"{one.grant.account.name} · {gettext(rules.ROLE_NAMES.get(one.grant.role, one.grant.role))} · {title}",
                urgent=True,
            )
            for one in queries.suspensions(session, place)
        ]
    if slug == "" and actor.holds("system-administrator"):
        saviours = {one.id for role in rules.INSTALLATION_ROLES for one in queries.holders(session, role, "", now)}
        if len(saviours) < 4:
            found.append(
                pages.Task(
                    label=gettext("Appoint further administrators or personnel officers"),
                    address=url_for("accounts.installation_people"),
                    detail=gettext("Two people other than the one concerned must be there to let somebody begin anew."),
                )
            )
    return found


