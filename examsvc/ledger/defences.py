"""Append-only tables that the database itself defends: UPDATE and DELETE are refused by triggers.

A room marks a table with ``info={"append_only": True}``; ``{"append_only": "erasable"}`` lets a row change once, when its ``content``
(and ``salt``, where it has one) is emptied and ``erased_at`` is set; ``"erases"`` names other columns where they are what is emptied.  The triggers go up whenever tables are created from the metadata, and
after every migration; the application does not start without them.  Whoever owns the database can still take them down:
that is what the Merkle tree and its witnesses are for.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Column, Connection, Engine, Table, event, inspect, text

from examsvc.base.database import Base

FUNCTION = "examsvc_refuse_change"
_BODY = "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END"
ERASED = ("content", "salt")


class Undefended(RuntimeError):
    """A trigger that must stand is missing or is another one; the message says which and what to do."""


def append_only() -> list[Table]:
    """The tables that rooms marked, by name."""
    return [table for table in Base.metadata.sorted_tables if table.info.get("append_only")]


def _sqlite(table: Table) -> dict[str, str]:
    """Name of each trigger of a table and its whole definition."""
    name = table.name
    refuse = f"BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END"
    when = f"WHEN {_unlike_erasure(table, 'IS NOT')} " if table.info["append_only"] == "erasable" else ""
    return {
        f"{name}_no_update": f"CREATE TRIGGER {name}_no_update BEFORE UPDATE ON {name} {when}{refuse}",
        f"{name}_no_delete": f"CREATE TRIGGER {name}_no_delete BEFORE DELETE ON {name} {refuse}",
    }


def _postgres(table: Table) -> dict[str, str]:
    name = table.name
    call = f"EXECUTE FUNCTION {FUNCTION}()"
    erasable = table.info["append_only"] == "erasable"
    when = f"WHEN ({_unlike_erasure(table, 'IS DISTINCT FROM')}) " if erasable else ""
    return {
        f"{name}_no_update": f"CREATE TRIGGER {name}_no_update BEFORE UPDATE ON {name} FOR EACH ROW {when}{call}",
        f"{name}_no_delete": f"CREATE TRIGGER {name}_no_delete BEFORE DELETE ON {name} FOR EACH ROW {call}",
        f"{name}_no_truncate": f"CREATE TRIGGER {name}_no_truncate BEFORE TRUNCATE ON {name} FOR EACH STATEMENT {call}",
    }


def _unlike_erasure(table: Table, differs: str) -> str:
    """SQL that is true of every change that is not an erasure: the kept columns as they were, the erased ones empty."""

    def value(row: str, column: Column[Any]) -> str:
        # PostgreSQL compares JSON only as text
        return f"CAST({row}.{column.name} AS text)" if isinstance(column.type, JSON) else f"{row}.{column.name}"

    kept = [
        f"{value('NEW', column)} {differs} {value('OLD', column)}"
        for column in table.columns
        if column.name not in erased_columns(table)
    ]
    emptied = [f"NEW.{name} IS NOT NULL" for name in erased_columns(table) if name != "erased_at"]
    return " OR ".join([*kept, *emptied, "NEW.erased_at IS NULL", "OLD.erased_at IS NOT NULL"])


def erased_columns(table: Table) -> list[str]:
    """The columns of an erasable table that one erasure changes; all but the time are then empty."""
    chosen = table.info.get("erases", ERASED)
    return [name for name in (*chosen, "erased_at") if name in table.columns]


def put_up(connection: Connection, tables: list[Table] | None = None) -> None:
    """Puts every trigger up anew that does not stand as it should; safe to repeat."""
    chosen = append_only() if tables is None else tables
    if connection.dialect.name == "postgresql":
        connection.execute(
            text(f"CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $examsvc${_BODY}$examsvc$")
        )
        for table in chosen:
            for name, definition in _postgres(table).items():
                connection.execute(text(f"DROP TRIGGER IF EXISTS {name} ON {table.name}"))
                connection.execute(text(definition))
        return
    for table in chosen:
        for name, definition in _sqlite(table).items():
            connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
            connection.execute(text(definition))


@event.listens_for(Base.metadata, "after_create")
def _after_create(_target: Any, connection: Connection, *, tables: list[Table] | None = None, **_kw: Any) -> None:
    made = set(tables or ())
    put_up(connection, [table for table in append_only() if table in made])


def missing(connection: Connection) -> list[str]:
    """Triggers that are not as they should be, of the append-only tables that the database has."""
    present = set(inspect(connection).get_table_names())
    chosen = [table for table in append_only() if table.name in present]
    if connection.dialect.name == "postgresql":
        body = connection.execute(text("SELECT prosrc FROM pg_proc WHERE proname = :name"), {"name": FUNCTION}).scalar()
        standing = set(
            connection.execute(
                text("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')")
            ).scalars()
        )
        wanted = [name for table in chosen for name in _postgres(table)]
        return [name for name in wanted if body != _BODY or name not in standing]
    found = {
        row.name: " ".join(row.sql.split())
        for row in connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    }
    wanted_sql = {name: sql for table in chosen for name, sql in _sqlite(table).items()}
    return [name for name, sql in wanted_sql.items() if found.get(name) != " ".join(sql.split())]


def require(engine: Engine) -> None:
    """Raises Undefended when the database has tables without their triggers; an empty database passes."""
    with engine.connect() as connection:
        lost = missing(connection)
    if lost:
        raise Undefended(
            f"These triggers of append-only tables are missing or changed: {', '.join(lost)}. Find out who took them"
            " down, compare the log with its witnesses, then run: examsvc database upgrade"
        )
