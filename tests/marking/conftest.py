"""A competition whose essays are written, coded and drawn to four markers, made once and copied for each test."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examsvc.accounts import approvals
from examsvc.base.database import make_engine, writing
from examsvc.competitions.regulation import read_preset
from examsvc.marking import objective
from examsvc.sittings.models import Sitting
from tests.conftest import sqlite_copy
from tests.exam_hall import BELL, ExamHall
from tests.web import World

NAMES = ("An", "Bình", "Chi")


class Drawn:
    """The database of the competition, and the hall that led it there (without its session)."""

    def __init__(self, path: Path, hall: ExamHall) -> None:
        self.path, self.hall = path, hall


@pytest.fixture(scope="session")
def drawn(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    folder = tmp_path_factory.mktemp("drawn")
    engine = make_engine(sqlite_copy(sqlite_template, folder))
    with Session(engine) as session:
        hall = written(session)
        raw = engine.raw_connection()
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.close()
    engine.dispose()
    return Drawn(folder / "examsvc.sqlite", hall)


def written(session: Session, essays: int = 1) -> ExamHall:
    """Three candidates of the demonstration regulation have sat test and essay; the scripts are drawn."""
    hall, essay = sat(session, essays)
    hall.code_and_draw(essay)
    return hall


def sat(session: Session, essays: int = 1) -> tuple[ExamHall, int]:
    """The hall before anything is coded, and the sitting of the essays, so many of each candidate."""
    hall = ExamHall(session, read_preset("demo"))
    for phase in ("announced", "applications"):
        hall.phase(phase)
    for name in NAMES:
        hall.candidate(name)
    test_form = hall.paper()
    essay_form = hall.paper("essay", [{"count": essays, "marks": str(20 // essays), "kinds": ["essay"]}])
    hall.phase("exam")
    test = hall.sitting(test_form)
    essay = hall.sitting(essay_form, "essay", bell=BELL + timedelta(hours=2))
    hall.write_all(list(NAMES), test, {"An": 9, "Bình": 8, "Chi": 7})
    hall.write_all(list(NAMES), essay)
    with writing(session):
        objective.mark_objective(session, session.get_one(Sitting, test), now=hall.now)
    return hall, essay


@pytest.fixture
def hall(drawn: Drawn, tmp_path: Path) -> Iterator[ExamHall]:
    """The hall over a copy of its database."""
    engine = make_engine(sqlite_copy(drawn.path, tmp_path))
    with Session(engine) as session:
        made = copy(drawn.hall)
        made.session, made.people = session, dict(drawn.hall.people)
        yield made
    engine.dispose()


class Office(World):
    """The application over a copy of the competition, with browsers for its people."""

    hall: ExamHall

    def as_(self, person: str, language: str = "en") -> FlaskClient:
        """The person's browser, in this language."""
        client = self.client(self.hall.people[person])
        client.get(f"/language/{language}")
        return client

    def approve(self, person: str) -> int:
        """Everything that waits gets this person's approval; how many steps that carried out."""
        done = 0
        with self.session() as session:
            for number, digest in [(one.id, one.digest) for one in approvals.waiting(session, "mot", self.now)]:
                with writing(session):
                    by = self.hall.people[person]
                    done += approvals.approve(session, number, by=by, digest=digest, now=self.now)
        return done


@pytest.fixture
def office(drawn: Drawn, tmp_path: Path) -> Office:
    made = Office(tmp_path, sqlite_copy(drawn.path, tmp_path), drawn.hall.now + timedelta(hours=1))
    made.hall = drawn.hall
    return made
