"""Whether a stored log is what a stranger would accept: bytes, leaves, order, numbers, locks, approvals, openings."""

from __future__ import annotations

import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.competitions import queries
from examsvc.ledger import commitments, merkle, order
from examsvc.ledger.definitions import Log
from examsvc.ledger.entries import check_object, read_entry
from examsvc.ledger.models import LogEntry, Opening
from examsvc.ledger.operations import REGISTRY

HELD_ELSEWHERE = frozenset({"paper.share"})
"""Objects that the database never has: a share of a paper's key is its custodian's alone."""


def problems(session: Session, slug: str, *, complete: bool = False) -> list[str]:
    """Everything wrong with the log of a competition, or with the registry; ``complete`` asks for what a published result needs."""
    rows = list(session.scalars(select(LogEntry).where(LogEntry.log == slug).order_by(LogEntry.position)))
    found = [] if rows else [f"the log {slug} is empty"]
    stages = {}
    if slug != REGISTRY:
        competition = queries.competition(session, slug)
        declared = order.declared_stages(json.loads(competition.regulation_document.canonical))
        stages = {post.code: declared for post in competition.posts}
    history = order.History(Log.REGISTRY if slug == REGISTRY else Log.COMPETITION, stages)
    for row in rows:
        entry = read_entry(row.entry)
        found += [f"{row.position} {one.check}: {one.message}" for one in history.append(entry)]
        if row.leaf != merkle.leaf_hash(row.entry).hex() or row.type != entry.type or row.log != entry.competition:
            found.append(f"{row.position}: the row does not agree with its bytes")
        opened = {one.commitment: one for one in session.scalars(select(Opening).where(Opening.entry_id == row.id))}
        for name, commitment in entry.commitments:
            one = opened.pop(commitment, None)
            if one is None:
                again = select(Opening.id).where(Opening.commitment == commitment).limit(1)
                if name not in HELD_ELSEWHERE and session.scalar(again) is None:  # one opening serves every entry that repeats it
                    found.append(f"{row.position}: nothing opens the commitment to {name}")
            elif one.erased_at is None:
                check_object(name, one.content)
                if commitments.commit(name, bytes.fromhex(one.salt), one.content) != commitment:
                    found.append(f"{row.position}: the opening of {name} does not open it")
        found += [f"{row.position}: an opening that no commitment asks for ({name.field})" for name in opened.values()]
    if complete:
        found += [f"{one.check}: {one.message}" for one in history.missing()]
    return found


def assert_valid(session: Session, slug: str, *, complete: bool = False) -> None:
    """Fails with every problem of the log."""
    found = problems(session, slug, complete=complete)
    assert not found, "\n".join(found)
