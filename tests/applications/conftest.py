"""Competitions that take applications: made once, then copied for each test, since making one takes a second."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from examsvc.base.database import make_engine
from examsvc.competitions.regulation import read_preset
from tests.applications.hall import Bureau
from tests.conftest import sqlite_copy

BureauOf = Callable[..., Bureau]


@pytest.fixture(scope="session")
def made_bureaus(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], tuple[Path, dict]]:
    """(preset or "", posts) → a database with applications open, and what the hall knows of it."""
    made: dict[tuple[str, str], tuple[Path, dict]] = {}

    def make(preset: str, posts: str) -> tuple[Path, dict]:
        if (preset, posts) not in made:
            address = sqlite_copy(sqlite_template, tmp_path_factory.mktemp("bureau"))
            engine = make_engine(address)
            with Session(engine) as session:
                hall = Bureau(session, read_preset(preset) if preset else None, posts=posts)
                known = {name: value for name, value in vars(hall).items() if name != "session"}
            raw = engine.raw_connection()
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            raw.close()
            engine.dispose()
            made[preset, posts] = Path(address.removeprefix("sqlite:///")), known
        return made[preset, posts]

    return make


@pytest.fixture
def bureau(made_bureaus: Callable[[str, str], tuple[Path, dict]], tmp_path: Path) -> Iterator[BureauOf]:
    """Makes a Bureau of one's own on SQLite; at most one for each test."""
    opened = []

    def make(preset: str = "", posts: str = "A") -> Bureau:
        path, known = made_bureaus(preset, posts)
        own = tmp_path / "bureau.sqlite"
        shutil.copyfile(path, own)
        engine = make_engine(f"sqlite:///{own}")
        session = Session(engine)
        opened.append((engine, session))
        hall = Bureau.__new__(Bureau)
        vars(hall).update({k: v.copy() if isinstance(v, dict) else v for k, v in known.items()}, session=session)
        return hall

    yield make
    for engine, session in opened:
        session.close()
        engine.dispose()
