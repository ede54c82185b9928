"""On PostgreSQL the application's role can add to the record and nothing else: tried, statement by statement."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from examsvc.base.database import writing
from examsvc.commands.grants import grants as command
from examsvc.ledger import grants
from examsvc.ledger.keys import identity
from examsvc.ledger.models import Opening
from examsvc.ledger.operations import Sealed, open_log, record
from examsvc.migrations.metadata import metadata

NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
ROLE = "examsvc_app_test"
on_postgres = pytest.mark.parametrize("address", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)


@pytest.fixture
def app(engine: Engine) -> Iterator[Engine]:
    """The database as the application's role sees it; the other engine is the owner's."""
    with engine.begin() as owner:
        owner.execute(text(f"DROP ROLE IF EXISTS {ROLE}"))
        owner.execute(text(f"CREATE ROLE {ROLE} LOGIN PASSWORD 'p' NOSUPERUSER NOCREATEDB NOCREATEROLE"))
    printed = CliRunner().invoke(command, [ROLE]).output
    assert printed == grants.script(ROLE)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as owner:
        for statement in printed.split(";\n"):
            if statement.strip():
                owner.execute(text(statement))
    made = create_engine(engine.url.set(username=ROLE, password="p"))
    yield made
    made.dispose()
    with engine.begin() as owner:
        owner.execute(text(f"DROP OWNED BY {ROLE}"))
        owner.execute(text(f"DROP ROLE {ROLE}"))


def one_entry(app: Engine) -> None:
    with Session(app) as session, writing(session):
        open_log(session, "mot", identity("11" * 32, "exam.example", "mot"), now=NOW)
        text_ = {"person": "P-1", "account": "a", "name": "An"}
        record(session, "mot", "person.enrolled", now=NOW, person="P-1", identity=Sealed(text_, subject="P-1"))


@on_postgres
def test_the_role_appends_and_erases_and_can_do_nothing_else_to_the_record(app: Engine) -> None:
    one_entry(app)
    refused = [
        "UPDATE log_entries SET type = 'x'",
        "DELETE FROM log_entries",
        "TRUNCATE log_entries",
        "DROP TABLE log_entries",
        "ALTER TABLE log_entries DISABLE TRIGGER ALL",
        "ALTER TABLE log_entries DISABLE TRIGGER log_entries_no_update",
        "DROP TRIGGER log_entries_no_update ON log_entries",
        "CREATE OR REPLACE FUNCTION examsvc_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$",
        "DROP FUNCTION examsvc_refuse_change() CASCADE",
        "SET session_replication_role = replica",
        "CREATE TABLE other (id integer)",
        "UPDATE log_openings SET commitment = 'x'",
        "UPDATE log_openings SET content = '{}'",
        "DELETE FROM log_openings",
        "UPDATE saves SET commitment = 'x'",
        "DELETE FROM saves",
        "UPDATE log_checkpoints SET size = 1",
        "DELETE FROM log_cosignatures",
        "UPDATE log_bundles SET digest = 'x'",
        "UPDATE regulations SET canonical = ''",
    ]
    tried = 0
    for statement in refused:
        with app.connect() as connection, pytest.raises(DBAPIError, match=r"permission denied|must be owner|append-only"):
            connection.execute(text(statement))
        tried += 1
    assert tried == len(refused) == 20
    with Session(app) as session, writing(session):
        (opening,) = session.query(Opening).all()
        session.execute(
            text("UPDATE log_openings SET content = NULL, salt = NULL, erased_at = :now WHERE id = :id"),
            {"now": NOW, "id": opening.id},
        )


@on_postgres
def test_what_may_change_the_role_may_change(app: Engine, engine: Engine) -> None:
    with engine.connect() as owner:
        rows = owner.execute(
            text("SELECT table_name FROM information_schema.role_table_grants WHERE grantee = :role AND privilege_type = 'UPDATE'"),
            {"role": ROLE},
        ).scalars()
        changeable = set(rows)
    kept = {table.name for table in metadata.sorted_tables if table.info.get("append_only")}
    assert {"attempts", "sign_in_sessions", "jobs"} & {table.name for table in metadata.sorted_tables} <= changeable
    assert changeable & kept == set()
    assert changeable | kept == {table.name for table in metadata.sorted_tables}


@pytest.mark.parametrize("name", ["", "App", "a; DROP TABLE log_entries", "a" * 64, "1a"])
def test_only_a_plain_name_is_taken(name: str) -> None:
    with pytest.raises(ValueError, match="name of a role"):
        grants.script(name)
    assert CliRunner().invoke(command, [name]).exit_code == 1
