"""Appending to a log, in the transaction of the business rows that the entry is about."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.base.clock import seconds
from examsvc.base.database import advisory_lock
from examsvc.ledger import chains, commitments, entries, merkle, release
from examsvc.ledger.keys import Identity
from examsvc.ledger.models import HeadCounts, LogEntry, Opening

REGISTRY = "registry"
_COMMITMENT = re.compile(r"commitment to ([a-z_.]+)")


Introduction = Callable[[Session, str, str, datetime], None]
_introductions: list[Introduction] = []


def introduces(source: Introduction) -> Introduction:
    """Registers who introduces people to a log: called with (session, log, code, now) for each code that acts or approves,
    before the entry, so that ``person.enrolled`` stands before the first act under the code."""
    if source not in _introductions:
        _introductions.append(source)
    return source


@dataclass(frozen=True)
class Sealed:
    """An object that the entry only commits to; ``subject`` is the code of the person whose data it holds.

    ``salt`` is drawn here when it is None; it is given where the commitment was made earlier.
    """

    content: Mapping[str, Any]
    subject: str | None = None
    salt: bytes | None = None


def record(
    session: Session,
    log: str,
    type: str,
    *,
    now: datetime,
    by: str = entries.SYSTEM,
    approvals: Iterable[tuple[str, datetime]] = (),
    **fields: Any,
) -> LogEntry:
    """Appends one entry; call it last in an operation, so that the log's lock is held briefly.

    ``fields`` are the body's; None leaves an optional one out, and posts are put in order.  A :class:`Sealed` in place of a commitment,
    also inside a list or a record, is committed to under a salt, and its opening is stored apart.  Time in a log never goes
    back: a clock that was set back is overruled by the entry before.  Raises ``entries.EntryError`` when the body is not what the vocabulary says: a mistake in our code,
    never an answer to a person.
    """
    definition = entries.entry_type(type)
    approvals = tuple(approvals)
    for code in dict.fromkeys((by, *(approver for approver, _ in approvals))):
        if code != entries.SYSTEM:
            for introduce in _introductions:
                introduce(session, log, code, now)
    kinds = {field.name: field.kind.name for field in definition.body}
    body: dict[str, object] = {}
    openings: list[Opening] = []

    def committed(value: object, kind: str, path: str) -> object:
        """The value with every Sealed object in it replaced by its commitment."""
        if isinstance(value, list | tuple):
            return [committed(one, kind, f"{path}.{place}") for place, one in enumerate(value)]
        if isinstance(value, Mapping):
            return {key: committed(one, kind, f"{path}.{key}") for key, one in value.items()}
        if not isinstance(value, Sealed):
            return value
        names = _COMMITMENT.findall(kind)
        if len(names) != 1:
            raise entries.EntryError(f"{type}: {path} is not a commitment")
        content = dict(value.content)
        entries.check_object(names[0], content)
        salt = value.salt or commitments.new_salt()
        made = commitments.commit(names[0], salt, content)
        openings.append(
            Opening(
                field=path, type=names[0], commitment=made, salt=salt.hex(), content=content, subject=value.subject
            )
        )
        return made

    for name, value in fields.items():
        if value is not None:
            body[name] = committed(sorted(set(value)) if name == "posts" else value, kinds.get(name, ""), name)
    approved = [{"by": code, "t": seconds(moment)} for code, moment in approvals]
    if approved:
        body["approvals"] = approved
    hold(session, log)
    before = session.execute(
        select(LogEntry.position, LogEntry.at).where(LogEntry.log == log).order_by(LogEntry.position.desc()).limit(1)
    ).first()
    position, at = (0, now) if before is None else (before.position + 1, max(now, before.at))
    data = entries.entry_bytes(position, log, type, seconds(at), by, body)
    entry = LogEntry(log=log, position=position, type=type, entry=data, leaf=entries.leaf_hash(data).hex(), at=at)
    for opening in openings:
        opening.entry = entry
    session.add_all([entry, *openings])
    session.flush()
    return entry


def hold(session: Session, log: str) -> None:
    """Nobody else appends to the log until this transaction ends; ``record`` does it by itself."""
    advisory_lock(session, f"log:{log}")


def record_heads(
    session: Session, log: str, heads: Iterable[chains.Head], *, now: datetime, **fields: Any
) -> LogEntry:
    """``sitting.heads``: commits to where the chains of all open attempts stand, and keeps the numbers behind the root.

    Call :func:`hold` before the heads are read, so that whoever is checked in by an earlier entry is among them.
    """
    standing = sorted(heads, key=lambda head: head.attempt)
    entry = record(
        session,
        log,
        "sitting.heads",
        now=now,
        **fields,
        attempts=len(standing),
        links=sum(head.links for head in standing),
        root=chains.heads_root(standing),
    )
    session.add(HeadCounts(entry_id=entry.id, links={head.attempt: head.links for head in standing}))
    session.flush()
    return entry


def is_open(session: Session, log: str) -> bool:
    """Whether the log has begun."""
    first = session.scalar(select(LogEntry.type).where(LogEntry.log == log, LogEntry.position == 0))
    return first == "log.opened"


def open_log(
    session: Session, log: str, identity: Identity, *, now: datetime, registry: Identity | None = None
) -> LogEntry | None:
    """Writes the first entry of a log; None when it has begun already.  ``registry`` is given for all logs but the registry."""
    if is_open(session, log):
        return None
    opened = record(
        session,
        log,
        "log.opened",
        now=now,
        origin=identity.origin,
        key=identity.key,
        registry=registry.origin if registry is not None else None,
    )
    if log == REGISTRY:
        record_release(session, now=now)
    return opened


def record_release(session: Session, *, now: datetime) -> LogEntry | None:
    """Puts the software that runs on record when it is another one than before; None when it is not, or no registry has begun."""
    if not is_open(session, REGISTRY):
        return None
    found = release.running(session)
    if found == release.recorded(session, REGISTRY):
        return None
    return record(
        session,
        REGISTRY,
        "release.installed",
        now=now,
        version=found.version,
        digest=found.digest,
        schema=found.schema,
    )


def head(session: Session, log: str) -> tuple[int, str]:
    """Size of a log and its RFC 6962 root in hexadecimal, as they are now."""
    leaves = session.scalars(select(LogEntry.leaf).where(LogEntry.log == log).order_by(LogEntry.position)).all()
    return len(leaves), merkle.root_of(bytes.fromhex(leaf) for leaf in leaves).hex()
