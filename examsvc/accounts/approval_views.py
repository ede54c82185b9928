"""Steps that wait for a second person, of every room: the list, the summary that all approvers read, and the answer."""

from __future__ import annotations

from datetime import datetime

from flask import redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.accounts import approvals, recovery, role_views
from examsvc.accounts.blueprint import bp
from examsvc.accounts.forms import ApproveForm, ReasonForm
from examsvc.accounts.models import ApprovalRequest
from examsvc.base import access, web
from examsvc.base.access import Actor
from examsvc.base.errors import N_, NotAllowed, Refused


def waiting_for(session: Session, actor: Actor, slug: str, now: datetime) -> list[ApprovalRequest]:
    """What this person may approve now; nothing in a session without a second factor."""
    if not actor.second_factor or not actor.roles:
        return []
    return [one for one in approvals.waiting_for(session, actor.account_id, now) if slug in ("", one.competition)]


def _second_factor_shown() -> Actor:
    actor = access.actor()
    if not actor.second_factor:
        raise NotAllowed(N_("Your role needs a second factor. Sign in with it, then do this step again."))
    return actor


@bp.get("/account/approvals")
@access.signed_in
def approvals_page() -> str | Response:
    actor = access.actor()
    if not actor.second_factor:
        return redirect(url_for("accounts.second_factor", next=request.path))
    waiting = waiting_for(web.session(), actor, "", web.now())
    asked = approvals.asked_by(web.session(), actor.account_id)
    return render_template(
        "accounts/approvals.html",
        waiting=waiting,
        asked=asked,
        titles=role_views.titles({one.competition for one in [*waiting, *asked]}),
    )


@bp.get("/account/approvals/<int:number>")
@access.signed_in
def approval(number: int) -> str | Response:
    if not access.actor().second_factor:
        return redirect(url_for("accounts.second_factor", next=request.path))
    return _page(number, ApproveForm(formdata=None), ReasonForm(formdata=None))


@bp.post("/account/approvals/<int:number>/approve")
@access.signed_in
def approve(number: int) -> str | Response:
    actor = _second_factor_shown()
    approvals.visible(web.session(), number, actor.account_id, web.now())
    form = ApproveForm()
    try:
        with web.writing() as session:
            done = approvals.approve(
                session, number, by=actor.account_id, digest=form.digest.data or "", now=web.now()
            )
    except Refused as refusal:
        form.refuse(refusal)
        return _page(number, form, ReasonForm(formdata=None))
    web.say(
        N_("Approved and carried out.") if done else N_("Your approval is recorded. The step waits for another person.")
    )
    return redirect(url_for("accounts.approval", number=number))


@bp.post("/account/approvals/<int:number>/refuse")
@access.signed_in
def refuse(number: int) -> str | Response:
    actor = _second_factor_shown()
    approvals.visible(web.session(), number, actor.account_id, web.now())
    form = ReasonForm()
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                approvals.refuse(session, number, by=actor.account_id, reason=form.reason.data or "", now=web.now())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The step is refused. The person who asked for it reads your reason."))
            return redirect(url_for("accounts.approvals_page"))
    return _page(number, ApproveForm(formdata=None), form)


def _page(number: int, form: ApproveForm, reason: ReasonForm) -> str:
    actor, session, now = access.actor(), web.session(), web.now()
    found = approvals.visible(session, number, actor.account_id, now)
    form.digest.data = found.digest
    is_open = found.outcome is None and found.expires_at > now
    mine = any(vote.by_id == actor.account_id for vote in found.votes)
    among = approvals.may_approve(found, actor.roles, actor.account_id, actor.excluded)
    recovered = recovery.of_request(session, number)
    return render_template(
        "accounts/approval.html",
        request_=found,
        form=form,
        reason=reason,
        is_open=is_open,
        lapsed=found.outcome is None and not is_open,
        may_approve=is_open and not mine and among,
        may_end=is_open and (found.asked_by_id == actor.account_id or among),
        recovery=recovered,
        my_part=next((one for one in recovered.parts if one.by_id == actor.account_id), None) if recovered else None,
        ended_by=approvals.ended_by(session, found),
        titles=role_views.titles({found.competition}),
    )
