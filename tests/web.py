"""The application under test: on its own database, with a clock that tests move, and people signed in without a form."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examsvc.accounts import operations as accounts
from examsvc.accounts.browser import COOKIE
from examsvc.app import create_app
from examsvc.base.database import writing
from examsvc.base.web import db
from examsvc.demonstration.announcing import SECRET
from examsvc.settings import Settings

Mode = Literal["test", "demo"]


class World:
    """An application and the moment it believes in."""

    def __init__(
        self, folder: Path, address: str, now: datetime, *, language: Literal["vi", "en"] = "en", mode: Mode = "test"
    ) -> None:
        self.now = now
        self.settings = Settings(
            folder=folder, database_url=address, mode=mode, base_url="http://localhost", default_language=language
        )
        _keep_log_key(folder)
        self.app: Flask = create_app(self.settings, clock=self.moment)
        self.app.config["WTF_CSRF_ENABLED"] = False

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session of its own, for arranging and looking."""
        with self.app.app_context():
            yield db.session()

    def client(self, account_id: int | None = None, *, attempt: str | None = None) -> FlaskClient:
        """A browser; signed in as the account (with second factor), or for exam day as an attempt."""
        client = self.app.test_client()
        if account_id is not None:
            client.set_cookie(COOKIE, self.token(account_id, attempt=attempt))
        return client

    def moment(self) -> datetime:
        """What the application takes for now."""
        return self.now

    def token(self, account_id: int, *, attempt: str | None = None) -> str:
        """What the cookie of a browser holds in which this account is signed in."""
        with self.session() as session, writing(session):
            return accounts.open_session(
                session,
                account_id,
                now=self.moment(),
                lasts=timedelta(hours=12),
                second_factor=True,
                attempt=attempt,
            ).token


def _keep_log_key(folder: Path) -> None:
    """The secret of the logs that tests begin, where the installation has none yet: its duties sign them."""
    kept = folder / "keys" / "logs"
    if not kept.exists():
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept.write_text(SECRET, encoding="ascii")
        kept.chmod(0o600)


def world(tmp_path: Path, address: str, now: datetime | None = None) -> World:
    return World(tmp_path, address, now or datetime(2026, 11, 21, 1, 0, tzinfo=UTC))
