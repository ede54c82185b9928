"""Applying migrations, and writing a new one when models changed (``python -m examsvc.migrations.apply NAME``)."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from examsvc.base.database import make_engine
from examsvc.migrations.metadata import metadata


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Brings the database to a version, the newest one by default; does nothing when it is there."""
    config = _config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


def current(engine: Engine) -> str | None:
    """The version of the database; None where it has no tables yet."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def known(revision: str) -> bool:
    """Whether this release has the tables of that version."""
    return any(one.revision == revision for one in ScriptDirectory.from_config(_config()).walk_revisions())


def missing(engine: Engine) -> list[str]:
    """Revisions that are not applied yet, oldest first."""
    script = ScriptDirectory.from_config(_config())
    revisions = script.iterate_revisions("head", current(engine) or "base")
    return [revision.revision for revision in reversed(list(revisions))]


def differences(engine: Engine) -> list[object]:
    """What the models have that the migrated database has not, or the reverse; empty when they agree."""
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))


def write(message: str) -> None:
    """Writes a migration from the difference between the migrated database and the models."""
    config = _config()
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{folder}/empty.sqlite")
        upgrade(engine)
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.revision(config, message, autogenerate=True)
        engine.dispose()


if __name__ == "__main__":
    write(" ".join(sys.argv[1:]) or "change")
