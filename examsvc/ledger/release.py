"""Which software runs here: its version, a digest over its files, the revision of the database; the registry says when it changes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import inspect, select, text
from sqlalchemy.orm import Session

from examsvc.ledger import canonical
from examsvc.ledger.entries import read_entry
from examsvc.ledger.models import LogEntry

PACKAGES = ("examsvc", "question_banks", "scoring")
_ROOT = Path(__file__).parents[2]
_LEFT_OUT = {".pyc", ".mo"}  # made from other files


@dataclass(frozen=True)
class Release:
    """What ``release.installed`` states."""

    version: str
    digest: str
    schema: str


@cache
def software() -> tuple[str, str]:
    """(version, SHA-256 over JCS of {path: SHA-256 of the file}) of the installed packages, read once in a process."""
    files = {
        path.relative_to(_ROOT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for package in PACKAGES
        for path in sorted((_ROOT / package).rglob("*"))
        if path.is_file() and path.suffix not in _LEFT_OUT
    }
    return version("examsvc"), hashlib.sha256(canonical.encode(files)).hexdigest()


def running(session: Session) -> Release:
    """The release that runs now."""
    schema = "unversioned"
    if inspect(session.connection()).has_table("alembic_version"):
        schema = session.scalar(text("SELECT version_num FROM alembic_version")) or schema
    return Release(*software(), schema)


def recorded(session: Session, registry: str) -> Release | None:
    """The release that the registry names last."""
    newest = session.scalar(
        select(LogEntry.entry)
        .where(LogEntry.log == registry, LogEntry.type == "release.installed")
        .order_by(LogEntry.position.desc())
        .limit(1)
    )
    if newest is None:
        return None
    body = read_entry(newest).body
    return Release(body["version"], body["digest"], body["schema"])

