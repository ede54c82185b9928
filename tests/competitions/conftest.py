"""A competition that is open and staffed but not yet set up, copied for each test instead of being made anew."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from examsvc.base.database import make_engine
from examsvc.competitions.regulation import read_preset
from tests.exam_hall import ExamHall
from tests.web import World

Halls = Callable[[], ExamHall]


class _Kept:
    """A database file with a hall in it, and what the hall knows beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, object] = {}

    def build(self, template: Path, *, announced: bool) -> None:
        shutil.copyfile(template, self.path)
        engine = make_engine(f"sqlite:///{self.path}")
        with Session(engine) as session:
            hall = ExamHall(session, read_preset("demo"), posts="AB")
            if announced:
                hall.phase("announced")
            self.known = {name: value for name, value in vars(hall).items() if name != "session"}
        with engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()

    def revive(self, session: Session) -> ExamHall:
        hall = ExamHall.__new__(ExamHall)
        vars(hall).update(self.known, people=dict(self.known["people"]), applications={}, session=session)  # type: ignore[call-overload]
        return hall


@pytest.fixture(scope="session")
def draft_file(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> _Kept:
    kept = _Kept(tmp_path_factory.mktemp("draft") / "draft.sqlite")
    kept.build(sqlite_template, announced=False)
    return kept


@pytest.fixture(scope="session")
def announced_file(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> _Kept:
    kept = _Kept(tmp_path_factory.mktemp("announced") / "announced.sqlite")
    kept.build(sqlite_template, announced=True)
    return kept


def _hall(kept: _Kept, folder: Path) -> Iterator[ExamHall]:
    path = folder / "examsvc.sqlite"
    shutil.copyfile(kept.path, path)
    engine = make_engine(f"sqlite:///{path}")
    with Session(engine) as session:
        yield kept.revive(session)
    engine.dispose()


@pytest.fixture
def draft(draft_file: _Kept, tmp_path: Path) -> Iterator[ExamHall]:
    """The demonstration's regulation, two posts, everybody in office; nothing confirmed, dated or pinned."""
    yield from _hall(draft_file, tmp_path)


@pytest.fixture
def announced(announced_file: _Kept, tmp_path: Path) -> Iterator[ExamHall]:
    """The same with its notice published; applications open in five minutes."""
    yield from _hall(announced_file, tmp_path)


@pytest.fixture
def draft_pages(draft: ExamHall, tmp_path: Path) -> World:
    return World(tmp_path, f"sqlite:///{tmp_path}/examsvc.sqlite", draft.now)


@pytest.fixture
def announced_pages(announced: ExamHall, tmp_path: Path) -> World:
    return World(tmp_path, f"sqlite:///{tmp_path}/examsvc.sqlite", announced.now)
