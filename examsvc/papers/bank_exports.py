"""A question bank as a file: questions leave the system only when two people approved exactly that file."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from examsvc.accounts import approvals
from examsvc.accounts import queries as accounts
from examsvc.accounts.approvals import Approved, line
from examsvc.accounts.models import ApprovalRequest
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.language import in_language, number
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.ledger.operations import record
from examsvc.papers import banks, operations, queries
from examsvc.papers.models import Bank
from question_banks import ExportResult, write_bank
from question_banks.reading import SUFFIXES

EXPORT = "papers.export-bank"
FETCHED_WITHIN = timedelta(hours=24)
"""So long after the approval the file can be fetched, by whoever asked for it."""


def ask_export(
    session: Session, competition: Competition, bank: Bank, *, format: str, by: int, now: datetime, language: str = "vi"
) -> ApprovalRequest:
    """Proposes to take the questions in use out of the system in that format; another person approves."""
    if format not in SUFFIXES:
        raise NotFound()
    made = _written(session, bank, format)
    refused = {problem.item for problem in made.problems if problem.severity == "refused"}
    lost = {problem.item for problem in made.problems if problem.severity == "lossy"} - refused
    questions = len(queries.current_items(session, bank.id))
    return approvals.ask(
        session,
        kind=EXPORT,
        entry_type="export.made",
        competition=competition.slug,
        lines=[
            line(language, N_("Take a question bank out of the system"), in_language(bank.title, language) or bank.name),
            line(language, N_("Format"), format),
            line(language, N_("Questions, with their keys"), number(str(questions - len(refused)), language)),
            line(language, N_("Questions that lose something in this format"), number(str(len(lost)), language)),
            line(language, N_("Questions that this format cannot hold"), number(str(len(refused)), language)),
            line(language, N_("Digest of the file"), f"SHA-256 {_digest(made)}"),
        ],
        arguments={"bank": bank.name, "format": format, "digest": _digest(made)},
        terms=competitions.approval_terms(competition, "approve-paper"),
        by=by,
        now=now,
    )


def _written(session: Session, bank: Bank, format: str) -> ExportResult:
    return write_bank(banks.as_document(session, bank), format)


def _digest(made: ExportResult) -> str:
    return hashlib.sha256(made.data).hexdigest()


def _made(session: Session, request: ApprovalRequest | Approved) -> ExportResult:
    """The approved file, written again; Refused when it would be another one now."""
    said = request.arguments
    if not said:
        raise NotFound()
    made = _written(session, queries.bank(session, str(said["bank"])), str(said["format"]))
    if _digest(made) != said["digest"]:
        raise Refused(N_("The bank has changed since its export was proposed. Propose it again."))
    return made


@approvals.carries_out(EXPORT)
def export(session: Session, approved: Approved) -> None:
    """The file may be fetched; the log says that it left, not what is in it."""
    made = _made(session, approved)
    record(
        session,
        approved.competition,
        "export.made",
        now=approved.now,
        by=accounts.account(session, approved.asked_by).code,
        approvals=approved.approvals,
        summary=approved.summary,
        export="bank",
        digest=str(approved.arguments["digest"]),
        size=len(made.data),
    )


def fetch(session: Session, competition: Competition, request_id: int, *, by: int, now: datetime) -> tuple[str, ExportResult]:
    """The bank's name and the approved file, for whoever asked for it, for a day; NotFound for everybody else and afterwards.

    Each time it is fetched is put on record with the other readings.
    """
    request = session.get(ApprovalRequest, request_id)
    if request is None or request not in ready(session, competition, by, now):
        raise NotFound()
    made = _made(session, request)
    name, format = str(request.arguments["bank"]), str(request.arguments["format"])
    operations.note_reading(session, competition.slug, what="export", thing=f"{name}, {format}", by=by, now=now)
    return name, made


def ready(session: Session, competition: Competition, account_id: int, now: datetime) -> list[ApprovalRequest]:
    """Approved exports that this person can fetch now, the newest first."""
    return approvals.carried_out_for(
        session, account_id, kind=EXPORT, competition=competition.slug, since=now - FETCHED_WITHIN
    )
