"""Reads of logs, their checkpoints and what witnesses said."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examsvc.ledger import notes, oracles
from examsvc.ledger.entries import Entry, read_entry
from examsvc.ledger.models import (
    FrozenBundle,
    LogCheckpoint,
    LogCosignature,
    LogEntry,
    Opening,
    WitnessContact,
)
from examsvc.ledger.notes import VerifierKey
from examsvc.ledger.operations import REGISTRY
from examsvc.ledger.policy import Policy, read_policy


def logs(session: Session) -> list[str]:
    """Names of all logs that have begun, the registry first."""
    names = session.scalars(select(LogEntry.log).where(LogEntry.position == 0)).all()
    return sorted(names, key=lambda name: (name != REGISTRY, name))


def size(session: Session, log: str) -> int:
    """How many entries a log has."""
    newest = session.scalar(select(func.max(LogEntry.position)).where(LogEntry.log == log))
    return 0 if newest is None else newest + 1


def leaves(session: Session, log: str, size: int | None = None) -> list[bytes]:
    """Leaf hashes as stored, in order; of the first ``size`` entries or of all."""
    chosen = select(LogEntry.leaf).where(LogEntry.log == log).order_by(LogEntry.position)
    if size is not None:
        chosen = chosen.where(LogEntry.position < size)
    return [bytes.fromhex(leaf) for leaf in session.scalars(chosen)]


def entry_bytes(session: Session, log: str, size: int) -> list[bytes]:
    """The bytes of the first entries of a log."""
    chosen = select(LogEntry.entry).where(LogEntry.log == log, LogEntry.position < size).order_by(LogEntry.position)
    return list(session.scalars(chosen))


def of_type(session: Session, log: str, *types: str) -> Iterator[Entry]:
    """Entries of these types, in their order."""
    chosen = select(LogEntry.entry).where(LogEntry.log == log, LogEntry.type.in_(types)).order_by(LogEntry.position)
    for data in session.scalars(chosen):
        yield read_entry(data)


def opened(session: Session, log: str) -> Entry | None:
    """The first entry of a log: its origin and key; None before it has begun."""
    return next(of_type(session, log, "log.opened"), None)


def current_key(session: Session, log: str) -> tuple[str, str, int]:
    """(origin, verifier key, how many times the key was replaced) of a log as it says itself; LookupError before it has begun."""
    first = opened(session, log)
    if first is None:
        raise LookupError(log)
    origin, key, generation = str(first.body["origin"]), str(first.body["key"]), 0
    for entry in of_type(session, log, "key.rotated"):
        if entry.body["origin"] == origin:
            key, generation = str(entry.body["new"]), generation + 1
    return origin, key, generation


# ---------------------------------------------------------------- policies and witnesses


def policy_bytes(session: Session, log: str) -> bytes | None:
    """The policy file in force, which the log names by its digest; None before witnesses are named, and for the registry."""
    if log == REGISTRY:
        return None
    named = [entry.body["policy"] for entry in of_type(session, log, "witnesses.named", "witnesses.changed")]
    if not named:
        return None
    if named[-1] not in _policies:
        for document in oracles.competitions().documents(session, log):
            if hashlib.sha256(document).hexdigest() == named[-1]:
                _policies[named[-1]] = document
    return _policies.get(named[-1])


_policies: dict[str, bytes] = {}  # by digest, so that what is kept cannot be another one


def policy(session: Session, log: str) -> Policy | None:
    """The policy in force; None before witnesses are named, and for the registry, which follows every competition's."""
    data = policy_bytes(session, log)
    return read_policy(data) if data is not None else None


@dataclass(frozen=True)
class Witness:
    """Somebody who cosigns a log: the names under which policies know him, his key, the address in a policy (or empty)."""

    names: tuple[str, ...]
    key: VerifierKey
    address: str


def witnesses(session: Session, log: str) -> list[Witness]:
    """The witnesses of a log; the registry's are those of all competitions together."""
    chosen = [log] if log != REGISTRY else [one for one in logs(session) if one != REGISTRY]
    found: dict[str, Witness] = {}
    for one in chosen:
        rules = policy(session, one)
        for name, key in (rules.witnesses if rules is not None else {}).items():
            known = found.get(key.text)
            names = (*known.names, name) if known is not None and name not in known.names else (name,)
            found[key.text] = Witness(
                known.names if known is not None and name in known.names else names,
                key,
                rules.urls.get(key.text, "") if rules is not None else "",
            )
    return [found[text] for text in sorted(found)]


# ---------------------------------------------------------------- checkpoints


def newest_checkpoint(session: Session, log: str) -> LogCheckpoint | None:
    """The newest checkpoint that the log signed."""
    return session.scalars(
        select(LogCheckpoint).where(LogCheckpoint.log == log).order_by(LogCheckpoint.size.desc()).limit(1)
    ).first()


def checkpoint(session: Session, log: str, size: int) -> LogCheckpoint | None:
    """The checkpoint of exactly this size."""
    return session.scalar(select(LogCheckpoint).where(LogCheckpoint.log == log, LogCheckpoint.size == size))


def signed_note(point: LogCheckpoint, cosigners: Iterable[VerifierKey] | None = None) -> bytes:
    """The checkpoint with the cosignatures of these witnesses, or of all."""
    chosen = None if cosigners is None else {key.text for key in cosigners}
    lines = [one.line for one in point.cosignatures if chosen is None or one.key in chosen]
    note = notes.read_note(point.note)
    if lines:
        note = note.with_signatures(notes.read_signatures("".join(f"{line}\n" for line in lines)))
    return note.data


def cosigners(point: LogCheckpoint) -> list[VerifierKey]:
    """Whose cosignatures stand under a checkpoint; each was verified before it was stored."""
    return [notes.read_key(one.key) for one in point.cosignatures]


def witnessed(
    session: Session, log: str, rules: Policy, *, least: int = 1, newest: bool = False
) -> LogCheckpoint | None:
    """The first checkpoint (or the newest) with at least so many entries whose cosignatures satisfy a policy."""
    order = LogCheckpoint.size.desc() if newest else LogCheckpoint.size.asc()
    chosen = select(LogCheckpoint).where(LogCheckpoint.log == log, LogCheckpoint.size >= least).order_by(order)
    for point in session.scalars(chosen):
        if rules.satisfied_by(cosigners(point)):
            return point
    return None


def newest_seen(session: Session, log: str, witness: VerifierKey) -> LogCheckpoint | None:
    """The newest checkpoint that a witness cosigned."""
    return session.scalars(
        select(LogCheckpoint)
        .join(LogCosignature, LogCosignature.checkpoint_id == LogCheckpoint.id)
        .where(LogCheckpoint.log == log, LogCosignature.key == witness.text)
        .order_by(LogCheckpoint.size.desc())
        .limit(1)
    ).first()


def contacts(session: Session, log: str) -> dict[str, WitnessContact]:
    """When each witness was last asked and answered, by key."""
    return {
        one.key: one
        for one in session.scalars(select(WitnessContact).where(WitnessContact.log == log))
    }


# ---------------------------------------------------------------- receipts and editions


def submitted_by(session: Session, log: str, person: str) -> list[tuple[LogEntry, Opening]]:
    """The ``attempt.submitted`` entries whose answers are this person's, with what opens them, oldest first."""
    found = session.execute(
        select(LogEntry, Opening)
        .join(Opening, Opening.entry_id == LogEntry.id)
        .where(
            LogEntry.log == log,
            LogEntry.type == "attempt.submitted",
            Opening.type == "attempt.answers",
            Opening.subject == person,
        )
        .order_by(LogEntry.position)
    )
    return [(entry, opening) for entry, opening in found]


def logs_with_receipts(session: Session, person: str) -> list[str]:
    """Logs in which this person has handed in an exam."""
    return list(
        session.scalars(
            select(LogEntry.log)
            .join(Opening, Opening.entry_id == LogEntry.id)
            .where(Opening.subject == person, Opening.type == "attempt.answers", LogEntry.type == "attempt.submitted")
            .distinct()
            .order_by(LogEntry.log)
        )
    )


def frozen(session: Session, log: str, edition: int | None = None, kind: str = "public") -> FrozenBundle | None:
    """An edition of the bundle; the newest one where no number is given."""
    chosen = select(FrozenBundle).where(FrozenBundle.log == log, FrozenBundle.kind == kind)
    if edition is not None:
        chosen = chosen.where(FrozenBundle.edition == edition)
    return session.scalars(chosen.order_by(FrozenBundle.edition.desc()).limit(1)).first()


def editions(session: Session, log: str) -> list[FrozenBundle]:
    """All frozen editions, in their order, the public one first."""
    return list(
        session.scalars(
            select(FrozenBundle).where(FrozenBundle.log == log).order_by(FrozenBundle.edition, FrozenBundle.kind)
        )
    )
