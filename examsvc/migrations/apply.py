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
from sqlalchemy.exc import SQLAlchemyError

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


def unreachable(engine: Engine) -> str | None:
    """Why the database cannot be worked with at all, as a sentence that says what to do; None where it answers, with tables or without."""
    try:
        current(engine)
    except SQLAlchemyError as error:
        reason = next(iter(str(getattr(error, "orig", None) or error).strip().splitlines()), "no reason given")
        return f"The database does not answer: {reason}. Check EXAMSVC_DATABASE_URL."
    return None


def unusable(engine: Engine, *, any_version: bool = False) -> str | None:
    """Why there is no installation to work with, as a sentence that says what to do; None where there is one.

    With ``any_version`` a database suffices that answers, also without tables; otherwise it must be at the version of this release.
    """
    file = engine.url.database
    absent = engine.dialect.name == "sqlite" and (file is None or not Path(file).exists())
    found = None if absent else unreachable(engine)
    revision = None if absent or found else current(engine)
    if revision is not None and not known(revision):
        return f"The database is at the version {revision}, which this release does not know. Use the release that it belongs to, or a newer one."
    if found or (any_version and not absent):
        return found
    if revision is None:
        return "There is no database yet. Begin with examsvc init, or restore a backup."
    if revisions := missing(engine):
        return f"The database is not at the version of this release, {revisions[-1]}. Make a backup, then run: examsvc database upgrade"
    return None


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
