"""Whole competitions, from the notice to the published ranking, on both databases."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.base import jobs
from examsvc.ledger.models import LogEntry
from examsvc.sittings.models import Sitting
from tests.exam_hall import BELL, ExamHall


def test_one_post_with_a_computer_test_only(session: Session) -> None:
    hall = ExamHall(session)
    hall.phase("announced")
    hall.phase("applications")
    for name in ("An", "Bình", "Chi"):
        hall.candidate(name)
    form = hall.paper()
    hall.phase("exam")
    sitting = hall.sitting(form)
    hall.now = BELL - timedelta(minutes=10)
    for name in ("An", "Bình"):
        hall.check_in(name)
    hall.bell(sitting)
    hall.later(minutes=1)
    for name, right in (("An", 8), ("Bình", 6)):
        lease = hall.lease(name)
        for slot in range(1, right + 1):
            reply = hall.save(name, slot, hall.right_value(name, slot), lease=lease)
            assert reply["version"] == 1
            assert reply["late"] is False
        if name == "An":
            assert hall.submit(name, lease)["answered"] == 8
    assert hall.close(sitting) is False, "Bình's time is not over"
    hall.later(minutes=30)
    assert hall.close(sitting) is True
    assert hall.mark(sitting) == {"001": Fraction(32), "002": Fraction(24)}
    publication = hall.publish()
    assert [(row["rank"], row["name"], row["total"]) for row in publication.content["rows"]] == [(1, "An", "32")]
    assert hall.attempt("Chi").state == "absent"


def test_the_clock_rings_commits_and_closes_by_itself(session: Session) -> None:
    hall = ExamHall(session)
    for phase in ("announced", "applications"):
        hall.phase(phase)
    for name in ("An", "Bình"):
        hall.candidate(name)
    form = hall.paper()
    sitting = hall.sitting(form)
    hall.now = BELL - timedelta(minutes=5)
    hall.check_in("An")
    jobs.work(session, hall.now)
    assert session.get_one(Sitting, sitting).started_at is None
    hall.now = BELL
    jobs.work(session, hall.now)
    assert session.get_one(Sitting, sitting).started_at == BELL
    lease = hall.lease("An")
    hall.save("An", 1, hall.right_value("An", 1), lease=lease)
    for _ in range(22):
        hall.later(minutes=1)
        jobs.work(session, hall.now)
    assert session.get_one(Sitting, sitting).closed_at == BELL + timedelta(minutes=21)
    types = list(session.scalars(select(LogEntry.type).where(LogEntry.log == "mot").order_by(LogEntry.position)))
    assert types.count("sitting.heads") == 21
    assert types[-3:] == ["attempt.submitted", "attempt.absent", "sitting.closed"]
