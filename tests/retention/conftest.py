"""One published competition with planted people, that tests copy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from examsvc.base.database import make_engine
from examsvc.ledger import queries
from examsvc.ledger.operations import REGISTRY
from tests.conftest import _admin, _named, sqlite_copy
from tests.ledger.local_witnesses import install
from tests.retention.planted import Planted, led


@pytest.fixture(scope="session")
def published(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    folder = tmp_path_factory.mktemp("planted")
    engine = make_engine(sqlite_copy(sqlite_template, folder))
    with Session(engine) as session:
        hall = led(session)
        kept = {name: value for name, value in vars(hall).items() if name != "session"}
    raw = engine.raw_connection()
    raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    engine.dispose()
    return folder / "examsvc.sqlite", kept


@pytest.fixture
def hall(published: tuple[Path, dict[str, object]], tmp_path: Path) -> Iterator[Planted]:
    """The competition in a file of its own, with witnesses at hand."""
    path, kept = published
    (tmp_path / "database").mkdir()
    engine = make_engine(sqlite_copy(path, tmp_path / "database"))
    with Session(engine) as session:
        yield remembered(session, kept, tmp_path)
    engine.dispose()


def remembered(session: Session, kept: dict[str, object], folder: Path) -> Planted:
    found = Planted.__new__(Planted)
    vars(found).update(kept, session=session)
    (folder / "witnesses").mkdir()
    install(folder / "witnesses", *(queries.current_key(session, log)[1] for log in (REGISTRY, "mot")))
    return found


@pytest.fixture
def postgres_session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """A session on an empty PostgreSQL database of its own."""
    template, server = request.getfixturevalue("postgres_template"), request.getfixturevalue("postgres_server")
    name = f"erasure_{os.getpid()}"
    admin = _admin(server)
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    engine = make_engine(_named(server, name))
    with Session(engine) as session:
        yield session
    engine.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
