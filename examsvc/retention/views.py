"""The office's page on what is kept, until when and why, what will be erased, and what was; and how to hold data back."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Blueprint, Flask, redirect, render_template, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from examsvc.accounts import approvals
from examsvc.applications import queries as files
from examsvc.applications.models import Application
from examsvc.base import access, jobs, pages, web
from examsvc.base.access import Actor
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.language import in_language
from examsvc.base.pages import current_language
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.competitions.wording_procedure import DATA, HELD, THEN
from examsvc.retention import operations, queries
from examsvc.retention.forms import HoldForm
from examsvc.settings import Settings

bp = Blueprint("retention", __name__, template_folder="templates", url_prefix="/competitions/<slug>/data")

OFFICE = ("hr-officer", "council-secretary")
"""Roles that order an erasure and hold data back; who approves, the regulation says."""
READERS = (*OFFICE, "council-chair", "competent-authority", "supervisor", "system-administrator")
STATES = {
    "erased": N_("has been erased"),
    "held": N_("held back"),
    "waiting": N_("not yet due"),
    "unordered": N_("due, waits for two people"),
    "due": N_("due, erased with the next daily run"),
    "undated": N_("no day yet"),
}
STANDINGS = {
    "unsuccessful": N_("not chosen"),
    "withdrawn": N_("withdrawn"),
    "refused": N_("refused"),
    "chosen": N_("chosen"),
    "reserve": N_("on the reserve list"),
    "open": N_("no result yet"),
}
KEPT = {
    "role": N_("account kept: it holds or held a role here"),
    "application": N_("account kept: there is another application"),
    "personnel": N_("account kept: the office's own service record"),
    "winner": N_("account kept: chosen"),
}
PLACES = {
    "saves": "answers",
    "scripts": "answers",
    "log_openings": "answers",
    "accommodation_requests": "accommodations",
    "accommodation_evidence": "accommodations",
    "accommodation_decisions": "accommodations",
}
"""Tables in which something may still stand that another rule of the schedule is about."""


def _competition(slug: str) -> Competition:
    return competitions.competition(web.session(), slug)


def _whole(slug: str, form: HoldForm) -> str:
    competition, session, now = _competition(slug), web.session(), web.now()
    zone = web.settings().zone
    plans = queries.plans(session, competition, zone=zone, now=now)
    actor = access.actor()
    gone = queries.erased(session, competition.id)
    ordered = queries.ordered_applications(session, competition.id)
    return render_template(
        "retention/data.html",
        competition=competition,
        plans=plans,
        kept=queries.kept_rules(competition),
        holds=queries.in_force(session, competition, zone=zone, now=now),
        erasures=queries.erasures(session, competition.id),
        gone=gone,
        to_order={
            plan.rule.id
            for plan in plans
            if plan.deadline is not None and plan.deadline.day is not None and not plan.deadline.forecast
            for row in plan.rows
            if row.outlook.state in ("held", "waiting", "unordered")
            and row.application.id not in ordered.get(plan.rule.id, set())
        },
        titles={rule.id: DATA[rule.data] for rule in competitions.regulation(competition).retention},
        form=form,
        today=now.astimezone(zone).date(),
        may_order=any(actor.holds(role, slug) for role in OFFICE),
        waiting=_waiting(session, slug, now),
        data=DATA,
        then=THEN,
        held=HELD,
        causes=operations.CAUSES,
        states=STATES,
        standings=STANDINGS,
        account_kept=KEPT,
        places=PLACES,
    )


def _waiting(session: Session, slug: str, now: datetime) -> dict[str, int]:
    """Proposals that wait for a second person, by rule."""
    return {
        str(one.arguments["rule"]): one.id
        for one in approvals.waiting(session, slug, now)
        if one.kind == operations.ORDER
    }


def _form(slug: str) -> HoldForm:
    form = HoldForm()
    competition = _competition(slug)
    people = [SelectChoice("", gettext("Everybody in this competition"))]
    people += [
        SelectChoice(one.code, f"{one.candidate_number} {one.account.name}")
        for one in files.every(web.session(), competition.id)
    ]
    form.whom.choices = people
    return form


@bp.get("")
@access.roles(*READERS)
def page(slug: str) -> str:
    """What is kept and until when, what holds it, what goes next, what is gone."""
    form = _form(slug)
    return _whole(slug, form)


@bp.post("/holds")
@access.roles(*OFFICE)
def hold(slug: str) -> str | Response:
    """Puts erasure off."""
    form = _form(slug)
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                competition = competitions.competition(session, slug)
                chosen: Application | None = (
                    files.by_code(session, competition.id, form.whom.data) if form.whom.data else None
                )
                operations.hold_back(
                    session,
                    competition,
                    chosen,
                    cause=form.cause.data,
                    reason=form.reason.data or "",
                    until=form.until.data,
                    by=access.actor().account_id,
                    now=web.now(),
                    zone=web.settings().zone,
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The data are held back. The record says so, without a name."))
            return redirect(url_for("retention.page", slug=slug))
    return _whole(slug, form)


@bp.post("/holds/<code>/release")
@access.roles(*OFFICE)
def release(slug: str, code: str) -> Response:
    """The cause is gone."""
    with web.writing() as session:
        found = queries.hold(session, competitions.competition(session, slug), code)
        if found is None:
            raise NotFound()
        operations.release(session, found, by=access.actor().account_id, now=web.now())
    web.say(N_("Released. The schedule runs again for these data."))
    return redirect(url_for("retention.page", slug=slug))


@bp.post("/rules/<rule>/order")
@access.roles(*OFFICE)
def order(slug: str, rule: str) -> Response:
    """Proposes the erasure; another person approves it."""
    with web.writing() as session:
        request = operations.ask_erasure(
            session,
            competitions.competition(session, slug),
            rule,
            zone=web.settings().zone,
            by=access.actor().account_id,
            now=web.now(),
            language=current_language(),
        )
        number = request.id
    web.say(N_("Proposed. A second person finds it under “Approvals”."))
    return redirect(url_for("accounts.approval", number=number))


def tasks(session: Session, actor: Actor, slug: str, now: datetime) -> list[pages.Task]:
    """Who orders erasures is reminded when something is due that nobody ordered."""
    found = []
    for one in competitions.announced(session):
        if (slug and one.slug != slug) or not any(actor.holds(role, one.slug) for role in OFFICE):
            continue
        if not queries.something_due(session, one, zone=web.settings().zone, now=now):
            continue
        plans = queries.plans(session, one, zone=web.settings().zone, now=now)
        waiting = _waiting(session, one.slug, now)
        people = {
            row.application.account_id
            for plan in plans
            if plan.rule.id not in waiting
            for row in plan.rows
            if row.outlook.state == "unordered"
        }
        if people:
            label = gettext("Order the erasure of data that are due: %(people)d", people=len(people))
            title = in_language(one.title, current_language())
            found.append(pages.Task(label, url_for("retention.page", slug=one.slug), detail=title))
    return found


def register_room(app: Flask, settings: Settings) -> None:
    app.register_blueprint(bp)
    pages.tasks_from(tasks)
    operations.configure(settings.zone)
    jobs.every(timedelta(days=1))(operations.ask_daily)
