"""`examsvc demo` lets anybody in with a click, so it must never meet an installation of real people."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examsvc.accounts.models import Account
from examsvc.base.database import make_engine
from examsvc.base.errors import Refused
from examsvc.demonstration import build
from tests.exam_hall import ExamHall


def start(folder: Path) -> None:
    list(build.ensure(folder, "http://localhost"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


@pytest.fixture(autouse=True)
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EXAMSVC_DATABASE_URL", raising=False)


def test_the_folder_of_an_installation_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "installation"
    (folder / "keys").mkdir(parents=True)
    (folder / "keys" / "people").write_text("kept")
    (folder / "examsvc.sqlite").write_bytes(b"real people")
    before = contents(folder)
    with pytest.raises(Refused, match=r"is not empty and holds no demonstration. Name another one with --folder"):
        start(folder)
    assert contents(folder) == before


def test_a_database_in_use_is_left_as_it_is(session: Session, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ExamHall(session)
    session.commit()
    people = session.scalar(select(func.count(Account.id)))
    monkeypatch.setenv("EXAMSVC_DATABASE_URL", address)
    with pytest.raises(Refused, match=r"is in use: it has tables. A demonstration is built in an empty database"):
        start(tmp_path / "demo")
    session.rollback()
    assert session.scalar(select(func.count(Account.id))) == people
    assert list((tmp_path / "demo").iterdir()) == [], "not even the mark of a demonstration, under which its files could be cleared away"


def test_a_password_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "building").touch()
    (folder / "ready").write_text("examsvc.sqlite\n")
    monkeypatch.setenv("EXAMSVC_DATABASE_URL", "postgresql://ministry:geheim@127.0.0.1/real")
    with pytest.raises(Refused) as told:
        start(folder)
    assert "is in the database examsvc.sqlite, but the settings name postgresql+psycopg://ministry:***@127.0.0.1/real." in str(told.value)


def test_a_demonstration_elsewhere_is_not_mistaken_for_one_in_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "building").touch()
    (folder / "ready").write_text("postgresql+psycopg://postgres@/demo\n")
    with pytest.raises(Refused, match="Change EXAMSVC_DATABASE_URL, or name another folder with --folder"):
        start(folder)
    assert not (folder / "examsvc.sqlite").exists()


def test_a_build_that_was_cut_off_is_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "building").touch()
    (folder / "examsvc.sqlite").write_bytes(b"half a database")
    monkeypatch.setattr(build.story, "tell", lambda session, *_, **__: ExamHall(session))
    monkeypatch.setattr(build, "sign", lambda *_: None)
    monkeypatch.setattr(build.vault, "use", lambda _: None)  # the tests' own key stays
    start(folder)
    engine = make_engine(f"sqlite:///{folder / 'examsvc.sqlite'}")
    with Session(engine) as opened:
        assert opened.scalar(select(func.count(Account.id)))
    engine.dispose()
    assert (folder / "ready").read_text() == "examsvc.sqlite\n"
