"""Messages to candidates about exam day: summons, a bell that was moved, the receipt, a second attempt."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from examsvc.applications.models import Application
from examsvc.base import messages
from examsvc.base.errors import N_
from examsvc.base.language import both, moment
from examsvc.competitions import queries as competitions
from examsvc.sittings import receipts
from examsvc.sittings.models import Attempt, Seat, Sitting

SUMMONS = N_("Summons to the exam: %(part)s")
SUMMONS_TEXT = N_(
    "You are summoned to the exam.\n\nPart: %(part)s\nBell: %(bell)s\nRoom: %(room)s\nSeat: %(seat)s\n"
    "Candidate number: %(number)s\n\nCome early, with your identity document: nobody is admitted later than %(late)d minutes"
    " after the bell. The printed summons is on your page of the competition."
)
UNSEATED_TEXT = N_(
    "You are summoned to the exam.\n\nPart: %(part)s\nBell: %(bell)s\nCandidate number: %(number)s\n\nRoom and seat are drawn in public;"
    " you get a message then. Nobody is admitted later than %(late)d minutes after the bell."
)
SEATED = N_("Your seat in the exam is drawn: %(part)s")
SEATED_TEXT = N_(
    "Who sits where was drawn in public. Anybody can repeat the draw on its page.\n\nPart: %(part)s\nRoom: %(room)s\nSeat: %(seat)s\n"
    "Candidate number: %(number)s\nDraw: %(draw)s\n\nThe printed summons is on your page of the competition."
)
UNSEATED_MOVED_TEXT = N_("The exam now begins at another time.\n\nPart: %(part)s\nNew bell: %(bell)s\n\nRoom and seat are drawn in public; you get a message then.")
MOVED = N_("The bell of your exam was moved: %(part)s")
MOVED_TEXT = N_("The exam now begins at another time.\n\nPart: %(part)s\nNew bell: %(bell)s\nRoom: %(room)s\nSeat: %(seat)s")
AGAIN = N_("You sit a part of the exam again: %(part)s")
AGAIN_TEXT = N_("You were granted a second attempt; of the two only the new one counts. Day, room and seat are on your page of the competition.")


def summon(session: Session, sitting: Sitting, zone: ZoneInfo, *, now: datetime, moved: bool = False) -> None:
    """Tells everybody who has a seat where and when; with ``moved`` that the bell was moved."""
    for seat in sitting.seats:
        summon_one(session, seat, zone, now=now, moved=moved)


def summon_one(session: Session, seat: Seat, zone: ZoneInfo, *, now: datetime, moved: bool = False) -> None:
    details: dict[str, object] = {
        "part": _part(seat.sitting),
        "bell": moment(seat.sitting.bell_at, zone),
        "room": seat.room.name,
        "seat": seat.place,
        "number": seat.application.candidate_number or "",
        "late": competitions.regulation(seat.sitting.competition).late_limit(seat.sitting.minutes),
    }
    if seat.awaits_draw:
        text = UNSEATED_MOVED_TEXT if moved else UNSEATED_TEXT
    else:
        text = MOVED_TEXT if moved else SUMMONS_TEXT
    _send(session, seat.application, MOVED if moved else SUMMONS, text, details, now)


def seated(session: Session, seat: Seat, *, now: datetime) -> None:
    """Tells a candidate the place that was drawn."""
    details: dict[str, object] = {
        "part": _part(seat.sitting),
        "room": seat.room.name,
        "seat": seat.place,
        "number": seat.application.candidate_number or "",
        "draw": seat.sitting.draw or "",
    }
    _send(session, seat.application, SEATED, SEATED_TEXT, details, now)


def granted_again(session: Session, seat: Seat, *, now: datetime) -> None:
    _send(session, seat.application, AGAIN, AGAIN_TEXT, {"part": _part(seat.sitting)}, now)


RECEIPT = N_("Your exam is handed in: %(part)s")
RECEIPT_TEXT = N_(
    "Everything that you had written is kept.\n\nPart: %(part)s\nCandidate number: %(number)s\nQuestions answered: %(answered)d,"
    " left blank: %(blank)d\nReceipt: %(code)s\n\nKeep this code. With it you and anybody else can check later that nothing was"
    " changed. You need not do anything now."
)


def ended(session: Session, attempt: Attempt, *, now: datetime) -> None:
    """The receipt, once more as a message: also to whoever went home before the system closed the exam."""
    if attempt.receipt is None:
        return
    details: dict[str, object] = {
        "part": _part(attempt.sitting),
        "number": attempt.application.candidate_number or "",
        "answered": attempt.receipt["answered"],
        "blank": attempt.receipt["blank"],
        "code": receipts.grouped(attempt.receipt["code"]),
    }
    _send(session, attempt.application, RECEIPT, RECEIPT_TEXT, details, now)


def _part(sitting: Sitting) -> dict[str, str]:
    label = competitions.regulation(sitting.competition).part(sitting.part).label
    return {name: str(text) for name, text in label.model_dump().items()}


def _send(
    session: Session, application: Application, subject: str, body: str, details: dict[str, object], now: datetime
) -> None:
    messages.send(
        session,
        account_id=application.account_id,
        competition=application.competition.slug,
        subject=both(subject, part=details["part"]),
        body=both(body, **details),
        now=now,
    )
