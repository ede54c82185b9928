"""What is on record stays: the database refuses changes, the log's clock never goes back, and the start looks at both."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from examsvc.base.database import make_engine, writing
from examsvc.ledger import defences, keys, merkle
from examsvc.ledger import operations as ledger
from examsvc.ledger.entries import read_entry
from examsvc.ledger.models import LogEntry, Opening
from examsvc.ledger.notes import read_key
from examsvc.ledger.operations import Sealed
from examsvc.migrations import apply
from examsvc.settings import Settings

NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
SECRET = "5a" * 32
REGISTRY = keys.identity(SECRET, "exam.example", "registry")
LOG = keys.identity(SECRET, "exam.example", "mot")


@pytest.fixture
def logged(session: Session) -> Session:
    """A log of two entries with one opening."""
    with writing(session):
        ledger.open_log(session, "mot", LOG, now=NOW, registry=REGISTRY)
        ledger.record(
            session,
            "mot",
            "person.enrolled",
            now=NOW,
            person="P-1",
            identity=Sealed({"person": "P-1", "account": "account-1", "name": "An"}, subject="P-1"),
        )
    return session


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log_entries SET type = 'role.granted' WHERE position = 1",
        "UPDATE log_entries SET entry = entry",
        "DELETE FROM log_entries WHERE position = 1",
        "DELETE FROM log_openings",
        "UPDATE log_openings SET commitment = 'x'",
        "UPDATE log_openings SET content = NULL",
        "UPDATE log_openings SET content = NULL, salt = NULL, erased_at = '2026-11-21', subject = 'P-2'",
        "UPDATE log_openings SET salt = NULL, erased_at = '2026-11-21'",
    ],
)
def test_the_database_refuses_to_change_the_record(logged: Session, statement: str) -> None:
    before = logged.scalars(select(LogEntry.leaf).order_by(LogEntry.position)).all()
    with pytest.raises(DatabaseError, match="append-only"), writing(logged):
        logged.execute(text(statement))
    assert logged.scalars(select(LogEntry.leaf).order_by(LogEntry.position)).all() == before
    assert logged.scalar(select(Opening.content)) == {"person": "P-1", "account": "account-1", "name": "An"}


def test_a_row_cannot_be_replaced_either(sqlite_session: Session) -> None:
    with writing(sqlite_session):
        ledger.open_log(sqlite_session, "mot", LOG, now=NOW)
    with pytest.raises(DatabaseError, match="append-only"), writing(sqlite_session):
        sqlite_session.execute(
            text(
                "INSERT OR REPLACE INTO log_entries (id, log, position, type, entry, leaf, at)"
                " SELECT id, log, position, 'role.granted', entry, leaf, at FROM log_entries"
            )
        )


@pytest.mark.postgres
def test_a_table_cannot_be_emptied(logged: Session) -> None:
    if logged.get_bind().dialect.name != "postgresql":
        with pytest.raises(DatabaseError, match="append-only"), writing(logged):
            logged.execute(text("DELETE FROM log_entries"))
        return
    with pytest.raises(DatabaseError, match="append-only"), writing(logged):
        logged.execute(text("TRUNCATE log_entries CASCADE"))


def test_an_opening_can_be_erased_once(logged: Session) -> None:
    with writing(logged):
        logged.execute(update(Opening).values(content=None, salt=None, erased_at=NOW))
    assert logged.scalar(select(Opening.content)) is None
    with pytest.raises(DatabaseError, match="append-only"), writing(logged):
        logged.execute(update(Opening).values(erased_at=NOW + timedelta(days=1)))


def test_the_clock_of_a_log_never_goes_back(logged: Session) -> None:
    with writing(logged):
        for hours in (1, -5, 0):
            ledger.record(
                logged,
                "mot",
                "list.posted",
                now=NOW + timedelta(hours=hours),
                posts=["B", "A", "B"],
                list="rooms",
                digest="0" * 64,
                count=1,
            )
    entries = [read_entry(row) for row in logged.scalars(select(LogEntry.entry).order_by(LogEntry.position))]
    times = [entry.time - int(NOW.timestamp()) for entry in entries]
    assert times == [0, 0, 3600, 3600, 3600]
    assert entries[-1].posts == ("A", "B")


def test_the_head_is_the_root_over_all_leaves(logged: Session) -> None:
    size, root = ledger.head(logged, "mot")
    leaves = [merkle.leaf_hash(one) for one in logged.scalars(select(LogEntry.entry).order_by(LogEntry.position))]
    assert (size, root) == (2, merkle.node_hash(*leaves).hex())
    assert ledger.is_open(logged, "mot")
    assert not ledger.is_open(logged, "hai")
    with writing(logged):
        assert ledger.open_log(logged, "mot", LOG, now=NOW) is None


def test_keys_of_logs_differ_and_come_again() -> None:
    assert read_key(LOG.key).name == "exam.example/mot"
    assert keys.identity(SECRET, "exam.example", "mot") == LOG
    others = {
        keys.signer(SECRET, "exam.example/mot", 2).seed,
        keys.signer(SECRET, "exam.example/hai").seed,
        keys.signer("5b" * 32, "exam.example/mot").seed,
        keys.signer(SECRET, "exam.example/mot").seed,
    }
    assert len(others) == 4


def test_every_append_only_table_is_defended_when_made(engine: Engine) -> None:
    names = {table.name for table in defences.append_only()}
    assert {"log_entries", "log_openings", "saves"} <= names
    with engine.connect() as connection:
        assert defences.missing(connection) == []


@pytest.mark.parametrize("change", ["gone", "other"])
def test_a_lost_trigger_stops_the_application(engine: Engine, change: str) -> None:
    postgres = engine.dialect.name == "postgresql"
    with engine.begin() as connection:
        if change == "gone":
            connection.execute(text("DROP TRIGGER log_entries_no_update" + (" ON log_entries" if postgres else "")))
        elif postgres:
            connection.execute(text(f"CREATE OR REPLACE FUNCTION {defences.FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN OLD; END$$"))
        else:
            connection.execute(text("DROP TRIGGER log_entries_no_update"))
            connection.execute(
                text("CREATE TRIGGER log_entries_no_update BEFORE UPDATE ON log_entries BEGIN SELECT 1; END")
            )
    with pytest.raises(defences.Undefended, match="log_entries_no_update"):
        defences.require(engine)
    with engine.begin() as connection:
        defences.put_up(connection)
    defences.require(engine)


def test_create_app_looks(tmp_path: Path, sqlite_address: str) -> None:
    from examsvc.app import create_app

    settings = Settings(folder=tmp_path, database_url=sqlite_address, mode="test", base_url="http://localhost")
    create_app(settings)
    engine = make_engine(sqlite_address)
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER saves_no_delete"))
    engine.dispose()
    with pytest.raises(defences.Undefended, match="saves_no_delete"):
        create_app(settings)


def test_migrations_put_the_triggers_up(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/migrated.sqlite")
    defences.require(engine)  # an empty database has nothing to defend yet
    apply.upgrade(engine)
    with engine.connect() as connection:
        assert defences.missing(connection) == []
        assert connection.execute(text("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'")).scalar()
    engine.dispose()
