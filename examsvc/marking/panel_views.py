"""Hearings: the drawn order, the clock, each member's own sheet, and nothing of the others until all are in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.accounts import queries as accounts
from examsvc.applications.blueprint import download
from examsvc.base import access, pages, web
from examsvc.base.access import Actor
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.forms import Form
from examsvc.competitions import queries as competitions
from examsvc.competitions.exam_clauses import PanelPart
from examsvc.competitions.terms import write_exact
from examsvc.marking import hearings, queries, rules, substituting
from examsvc.marking.forms import ExplainForm, StepAsideForm
from examsvc.marking.models import Hearing, PanelSeat

bp = Blueprint("panel", __name__, template_folder="templates", url_prefix="/competitions/<slug>/hearings")

PANEL = ("panel-chair", "panel-member")
STATES = {
    "listed": N_("Waits"),
    "running": N_("Is being heard"),
    "ended": N_("Heard, sheets are coming in"),
    "shown": N_("Sheets are shown, an explanation is due"),
    "settled": N_("Settled"),
    "absent": N_("Absent"),
}


def _hearing(slug: str, code: str) -> Hearing:
    competition = competitions.competition(web.session(), slug)
    found = queries.hearing(web.session(), competition.id, code)
    if found is None:
        raise NotFound()
    return found


def _parts(slug: str) -> list[PanelPart]:
    regulation = competitions.regulation(competitions.competition(web.session(), slug))
    return [part for part in regulation.parts if isinstance(part, PanelPart)]


@bp.get("/")
@access.roles(*PANEL, "council-secretary", "council-chair", "observer", "supervisor")
def index(slug: str) -> str:
    competition = competitions.competition(web.session(), slug)
    me, rows = access.actor(), []
    for part in _parts(slug):
        if not _may_listen(part, slug):
            continue
        listed = queries.hearings(web.session(), competition.id, part.id)
        reached = [] if listed else queries.reached(web.session(), competition, part.id)
        seatable = hearings.seatable(web.session(), competition, reached, web.now()) if reached else []
        rows.append((part, listed, reached, seatable))
    regulation = competitions.regulation(competition)
    mine = {
        one.hearing_id: one
        for _, listed, _, _ in rows
        for hearing in listed
        for one in hearing.members
        if one.member_id == me.account_id and one.recused_at is None
    }
    return render_template(
        "marking/hearings.html",
        competition=competition,
        rows=rows,
        panels={part.id: regulation.panel_of(part) for part, *_ in rows},
        states=STATES,
        mine=mine,
        draws={part.id: hearings.order_draw(web.session(), competition, part.id) for part, *_ in rows},
    )


def _may_listen(part: PanelPart, slug: str) -> bool:
    """Whether the reader may see these hearings: observers only where the regulation lets them listen."""
    me = access.actor()
    return part.observers or any(me.holds(role, slug) for role in (*PANEL, "council-secretary", "council-chair", "supervisor"))


@bp.post("/<part>/draw")
@access.roles("council-secretary", "council-chair")
def draw(slug: str, part: str) -> Response:
    """Asks for the draw of the order, with the members who are to sit."""
    with web.writing() as session:
        competition = competitions.competition(session, slug)
        hearings.ask_order(
            session,
            competition,
            part=part,
            candidates=queries.reached(session, competition, part),
            members=[int(one) for one in request.form.getlist("members") if one.isdecimal()],
            by=access.actor().account_id,
            now=web.now(),
            language=pages.current_language(),
        )
    web.say(N_("The draw waits for its second approval; then it is made or announced, as the regulation says."))
    return redirect(url_for("panel.index", slug=slug))


@bp.get("/<code>")
@access.roles(*PANEL, "council-secretary", "observer", "supervisor")
def hearing(slug: str, code: str) -> str:
    """The room's page: whose turn, which step, how much time, how many sheets are in."""
    found = _hearing(slug, code)
    if not _may_listen(hearings.part_of(found), slug):
        raise NotFound()
    me = access.actor()
    seat = queries.seat(web.session(), found.id, me.account_id)
    shown = found.state in ("shown", "settled")
    may_see = shown and any(me.holds(role, slug) for role in (*PANEL, "council-secretary"))
    panel = hearings.panel_of(found)
    totals = hearings.totals_of(found) if may_see else {}
    return render_template(
        "marking/hearing.html",
        competition=found.competition,
        hearing=found,
        part=hearings.part_of(found),
        panel=panel,
        seat=seat,
        states=STATES,
        chairs=me.holds("panel-chair", slug),
        leads=any(me.holds(role, slug) for role in ("panel-chair", "council-secretary", "council-chair")),
        reads=any(me.holds(role, slug) for role in (*PANEL, "council-secretary")),
        plan=hearings.defended(web.session(), found),
        absences=hearings.ABSENCES,
        barred={
            one.id
            for one in queries.sitting_members(found)
            if found.application.account_id in accounts.recused(web.session(), slug, one.member_id)
        },
        clock=_clock(found),
        sheets_in=sum(1 for one in queries.sitting_members(found) if one.sheets),
        members=queries.sitting_members(found),
        shown=may_see,
        totals=totals,
        outliers=rules.outliers(panel, totals) if may_see else (),
        aside=StepAsideForm(),
        explain=ExplainForm(),
    )


def _clock(found: Hearing) -> dict[str, Any] | None:
    """The running step, when it began, and when its time is up."""
    part = hearings.part_of(found)
    if found.state != "running":
        return None
    if found.questions_at:
        return _step(N_("Questions and answers"), found.questions_at, part.questions_minutes)
    if found.presentation_at:
        return _step(N_("Presentation"), found.presentation_at, part.presentation_minutes)
    if found.preparation_at:
        return _step(N_("Preparation"), found.preparation_at, part.preparation_minutes)
    return None


def _step(name: str, since: datetime, minutes: int) -> dict[str, Any]:
    until = since + timedelta(minutes=minutes)
    return {"name": name, "since": since, "until": until, "now": web.now(), "over": web.now() > until}


@bp.post("/<code>/begin")
@access.roles("panel-chair")
def begin(slug: str, code: str) -> Response:
    with web.writing() as session:
        found = session.get_one(Hearing, _hearing(slug, code).id)
        hearings.begin(session, found, by=access.actor().account_id, now=web.now())
    return redirect(url_for("panel.hearing", slug=slug, code=code))


@bp.post("/<code>/next")
@access.roles("panel-chair")
def go_on(slug: str, code: str) -> Response:
    with web.writing() as session:
        found = session.get_one(Hearing, _hearing(slug, code).id)
        hearings.next_step(session, found, by=access.actor().account_id, now=web.now())
    return redirect(url_for("panel.hearing", slug=slug, code=code))


@bp.post("/<code>/absent")
@access.roles("panel-chair")
def absent(slug: str, code: str) -> Response:
    with web.writing() as session:
        found = session.get_one(Hearing, _hearing(slug, code).id)
        hearings.mark_absent(
            session, found, cause=request.form.get("cause", ""), by=access.actor().account_id, now=web.now()
        )
    return redirect(url_for("panel.index", slug=slug))


@bp.post("/<code>/seats/<int:number>/replace")
@access.roles(*PANEL, "council-secretary", "council-chair")
def replace(slug: str, number: int, code: str) -> Response:
    """A member steps aside for this candidate, or whoever leads has an absent one replaced."""
    form = StepAsideForm()
    found = _hearing(slug, code)
    seat = next((one for one in queries.sitting_members(found) if one.id == number), None)
    me = access.actor()
    leads = any(me.holds(role, slug) for role in ("panel-chair", "council-secretary", "council-chair"))
    if seat is None or not (leads or seat.member_id == me.account_id):
        raise NotFound()
    if not form.validate_on_submit():
        web.say(N_("Write the reason."))
        return redirect(url_for("panel.hearing", slug=slug, code=code))
    with web.writing() as session:
        substituting.ask_substitution(
            session,
            session.get_one(PanelSeat, number),
            reason=form.reason.data or "",
            by=me.account_id,
            now=web.now(),
            language=pages.current_language(),
        )
    web.say(N_("The substitution waits for its approval by others."))
    return redirect(url_for("panel.hearing", slug=slug, code=code))


@bp.get("/<code>/plan")
@access.roles(*PANEL, "council-secretary")
def plan(slug: str, code: str) -> Response:
    """The file that is defended, for those who hear it."""
    found = _hearing(slug, code)
    file = hearings.defended(web.session(), found)
    if file is None:
        raise NotFound()
    return download(file)


@bp.route("/<code>/sheet", methods=["GET", "POST"])
@access.roles("panel-member")
def sheet(slug: str, code: str) -> str | Response:
    """One member's own sheet; what is typed is kept, and shown to nobody before all sheets are in."""
    found = _hearing(slug, code)
    seat = queries.seat(web.session(), found.id, access.actor().account_id)
    if seat is None:
        raise NotFound()
    panel = hearings.panel_of(found)
    form = Form()
    values: dict[str, Any] = dict(seat.draft or {})
    if seat.sheets:
        newest = seat.sheets[-1]
        values = {**newest.criteria, **{f"comment-{name}": text for name, text in newest.comments.items()}}
    if request.method == "POST" and form.validate_on_submit():
        names = [criterion.id for criterion in panel.criteria]
        values = {key: request.form.get(key, "") for name in names for key in (name, f"comment-{name}")}
        try:
            with web.writing() as session:
                hearings.hand_in(
                    session,
                    session.get_one(PanelSeat, seat.id),
                    criteria={name: values[name] for name in names},
                    comments={name: values[f"comment-{name}"] for name in names},
                    by=access.actor().account_id,
                    now=web.now(),
                )
        except Refused as refusal:
            form.refuse(refusal)
            form.refused_field = refusal.field
        else:
            web.say(N_("Your sheet is in. The panel sees all sheets when the last one is in."))
            return redirect(url_for("panel.hearing", slug=slug, code=code))
    return render_template(
        "marking/panel_sheet.html",
        competition=found.competition,
        hearing=found,
        panel=panel,
        seat=seat,
        form=form,
        values=values,
        step=write_exact(panel.mark_step),
        clock=_clock(found),
    )


@bp.post("/<code>/sheet/draft")
@access.roles("panel-member")
def draft(slug: str, code: str) -> Response:
    found = _hearing(slug, code)
    seat = queries.seat(web.session(), found.id, access.actor().account_id)
    if seat is None:
        raise NotFound()
    names = [criterion.id for criterion in hearings.panel_of(found).criteria]
    values = {key: request.form.get(key, "") for name in names for key in (name, f"comment-{name}")}
    with web.writing() as session:
        hearings.keep_draft(
            session, session.get_one(PanelSeat, seat.id), draft=values, by=access.actor().account_id
        )
    return jsonify(kept_at=web.now().astimezone(web.settings().zone).strftime("%H:%M:%S"))


@bp.post("/<code>/explain")
@access.roles("panel-member")
def explain(slug: str, code: str) -> Response:
    form = ExplainForm()
    found = _hearing(slug, code)
    seat = queries.seat(web.session(), found.id, access.actor().account_id)
    if seat is None or not form.validate_on_submit():
        raise Refused(N_("Write the reason; it goes into the record."))
    with web.writing() as session:
        hearings.explain(
            session,
            session.get_one(PanelSeat, seat.id),
            text=form.text.data or "",
            by=access.actor().account_id,
            now=web.now(),
        )
    web.say(N_("Your explanation is on record."))
    return redirect(url_for("panel.hearing", slug=slug, code=code))


def tasks(session: Session, actor: Actor, slug: str, now: datetime) -> list[pages.Task]:
    found: list[pages.Task] = []
    for role, name in sorted(actor.roles):
        if role not in PANEL or not name or (slug and slug != name):
            continue
        competition = competitions.competition(session, name)
        listed = [
            one
            for part in competitions.regulation(competition).parts
            if isinstance(part, PanelPart)
            for one in queries.hearings(session, competition.id, part.id)
        ]
        if not listed:
            continue
        if role == "panel-chair":
            waiting = sum(1 for one in listed if one.state in ("listed", "running"))
            label = gettext("Lead the hearings")
        else:
            seats = [queries.seat(session, one.id, actor.account_id) for one in listed if one.state != "absent"]
            waiting = sum(1 for one in seats if one is not None and not one.sheets)
            label = gettext("Mark the hearings")
        found.append(
            pages.Task(
                label=label,
                address=url_for("panel.index", slug=name),
                detail=gettext("%(number)d to go", number=waiting) if waiting else "",
                done=waiting == 0,
                urgent=waiting > 0,
            )
        )
    return found
