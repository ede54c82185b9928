"""Receipts from the database: the file for an entry, the entry for a slip."""

from __future__ import annotations

import base64

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.ledger import queries, receipts, signing
from examsvc.ledger.models import LogEntry, Opening
from examsvc.ledger.receipt_checks import EntryAt
from examsvc.ledger.receipts import Proof, Receipt


def receipt_of(session: Session, log: str, position: int) -> Receipt | None:
    """The whole receipt for an entry; None until enough witnesses have cosigned a checkpoint that holds it, or once its salt is
    erased."""
    rules = queries.policy(session, log)
    point = queries.witnessed(session, log, rules, least=position + 1) if rules is not None else None
    found = session.execute(
        select(LogEntry.entry, Opening.salt)
        .join(Opening, Opening.entry_id == LogEntry.id)
        .where(LogEntry.log == log, LogEntry.position == position, Opening.type == "attempt.answers")
    ).first()
    if rules is None or point is None or found is None or found.salt is None:
        return None
    tree = signing.tree(session, log)
    note = queries.signed_note(point, rules.witnesses.values())
    return Receipt(
        found.entry, bytes.fromhex(found.salt), Proof(position, tree.inclusion_proof(position, point.size), note)
    )


def entry_at(session: Session, log: str) -> EntryAt:
    """How to look up entries of a stored log."""
    return lambda index: session.scalar(
        select(LogEntry.entry).where(LogEntry.log == log, LogEntry.position == index)
    )


def by_slip(session: Session, text: str) -> list[LogEntry]:
    """The hand-ins to which a slip belongs: one, or none.  ReceiptError when the text is no slip."""
    bare = receipts.read_slip(text).replace("-", "")
    first = base64.b32decode(bare + "=" * 4).hex()[:24]  # 96 of its 100 bits; the rest is compared below
    rows = session.scalars(
        select(LogEntry).where(
            LogEntry.type == "attempt.submitted", LogEntry.leaf >= first, LogEntry.leaf < first + "g"
        )
    )
    return [row for row in rows if receipts.slip(bytes.fromhex(row.leaf)).replace("-", "") == bare]
