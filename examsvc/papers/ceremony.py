"""The transcript of the key ceremony of a stage: who holds which key, what was sealed for them, rehearsed, handed in, opened, replaced.

Everything in it that could be disputed is read from the log, with the entry's place and hash, so that paper in a safe, this page and the
published record can be laid side by side.  Names alone come from the accounts: the log has codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.ledger.entries import Entry, read_entry
from examsvc.ledger.models import LogEntry, Opening
from examsvc.papers import queries
from examsvc.papers.models import CustodianKey, CustodianSet

TYPES = (
    "custodians.named",
    "paper.approved",
    "paper.sealed",
    "paper.rehearsed",
    "paper.share_delivered",
    "paper.opened",
    "paper.replaced",
)


@dataclass(frozen=True)
class Holder:
    """One custodian: name, actor code, key and its fingerprint, and when the key was handed in."""

    name: str
    code: str
    recipient: str
    at: datetime | None

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.recipient)


@dataclass(frozen=True)
class Event:
    """One entry: its place, its leaf hash, its moment, who acted and who approved (names), and its body."""

    position: int
    leaf: str
    type: str
    at: datetime
    by: str
    approved_by: tuple[str, ...]
    body: Mapping[str, Any]
    reason: str = ""


@dataclass(frozen=True)
class SealedPart:
    """A sealed paper in the transcript: its entry, and each custodian's number and commitment."""

    event: Event
    shares: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True)
class Transcript:
    """Everything that was done about the papers of one stage, in the order of the log."""

    stage: str
    threshold: int
    revision: int
    holders: tuple[Holder, ...]
    named: Event
    papers: tuple[SealedPart, ...]
    events: tuple[Event, ...]
    names: Mapping[str, str]
    false: tuple[Event, ...]
    """Shares that were not the ones dealt, each with the custodian who handed it in."""


def fingerprint(recipient: str) -> str:
    """What is read aloud to compare a key: the first 16 digits of its SHA-256 in hexadecimal, in groups of four."""
    digits = sha256(recipient.encode("ascii")).hexdigest()[:16]
    return " ".join(digits[place : place + 4] for place in range(0, 16, 4))


def transcript(session: Session, competition: Competition, stage: str) -> Transcript | None:
    """The ceremony of a stage so far; None while nobody is named as custodian."""
    named = queries.custodians(session, competition.id, stage)
    if named is None:
        return None
    rows = [
        (row, entry)
        for row in session.scalars(
            select(LogEntry).where(LogEntry.log == competition.slug, LogEntry.type.in_(TYPES)).order_by(LogEntry.position)
        )
        if (entry := read_entry(row.entry)).stage == stage
    ]
    codes = {entry.actor for _, entry in rows} | {code for _, entry in rows for code in _people(entry)}
    names = {code: account.name for code in codes if (account := accounts.by_code(session, code)) is not None}
    reasons = _reasons(session, [row for row, _ in rows if row.type == "paper.replaced"])
    events = tuple(
        Event(
            row.position,
            row.leaf,
            row.type,
            row.at,
            names.get(entry.actor, entry.actor),
            tuple(names.get(code, code) for code in _approvers(entry)),
            entry.body,
            reasons.get(row.id, ""),
        )
        for row, entry in rows
    )
    return Transcript(
        stage=stage,
        threshold=named.threshold,
        revision=named.revision,
        holders=_holders(session, named),
        named=next(one for one in reversed(events) if one.type == "custodians.named"),
        papers=tuple(
            SealedPart(
                one, tuple((names.get(of["custodian"], of["custodian"]), of["x"], of["share"]) for of in one.body["shares"])
            )
            for one in events
            if one.type == "paper.sealed"
        ),
        events=events,
        names=names,
        false=tuple(one for one in events if one.type == "paper.share_delivered" and not one.body["genuine"]),
    )


def stages(competition: Competition) -> list[tuple[str, Any]]:
    """Stages in which a paper is sat: id and label."""
    regulation = competitions.regulation(competition)
    found = {regulation.stage_of(part.id).id: regulation.stage_of(part.id).label for part in queries.seated_parts(competition)}
    return list(found.items())


def _holders(session: Session, named: CustodianSet) -> tuple[Holder, ...]:
    def handed_in(account: int, recipient: str) -> datetime | None:
        return session.scalar(
            select(CustodianKey.at)
            .where(
                CustodianKey.competition_id == named.competition_id,
                CustodianKey.account_id == account,
                CustodianKey.recipient == recipient,
            )
            .order_by(CustodianKey.id)
            .limit(1)
        )

    return tuple(
        Holder(
            accounts.account(session, one["account"]).name,
            one["custodian"],
            one["recipient"],
            handed_in(one["account"], one["recipient"]),
        )
        for one in sorted(named.members, key=lambda one: str(one["custodian"]))
    )


def _approvers(entry: Entry) -> list[str]:
    return [str(one["by"]) for one in entry.body.get("approvals", [])]


def _people(entry: Entry) -> list[str]:
    """Every actor code in an entry's body."""
    body = entry.body
    found = [*_approvers(entry), *body.get("present", [])]
    found += [body["custodian"]] if isinstance(body.get("custodian"), str) else []
    found += body["custodians"] if isinstance(body.get("custodians"), list) else []
    found += [one["custodian"] for one in body["shares"]] if "shares" in body else []
    return [str(one) for one in found]


def _reasons(session: Session, rows: list[LogEntry]) -> dict[int, str]:
    found = session.scalars(select(Opening).where(Opening.entry_id.in_([row.id for row in rows]), Opening.type == "reason"))
    return {one.entry_id: str((one.content or {}).get("text", "")) for one in found}
