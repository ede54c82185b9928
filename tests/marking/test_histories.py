"""One competition with everything that happens while people mark, to the published ranking, on both databases."""

from __future__ import annotations

from fractions import Fraction

from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.marking import calibration, queries
from examsvc.marking.models import Allocation
from tests.ledger_check import assert_valid
from tests.marking.conftest import written
from tests.marking.test_scripts import allocation, ask, bodies, change_guide, recognise


def test_joint_marking_a_recognised_script_a_changed_guide_and_a_third_mark(session: Session) -> None:
    hall = written(session)
    scripts = calibration.joint_scripts(session, hall.competition, "essay", hall.now)
    with hall.write():
        marks = {hall.people[f"Marker{n}"]: {one.code: str(10 + n) for one in scripts} for n in (1, 2)}
        calibration.hold(session, hall.competition, part="essay", marks=marks, by=hall.people["Chief"], now=hall.now)
    leaving = recognise(hall, "Chi", 2)
    ask(hall, leaving, "recognised")
    assert hall.approve_all("Chair") == 1
    session.expire_all()
    assert hall.mark_script("An", 15, 16) == "settled"
    assert hall.mark_script("Bình", 10, 14) == "third-marking"
    change_guide(hall, "Chấp nhận cả hai cách.")
    assert hall.mark_script("An", 17, 18) == "settled"
    assert hall.mark_script("Bình", 10, 14) == "third-marking"
    assert hall.mark_script("Bình", 13, first=3) == "settled"
    assert hall.mark_script("Chi", 12, 12) == "settled"
    with hall.write():
        third = session.get_one(Allocation, allocation(hall, "Bình", 3).id)
        assert third.sheet is not None
    hall.lock("written")
    assert len(bodies(hall, "blind.map")) == 1
    assert queries.part_marks(session, hall.competition, "essay") == {}, "nobody knows whose marks are locked"
    hall.unblind("written")
    marks_of = queries.part_marks(session, hall.competition, "essay")
    assert marks_of[hall.number("An")] == Fraction(35, 2)
    hall.approve_all("Secretary")
    assert hall.approve_all("Chair") == 1, "two others put the recusal of the marker who recognised a script on record"
    assert accounts.recused(session, "mot", leaving.marker_id) == {hall.application("Chi").account_id}
    hall.hear({"An": [80, 80, 80, 80, 80], "Bình": [70, 70, 70, 70, 70], "Chi": [60, 60, 60, 60, 60]})
    hall.lock("defence")
    (post,) = hall.publish().content["posts"]
    # 36 + 1.5 × 17.5 + 0.3 × 80 = 86.25
    assert [(row["name"], row["total"]) for row in post["rows"]] == [("An", "86.25")]
    assert_valid(session, "mot", complete=True)
