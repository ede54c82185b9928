"""A sitting that is arranged once on each kind of database and copied for every test."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from examsvc.base.database import make_engine
from tests.conftest import _admin, sqlite_copy
from tests.conftest import _named as on_server
from tests.exam_hall import BELL, ExamHall
from tests.sittings.exam_day import Day

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Arranged:
    """Where the arranged database is, and what its hall remembers beside it."""

    place: str
    remembered: dict[str, Any]

    def hall(self, session: Session) -> ExamHall:
        made = object.__new__(ExamHall)
        vars(made).update({name: dict(v) if isinstance(v, dict) else v for name, v in self.remembered.items()})
        made.session = session
        return made


def _arrange(address: str) -> dict[str, Any]:
    """An and Bình (with five minutes more) are summoned to a test of six questions and an essay, in ten minutes."""
    engine = make_engine(address)
    with Session(engine) as session:
        hall = ExamHall(session)
        for phase in ("announced", "applications"):
            hall.phase(phase)
        for name in ("An", "Bình"):
            hall.candidate(name)
        cells = [{"count": 6, "marks": "4", "kinds": ["single"]}, {"count": 1, "marks": "16", "kinds": ["essay"]}]
        form = hall.paper(cells=cells, spare=True, mixed=True)
        hall.phase("exam")
        hall.sitting_id = hall.sitting(form, extra={"Bình": 5})
        assert hall.now <= BELL - timedelta(minutes=10)
        hall.now = BELL - timedelta(minutes=10)
        remembered = {name: value for name, value in vars(hall).items() if name != "session"}
    engine.dispose()
    return remembered


@pytest.fixture(scope="session")
def arranged_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Arranged:
    folder = tmp_path_factory.mktemp("arranged")
    address = sqlite_copy(sqlite_template, folder)
    remembered = _arrange(address)
    engine = make_engine(address)
    raw = engine.raw_connection()
    raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    engine.dispose()
    return Arranged(address.removeprefix("sqlite:///"), remembered)


@pytest.fixture(scope="session")
def arranged_postgres(postgres_server: str, postgres_template: str) -> Arranged:
    name = f"arranged_{os.getpid()}"
    admin = _admin(postgres_server)
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {postgres_template}"))
    admin.dispose()
    return Arranged(name, _arrange(on_server(postgres_server, name)))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def arranged(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Arranged]]:
    """Address of a copy of the arranged database, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        found: Arranged = request.getfixturevalue("arranged_sqlite")
        yield sqlite_copy(Path(found.place), tmp_path), found
        return
    found = request.getfixturevalue("arranged_postgres")
    server = request.getfixturevalue("postgres_server")
    name = f"sitting_{os.getpid()}_{next(_numbers)}"
    admin = _admin(server)
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {found.place}"))
    yield on_server(server, name), found
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def hall(arranged: tuple[str, Arranged]) -> Iterator[ExamHall]:
    """Ten minutes before the bell, nobody checked in; on both databases."""
    address, found = arranged
    engine = make_engine(address)
    with Session(engine) as session:
        yield found.hall(session)
    engine.dispose()


@pytest.fixture
def writing_hall(hall: ExamHall) -> ExamHall:
    """An and Bình are writing; one minute after the bell."""
    hall.now = BELL - timedelta(minutes=5)
    for name in ("An", "Bình"):
        hall.check_in(name)
    hall.bell(hall.sitting_id)
    hall.later(minutes=1)
    return hall


@pytest.fixture
def day_on(tmp_path: Path) -> Iterator[Callable[[str, Arranged], Day]]:
    made: list[Day] = []

    def open_day(address: str, found: Arranged) -> Day:
        engine = make_engine(address)
        made.append(Day(tmp_path, address, engine, found.hall(Session(engine))))
        return made[-1]

    yield open_day
    for day in made:
        day.close()


@pytest.fixture
def day(arranged_sqlite: Arranged, tmp_path: Path, day_on: Callable[[str, Arranged], Day]) -> Day:
    """The arranged sitting behind its web pages, on SQLite."""
    folder = tmp_path / "day"
    folder.mkdir()
    return day_on(sqlite_copy(Path(arranged_sqlite.place), folder), arranged_sqlite)


@pytest.fixture
def either_day(arranged: tuple[str, Arranged], day_on: Callable[[str, Arranged], Day]) -> Day:
    """The arranged sitting behind its web pages, once on SQLite and once on PostgreSQL."""
    return day_on(*arranged)


