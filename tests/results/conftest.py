"""One whole competition, marked and locked, that tests copy."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examsvc.accounts import approvals
from examsvc.base.database import make_engine, writing
from tests.conftest import sqlite_copy
from tests.results.marked import whole
from tests.web import World


class Marked:
    """A database in which everything up to the lock has happened, and who is who in it."""

    def __init__(self, path: Path, people: dict[str, int], applications: dict[str, int], now: datetime) -> None:
        self.path, self.people, self.applications, self.now = path, people, applications, now


@pytest.fixture(scope="session")
def marked(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Marked:
    folder = tmp_path_factory.mktemp("marked")
    engine = make_engine(sqlite_copy(sqlite_template, folder))
    with Session(engine) as session:
        hall = whole(session)
        found = Marked(folder / "examsvc.sqlite", dict(hall.people), dict(hall.applications), hall.now + timedelta(hours=1))
        raw = engine.raw_connection()
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.close()
    engine.dispose()
    return found


class Board(World):
    """The application over a copy of the marked competition, with browsers for its people."""

    people: dict[str, int]

    def as_(self, person: str, language: str = "en") -> FlaskClient:
        """The person's browser, in this language."""
        client = self.client(self.people[person])
        client.get(f"/language/{language}")
        return client

    def approve(self, person: str) -> int:
        """Everything that waits gets this person's approval; how many steps that carried out."""
        done = 0
        with self.session() as session:
            for number, digest in [(one.id, one.digest) for one in approvals.waiting(session, "mot", self.now)]:
                with writing(session):
                    done += approvals.approve(session, number, by=self.people[person], digest=digest, now=self.now)
        return done


@pytest.fixture
def board(marked: Marked, tmp_path: Path) -> Board:
    made = Board(tmp_path, sqlite_copy(marked.path, tmp_path), marked.now)
    made.people = marked.people
    return made
