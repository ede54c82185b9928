"""Pages of the custodians and of the chair who names them."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask.blueprints import BlueprintSetupState
from werkzeug.wrappers import Response

from examsvc.accounts import approvals
from examsvc.accounts import queries as accounts
from examsvc.base import access, pages, web
from examsvc.base.errors import N_, Refused
from examsvc.competitions import queries as competitions
from examsvc.papers import ceremony, ceremony_draw_views, custody, custody_rehearsal, custody_tasks, queries
from examsvc.papers.blueprint import OFFICE, bp, competition, form_of, me
from examsvc.papers.ceremony_views import attachment, do_now, share_data
from examsvc.papers.forms import KeyForm, ShareForm
from examsvc.papers.rules import PartClause

MODULES = (ceremony_draw_views,)
"""Imported, so that their views and approvals are known."""


@bp.record_once
def _tasks(_: BlueprintSetupState) -> None:
    pages.tasks_from(custody_tasks.tasks)


@bp.route("/custodians", methods=["GET", "POST"])
@access.roles("custodian", *OFFICE, "competent-authority")
def custodians(slug: str) -> str | Response:
    """Who holds shares under which keys; a custodian hands in his own, the chair asks to name them."""
    form = KeyForm()
    if form.validate_on_submit():
        if not access.actor().holds("custodian", slug):
            raise Refused(N_("Only a custodian hands in a key."))
        try:
            with web.writing() as session:
                custody.register_key(
                    session, competitions.competition(session, slug), recipient=form.recipient.data or "", by=me(), now=web.now()
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("Your key is in. Keep its secret half safe; without it your share cannot be opened."))
            return redirect(url_for("papers.custodians", slug=slug))
    of, session = competition(slug), web.session()
    holders = accounts.holders(session, "custodian", slug, web.now())
    stages = {}
    parts: dict[str, list[PartClause]] = {}
    for part in queries.seated_parts(of):
        stage = competitions.regulation(of).stage_of(part.id)
        parts.setdefault(stage.id, []).append(part)
        stages[stage.id] = (
            stage,
            queries.custodians(session, of.id, stage.id),
            custody_rehearsal.rehearsals(session, of.id, stage.id),
            custody_rehearsal.due_at(session, of, stage.id),
        )
    asked = [one for one in approvals.waiting(session, slug, web.now()) if one.kind == custody.NAMING]
    return render_template(
        "papers/custodians.html",
        competition=of,
        form=form,
        holders=[(one, queries.custodian_key(session, of.id, one.id)) for one in holders],
        stages=stages,
        parts=parts,
        rule=competitions.regulation(of).paper,
        fingerprint=ceremony.fingerprint,
        mine=access.actor().holds("custodian", slug),
        chair=access.actor().holds("council-chair", slug),
        waiting={str(one.arguments["stage"]) for one in asked},
        me=me(),
    )


@bp.post("/custodians/<stage>/name")
@access.roles("council-chair")
def name_custodians(slug: str, stage: str) -> Response:
    with web.writing() as session:
        of = competitions.competition(session, slug)
        if stage not in {one.id for one in competitions.regulation(of).stages}:
            raise Refused(N_("There is no such stage."))
        custody.ask_naming(session, of, stage=stage, by=me(), now=web.now(), language=pages.current_language())
    web.say(N_("The naming is asked for. Another person approves it."))
    return redirect(url_for("papers.custodians", slug=slug))


@bp.route("/forms/<code>/share", methods=["GET", "POST"])
@access.roles("custodian")
def share(slug: str, code: str) -> str | Response:
    """A custodian takes the encrypted share away, and hands in the opened one shortly before the bell."""
    found = form_of(slug, code)
    own = custody.share_of(found, me())
    form = ShareForm()
    if form.validate_on_submit():
        try:
            data = share_data(form)
            with web.writing() as session:
                genuine = custody.deliver_share(
                    session, queries.form_of(session, competition(slug).id, code), data=data, by=me(), now=web.now()
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            if not genuine:
                form.refuse(Refused(N_("This is not the share that was dealt to you. That is on record now; hand in the right one."), field="share"))
            else:
                do_now("papers.open")
                web.say(N_("Your share is in."))
                return redirect(url_for("papers.share", slug=slug, code=code))
    found = form_of(slug, code)
    of = found.competition
    told = ceremony.transcript(web.session(), of, competitions.regulation(of).stage_of(found.part).id)
    return render_template(
        "papers/share.html",
        competition=of,
        form_=found,
        own=custody.share_of(found, own.account_id),
        delivered=sum(1 for one in found.seal.shares if one.delivered_at) if found.seal is not None else 0,
        forged={one.body["custodian"] for one in told.false if one.body["paper"] == code} if told is not None else set(),
        moment=custody.opens_at(web.session(), found),
        in_force=queries.is_in_force(web.session(), found),
        form=form,
    )


@bp.get("/forms/<code>/share.age")
@access.roles("custodian")
def share_file(slug: str, code: str) -> Response:
    return attachment(custody.share_of(form_of(slug, code), me()).ciphertext, f"{code}.share.age")
