"""What an engine promises, which tests elsewhere do without for speed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from examsvc.base.database import make_engine, writing
from examsvc.base.jobs import DutyRecord

NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("recursive_triggers", 1), ("busy_timeout", 30_000)],
)
def test_every_connection_to_sqlite_keeps_what_it_acknowledged(sqlite_address: str, pragma: str, value: object) -> None:
    """synchronous 2 is FULL: a commit has reached the disk before its answer goes out."""
    engine = make_engine(sqlite_address)
    with engine.connect() as first, engine.connect() as second:
        assert [one.exec_driver_sql(f"PRAGMA {pragma}").scalar() for one in (first, second)] == [value, value]
    engine.dispose()


def test_threads_of_a_process_write_to_sqlite_in_turn(sqlite_address: str) -> None:
    """None ever meets another in the database, which would send it away at once here: there is no patience in these connections."""
    engine = make_engine(sqlite_address)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 0"))
    with Session(engine) as session, writing(session):
        session.add(DutyRecord(name="count", due_at=NOW))

    def go_on(_: int) -> None:
        with Session(engine) as session:
            for _ in range(20):
                with writing(session):
                    session.get_one(DutyRecord, "count").due_at += timedelta(seconds=1)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(go_on, range(8)))
    with Session(engine) as session:
        assert session.get_one(DutyRecord, "count").due_at == NOW + timedelta(seconds=160)
    engine.dispose()


def test_a_turn_ends_with_a_failure_too(sqlite_address: str) -> None:
    engine = make_engine(sqlite_address)

    def write(name: str, *, fails: bool) -> None:
        with Session(engine) as session, writing(session):
            session.add(DutyRecord(name=name, due_at=NOW))
            session.flush()
            if fails:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write("half", fails=True)
    with ThreadPoolExecutor(1) as another:
        another.submit(write, "whole", fails=False).result(timeout=5)
    with Session(engine) as session:
        assert list(session.scalars(select(DutyRecord.name))) == ["whole"]
    engine.dispose()


def test_connections_to_sqlite_are_kept_however_many_were_needed(sqlite_address: str) -> None:
    engine = make_engine(sqlite_address)
    at_once = [engine.connect() for _ in range(20)]
    for one in at_once:
        one.close()
    with engine.connect():
        assert engine.pool.status().startswith("Pool size: 0  Connections in pool: 19")
    engine.dispose()
