"""The signer: looks at every row before it signs, and signs nothing that does not continue what was signed before.

It recomputes each entry's leaf from its bytes, holds the entry against number, order and locks, replays each attempt's chain from
the stored saves, and only then signs the root.  What it has looked at is kept in memory, so that each minute it
reads only what is new; a process that begins reads everything once, except the saves behind what is signed already.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from examsvc.base.database import advisory_lock, writing
from examsvc.ledger import chains, checkpoints, commitments, entries, keys, merkle, oracles, queries
from examsvc.ledger.chains import Head
from examsvc.ledger.checkpoints import Checkpoint
from examsvc.ledger.definitions import Log
from examsvc.ledger.entries import Entry, EntryError
from examsvc.ledger.models import HeadCounts, LogCheckpoint, LogEntry
from examsvc.ledger.notes import SignerKey
from examsvc.ledger.operations import REGISTRY
from examsvc.ledger.order import History

MOST_NAMED = 10


class Unsound(RuntimeError):
    """A log does not hold what it must, or is not what was signed before: nothing is signed, and the message says why."""


@dataclass(frozen=True)
class Installation:
    """What signing and witnessing need to know of the installation: the secret behind the keys of its logs, the folder where
    witnessed checkpoints are kept beside the database, and the address of a witness by the name of its key."""

    secret: str
    folder: Path | None = None
    address_of: Callable[[str], str] = "https://{}".format


_installation: list[Installation] = []


def configure(installation: Installation) -> None:
    """Tells the signer whose keys it has; done once when the application starts."""
    _installation[:] = [installation]


def installation() -> Installation:
    """What ``configure`` was told; RuntimeError before."""
    if not _installation:
        raise RuntimeError("the signer was not told whose keys it has: call signing.configure")
    return _installation[0]


@dataclass
class Audited:
    """A log as far as it has been looked at: its tree, its order, and the chains of attempts that may still grow."""

    history: History
    tree: merkle.Tree = field(default_factory=merkle.Tree)
    heads: dict[str, list[Head]] = field(default_factory=dict)
    seen: int = 0


_audited: WeakKeyDictionary[Engine, dict[str, Audited]] = WeakKeyDictionary()
_trees: WeakKeyDictionary[Engine, dict[str, merkle.Tree]] = WeakKeyDictionary()
_lock = threading.RLock()


def audit(session: Session, log: str) -> merkle.Tree:
    """Looks at every entry that was not looked at yet, and returns the tree over all of them.

    Raises Unsound, and forgets what it knew, when an entry or a chain is wrong or the log is shorter than before.
    """
    with _lock:
        known = _audited.setdefault(session.get_bind().engine, {})
        state = known.pop(log, None) or Audited(History(Log.REGISTRY if log == REGISTRY else Log.COMPETITION))
        problems = list(_continue(session, log, state))
        if problems:
            shown = "; ".join(problems[:MOST_NAMED])
            raise Unsound(f"The log {log} is not signed: {shown}")
        known[log] = state
        return state.tree


def tree(session: Session, log: str) -> merkle.Tree:
    """The tree over the leaves as stored, for proofs: kept in memory, and read on where the log has grown.

    Nothing is looked at here; a proof from wrong leaves proves nothing.
    """
    with _lock:
        known = _trees.setdefault(session.get_bind().engine, {}).setdefault(log, merkle.Tree())
        chosen = select(LogEntry.leaf).where(LogEntry.log == log, LogEntry.position >= len(known))
        for leaf in session.scalars(chosen.order_by(LogEntry.position)):
            known.append(bytes.fromhex(leaf))
        return known


def forget() -> None:
    """The next audit begins at the first entry."""
    with _lock:
        _audited.clear()
        _trees.clear()


def _continue(session: Session, log: str, state: Audited) -> Iterator[str]:
    begin = len(state.tree)
    if begin:
        last = session.scalar(select(LogEntry.leaf).where(LogEntry.log == log, LogEntry.position == begin - 1))
        if last is None or bytes.fromhex(last) != state.tree.leaf(begin - 1):
            yield f"its entry {begin - 1} is gone or another one than it was"
            return
    if log != REGISTRY:
        state.history.stages = oracles.competitions().stages(session, log)
    signed = queries.newest_checkpoint(session, log)
    rows = session.scalars(
        select(LogEntry)
        .where(LogEntry.log == log, LogEntry.position >= begin)
        .order_by(LogEntry.position)
        .execution_options(yield_per=1000, populate_existing=True)
    )
    for row in rows:
        try:
            entry = entries.read_entry(row.entry)
        except EntryError as error:
            yield f"entry {row.position} cannot be read: {error}"
            return
        leaf = entries.leaf_hash(row.entry)
        if (row.leaf, row.type, row.log, row.position) != (leaf.hex(), entry.type, entry.competition, len(state.tree)):
            yield f"the row of entry {row.position} does not agree with its bytes or its place"
            return
        yield from (f"entry {entry.index}: {one.message}" for one in state.history.append(entry))
        if signed is None or entry.index >= signed.size:
            yield from _chains(session, log, state, row.id, entry)
        state.tree.append(leaf)
    if signed is not None and (len(state.tree) < signed.size or state.tree.root(signed.size).hex() != signed.root):
        yield f"it does not continue the checkpoint of {signed.size} entries that was signed before"


def _chains(session: Session, log: str, state: Audited, row: int, entry: Entry) -> Iterator[str]:
    """The saves behind an entry lead to the heads that it states."""
    if entry.type == "sitting.heads":
        _read_saves(session, log, state)
        counts = session.get(HeadCounts, row)
        stated = counts.links if counts is not None else {}
        heads = [_head(session, log, state, attempt, links) for attempt, links in stated.items()]
        there = [head for head in heads if head is not None]
        found = (len(heads), sum(stated.values()), chains.heads_root(there))
        if len(there) < len(heads) or found != (entry.body["attempts"], entry.body["links"], entry.body["root"]):
            yield f"entry {entry.index}: the stored saves do not lead to the heads it commits to"
    elif entry.type in ("attempt.submitted", "attempt.late_kept"):
        _read_saves(session, log, state)
        attempt = entry.body["attempt"]
        head = _head(session, log, state, attempt, entry.body["links"])
        if head is None or head.head != entry.body["head"]:
            yield f"entry {entry.index}: the stored saves of attempt {attempt} do not lead to the head it states"
        state.heads.pop(attempt, None)


def _read_saves(session: Session, log: str, state: Audited) -> None:
    for stored in oracles.competitions().saves(session, log, after=state.seen):
        state.seen = stored.number
        heads = state.heads.setdefault(stored.attempt, [chains.start(log, stored.attempt)])
        if stored.link == len(heads):
            _extend(heads, stored)


def _head(session: Session, log: str, state: Audited, attempt: str, links: int) -> Head | None:
    """The chain of an attempt after so many saves; read anew where rows became visible out of their order."""
    heads = state.heads.get(attempt, [])
    if links >= len(heads):
        heads = state.heads[attempt] = [chains.start(log, attempt)]
        for stored in oracles.competitions().saves(session, log, attempt=attempt):
            if stored.link == len(heads):
                _extend(heads, stored)
    return heads[links] if 0 <= links < len(heads) else None


def _extend(heads: list[Head], stored: oracles.StoredSave) -> None:
    """Adds a link if the row opens its own commitment; otherwise the chain ends here, and whoever needs it longer says so."""
    save = stored.save
    if save.salt is None or commitments.opens(save.commitment, "attempt.save", save.salt, save.value):
        heads.append(chains.extend(heads[-1], save.commitment))


def key_of(session: Session, log: str) -> SignerKey:
    """The private key with which this installation signs for a log; Unsound when it is not the one that the log names."""
    origin, key, rotations = queries.current_key(session, log)
    signer = keys.signer(installation().secret, origin, rotations + 1)
    if signer.verifier.text != key:
        raise Unsound(
            f"The key of the log {log} does not belong to this installation's secret. Bring back the file of keys"
            " with which the log began; another key cannot sign for it."
        )
    return signer


def sign_checkpoint(session: Session, log: str, *, now: datetime) -> LogCheckpoint:
    """The newest checkpoint of a log, signed now unless nothing was added since the last one.  Commits by itself.

    Unsound when the log may not be signed; LookupError when it has not begun.
    """
    session.rollback()
    signer = key_of(session, log)
    tree = audit(session, log)
    size, root = len(tree), tree.root()
    note = checkpoints.sign(Checkpoint(signer.name, size, root), signer)
    with writing(session):
        advisory_lock(session, f"checkpoint:{log}")
        found = queries.checkpoint(session, log, size)
        if found is None:
            found = LogCheckpoint(log=log, size=size, root=root.hex(), note=note.data, at=now)
            session.add(found)
            session.flush()
        elif found.root != root.hex():
            raise Unsound(f"The log {log} has another root than was signed for its {size} entries.")
        number = found.id
    return session.get_one(LogCheckpoint, number)

