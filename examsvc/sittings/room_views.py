"""In the room: the door, the live page, time that is stopped and given back, machines that change, notices."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.base import access, pages, web
from examsvc.base.errors import N_, Refused
from examsvc.base.forms import options
from examsvc.competitions import queries as competitions
from examsvc.sittings import arrival, queries, rules, running
from examsvc.sittings.forms import (
    ArrivalForm,
    CreditForm,
    LateAdmissionForm,
    NoticeForm,
    ReasonForm,
    TurnAwayForm,
)
from examsvc.sittings.hall_blueprint import (
    DECIDERS,
    HALL,
    STATES,
    ask,
    attempt_of,
    bp,
    may,
    me,
    room_of,
    rows,
    sitting_of,
)
from examsvc.sittings.models import Room, Sitting

WAITS = N_("The request waits for its second approval.")


@bp.get("/<code>/rooms/<room>")
@access.roles(*DECIDERS, "supervisor")
def room(slug: str, code: str, room: str) -> str:
    """The live page of a room: everybody in it, what state, what was saved last; its script reads it anew by itself."""
    found = sitting_of(slug, code)
    place = room_of(found, room)
    return render_template(
        "sittings/room.html",
        competition=found.competition,
        sitting=found,
        room=place,
        rows=rows(found, [attempt for attempt in found.attempts if attempt.room_id == place.id]),
        states=STATES,
        paused=next((pause for pause in place.pauses if pause.until is None), None),
        may=may(found.competition),
    )


@bp.route("/<code>/attempts/<attempt>/check-in", methods=["GET", "POST"])
@access.roles(*HALL)
def check_in(slug: str, code: str, attempt: str) -> str | Response:
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
        may=may(found.competition),
    )


@bp.route("/<code>/attempts/<attempt>/late-admission", methods=["GET", "POST"])
@access.roles(*DECIDERS)
def late_admission(slug: str, code: str, attempt: str) -> str | Response:
    """Asking to let somebody in after the late limit."""
    found = sitting_of(slug, code)
    candidate = attempt_of(found, attempt)
    form = LateAdmissionForm()

    def act(session: Session) -> None:
        arrival.ask_late_admission(
            session,
            queries.attempt(session, attempt),
            reason=form.reason.data or "",
            document=str(form.document.data or ""),
            by=me(),
            now=web.now(),
            language=pages.current_language(),
        )

    return ask(
        found,
        form,
        act,
        title=gettext("Late admission of candidate %(number)s", number=candidate.application.candidate_number),
        button=gettext("Ask for late admission"),
        done=WAITS,
        back=url_for("hall.check_in", slug=slug, code=code, attempt=attempt),
        notes=[gettext("Once it is approved, check the candidate in as usual: the slip with the code is made then.")],
    )


@bp.route("/<code>/attempts/<attempt>/turn-away", methods=["GET", "POST"])
@access.roles(*HALL)
def turn_away(slug: str, code: str, attempt: str) -> str | Response:
    """Putting down that somebody who stood at the door does not sit."""
    found = sitting_of(slug, code)
    candidate = attempt_of(found, attempt)
    form = TurnAwayForm()
    form.cause.choices = options((cause, gettext(label)) for cause, label in arrival.TURNED_AWAY.items())

    def act(session: Session) -> None:
        arrival.mark_absent(
            session, queries.attempt(session, attempt), cause=str(form.cause.data), by=me(), now=web.now()
        )

    return ask(
        found,
        form,
        act,
        title=gettext("Candidate %(number)s does not sit", number=candidate.application.candidate_number),
        button=gettext("Put on record"),
        done=N_("It is on record that the candidate does not sit."),
        back=_room(slug, found, candidate.room),
        notes=[gettext("This cannot be taken back: afterwards only a second attempt helps.")],
    )


def _room(slug: str, found: Sitting, place: Room) -> str:
    return url_for("hall.room", slug=slug, code=found.code, room=place.code)


@bp.get("/<code>/attempts/<attempt>")
@access.roles(*DECIDERS, "supervisor")
def attempt(slug: str, code: str, attempt: str) -> str:
    """One candidate's attempt as the room sees it: time, saves, outages; nothing of the answers."""
    found = sitting_of(slug, code)
    candidate = attempt_of(found, attempt)
    [row] = rows(found, [candidate])
    return render_template(
        "sittings/attempt.html",
        competition=found.competition,
        sitting=found,
        row=row,
        attempt=candidate,
        outages=queries.outages(web.session(), candidate.id),
        credits=queries.credits(web.session(), candidate.id),
        on_break=queries.on_break(web.session(), candidate.id),
        states=STATES,
        again=queries.second_attempt_instead_of(web.session(), candidate.id),
        may=may(found.competition),
    )


@bp.route("/<code>/attempts/<attempt>/credit", methods=["GET", "POST"])
@access.roles(*DECIDERS)
def credit(slug: str, code: str, attempt: str) -> str | Response:
    """Asking to give lost time back to one candidate."""
    found = sitting_of(slug, code)
    candidate = attempt_of(found, attempt)
    form = CreditForm()

    def act(session: Session) -> None:
        running.ask_credit(
            session,
            queries.attempt(session, attempt),
            minutes=form.minutes.data or 0,
            reason=form.reason.data or "",
            by=me(),
            now=web.now(),
            language=pages.current_language(),
        )

    return ask(
        found,
        form,
        act,
        title=gettext("Give lost time back to candidate %(number)s", number=candidate.application.candidate_number),
        button=gettext("Ask for the time"),
        done=WAITS,
        back=url_for("hall.attempt", slug=slug, code=code, attempt=attempt),
    )


@bp.route("/<code>/rooms/<room>/credit", methods=["GET", "POST"])
@access.roles(*DECIDERS)
def room_credit(slug: str, code: str, room: str) -> str | Response:
    """Asking to give lost time back to everybody who writes in a room."""
    found = sitting_of(slug, code)
    place = room_of(found, room)
    form = CreditForm()

    def act(session: Session) -> None:
        running.ask_room_credit(
            session,
            session.get_one(Room, place.id),
            minutes=form.minutes.data or 0,
            reason=form.reason.data or "",
            by=me(),
            now=web.now(),
            language=pages.current_language(),
        )

    return ask(
        found,
        form,
        act,
        title=gettext("Give lost time back to everybody in %(room)s", room=place.name),
        button=gettext("Ask for the time"),
        done=WAITS,
        back=_room(slug, found, place),
        notes=[gettext("Everybody who still writes in this room gets the same time. One approval is enough for all of them.")],
    )


@bp.route("/<code>/attempts/<attempt>/release", methods=["GET", "POST"])
@access.roles(*HALL)
def release(slug: str, code: str, attempt: str) -> str | Response:
    """Letting a candidate go on at another machine."""
    found = sitting_of(slug, code)
    candidate = attempt_of(found, attempt)
    form = ReasonForm()

    def act(session: Session) -> None:
        running.release_attempt(
            session, queries.attempt(session, attempt), reason=form.reason.data or "", by=me(), now=web.now()
        )

    return ask(
        found,
        form,
        act,
        title=gettext("Candidate %(number)s changes to another machine", number=candidate.application.candidate_number),
        button=gettext("Release the attempt"),
        done=N_("The attempt is released. The candidate signs in at the other machine and goes on."),
        back=url_for("hall.attempt", slug=slug, code=code, attempt=attempt),
        notes=[
            gettext("What was saved is on the server and appears at the other machine. The same slip opens it there."),
            gettext(
                "Leave the old machine switched on if you can: what it could not send yet is kept there."
            ),
        ],
    )


@bp.post("/<code>/attempts/<attempt>/break")
@access.roles(*HALL)
def take_break(slug: str, code: str, attempt: str) -> Response:
    """Begins or ends a break that was granted to one candidate."""
    attempt_of(sitting_of(slug, code), attempt)
    with web.writing() as session:
        candidate = queries.attempt(session, attempt)
        if queries.on_break(session, candidate.id):
            running.end_break(session, candidate, by=me(), now=web.now())
        else:
            running.begin_break(session, candidate, by=me(), now=web.now())
    return redirect(url_for("hall.attempt", slug=slug, code=code, attempt=attempt))


@bp.route("/<code>/rooms/<room>/pause", methods=["GET", "POST"])
@access.roles(*HALL)
def pause(slug: str, code: str, room: str) -> str | Response:
    """Stopping the clock of a room."""
    found = sitting_of(slug, code)
    place = room_of(found, room)
    form = ReasonForm()

    def act(session: Session) -> None:
        running.pause_room(session, session.get_one(Room, place.id), reason=form.reason.data or "", by=me(), now=web.now())

    return ask(
        found,
        form,
        act,
        title=gettext("Stop the clock of %(room)s", room=place.name),
        button=gettext("Stop the clock"),
        done=N_("The clock of this room stands still."),
        back=_room(slug, found, place),
        notes=[gettext("Everybody in this room stops writing. When the clock goes on, each has as much time left as now.")],
    )


@bp.post("/<code>/rooms/<room>/resume")
@access.roles(*HALL)
def resume(slug: str, code: str, room: str) -> Response:
    place = room_of(sitting_of(slug, code), room)
    with web.writing() as session:
        running.resume_room(session, session.get_one(Room, place.id), by=me(), now=web.now())
    web.say(N_("The clock of this room goes on."))
    return redirect(url_for("hall.room", slug=slug, code=code, room=room))


@bp.route("/<code>/notices", methods=["GET", "POST"])
@access.roles("chief-invigilator")
def notify(slug: str, code: str) -> str | Response:
    """One notice to all rooms."""
    found = sitting_of(slug, code)
    form = NoticeForm()

    def act(session: Session) -> None:
        competition = competitions.competition(session, slug)
        running.notify_rooms(
            session,
            queries.sitting_of(session, competition.id, code),
            content={"vi": form.vi.data or "", "en": form.en.data or ""},
            by=me(),
            now=web.now(),
        )

    return ask(
        found,
        form,
        act,
        title=gettext("One notice to all rooms"),
        button=gettext("Show the notice on every screen"),
        done=N_("The notice stands on every candidate's screen."),
        back=url_for("hall.sitting", slug=slug, code=code),
        notes=[gettext("It appears on every screen within 15 seconds and stays until the candidate has confirmed it.")],
    )
