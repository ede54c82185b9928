"""Commands without an installation, without a database, or with one of another release: one sentence that says what to do, and nothing made."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, inspect, text

from examsvc import cli
from examsvc.base.database import make_engine
from examsvc.base.errors import Refused
from examsvc.migrations import apply

WORKING = [
    ["database", "upgrade"],
    ["database", "check"],
    ["competitions"],
    ["worker", "--once"],
    ["serve"],
    ["backup", "copies"],
    ["bundle", "somewhere", "-o", "bundle.zip"],
    ["bank", "export", "public-leadership", "--format", "aiken", "-o", "bank.txt"],
]
FILLING = [
    ["init", "--first", "Lý Quốc Hưng <hung@example.vn>", "--second", "Mạc Thu Hà <ha@example.vn>"],
    ["demo", "--build-only"],
]
OLD = "The database is not at the version of this release, 0001. Make a backup, then run: examsvc database upgrade"
NONE_YET = "There is no database yet. Begin with examsvc init, or restore a backup."


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, with the settings as they are by themselves."""
    for name in ("EXAMSVC_MODE", "EXAMSVC_BASE_URL", "EXAMSVC_DEFAULT_LANGUAGE", "EXAMSVC_DATABASE_URL"):
        monkeypatch.setenv(name, "")  # noted, so that what `demo` sets is taken back too
        monkeypatch.delenv(name)
    monkeypatch.setenv("EXAMSVC_FOLDER", "kept")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command says on standard error before it ends with status 1."""
    monkeypatch.setattr(sys, "argv", ["examsvc", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err.strip()


@pytest.mark.parametrize(
    "address",
    ["nonsense", "sqlite://", "mysql://ministry:geheim@db/real", "postgresql://ministry:geheim@db:port/real", "postgresql+asyncpg://ministry:geheim@db/real"],
)
@pytest.mark.parametrize("arguments", [*WORKING, *FILLING, ["doctor"]], ids=" ".join)
def test_no_address_of_a_database(
    arguments: list[str], address: str, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong is said without the address, which may hold a password, and nothing is made."""
    monkeypatch.setenv("EXAMSVC_DATABASE_URL", address)
    monkeypatch.setattr(sys, "argv", ["examsvc", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    printed = capsys.readouterr()
    said = printed.out + printed.err
    assert "is not the address of an SQLite or PostgreSQL database; write for example postgresql://" in " ".join(said.split())
    assert "Traceback" not in said
    assert "geheim" not in said
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("arguments", WORKING, ids=" ".join)
def test_no_installation(arguments: list[str], here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(arguments, monkeypatch, capsys) == NONE_YET
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("arguments", WORKING + FILLING, ids=" ".join)
def test_no_server_of_the_database(
    arguments: list[str], here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:  # nobody listens on a port that is only bound
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("EXAMSVC_DATABASE_URL", f"postgresql://ministry:geheim@127.0.0.1:{taken.getsockname()[1]}/real")
        said = told(arguments, monkeypatch, capsys)
    assert said.startswith("The database does not answer: connection failed")
    assert said.endswith("Check EXAMSVC_DATABASE_URL.")
    assert "geheim" not in said
    assert not list(here.rglob("keys"))


@pytest.mark.parametrize("arguments", [one for one in WORKING if one[0] not in ("database", "backup")], ids=" ".join)
def test_tables_of_another_release(
    arguments: list[str], empty: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(apply, "missing", lambda engine: ["0001"])  # there is one version so far, so no older one
    monkeypatch.setenv("EXAMSVC_DATABASE_URL", empty.url.render_as_string(hide_password=False))
    assert told(arguments, monkeypatch, capsys) == OLD


@pytest.mark.parametrize("arguments", WORKING, ids=" ".join)
def test_tables_of_a_newer_release(
    arguments: list[str], empty_sqlite: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with empty_sqlite.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    monkeypatch.setenv("EXAMSVC_DATABASE_URL", empty_sqlite.url.render_as_string(hide_password=False))
    assert told(arguments, monkeypatch, capsys).startswith("The database is at the version 9999, which this release does not know.")


def test_a_database_without_tables_is_brought_up_to_date(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As its owner does before others begin to work on it."""
    monkeypatch.setenv("EXAMSVC_DATABASE_URL", f"sqlite:///{here / 'empty.sqlite'}")
    (here / "empty.sqlite").touch()
    refused = CliRunner().invoke(cli.examsvc, ["competitions"])
    assert isinstance(refused.exception, Refused)
    assert str(refused.exception) == NONE_YET
    assert CliRunner().invoke(cli.examsvc, ["database", "upgrade"]).exit_code == 0
    engine = make_engine(f"sqlite:///{here / 'empty.sqlite'}")
    assert inspect(engine).has_table("competitions")
    engine.dispose()


def test_a_folder_that_cannot_be_made(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "taken").write_text("a file")
    monkeypatch.setenv("EXAMSVC_FOLDER", str(here / "taken" / "kept"))
    assert told(FILLING[0], monkeypatch, capsys) == f"{here / 'taken' / 'kept'}: Not a directory."
