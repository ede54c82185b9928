"""The list of files as a spreadsheet: personal data leave the system only when two people approved exactly that list."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter
from sqlalchemy.orm import Session

from examsvc.accounts import exports
from examsvc.accounts.approvals import line
from examsvc.accounts.models import ApprovalRequest
from examsvc.applications import queries
from examsvc.applications.office import DECIDE_STEP
from examsvc.base.clock import seconds
from examsvc.base.errors import N_, Refused
from examsvc.base.language import in_language, sentence
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition

EXPORT = "applications.export"
HEAD = (N_("Number"), N_("Name"), N_("Date of birth"), N_("Post"), N_("Handed in"), N_("State"))


def spreadsheet(
    session: Session,
    competition: Competition,
    rows: Sequence[tuple[str, str]],
    *,
    language: str,
    zone: ZoneInfo,
    made: datetime,
) -> bytes:
    """The file of these applications, each with its state in words; the same bytes whenever it is made of the same facts.

    What a candidate typed never becomes a formula.
    """
    buffer = io.BytesIO()
    safe = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(buffer, safe)
    book.set_properties({"created": made.astimezone(UTC).replace(tzinfo=None)})
    sheet = book.add_worksheet(sentence(language, N_("Files")))
    bold = book.add_format({"bold": True})
    for column, title in enumerate(HEAD):
        sheet.write_string(0, column, sentence(language, title), bold)
    for place, (code, state) in enumerate(rows, start=1):
        one = queries.by_code(session, competition.id, code)
        born = one.account.birth_date
        values = (
            one.candidate_number or "",
            one.account.name,
            born.strftime("%d/%m/%Y") if born else "",
            one.post.code,
            one.submissions[-1].at.astimezone(zone).strftime("%d/%m/%Y %H:%M"),
            sentence(language, state),
        )
        for column, value in enumerate(values):
            sheet.write_string(place, column, value)
    sheet.autofit()
    sheet.freeze_panes(1, 0)
    book.close()
    return buffer.getvalue()


@exports.made_by(EXPORT, "applications")
def _file(session: Session, slug: str, said: Mapping[str, Any]) -> bytes:
    return spreadsheet(
        session,
        competitions.competition(session, slug),
        [(code, state) for code, state in said["rows"]],
        language=said["language"],
        zone=ZoneInfo(said["zone"]),
        made=datetime.fromtimestamp(said["made"], UTC),
    )


def ask_export(
    session: Session,
    competition: Competition,
    rows: Sequence[tuple[str, str]],
    *,
    zone: ZoneInfo,
    by: int,
    now: datetime,
    language: str = "vi",
) -> ApprovalRequest:
    """Proposes to take this list out of the system; another person approves."""
    if not rows:
        raise Refused(N_("No file fits."))
    made_of = {"rows": [list(one) for one in rows], "language": language, "zone": zone.key, "made": seconds(now)}
    return exports.ask(
        session,
        exports.draft(session, EXPORT, competition.slug, made_of),
        lines=[
            line(language, N_("Take a list of candidates out of the system"), in_language(competition.title, language)),
            line(language, N_("Files"), str(len(rows))),
            line(language, N_("With"), ", ".join(sentence(language, one) for one in HEAD)),
        ],
        terms=competitions.approval_terms(competition, DECIDE_STEP),
        by=by,
        now=now,
        language=language,
    )


def fetch(session: Session, competition: Competition, number: int, *, by: int, now: datetime) -> bytes:
    """The approved file, for whoever asked for it, for a day; NotFound for everybody else and afterwards."""
    _, data = exports.fetch(session, number, kind=EXPORT, competition=competition.slug, by=by, now=now)
    return data


def ready(session: Session, competition: Competition, account_id: int, now: datetime) -> list[ApprovalRequest]:
    """Approved lists that this person can fetch now, the newest first."""
    return exports.ready(session, kind=EXPORT, competition=competition.slug, account_id=account_id, now=now)
