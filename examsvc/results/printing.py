"""A published edition on paper and as a spreadsheet: made anew from the frozen content, the same bytes each time."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import xlsxwriter

from examsvc.base import documents
from examsvc.base.errors import N_
from examsvc.base.language import in_language, sentence
from examsvc.competitions.regulation import Regulation
from examsvc.ledger import canonical
from examsvc.results.council import OUTCOME_NAMES
from examsvc.results.derivation import shown

_UNSAFE = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def headings(content: Mapping[str, Any], regulation: Regulation, language: str) -> list[str]:
    """The columns of the list: rank, candidate, marks as far as any row shows them, outcome."""
    rows = [row for post in content["posts"] for row in post["rows"]]
    parts = _parts(content, regulation)
    head = [sentence(language, N_("Rank")), sentence(language, N_("Candidate"))]
    head += [regulation.part(part).label.in_language(language) for part in parts]
    if any("total" in row for row in rows):
        head.append(sentence(language, N_("Total")))
    return [*head, sentence(language, N_("Outcome"))]


def cells(row: Mapping[str, Any], content: Mapping[str, Any], regulation: Regulation, language: str) -> list[str]:
    """One row of the list, column by column."""
    found = [str(row["rank"]) if row["rank"] else "–", str(row.get("name") or row.get("number"))]
    found += [shown(row.get("parts", {}).get(part), language) for part in _parts(content, regulation)]
    if any("total" in one for post in content["posts"] for one in post["rows"]):
        found.append(shown(row.get("total"), language))
    return [*found, sentence(language, OUTCOME_NAMES[row["outcome"]])]


def _parts(content: Mapping[str, Any], regulation: Regulation) -> list[str]:
    """Parts whose marks stand in some row, in the order in which they were sat."""
    there = {part for post in content["posts"] for row in post["rows"] for part in row.get("parts", {})}
    return [part.id for part in regulation.parts if part.id in there]


def omitted(post: Mapping[str, Any], language: str) -> str:
    """What the list does not show, in one sentence; empty where it shows everybody."""
    left = post["candidates"] - len(post["rows"])
    if not left:
        return ""
    return sentence(
        language,
        N_("%(all)d candidates took part. The regulation publishes only those above; all candidates see their own results after signing in."),
        all=post["candidates"],
    )


@lru_cache(maxsize=16)
def pdf(
    content: str,
    canonical_regulation: Regulation,
    *,
    digest: str,
    edition: int,
    language: str,
    institution: str,
    moment: datetime,
    appeals: tuple[tuple[str, str], ...],
) -> bytes:
    """The edition as PDF.  ``content`` is its canonical JSON, ``appeals`` pairs of a channel and its deadline in words."""
    published = json.loads(content)
    head = headings(published, canonical_regulation, language)
    data = {
        "facts": [
            [sentence(language, N_("Competition")), in_language(published["title"], language)],
            [sentence(language, N_("Edition")), str(edition)],
            [sentence(language, N_("Regulation")), f"{canonical_regulation.title.in_language(language)}, SHA-256 {published['regulation']}"],
        ],
        "head": head,
        "numbers": [place for place in range(len(head) - 1) if place != 1],
        "posts": [
            {
                "title": f"{post['post']} · {in_language(post['title'], language)}, {in_language(post['unit'], language)}",
                "rows": [cells(row, published, canonical_regulation, language) for row in post["rows"]],
                "empty": sentence(language, N_("Nobody is shown for this post.")),
                "note": omitted(post, language),
            }
            for post in published["posts"]
        ],
        "appeals": {
            "title": sentence(language, N_("How to contest the result")),
            "head": [sentence(language, N_("Procedure")), sentence(language, N_("Until"))],
            "rows": [list(one) for one in appeals],
        },
        "digest": sentence(language, N_("SHA-256 of the published data: %(digest)s"), digest=digest),
        "signatures": [sentence(language, N_("Chair"))],
    }
    return documents.pdf(
        "results",
        "result",
        data,
        title=sentence(language, N_("Result of the competition")),
        language=language,
        institution=institution,
        moment=moment,
    )


def xlsx(content: Mapping[str, Any], regulation: Regulation, *, digest: str, language: str, moment: datetime) -> bytes:
    """The edition as a spreadsheet; every cell is a text, so that nothing in a name can become a formula."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(buffer, options)
    book.set_properties({"title": in_language(content["title"], language), "created": moment.replace(tzinfo=None)})
    bold = book.add_format({"bold": True})
    right = book.add_format({"align": "right"})
    head = headings(content, regulation, language)
    for post in content["posts"]:
        sheet = book.add_worksheet(_sheet_name(post["post"]))
        sheet.write_string(0, 0, safe(f"{post['post']} · {in_language(post['title'], language)}"), bold)
        sheet.write_string(1, 0, f"SHA-256 {digest}")
        for column, text in enumerate(head):
            sheet.write_string(3, column, safe(text), bold)
        for place, row in enumerate(post["rows"]):
            for column, text in enumerate(cells(row, content, regulation, language)):
                number = column not in (1, len(head) - 1)
                sheet.write_string(4 + place, column, safe(text), *((right,) if number else ()))
        note = omitted(post, language)
        if note:
            sheet.write_string(5 + len(post["rows"]), 0, note)
        sheet.set_column(0, 0, 8)
        sheet.set_column(1, 1, 32)
        sheet.set_column(2, len(head) - 1, 18)
    book.close()
    return buffer.getvalue()


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula, also after it was saved as CSV: an apostrophe before a dangerous sign."""
    return f"'{text}" if text.startswith(_UNSAFE) else text


def _sheet_name(code: str) -> str:
    kept = "".join(letter for letter in code if letter not in "[]:*?/\\'")
    return kept[:31] or "1"


def appeal_lines(
    regulation: Regulation, until: Mapping[str, str | None], language: str
) -> Sequence[tuple[str, str]]:
    """(procedure, until when) for each channel; a channel without a window is open at any time."""
    return tuple(
        (
            channel.label.in_language(language),
            until.get(channel.id)
            or (
                sentence(language, N_("at any time"))
                if channel.window is None
                else sentence(language, N_("after an event that has no date yet"))
            ),
        )
        for channel in regulation.appeals
    )


def frozen(content: Mapping[str, Any]) -> str:
    """The content as canonical text."""
    return canonical.encode(dict(content)).decode()
