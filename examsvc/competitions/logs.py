"""Whether a stored log is what a stranger would accept: bytes, leaves, order, numbers, locks, approvals, openings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.competitions import queries
from examsvc.ledger import commitments, merkle, order
from examsvc.ledger.definitions import Log, StageKind
from examsvc.ledger.entries import Entry, EntryError, check_object, read_entry
from examsvc.ledger.models import LogEntry, Opening
from examsvc.ledger.operations import REGISTRY

HELD_ELSEWHERE = frozenset({"paper.share"})
"""Objects that the database never has: a share of a paper's key is its custodian's alone."""
HELD_UNTIL_OPENED = frozenset({"blind.pair"})
"""Objects that only the code custodians can read until their stage's code map is open."""
IN_THE_PAPER = frozenset({"paper.form", "paper.key", "paper.guide"})
"""Objects that lie in the sealed paper alone until it is opened: for good where the spare took its place."""


def names(session: Session) -> list[str]:
    """Every log that has begun: the registry and those of competitions."""
    return sorted(session.scalars(select(LogEntry.log).where(LogEntry.position == 0)))


def problems(session: Session, log: str, *, complete: bool = False) -> list[str]:
    """Everything wrong with the log of a competition, or with the registry, in words for those who run the installation.

    ``complete`` asks for what a published result needs.  What was erased opens nothing and is no problem.
    """
    return list(_problems(session, log, complete))


def _problems(session: Session, log: str, complete: bool) -> Iterator[str]:
    history = order.History(Log.REGISTRY if log == REGISTRY else Log.COMPETITION, _stages(session, log))
    rows = session.scalars(select(LogEntry).where(LogEntry.log == log).order_by(LogEntry.position)).all()
    if not rows:
        yield f"the log {log} is empty"
    closed = _Closed(rows)
    openings_of: dict[int, dict[str, Opening]] = {}
    for one in session.scalars(select(Opening).where(Opening.entry_id.in_(select(LogEntry.id).where(LogEntry.log == log)))):
        openings_of.setdefault(one.entry_id, {})[one.commitment] = one
    for place, row in enumerate(rows):
        try:
            entry = read_entry(row.entry)
        except EntryError as error:
            yield f"{row.position}: {error}"
            continue
        for found in history.append(entry):
            yield f"{row.position} {found.check}: {found.message}"
        stored = (row.position, row.type, row.log, row.leaf)
        if stored != (entry.index, entry.type, entry.competition, merkle.leaf_hash(row.entry).hex()) or place != entry.index:
            yield f"{row.position}: the row does not agree with its bytes"
        openings = openings_of.get(row.id, {})
        for name, commitment in entry.commitments:
            opening = openings.pop(commitment, None)
            if opening is None:  # one opening serves every entry that repeats it
                again = select(Opening.id).where(Opening.commitment == commitment).limit(1)
                if name not in HELD_ELSEWHERE and not closed.holds(entry, name) and session.scalar(again) is None:
                    yield f"{row.position}: nothing opens the commitment to {name}"
            elif not _opens(opening, name):
                yield f"{row.position}: the opening of {name} does not open it"
        for one in openings.values():
            yield f"{row.position}: an opening that no commitment asks for ({one.field})"
    if complete:
        for found in history.missing():
            yield f"{found.check}: {found.message}"


class _Closed:
    """What nobody had to open: maps before their opening, papers never opened, secret numbers that were not revealed (yet, or ever)."""

    def __init__(self, rows: Iterable[LogEntry]) -> None:
        self.maps: dict[str | None, int] = {}
        self.papers: set[str] = set()
        self.revealed: set[tuple[str, str]] = set()
        for row in rows:
            if row.type not in ("blind.open", "paper.opened", "draw.revealed"):
                continue
            try:
                entry = read_entry(row.entry)
            except EntryError:
                continue  # said where the entry itself is read
            if row.type == "blind.open":
                self.maps[entry.stage] = row.position
            elif row.type == "paper.opened":
                self.papers.add(str(entry.body["paper"]))
            else:
                self.revealed.add((str(entry.body["draw"]), str(entry.body["person"])))

    def holds(self, entry: Entry, name: str) -> bool:
        """Whether the opening of such an object of this entry may be missing."""
        if name in HELD_UNTIL_OPENED:
            return self.maps.get(entry.stage, -1) < entry.index
        if entry.type in ("paper.approved", "paper.sealed") and name in IN_THE_PAPER:
            return entry.body["paper"] not in self.papers
        return name == "draw.nonce" and (entry.body["draw"], entry.body["person"]) not in self.revealed


def _stages(session: Session, log: str) -> dict[str, dict[str, frozenset[StageKind]]]:
    """The declared stages of each post; none for the registry."""
    if log == REGISTRY:
        return {}
    competition = queries.competition(session, log)
    declared = order.declared_stages(json.loads(competition.regulation_document.canonical))
    return {post.code: declared for post in competition.posts}


def _opens(opening: Opening, name: str) -> bool:
    if opening.erased_at is not None:
        return True
    if opening.content is None or opening.salt is None:
        return False
    try:
        check_object(name, opening.content)
    except EntryError:
        return False
    return commitments.commit(name, bytes.fromhex(opening.salt), opening.content) == opening.commitment
