"""The real application behind a real port, and a real Chromium in front of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from examsvc.base import jobs
from examsvc.base.clock import system_clock
from examsvc.base.database import make_engine
from tests.exam_hall import quick_passphrase
from tests.web import Mode, World


class Live(World):
    """A served application whose clock runs, and can be set forward."""

    def __init__(self, folder: Path, address: str, *, mode: Mode = "test") -> None:
        self.ahead = timedelta()
        super().__init__(folder, address, datetime(2026, 11, 21, tzinfo=UTC), language="vi", mode=mode)
        self.arranging: Session | None = None
        self.app.config["WTF_CSRF_ENABLED"] = True
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.server = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def moment(self) -> datetime:
        return system_clock() + self.ahead

    def set_clock(self, moment: datetime) -> None:
        """The clock shows this moment now and runs on."""
        self.ahead = moment - system_clock()

    def later(self, **by: float) -> None:
        self.ahead += timedelta(**by)

    def opened(self) -> Session:
        """A session that lives as long as the test."""
        if self.arranging is None:
            self.engine = make_engine(self.settings.database_address())
            self.arranging = Session(self.engine)
        return self.arranging

    def work(self) -> None:
        """What the worker does in the background: duties and jobs that are due now."""
        with quick_passphrase():
            jobs.work(self.opened(), self.moment())
        self.opened().rollback()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        if self.arranging is not None:
            self.arranging.close()
            self.engine.dispose()


@pytest.fixture
def live(tmp_path: Path, any_address: str) -> Iterator[Live]:
    made = Live(tmp_path, any_address)
    yield made
    made.close()
