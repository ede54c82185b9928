"""Holding a public draw: every step is an entry, so that anybody can replay it.

The participants' nonces are drawn here, on the server, at their order.  Draws whose participants keep their nonces on their
own machines use the same entries and the same replay.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.base.clock import seconds
from examsvc.ledger import canonical, commitments, draws, entries
from examsvc.ledger.models import LogEntry
from examsvc.ledger.operations import Sealed, record


@dataclass(frozen=True)
class Held:
    """A draw that was made: its code in the ledger, the seed, and what came out."""

    code: str
    seed: str
    result: Any


def hold_draw(
    session: Session,
    log: str,
    *,
    purpose: str,
    posts: Sequence[str],
    stage: str | None,
    task: str,
    parameters: Mapping[str, Any],
    participants: Sequence[str],
    by: str,
    approvals: Sequence[tuple[str, datetime]],
    summary: Sealed,
    now: datetime,
) -> Held:
    """Announces, commits, fixes the inputs, reveals and draws, in one transaction.

    The outside value is the leaf of the entry that fixed the inputs: it depends on every salt and nonce before it and is
    known to nobody in advance.  ``draws.DrawError`` when the inputs cannot be satisfied.
    """
    code = f"{purpose}-{secrets.token_hex(4)}"
    codes = sorted(set(participants))
    frame: dict[str, Any] = {"posts": sorted(set(posts)), "draw": code}
    terms = {
        "draw": code,
        "source": "leaf hash, in hexadecimal, of this draw's entry draw.fixed in this log",
        "published": seconds(now),
        "method": draws.SERVER_METHOD,
    }
    record(
        session,
        log,
        "draw.announced",
        now=now,
        by=by,
        approvals=approvals,
        summary=summary,
        **frame,
        purpose=purpose,
        stage=stage,
        participants=codes,
        terms=Sealed(terms),
    )
    nonces = {person: secrets.token_hex(32) for person in codes}
    salts = {person: commitments.new_salt() for person in codes}
    for person in codes:
        nonce = {"draw": code, "person": person, "nonce": nonces[person]}
        record(
            session, log, "draw.committed", now=now, by=person, **frame, person=person, nonce=Sealed(nonce, salt=salts[person])
        )
    fixed = record(
        session,
        log,
        "draw.fixed",
        now=now,
        by=by,
        **frame,
        inputs=Sealed({"draw": code, "task": task, "parameters": dict(parameters)}),
    )
    for person in codes:
        record(
            session,
            log,
            "draw.revealed",
            now=now,
            by=person,
            **frame,
            person=person,
            nonce=nonces[person],
            salt=salts[person].hex(),
        )
    inputs = canonical.decode(fixed.entry)["body"]["inputs"]
    outside = fixed.leaf.encode()
    seed = draws.seed(code, inputs, nonces, outside)
    drawing = draws.replay(seed, task, dict(parameters))
    record(
        session,
        log,
        "draw.drawn",
        now=now,
        by=by,
        **frame,
        outside=draws.outside_digest(outside),
        seed=seed,
        result=Sealed({"draw": code, "result": drawing.result}),
    )
    return Held(code, seed, drawing.result)


def seed_of(session: Session, log: str, draw: str) -> str:
    """The seed of a draw that was made; LookupError when there is none."""
    for data in session.scalars(select(LogEntry.entry).where(LogEntry.log == log, LogEntry.type == "draw.drawn")):
        entry = entries.read_entry(data)
        if entry.body["draw"] == draw:
            return str(entry.body["seed"])
    raise LookupError(draw)
