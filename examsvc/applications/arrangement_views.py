"""Accommodations: what a candidate asks for, and how the few who decide on it decide; nobody else reads these pages."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from examsvc.accounts import approvals
from examsvc.applications import accommodations, queries, rules
from examsvc.applications.blueprint import ACCOMMODATORS, bp, download
from examsvc.applications.candidate_views import accepted, anew, own, page_of, read_upload, to_overview
from examsvc.applications.forms import AccommodationForm, UploadForm, grant_form
from examsvc.applications.models import AccommodationRequest, Application
from examsvc.base import access, pages, web
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.competitions import queries as competitions

EVIDENCE_FORMATS = ("pdf", "jpeg", "png")


# ---------------------------------------------------------------- the candidate


@bp.route("/applications/<code>/arrangements", methods=["GET", "POST"])
@access.signed_in
def arrangements(slug: str, code: str) -> str | Response:
    application = own(slug, code)
    rule = competitions.regulation(application.competition).admission.accommodations
    asked = queries.accommodation(application)
    begun = asked if asked is not None and not asked.decisions else None
    form = AccommodationForm(
        data={"measures": begun.measures, "explanation": begun.explanation} if begun is not None else None
    )
    form.offer(rule.kinds)
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                accommodations.request_accommodation(
                    session,
                    anew(application),
                    measures=form.measures.data or [],
                    explanation=form.explanation.data or "",
                    now=web.now(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("Your request is kept. You may add evidence below."))
            return redirect(url_for("applications.arrangements", slug=slug, code=code))
    return _arrangements_page(application, form, UploadForm(formdata=None))


def _arrangements_page(application: Application, form: AccommodationForm, evidence: UploadForm) -> str:
    asked = queries.accommodation(application)
    regulation = competitions.regulation(application.competition)
    return page_of(
        "arrangements",
        application,
        form=form,
        evidence=evidence,
        asked=asked,
        decision=queries.accommodation_decision(asked) if asked is not None else None,
        measures=accommodations.MEASURES,
        parts={part.id: part.label for part in regulation.parts},
        accept=accepted(EVIDENCE_FORMATS),
    )


@bp.post("/applications/<code>/arrangements/evidence")
@access.signed_in
def add_evidence(slug: str, code: str) -> str | Response:
    application = own(slug, code)
    form = UploadForm()
    rule = competitions.regulation(application.competition).admission.accommodations
    try:
        if not form.validate():
            raise Refused(N_("Choose a file."), field="file")
        checked = read_upload(form, EVIDENCE_FORMATS, web.settings().upload_limit_mb * 1024 * 1024)
        with web.writing() as session:
            asked = queries.accommodation(anew(application))
            if asked is None:
                raise Refused(N_("Write first what you need and why, and keep it."), field="file")
            accommodations.keep_evidence(session, asked, checked, now=web.now())
    except Refused as refusal:
        form.refuse(refusal)
        shown = AccommodationForm(formdata=None)
        shown.offer(rule.kinds)
        return _arrangements_page(application, shown, form)
    web.say(N_("The file was checked and kept: %(name)s"), name=checked.name)
    return redirect(url_for("applications.arrangements", slug=slug, code=code))


@bp.get("/applications/<code>/arrangements/<int:request_id>/evidence/<int:number>")
@access.signed_in
def own_evidence(slug: str, code: str, request_id: int, number: int) -> Response:
    found = next((one for one in own(slug, code).accommodations if one.id == request_id), None)
    if found is None:
        raise NotFound()
    return download(accommodations.evidence(found, number))


@bp.post("/applications/<code>/arrangements/withdraw")
@access.signed_in
def withdraw_arrangements(slug: str, code: str) -> Response:
    application = own(slug, code)
    with web.writing() as session:
        asked = queries.accommodation(anew(application))
        if asked is None:
            raise NotFound()
        accommodations.withdraw_request(session, asked, now=web.now())
    web.say(N_("Your request is withdrawn."))
    return to_overview(application)


# ---------------------------------------------------------------- those who decide


def _request(slug: str, number: int) -> AccommodationRequest:
    competition = competitions.competition(web.session(), slug)
    found = next(
        (one for one in queries.accommodation_requests(web.session(), competition.id) if one.id == number), None
    )
    if found is None:
        raise NotFound()
    return found


@bp.get("/arrangements")
@access.roles(*ACCOMMODATORS)
def arrangement_list(slug: str) -> str:
    competition = competitions.competition(web.session(), slug)
    return render_template(
        "applications/arrangement_list.html",
        competition=competition,
        requests=queries.accommodation_requests(web.session(), competition.id),
        measures=accommodations.MEASURES,
    )


@bp.route("/arrangements/<int:number>", methods=["GET", "POST"])
@access.roles(*ACCOMMODATORS)
def arrangement(slug: str, number: int) -> str | Response:
    found = _request(slug, number)
    competition = found.application.competition
    regulation = competitions.regulation(competition)
    most = rules.most_extra(regulation)
    labels = {part: pages.in_reader_language(regulation.part(part).label.model_dump()) for part in most}
    form = grant_form(regulation.admission.accommodations.kinds, most, labels, data={"measures": found.measures})
    if form.validate_on_submit():
        extra = {part: form[f"extra_{place}"].data or 0 for place, part in enumerate(most)}
        try:
            with web.writing() as session:
                accommodations.propose_accommodation(
                    session,
                    session.get_one(AccommodationRequest, number),
                    measures=form.measures.data or [],
                    extra=extra,
                    reason=form.reason.data or "",
                    by=access.actor().account_id,
                    now=web.now(),
                    language=pages.current_language(),
                )
        except Refused as refusal:
            if refusal.field == "extra":
                refusal.field = "extra_0"
            form.refuse(refusal)
        else:
            web.say(N_("Proposed. A second person finds it under “Approvals”."))
            return redirect(url_for("applications.arrangement", slug=slug, number=number))
    waiting = next(
        (
            one
            for one in approvals.waiting(web.session(), slug, web.now())
            if one.kind == accommodations.DECIDE and one.arguments["request"] == number
        ),
        None,
    )
    return render_template(
        "applications/arrangement.html",
        competition=competition,
        request_=found,
        form=form,
        measures=accommodations.MEASURES,
        labels=labels,
        waiting=waiting,
        decision=queries.accommodation_decision(found),
    )


@bp.get("/arrangements/<int:number>/evidence/<int:file>")
@access.roles(*ACCOMMODATORS)
def arrangement_evidence(slug: str, number: int, file: int) -> Response:
    return download(accommodations.evidence(_request(slug, number), file))
