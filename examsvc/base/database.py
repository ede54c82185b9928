"""The declarative base, column types, and an engine that keeps its promises on SQLite and PostgreSQL.

SQLite runs in WAL mode with synchronous=FULL, so that an acknowledged commit survives a power cut, and every writing
transaction begins with BEGIN IMMEDIATE: a transaction that reads first and writes later would fail as locked under load
in spite of any timeout.  ``recursive_triggers`` is on, so that INSERT OR REPLACE cannot slip past an append-only table.

What makes a whole hall wait is the disk.  So what comes in crowds is committed together (:func:`write_together`), and the write-ahead
log is moved into the database by a worker (:func:`move_log`) instead of by whichever commit fills it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, Lock
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy import DateTime, Dialect, Engine, MetaData, create_engine, event, text
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import JSON, TypeDecorator

T = TypeVar("T")
WRITING = "examsvc_writing"
BUSY_SECONDS = 30
"""So long a writer waits for another one before it gives up."""
LOG_PAGES = 10_000
"""Pages (of 4 KiB) in SQLite's write-ahead log from which on each commit moves them into the database, if no worker has done so before."""


class Base(DeclarativeBase):
    """All tables of all rooms; free of Flask."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UTCDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC.  SQLite forgets time zones; a naive value is refused on the way in."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time must know its time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Document = JSON(none_as_null=True)
"""A JSON value: for content that is kept whole and never searched."""


def make_engine(address: str, *, pool_size: int = 8) -> Engine:
    """An engine with the settings on which the durability of an acknowledged answer rests."""
    engine = create_engine(address, **engine_options(address, pool_size))
    if engine.dialect.name == "sqlite":
        prepare_sqlite(engine)
    return engine


def engine_options(address: str, pool_size: int) -> dict[str, Any]:
    """How connections are made and kept: on PostgreSQL so many, and as many more while there is a rush; on SQLite one for each thread
    that ever needed one at the same time (``pool_size=0``), since opening one means reading the whole schema."""
    if address.startswith("sqlite"):
        return {"connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False}, "pool_size": 0}
    return {"pool_size": pool_size, "max_overflow": pool_size, "pool_pre_ping": True}


def prepare_sqlite(engine: Engine) -> None:
    """Registers the pragmas and the BEGIN of either kind on an SQLite engine."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself
        cursor = connection.cursor()
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "recursive_triggers = ON",
            f"busy_timeout = {BUSY_SECONDS * 1000}",
            f"wal_autocheckpoint = {LOG_PAGES}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        writing = connection.get_execution_options().get(WRITING, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def writing(session: Session) -> Iterator[Session]:
    """A writing transaction: begins anew, commits at the end, rolls back on any exception.

    Whatever was read before is forgotten and read again when next touched, so decisions are taken on what is true
    under the lock.  Slow work (password hashing, parsing an upload, making a PDF) belongs before it.
    """
    session.rollback()
    with _turn(session):
        session.connection(execution_options={WRITING: True})
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise


def write_together(session: Session, operation: Callable[[Session], T]) -> T:
    """What ``operation`` returns, once everything that it wrote is committed; for what comes in crowds, like the answers of a hall.

    On SQLite whatever threads of this process want to write by the time it is one's turn is committed at once, so that a
    hall waits for the disk once and not once for each answer.  The operation is therefore called in whichever of these threads
    has the turn, with that thread's session and nothing else of it: it must not look at the request, nor return a row.  One that
    raises is undone by itself; those beside it are then done anew, so it may also be called more than once.
    On PostgreSQL, which commits together by itself, it is an ordinary ``writing``.
    """
    if is_postgres(session):
        with writing(session):
            return operation(session)
    session.rollback()
    crowd = _crowds.setdefault(session.get_bind(), _Crowd())
    wish = _Wish(operation)
    with crowd.lock:
        crowd.waiting.append(wish)
        leads, crowd.led = not crowd.led, True
    if leads:
        wish.called.set()
    wish.called.wait()
    if not wish.settled:
        _lead(session, crowd, wish)
    if wish.error is not None:
        raise wish.error
    return cast(T, wish.result)


@dataclass(eq=False)
class _Wish:
    """Something that a thread wants to write; the thread is called when it is settled, or to lead those who wait."""

    operation: Callable[[Session], Any]
    result: Any = None
    error: BaseException | None = None
    settled: bool = False
    called: Event = field(default_factory=Event)


@dataclass
class _Crowd:
    """What threads of this process want to write together.  While somebody waits, one of them leads."""

    lock: Lock = field(default_factory=Lock)
    waiting: list[_Wish] = field(default_factory=list)
    led: bool = False


_crowds: WeakKeyDictionary[object, _Crowd] = WeakKeyDictionary()
"""By engine."""


def _lead(session: Session, crowd: _Crowd, leader: _Wish) -> None:
    """Settles everything that waits when the turn comes, then calls the first of those who came meanwhile to lead the next."""
    try:
        with _turn(session):
            with crowd.lock:
                wishes, crowd.waiting = crowd.waiting, []
            _settle(session, wishes)
    finally:
        with crowd.lock:
            crowd.waiting = [one for one in crowd.waiting if one is not leader]  # still there only if its turn was interrupted
            crowd.led = bool(crowd.waiting)
            if crowd.led:
                crowd.waiting[0].called.set()


def _settle(session: Session, wishes: list[_Wish]) -> None:
    """Does all of them in one transaction; without those that raise, which get their exception and leave nothing behind."""
    while wishes:
        at, settled = None, wishes
        try:
            session.connection(execution_options={WRITING: True})
            for at in wishes:
                at.result = at.operation(session)
                session.flush()
            at = None
            session.commit()
        except BaseException as error:
            settled = wishes if at is None else [at]
            for one in settled:
                one.error = error
            try:
                session.rollback()
            except BaseException as worse:  # nobody knows what stands there now; nobody may wait for it either
                settled = wishes
                for one in settled:
                    one.error = worse
        wishes = [one for one in wishes if one not in settled]
        for one in settled:
            one.settled = True
            one.called.set()


_turns: WeakKeyDictionary[object, Lock] = WeakKeyDictionary()
"""Who of the threads of this process writes, by engine."""


@contextmanager
def _turn(session: Session) -> Iterator[None]:
    """On SQLite, the threads of a process write one after the other, each as soon as the one before has committed.

    SQLite itself would have each of them ask again after a pause that grows to a tenth of a second, and whoever comes
    by chance in between goes first: with 200 candidates some saves waited a second.  Other processes still meet that way.
    A thread whose turn does not come in time goes on without it, and SQLite says that the database is locked.
    """
    if is_postgres(session):
        yield
        return
    turn = _turns.setdefault(session.get_bind(), Lock())
    held = turn.acquire(timeout=BUSY_SECONDS)
    try:
        yield
    finally:
        if held:
            turn.release()


def move_log(engine: Engine) -> None:
    """On SQLite: moves what was committed from the write-ahead log into the database, beside those who read and write.

    Left to itself SQLite does so in the commit that fills the log, and whoever waits for that one waits for the disk several times
    more.  Nothing that was acknowledged rests on it: the log is on the disk before.  What a reader or writer still needs stays in the log for
    the next time; on PostgreSQL there is nothing to do.
    """
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").close()
    finally:
        connection.close()


def is_postgres(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def advisory_lock(session: Session, name: str) -> None:
    """Serialises writers of one named thing until the transaction ends (on SQLite BEGIN IMMEDIATE already does)."""
    if is_postgres(session):
        session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
