"""How an installation begins."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import operations, queries
from examsvc.accounts.models import Account, RoleGrant
from examsvc.base.database import make_engine, writing
from examsvc.base.errors import Refused
from examsvc.cli import examsvc
from examsvc.commands.people import read_person
from examsvc.migrations import apply
from tests.accounts.people import NOW

PEOPLE = [("An", "an@example.vn"), ("Bình", "Binh@example.vn ")]


def test_two_administrators_and_nothing_else(session: Session) -> None:
    with writing(session):
        made = operations.initialise(session, PEOPLE, now=NOW)
    assert [one.email for one in made] == ["an@example.vn", "binh@example.vn"]
    for one in made:
        assert queries.roles_of(session, one.account_id, NOW) == {("system-administrator", "")}
        assert operations.find_link(session, one.token, NOW).account_id == one.account_id
    assert len({one.token for one in made}) == 2


def test_never_a_second_time(session: Session) -> None:
    with writing(session):
        operations.initialise(session, PEOPLE, now=NOW)
    with pytest.raises(Refused, match="has accounts already"), writing(session):
        operations.initialise(session, [("C", "c@example.vn"), ("D", "d@example.vn")], now=NOW)
    assert len(session.scalars(select(Account)).all()) == 2


@pytest.mark.parametrize("people", [PEOPLE[:1], [*PEOPLE, ("C", "c@example.vn")], [PEOPLE[0], ("An", "AN@example.vn")], []])
def test_two_different_people_are_needed(any_session: Session, people: list[tuple[str, str]]) -> None:
    with pytest.raises(Refused, match="two different people"), writing(any_session):
        operations.initialise(any_session, people, now=NOW)
    assert any_session.scalars(select(RoleGrant)).all() == []


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMSVC_FOLDER", str(tmp_path / "here"))
    monkeypatch.setenv("EXAMSVC_BASE_URL", "https://thi.example.vn")
    given = ["init", "--first", "Lý Quốc Hưng <hung@example.vn>", "--second", "Mạc Hà <ha@example.vn>"]
    done = CliRunner().invoke(examsvc, given, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    links = re.findall(r"https://thi\.example\.vn/account/set-up/([\w-]{43})", done.output)
    assert len(set(links)) == 2
    key = tmp_path / "here" / "keys" / "people"
    assert key.stat().st_mode & 0o077 == 0
    engine = make_engine(f"sqlite:///{tmp_path / 'here' / 'examsvc.sqlite'}")
    assert apply.missing(engine) == []
    engine.dispose()
    with pytest.raises(Refused, match="accounts already"):
        CliRunner().invoke(examsvc, given, catch_exceptions=False)


@pytest.mark.parametrize("text", ["An", "an@example.vn", "An <an>", "<an@example.vn>", "An <a@b.vn> x", "An <a b@c.vn>"])
def test_a_person_is_named_with_an_address(text: str) -> None:
    import click

    with pytest.raises(click.BadParameter):
        read_person(text)
    assert read_person("  Lý Quốc Hưng  < hung@example.vn > ") == ("Lý Quốc Hưng", "hung@example.vn")
