"""Whole competitions, from the notice to the published ranking, on both databases."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.base.errors import Refused
from examsvc.competitions.regulation import read_preset
from examsvc.ledger.models import LogEntry
from examsvc.marking import essays, hearings, objective, queries
from examsvc.sittings.models import Sitting
from tests.exam_hall import BELL, ExamHall
from tests.ledger_check import assert_valid


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
    assert hall.mark(sitting) == {hall.number("An"): Fraction(32), hall.number("Bình"): Fraction(24)}
    publication = hall.publish()
    (post,) = publication.content["posts"]
    assert [(row["rank"], row["name"], row["total"]) for row in post["rows"]] == [(1, "An", "32")]
    assert hall.attempt("Chi").state == "absent"
    assert_valid(session, "mot", complete=True)
    assert_valid(session, "registry")


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
    hall.work()
    assert session.get_one(Sitting, sitting).started_at is None
    hall.now = BELL
    hall.work()
    assert session.get_one(Sitting, sitting).started_at == BELL
    lease = hall.lease("An")
    hall.save("An", 1, hall.right_value("An", 1), lease=lease)
    for _ in range(22):
        hall.later(minutes=1)
        hall.work()
    assert session.get_one(Sitting, sitting).closed_at == BELL + timedelta(minutes=21)
    types = list(session.scalars(select(LogEntry.type).where(LogEntry.log == "mot").order_by(LogEntry.position)))
    assert types.count("sitting.heads") == 21
    assert types[-3:] == ["attempt.submitted", "attempt.absent", "sitting.closed"]
    assert_valid(session, "mot")


def test_test_essay_and_defence_for_two_posts(session: Session) -> None:
    """The whole competition of the demonstration regulation: hurdles, two markers and a third, a panel of five."""
    hall = ExamHall(session, read_preset("demo"), posts="AB")
    for phase in ("announced", "applications"):
        hall.phase(phase)
    names = ["An", "Bình", "Chi", "Dung"]
    for place, name in enumerate(names):
        hall.candidate(name, post="AB"[place % 2])
    test_form = hall.paper()
    essay_form = hall.paper("essay", [{"count": 1, "marks": "20", "kinds": ["essay"]}])
    hall.phase("exam")
    test_sitting = hall.sitting(test_form)
    essay_sitting = hall.sitting(essay_form, "essay", bell=BELL + timedelta(hours=2))
    hall.write_all(names, test_sitting, {"An": 9, "Bình": 8, "Chi": 7, "Dung": 3})
    hall.write_all(names, essay_sitting)
    with hall.write():
        objective.mark_objective(session, session.get_one(Sitting, test_sitting), now=hall.now)
    hall.code_and_draw(essay_sitting)

    assert hall.mark_script("An", 15, 16) == "settled"
    assert hall.mark_script("Bình", 10, 14) == "third-marking"
    assert hall.mark_script("Bình", 13, first=3) == "settled"
    assert hall.mark_script("Dung", 12, 12) == "settled"
    assert hall.mark_script("Chi", 12, 15) == "agreeing"
    script = hall.script_of("Chi")
    for allocation in queries.active_allocations(script):
        with hall.write():
            essays.propose_agreement(
                session, allocation, mark="13,5", reason="đã thống nhất", by=allocation.marker_id, now=hall.now
            )
    session.expire_all()
    assert hall.script_of("Chi").settlements[-1].manner == "agreed"

    hall.lock("written")
    with pytest.raises(Refused, match="code map"):
        hall.publish()
    hall.unblind("written")
    hall.hear({"An": [80, 82, 84, 86, 88], "Bình": [70, 70, 70, 70, 70], "Chi": [90, 60, 88, 89, 91]})
    outlier = next(one for one in queries.hearings(session, hall.competition_id, "plan-defence") if one.state == "shown")
    far = next(one for one in queries.sitting_members(outlier) if one.sheets[-1].total == "60")
    with hall.write():
        hearings.explain(session, far, text="kế hoạch tài chính chưa khả thi", by=far.member_id, now=hall.now)
    hall.lock("defence")
    publication = hall.publish()
    winners = {
        post["post"]: (row["name"], row["total"])
        for post in publication.content["posts"]
        for row in post["rows"]
        if row["outcome"] == "chosen"
    }
    # A: An 36 + 1.5 × 15.5 + 0.3 × 84 = 84.45; Chi 28 + 1.5 × 13.5 + 0.3 × 89 = 74.95
    # B: Bình 32 + 1.5 × 37/3 (mean of three, rounded to 12.33) + 0.3 × 70 = 71.495 → 71.5; Dung missed the hurdle of the test
    assert winners == {"A": ("An", "84.45"), "B": ("Bình", "71.5")}
    assert_valid(session, "mot", complete=True)
