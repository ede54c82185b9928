"""Copies that hold everything, come back on either kind of database, and are refused when anything is wrong with them."""

from __future__ import annotations

import copy as copying
import hashlib
import json
import re
import shutil
import stat
import threading
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, func, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from examsvc.applications.models import FileVersion
from examsvc.base import backups
from examsvc.base.database import make_engine, writing
from examsvc.base.errors import Refused
from examsvc.cli import examsvc
from examsvc.commands import backup
from examsvc.competitions import logs
from examsvc.ledger.models import LogEntry
from examsvc.migrations.metadata import metadata
from examsvc.settings import Settings
from tests.commands.conftest import (
    KINDS,
    Carried,
    Furnished,
    database,
    furnish,
)
from tests.conftest import at_newest_version, newest_version
from tests.exam_hall import ExamHall

NOW = datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC)


def quiet(_table: str, _done: int, _all: int) -> None:
    """No progress."""


def copy(engine: Engine, path: Path, settings: Settings) -> backups.Manifest:
    return backup.write(engine, path, settings, NOW, quiet)


def rows(engine: Engine) -> int:
    with engine.connect() as connection:
        names = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
        return sum(connection.scalar(text(f"SELECT count(*) FROM {name}")) for name in names)


def test_everything_comes_back_on_either_kind(
    furnished: Furnished, empty: Engine, carried: Carried, tmp_path: Path
) -> None:
    first = copy(furnished.engine, tmp_path / "a.zip", furnished.settings)
    settings = carried(furnished.settings)
    restored, files = backup.put_back(empty, tmp_path / "a.zip", settings, quiet)
    assert restored == first
    assert first.rows == rows(empty) > 200
    assert files == 8
    assert set(first.notes["logs"]) == {"registry", "mot"}
    # the same rows, byte for byte, whichever the two kinds are
    again = backup.write(empty, tmp_path / "b.zip", settings, NOW, quiet)
    assert [(one.name, one.sha256) for one in again.tables] == [(one.name, one.sha256) for one in first.tables]
    assert again.notes == first.notes
    # and life goes on: numbers of rows after the highest, tables that take no deletion
    with Session(empty) as session:
        copy_of(furnished.hall, session).candidate("Dung")
        with writing(session):
            assert [logs.problems(session, log) for log in logs.names(session)] == [[], []]
        with pytest.raises(DBAPIError, match="append-only"), writing(session):
            session.execute(text("DELETE FROM log_entries"))


def copy_of(hall: ExamHall, session: Session) -> ExamHall:
    """The same hall on another database."""
    made = copying.copy(hall)
    made.session = session
    return made


def test_an_installation_comes_back_where_there_are_no_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands, from a new installation to another folder of the same machine."""
    runner = CliRunner()
    for name, value in {"FOLDER": tmp_path / "old", "BASE_URL": "https://thi.example.vn"}.items():
        monkeypatch.setenv(f"EXAMSVC_{name}", str(value))
    people = ["--first", "An <an@example.vn>", "--second", "Bình <binh@example.vn>"]
    assert runner.invoke(examsvc, ["init", *people]).exit_code == 0
    target = tmp_path / "copies" / "of" / "today"
    done = runner.invoke(examsvc, ["backup", str(target), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    (made,) = target.iterdir()
    assert re.fullmatch(r"examsvc-\d{8}T\d{6}Z\.zip", made.name)
    assert told["path"] == str(made)
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert backup.last(Settings()) is not None

    monkeypatch.setenv("EXAMSVC_FOLDER", str(tmp_path / "new"))
    refused = runner.invoke(examsvc, ["restore", str(target)])
    assert isinstance(refused.exception, Refused)
    assert "people, banks, logs" in str(refused.exception)
    assert not (tmp_path / "new" / "keys").exists(), "asking for keys must not make new ones"
    shutil.copytree(tmp_path / "old" / "keys", tmp_path / "new" / "keys")
    shutil.copyfile(made, target / "examsvc-20200101T000000Z.zip")
    done = runner.invoke(examsvc, ["restore", str(target)])
    assert done.exit_code == 0, done.output
    assert f"Restored from {made}" in done.output
    again = runner.invoke(examsvc, ["restore", str(target)])
    assert "is not empty" in str(again.exception)
    engine = make_engine(f"sqlite:///{tmp_path / 'new' / 'examsvc.sqlite'}")
    assert rows(engine) == told["rows"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_is_of_one_moment(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> None:
    """Somebody writes while it is copied: nobody waits, and the copy knows nothing of it."""
    with database(request, kind, tmp_path) as engine:
        furnished = furnish(engine, tmp_path)
        wrote = threading.Event()

        def write_once(table: str, _done: int, _all: int) -> None:
            if wrote.is_set() or table != "accounts":
                return
            wrote.set()
            with Session(engine) as other:
                copy_of(furnished.hall, other).candidate("Dung")

        manifest = backup.write(engine, tmp_path / "a.zip", furnished.settings, NOW, write_once)
        assert wrote.is_set()
        copied = {one.name: one.rows for one in manifest.tables}
        assert copied["applications"] == 2
        with Session(engine) as session:
            assert session.scalar(select(func.count()).select_from(FileVersion)) == copied["file_versions"] + 4
            size = session.scalar(select(func.count()).where(LogEntry.log == "mot").select_from(LogEntry))
        assert manifest.notes["logs"]["mot"]["size"] < size


# ---------------------------------------------------------------- what is refused


def members(path: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        yield from [(name, archive.read(name)) for name in archive.namelist()]


def rewritten(path: Path, change: Callable[[str, bytes], bytes | None]) -> None:
    """The same archive with members changed or left out."""
    kept = [(name, change(name, data)) for name, data in members(path)]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in kept:
            if data is not None:
                archive.writestr(name, data)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-400])


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 4
    path.write_bytes(bytes(data))


def lose_a_table(path: Path) -> None:
    rewritten(path, lambda name, data: None if name == "tables/posts.jsonl" else data)


def lose_a_row(path: Path) -> None:
    rewritten(path, lambda name, data: data.partition(b"\n")[2] if name == "tables/applications.jsonl" else data)


def change_a_mark(path: Path) -> None:
    rewritten(path, lambda name, data: data.replace(b"An", b"Am", 1) if name == "tables/accounts.jsonl" else data)


def change_the_manifest(path: Path) -> None:
    rewritten(path, lambda name, data: data.replace(b'"rows": 2', b'"rows": 3', 1) if name == "manifest.json" else data)


def no_archive(path: Path) -> None:
    path.write_bytes(b"not a backup")


DAMAGES = (cut_off, flip_a_bit, lose_a_table, lose_a_row, change_a_mark, change_the_manifest, no_archive)


@pytest.fixture
def made(furnished_sqlite: Furnished, tmp_path: Path) -> Path:
    copy(furnished_sqlite.engine, tmp_path / "a.zip", furnished_sqlite.settings)
    return tmp_path / "a.zip"


@pytest.fixture
def other_settings(furnished_sqlite: Furnished, carried: Carried) -> Settings:
    return carried(furnished_sqlite.settings)


def test_a_damaged_copy_is_refused(made: Path, empty_sqlite: Engine, other_settings: Settings, tmp_path: Path) -> None:
    empty = empty_sqlite
    for damage in DAMAGES:
        bad = tmp_path / f"{damage.__name__}.zip"
        shutil.copyfile(made, bad)
        damage(bad)
        assert bad.read_bytes() != made.read_bytes()
        with pytest.raises(Refused, match=r"damaged|was changed|cannot be read"):
            backup.put_back(empty, bad, other_settings, quiet)
        assert rows(empty) == 0, damage.__name__
    backup.put_back(empty, made, other_settings, quiet)


def test_a_full_database_is_left_alone(made: Path, furnished_sqlite: Furnished) -> None:
    engine, settings = furnished_sqlite.engine, furnished_sqlite.settings
    before = rows(engine)
    with pytest.raises(Refused, match=r"not empty: \w+ has \d+ rows"):
        backup.put_back(engine, made, settings, quiet)
    assert rows(engine) == before


def test_other_keys_are_refused(made: Path, empty_sqlite: Engine, other_settings: Settings) -> None:
    empty = empty_sqlite
    keys = other_settings.folder / "keys"
    for name, sentence in (("people", "key people here is not"), ("banks", "key banks here is not"), ("logs", "keys of this")):
        kept = (keys / name).read_text()
        (keys / name).write_text("0" * 64)
        with pytest.raises(Refused, match=sentence):
            backup.put_back(empty, made, other_settings, quiet)
        (keys / name).write_text(kept)
    assert rows(empty) == 0


def remade(path: Path, settings: Settings, table: str, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """A copy whose maker had a broken database: one table is other, and manifest and code agree with it."""
    found = dict(members(path))
    lines = change(found[f"tables/{table}.jsonl"].splitlines(keepends=True))
    found[f"tables/{table}.jsonl"] = b"".join(lines)
    manifest = json.loads(found["manifest.json"])
    (entry,) = [one for one in manifest["tables"] if one["name"] == table]
    entry["rows"], entry["sha256"] = len(lines), hashlib.sha256(b"".join(lines)).hexdigest()
    tables = tuple(
        backups.TableCopy(one["name"], tuple(one["columns"]), one["rows"], one["sha256"]) for one in manifest["tables"]
    )
    data = backups.Manifest(newest_version(), NOW, manifest["kind"], tables, manifest["notes"]).data()
    found["manifest.json"] = data
    found["manifest.mac"] = backups._mac(bytes.fromhex(settings.log_key()), data)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in found.items():
            archive.writestr(name, content)


BREAKS: tuple[tuple[str, Callable[[list[bytes]], list[bytes]], str], ...] = (
    ("competitions", lambda lines: [], r"refers to one that is not there"),
    ("accounts", lambda lines: [*lines, lines[0]], r"does not take the rows of accounts"),
    ("log_entries", lambda lines: lines[:-1], r"refers to one that is not there|not the one that was copied"),
    ("log_openings", lambda lines: lines[1:], r"nothing opens the commitment"),
    ("log_openings", lambda lines: [lines[0].replace(b'"j":{', b'"j":{"more":"x",', 1), *lines[1:]], r"does not open it"),
    ("file_versions", lambda lines: [re.sub(rb'"b":"JVBE', b'"b":"JVBF', line) for line in lines], r"file is not as it was handed in"),
    ("posts", lambda lines: [line.replace(b'"A"', b'{"q":1}', 1) for line in lines], r"damaged"),
)


def test_a_copy_of_a_broken_database_is_refused_and_leaves_nothing(
    made: Path, empty: Engine, other_settings: Settings, tmp_path: Path
) -> None:
    breaks = BREAKS if empty.dialect.name == "sqlite" else BREAKS[:2]
    for table, change, sentence in breaks:
        bad = tmp_path / "bad.zip"
        shutil.copyfile(made, bad)
        remade(bad, other_settings, table, change)
        with pytest.raises(Refused, match=sentence):
            backup.put_back(empty, bad, other_settings, quiet)
        with empty.connect() as connection:
            assert inspect(connection).get_table_names() == []
        _tables_again(empty)
    backup.put_back(empty, made, other_settings, quiet)


def _tables_again(engine: Engine) -> None:
    metadata.create_all(engine)
    at_newest_version(engine)


def test_a_copy_never_overwrites(made: Path, furnished_sqlite: Furnished) -> None:
    before = made.read_bytes()
    with pytest.raises(Refused, match="exists already"):
        copy(furnished_sqlite.engine, made, furnished_sqlite.settings)
    assert made.read_bytes() == before
    assert [one.name for one in made.parent.glob(".*")] == []


def test_a_copy_that_fails_leaves_nothing(furnished_sqlite: Furnished, tmp_path: Path) -> None:
    engine, settings = furnished_sqlite.engine, furnished_sqlite.settings

    def fail(*_: object) -> None:
        raise RuntimeError

    (tmp_path / "here").mkdir()
    with pytest.raises(RuntimeError):
        backup.write(engine, tmp_path / "here" / "a.zip", settings, NOW, fail)
    assert list((tmp_path / "here").iterdir()) == []
    with pytest.raises(Refused, match="could not be written"):
        copy(engine, tmp_path / "nowhere" / "a.zip", settings)


def test_a_copy_of_a_later_release_is_refused(
    made: Path, empty_sqlite: Engine, other_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = empty_sqlite
    monkeypatch.setattr("examsvc.migrations.apply.known", lambda revision: False)
    with pytest.raises(Refused, match="does not know"):
        backup.put_back(empty, made, other_settings, quiet)
    assert rows(empty) == 0
