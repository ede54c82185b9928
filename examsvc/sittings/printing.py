"""What is printed for exam day: the list of a room to sign, the plan for its door, summonses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from examsvc.base import documents
from examsvc.base.errors import N_
from examsvc.base.language import day, in_language, moment, sentence
from examsvc.competitions import queries as competitions
from examsvc.sittings.models import Room, Seat, Sitting


def _frame(sitting: Sitting, language: str, zone: ZoneInfo) -> list[list[str]]:
    """Competition, part and bell: the head of every paper of exam day."""
    label = competitions.regulation(sitting.competition).part(sitting.part).label.model_dump()
    return [
        [sentence(language, N_("Competition")), in_language(sitting.competition.title, language)],
        [sentence(language, N_("Part of the exam")), in_language(label, language)],
        [sentence(language, N_("Bell")), moment(sitting.bell_at, zone)],
    ]


def _seats(room: Room) -> list[Seat]:
    return sorted((seat for seat in room.sitting.seats if seat.room_id == room.id), key=lambda seat: int(seat.place))


def room_list(room: Room, *, language: str, institution: Mapping[str, str], zone: ZoneInfo, now: datetime) -> bytes:
    """Everybody summoned to a room, with places to sign on coming and on leaving."""

    def say(text: str) -> str:
        return sentence(language, text)

    rows = [
        [
            seat.place,
            seat.application.candidate_number or "",
            seat.application.account.name,
            day(seat.application.account.birth_date) if seat.application.account.birth_date else "",
            "",
            "",
            seat.arrangements or "",
        ]
        for seat in _seats(room)
    ]
    heads = (N_("Seat"), N_("Number"), N_("Name"), N_("Born"), N_("Signature on coming"), N_("Signature on leaving"), N_("Notes"))
    data = {
        "facts": [*_frame(room.sitting, language, zone), [say(N_("Room")), room.name]],
        "head": [say(one) for one in heads],
        "rows": rows,
        "counts": [
            [say(N_("Summoned")), str(len(rows))],
            [say(N_("Came")), ""],
            [say(N_("Absent")), ""],
        ],
        "signatures": [say(N_("Invigilator")), say(N_("Invigilator")), say(N_("Chief invigilator"))],
    }
    return _printed("room_list", N_("List of the room"), data, room.sitting, language, institution, zone, now)


def door_plan(room: Room, *, language: str, institution: Mapping[str, str], zone: ZoneInfo, now: datetime) -> bytes:
    """Who sits where, for the door: seat and candidate number, found by number."""

    def say(text: str) -> str:
        return sentence(language, text)

    seats = sorted(_seats(room), key=lambda seat: seat.application.candidate_number or "")
    data = {
        "room": room.name,
        "facts": _frame(room.sitting, language, zone),
        "head": [say(N_("Candidate number")), say(N_("Seat"))],
        "rows": [[seat.application.candidate_number or "", seat.place] for seat in seats],
    }
    return _printed("door_plan", N_("Seats in this room"), data, room.sitting, language, institution, zone, now)


def summonses(
    seats: Iterable[Seat], *, language: str, institution: Mapping[str, str], zone: ZoneInfo, now: datetime
) -> bytes:
    """One page for each seat: where and when, and what to bring.  At least one seat, all of one sitting."""
    chosen = list(seats)
    sitting = chosen[0].sitting
    limit = competitions.regulation(sitting.competition).late_limit(sitting.minutes)

    def say(text: str, **params: object) -> str:
        return sentence(language, text, **params)

    data: dict[str, Any] = {
        "title": say(N_("Summons to the exam")),
        "pages": [
            [
                [say(N_("Candidate")), seat.application.account.name],
                [say(N_("Candidate number")), seat.application.candidate_number or ""],
                *_frame(sitting, language, zone),
                [say(N_("Minutes")), str(sitting.minutes + seat.extra_minutes)],
                [say(N_("Room")), seat.room.name],
                [say(N_("Seat")), seat.place],
            ]
            for seat in chosen
        ],
        "notes": [
            say(N_("Bring the identity document that you named in your application."))
            + " "
            + say(N_("At the door you get a slip with a one-time code; with it you sign in at your place.")),
            say(N_("Everybody begins at the bell. Nobody is admitted later than %(late)d minutes after it."), late=limit),
            say(N_("Your answers are stored as you write. When you have handed in, keep the receipt: it proves what you handed in.")),
        ],
    }
    return _printed("summons", N_("Summons to the exam"), data, sitting, language, institution, zone, now)


def _printed(
    name: str,
    title: str,
    data: Mapping[str, Any],
    sitting: Sitting,
    language: str,
    institution: Mapping[str, str],
    zone: ZoneInfo,
    now: datetime,
) -> bytes:
    return documents.pdf(
        "sittings",
        name,
        data,
        title=sentence(language, title),
        language=language,
        institution=in_language(institution, language),
        moment=now.astimezone(zone),
    )
