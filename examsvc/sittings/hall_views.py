"""Exam day from the other side: planning, the door, the live room, incidents, and what comes after the end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.applications import queries as applications
from examsvc.applications.accommodations import MEASURES
from examsvc.base import access, pages, web
from examsvc.base.access import Actor
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.competitions import queries as competitions
from examsvc.papers import queries as papers
from examsvc.sittings import arrival, conduct, ending, outages, planning, queries, rules, running
from examsvc.sittings.forms import (
    ArrivalForm,
    CreditForm,
    IncidentForm,
    LateAdmissionForm,
    LateAnswersForm,
    MoveForm,
    NoticeForm,
    PlanForm,
    ReasonForm,
    SanctionForm,
)
from examsvc.sittings.models import Attempt, Incident, Room, Sitting

bp = Blueprint("hall", __name__, template_folder="templates", url_prefix="/competitions/<slug>/sittings")

OFFICE = ("hr-officer", "council-secretary", "council-chair", "chief-invigilator")
HALL = ("chief-invigilator", "invigilator")
BOARD = ("council-chair", "council-secretary", "chief-invigilator")

STATES = {
    "prepared": N_("Expected"),
    "checked-in": N_("Checked in"),
    "absent": N_("Absent"),
    "submitted": N_("Submitted"),
    "closed": N_("Ended by the clock"),
    "cancelled": N_("Cancelled"),
    "waiting": N_("Waits for the bell"),
    "open": N_("Writing"),
    "paused": N_("Clock stands still"),
    "over": N_("Time is over"),
    "stopped": N_("Stopped"),
}


def _sitting(slug: str, code: str) -> Sitting:
    competition = competitions.competition(web.session(), slug)
    return queries.sitting_of(web.session(), competition.id, code)


def _attempt(sitting: Sitting, code: str) -> Attempt:
    found = queries.attempt(web.session(), code)
    if found.sitting_id != sitting.id:
        raise NotFound()
    return found


def _moment(value: datetime | None) -> datetime:
    """What was typed in the institution's zone, in UTC."""
    if value is None:
        raise Refused(N_("Enter day and time of the bell."), field="bell")
    return value.replace(tzinfo=web.settings().zone).astimezone(UTC)


def _me() -> int:
    return access.actor().account_id


# -------------------------------------------------------------------------------- planning


@bp.get("/")
@access.roles(*OFFICE, *HALL, "supervisor", "hr-officer")
def index(slug: str) -> str:
    competition = competitions.competition(web.session(), slug)
    return render_template(
        "sittings/index.html",
        competition=competition,
        regulation=competitions.regulation(competition),
        sittings=queries.sittings_of(web.session(), competition.id),
    )


@bp.route("/new", methods=["GET", "POST"])
@access.roles(*OFFICE)
def plan(slug: str) -> str | Response:
    """Date, rooms and seats of a part."""
    competition = competitions.competition(web.session(), slug)
    regulation = competitions.regulation(competition)
    form = PlanForm()
    form.part.choices = [
        (part.id, pages.in_reader_language(part.label.model_dump()))
        for part in regulation.parts
        if part.kind in ("objective", "essay")
    ]
    summoned = applications.eligible(web.session(), competition.id)
    if form.validate_on_submit():
        try:
            rooms = _rooms(form.rooms.data or "")
            if form.part.data not in dict(form.part.choices):
                raise Refused(N_("Choose a part of the exam."), field="part")
            with web.writing() as session:
                competition = competitions.competition(session, slug)
                sitting = planning.schedule_sitting(
                    session,
                    competition,
                    part=form.part.data,
                    bell_at=_moment(form.bell.data),
                    rooms=rooms,
                    candidates=applications.eligible(session, competition.id),
                    arrangements=_arrangements(session, competition.id, form.part.data),
                    by=_me(),
                    now=web.now(),
                )
                code = sitting.code
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The sitting is planned; every candidate has a seat."))
            return redirect(url_for("hall.sitting", slug=slug, code=code))
    return render_template("sittings/plan.html", competition=competition, form=form, summoned=summoned)


def _arrangements(session: Session, competition_id: int, part: str) -> dict[int, planning.Arrangement]:
    """What was granted to candidates for this part, by the application's id."""
    return {
        number: planning.Arrangement(
            extra_minutes=granted.extra_minutes(part),
            separate_room=granted.separate_room,
            may_break=granted.may_break,
            note=", ".join(gettext(MEASURES[help]) for help in granted.helps) or None,
        )
        for number, granted in applications.arrangements(session, competition_id).items()
    }


def _rooms(text: str) -> list[planning.RoomPlan]:
    rooms = []
    for line in text.splitlines():
        if not line.strip():
            continue
        name, *rest = [piece.strip() for piece in line.split(";")]
        separate = any(piece.casefold() in ("separate", "riêng") for piece in rest)
        numbers = [piece for piece in rest if piece.isascii() and piece.isdigit()]
        if not separate and (not numbers or not 1 <= int(numbers[0]) <= 1000):
            raise Refused(
                N_("The line “%(line)s” has no number of places. Write: name; places"), line=line.strip(), field="rooms"
            )
        rooms.append(planning.RoomPlan(name, int(numbers[0]) if numbers else 1, separate))
    return rooms


@bp.get("/<code>")
@access.roles(*OFFICE, *HALL, "supervisor")
def sitting(slug: str, code: str) -> str:
    found = _sitting(slug, code)
    return render_template(
        "sittings/sitting.html",
        competition=found.competition,
        sitting=found,
        part=competitions.regulation(found.competition).part(found.part),
        form=papers.usable_form(web.session(), found.competition_id, found.part),
        paper=papers.paper_in_force(web.session(), found.competition_id, found.part),
        move=MoveForm(),
        notice=NoticeForm(),
        incidents=queries.incidents(web.session(), found.id),
        late=queries.attempts_with_late_answers(web.session(), found.id),
        states=STATES,
    )


@bp.post("/<code>/bell")
@access.roles(*OFFICE)
def move(slug: str, code: str) -> Response:
    form = MoveForm()
    if form.validate_on_submit():
        with web.writing() as session:
            competition = competitions.competition(session, slug)
            found = queries.sitting_of(session, competition.id, code)
            planning.move_bell(session, found, bell_at=_moment(form.bell.data), by=_me(), now=web.now())
        web.say(N_("The bell was moved."))
    return redirect(url_for("hall.sitting", slug=slug, code=code))


@bp.post("/<code>/prepare")
@access.roles(*OFFICE)
def prepare(slug: str, code: str) -> Response:
    """An attempt for everybody, with the approved paper."""
    with web.writing() as session:
        competition = competitions.competition(session, slug)
        found = queries.sitting_of(session, competition.id, code)
        form = papers.usable_form(session, competition.id, found.part)
        if form is None:
            raise Refused(N_("The paper is not open yet. Its custodians open it shortly before the bell."))
        made = planning.prepare_attempts(session, found, form=form, now=web.now())
    web.say(N_("%(number)d attempts are ready; the bell will open them."), number=len(made))
    return redirect(url_for("hall.sitting", slug=slug, code=code))


# -------------------------------------------------------------------------------- the room


@bp.get("/<code>/rooms/<room>")
@access.roles(*HALL, "council-chair", "supervisor")
def room(slug: str, code: str, room: str) -> str:
    """The live page of a room: everybody in it, what state, what was saved last; it reloads itself."""
    found = _sitting(slug, code)
    place = _room(found, room)
    rows = [_row(attempt) for attempt in found.attempts if attempt.room_id == place.id]
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


def _room(found: Sitting, code: str) -> Room:
    place = next((one for one in found.rooms if one.code == code), None)
    if place is None:
        raise NotFound()
    return place


def _row(attempt: Attempt) -> dict[str, Any]:
    timing = queries.timing(web.session(), attempt)
    where = rules.standing(timing, web.now())
    state = rules.state(timing, attempt.state, web.now()) if attempt.state == "checked-in" else attempt.state
    progress = queries.progress(web.session(), attempt.id)
    return {
        "attempt": attempt,
        "state": state,
        "deadline": where.deadline,
        "answered": progress.answered,
        "last_saved": progress.last_saved,
        "silent": state == "open" and outages.is_silent(attempt, web.now()),
    }


@bp.route("/<code>/attempts/<attempt>/check-in", methods=["GET", "POST"])
@access.roles(*HALL)
def check_in(slug: str, code: str, attempt: str) -> str | Response | tuple[str, int]:
    """Identity and photograph; then the slip with the one-time code, shown once."""
    found = _sitting(slug, code)
    candidate = _attempt(found, attempt)
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
                    by=_me(),
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
    candidate = _attempt(_sitting(slug, code), attempt)
    if form.validate_on_submit():
        with web.writing() as session:
            arrival.ask_late_admission(
                session,
                queries.attempt(session, candidate.code),
                reason=form.reason.data or "",
                document="citizen-card",
                by=_me(),
                now=web.now(),
            )
        web.say(N_("The request waits for its second approval."))
    return redirect(url_for("hall.check_in", slug=slug, code=code, attempt=attempt))


@bp.route("/<code>/attempts/<attempt>", methods=["GET", "POST"])
@access.roles(*HALL, "council-chair", "supervisor")
def attempt(slug: str, code: str, attempt: str) -> str:
    """One candidate's attempt as the room sees it: time, saves, outages; nothing of the answers."""
    found = _sitting(slug, code)
    candidate = _attempt(found, attempt)
    return render_template(
        "sittings/attempt.html",
        competition=found.competition,
        sitting=found,
        row=_row(candidate),
        attempt=candidate,
        outages=queries.outages(web.session(), candidate.id),
        credits=queries.credits(web.session(), candidate.id),
        on_break=queries.on_break(web.session(), candidate.id),
        states=STATES,
        credit=CreditForm(),
        reason=ReasonForm(),
    )


@bp.post("/<code>/attempts/<attempt>/credit")
@access.roles(*HALL, "council-chair")
def credit(slug: str, code: str, attempt: str) -> Response:
    form = CreditForm()
    _attempt(_sitting(slug, code), attempt)
    if not form.validate_on_submit():
        raise Refused(N_("Enter the number of minutes and the reason."))
    with web.writing() as session:
        running.ask_credit(
            session,
            queries.attempt(session, attempt),
            minutes=form.minutes.data or 0,
            reason=form.reason.data or "",
            by=_me(),
            now=web.now(),
        )
    web.say(N_("The request waits for its second approval."))
    return redirect(url_for("hall.attempt", slug=slug, code=code, attempt=attempt))


@bp.post("/<code>/attempts/<attempt>/release")
@access.roles(*HALL)
def release(slug: str, code: str, attempt: str) -> Response:
    form = ReasonForm()
    _attempt(_sitting(slug, code), attempt)
    if not form.validate_on_submit():
        raise Refused(N_("Write the reason."))
    with web.writing() as session:
        running.release_attempt(
            session, queries.attempt(session, attempt), reason=form.reason.data or "", by=_me(), now=web.now()
        )
    web.say(N_("The attempt is released. The candidate signs in at the other machine and goes on."))
    return redirect(url_for("hall.attempt", slug=slug, code=code, attempt=attempt))


@bp.post("/<code>/attempts/<attempt>/break")
@access.roles(*HALL)
def take_break(slug: str, code: str, attempt: str) -> Response:
    _attempt(_sitting(slug, code), attempt)
    with web.writing() as session:
        candidate = queries.attempt(session, attempt)
        if queries.on_break(session, candidate.id):
            running.end_break(session, candidate, by=_me(), now=web.now())
        else:
            running.begin_break(session, candidate, by=_me(), now=web.now())
    return redirect(url_for("hall.attempt", slug=slug, code=code, attempt=attempt))


@bp.post("/<code>/rooms/<room>/clock")
@access.roles(*HALL)
def clock(slug: str, code: str, room: str) -> Response:
    """Stops the clock of the room, with a reason, or lets it go on."""
    form = ReasonForm()
    with web.writing() as session:
        competition = competitions.competition(session, slug)
        place = _room(queries.sitting_of(session, competition.id, code), room)
        if any(pause.until is None for pause in place.pauses):
            running.resume_room(session, place, by=_me(), now=web.now())
        else:
            running.pause_room(session, place, reason=form.reason.data or "", by=_me(), now=web.now())
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
            by=_me(),
            now=web.now(),
        )
    web.say(N_("The notice stands on every candidate's screen."))
    return redirect(url_for("hall.sitting", slug=slug, code=code))


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
            by=_me(),
            now=web.now(),
        )
    web.say(N_("The incident is on record."))
    return redirect(url_for("hall.sitting", slug=slug, code=code))


@bp.route("/<code>/incidents/<incident>", methods=["GET", "POST"])
@access.roles(*HALL, *BOARD, "supervisor")
def sanction(slug: str, code: str, incident: str) -> str | Response:
    """One incident, its sanctions, and asking for one."""
    found = _sitting(slug, code)
    event = _incident(found, incident)
    form = SanctionForm()
    regulation = competitions.regulation(found.competition)
    form.sanction.choices = [
        (rule.id, pages.in_reader_language(rule.label.model_dump())) for rule in regulation.sanctions
    ]
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                conduct.ask_sanction(
                    session,
                    session.get_one(Incident, event.id),
                    sanction=str(form.sanction.data),
                    reason=form.reason.data or "",
                    by=_me(),
                    now=web.now(),
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The request waits for its second approval."))
            return redirect(url_for("hall.sanction", slug=slug, code=code, incident=incident))
    return render_template(
        "sittings/incident.html", competition=found.competition, sitting=found, incident=event, form=form
    )


def _incident(found: Sitting, code: str) -> Incident:
    event = next((one for one in queries.incidents(web.session(), found.id) if one.code == code), None)
    if event is None:
        raise NotFound()
    return event


@bp.route("/<code>/attempts/<attempt>/late-answers", methods=["GET", "POST"])
@access.roles(*BOARD)
def late_answers(slug: str, code: str, attempt: str) -> str | Response:
    """What came after the end of one attempt, and the board's decision on it.  Times only: the board judges no text."""
    found = _sitting(slug, code)
    candidate = _attempt(found, attempt)
    form = LateAnswersForm()
    if form.validate_on_submit():
        try:
            with web.writing() as session:
                ending.ask_late_decision(
                    session,
                    queries.attempt(session, attempt),
                    counts=form.outcome.data == "counted",
                    reason=form.reason.data or "",
                    by=_me(),
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


def tasks(session: Session, actor: Actor, slug: str, now: datetime) -> list[pages.Task]:
    """What exam day asks of this person."""
    found: list[pages.Task] = []
    for one in queries.unfinished(session):
        name = one.competition.slug
        if slug and slug != name:
            continue
        if any(actor.holds(role, name) for role in HALL) and one.prepared_at is not None:
            for place in one.rooms:
                expected = sum(1 for a in one.attempts if a.room_id == place.id and a.state == "prepared")
                found.append(
                    pages.Task(
                        label=gettext("Room %(room)s: check in and watch", room=place.name),
                        address=url_for("hall.room", slug=name, code=one.code, room=place.code),
                        detail=ngettext("%(num)d candidate expected", "%(num)d candidates expected", expected),
                        urgent=(one.bell_at - now).total_seconds() < 7200,
                    )
                )
        if any(actor.holds(role, name) for role in ("hr-officer", "council-secretary")) and one.prepared_at is None:
            found.append(
                pages.Task(
                    label=gettext("Prepare the attempts of the sitting %(code)s", code=one.code),
                    address=url_for("hall.sitting", slug=name, code=one.code),
                )
            )
    return found
