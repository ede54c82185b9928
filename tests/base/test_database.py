"""What an engine promises, which tests elsewhere do without for speed."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from examsvc.base import database
from examsvc.base.database import make_engine, move_log, write_together, writing
from examsvc.base.jobs import DutyRecord, Job

NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("recursive_triggers", 1),
        ("busy_timeout", 30_000), ("wal_autocheckpoint", 10_000),
    ],
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


@pytest.fixture
def engine(sqlite_address: str) -> Iterator[Engine]:
    made = make_engine(sqlite_address)
    yield made
    made.dispose()


def kept(engine: Engine) -> list[str]:
    with Session(engine) as session:
        return sorted(session.scalars(select(DutyRecord.name)))


def adding(name: str, *, fails: Exception | None = None) -> Callable[[Session], str]:
    def add(session: Session) -> str:
        session.add(DutyRecord(name=name, due_at=NOW))
        if fails:
            raise fails
        return name

    return add


@contextmanager
def in_a_crowd(engine: Engine, operations: list[Callable[[Session], str]]) -> Iterator[list[Future[str]]]:
    """What becomes of operations that all wait while somebody writes."""

    def together(operation: Callable[[Session], str]) -> str:
        with Session(engine) as session:
            return write_together(session, operation)

    with ThreadPoolExecutor(len(operations)) as threads:
        with Session(engine) as session, writing(session):
            asked = [threads.submit(together, operation) for operation in operations]
            until = time.monotonic() + 20
            while engine not in database._crowds or len(database._crowds[engine].waiting) < len(operations):
                assert time.monotonic() < until
                time.sleep(0.001)
        yield asked


def test_what_waits_at_the_same_time_is_committed_at_once(engine: Engine) -> None:
    commits: list[object] = []
    event.listen(engine, "commit", commits.append)
    with in_a_crowd(engine, [adding(name) for name in "abcdefgh"]) as asked:
        assert [one.result(timeout=20) for one in asked] == list("abcdefgh")
    assert kept(engine) == list("abcdefgh")
    assert len(commits) == 2  # of the one that all waited for, and theirs


def test_whoever_fails_in_a_crowd_fails_alone(engine: Engine) -> None:
    with Session(engine) as session, writing(session):
        session.add(DutyRecord(name="d", due_at=NOW))
    crowd = [adding("a"), adding("b", fails=ZeroDivisionError()), adding("c"), adding("d"), adding("e")]
    with in_a_crowd(engine, crowd) as asked:
        errors = [one.exception(timeout=20) for one in asked]
    assert [type(error) for error in errors] == [type(None), ZeroDivisionError, type(None), IntegrityError, type(None)]
    assert kept(engine) == list("acde")


def test_nobody_is_told_that_it_was_written_when_the_commit_failed(engine: Engine) -> None:
    full = OSError("the disk is full")

    def refuse(_: object) -> None:
        raise full

    def fill(_: Session) -> str:
        event.listen(engine, "commit", refuse)
        return "full"

    with in_a_crowd(engine, [adding("a"), adding("b"), fill]) as asked:
        assert [one.exception(timeout=20) for one in asked] == [full, full, full]
    event.remove(engine, "commit", refuse)
    assert kept(engine) == []
    with Session(engine) as session:
        assert write_together(session, adding("later")) == "later"


def test_nobody_waits_for_ever_when_not_even_the_rollback_works(engine: Engine) -> None:
    gone = OSError("the disk is gone")

    def refuse(_: object) -> None:
        event.remove(engine, "rollback", refuse)
        raise gone

    def fail(_: Session) -> str:
        event.listen(engine, "rollback", refuse)
        raise ZeroDivisionError

    with in_a_crowd(engine, [adding("a"), fail, adding("b")]) as asked:
        errors = [one.exception(timeout=20) for one in asked]
    assert errors == [gone, gone, gone]
    assert kept(engine) == []
    with Session(engine) as session:
        assert write_together(session, adding("later")) == "later"


def test_a_leader_that_is_interrupted_leaves_nobody_waiting(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    turn, here, interrupted = database._turn, threading.get_ident(), threading.Event()

    @contextmanager
    def interrupted_once(session: Session) -> Iterator[None]:
        with turn(session):
            if threading.get_ident() != here and not interrupted.is_set():
                interrupted.set()
                raise KeyboardInterrupt
            yield

    monkeypatch.setattr(database, "_turn", interrupted_once)
    with in_a_crowd(engine, [adding(name) for name in "abc"]) as asked:
        errors = [type(one.exception(timeout=20)) for one in asked]
    assert sorted(errors, key=str) == [KeyboardInterrupt, type(None), type(None)]
    assert len(kept(engine)) == 2


def test_crowds_and_single_writers_never_meet(engine: Engine) -> None:
    """Both go through the same turn; connections without patience would be sent away if they met in the database."""
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 0"))

    def count(session: Session) -> None:
        session.get_one(DutyRecord, "count").due_at += timedelta(seconds=1)

    def go_on(number: int) -> None:
        with Session(engine) as session:
            for _ in range(20):
                if number % 4:
                    write_together(session, count)
                else:
                    with writing(session):
                        count(session)

    with Session(engine) as session, writing(session):
        session.add(DutyRecord(name="count", due_at=NOW))
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(go_on, range(8)))
    with Session(engine) as session:
        assert session.get_one(DutyRecord, "count").due_at == NOW + timedelta(seconds=160)


def in_the_file_alone(engine: Engine, folder: Path) -> list[str]:
    """What the database holds without its write-ahead log."""
    copy = folder / "alone.sqlite"
    shutil.copyfile(engine.url.database or "", copy)
    alone = make_engine(f"sqlite:///{copy}")
    try:
        return kept(alone)
    finally:
        alone.dispose()
        for left in folder.glob("alone.sqlite*"):
            left.unlink()


def test_the_log_is_moved_into_the_database_beside_whoever_writes(engine: Engine, tmp_path: Path) -> None:
    with Session(engine) as session:
        for name in "abcdefgh":
            with writing(session):
                session.add(DutyRecord(name=name, due_at=NOW))
                session.add(Job(kind="large", asked_at=NOW, due_at=NOW, error="x" * 1_000_000))
    log = Path(f"{engine.url.database}-wal")
    assert log.stat().st_size > 4_000 * 1_000  # more than SQLite by itself would leave in it
    assert in_the_file_alone(engine, tmp_path) == []
    with Session(engine) as session, writing(session):
        session.add(DutyRecord(name="not yet", due_at=NOW))
        session.flush()
        began = time.monotonic()
        move_log(engine)
        assert time.monotonic() - began < database.BUSY_SECONDS / 2  # it waits for nobody
        assert in_the_file_alone(engine, tmp_path) == list("abcdefgh")
    size = log.stat().st_size
    for number in range(20):
        move_log(engine)
        with Session(engine) as session, writing(session):
            session.add(DutyRecord(name=f"more {number}", due_at=NOW))
    assert log.stat().st_size == size  # begun anew each time instead of growing
