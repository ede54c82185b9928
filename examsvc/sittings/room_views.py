"""In the room: the door, the live page, time that is stopped and given back, machines that change, notices."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from examsvc.base import access, web
from examsvc.base.errors import N_, Refused
from examsvc.competitions import queries as competitions
from examsvc.sittings import (
    arrival,
    queries,
    rules,
    running,
)
from examsvc.sittings.forms import (
    ArrivalForm,
    CreditForm,
    IncidentForm,
    LateAdmissionForm,
    NoticeForm,
    ReasonForm,
)
from examsvc.sittings.hall_blueprint import (
    HALL,
    STATES,
    attempt_of,
    bp,
    me,
    room_of,
    row,
    sitting_of,
)


@bp.get("/<code>/rooms/<room>")
@access.roles(*HALL, "council-chair", "supervisor")
def room(slug: str, code: str, room: str) -> str:
    """The live page of a room: everybody in it, what state, what was saved last; it reloads itself."""
    found = sitting_of(slug, code)
    place = room_of(found, room)
    rows = [row(attempt) for attempt in found.attempts if attempt.room_id == place.id]
    rows.sort(key=lambda row: int(row["attempt"].seat.place))
    return render_template(
        "sittings/room.html",
        competition=found.competition,
        sitting=found,
        room=place,
        rows=rows,
        states=STATES,
        paused=next((pause for pause in place.pauses if pause.until is None), None),
        reason=ReasonForm(),
        incident=IncidentForm(),
    )


@bp.route("/<code>/attempts/<attempt>/check-in", methods=["GET", "POST"])
@access.roles(*HALL)
def check_in(slug: str, code: str, attempt: str) -> str | Response | tuple[str, int]:
    """Identity and photograph; then the slip with the one-time code, shown once."""
    found = sitting_of(slug, code)
    candidate = attempt_of(found, attempt)
    form = ArrivalForm()
    late = not rules.admitted(
        found.bell_at, competitions.regulation(found.competition).late_limit(found.minutes), web.now()
    )
    if form.validate_on_submit():
        secret = arrival.new_code()
        hashed = arrival.hash_code(secret)
        try:
            with web.writing() as session:
                arrival.check_in(
                    session,
                    queries.attempt(session, attempt),
                    code_hash=hashed,
                    document=str(form.document.data or ""),
                    photograph_agrees=bool(form.photograph_agrees.data),
                    by=me(),
                    now=web.now(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            candidate = queries.attempt(web.session(), attempt)
            return render_template(
                "sittings/slip.html", competition=candidate.sitting.competition, attempt=candidate, secret=secret
            )
    return render_template(
        "sittings/check_in.html",
        competition=found.competition,
        sitting=found,
        attempt=candidate,
        form=form,
        late=late and candidate.state == "prepared",
        exception=LateAdmissionForm(),
    )


@bp.post("/<code>/attempts/<attempt>/late-admission")
@access.roles("chief-invigilator", "council-chair", "council-secretary")
def late_admission(slug: str, code: str, attempt: str) -> Response:
    form = LateAdmissionForm()
    candidate = attempt_of(sitting_of(slug, code), attempt)
    if form.validate_on_submit():
        with web.writing() as session:
            arrival.ask_late_admission(
                session,
                queries.attempt(session, candidate.code),
                reason=form.reason.data or "",
                document="citizen-card",
                by=me(),
                now=web.now(),
            )
        web.say(N_("The request waits for its second approval."))
    return redirect(url_for("hall.check_in", slug=slug, code=code, attempt=attempt))


@bp.route("/<code>/attempts/<attempt>", methods=["GET", "POST"])
@access.roles(*HALL, "council-chair", "supervisor")
def attempt(slug: str, code: str, attempt: str) -> str:
    """One candidate's attempt as the room sees it: time, saves, outages; nothing of the answers."""
    found = sitting_of(slug, code)
    candidate = attempt_of(found, attempt)
    return render_template(
        "sittings/attempt.html",
        competition=found.competition,
        sitting=found,
        row=row(candidate),
        attempt=candidate,
        outages=queries.outages(web.session(), candidate.id),
        credits=queries.credits(web.session(), candidate.id),
        on_break=queries.on_break(web.session(), candidate.id),
        states=STATES,
        credit=CreditForm(),
        reason=ReasonForm(),
        again=queries.second_attempt_instead_of(web.session(), candidate.id),
    )


@bp.post("/<code>/attempts/<attempt>/credit")
@access.roles(*HALL, "council-chair")
def credit(slug: str, code: str, attempt: str) -> Response:
    form = CreditForm()
    attempt_of(sitting_of(slug, code), attempt)
    if not form.validate_on_submit():
        raise Refused(N_("Enter the number of minutes and the reason."))
    with web.writing() as session:
        running.ask_credit(
            session,
            queries.attempt(session, attempt),
            minutes=form.minutes.data or 0,
            reason=form.reason.data or "",
            by=me(),
            now=web.now(),
        )
    web.say(N_("The request waits for its second approval."))
    return redirect(url_for("hall.attempt", slug=slug, code=code, attempt=attempt))


@bp.post("/<code>/attempts/<attempt>/release")
@access.roles(*HALL)
def release(slug: str, code: str, attempt: str) -> Response:
    form = ReasonForm()
    attempt_of(sitting_of(slug, code), attempt)
    if not form.validate_on_submit():
        raise Refused(N_("Write the reason."))
    with web.writing() as session:
        running.release_attempt(
            session, queries.attempt(session, attempt), reason=form.reason.data or "", by=me(), now=web.now()
        )
    web.say(N_("The attempt is released. The candidate signs in at the other machine and goes on."))
    return redirect(url_for("hall.attempt", slug=slug, code=code, attempt=attempt))


@bp.post("/<code>/attempts/<attempt>/break")
@access.roles(*HALL)
def take_break(slug: str, code: str, attempt: str) -> Response:
    attempt_of(sitting_of(slug, code), attempt)
    with web.writing() as session:
        candidate = queries.attempt(session, attempt)
        if queries.on_break(session, candidate.id):
            running.end_break(session, candidate, by=me(), now=web.now())
        else:
            running.begin_break(session, candidate, by=me(), now=web.now())
    return redirect(url_for("hall.attempt", slug=slug, code=code, attempt=attempt))


@bp.post("/<code>/rooms/<room>/clock")
@access.roles(*HALL)
def clock(slug: str, code: str, room: str) -> Response:
    """Stops the clock of the room, with a reason, or lets it go on."""
    form = ReasonForm()
    with web.writing() as session:
        competition = competitions.competition(session, slug)
        place = room_of(queries.sitting_of(session, competition.id, code), room)
        if any(pause.until is None for pause in place.pauses):
            running.resume_room(session, place, by=me(), now=web.now())
        else:
            running.pause_room(session, place, reason=form.reason.data or "", by=me(), now=web.now())
    return redirect(url_for("hall.room", slug=slug, code=code, room=room))


@bp.post("/<code>/notices")
@access.roles("chief-invigilator")
def notify(slug: str, code: str) -> Response:
    form = NoticeForm()
    if not form.validate_on_submit():
        raise Refused(N_("Write the notice in both languages."))
    with web.writing() as session:
        competition = competitions.competition(session, slug)
        running.notify_rooms(
            session,
            queries.sitting_of(session, competition.id, code),
            content={"vi": form.vi.data or "", "en": form.en.data or ""},
            by=me(),
            now=web.now(),
        )
    web.say(N_("The notice stands on every candidate's screen."))
    return redirect(url_for("hall.sitting", slug=slug, code=code))
