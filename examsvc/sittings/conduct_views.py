"""What is decided about a sitting: incidents and sanctions, late answers, second attempts."""

from __future__ import annotations

from fractions import Fraction

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.accounts.rules import ROLE_NAMES
from examsvc.base import access, pages, web
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.forms import options
from examsvc.competitions import queries as competitions
from examsvc.competitions.exam_clauses import Sanction
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
    DECIDERS,
    HALL,
    ask,
    attempt_of,
    bp,
    may,
    me,
    sitting_of,
    typed_moment,
)
from examsvc.sittings.models import Incident, Room, SanctionRecord, Sitting
from examsvc.sittings.room_views import WAITS


@bp.route("/<code>/incidents", methods=["GET", "POST"])
@access.roles(*HALL)
def incident(slug: str, code: str) -> str | Response:
    """Putting something out of the ordinary on record; ``room`` and ``candidate`` in the address are where it was noticed."""
    found = sitting_of(slug, code)
    place = next((one for one in found.rooms if one.code == request.args.get("room")), None)
    form = IncidentForm()
    if request.method == "GET":
        form.candidate.data = request.args.get("candidate", "")[:20]
    witnesses = competitions.regulation(found.competition).sitting.refusal_witnesses
    if not witnesses:
        del form.refuses

    def act(session: Session) -> None:
        competition = competitions.competition(session, slug)
        sitting = queries.sitting_of(session, competition.id, code)
        number = (form.candidate.data or "").strip()
        concerned = next((one for one in sitting.attempts if one.application.candidate_number == number), None)
        if number and concerned is None:
            sentence = N_("No candidate of this sitting has the number %(number)s.")
            raise Refused(sentence, number=number, field="candidate")
        conduct.record_incident(
            session,
            sitting,
            kind=str(form.kind.data),
            description=form.description.data or "",
            signed=(form.signed.data or "").splitlines(),
            room=session.get_one(Room, place.id) if place is not None else None,
            attempt=concerned,
            refuses=bool(form.refuses.data) if "refuses" in form else False,
            by=me(),
            now=web.now(),
        )

    if place is not None:
        back = url_for("hall.room", slug=slug, code=code, room=place.code)
    else:
        back = url_for("hall.sitting", slug=slug, code=code)
    return ask(
        found,
        form,
        act,
        title=gettext("Record an incident"),
        button=gettext("Put on record"),
        done=N_("The incident is on record."),
        back=back,
        notes=[gettext("If a candidate is to be sanctioned for it, open the incident afterwards on the page of the sitting.")],
    )


@bp.route("/<code>/incidents/<incident>", methods=["GET", "POST"])
@access.roles(*DECIDERS, "supervisor")
def sanction(slug: str, code: str, incident: str) -> str | Response:
    """One incident, its sanctions, and asking for one."""
    found = sitting_of(slug, code)
    event = _incident(found, incident)
    form = SanctionForm()
    regulation = competitions.regulation(found.competition)
    form.sanction.choices = options((rule.id, _described(rule)) for rule in regulation.sanctions)
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
                    language=pages.current_language(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(WAITS)
            return redirect(url_for("hall.sanction", slug=slug, code=code, incident=incident))
    return render_template(
        "sittings/incident.html",
        competition=found.competition,
        sitting=found,
        incident=event,
        form=form,
        shares={
            one.number: conduct.share_in_words(Fraction(one.deduction), pages.current_language()) for one in event.sanctions
        },
        labels={rule.id: rule.label.model_dump() for rule in regulation.sanctions},
        may=may(found.competition),
    )


@bp.route("/<code>/incidents/<incident>/sanctions/<int:number>/lift", methods=["GET", "POST"])
@access.roles(*DECIDERS)
def lift(slug: str, code: str, incident: str, number: int) -> str | Response:
    """Asking to take a sanction back."""
    found = sitting_of(slug, code)
    imposed = next((one for one in _incident(found, incident).sanctions if one.number == number), None)
    if imposed is None:
        raise NotFound()
    form = ReasonForm()

    def act(session: Session) -> None:
        conduct.ask_lifting(
            session,
            session.get_one(SanctionRecord, imposed.id),
            reason=form.reason.data or "",
            by=me(),
            now=web.now(),
            language=pages.current_language(),
        )

    label = competitions.regulation(found.competition).sanction(imposed.sanction).label.model_dump()
    return ask(
        found,
        form,
        act,
        title=gettext("Take this sanction back: %(sanction)s", sanction=pages.in_reader_language(label)),
        button=gettext("Ask to lift the sanction"),
        done=WAITS,
        back=url_for("hall.sanction", slug=slug, code=code, incident=incident),
        notes=[gettext("What the sanction took away is given back. An exam that it ended stays ended; a second attempt is asked for separately.")],
    )


def _described(rule: Sanction) -> str:
    """A sanction with what it costs and who decides on it."""
    language = pages.current_language()
    pieces = [gettext("takes %(share)s of the mark away", share=conduct.share_in_words(rule.deduction, language))]
    if rule.ends_sitting:
        pieces.append(gettext("the candidate leaves the exam"))
    if rule.annuls:
        pieces.append(gettext("the result is annulled"))
    pieces.append(gettext("decided by: %(role)s", role=gettext(ROLE_NAMES.get(rule.decided_by, rule.decided_by))))
    return f"{pages.in_reader_language(rule.label.model_dump())} – {', '.join(pieces)}"


def _incident(found: Sitting, code: str) -> Incident:
    event = next((one for one in queries.incidents(web.session(), found.id) if one.code == code), None)
    if event is None:
        raise NotFound()
    return event


@bp.route("/<code>/attempts/<attempt>/late-answers", methods=["GET", "POST"])
@access.roles(*DECIDERS)
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
                    language=pages.current_language(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(WAITS)
            return redirect(url_for("hall.sitting", slug=slug, code=code))
    timing = queries.timing(web.session(), candidate)
    return render_template(
        "sittings/late_answers.html",
        competition=found.competition,
        sitting=found,
        attempt=candidate,
        saves=queries.late_saves(web.session(), candidate.id),
        deadline=rules.deadline(timing, web.now()),
        outages=queries.outages(web.session(), candidate.id),
        decision=queries.late_decision(web.session(), candidate.id),
        form=form,
    )


@bp.route("/<code>/attempts/<attempt>/second", methods=["GET", "POST"])
@access.roles(*DECIDERS)
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
                    zone=web.settings().zone,
                    by=me(),
                    now=web.now(),
                    language=pages.current_language(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(WAITS)
            return redirect(url_for("hall.attempt", slug=slug, code=code, attempt=attempt))
    return render_template(
        "sittings/second_attempt.html",
        competition=found.competition,
        sitting=found,
        attempt=candidate,
        outages=queries.outages(web.session(), candidate.id),
        form=form,
    )
