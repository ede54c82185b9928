"""What commands do first that work on an installation: see that there is one, or say in a sentence what to do."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import Engine

from examsvc.app import create_app
from examsvc.base.database import make_engine
from examsvc.base.errors import Refused
from examsvc.migrations import apply
from examsvc.settings import Settings


def database(settings: Settings, *, any_version: bool = False) -> Engine:
    """The installation's database.  Raises Refused where it does not answer, and unless told otherwise where it is not at this release's
    version."""
    engine = make_engine(settings.database_address())
    if unusable := apply.unusable(engine, any_version=any_version):
        engine.dispose()
        raise Refused(unusable)
    return engine


def to_fill(settings: Settings) -> Engine:
    """The database that an installation is about to be put into; SQLite's file is made.  Raises Refused where it does not answer."""
    if settings.database_url is None:
        settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = make_engine(settings.database_address())
    if unreachable := apply.unreachable(engine):
        engine.dispose()
        raise Refused(unreachable)
    return engine


def application() -> Flask:
    """The application on the installation of the settings.  Raises Refused as :func:`database` does, before any key is made."""
    settings = Settings()
    database(settings).dispose()
    return create_app(settings)
