"""The demonstration's witnesses: three folders on the visitor's own machine, with keys that anybody can make again."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from sqlalchemy.orm import Session

from examsvc.base import jobs
from examsvc.ledger import queries, witness_store
from examsvc.ledger.witness_store import Store

NAMES = ("inspectorate", "university", "press")
FOLLOW_EVERY = timedelta(seconds=15)


def stores(folder: Path) -> list[Store]:
    """The witnesses of the installation in this folder, made when they are not there yet."""
    found = []
    for name in NAMES:
        place = folder / "witnesses" / name
        if not (place / "witness.sqlite").exists():
            witness_store.create(place, f"witness.example/{name}", sha256(name.encode()).digest())
        found.append(Store(place))
    return found


def follow(session: Session, folder: Path) -> None:
    """Every witness follows every log of the installation, new ones too."""
    keys = [queries.current_key(session, log)[1] for log in queries.logs(session)]
    for store in stores(folder):
        known = {key for one in store.followed() for key in one.keys}
        for key in keys:
            if key not in known:
                store.follow(key)


def register(folder: Path) -> None:
    """Lets the worker look after new logs."""

    def follow_new_logs(session: Session, now: datetime) -> None:
        follow(session, folder)

    jobs.every(FOLLOW_EVERY)(follow_new_logs)
