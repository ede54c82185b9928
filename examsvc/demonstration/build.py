"""Building the demonstration installation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def ensure(folder: Path, address: str) -> Iterator[str]:
    """Builds the installation in the folder unless it is there, and yields the lines to print."""
    yield f"{folder} {address}"
