"""Printed documents: PDF/UA by typst, the same bytes for the same record.

A room keeps its documents as ``templates/<room>/<name>.typ``.  Data goes in as JSON, never as formatted text in the source, so
that no name or reason can become markup.  The date of the document is that of the record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Literal

import typst

PACKAGE = Path(__file__).parent.parent
_FONTS = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)

Letterhead = Literal["state", "party", "plain"]


def pdf(
    room: str,
    name: str,
    data: Mapping[str, Any],
    *,
    title: str,
    language: str,
    institution: str,
    moment: datetime,
    place: str = "",
    letterhead: Letterhead = "state",
) -> bytes:
    """The document ``examsvc/<room>/templates/<room>/<name>.typ`` as PDF/UA-1.

    ``data`` must be JSON; in the template it is ``data``.  ``moment`` is the aware time of the record, in the zone in which it
    is to be printed.  Raises ``typst.TypstError`` when the template is wrong, never because of the data.
    """
    frame = {
        "title": title,
        "language": language,
        "institution": institution,
        "place": place,
        "letterhead": letterhead if language == "vi" else "plain",
        "year": moment.year,
        "month": moment.month,
        "day": moment.day,
    }
    made = typst.compile(
        PACKAGE / room / "templates" / room / f"{name}.typ",
        root=PACKAGE,
        format="pdf",
        font_paths=_FONTS,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False), "frame": json.dumps(frame, ensure_ascii=False)},
        pdf_standards=["ua-1"],
        # typst takes fixed offsets and whole seconds only
        timestamp=moment.astimezone(timezone(moment.utcoffset() or timedelta())).replace(microsecond=0),
    )
    if not isinstance(made, bytes):
        raise RuntimeError("typst returned no single document")
    return made


def check_fonts(text: str) -> None:
    """Raises ``typst.TypstError`` when a letter of ``text`` cannot be printed: PDF/UA takes no missing glyphs."""
    source = '#set document(title: "x")\n#set text(lang: "vi")\n' + text
    typst.compile(source.encode(), format="pdf", font_paths=_FONTS, pdf_standards=["ua-1"])
