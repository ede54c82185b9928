"""The candidate's own page about exam day: where and when, summons, practice, and the receipts afterwards."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, render_template, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examsvc.base import access, pages, web
from examsvc.base.access import Actor
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.language import moment
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.sittings import oracles, practice, printing, queries, receipts
from examsvc.sittings.models import Attempt, Seat

bp = Blueprint("my_exam", __name__, template_folder="templates")


def _seats(competition: Competition) -> list[Seat]:
    return queries.seats_of_account(web.session(), competition.id, access.actor().account_id)


@bp.get("/competitions/<slug>/my-exam")
@access.signed_in
def mine(slug: str) -> str:
    competition = competitions.competition(web.session(), slug)
    seats = _seats(competition)
    practises = practice.may_practise(web.session(), competition, access.actor().account_id)
    if not seats and not practises:
        raise NotFound()
    return render_template(
        "sittings/my_exam.html",
        competition=competition,
        rows=[_row(competition, seat) for seat in seats],
        practises=practises,
    )


def _row(competition: Competition, seat: Seat) -> dict[str, Any]:
    attempt = queries.attempt_of_seat(web.session(), seat.id)
    regulation = competitions.regulation(competition)
    ended = attempt.receipt if attempt is not None else None
    return {
        "seat": seat,
        "sitting": seat.sitting,
        "label": regulation.part(seat.sitting.part).label.model_dump(),
        "minutes": seat.sitting.minutes + seat.extra_minutes,
        "late_limit": regulation.late_limit(seat.sitting.minutes),
        "stands": _standing(seat, attempt),
        "attempt": attempt,
        "receipt": {**ended, "code": receipts.grouped(ended["code"]), "qr": receipts.picture(ended["code"])} if ended else None,
        "remarks": oracles.remarks(web.session(), attempt, web.now()) if attempt is not None and ended else [],
        "outages": queries.outages(web.session(), attempt.id) if attempt is not None else [],
    }


def _standing(seat: Seat, attempt: Attempt | None) -> str:
    """In one word for the page: what this seat is to its candidate now."""
    if attempt is None:
        return "expected"
    if attempt.receipt is not None or attempt.state in ("absent", "cancelled"):
        return attempt.state
    return "running" if seat.sitting.started_at is not None else "expected"


@bp.get("/competitions/<slug>/my-exam/<code>/receipt")
@access.signed_in
def receipt(slug: str, code: str) -> str:
    """One's own receipt for the sitting of that code, to read, to print and to keep."""
    competition = competitions.competition(web.session(), slug)
    seat = next((one for one in _seats(competition) if one.sitting.code == code), None)
    row = _row(competition, seat) if seat is not None else None
    if row is None or row["receipt"] is None:
        raise NotFound()
    attempt: Attempt = row["attempt"]
    return render_template(
        "sittings/receipt.html",
        competition=competition,
        row=row,
        manner=queries.manner_of_end(web.session(), attempt),
        late=len(queries.late_saves(web.session(), attempt.id)),
        late_decision=queries.late_decision(web.session(), attempt.id),
    )


@bp.get("/competitions/<slug>/my-exam/<code>/summons.pdf")
@access.signed_in
def summons(slug: str, code: str) -> Response:
    """One's own summons to the sitting of that code."""
    competition = competitions.competition(web.session(), slug)
    seat = next((one for one in _seats(competition) if one.sitting.code == code), None)
    if seat is None:
        raise NotFound()
    if seat.awaits_draw:
        raise Refused(N_("Your seat is not drawn yet; the summons is printed then."))
    settings = web.settings()
    content = printing.summonses(
        [seat],
        language=pages.current_language(),
        institution={"vi": settings.institution_vi, "en": settings.institution_en},
        zone=settings.zone,
        now=web.now(),
    )
    return Response(
        content, mimetype="application/pdf", headers={"Content-Disposition": f'inline; filename="{code}-summons.pdf"'}
    )


def tasks(session: Session, actor: Actor, slug: str, now: datetime) -> list[pages.Task]:
    """Sitting on that day, and trying the machine before it."""
    found: list[pages.Task] = []
    for competition in [competitions.competition(session, slug)] if slug else competitions.announced(session):
        seats = queries.seats_of_account(session, competition.id, actor.account_id)
        ahead = [seat for seat in seats if seat.sitting.closed_at is None and not _done(session, seat)]
        for seat in ahead:
            label = competitions.regulation(competition).part(seat.sitting.part).label.model_dump()
            found.append(
                pages.Task(
                    label=gettext("Sit the exam: %(part)s", part=pages.in_reader_language(label)),
                    address=url_for("my_exam.mine", slug=competition.slug),
                    detail=moment(seat.sitting.bell_at, web.settings().zone)
                    if seat.awaits_draw
                    else gettext(
                        "%(bell)s, %(room)s, seat %(seat)s",
                        bell=moment(seat.sitting.bell_at, web.settings().zone),
                        room=seat.room.name,
                        seat=seat.place,
                    ),
                    urgent=0 <= (seat.sitting.bell_at - now).total_seconds() < 48 * 3600,
                )
            )
        if ahead and practice.may_practise(session, competition, actor.account_id):
            found.append(
                pages.Task(
                    label=gettext("Try the practice paper and check your machine"),
                    address=url_for("practice.index", slug=competition.slug),
                    done=practice.attempt_of(session, competition.id, actor.account_id) is not None,
                )
            )
        elif seats and slug and not ahead:
            found.append(
                pages.Task(
                    label=gettext("Your exam and your receipts"),
                    address=url_for("my_exam.mine", slug=competition.slug),
                    done=True,
                )
            )
    return found


def _done(session: Session, seat: Seat) -> bool:
    attempt = queries.attempt_of_seat(session, seat.id)
    return attempt is not None and attempt.state in ("submitted", "closed", "absent", "cancelled")
