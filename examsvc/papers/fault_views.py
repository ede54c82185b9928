"""Faulty questions and wrong keys, found after a paper was opened."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examsvc.base import access, pages, web
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.forms import options
from examsvc.competitions import queries as competitions
from examsvc.papers import corrections, queries
from examsvc.papers.blueprint import READERS, bp, competition, form_of, me, media_prefix, reading, shown
from examsvc.papers.forms import CorrectForm, NeutraliseForm
from examsvc.papers.models import KeyCorrection
from examsvc.papers.paper_views import RULES


@bp.get("/forms/<code>/faults")
@access.roles(*READERS, "council-chair", "chief-examiner")
def faults(slug: str, code: str) -> str:
    """Questions found faulty, and keys found wrong, after the paper was opened; questions are shown to their makers only."""
    return _faults_page(slug, code, NeutraliseForm(formdata=None), CorrectForm(formdata=None))


def _faults_page(slug: str, code: str, neutralise: NeutraliseForm, correct: CorrectForm) -> str:
    found = form_of(slug, code)
    if found.opened_at is None:
        raise NotFound()
    reader = any(access.actor().holds(role, slug) for role in READERS)
    media = media_prefix(slug)
    number = request.args.get("number", type=int) or (int(request.form["number"]) if request.form.get("number", "").isdigit() else None)
    chosen = next((slot for slot in found.slots if slot.number == number), None)
    if reader and chosen is not None:
        reading(slug, "paper", f"{code} · {number}")
        found = form_of(slug, code)
        chosen = next(slot for slot in found.slots if slot.number == number)
    versions = corrections.correctable(web.session(), found, chosen.number) if chosen is not None else []
    correct.version.choices = options((str(one.id), f"{one.digest[:16]}… · {one.added_at:%d/%m/%Y}") for one in versions)
    part = queries.seated_part(found.competition, found.part)
    return render_template(
        "papers/faults.html",
        competition=found.competition,
        form=found,
        part=part,
        rule=RULES[part.neutralised_item] if part.kind == "objective" else None,
        rules=RULES,
        changes=queries.changes_after(web.session(), found.id),
        is_correction=lambda one: isinstance(one, KeyCorrection),
        slot=chosen,
        shown=shown(chosen.item_version, media) if reader and chosen is not None else None,
        neutralise=neutralise,
        correct=correct,
        versions=versions,
        may_ask=any(
            access.actor().holds(role, slug)
            for role in competitions.approval_terms(found.competition, "change-after-lock").roles
        ),
    )


@bp.post("/forms/<code>/faults/neutralise")
@access.roles(*READERS, "council-chair", "chief-examiner")
def neutralise(slug: str, code: str) -> str | Response:
    form = NeutraliseForm()
    try:
        if form.validate_on_submit():
            with web.writing() as session:
                corrections.ask_neutralisation(
                    session,
                    queries.form_of(session, competition(slug).id, code),
                    _number(form.number.data),
                    reason=form.reason.data or "",
                    by=me(),
                    now=web.now(),
                    language=pages.current_language(),
                )
            web.say(N_("The step is asked for. Another person approves it; then the answers are marked again."))
            return redirect(url_for("papers.faults", slug=slug, code=code))
    except Refused as refusal:
        if isinstance(refusal, NotFound):
            raise
        form.refuse(refusal)
    return _faults_page(slug, code, form, CorrectForm(formdata=None))


@bp.post("/forms/<code>/faults/correct")
@access.roles(*READERS, "council-chair", "chief-examiner")
def correct(slug: str, code: str) -> str | Response:
    form = CorrectForm()
    try:
        if form.validate_on_submit():
            with web.writing() as session:
                found = queries.form_of(session, competition(slug).id, code)
                number = _number(form.number.data)
                versions = {str(one.id): one for one in corrections.correctable(session, found, number)}
                if form.version.data not in versions:
                    raise Refused(N_("Choose a version."), field="version")
                corrections.ask_correction(
                    session,
                    found,
                    number,
                    version=versions[form.version.data],
                    reason=form.reason.data or "",
                    by=me(),
                    now=web.now(),
                    language=pages.current_language(),
                )
            web.say(N_("The step is asked for. Another person approves it; then the answers are marked again."))
            return redirect(url_for("papers.faults", slug=slug, code=code))
    except Refused as refusal:
        if isinstance(refusal, NotFound):
            raise
        form.refuse(refusal)
    return _faults_page(slug, code, NeutraliseForm(formdata=None), form)


def _number(text: str | None) -> int:
    if not text or not text.isascii() or not text.isdigit():
        raise NotFound()
    return int(text)
