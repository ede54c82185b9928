"""What an engine promises, which tests elsewhere do without for speed."""

from __future__ import annotations

import pytest

from examsvc.base.database import make_engine


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("recursive_triggers", 1), ("busy_timeout", 30_000)],
)
def test_every_connection_to_sqlite_keeps_what_it_acknowledged(sqlite_address: str, pragma: str, value: object) -> None:
    """synchronous 2 is FULL: a commit has reached the disk before its answer goes out."""
    engine = make_engine(sqlite_address)
    with engine.connect() as first, engine.connect() as second:
        assert [one.exec_driver_sql(f"PRAGMA {pragma}").scalar() for one in (first, second)] == [value, value]
    engine.dispose()
