"""The one place that reads the clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Now, in UTC, to the millisecond, which is what every store keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def seconds(moment: datetime) -> int:
    """Whole seconds since 1970 UTC, the time of ledger entries; fractions are cut off, never rounded up."""
    return int(moment.timestamp() // 1)
