"""The list of files as a spreadsheet: personal data leave the system only when two people approved exactly that list."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import xlsxwriter
from sqlalchemy.orm import Session

from examsvc.accounts import approvals
from examsvc.accounts import queries as accounts
from examsvc.accounts.approvals import Approved, line
from examsvc.accounts.models import ApprovalRequest
from examsvc.applications import queries
from examsvc.applications.office import DECIDE_STEP
from examsvc.base.clock import seconds
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.language import in_language, sentence
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.ledger.operations import record

EXPORT = "applications.export"
FETCHED_WITHIN = timedelta(hours=24)
"""So long after the approval the file can be fetched, by whoever asked for it."""
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
    data = spreadsheet(session, competition, rows, language=language, zone=zone, made=now)
    digest = hashlib.sha256(data).hexdigest()
    return approvals.ask(
        session,
        kind=EXPORT,
        entry_type="export.made",
        competition=competition.slug,
        lines=[
            line(language, N_("Take a list of candidates out of the system"), in_language(competition.title, language)),
            line(language, N_("Files"), str(len(rows))),
            line(language, N_("With"), ", ".join(sentence(language, one) for one in HEAD)),
            line(language, N_("Digest of the file"), f"SHA-256 {digest}"),
        ],
        arguments={
            "rows": [list(one) for one in rows],
            "language": language,
            "zone": zone.key,
            "made": seconds(now),
            "digest": digest,
        },
        terms=competitions.approval_terms(competition, DECIDE_STEP),
        by=by,
        now=now,
    )


def _made(session: Session, competition: Competition, request: ApprovalRequest | Approved) -> bytes:
    """The approved file, made again; Refused when it would be another one now."""
    said = request.arguments
    if not said:
        raise NotFound()
    data = spreadsheet(
        session,
        competition,
        [(code, state) for code, state in said["rows"]],
        language=said["language"],
        zone=ZoneInfo(said["zone"]),
        made=datetime.fromtimestamp(said["made"], UTC),
    )
    if hashlib.sha256(data).hexdigest() != said["digest"]:
        raise Refused(N_("The list has changed since it was proposed. Propose it again."))
    return data


@approvals.carries_out(EXPORT)
def export(session: Session, approved: Approved) -> None:
    """The list may be fetched; the log says that it left."""
    competition = competitions.competition(session, approved.competition)
    data = _made(session, competition, approved)
    record(
        session,
        competition.slug,
        "export.made",
        now=approved.now,
        by=accounts.account(session, approved.asked_by).code,
        approvals=approved.approvals,
        summary=approved.summary,
        export="applications",
        digest=str(approved.arguments["digest"]),
        size=len(data),
    )


def fetch(session: Session, competition: Competition, number: int, *, by: int, now: datetime) -> bytes:
    """The approved file, for whoever asked for it, for a day; NotFound for everybody else and afterwards."""
    request = session.get(ApprovalRequest, number)
    if request is None or request not in ready(session, competition, by, now):
        raise NotFound()
    return _made(session, competition, request)


def ready(session: Session, competition: Competition, account_id: int, now: datetime) -> list[ApprovalRequest]:
    """Approved lists that this person can fetch now, the newest first."""
    return approvals.carried_out_for(
        session, account_id, kind=EXPORT, competition=competition.slug, since=now - FETCHED_WITHIN
    )
