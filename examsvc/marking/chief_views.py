"""The chief examiner's view: progress, discrepancies, decisions, the guide, and the locks."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.accounts import queries as accounts
from examsvc.base import access, pages, web
from examsvc.base.access import Actor
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.forms import Form
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.marking import (
    blinding,
    calibration,
    essays,
    guides,
    locking,
    objective,
    queries,
    replacing,
    scope,
)
from examsvc.marking.forms import DecideForm, GuideForm
from examsvc.marking.models import Allocation, Script
from examsvc.papers import queries as papers
from examsvc.sittings import queries as sittings
from question_banks.markup import render_markdown

bp = Blueprint("marking", __name__, template_folder="templates", url_prefix="/competitions/<slug>/marking")

CHIEF = ("chief-examiner", "council-chair", "council-secretary")
STATES = {
    "coded": N_("Coded, not drawn"),
    "marking": N_("Being marked"),
    "reopened": N_("Guide changed, marked again"),
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
                    "marked": len(queries.part_marks(web.session(), competition, part.id)) if part.kind == "objective" else 0,
                    "scripts": scripts,
                    "coded": {one.sitting_id for one in queries.code_maps(web.session(), [one.id for one in planned if one.part == part.id])},
                    "states": states,
                    "draw": essays.allocation_draw(web.session(), competition, part.id),
                    "reserve": _reserve(competition, part.id) if part.kind == "essay" else 0,
                    "groups": part.kind == "essay" and regulation.marking_of(part).different_groups,
                    "guide": queries.guide(web.session(), scripts[0]).version if scripts else 1,
                    "joint": regulation.marking_of(part).joint_scripts if part.kind == "essay" else 0,
                    "held": bool(calibration.held(web.session(), competition.id, part.id)),
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
                    _unfinished(competition, one) for one in locking.unfinished(web.session(), competition, stage.id)
                ],
                "blind": any(part.kind in ("essay", "plan") for part in stage.parts),
            }
        )
    return render_template("marking/index.html", competition=competition, stages=stages, states=STATES)


def _reserve(competition: Competition, part: str) -> int:
    """How many markers would stand in reserve for each script, were the draw made now."""
    drawn = essays.rounds_of(scope.scheme(competition, part))
    return len(accounts.holders(web.session(), "marker", competition.slug, web.now())) - drawn


def _unfinished(competition: Competition, code: str) -> str:
    """What is missing, in words: "essay:3-scripts-unsettled"."""
    part, _, what = code.partition(":")
    label = scope.part_name(competition, part, pages.current_language())
    number, _, rest = what.partition("-")
    if number.isdigit():
        return f"{label}: {number} {gettext(UNFINISHED[rest])}"
    return f"{label}: {gettext(UNFINISHED[what])}"


@bp.post("/sittings/<code>/code")
@access.roles("code-custodian")
def code_scripts(slug: str, code: str) -> Response:
    """Coding: from here on nobody sees whose script it is."""
    with web.writing() as session:
        competition = competitions.competition(session, slug)
        sitting = sittings.sitting_of(session, competition.id, code)
        number = blinding.code_scripts(session, sitting, by=access.actor().account_id, now=web.now())
    web.say(N_("%(number)d scripts are coded."), number=number)
    return redirect(url_for("codes.index", slug=slug))


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
        essays.ask_allocation(session, competition, part=part, by=access.actor().account_id, now=web.now(), language=pages.current_language())
    web.say(N_("The draw waits for its second approval; then it is made or announced, as the regulation says."))
    return redirect(url_for("marking.index", slug=slug))


@bp.post("/stages/<stage>/lock")
@access.roles(*CHIEF)
def lock(slug: str, stage: str) -> Response:
    with web.writing() as session:
        competition = competitions.competition(session, slug)
        locking.ask_lock(session, competition, stage=stage, by=access.actor().account_id, now=web.now(), language=pages.current_language())
    web.say(N_("The lock waits for its second approval."))
    return redirect(url_for("marking.index", slug=slug))


@bp.post("/stages/<stage>/open")
@access.roles("code-custodian", "council-chair")
def open_map(slug: str, stage: str) -> Response:
    with web.writing() as session:
        competition = competitions.competition(session, slug)
        locking.ask_opening(session, competition, stage=stage, by=access.actor().account_id, now=web.now(), language=pages.current_language())
    web.say(N_("The opening of the code map waits for its second approval."))
    return redirect(url_for("codes.index" if access.actor().holds("code-custodian", slug) else "marking.index", slug=slug))


@bp.get("/parts/<part>")
@access.roles("chief-examiner", "supervisor")
def scripts(slug: str, part: str) -> str:
    """All scripts of a part by code, what waits for somebody first: marks only once all of a script are in."""
    competition = competitions.competition(web.session(), slug)
    scope.scheme(competition, part)
    rows: list[dict[str, Any]] = []
    for one in queries.scripts(web.session(), competition.id, part):
        active = queries.active_allocations(one)
        sheets = [a.sheet for a in active if a.sheet is not None]
        rows.append(
            {
                "script": one,
                "state": queries.state(web.session(), one),
                "marks": [sheet.total for sheet in sheets] if active and len(sheets) == len(active) else [],
                "in": len(sheets),
                "of": len(active),
            }
        )
    order = ("head", "recognised", "agreeing", "reopened", "third-marking", "marking", "coded", "settled")
    rows.sort(key=lambda row: (order.index(row["state"]), row["script"].code))
    return render_template(
        "marking/scripts.html",
        competition=competition,
        part=competitions.regulation(competition).part(part),
        rows=rows,
        states=STATES,
        markers=_markers(rows),
    )


def _markers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How far each marker has come, and how the marks lie beside those that others gave to the same scripts, where all are in."""
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        active = queries.active_allocations(row["script"])
        for one in active:
            of = found.setdefault(one.marker_id, {"name": one.marker.name, "given": 0, "all": 0, "differences": []})
            of["all"] += 1
            of["given"] += one.sheet is not None
            others = [Fraction(a.sheet.total) for a in active if a.id != one.id and a.sheet is not None]
            if row["marks"] and others and one.sheet is not None:
                of["differences"].append(Fraction(one.sheet.total) - sum(others, Fraction(0)) / len(others))
    for of in found.values():
        n = len(of["differences"])
        of["compared"] = n
        of["mean"] = f"{float(sum(of['differences'], Fraction(0)) / n):+.2f}".replace("-", "−") if n else None
    return sorted(found.values(), key=lambda of: str(of["name"]))


@bp.route("/scripts/<code>", methods=["GET", "POST"])
@access.roles("chief-examiner")
def script(slug: str, code: str) -> str | Response:
    """One script for the chief examiner: its marks once they are in, and the decision where it is left to him."""
    competition = competitions.competition(web.session(), slug)
    of = queries.script(web.session(), competition.id, code)
    if of is None:
        raise NotFound()
    form = DecideForm()
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
    leaving = {one.id for one in queries.must_leave(web.session(), of)}
    return render_template(
        "marking/chief_script.html",
        competition=competition,
        script=of,
        state=queries.state(web.session(), of),
        states=STATES,
        active=active,
        complete=bool(active) and all(one.sheet is not None for one in active),
        replaceable=[
            (one, "recognised" if one.recognised_at else "recusal" if one.id in leaving else "absence", one.id in leaving)
            for one in of.allocations
            if one.replaced_at is None and one.sheet is None
        ],
        gone=[one for one in of.allocations if one.replaced_at is not None],
        causes=replacing.CAUSES,
        guide=queries.guide(web.session(), of),
        earlier=[(one, sheet) for one in active for sheet in one.sheets if sheet is not one.sheet]
        if active and all(one.sheet is not None for one in active)
        else [],
        proposals=queries.newest_agreements(web.session(), of),
        awaits=awaits,
        form=form,
    )


@bp.post("/allocations/<int:number>/replace")
@access.roles("chief-examiner")
def replace(slug: str, number: int) -> Response:
    competition = competitions.competition(web.session(), slug)
    found = web.session().get(Allocation, number)
    if found is None or found.script.competition_id != competition.id:
        raise NotFound()
    code = found.script.code
    with web.writing() as session:
        replacing.ask_replacement(
            session,
            session.get_one(Allocation, number),
            cause=request.form.get("cause", ""),
            by=access.actor().account_id,
            now=web.now(),
            language=pages.current_language(),
        )
    web.say(N_("The replacement waits for its second approval."))
    return redirect(url_for("marking.script", slug=slug, code=code))


# ---------------------------------------------------------------- groups of markers


@bp.route("/groups", methods=["GET", "POST"])
@access.roles("chief-examiner", "council-secretary")
def groups(slug: str) -> str | Response:
    """Which group each marker belongs to, before the draw."""
    competition = competitions.competition(web.session(), slug)
    markers = accounts.holders(web.session(), "marker", slug, web.now())
    form = Form()
    typed = {one.id: request.form.get(f"group-{one.id}", "").strip() for one in markers}
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                replacing.set_groups(
                    session,
                    competitions.competition(session, slug),
                    names={number: name for number, name in typed.items() if name},
                    now=web.now(),
                )
        except Refused as refusal:
            form.refuse(refusal)
            form.refused_field = refusal.field
        else:
            web.say(N_("The groups are kept."))
            return redirect(url_for("marking.index", slug=slug))
    known = replacing.entered_groups(web.session(), competition)
    return render_template(
        "marking/groups.html",
        competition=competition,
        form=form,
        markers=markers,
        names=typed if request.method == "POST" else known,
        missing=sum(1 for one in markers if one.id not in known),
    )


# ---------------------------------------------------------------- joint marking


@bp.route("/parts/<part>/joint", methods=["GET", "POST"])
@access.roles("chief-examiner", "supervisor", "marker")
def joint(slug: str, part: str) -> str | Response:
    """The scripts that all markers mark together first: read by everybody, put on record by the chief examiner."""
    competition = competitions.competition(web.session(), slug)
    scheme, now = scope.scheme(competition, part), web.now()
    chief = access.actor().holds("chief-examiner", slug)
    scripts = calibration.joint_scripts(web.session(), competition, part, now)
    markers = accounts.holders(web.session(), "marker", slug, now)
    form = Form()
    typed = {
        one.id: {script.code: request.form.get(f"mark-{one.id}-{script.code}", "") for script in scripts} for one in markers
    }
    if request.method == "POST" and not chief:
        raise NotFound()
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                calibration.hold(
                    session,
                    competitions.competition(session, slug),
                    part=part,
                    marks=typed,
                    by=access.actor().account_id,
                    now=now,
                )
        except Refused as refusal:
            form.refuse(refusal)
            form.refused_field = refusal.field
        else:
            web.say(N_("The joint marking is on record."))
            return redirect(url_for("marking.joint", slug=slug, part=part))
    return render_template(
        "marking/joint.html",
        competition=competition,
        part=competitions.regulation(competition).part(part),
        number=scheme.joint_scripts,
        scripts=scripts,
        markers=markers,
        typed=typed,
        form=form,
        chief=chief,
        held=calibration.held(web.session(), competition.id, part),
        names={one.code: one.name for one in markers},
    )


# ---------------------------------------------------------------- the guide


@bp.get("/parts/<part>/guide")
@access.roles("chief-examiner", "supervisor", "marker", "re-marker")
def guide(slug: str, part: str) -> str:
    """The marking guide of every task of a part, as it stands, and how it came to say so."""
    competition = competitions.competition(web.session(), slug)
    scheme = scope.scheme(competition, part)
    stage = competitions.regulation(competition).stage_of(part).id
    return render_template(
        "marking/guide.html",
        competition=competition,
        part=competitions.regulation(competition).part(part),
        tasks=[
            (task, render_markdown(pages.in_reader_language(task.guide.text)), _title(task))
            for task in guides.tasks(web.session(), competition, part)
        ],
        versions=queries.guides(web.session(), competition.id, stage, scheme.id),
        locked=queries.lock(web.session(), competition.id, stage) is not None,
        may=access.actor().holds("chief-examiner", slug),
    )


def _title(task: guides.Task) -> str:
    """The task in its first words, so that a person knows which one it is."""
    plain = papers.item(task.version).body.plain(pages.current_language())
    words = plain.split()
    return " ".join(words[:14]) + (" …" if len(words) > 14 else "")


@bp.route("/parts/<part>/guide/<item>", methods=["GET", "POST"])
@access.roles("chief-examiner")
def change_guide(slug: str, part: str, item: str) -> str | Response:
    """A new version of one task's guide: what changes, why, and how many marks go back."""
    competition = competitions.competition(web.session(), slug)
    task = next((one for one in guides.tasks(web.session(), competition, part) if one.version.digest == item), None)
    if task is None:
        raise NotFound()
    form = GuideForm(data={"vi": task.guide.text.get("vi", ""), "en": task.guide.text.get("en", "")})
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                guides.ask_change(
                    session,
                    competitions.competition(session, slug),
                    part=part,
                    item=item,
                    texts={"vi": form.vi.data or "", "en": form.en.data or ""},
                    reason=form.reason.data or "",
                    by=access.actor().account_id,
                    now=web.now(),
                    language=pages.current_language(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The new guide waits for its second approval; until then the old one holds."))
            return redirect(url_for("marking.guide", slug=slug, part=part))
    return render_template(
        "marking/change_guide.html", competition=competition, part=part, task=task, title=_title(task), form=form
    )


def tasks(session: Session, actor: Actor, slug: str, now: datetime) -> list[pages.Task]:
    found: list[pages.Task] = []
    for role, name in sorted(actor.roles):
        if role != "chief-examiner" or not name or (slug and slug != name):
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
        detail = gettext("%(number)d scripts wait for you", number=waiting) if waiting else ""
        found.append(
            pages.Task(
                label=gettext("Follow the marking"),
                address=url_for("marking.index", slug=name),
                detail=detail,
                urgent=waiting > 0,
            )
        )
    return found
