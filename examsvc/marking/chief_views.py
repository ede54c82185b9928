"""The chief examiner's view: progress, discrepancies, decisions, the guide, and the locks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.base import access, pages, web
from examsvc.base.access import Actor
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.competitions import queries as competitions
from examsvc.marking import blinding, essays, locking, objective, queries
from examsvc.marking.forms import DecideForm, ReplaceForm
from examsvc.marking.models import Allocation, Script
from examsvc.sittings import queries as sittings

bp = Blueprint("marking", __name__, template_folder="templates", url_prefix="/competitions/<slug>/marking")

CHIEF = ("chief-examiner", "council-chair", "council-secretary")
STATES = {
    "coded": N_("Coded, not drawn"),
    "marking": N_("Being marked"),
    "third-marking": N_("Third marking"),
    "recognised": N_("Recognised, waits for a marker"),
    "agreeing": N_("Markers are settling it"),
    "head": N_("Waits for your decision"),
    "settled": N_("Settled"),
}
UNFINISHED = {
    "no-sitting": N_("no sitting is planned"),
    "sitting-open": N_("the sitting is not closed"),
    "not-coded": N_("the scripts are not coded"),
    "not-marked": N_("the answers are not marked"),
    "no-hearings": N_("the hearings are not drawn"),
    "scripts-unsettled": N_("scripts without a settled mark"),
    "hearings-unsettled": N_("hearings without a settled mark"),
}


@bp.get("/")
@access.roles(*CHIEF, "code-custodian", "supervisor")
def index(slug: str) -> str:
    """Where the marking of every part stands."""
    competition = competitions.competition(web.session(), slug)
    regulation = competitions.regulation(competition)
    planned = sittings.sittings_of(web.session(), competition.id)
    stages = []
    for stage in regulation.stages:
        if stage.kind != "examination":
            continue
        parts = []
        for part in stage.parts:
            scripts = queries.scripts(web.session(), competition.id, part.id) if part.kind == "essay" else []
            states: dict[str, int] = {}
            for one in scripts:
                name = queries.state(web.session(), one)
                states[name] = states.get(name, 0) + 1
            parts.append(
                {
                    "part": part,
                    "sittings": [one for one in planned if one.part == part.id],
                    "scripts": scripts,
                    "states": states,
                    "hearings": queries.hearings(web.session(), competition.id, part.id)
                    if part.kind in ("defence", "interview", "simulation")
                    else [],
                }
            )
        stages.append(
            {
                "stage": stage,
                "parts": parts,
                "lock": queries.lock(web.session(), competition.id, stage.id),
                "unfinished": [
                    _unfinished(one) for one in locking.unfinished(web.session(), competition, stage.id)
                ],
                "blind": any(part.kind in ("essay", "plan") for part in stage.parts),
            }
        )
    return render_template("marking/index.html", competition=competition, stages=stages, states=STATES)


def _unfinished(code: str) -> str:
    """What is missing, in words: "essay:3-scripts-unsettled"."""
    part, _, what = code.partition(":")
    number, _, rest = what.partition("-")
    if number.isdigit():
        return f"{part}: {number} {gettext(UNFINISHED[rest])}"
    return f"{part}: {gettext(UNFINISHED[what])}"


@bp.post("/sittings/<code>/code")
@access.roles("code-custodian")
def code_scripts(slug: str, code: str) -> Response:
    """Coding: from here on nobody sees whose script it is."""
    with web.writing() as session:
        competition = competitions.competition(session, slug)
        sitting = sittings.sitting_of(session, competition.id, code)
        number = blinding.code_scripts(session, sitting, by=access.actor().account_id, now=web.now())
    web.say(N_("%(number)d scripts are coded."), number=number)
    return redirect(url_for("marking.index", slug=slug))


@bp.post("/sittings/<code>/score")
@access.roles("chief-examiner", "council-secretary")
def score(slug: str, code: str) -> Response:
    """Marks the objective answers of a closed sitting."""
    with web.writing() as session:
        competition = competitions.competition(session, slug)
        sitting = sittings.sitting_of(session, competition.id, code)
        number = objective.mark_objective(session, sitting, now=web.now())
    web.say(N_("%(number)d attempts are marked."), number=number)
    return redirect(url_for("marking.index", slug=slug))


@bp.post("/parts/<part>/draw")
@access.roles("chief-examiner", "council-secretary")
def draw(slug: str, part: str) -> Response:
    with web.writing() as session:
        competition = competitions.competition(session, slug)
        essays.ask_allocation(session, competition, part=part, by=access.actor().account_id, now=web.now())
    web.say(N_("The draw waits for its second approval; then it is made at once."))
    return redirect(url_for("marking.index", slug=slug))


@bp.post("/stages/<stage>/lock")
@access.roles(*CHIEF)
def lock(slug: str, stage: str) -> Response:
    with web.writing() as session:
        competition = competitions.competition(session, slug)
        locking.ask_lock(session, competition, stage=stage, by=access.actor().account_id, now=web.now())
    web.say(N_("The lock waits for its second approval."))
    return redirect(url_for("marking.index", slug=slug))


@bp.post("/stages/<stage>/open")
@access.roles("code-custodian", "council-chair")
def open_map(slug: str, stage: str) -> Response:
    with web.writing() as session:
        competition = competitions.competition(session, slug)
        locking.ask_opening(session, competition, stage=stage, by=access.actor().account_id, now=web.now())
    web.say(N_("The opening of the code map waits for its second approval."))
    return redirect(url_for("marking.index", slug=slug))


@bp.get("/parts/<part>")
@access.roles("chief-examiner", "supervisor")
def scripts(slug: str, part: str) -> str:
    """All scripts of a part by code: both marks side by side once both are in."""
    competition = competitions.competition(web.session(), slug)
    rows: list[dict[str, Any]] = []
    for one in queries.scripts(web.session(), competition.id, part):
        active = queries.active_allocations(one)
        complete = all(a.sheets for a in active)
        rows.append(
            {
                "script": one,
                "state": queries.state(web.session(), one),
                "marks": [a.sheets[-1].total for a in active] if complete and active else [],
                "in": sum(1 for a in active if a.sheets),
                "of": len(active),
            }
        )
    order = ("head", "recognised", "agreeing", "third-marking", "marking", "coded", "settled")
    rows.sort(key=lambda row: (order.index(row["state"]), row["script"].code))
    return render_template("marking/scripts.html", competition=competition, part=part, rows=rows, states=STATES)


@bp.route("/scripts/<code>", methods=["GET", "POST"])
@access.roles("chief-examiner")
def script(slug: str, code: str) -> str | Response:
    """One script for the chief examiner: its marks once they are in, and the decision where it is left to him."""
    competition = competitions.competition(web.session(), slug)
    of = queries.script(web.session(), competition.id, code)
    if of is None:
        raise NotFound()
    form, replace = DecideForm(), ReplaceForm()
    awaits = queries.awaits_head(web.session(), of)
    if awaits and form.validate_on_submit():
        try:
            with web.writing() as session:
                essays.decide(
                    session,
                    session.get_one(Script, of.id),
                    mark=form.mark.data or "",
                    reason=form.reason.data or "",
                    by=access.actor().account_id,
                    now=web.now(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("Your decision is on record."))
            return redirect(url_for("marking.scripts", slug=slug, part=of.part))
    active = queries.active_allocations(of)
    return render_template(
        "marking/chief_script.html",
        competition=competition,
        script=of,
        state=queries.state(web.session(), of),
        states=STATES,
        active=active,
        complete=bool(active) and all(one.sheets for one in active),
        recognised=[one for one in of.allocations if one.recognised_at and not one.replaced_at],
        proposals=queries.newest_agreements(web.session(), of),
        awaits=awaits,
        form=form,
        replace=replace,
    )


@bp.post("/allocations/<int:number>/replace")
@access.roles("chief-examiner")
def replace(slug: str, number: int) -> Response:
    competition = competitions.competition(web.session(), slug)
    with web.writing() as session:
        allocation = session.get(Allocation, number)
        if allocation is None or allocation.script.competition_id != competition.id:
            raise NotFound()
        code = allocation.script.code
        essays.ask_replacement(
            session,
            allocation,
            cause=request.form.get("cause", "recognised"),
            by=access.actor().account_id,
            now=web.now(),
        )
    web.say(N_("The replacement waits for its second approval."))
    return redirect(url_for("marking.script", slug=slug, code=code))


def tasks(session: Session, actor: Actor, slug: str, now: datetime) -> list[pages.Task]:
    found: list[pages.Task] = []
    for role, name in sorted(actor.roles):
        if role not in ("chief-examiner", "code-custodian") or not name or (slug and slug != name):
            continue
        competition = competitions.competition(session, name)
        closed = [one for one in sittings.sittings_of(session, competition.id) if one.closed_at is not None]
        if not closed:
            continue
        waiting = sum(
            1
            for part in {one.part for one in closed}
            for one in queries.scripts(session, competition.id, part)
            if queries.state(session, one) in ("head", "recognised")
        )
        label = gettext("Follow the marking") if role == "chief-examiner" else gettext("Code the scripts, open the map")
        detail = gettext("%(number)d scripts wait for you", number=waiting) if waiting else ""
        found.append(
            pages.Task(label=label, address=url_for("marking.index", slug=name), detail=detail, urgent=waiting > 0)
        )
    return found
