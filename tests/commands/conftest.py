"""Databases to copy from and to restore into, once of each kind."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from examsvc.base.database import make_engine
from examsvc.settings import Settings
from tests.conftest import _admin, _named, _numbers, at_newest_version, sqlite_copy
from tests.exam_hall import ExamHall

Carried = Callable[[Settings], Settings]
KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@contextmanager
def database(request: pytest.FixtureRequest, kind: str, folder: Path) -> Iterator[Engine]:
    """A database of its own with tables and no rows."""
    server = name = ""
    if kind == "sqlite":
        address = sqlite_copy(request.getfixturevalue("sqlite_template"), folder)
    else:
        template, server = request.getfixturevalue("postgres_template"), request.getfixturevalue("postgres_server")
        name = f"commands_{next(_numbers)}"
        with _admin(server).connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        address = _named(server, name)
    made = make_engine(address)
    at_newest_version(made)
    yield made
    made.dispose()
    if name:
        with _admin(server).connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(params=KINDS)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database to restore into, once of each kind."""
    (tmp_path / "target").mkdir()
    with database(request, request.param, tmp_path / "target") as made:
        yield made


@pytest.fixture
def empty_sqlite(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database to restore into, where its kind does not matter."""
    (tmp_path / "target").mkdir()
    with database(request, "sqlite", tmp_path / "target") as made:
        yield made


@dataclass(frozen=True)
class Furnished:
    """A database with a competition in it, and the settings of its installation."""

    engine: Engine
    settings: Settings
    hall: ExamHall
    slug: str = "mot"


def furnish(engine: Engine, folder: Path) -> Furnished:
    """Two candidates handed in their files."""
    with Session(engine) as session:
        hall = ExamHall(session)
        hall.phase("announced")
        hall.phase("applications")
        for name in ("An", "Bình"):
            hall.candidate(name)
    settings = Settings(mode="test", folder=folder / "installation")
    for key in (settings.people_key, settings.bank_keys, settings.log_key):
        key()
    return Furnished(engine, settings, hall)


@pytest.fixture(scope="module", params=KINDS)
def furnished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furnished]:
    """A competition once on each kind of database; nobody writes to it."""
    folder = tmp_path_factory.mktemp("furnished")
    with database(request, request.param, folder) as made:
        yield furnish(made, folder)


@pytest.fixture(scope="module")
def furnished_sqlite(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furnished]:
    """A competition where the kind of database does not matter; nobody writes to it."""
    folder = tmp_path_factory.mktemp("furnished")
    with database(request, "sqlite", folder) as made:
        yield furnish(made, folder)


@pytest.fixture
def carried(tmp_path: Path) -> Carried:
    """Another machine to which the keys of an installation were carried."""

    def carry(settings: Settings) -> Settings:
        shutil.copytree(settings.folder / "keys", tmp_path / "elsewhere" / "keys")
        return Settings(mode="test", folder=tmp_path / "elsewhere")

    return carry
