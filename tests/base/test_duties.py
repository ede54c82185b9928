"""Duties come round by the clock, and a round without one leaves the database to those who save."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from examsvc.base import jobs

NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, datetime]]:
    """Two duties, each minute and each hour; who was done when."""
    heard: list[tuple[str, datetime]] = []

    def minutely(_session: Session, now: datetime) -> None:
        heard.append(("minutely", now))

    def hourly(_session: Session, now: datetime) -> None:
        heard.append(("hourly", now))

    monkeypatch.setattr(jobs, "_duties", {})
    jobs.every(timedelta(minutes=1))(minutely)
    jobs.every(timedelta(hours=1))(hourly)
    return heard


def test_each_comes_round_in_its_own_time(session: Session, done: list[tuple[str, datetime]]) -> None:
    for seconds in (0, 30, 59, 60, 90, 120, 3600):
        jobs.do_duties(session, NOW + timedelta(seconds=seconds))
    expected = {"hourly": (0, 3600), "minutely": (0, 60, 120, 3600)}
    assert sorted(done) == sorted((name, NOW + timedelta(seconds=one)) for name, every in expected.items() for one in every)


def test_a_round_without_a_duty_writes_nothing(session: Session, done: list[tuple[str, datetime]]) -> None:
    jobs.do_duties(session, NOW)
    statements: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: statements.append(given[2]))
    jobs.do_duties(session, NOW + timedelta(seconds=30))
    assert [one.split()[0] for one in statements if one != "BEGIN"] == ["SELECT"]
    assert len(done) == 2
