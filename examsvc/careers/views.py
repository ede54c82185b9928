"""Pages of the personnel office: units and posts on a day, title standards, service records; and everybody's own record."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from itertools import zip_longest
from typing import Any

from flask import Blueprint, Flask, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from examsvc.accounts import queries as accounts
from examsvc.accounts.models import Account
from examsvc.base import access, pages, web
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.forms import options
from examsvc.base.pages import in_reader_language
from examsvc.careers import operations, queries
from examsvc.careers.forms import (
    CorrectForm,
    DisciplineForm,
    EndForm,
    PositionForm,
    ServiceForm,
    StandardForm,
    UnitForm,
)
from examsvc.careers.models import Unit
from examsvc.settings import Settings

bp = Blueprint("careers", __name__, template_folder="templates", url_prefix="/careers")

OFFICE = ("hr-officer",)
TIERS = {
    "central": N_("Central"),
    "province": N_("Province"),
    "district": N_("District"),
    "commune": N_("Commune, ward"),
    "other": N_("Other"),
}
MEASURES = {
    "reprimand": N_("Reprimand"),
    "warning": N_("Warning"),
    "salary-reduction": N_("Reduction of salary"),
    "demotion": N_("Demotion"),
    "removal": N_("Removal from office"),
}


def _day() -> date:
    """The day of the page: from the address, else today in the institution's zone."""
    try:
        return date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return web.now().astimezone(web.settings().zone).date()


def _named(vi: str | None, en: str | None) -> dict[str, str]:
    return {key: text for key, text in (("vi", vi), ("en", en)) if text}


def _choices(things: Iterable[Any], empty: str | None = None) -> list[SelectChoice]:
    found = [(one.code, f"{one.code} – {in_reader_language(getattr(one, 'name', None) or one.title)}") for one in things]
    return options([("", empty), *found] if empty is not None else found)


# ---------------------------------------------------------------- units and posts


@bp.get("/")
@access.roles(*OFFICE)
def units() -> str:
    day = _day()
    found = queries.units_on(web.session(), day)
    children: dict[int | None, list[Unit]] = {}
    here = {one.id for one in found}
    for one in found:
        children.setdefault(one.parent_id if one.parent_id in here else None, []).append(one)
    rows: list[tuple[int, Unit]] = []

    def walk(parent: int | None, depth: int) -> None:
        for one in children.get(parent, []):
            rows.append((depth, one))
            walk(one.id, depth + 1)

    walk(None, 0)
    posts = queries.positions_on(web.session(), day)
    return render_template(
        "careers/units.html",
        day=day,
        rows=rows,
        counts={one.id: sum(post.unit_id == one.id for post in posts) for one in found},
        ended=[one for one in queries.units(web.session()) if one.ends_on is not None and one.ends_on <= day],
        tiers=TIERS,
    )


@bp.route("/units/new", methods=["GET", "POST"])
@access.roles(*OFFICE)
def add_unit() -> str | Response:
    form = UnitForm()
    form.tier.choices = options([("", gettext("not stated")), *((key, gettext(text)) for key, text in TIERS.items())])
    form.parent.choices = _choices(queries.units(web.session()), gettext("none: it stands at the top"))
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                parent = queries.unit(session, form.parent.data) if form.parent.data else None
                code = operations.add_unit(
                    session,
                    code=form.code.data or "",
                    name=_named(form.name_vi.data, form.name_en.data),
                    tier=form.tier.data or "",
                    parent=parent,
                    begins_on=form.begins_on.data or date.max,
                    basis=form.basis.data or None,
                ).code
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The unit is added."))
            return redirect(url_for("careers.unit", code=code))
    return render_template("careers/form.html", form=form, heading=gettext("Add a unit"), label=gettext("Add the unit"))


@bp.get("/units/<code>")
@access.roles(*OFFICE)
def unit(code: str) -> str:
    found = queries.unit(web.session(), code)
    day = _day()
    return render_template(
        "careers/unit.html",
        unit=found,
        day=day,
        now_standing=queries.unit_successors(web.session(), found, day),
        tiers=TIERS,
    )


@bp.route("/units/<code>/end", methods=["GET", "POST"])
@access.roles(*OFFICE)
def end_unit(code: str) -> str | Response:
    found = queries.unit(web.session(), code)
    form = EndForm()
    form.successors.choices = _choices(one for one in queries.units(web.session()) if one.id != found.id)
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                operations.end_unit(
                    session,
                    queries.unit(session, code),
                    ends_on=form.ends_on.data or date.min,
                    successors=[queries.unit(session, one) for one in form.successors.data or ()],
                    basis=form.basis.data or None,
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The unit and its posts end on that day."))
            return redirect(url_for("careers.unit", code=code))
    return render_template(
        "careers/form.html", form=form, heading=gettext("End a unit"), thing=found.name, label=gettext("End the unit")
    )


@bp.route("/units/<code>/posts/new", methods=["GET", "POST"])
@access.roles(*OFFICE)
def add_position(code: str) -> str | Response:
    found = queries.unit(web.session(), code)
    form = PositionForm()
    form.standard.choices = _choices(queries.standards_on(web.session(), _day()), gettext("none"))
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                standard = next(
                    (one for one in queries.standards_on(session, _day()) if one.code == form.standard.data), None
                )
                operations.add_position(
                    session,
                    queries.unit(session, code),
                    code=form.code.data or "",
                    title=_named(form.title_vi.data, form.title_en.data),
                    level=form.level.data or "",
                    begins_on=form.begins_on.data or date.max,
                    elected=bool(form.elected.data),
                    places=form.places.data or 1,
                    standard=standard,
                    basis=form.basis.data or None,
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The post is added."))
            return redirect(url_for("careers.unit", code=code))
    return render_template(
        "careers/form.html",
        form=form,
        heading=gettext("Add a post"),
        thing=found.name,
        label=gettext("Add the post"),
        levels=_known_levels(),
    )


@bp.route("/posts/<code>/end", methods=["GET", "POST"])
@access.roles(*OFFICE)
def end_position(code: str) -> str | Response:
    found = queries.position(web.session(), code)
    form = EndForm()
    form.successors.choices = _choices(
        one for one in queries.positions_on(web.session(), form.ends_on.data or _day()) if one.id != found.id
    )
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                operations.end_position(
                    session,
                    queries.position(session, code),
                    ends_on=form.ends_on.data or date.min,
                    successors=[queries.position(session, one) for one in form.successors.data or ()],
                    basis=form.basis.data or None,
                )
                unit_code = queries.position(session, code).unit.code
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The post ends on that day."))
            return redirect(url_for("careers.unit", code=unit_code))
    return render_template(
        "careers/form.html", form=form, heading=gettext("End a post"), thing=found.title, label=gettext("End the post")
    )


def _known_levels() -> list[str]:
    return queries.levels(web.session())


@bp.get("/standards")
@access.roles(*OFFICE)
def standards() -> str:
    return render_template("careers/standards.html", standards=queries.standards_on(web.session(), _day()), day=_day())


@bp.route("/standards/new", methods=["GET", "POST"])
@access.roles(*OFFICE)
def add_standard() -> str | Response:
    form = StandardForm()
    form.replaces.choices = _choices(queries.standards_on(web.session(), _day()), gettext("none"))
    if form.validate_on_submit():
        vi = [line.strip() for line in (form.criteria_vi.data or "").splitlines() if line.strip()]
        en = [line.strip() for line in (form.criteria_en.data or "").splitlines() if line.strip()]
        try:
            if en and len(en) != len(vi):
                raise Refused(
                    N_("There are %(vi)d criteria in Vietnamese and %(en)d in English. Write each in both, or none in English."),
                    vi=len(vi),
                    en=len(en),
                    field="criteria_en",
                )
            with web.writing() as session:
                replaced = next(
                    (one for one in queries.standards_on(session, _day()) if one.code == form.replaces.data), None
                )
                operations.add_standard(
                    session,
                    code=form.code.data or "",
                    name=_named(form.name_vi.data, form.name_en.data),
                    source=form.source.data or "",
                    criteria=[_named(one, other) for one, other in zip_longest(vi, en)],
                    begins_on=form.begins_on.data or date.max,
                    replaces=replaced,
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The standard is added."))
            return redirect(url_for("careers.standards"))
    return render_template(
        "careers/form.html", form=form, heading=gettext("Add a title standard"), label=gettext("Add the standard")
    )


# ---------------------------------------------------------------- service records


@bp.route("/service", methods=["GET", "POST"])
@access.signed_in
def own_service() -> str | Response:
    """Everybody's own record: what the person notes counts once the office has confirmed it."""
    return _service_page(access.actor().account_id, office=False)


@bp.route("/people/<account>", methods=["GET", "POST"])
@access.roles(*OFFICE)
def service_of(account: str) -> str | Response:
    return _service_page(_person(account).id, office=True)


@bp.get("/people")
@access.roles(*OFFICE)
def find() -> str | Response:
    email = request.args.get("email", "").strip()
    found = accounts.by_email(web.session(), email) if email else None
    if found is not None:
        return redirect(url_for("careers.service_of", account=found.code))
    return render_template("careers/find.html", email=email)


def _person(code: str) -> Account:
    found = accounts.by_code(web.session(), code)
    if found is None:
        raise NotFound()
    return found


def _service_page(account_id: int, *, office: bool) -> str | Response:
    form = ServiceForm()
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                operations.note_service(
                    session,
                    account_id=account_id,
                    title=form.title.data or "",
                    unit=form.unit.data or "",
                    level=form.level.data or "",
                    in_field=bool(form.in_field.data),
                    begins_on=form.begins_on.data or date.max,
                    ends_on=form.ends_on.data,
                    by=access.actor().account_id,
                    now=web.now(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The service is noted. It counts once the office has confirmed it."))
            return redirect(request.path)
    day = _day()
    session = web.session()
    levels = sorted({one.level for one in queries.service_of(session, account_id) if one.level})
    discipline = DisciplineForm(formdata=None, prefix="discipline-")
    discipline.measure.choices = options([(key, gettext(text)) for key, text in MEASURES.items()])
    return render_template(
        "careers/service.html",
        person=accounts.account(session, account_id),
        office=office,
        rows=queries.service_of(session, account_id),
        months={level: queries.months_at_level(session, account_id, level, day) for level in levels},
        total=queries.months_of_service(session, account_id, day),
        disciplines=queries.disciplines_of(session, account_id),
        form=form,
        discipline=discipline,
        measures=MEASURES,
        levels=_known_levels(),
    )


@bp.post("/people/<account>/service/<int:number>/confirm")
@access.roles(*OFFICE)
def confirm(account: str, number: int) -> Response:
    account_id = _person(account).id
    with web.writing() as session:
        operations.confirm_service(
            session, operations.service(session, number, account_id), by=access.actor().account_id, now=web.now()
        )
    web.say(N_("The service is confirmed."))
    return redirect(url_for("careers.service_of", account=account))


@bp.route("/people/<account>/service/<int:number>/correct", methods=["GET", "POST"])
@access.roles(*OFFICE)
def correct(account: str, number: int) -> str | Response:
    account_id = _person(account).id
    found = operations.service(web.session(), number, account_id)
    heading = f"{found.title}, {found.unit}"
    form = CorrectForm()
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                operations.correct_service(
                    session,
                    operations.service(session, number, account_id),
                    reason=form.reason.data or "",
                    by=access.actor().account_id,
                    now=web.now(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The entry is out of force. Note the right one."))
            return redirect(url_for("careers.service_of", account=account))
    return render_template(
        "careers/form.html",
        form=form,
        heading=gettext("Correct a service record"),
        thing={"vi": heading},
        label=gettext("Take it out of force"),
    )


@bp.post("/people/<account>/discipline")
@access.roles(*OFFICE)
def discipline(account: str) -> str | Response:
    account_id = _person(account).id
    form = DisciplineForm(prefix="discipline-")
    form.measure.choices = options([(key, gettext(text)) for key, text in MEASURES.items()])
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                operations.note_discipline(
                    session,
                    account_id=account_id,
                    measure=form.measure.data or "",
                    basis=form.basis.data or "",
                    decided_on=form.decided_on.data or date.max,
                    spent_on=form.spent_on.data,
                    by=access.actor().account_id,
                    now=web.now(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The measure is noted."))
            return redirect(url_for("careers.service_of", account=account))
    return render_template(
        "careers/form.html", form=form, heading=gettext("Note a disciplinary measure"), label=gettext("Note the measure")
    )


def links(session: Session, actor: access.Actor, now: datetime) -> list[pages.Link]:
    """The own service record, and the units and posts for the personnel office."""
    found = [pages.Link(gettext("Your service record"), url_for("careers.own_service"))]
    if any(actor.holds(role) for role in OFFICE):
        found.insert(0, pages.Link(gettext("Units and posts"), url_for("careers.units")))
    return found


def register_room(app: Flask, settings: Settings) -> None:
    app.register_blueprint(bp)
    pages.links_from(links)
