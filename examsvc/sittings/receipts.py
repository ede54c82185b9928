"""The slip that a candidate takes away, as it is shown: four groups of five characters and a QR code of the same."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import segno


def grouped(code: str) -> str:
    """The twenty characters as they stand on paper: MZXW6-YTBOI-2LQ7A-PRG4K."""
    return "-".join(code[start : start + 5] for start in range(0, len(code), 5))


def shown(receipt: Mapping[str, Any]) -> dict[str, Any]:
    """The stored receipt with the picture of its code, as the player gets it."""
    return {**receipt, "qr": picture(receipt["code"])}


@lru_cache(maxsize=2048)
def picture(code: str) -> str:
    """A QR code of the slip as an SVG data address."""
    drawn = io.BytesIO()
    segno.make(grouped(code), error="m", micro=False).save(drawn, kind="svg", scale=4, border=2, xmldecl=False)
    return "data:image/svg+xml;base64," + base64.b64encode(drawn.getvalue()).decode("ascii")
