"""Steps that need a second person, as the tests of this room take them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from examsvc.accounts import approvals
from examsvc.base.database import writing
from examsvc.competitions import announcing, decisions, operations, preparing, queries
from examsvc.competitions.decisions import Kind, Subject
from examsvc.competitions.preparing import Member
from examsvc.demonstration.announcing import TEXTS, ZONE, witness
from tests.exam_hall import ExamHall

WORDS = {"vi": "Kỳ thi thay đổi theo quyết định.", "en": "The competition changes by decision."}


def council(hall: ExamHall) -> list[Member]:
    people = hall.people
    return [
        Member(people["Chair"], "chair"),
        Member(people["Secretary"], "secretary"),
        *(Member(people[f"Member{number}"], "member") for number in (1, 2, 3)),
    ]


def approve(hall: ExamHall, request: int, *names: str) -> None:
    """Everybody named approves in turn on what stands there."""
    for name in names:
        with writing(hall.session):
            found = next(one for one in approvals.waiting(hall.session, "mot", hall.now) if one.id == request)
            approvals.approve(hall.session, request, by=person(hall, name), digest=found.digest, now=hall.now)


def person(hall: ExamHall, name: str) -> int:
    return {"Office": hall.office, "Second": hall.second}.get(name) or hall.people[name]


def confirm_all(hall: ExamHall) -> int:
    with writing(hall.session):
        waiting = {(one.path, one.digest) for one in queries.open_clauses(hall.session, hall.competition, hall.now.date())}
        operations.confirm_clauses(hall.session, hall.competition, waiting, by=hall.people["Secretary"], now=hall.now)
    return len(waiting)


def keys(hall: ExamHall) -> None:
    with writing(hall.session):
        names = queries.regulation(hall.competition).witnesses
        assert names is not None
        preparing.set_witness_keys(hall.session, hall.competition, {name: witness(name) for name in names.names})


def appoint(hall: ExamHall, members: Sequence[Member] | None = None) -> None:
    with writing(hall.session):
        request = preparing.propose_council(
            hall.session,
            hall.competition,
            members or council(hall),
            number="15/QĐ",
            decided_on=hall.now.date(),
            by=hall.office,
            now=hall.now,
        ).id
    approve(hall, request, "Second")


def plan(hall: ExamHall, **dates: Any) -> None:
    """Dates by event, with __ for : and _ for -."""
    named = {name.replace("__", ":").replace("_", "-"): at for name, at in dates.items()}
    with writing(hall.session):
        preparing.plan_dates(hall.session, hall.competition, named, zone=ZONE, by=hall.office, now=hall.now)


def pin(hall: ExamHall) -> None:
    with writing(hall.session):
        request = announcing.propose_pin(hall.session, hall.competition, by=hall.office, now=hall.now).id
    approve(hall, request, "Chair")


def write_texts(hall: ExamHall, texts: Any = TEXTS) -> None:
    with writing(hall.session):
        announcing.save_notice_texts(hall.session, hall.competition, texts, by=hall.office, now=hall.now)


def publish(hall: ExamHall) -> None:
    with writing(hall.session):
        request = announcing.propose_notice(hall.session, hall.competition, zone=ZONE, by=hall.office, now=hall.now).id
    approve(hall, request, "Chair")


def propose(hall: ExamHall, kind: Kind, subject: Subject, *, by: str = "Chair", **more: Any) -> int:
    given = {
        "number": "20/QĐ",
        "decided_on": date(2026, 9, 1),
        "reason": "Bão số 9.",
        "announcement": WORDS,
        "zone": ZONE,
        "now": hall.now,
        **more,
    }
    with writing(hall.session):
        return decisions.propose_decision(
            hall.session, hall.competition, kind, subject, by=person(hall, by), **given
        ).id


def decide(hall: ExamHall, kind: Kind, subject: Subject, **more: Any) -> None:
    """Proposed by the chair, approved by the competent authority."""
    approve(hall, propose(hall, kind, subject, **more), "Authority")
