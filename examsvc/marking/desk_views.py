"""The marking desk: one script, the rubric beside it, and nothing that tells whose it is or what others gave."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.base import access, pages, web
from examsvc.base.access import Actor
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.forms import Form
from examsvc.base.pages import in_reader_language
from examsvc.competitions import queries as competitions
from examsvc.competitions.terms import write_exact
from examsvc.marking import essays, queries, replacing, rules
from examsvc.marking.models import Allocation, Script
from examsvc.papers import queries as papers
from question_banks.markup import render_markdown

bp = Blueprint("desk", __name__, template_folder="templates", url_prefix="/competitions/<slug>/marking/desk")
BREAK_AFTER = 10
"""Sheets in a row after which the desk suggests a break."""


def _mine(slug: str, code: str) -> Allocation:
    """The allocation of this script to the reader; NotFound for any other script."""
    competition = competitions.competition(web.session(), slug)
    me = access.actor().account_id
    for allocation in queries.desk(web.session(), competition.id, me):
        if allocation.script.code == code:
            return allocation
    raise NotFound()


def _state(allocation: Allocation) -> str:
    """marked, to-agree, again (the guide changed), or to-mark, as this marker may know it."""
    if allocation.sheet is None:
        return "again" if allocation.reopened else "to-mark"
    if allocation.script.settlement is not None:
        return "marked"
    found = queries.verdict(web.session(), allocation.script)
    if isinstance(found, rules.Waiting) and found.need.startswith("agree"):
        return "to-agree"
    return "marked"


@bp.get("/")
@access.roles("marker", "re-marker")
def index(slug: str) -> str:
    competition = competitions.competition(web.session(), slug)
    desk = queries.desk(web.session(), competition.id, access.actor().account_id)
    rows = [(one, _state(one)) for one in desk]
    return render_template(
        "marking/desk.html",
        competition=competition,
        rows=rows,
        done=sum(1 for _, state in rows if state == "marked"),
        next=next((one for one, state in rows if state in ("to-mark", "again")), None),
        guides={one.script.part for one, _ in rows},
    )


@bp.route("/<code>", methods=["GET", "POST"])
@access.roles("marker", "re-marker")
def script(slug: str, code: str) -> str | Response:
    """Read on the left, mark on the right; handing in goes on to the next script."""
    allocation = _mine(slug, code)
    of = allocation.script
    form = Form()
    values = dict(allocation.draft or {})
    if allocation.sheets and not allocation.draft:
        values = {**allocation.sheets[-1].criteria, "comment": allocation.sheets[-1].comment}
    if request.method == "POST" and form.validate_on_submit():
        values = {name: request.form.get(name, "") for name in (*_names(of), "comment", "reason")}
        try:
            with web.writing() as session:
                mine = session.get_one(Allocation, allocation.id)
                essays.record_mark(
                    session,
                    mine,
                    criteria={name: values[name] for name in _names(mine.script)},
                    comment=values["comment"],
                    by=access.actor().account_id,
                    now=web.now(),
                    reason=values["reason"] or None,
                )
        except Refused as refusal:
            form.refuse(refusal)
            form.refused_field = refusal.field
        else:
            web.say(N_("Your mark for script %(code)s is in."), code=code)
            return redirect(_next(slug, after=code))
    return _page(allocation, form, values)


def _names(of: Script) -> list[str]:
    return [name for name, _, _ in essays.criteria_of(of)]


def _next(slug: str, after: str) -> str:
    competition = competitions.competition(web.session(), slug)
    desk = [one for one in queries.desk(web.session(), competition.id, access.actor().account_id) if one.sheet is None]
    later = [one for one in desk if one.script.code > after] or desk
    if later:
        return url_for("desk.script", slug=slug, code=later[0].script.code)
    return url_for("desk.index", slug=slug)


def _page(allocation: Allocation, form: Form, values: dict[str, Any]) -> str:
    of = allocation.script
    item = papers.item(of.item_version)
    language = pages.current_language()
    desk = queries.desk(web.session(), of.competition_id, access.actor().account_id)
    scheme = essays.scheme_of(of)
    guide = queries.guide(web.session(), of)
    factor = Fraction(of.maximum) / Fraction(item.marks)
    criteria = [
        {
            "id": one.id,
            "title": one.title.plain(language),
            "maximum": write_exact(one.marks * factor),
            "levels": [
                {"marks": write_exact(level.marks * factor), "text": level.text.plain(language)} for level in one.levels
            ],
        }
        for one in item.rubric
    ] or [{"id": "mark", "title": gettext("Mark"), "maximum": of.maximum, "levels": []}]
    return render_template(
        "marking/script.html",
        competition=of.competition,
        script=of,
        allocation=allocation,
        form=form,
        values=values,
        criteria=criteria,
        step=write_exact(scheme.mark_step),
        task=item.body.html(language),
        guide=render_markdown(in_reader_language(guide.text)),
        guide_version=guide.version,
        change=guide if allocation.reopened else None,
        correctable=allocation.sheet is not None and _correctable(allocation),
        words=len(of.content.split()),
        place=[one.id for one in desk].index(allocation.id) + 1,
        of=len(desk),
        done=sum(1 for one in desk if one.sheet is not None),
        state=_state(allocation),
        rest=_marked_today(desk) % BREAK_AFTER == 0 and _marked_today(desk) > 0,
    )


def _correctable(allocation: Allocation) -> bool:
    """Whether this marker may still correct the own mark: nobody else's is in."""
    others = [one for one in queries.active_allocations(allocation.script) if one.id != allocation.id]
    return allocation.script.settlement is None and all(one.sheet is None for one in others)


def _marked_today(desk: list[Allocation]) -> int:
    day = web.now().date()
    return sum(1 for one in desk if one.sheets and one.sheets[-1].at.date() == day)


@bp.post("/<code>/draft")
@access.roles("marker", "re-marker")
def draft(slug: str, code: str) -> Response:
    """Keeps what is typed, while it is typed; answers when it was kept."""
    allocation = _mine(slug, code)
    names = (*_names(allocation.script), "comment")
    values = {name: request.form.get(name, "") for name in names}
    with web.writing() as session:
        essays.keep_draft(
            session, session.get_one(Allocation, allocation.id), draft=values, by=access.actor().account_id
        )
    return jsonify(kept_at=web.now().astimezone(web.settings().zone).strftime("%H:%M:%S"))


@bp.post("/<code>/recognised")
@access.roles("marker", "re-marker")
def recognised(slug: str, code: str) -> Response:
    allocation = _mine(slug, code)
    with web.writing() as session:
        replacing.recognise(
            session, session.get_one(Allocation, allocation.id), by=access.actor().account_id, now=web.now()
        )
    web.say(N_("The script has left your desk. Another marker will get it; nobody is told why but the chief examiner."))
    return redirect(url_for("desk.index", slug=slug))


@bp.route("/<code>/agreement", methods=["GET", "POST"])
@access.roles("marker")
def agreement(slug: str, code: str) -> str | Response:
    """Two marks differ by so much that the markers settle on one, or say that they cannot."""
    allocation = _mine(slug, code)
    of = allocation.script
    if _state(allocation) != "to-agree":
        raise NotFound()
    form = Form()
    if form.validate_on_submit():
        cannot = request.form.get("cannot") == "1"
        try:
            with web.writing() as session:
                essays.propose_agreement(
                    session,
                    session.get_one(Allocation, allocation.id),
                    mark=None if cannot else request.form.get("mark", ""),
                    reason=request.form.get("reason", ""),
                    by=access.actor().account_id,
                    now=web.now(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("Your proposal is on record."))
            return redirect(url_for("desk.index", slug=slug))
    active = queries.active_allocations(of)
    return render_template(
        "marking/agreement.html",
        competition=of.competition,
        script=of,
        form=form,
        mine=allocation,
        others=[one for one in active if one.id != allocation.id],
        proposals=queries.newest_agreements(web.session(), of),
        me=access.actor().account_id,
    )


def tasks(session: Session, actor: Actor, slug: str, now: datetime) -> list[pages.Task]:
    found: list[pages.Task] = []
    for role, name in sorted(actor.roles):
        if role not in ("marker", "re-marker") or not name or (slug and slug != name):
            continue
        competition = competitions.competition(session, name)
        desk = queries.desk(session, competition.id, actor.account_id)
        if not desk:
            continue
        done = sum(1 for one in desk if one.sheet is not None)
        found.append(
            pages.Task(
                label=gettext("Mark your scripts"),
                address=url_for("desk.index", slug=name),
                detail=gettext("%(done)d of %(all)d marked", done=done, all=len(desk)),
                done=done == len(desk),
                urgent=done < len(desk),
            )
        )
    return found
