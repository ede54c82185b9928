"""What is decided about a sitting: incidents and sanctions, late answers, second attempts."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examsvc.base import access, pages, web
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.forms import options
from examsvc.competitions import queries as competitions
from examsvc.sittings import (
    conduct,
    ending,
    queries,
    rules,
    second_attempts,
)
from examsvc.sittings.forms import (
    IncidentForm,
    LateAnswersForm,
    ReasonForm,
    SanctionForm,
    SecondAttemptForm,
)
from examsvc.sittings.hall_blueprint import (
    BOARD,
    HALL,
    attempt_of,
    bp,
    me,
    sitting_of,
    typed_moment,
)
from examsvc.sittings.models import Incident, SanctionRecord, Sitting


@bp.post("/<code>/incidents")
@access.roles(*HALL)
def incident(slug: str, code: str) -> Response:
    form = IncidentForm()
    if not form.validate_on_submit():
        raise Refused(N_("Write what happened."))
    with web.writing() as session:
        competition = competitions.competition(session, slug)
        found = queries.sitting_of(session, competition.id, code)
        number = (form.candidate.data or "").strip()
        concerned = None
        if number:
            concerned = next(
                (one for one in found.attempts if one.application.candidate_number == number), None
            )
            if concerned is None:
                raise Refused(N_("No candidate of this sitting has the number %(number)s."), number=number)
        place = next((one for one in found.rooms if one.code == request.form.get("room")), None)
        conduct.record_incident(
            session,
            found,
            kind=str(form.kind.data),
            description=form.description.data or "",
            signed=(form.signed.data or "").splitlines(),
            room=place,
            attempt=concerned,
            by=me(),
            now=web.now(),
        )
    web.say(N_("The incident is on record."))
    return redirect(url_for("hall.sitting", slug=slug, code=code))


@bp.route("/<code>/incidents/<incident>", methods=["GET", "POST"])
@access.roles(*HALL, *BOARD, "supervisor")
def sanction(slug: str, code: str, incident: str) -> str | Response:
    """One incident, its sanctions, and asking for one."""
    found = sitting_of(slug, code)
    event = _incident(found, incident)
    form = SanctionForm()
    regulation = competitions.regulation(found.competition)
    form.sanction.choices = options(
        (rule.id, pages.in_reader_language(rule.label.model_dump())) for rule in regulation.sanctions
    )
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                conduct.ask_sanction(
                    session,
                    session.get_one(Incident, event.id),
                    sanction=str(form.sanction.data),
                    reason=form.reason.data or "",
                    by=me(),
                    now=web.now(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The request waits for its second approval."))
            return redirect(url_for("hall.sanction", slug=slug, code=code, incident=incident))
    return render_template(
        "sittings/incident.html",
        competition=found.competition,
        sitting=found,
        incident=event,
        form=form,
        labels={rule.id: rule.label.model_dump() for rule in regulation.sanctions},
        lifting=ReasonForm(),
    )


@bp.post("/<code>/incidents/<incident>/sanctions/<int:number>/lift")
@access.roles(*BOARD)
def lift(slug: str, code: str, incident: str, number: int) -> Response:
    """Asks to take a sanction back."""
    event = _incident(sitting_of(slug, code), incident)
    imposed = next((one for one in event.sanctions if one.number == number), None)
    if imposed is None:
        raise NotFound()
    form = ReasonForm()
    if not form.validate_on_submit():
        raise Refused(N_("Write the reason."))
    with web.writing() as session:
        conduct.ask_lifting(
            session,
            session.get_one(SanctionRecord, imposed.id),
            reason=form.reason.data or "",
            by=me(),
            now=web.now(),
        )
    web.say(N_("The request waits for its second approval."))
    return redirect(url_for("hall.sanction", slug=slug, code=code, incident=incident))


def _incident(found: Sitting, code: str) -> Incident:
    event = next((one for one in queries.incidents(web.session(), found.id) if one.code == code), None)
    if event is None:
        raise NotFound()
    return event


@bp.route("/<code>/attempts/<attempt>/late-answers", methods=["GET", "POST"])
@access.roles(*BOARD)
def late_answers(slug: str, code: str, attempt: str) -> str | Response:
    """What came after the end of one attempt, and the board's decision on it.  Times only: the board judges no text."""
    found = sitting_of(slug, code)
    candidate = attempt_of(found, attempt)
    form = LateAnswersForm()
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                ending.ask_late_decision(
                    session,
                    queries.attempt(session, attempt),
                    counts=form.outcome.data == "counted",
                    reason=form.reason.data or "",
                    by=me(),
                    now=web.now(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The request waits for its second approval."))
            return redirect(url_for("hall.sitting", slug=slug, code=code))
    timing = queries.timing(web.session(), candidate)
    return render_template(
        "sittings/late_answers.html",
        competition=found.competition,
        sitting=found,
        attempt=candidate,
        saves=ending.late_saves(web.session(), candidate.id),
        deadline=rules.deadline(timing, web.now()),
        outages=queries.outages(web.session(), candidate.id),
        decision=queries.late_decision(web.session(), candidate.id),
        form=form,
    )


@bp.route("/<code>/attempts/<attempt>/second", methods=["GET", "POST"])
@access.roles(*BOARD)
def second_attempt(slug: str, code: str, attempt: str) -> str | Response:
    """Asking that a candidate sits again, with the log of outages beside it."""
    found = sitting_of(slug, code)
    candidate = attempt_of(found, attempt)
    form = SecondAttemptForm()
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                second_attempts.ask_second_attempt(
                    session,
                    queries.attempt(session, attempt),
                    bell_at=typed_moment(form.bell.data),
                    room=form.room.data or "",
                    reason=form.reason.data or "",
                    by=me(),
                    now=web.now(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The request waits for its second approval."))
            return redirect(url_for("hall.attempt", slug=slug, code=code, attempt=attempt))
    return render_template(
        "sittings/second_attempt.html",
        competition=found.competition,
        sitting=found,
        attempt=candidate,
        outages=queries.outages(web.session(), candidate.id),
        form=form,
    )
