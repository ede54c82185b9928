"""Pages on which a competition is announced: keys of witnesses, pinning the regulation, the notice, its release."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.base import access, language, web
from examsvc.base.errors import N_, Refused
from examsvc.base.forms import Form
from examsvc.base.pages import current_language
from examsvc.competitions import announcing, notice_document, preparing, queries
from examsvc.competitions.blueprint import READERS, bp, may_set, require_setter
from examsvc.competitions.forms import ConfirmForm, notice_form, text_fields, texts_of, witness_form
from examsvc.competitions.models import Competition


@bp.route("/competitions/<slug>/setup/witnesses", methods=["GET", "POST"])
@access.roles(*READERS)
def witnesses(slug: str) -> str | Response:
    competition = queries.competition(web.session(), slug)
    rule = queries.regulation(competition).witnesses
    names = rule.names if rule is not None else ()
    present = {f"key_{name.replace('-', '_')}": competition.witness_keys.get(name, "") for name in names}
    form = witness_form(names, data=present)
    if request.method == "POST" and form.validate_on_submit():
        try:
            require_setter(slug)
            with web.writing() as session:
                given = {name: form[f"key_{name.replace('-', '_')}"].data or "" for name in names}
                preparing.set_witness_keys(session, queries.competition(session, slug), given)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The keys are kept."))
            return redirect(url_for("competitions.setup", slug=slug))
    return render_template(
        "competitions/witnesses.html", competition=competition, form=form, rule=rule, may_set=may_set(slug) and competition.pinned_at is None
    )


@bp.route("/competitions/<slug>/setup/pin", methods=["GET", "POST"])
@access.roles(*READERS)
def pinning(slug: str) -> str | Response:
    competition = queries.competition(web.session(), slug)
    form = ConfirmForm()
    if request.method == "POST" and form.validate_on_submit():
        number = _asked(form, lambda session, found: announcing.propose_pin(
            session, found, by=access.actor().account_id, now=web.now(), language=current_language()
        ).id, slug)
        if number is not None:
            web.say(N_("It is proposed to pin the regulation. It is pinned when another person has approved."))
            return redirect(url_for("accounts.approval", number=number))
    return render_template(
        "competitions/pinning.html",
        competition=competition,
        regulation=queries.regulation(competition),
        form=form,
        obstacles=[] if competition.pinned_at else _sentences(announcing.obstacles(web.session(), competition, web.now())),
        waiting=announcing.waiting(web.session(), competition, (announcing.PIN,), web.now()),
        may_propose=_may_approve(competition, "pin-regulation"),
    )


def _asked(form: Form, ask: Callable[[Session, Competition], int], slug: str) -> int | None:
    """The number of the request, or None with the refusal on the form."""
    try:
        with web.writing() as session:
            return ask(session, queries.competition(session, slug))
    except Refused as refusal:
        form.refuse(refusal)
        return None


def _sentences(found: list[tuple[str, dict[str, Any]]]) -> list[str]:
    """Sentences with their parameters, in the reader's language."""
    return [web.explain(Refused(text, **params)) for text, params in found]


def _may_approve(competition: Competition, step: str) -> bool:
    roles = queries.approval_terms(competition, step).roles
    return any(access.actor().holds(role, competition.slug) for role in roles)


@bp.route("/competitions/<slug>/setup/notice", methods=["GET", "POST"])
@access.roles(*READERS)
def notice_setup(slug: str) -> str | Response:
    session, now = web.session(), web.now()
    competition = queries.competition(session, slug)
    names = tuple(notice_document.TEXTS)
    texts = queries.notice_texts(session, competition.id)
    data = {
        f"{name.replace('-', '_')}__{one}": texts.get(name, {}).get(one, "") for name in names for one in language.LANGUAGES
    }
    form = notice_form(names, data=data)
    if request.method == "POST" and form.validate_on_submit():
        try:
            require_setter(slug)
            with web.writing() as writing:
                announcing.save_notice_texts(
                    writing,
                    queries.competition(writing, slug),
                    texts_of(form, names),
                    by=access.actor().account_id,
                    now=now,
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The texts are kept."))
            return redirect(url_for("competitions.notice_setup", slug=slug))
    frozen = preparing.is_frozen(competition, now)
    source = announcing.source_of(session, competition)
    return render_template(
        "competitions/notice_setup.html",
        competition=competition,
        form=form,
        texts=[(notice_document.TEXTS[name], text_fields(form, name)) for name in names],
        unready=_sentences(announcing.unready(session, competition, zone=web.settings().zone, now=now)),
        frozen=frozen,
        document=notice_document.compose(source, len(competition.notices) + 1),
        waiting=announcing.waiting(session, competition, (announcing.PUBLISH,), now),
        may_set=may_set(slug) and not frozen,
        may_publish=_may_approve(competition, "publish-notice") and not frozen,
    )


@bp.post("/competitions/<slug>/setup/notice/publish")
@access.roles(*READERS)
def publish_notice(slug: str) -> Response:
    with web.writing() as session:
        number = announcing.propose_notice(
            session,
            queries.competition(session, slug),
            zone=web.settings().zone,
            by=access.actor().account_id,
            now=web.now(),
            language=current_language(),
        ).id
    web.say(N_("It is proposed to publish the notice. It appears when another person has approved."))
    return redirect(url_for("accounts.approval", number=number))


@bp.post("/competitions/<slug>/setup/release")
@access.roles("council-chair", "competent-authority")
def release(slug: str) -> Response:
    with web.writing() as session:
        number = announcing.propose_release(
            session,
            queries.competition(session, slug),
            by=access.actor().account_id,
            now=web.now(),
            language=current_language(),
        ).id
    return redirect(url_for("accounts.approval", number=number))

