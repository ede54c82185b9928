"""The office's pages: the list of files, one file with everything, and the decisions on it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from examsvc.accounts import approvals
from examsvc.applications import candidate_views, exporting, office, queries, questions, rules
from examsvc.applications.blueprint import OFFICE, READERS, bp, download
from examsvc.applications.forms import (
    DecisionForm,
    FilterForm,
    FindingForm,
    ReasonForm,
    RelativeMatchForm,
    SupplementForm,
)
from examsvc.applications.models import Application
from examsvc.base import access, pages, web
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.forms import options
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition, Post

STATES = {
    "to-decide": N_("To decide"),
    "supplement": N_("Supplement asked for"),
    "supplemented": N_("Supplement handed in"),
    "waiting": N_("Waits for a second person"),
    "eligible": N_("Eligible"),
    "refused": N_("Refused"),
    "excluded": N_("Excluded"),
    "withdrawn": N_("Withdrawn"),
}


def _me() -> int:
    return access.actor().account_id


def _application(slug: str, code: str) -> Application:
    competition = competitions.competition(web.session(), slug)
    found = queries.by_code(web.session(), competition.id, code)
    if found.submitted_at is None:
        raise NotFound()  # a draft is nobody's but the candidate's
    return found


def _again(application: Application) -> Application:
    return queries.application(web.session(), application.id)


def waiting_decisions(competition: Competition, now: datetime) -> dict[int, int]:
    """Files that wait for a second person: application → request."""
    return {
        one["application"]: request.id
        for request in approvals.waiting(web.session(), competition.slug, now)
        if request.kind == office.DECIDE
        for one in request.arguments["files"]
    }


def state_of(application: Application, waiting: dict[int, int], now: datetime) -> str:
    """One of STATES."""
    if application.withdrawn_at is not None:
        return "withdrawn"
    verdict = queries.verdict(application)
    if application.id in waiting:
        return "waiting"
    if verdict is not None:
        return verdict
    if queries.open_supplement(application, now) is not None:
        return "supplement"
    if application.supplements and application.supplements[-1].answered_at is not None:
        return "supplemented"
    return "to-decide"


# ---------------------------------------------------------------- the list


def _chosen(competition: Competition, form: FilterForm) -> list[tuple[Application, str]]:
    now = web.now()
    waiting = waiting_decisions(competition, now)
    wanted = (form.search.data or "").casefold()
    rows = [(one, state_of(one, waiting, now)) for one in queries.every(web.session(), competition.id)]
    return [
        (one, state)
        for one, state in rows
        if form.post.data in (None, "", "None", one.post.code)
        and form.state.data in (None, "", "None", state)
        and (not wanted or wanted in one.account.name.casefold() or wanted == (one.candidate_number or ""))
    ]


def _filter(competition: Competition) -> FilterForm:
    form = FilterForm(request.args)
    form.post.choices = options([("", gettext("All posts")), *((post.code, post.code) for post in competition.posts)])
    form.state.choices = options([("", gettext("All states")), *((key, gettext(name)) for key, name in STATES.items())])
    return form


@bp.get("/files")
@access.roles(*READERS)
def office_list(slug: str) -> str:
    competition = competitions.competition(web.session(), slug)
    form = _filter(competition)
    rows = _chosen(competition, form)
    counts: dict[str, int] = {}
    for _one, state in _chosen(competition, FilterForm(formdata=None)):
        counts[state] = counts.get(state, 0) + 1
    return render_template(
        "applications/office_list.html",
        competition=competition,
        form=form,
        rows=rows,
        counts=counts,
        states=STATES,
        ready=_ready(competition, rows),
        closed=all(found and found[-1].closed_at is not None for found in _rounds(competition)),
        least=competitions.regulation(competition).admission.minimum_candidates.per_post,
        acts=any(access.actor().holds(role, slug) for role in OFFICE),
        exports=exporting.ready(web.session(), competition, _me(), web.now()),
    )


def _rounds(competition: Competition) -> list[Any]:
    return list(queries.rounds_of_posts(web.session(), competition).values())


def _ready(competition: Competition, rows: list[tuple[Application, str]]) -> set[int]:
    """Files of the list on which every criterion is met, so that they may be decided together."""
    zone = web.settings().zone
    return {
        one.id
        for one, state in rows
        if state in ("to-decide", "supplemented") and all(c.outcome == "met" for c in queries.criteria(web.session(), one, zone))
    }


@bp.post("/files/decisions")
@access.roles(*OFFICE)
def decide_many(slug: str) -> Response:
    """Proposes all chosen files, whose every criterion is met, as eligible."""
    zone = web.settings().zone
    codes = request.form.getlist("file")
    with web.writing() as session:
        competition = competitions.competition(session, slug)
        proposals = [
            office.proposal(session, queries.by_code(session, competition.id, code), eligible=True, reason=None, zone=zone)
            for code in codes
        ]
        office.propose_decisions(
            session, competition, proposals, by=_me(), now=web.now(), language=pages.current_language()
        )
    web.say(N_("Proposed. A second person finds it under “Approvals”."))
    return redirect(url_for("applications.office_list", slug=slug))


@bp.post("/files/export")
@access.roles(*OFFICE)
def ask_export(slug: str) -> Response:
    """Proposes to take the list, as it is filtered, out as a spreadsheet; a second person approves."""
    with web.writing() as session:
        competition = competitions.competition(session, slug)
        rows = [(one.code, STATES[state]) for one, state in _chosen(competition, _filter(competition))]
        asked = exporting.ask_export(
            session,
            competition,
            rows,
            zone=web.settings().zone,
            by=_me(),
            now=web.now(),
            language=pages.current_language(),
        )
        number = asked.id
    web.say(N_("Proposed. When a second person has approved it, you find the file with the list for a day."))
    return redirect(url_for("accounts.approval", number=number))


@bp.get("/files-<int:number>.xlsx")
@access.roles(*OFFICE)
def export(slug: str, number: int) -> Response:
    """The approved list as a spreadsheet, for whoever asked for it."""
    competition = competitions.competition(web.session(), slug)
    data = exporting.fetch(web.session(), competition, number, by=_me(), now=web.now())
    response = Response(data, mimetype="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    response.headers["Content-Disposition"] = f"attachment; filename={slug}-files.xlsx"
    return response


# ---------------------------------------------------------------- one file


@bp.get("/files/<code>")
@access.roles(*READERS)
def office_file(slug: str, code: str) -> str:
    return _file_page(_application(slug, code))


def _file_page(
    application: Application,
    *,
    finding: tuple[str, FindingForm] | None = None,
    decision: DecisionForm | None = None,
    supplement: SupplementForm | None = None,
    exclusion: ReasonForm | None = None,
) -> str:
    session, now, zone = web.session(), web.now(), web.settings().zone
    competition = application.competition
    regulation = competitions.regulation(competition)
    states = queries.criteria(session, application, zone)
    forms = {
        one.assessment.criterion: FindingForm(
            formdata=None,
            prefix=f"{one.assessment.criterion}-",
            data={
                "met": None if one.outcome is None else ("yes" if one.outcome == "met" else "no"),
                "reason": one.found.reason if one.found is not None else "",
            },
        )
        for one in states
    }
    if finding is not None:
        forms[finding[0]] = finding[1]
    asked = supplement or SupplementForm(formdata=None)
    asked.files.choices = options(
        (rule.id, pages.in_reader_language(rule.label.model_dump()))
        for rule in rules.files_asked(regulation, application.stream)
    )
    waiting = waiting_decisions(competition, now)
    newest = application.submissions[-1]
    handed_in = queries.handed_in_files(session, application)
    actor = access.actor()
    return render_template(
        "applications/office_file.html",
        competition=competition,
        application=application,
        regulation=regulation,
        labels={one.id: one.label for one in regulation.admission.criteria},
        streams={one.id: one.label for one in regulation.admission.streams},
        files={one.id: one.label for one in regulation.files},
        levels={one.id: one.label for one in regulation.posts.levels},
        states=states,
        all_meetable=all_meetable(states) and queries.verdict(application) is None,
        forms=forms,
        answers=[
            (one, candidate_views.answer_text(application, one))
            for one in questions.asked(regulation, application.stream)
            if questions.is_asked(one, newest.content["answers"])
        ],
        handed_in=handed_in,
        earlier=[one for one in application.files if one.id not in {f.id for f in handed_in.values()}],
        newest=newest,
        state=state_of(application, waiting, now),
        names=STATES,
        waiting=waiting.get(application.id),
        decision=decision or DecisionForm(formdata=None),
        supplement=asked,
        exclusion=exclusion or ReasonForm(formdata=None),
        verdict=queries.decision(application),
        can_decide=_is_closed(application.post),
        open_supplement=queries.open_supplement(application, now),
        relatives=[
            (one, office.namesakes(session, application, one))
            for one in application.relatives
            if one.taken_back_at is None
        ],
        match=RelativeMatchForm(formdata=None),
        acts=any(actor.holds(role, competition.slug) for role in OFFICE),
        may_exclude=any(actor.holds(role, competition.slug) for role in ("council-chair", "competent-authority")),
    )


def _is_closed(post: Post) -> bool:
    found = queries.rounds(web.session(), post.id)
    return bool(found) and (found[-1].closed_at is not None or web.now() >= found[-1].until)


@bp.post("/files/<code>/criteria/<criterion>")
@access.roles(*OFFICE)
def find(slug: str, code: str, criterion: str) -> str | Response:
    application = _application(slug, code)
    form = FindingForm(prefix=f"{criterion}-")
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                office.record_finding(
                    session,
                    _again(application),
                    criterion,
                    met=form.met.data == "yes",
                    reason=form.reason.data,
                    by=_me(),
                    now=web.now(),
                    zone=web.settings().zone,
                )
        except NotFound:
            raise
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The finding is kept."))
            return redirect(url_for("applications.office_file", slug=slug, code=code, _anchor=f"criterion-{criterion}"))
    return _file_page(application, finding=(criterion, form))


@bp.post("/files/<code>/all-met")
@access.roles(*OFFICE)
def find_all(slug: str, code: str) -> Response:
    """One finding for each open criterion: met.  What the computation denies is found one by one, with a reason."""
    application = _application(slug, code)
    zone = web.settings().zone
    with web.writing() as session:
        found = _again(application)
        if not all_meetable(queries.criteria(session, found, zone)):
            raise Refused(N_("Decide on each criterion by itself: not every one can be met."))
        for one in queries.criteria(session, found, zone):
            if one.outcome is None:
                office.record_finding(
                    session, found, one.assessment.criterion, met=True, reason=None, by=_me(), now=web.now(), zone=zone
                )
    web.say(N_("The findings are kept."))
    return redirect(url_for("applications.office_file", slug=slug, code=code))


def all_meetable(states: list[queries.CriterionState]) -> bool:
    """Whether criteria are open, and the computation denies none of them."""
    open_ones = [one for one in states if one.outcome is None]
    return bool(open_ones) and all(one.assessment.computed == "met" for one in open_ones)


@bp.post("/files/<code>/decision")
@access.roles(*OFFICE)
def decide(slug: str, code: str) -> str | Response:
    application = _application(slug, code)
    form = DecisionForm()
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                found = _again(application)
                proposal = office.proposal(
                    session, found, eligible=form.eligible.data == "yes", reason=form.reason.data, zone=web.settings().zone
                )
                office.propose_decisions(
                    session, found.competition, [proposal], by=_me(), now=web.now(), language=pages.current_language()
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("Proposed. A second person finds it under “Approvals”."))
            return redirect(url_for("applications.office_file", slug=slug, code=code))
    return _file_page(application, decision=form)


@bp.post("/files/<code>/supplement")
@access.roles(*OFFICE)
def ask_supplement(slug: str, code: str) -> str | Response:
    application = _application(slug, code)
    regulation = competitions.regulation(application.competition)
    form = SupplementForm()
    labels = {rule.id: pages.in_reader_language(rule.label.model_dump()) for rule in regulation.files}
    form.files.choices = options(
        (rule.id, labels[rule.id]) for rule in rules.files_asked(regulation, application.stream)
    )
    if form.validate_on_submit():
        lines = [line.strip() for line in (form.text.data or "").splitlines() if line.strip()]
        items: list[dict[str, Any]] = [{"text": line} for line in lines]
        items += [{"text": labels[kind], "file": kind} for kind in form.files.data or []]
        try:
            with web.writing() as session:
                office.request_supplement(
                    session,
                    _again(application),
                    items=items,
                    zone=web.settings().zone,
                    by=_me(),
                    now=web.now(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The candidate is told what is missing and until when."))
            return redirect(url_for("applications.office_file", slug=slug, code=code))
    return _file_page(application, supplement=form)


@bp.post("/files/<code>/exclusion")
@access.roles("council-chair", "competent-authority")
def exclude(slug: str, code: str) -> str | Response:
    application = _application(slug, code)
    form = ReasonForm()
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                office.propose_exclusion(
                    session,
                    _again(application),
                    reason=form.reason.data or "",
                    by=_me(),
                    now=web.now(),
                    language=pages.current_language(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("Proposed. A second person finds it under “Approvals”."))
            return redirect(url_for("applications.office_file", slug=slug, code=code))
    return _file_page(application, exclusion=form)


@bp.post("/files/<code>/relatives/<int:number>")
@access.roles(*OFFICE)
def settle_relative(slug: str, code: str, number: int) -> Response:
    application = _application(slug, code)
    one = next((found for found in application.relatives if found.id == number), None)
    if one is None:
        raise NotFound()
    chosen = request.form.get("account", "")
    allowed = {str(account) for account, _name in office.namesakes(web.session(), application, one)}
    if chosen not in {*allowed, "nobody"}:
        raise Refused(N_("Choose who is meant."))
    with web.writing() as session:
        suspended = office.settle_relative(
            session,
            _again(application),
            number,
            account_id=None if chosen == "nobody" else int(chosen),
            by=_me(),
            now=web.now(),
        )
    if suspended:
        web.say(N_("The roles of %(names)s are suspended. Name other people."), names=", ".join(suspended))
    else:
        web.say(N_("Noted."))
    return redirect(url_for("applications.office_file", slug=slug, code=code, _anchor="relatives"))


@bp.get("/files/<code>/versions/<int:number>")
@access.roles(*READERS)
def office_version(slug: str, code: str, number: int) -> Response:
    return download(queries.file_version(_application(slug, code), number))
