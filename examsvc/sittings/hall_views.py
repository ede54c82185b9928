"""Planning a sitting, making its attempts ready, its printed lists, and what exam day asks of the staff."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import redirect, render_template, url_for
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.accounts import approvals
from examsvc.applications import queries as applications
from examsvc.applications.accommodations import MEASURES
from examsvc.base import access, pages, web
from examsvc.base.access import Actor
from examsvc.base.errors import N_, Refused
from examsvc.base.forms import options
from examsvc.competitions import drawing
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.papers import queries as papers
from examsvc.sittings import (
    notices,
    planning,
    printing,
    queries,
    unrehearsed,
)
from examsvc.sittings.forms import (
    MoveForm,
    PlanForm,
    UnrehearsedForm,
)
from examsvc.sittings.hall_blueprint import (
    DECIDERS,
    HALL,
    OFFICE,
    STATES,
    ask,
    bp,
    may,
    me,
    room_of,
    sitting_of,
    typed_moment,
)
from examsvc.sittings.models import Sitting


@bp.get("/")
@access.roles(*OFFICE, *DECIDERS, "supervisor")
def index(slug: str) -> str:
    competition = competitions.competition(web.session(), slug)
    return render_template(
        "sittings/index.html",
        competition=competition,
        regulation=competitions.regulation(competition),
        sittings=queries.sittings_of(web.session(), competition.id),
        may=may(competition),
    )


@bp.route("/new", methods=["GET", "POST"])
@access.roles(*OFFICE)
def plan(slug: str) -> str | Response:
    """Date, rooms and seats of a part."""
    competition = competitions.competition(web.session(), slug)
    regulation = competitions.regulation(competition)
    form = PlanForm()
    parts = {
        part.id: pages.in_reader_language(part.label.model_dump())
        for part in regulation.parts
        if part.kind in ("objective", "essay")
    }
    form.part.choices = options(parts.items())
    summoned = applications.eligible(web.session(), competition.id)
    if form.validate_on_submit():
        try:
            rooms = _rooms(form.rooms.data or "")
            if form.part.data not in parts:
                raise Refused(N_("Choose a part of the exam."), field="part")
            with web.writing() as session:
                competition = competitions.competition(session, slug)
                sitting = planning.schedule_sitting(
                    session,
                    competition,
                    part=form.part.data,
                    bell_at=typed_moment(form.bell.data),
                    rooms=rooms,
                    candidates=applications.eligible(session, competition.id),
                    arrangements=_arrangements(session, competition.id, form.part.data),
                    by=me(),
                    now=web.now(),
                )
                notices.summon(session, sitting, web.settings().zone, now=web.now())
                code, to_draw = sitting.code, sitting.seating == "to-draw"
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(
                N_("The sitting is planned. Who sits where is drawn next.")
                if to_draw
                else N_("The sitting is planned; every candidate has a seat.")
            )
            return redirect(url_for("hall.sitting", slug=slug, code=code))
    return render_template(
        "sittings/plan.html",
        competition=competition,
        form=form,
        summoned=summoned,
        seats_drawn=drawing.method(competition, "seats") != "none",
    )


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
@access.roles(*OFFICE, *DECIDERS, "supervisor")
def sitting(slug: str, code: str) -> str:
    found = sitting_of(slug, code)
    return render_template(
        "sittings/sitting.html",
        competition=found.competition,
        sitting=found,
        part=competitions.regulation(found.competition).part(found.part),
        form=planning.paper_for(web.session(), found),
        draw=planning.seats_draw(web.session(), found),
        places=len(planning.drawn_seats(found)),
        draws=may_draw(found.competition),
        asked=any(
            one.kind == planning.SEATS and one.arguments["sitting"] == found.id
            for one in approvals.waiting(web.session(), slug, web.now())
        ),
        unrehearsed=unrehearsed.bars(web.session(), found) and found.prepared_at is None,
        goes_on=unrehearsed.asked(web.session(), found, web.now()),
        decides=any(access.actor().holds(role, slug) for role in competitions.approval_terms(found.competition, unrehearsed.STEP).roles),
        paper=papers.paper_in_force(web.session(), found.competition_id, found.part, queries.shift_of(web.session(), found)),
        may=may(found.competition),
        incidents=queries.incidents(web.session(), found.id),
        late=queries.attempts_with_late_answers(web.session(), found.id),
        states=STATES,
    )


def may_draw(competition: Competition) -> bool:
    """Whether the reader's roles let him ask for a draw."""
    return any(access.actor().holds(role, competition.slug) for role in competitions.approval_terms(competition, drawing.STEP).roles)


@bp.post("/<code>/seats")
@access.roles(*OFFICE, "chief-examiner")
def draw_seats(slug: str, code: str) -> Response:
    """Asks to draw who sits where."""
    with web.writing() as session:
        competition = competitions.competition(session, slug)
        found = queries.sitting_of(session, competition.id, code)
        planning.ask_seats(session, found, by=me(), now=web.now(), language=pages.current_language())
    web.say(N_("The draw of the seats is asked for. When another person has approved it, it is held or announced."))
    return redirect(url_for("hall.sitting", slug=slug, code=code))


@bp.route("/<code>/bell", methods=["GET", "POST"])
@access.roles(*OFFICE)
def move(slug: str, code: str) -> str | Response:
    """Another bell for everybody; each candidate is told."""
    found = sitting_of(slug, code)
    form = MoveForm()

    def act(session: Session) -> None:
        competition = competitions.competition(session, slug)
        sitting = queries.sitting_of(session, competition.id, code)
        planning.move_bell(session, sitting, bell_at=typed_moment(form.bell.data), by=me(), now=web.now())
        notices.summon(session, sitting, web.settings().zone, now=web.now(), moved=True)

    return ask(
        found,
        form,
        act,
        title=gettext("Move the bell"),
        button=gettext("Move the bell"),
        done=N_("The bell was moved."),
        back=url_for("hall.sitting", slug=slug, code=code),
        notes=[gettext("Every candidate gets a message with the new time.")],
    )


@bp.route("/<code>/unrehearsed", methods=["GET", "POST"])
@access.roles(*OFFICE, "competent-authority")
def go_on(slug: str, code: str) -> str | Response:
    """Asks to hold a sitting though the opening of its paper was not rehearsed."""
    found = sitting_of(slug, code)
    form = UnrehearsedForm()

    def act(session: Session) -> None:
        competition = competitions.competition(session, slug)
        unrehearsed.ask_to_go_on(
            session,
            queries.sitting_of(session, competition.id, code),
            number=form.number.data or "",
            reason=form.reason.data or "",
            by=me(),
            now=web.now(),
            zone=web.settings().zone,
            language=pages.current_language(),
        )

    return ask(
        found,
        form,
        act,
        title=gettext("Hold the sitting without a rehearsal"),
        button=gettext("Ask for this decision"),
        done=N_("This waits for a second approval."),
        back=url_for("hall.sitting", slug=slug, code=code),
        notes=[gettext("Better still: have the custodians rehearse before the day. A lost key that shows at the bell cannot be mended.")],
    )


@bp.post("/<code>/prepare")
@access.roles(*OFFICE)
def prepare(slug: str, code: str) -> Response:
    """An attempt for everybody, with the approved paper."""
    with web.writing() as session:
        competition = competitions.competition(session, slug)
        found = queries.sitting_of(session, competition.id, code)
        form = planning.paper_for(session, found)
        if form is None:
            raise Refused(N_("The paper is not open yet. Its custodians open it shortly before the bell."))
        made = planning.prepare_attempts(session, found, form=form, now=web.now())
    web.say(N_("%(number)d attempts are ready; the bell will open them."), number=len(made))
    return redirect(url_for("hall.sitting", slug=slug, code=code))


@bp.get("/<code>/rooms/<room>/list.pdf")
@access.roles(*OFFICE, *HALL)
def room_list(slug: str, code: str, room: str) -> Response:
    """The list to sign."""
    place = room_of(_seated(sitting_of(slug, code)), room)
    return _pdf(printing.room_list(place, **_print()), f"{code}-{room}.pdf")


@bp.get("/<code>/rooms/<room>/door.pdf")
@access.roles(*OFFICE, *HALL)
def door_plan(slug: str, code: str, room: str) -> Response:
    """Seat and number, for the door."""
    place = room_of(_seated(sitting_of(slug, code)), room)
    return _pdf(printing.door_plan(place, **_print()), f"{code}-{room}-door.pdf")


@bp.get("/<code>/summonses.pdf")
@access.roles(*OFFICE)
def summonses(slug: str, code: str) -> Response:
    """A page for each candidate, in the order of the numbers."""
    found = _seated(sitting_of(slug, code))
    seats = sorted(found.seats, key=lambda seat: seat.application.candidate_number or "")
    return _pdf(printing.summonses(seats, **_print()), f"{code}-summonses.pdf")


def _seated(found: Sitting) -> Sitting:
    """A sitting whose places are final, so that nothing wrong gets printed."""
    if found.seating == "to-draw":
        raise Refused(N_("The seats of this sitting are not drawn yet; lists are printed then."))
    return found


def _print() -> dict[str, Any]:
    settings = web.settings()
    return {
        "language": pages.current_language(),
        "institution": {"vi": settings.institution_vi, "en": settings.institution_en},
        "zone": settings.zone,
        "now": web.now(),
    }


def _pdf(content: bytes, name: str) -> Response:
    return Response(
        content, mimetype="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"'}
    )


def _drawing(session: Session, sitting: Sitting) -> bool:
    """Whether the draw of the seats goes on, in which its participants have their own tasks."""
    found = planning.seats_draw(session, sitting) if sitting.seating == "to-draw" else None
    return found is not None and found.state not in ("drawn", "void")


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
        if any(actor.holds(role, name) for role in ("hr-officer", "council-secretary")) and one.prepared_at is None and not _drawing(session, one):
            found.append(
                pages.Task(
                    label=gettext("Draw the seats of the sitting %(code)s", code=one.code)
                    if one.seating == "to-draw"
                    else gettext("Prepare the attempts of the sitting %(code)s", code=one.code),
                    address=url_for("hall.sitting", slug=name, code=one.code),
                )
            )
    return found
