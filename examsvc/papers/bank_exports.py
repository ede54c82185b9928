"""A question bank as a file: questions leave the system only when two people approved exactly that file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from examsvc.accounts import exports
from examsvc.accounts.approvals import line
from examsvc.accounts.models import ApprovalRequest
from examsvc.base.errors import N_, NotFound
from examsvc.base.language import in_language, number
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.ledger import canonical
from examsvc.papers import banks, queries
from examsvc.papers.models import Bank
from question_banks import write_bank
from question_banks.reading import SUFFIXES

EXPORT = "papers.export-bank"


def _facts(session: Session, slug: str, said: Mapping[str, Any]) -> str:
    """Changes with every question, whatever of it, and with the title or format that the file is made of."""
    bank = queries.bank(session, said["bank"])
    head = [bank.title, bank.languages, bank.licence, said["format"]]
    items = [one.native for one in queries.current_items(session, bank.id)]
    return hashlib.sha256(canonical.encode([head, items])).hexdigest()


@exports.made_by(EXPORT, "bank", _facts)
def _file(session: Session, slug: str, said: Mapping[str, Any]) -> bytes:
    return write_bank(banks.as_document(session, queries.bank(session, said["bank"])), said["format"]).data


@dataclass(frozen=True)
class BankDraft:
    """A bank's file that is to leave, with what becomes of its questions in that format."""

    title: Mapping[str, str]
    file: exports.Draft
    written: int
    lossy: int
    refused: int


def draft(session: Session, competition: Competition, bank: Bank, format: str) -> BankDraft:
    """Makes the file in that format once; seconds for a bank of thousands, so before the writing begins."""
    if format not in SUFFIXES:
        raise NotFound()
    document = banks.as_document(session, bank)
    written = write_bank(document, format)
    problems = written.problems
    refused = {problem.item for problem in problems if problem.severity == "refused"}
    lossy = {problem.item for problem in problems if problem.severity == "lossy"} - refused
    file = exports.draft(session, EXPORT, competition.slug, {"bank": bank.name, "format": format}, written.data)
    return BankDraft(dict(bank.title), file, len(document) - len(refused), len(lossy), len(refused))


def ask_export(session: Session, competition: Competition, drafted: BankDraft, *, by: int, now: datetime, language: str = "vi") -> ApprovalRequest:
    """Proposes to take the questions in use out of the system; another person approves."""
    said = drafted.file.arguments
    return exports.ask(
        session,
        drafted.file,
        lines=[
            line(language, N_("Take a question bank out of the system"), in_language(drafted.title, language) or said["bank"]),
            line(language, N_("Format"), said["format"]),
            line(language, N_("Questions, with their keys"), number(str(drafted.written), language)),
            line(language, N_("Questions that lose something in this format"), number(str(drafted.lossy), language)),
            line(language, N_("Questions that this format cannot hold"), number(str(drafted.refused), language)),
        ],
        terms=competitions.approval_terms(competition, "approve-paper"),
        by=by,
        now=now,
        language=language,
    )


def fetch(session: Session, competition: Competition, request_id: int, *, by: int, now: datetime) -> tuple[str, str, bytes]:
    """The bank's name, the format and the file, for whoever asked for it, for a day; NotFound for everybody else and afterwards."""
    said, data = exports.fetch(session, request_id, kind=EXPORT, competition=competition.slug, by=by, now=now)
    return said["bank"], said["format"], data


def ready(session: Session, competition: Competition, account_id: int, now: datetime) -> list[ApprovalRequest]:
    """Approved exports that this person can fetch now, the newest first."""
    return exports.ready(session, kind=EXPORT, competition=competition.slug, account_id=account_id, now=now)
