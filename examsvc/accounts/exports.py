"""Files that leave the system: two people approve exactly these bytes, then whoever asked fetches them for a day.

A room says how a kind of file is made of its arguments; it is made for the proposal and anew each time it is fetched, and is never stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from examsvc.accounts import approvals, queries
from examsvc.accounts.approvals import Approved, Terms, line
from examsvc.accounts.models import ApprovalRequest
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.ledger.operations import record

FETCHED_WITHIN = timedelta(hours=24)

Maker = Callable[[Session, str, Mapping[str, Any]], bytes]
"""(session, slug of the competition, arguments) to the file: the same bytes as long as the facts are the same."""
Facts = Callable[[Session, str, Mapping[str, Any]], str]
"""(session, slug of the competition, arguments) to a digest of the facts that the file is made of."""


@dataclass(frozen=True)
class Draft:
    """A file that is to leave: what it is made of, and its digest and size."""

    kind: str
    competition: str
    arguments: Mapping[str, Any]


_makers: dict[str, Maker] = {}
_facts: dict[str, Facts] = {}


def made_by(kind: str, export: str, facts: Facts | None = None) -> Callable[[Maker], Maker]:
    """Registers how a kind of file is made; ``export`` names it in the entry export.made.

    ``facts`` tells at the approval whether the file would still be the same; the file itself where that is quickly made. The approval
    holds the database's one writing transaction, so nothing long may be done in it.
    """

    def mark(maker: Maker) -> Maker:
        _makers[kind] = maker
        _facts[kind] = facts or (lambda session, slug, arguments: hashlib.sha256(maker(session, slug, arguments)).hexdigest())

        @approvals.carries_out(kind)
        def leave(session: Session, approved: Approved) -> None:
            said = approved.arguments
            if _facts[kind](session, approved.competition, said) != said["facts"]:
                raise _changed()
            record(
                session,
                approved.competition,
                "export.made",
                now=approved.now,
                by=queries.account(session, approved.asked_by).code,
                approvals=approved.approvals,
                summary=approved.summary,
                export=export,
                digest=str(said["digest"]),
                size=int(said["size"]),
            )

        return maker

    return mark


def _changed() -> Refused:
    return Refused(N_("What the file is made of has changed since it was proposed. Propose it again."))


def draft(session: Session, kind: str, competition: str, arguments: Mapping[str, Any], data: bytes | None = None) -> Draft:
    """Makes the file once, for its digest, where it is not at hand as ``data``; reads only, so that a large one keeps nobody waiting."""
    facts = _facts[kind](session, competition, arguments)
    if data is None:
        data = _makers[kind](session, competition, arguments)
    found = {"facts": facts, "digest": hashlib.sha256(data).hexdigest(), "size": len(data)}
    return Draft(kind, competition, {**arguments, **found})


def ask(
    session: Session, drafted: Draft, *, lines: Sequence[str], terms: Terms, by: int, now: datetime, language: str
) -> ApprovalRequest:
    """Proposes that the file leaves; its digest is added to what approvers read."""
    return approvals.ask(
        session,
        kind=drafted.kind,
        entry_type="export.made",
        competition=drafted.competition,
        lines=[*lines, line(language, N_("Digest of the file"), f"SHA-256 {drafted.arguments['digest']}")],
        arguments=drafted.arguments,
        terms=terms,
        by=by,
        now=now,
    )


def ready(session: Session, *, kind: str, competition: str, account_id: int, now: datetime) -> list[ApprovalRequest]:
    """Approved files that this person can fetch now, the newest first."""
    return [
        one
        for one in approvals.asked_by(session, account_id)
        if one.kind == kind
        and one.competition == competition
        and one.outcome == "done"
        and one.ended_at is not None
        and now <= one.ended_at + FETCHED_WITHIN
        and one.arguments  # erasure empties them
    ]


def fetch(
    session: Session, request_id: int, *, kind: str, competition: str, by: int, now: datetime
) -> tuple[Mapping[str, Any], bytes]:
    """The arguments and the bytes of an approved file; NotFound for everybody but whoever asked, and after a day."""
    request = session.get(ApprovalRequest, request_id)
    if request is None or request not in ready(session, kind=kind, competition=competition, account_id=by, now=now):
        raise NotFound()
    data = _makers[kind](session, competition, request.arguments)
    if hashlib.sha256(data).hexdigest() != request.arguments["digest"]:
        raise _changed()
    return request.arguments, data
