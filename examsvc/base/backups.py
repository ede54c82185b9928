"""Copies of a whole database in one file, taken while it serves, and put back into an empty one of either kind.

A copy is a ZIP archive.  ``manifest.json`` names the version of the tables, each table with its columns, number of rows and
the SHA-256 of its file, and what the caller adds; ``manifest.mac`` is HMAC-SHA-256 of the manifest under a key of the
installation, so that a damaged copy, and one that another installation made or somebody changed, is told apart.  ``tables/<name>.jsonl`` holds
one row a line, in the order of the primary key: the same content gives the same digests on SQLite and PostgreSQL.

All tables are read in one transaction: a snapshot on SQLite in WAL mode, REPEATABLE READ on PostgreSQL; nobody waits for it.
Tables are taken from the database itself, not from the models, so that none is forgotten and values stay as they are stored,
encrypted ones included.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    DateTime,
    Engine,
    LargeBinary,
    MetaData,
    Table,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import SQLAlchemyError

from examsvc.base.database import WRITING, Document, UTCDateTime
from examsvc.base.errors import Refused

FORMAT = "examsvc-backup/1"
VERSIONS = "alembic_version"
_BATCH = 500
_LARGE_BATCH = 8  # rows with files of up to 20 MB: 160 MB at most at once
_MOST_MANIFEST = 4 * 1024 * 1024

Progress = Callable[[str, int, int], None]
"""Called with a table's name, rows done and rows in all."""


class Damaged(Refused):
    """The copy is not what was written: cut off, changed, or made under other keys."""


@dataclass(frozen=True)
class TableCopy:
    """One table in a copy."""

    name: str
    columns: tuple[str, ...]
    rows: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a copy says about itself.  ``notes`` are the caller's: digests of keys, heads of logs."""

    revision: str
    made_at: datetime
    kind: str
    tables: tuple[TableCopy, ...]
    notes: Mapping[str, Any]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    def data(self) -> bytes:
        content = {
            "format": FORMAT,
            "revision": self.revision,
            "made_at": self.made_at.astimezone(UTC).isoformat(),
            "kind": self.kind,
            "tables": [
                {"name": one.name, "columns": list(one.columns), "rows": one.rows, "sha256": one.sha256}
                for one in self.tables
            ],
            "notes": dict(self.notes),
        }
        return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def write(
    engine: Engine,
    path: Path,
    *,
    key: bytes,
    revision: str,
    now: datetime,
    notes: Callable[[Connection], Mapping[str, Any]] = lambda _: {},
    progress: Progress = lambda *_: None,
) -> Manifest:
    """Writes a copy of the database to ``path``, readable by its owner only; it stands there whole or not at all.

    ``notes`` is asked inside the snapshot.  Raises Refused when the file exists already or cannot be written.
    """
    if path.exists():
        raise Refused("%(path)s exists already. A backup never overwrites another one; choose another name.", path=path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive, _snapshot(engine) as connection:
                tables = _tables(connection)
                copies = tuple(_copy(connection, archive, table, progress) for table in tables)
                manifest = Manifest(revision, now, engine.dialect.name, copies, notes(connection))
                archive.writestr("manifest.json", manifest.data())
                archive.writestr("manifest.mac", _mac(key, manifest.data()))
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except OSError as error:
        raise Refused("The backup could not be written to %(path)s: %(reason)s.", path=path, reason=error.strerror or "") from error
    finally:
        part.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return manifest


def read(path: Path, *, key: bytes) -> Manifest:
    """The manifest of a copy whose every byte was checked.  Raises Damaged or Refused."""
    with _opened(path) as archive:
        manifest = _manifest(archive, key)
        wanted = {f"tables/{one.name}.jsonl" for one in manifest.tables} | {"manifest.json", "manifest.mac"}
        if set(archive.namelist()) != wanted or len(archive.namelist()) != len(wanted):
            raise Damaged("The backup is damaged: it does not hold the files that it names. Take another one.")
        for one in manifest.tables:
            digest, rows = hashlib.sha256(), 0
            for line in _lines(archive, one.name):
                digest.update(line)
                rows += 1
            if digest.hexdigest() != one.sha256 or rows != one.rows:
                raise Damaged("The backup is damaged: its table %(table)s is not as it was written. Take another one.", table=one.name)
    return manifest


def require_empty(engine: Engine) -> None:
    """Raises Refused when any table holds a row."""
    quote = engine.dialect.identifier_preparer.quote
    with engine.connect() as connection:
        for table in sorted(inspect(connection).get_table_names()):
            rows = connection.scalar(text(f"SELECT count(*) FROM {quote(table)}"))  # noqa: S608 - a name from the database
            if rows and table != VERSIONS:
                raise Refused(
                    "The database is not empty: %(table)s has %(rows)s rows. Restore into an empty database only; nothing was changed.",
                    table=table,
                    rows=rows,
                )


def load(engine: Engine, path: Path, manifest: Manifest, *, progress: Progress = lambda *_: None) -> None:
    """Puts every row of a copy that :func:`read` has checked into the empty tables of its version, in one transaction.

    References between rows are checked by the database at the end.  Raises Refused when tables or rows do not fit.
    """
    with engine.connect().execution_options(**{WRITING: True}) as connection, connection.begin(), _opened(path) as archive:
        present = {table.name: table for table in _tables(connection)}
        named = {one.name: one.columns for one in manifest.tables}
        if {name: frozenset(columns) for name, columns in named.items()} != {
            name: frozenset(table.columns.keys()) for name, table in present.items()
        }:
            raise Refused("The tables of this database are not those of the backup. Restore into an empty database without tables.")
        with _references_at_the_end(connection):
            for one in manifest.tables:
                _fill(connection, archive, present[one.name], one, progress)


def _copy(connection: Connection, archive: zipfile.ZipFile, table: Table, progress: Progress) -> TableCopy:
    """Writes one table and says what was written."""
    columns = list(table.columns)
    large = any(isinstance(column.type, LargeBinary) for column in columns)
    order = list(table.primary_key.columns) or columns
    total = connection.scalar(select(func.count()).select_from(table)) or 0
    found = connection.execution_options(stream_results=True, yield_per=_LARGE_BATCH if large else _BATCH).execute(
        select(*columns).order_by(*order)
    )
    digest, rows = hashlib.sha256(), 0
    with archive.open(f"tables/{table.name}.jsonl", "w", force_zip64=True) as file:
        for row in found:
            line = json.dumps(
                [_written(column, value) for column, value in zip(columns, row, strict=True)],
                ensure_ascii=False,
                separators=(",", ":"),
                sort_keys=False,
            ).encode() + b"\n"
            file.write(line)
            digest.update(line)
            rows += 1
            if rows % _BATCH == 0:
                progress(table.name, rows, total)
    progress(table.name, rows, total)
    return TableCopy(table.name, tuple(column.name for column in columns), rows, digest.hexdigest())


def _written(column: Column[Any], value: object) -> object:
    """A stored value as JSON; what JSON has not stands in an object with one letter."""
    if value is None or (isinstance(value, bool | int | str) and not isinstance(column.type, JSON)):
        return value
    if isinstance(column.type, JSON):
        return {"j": value}
    if isinstance(value, bytes | memoryview):
        return {"b": base64.b64encode(value).decode()}
    if isinstance(value, datetime):
        return {"t": value.astimezone(UTC).isoformat()}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    raise TypeError(f"{column.table.name}.{column.name} holds a {type(value).__name__}, which a backup cannot carry")


def _read(value: object) -> object:
    if not isinstance(value, dict):
        return value
    ((letter, content),) = value.items()
    return _READ[letter](content)


_READ: Mapping[str, Callable[[Any], object]] = {
    "j": lambda content: content,
    "b": lambda content: base64.b64decode(content, validate=True),
    "t": datetime.fromisoformat,
    "d": date.fromisoformat,
}


def _fill(connection: Connection, archive: zipfile.ZipFile, table: Table, copy: TableCopy, progress: Progress) -> None:
    size = _LARGE_BATCH if any(isinstance(column.type, LargeBinary) for column in table.columns) else _BATCH
    rows: list[dict[str, object]] = []
    done = 0

    def put() -> None:
        nonlocal done
        if rows:
            try:
                connection.execute(insert(table), rows)
            except SQLAlchemyError as error:
                raise Refused(
                    "The database does not take the rows of %(table)s: %(reason)s. Nothing was restored.",
                    table=table.name,
                    reason=_reason(error),
                ) from error
            done += len(rows)
            rows.clear()
        progress(copy.name, done, copy.rows)

    for line in _lines(archive, copy.name):
        try:
            rows.append(dict(zip(copy.columns, map(_read, json.loads(line)), strict=True)))
        except (ValueError, KeyError, TypeError) as error:
            raise Damaged("The backup is damaged: its table %(table)s is not as it was written. Take another one.", table=copy.name) from error
        if len(rows) >= size:
            put()
    put()
    counted = table.primary_key.columns.values()
    if connection.dialect.name == "postgresql" and len(counted) == 1:
        (column,) = counted
        sequence = connection.scalar(select(func.pg_get_serial_sequence(f'"{table.name}"', column.name)))
        if sequence and copy.rows:
            connection.execute(select(func.setval(text(f"'{sequence}'::regclass"), select(func.max(column)).scalar_subquery())))


class _references_at_the_end:  # noqa: N801 - reads as the phrase that it is
    """While it lasts, rows may come before those that they refer to; at the end every reference is checked."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.constraints: list[tuple[str, str, str]] = []

    def __enter__(self) -> None:
        if self.connection.dialect.name == "sqlite":
            self.connection.execute(text("PRAGMA defer_foreign_keys = ON"))
            return
        self.constraints = [
            (row.of, row.name, row.definition)
            for row in self.connection.execute(
                text(
                    "SELECT conrelid::regclass::text AS of, quote_ident(conname) AS name, pg_get_constraintdef(oid) AS definition"
                    " FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace ORDER BY 1, 2"
                )
            )
        ]
        for of, name, _ in self.constraints:
            self.connection.execute(text(f"ALTER TABLE {of} DROP CONSTRAINT {name}"))

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            return
        if self.connection.dialect.name == "sqlite":
            broken = self.connection.execute(text("PRAGMA foreign_key_check")).first()
            if broken is not None:
                raise _broken_reference(broken[0])
            return
        for of, name, definition in self.constraints:
            try:
                self.connection.execute(text(f"ALTER TABLE {of} ADD CONSTRAINT {name} {definition}"))
            except SQLAlchemyError as error:
                raise _broken_reference(of) from error


def _broken_reference(table: str) -> Refused:
    return Refused("The backup is not consistent: a row of %(table)s refers to one that is not there. Nothing was restored.", table=table)


def remove_tables(engine: Engine) -> None:
    """Takes down every table: what a restoration made that then turned out to be wrong."""
    quote = engine.dialect.identifier_preparer.quote
    names = [quote(name) for name in inspect(engine).get_table_names()]
    if engine.dialect.name == "sqlite":
        raw = engine.raw_connection()
        cursor = raw.cursor()
        cursor.execute("PRAGMA foreign_keys = OFF")  # else dropping a table means deleting its rows one by one
        cursor.execute("BEGIN IMMEDIATE")
        for name in names:
            cursor.execute(f"DROP TABLE {name}")
        cursor.execute("COMMIT")
        raw.close()
    elif names:
        with engine.begin() as connection:
            connection.execute(text(f"DROP TABLE {', '.join(names)} CASCADE"))
    engine.dispose()


def _reason(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0].rstrip(".")


class _snapshot:  # noqa: N801 - reads as the noun that it is
    """A connection that sees the database as it was at one moment, for reading."""

    def __init__(self, engine: Engine) -> None:
        postgres = engine.dialect.name == "postgresql"
        self.connection = engine.connect()
        if postgres:
            self.connection = self.connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def __enter__(self) -> Connection:
        self.connection.execute(text("SELECT 1"))
        return self.connection

    def __exit__(self, *_: object) -> None:
        self.connection.rollback()
        self.connection.close()


def _tables(connection: Connection) -> list[Table]:
    """Every table that the database has, by name, with column types that carry values unchanged."""
    metadata = MetaData()
    metadata.reflect(connection, only=lambda name, _: name != VERSIONS, resolve_fks=False)
    tables = [metadata.tables[name] for name in sorted(metadata.tables)]
    for table in tables:
        for column in table.columns:
            if isinstance(column.type, JSON):
                column.type = Document
            elif isinstance(column.type, DateTime):
                column.type = UTCDateTime()
    return tables


def _mac(key: bytes, manifest: bytes) -> bytes:
    return hmac.new(key, b"examsvc.v1/backup\0" + manifest, hashlib.sha256).hexdigest().encode()


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except OSError as error:
        raise Refused("The backup %(path)s cannot be read: %(reason)s.", path=path, reason=error.strerror or "") from error
    except zipfile.BadZipFile as error:
        raise Damaged("%(path)s is not a backup, or it is damaged or cut off. Take another one.", path=path) from error


def _manifest(archive: zipfile.ZipFile, key: bytes) -> Manifest:
    try:
        if archive.getinfo("manifest.json").file_size > _MOST_MANIFEST or archive.getinfo("manifest.mac").file_size != 64:
            raise ValueError
        data, mac = archive.read("manifest.json"), archive.read("manifest.mac")
    except (KeyError, ValueError, zipfile.BadZipFile, zlib.error, OSError, EOFError) as error:
        raise Damaged("%(path)s is not a backup, or it is damaged or cut off. Take another one.", path=archive.filename or "") from error
    if not hmac.compare_digest(mac, _mac(key, data)):
        raise Damaged(
            "The backup was not made under the keys of this installation, or it was changed. Put the folder keys of the installation that made it in place first."
        )
    content = json.loads(data)
    if content["format"] != FORMAT:
        raise Refused("This release does not read backups of the format %(format)s.", format=content["format"])
    tables = tuple(
        TableCopy(one["name"], tuple(one["columns"]), one["rows"], one["sha256"]) for one in content["tables"]
    )
    if not all(re.fullmatch(r"[a-z0-9_]+", one.name) for one in tables):
        raise Damaged("The backup is damaged: it does not hold the files that it names. Take another one.")
    return Manifest(
        content["revision"], datetime.fromisoformat(content["made_at"]), content["kind"], tables, content["notes"]
    )


def _lines(archive: zipfile.ZipFile, table: str) -> Iterator[bytes]:
    try:
        with archive.open(f"tables/{table}.jsonl") as file:
            yield from file
    except (KeyError, zipfile.BadZipFile, zlib.error, OSError, EOFError) as error:
        raise Damaged("The backup is damaged: its table %(table)s is not as it was written. Take another one.", table=table) from error
