"""Competitions led to the point where all marks are locked: from there the room results goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.orm import Session

from examsvc.competitions.regulation import Regulation, read_preset
from examsvc.marking import objective
from examsvc.sittings.models import Sitting
from tests.exam_hall import BELL, ExamHall

NAMES = ("An", "Bình", "Chi", "Dung", "Giang", "Hải", "Hoa")
"""Hoa misses the hurdle of the test; Giang and Hải are equal in everything."""
RIGHT = {"An": 9, "Bình": 8, "Chi": 9, "Dung": 7, "Giang": 6, "Hải": 6, "Hoa": 2}
ESSAYS = {"An": (15, 16), "Bình": (12, 13), "Chi": (15, 16), "Dung": (11, 12), "Giang": (13, 13), "Hải": (13, 13), "Hoa": (12, 12)}
HEARD: dict[str, list[int]] = {
    "An": [80, 82, 84, 86, 88],
    "Bình": [70, 72, 74, 76, 78],
    "Chi": [79, 81, 83, 85, 87],
    "Dung": [60, 62, 64, 66, 68],
    "Giang": [65, 65, 65, 65, 65],
    "Hải": [65, 65, 65, 65, 65],
}


def whole(session: Session) -> ExamHall:
    """Seven candidates for one post through test, essay and defence of the demonstration regulation."""
    hall = ExamHall(session, read_preset("demo"))
    for phase in ("announced", "applications"):
        hall.phase(phase)
    for name in NAMES:
        hall.candidate(name)
    test_form = hall.paper()
    essay_form = hall.paper("essay", [{"count": 1, "marks": "20", "kinds": ["essay"]}])
    hall.phase("exam")
    test = hall.sitting(test_form)
    essay = hall.sitting(essay_form, "essay", bell=BELL + timedelta(hours=2))
    hall.write_all(list(NAMES), test, RIGHT)
    hall.write_all(list(NAMES), essay)
    with hall.write():
        objective.mark_objective(session, session.get_one(Sitting, test), now=hall.now)
    hall.code_and_draw(essay)
    for name, marks in ESSAYS.items():
        assert hall.mark_script(name, *marks) == "settled"
    hall.lock("written")
    hall.unblind("written")
    hall.hear(HEARD)
    hall.lock("defence")
    return hall


def led_through_a_test(
    session: Session,
    right: dict[str, int],
    regulation: Regulation | None = None,
    posts: str = "A",
    before_the_lock: Callable[[ExamHall], None] | None = None,
) -> ExamHall:
    """One computer test only, with so many right answers of ten; names ending in "B" apply for the post B."""
    hall = ExamHall(session, regulation, posts=posts)
    for phase in ("announced", "applications"):
        hall.phase(phase)
    for name in right:
        hall.candidate(name, post="B" if name.endswith("B") and "B" in posts else "A")
    form = hall.paper()
    hall.phase("exam")
    sitting = hall.sitting(form)
    hall.write_all(list(right), sitting, right)
    if before_the_lock is not None:
        before_the_lock(hall)
    hall.mark(sitting)
    return hall
