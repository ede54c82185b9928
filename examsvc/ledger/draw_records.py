"""A draw as the log tells it: how far it is, and every calculation in it made again.

Nothing is taken from anywhere but entries and what opens their commitments, so a page that shows this and the offline verifier look at the
same things.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.ledger import canonical, commitments, draws
from examsvc.ledger.draw_models import OutsideReading
from examsvc.ledger.entries import Entry, read_entry
from examsvc.ledger.models import LogEntry, Opening

State = Literal["announced", "committed", "fixed", "revealed", "drawn", "void"]
BLIND = frozenset({"assembly", "allocation", "calibration", "sample", "lots"})
"""Purposes whose inputs say something that stays closed until the result is published: the pool, script codes, exclusions, who ties."""


@dataclass(frozen=True)
class Participant:
    """One person's secret number: the entry that committed to it, and what was revealed; ``fits`` is None before."""

    code: str
    commitment: str | None
    committed_at: int | None
    nonce: str | None
    salt: str | None
    fits: bool | None


@dataclass(frozen=True)
class DrawRecord:
    """One draw.  Positions are indices of entries; what has not happened yet, or must not be seen yet, is None."""

    code: str
    purpose: str
    stage: str | None
    posts: tuple[str, ...]
    state: State
    announced: int
    announced_at: datetime
    source: str
    published: datetime | None
    method: str
    participants: tuple[Participant, ...]
    fixed: int | None
    inputs: str | None
    task: str | None
    parameters: Mapping[str, Any] | None
    outside: bytes | None
    outside_digest: str | None
    outside_fits: bool | None
    drawn: int | None
    drawn_at: datetime | None
    seed: str | None
    seed_fits: bool | None
    result: Any
    replay: draws.Drawing | None
    result_fits: bool | None
    void_cause: str | None
    void_person: str | None
    followed_by: tuple[tuple[int, str], ...]
    """(index, type) of entries that act on the draw."""

    @property
    def by_server(self) -> bool:
        return self.method == draws.SERVER_METHOD

    @property
    def right(self) -> bool | None:
        """Whether every calculation comes out as the log says; None where not all of it may be made here yet."""
        parts = [self.outside_fits, self.seed_fits, self.result_fits, *(one.fits for one in self.participants)]
        if any(one is False for one in parts):
            return False
        return True if all(parts) and self.state == "drawn" else None


def draws_of(session: Session, log: str) -> list[DrawRecord]:
    """Every draw of a log, in the order in which they were announced."""
    return _records(session, log, None)


def draw_of(session: Session, log: str, draw: str) -> DrawRecord | None:
    """One draw; None where the log has none of this code."""
    return next(iter(_records(session, log, draw)), None)


def disclosed(record: DrawRecord, published: frozenset[str]) -> bool:
    """Whether anybody may see what was drawn from and what came out; ``published`` are the posts whose result is out."""
    return record.purpose not in BLIND or set(record.posts) <= published


def published_posts(session: Session, log: str) -> frozenset[str]:
    """Posts whose result was published."""
    rows = session.scalars(select(LogEntry.entry).where(LogEntry.log == log, LogEntry.type == "results.published"))
    return frozenset(post for row in rows for post in read_entry(row).posts)


def outside_values(session: Session, log: str) -> dict[str, bytes]:
    """Outside values by draw, for the bundle: those on which two people agreed and whose digest stands in the log."""
    digests = {
        entry.body["draw"]: entry.body["outside"]
        for row in session.scalars(select(LogEntry.entry).where(LogEntry.log == log, LogEntry.type == "draw.drawn"))
        if (entry := read_entry(row))
    }
    return {
        one.draw: one.value.encode()
        for one in session.scalars(select(OutsideReading).where(OutsideReading.log == log))
        if digests.get(one.draw) == draws.outside_digest(one.value.encode())
    }


def _records(session: Session, log: str, draw: str | None) -> list[DrawRecord]:
    steps: dict[str, list[tuple[LogEntry, Entry]]] = {}
    rows = session.scalars(
        select(LogEntry).where(LogEntry.log == log, LogEntry.type.like("draw.%")).order_by(LogEntry.position)
    )
    for row in rows:
        entry = read_entry(row.entry)
        if draw is None or entry.body["draw"] == draw:
            steps.setdefault(str(entry.body["draw"]), []).append((row, entry))
    opened = _openings(session, [row.id for found in steps.values() for row, _ in found])
    outside = outside_values(session, log)
    followers = _followers(session, log) if steps else {}
    return [_record(code, found, opened, outside.get(code), tuple(followers.get(code, ()))) for code, found in steps.items()]


def _record(
    code: str,
    steps: list[tuple[LogEntry, Entry]],
    opened: Mapping[str, Mapping[str, Any]],
    outside: bytes | None,
    followers: tuple[tuple[int, str], ...],
) -> DrawRecord:
    of: dict[str, list[tuple[LogEntry, Entry]]] = {}
    for row, entry in steps:
        of.setdefault(entry.type, []).append((row, entry))

    def only(type: str) -> tuple[LogEntry, Entry] | tuple[None, None]:
        found = of.get(type)
        return found[0] if found else (None, None)

    start, announced = steps[0]
    terms = opened.get(announced.body.get("terms", ""), {})
    fixed_row, fixed = only("draw.fixed")
    drawn_row, drawn = only("draw.drawn")
    _, void = only("draw.voided")
    people = tuple(_participant(code, person, of) for person in announced.body["participants"])
    method = str(terms.get("method", ""))
    if method == draws.SERVER_METHOD:
        outside = fixed_row.leaf.encode() if fixed_row is not None else None
    inputs = opened.get(fixed.body["inputs"], {}) if fixed is not None else {}
    result = opened.get(drawn.body["result"], {}).get("result") if drawn is not None else None
    seed_fits, replay, result_fits, outside_fits = None, None, None, None
    if drawn is not None and fixed is not None:
        nonces = {one.code: one.nonce for one in people if one.nonce is not None}
        if outside is not None:
            outside_fits = draws.outside_digest(outside) == drawn.body["outside"]
            if len(nonces) == len(people):
                seed_fits = draws.seed(code, fixed.body["inputs"], nonces, outside) == drawn.body["seed"]
        if inputs:
            try:
                replay = _replayed(drawn.body["seed"], inputs["task"], canonical.encode(inputs["parameters"]))
                result_fits = replay.result == result
            except (draws.DrawError, TypeError):
                result_fits = False
    state: State = "announced"
    if void is not None:
        state = "void"
    elif drawn is not None:
        state = "drawn"
    elif fixed is not None:
        state = "revealed" if all(one.nonce for one in people) else "fixed"
    elif all(one.commitment for one in people):
        state = "committed"
    return DrawRecord(
        code=code,
        purpose=str(announced.body["purpose"]),
        stage=announced.stage,
        posts=announced.posts,
        state=state,
        announced=start.position,
        announced_at=start.at,
        source=str(terms.get("source", "")),
        published=datetime.fromtimestamp(terms["published"], UTC) if "published" in terms else None,
        method=method,
        participants=people,
        fixed=fixed_row.position if fixed_row is not None else None,
        inputs=fixed.body["inputs"] if fixed is not None else None,
        task=inputs.get("task"),
        parameters=inputs.get("parameters"),
        outside=outside,
        outside_digest=drawn.body["outside"] if drawn is not None else None,
        outside_fits=outside_fits,
        drawn=drawn_row.position if drawn_row is not None else None,
        drawn_at=drawn_row.at if drawn_row is not None else None,
        seed=drawn.body["seed"] if drawn is not None else None,
        seed_fits=seed_fits,
        result=result,
        replay=replay,
        result_fits=result_fits,
        void_cause=void.body["cause"] if void is not None else None,
        void_person=void.body.get("person") if void is not None else None,
        followed_by=followers,
    )


@lru_cache(maxsize=64)
def _replayed(seed: str, task: str, parameters: bytes) -> draws.Drawing:
    """The draw made again; kept for a while, since a large allocation takes seconds and many may look at its page."""
    return draws.replay(seed, task, canonical.decode(parameters, max_bytes=len(parameters)))


def _participant(draw: str, person: str, of: Mapping[str, list[tuple[LogEntry, Entry]]]) -> Participant:
    committed = next(((r, e) for r, e in of.get("draw.committed", []) if e.body["person"] == person), None)
    revealed = next((e for _, e in of.get("draw.revealed", []) if e.body["person"] == person), None)
    commitment = str(committed[1].body["nonce"]) if committed is not None else None
    nonce = str(revealed.body["nonce"]) if revealed is not None else None
    salt = str(revealed.body["salt"]) if revealed is not None else None
    fits = (
        draws.reveals(commitment, draw, person, nonce, salt)
        if commitment is not None and nonce is not None and salt is not None
        else None
    )
    return Participant(person, commitment, committed[0].position if committed is not None else None, nonce, salt, fits)


def _openings(session: Session, ids: list[int]) -> dict[str, Mapping[str, Any]]:
    """What opens the commitments of these entries; one that does not open its commitment is left out."""
    rows = session.scalars(select(Opening).where(Opening.entry_id.in_(ids)))
    return {
        row.commitment: row.content
        for row in rows
        if row.salt is not None
        and row.content is not None
        and commitments.opens(row.commitment, row.type, bytes.fromhex(row.salt), row.content)
    }


def _followers(session: Session, log: str) -> dict[str, list[tuple[int, str]]]:
    types = (
        "paper.approved", "paper.opened", "sitting.scheduled", "scripts.allocated", "remark.allocated", "hearing.listed", "tie.decided",
    )  # fmt: skip
    found: dict[str, list[tuple[int, str]]] = {}
    rows = session.scalars(select(LogEntry).where(LogEntry.log == log, LogEntry.type.in_(types)).order_by(LogEntry.position))
    for row in rows:
        draw = read_entry(row.entry).body.get("draw")
        if draw is not None:
            found.setdefault(str(draw), []).append((row.position, row.type))
    return found
