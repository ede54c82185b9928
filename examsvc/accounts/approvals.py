"""Approval by two or more: one mechanism for every step that one person alone must not take.

A room registers how a kind of step is carried out; whoever asks for the step approves it first; the last approval that
the regulation asks for carries it out, in its own transaction, on the summary that everybody read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import queries
from examsvc.accounts.models import ApprovalRequest, ApprovalVote
from examsvc.base.database import advisory_lock
from examsvc.base.errors import N_, NotAllowed, NotFound, Refused
from examsvc.ledger import canonical
from examsvc.ledger.operations import Sealed


@dataclass(frozen=True)
class Terms:
    """Who approves a step: holders of these roles, so many people in all (the asker included), within so long."""

    roles: tuple[str, ...]
    people: int
    expires: timedelta


@dataclass(frozen=True)
class Approved:
    """What an executor gets: the arguments of the request, and the approvals as the ledger records them."""

    competition: str
    arguments: Mapping[str, Any]
    asked_by: int
    last_by: int
    approvals: tuple[tuple[str, datetime], ...]
    summary: Sealed
    now: datetime


Executor = Callable[[Session, Approved], None]
_executors: dict[str, Executor] = {}


def carries_out(kind: str) -> Callable[[Executor], Executor]:
    """Registers what is done when a request of this kind has all its approvals."""

    def mark(executor: Executor) -> Executor:
        if _executors.get(kind, executor) is not executor:
            raise RuntimeError(f"two executors for {kind}")
        _executors[kind] = executor
        return executor

    return mark


def summary_digest(entry_type: str, lines: Sequence[str]) -> str:
    """SHA-256 of the canonical bytes of what approvers read."""
    return hashlib.sha256(canonical.encode({"type": entry_type, "lines": list(lines)})).hexdigest()


def ask(
    session: Session,
    *,
    kind: str,
    entry_type: str,
    competition: str,
    lines: Sequence[str],
    arguments: Mapping[str, Any],
    terms: Terms,
    by: int,
    now: datetime,
) -> ApprovalRequest:
    """Asks for a step and gives the asker's own approval.

    ``lines`` is the summary that each approver reads; say in it everything that matters, names and numbers.  Refused when the
    same step of the same arguments is already waiting, NotAllowed when the asker holds none of the roles.
    """
    if kind not in _executors:
        raise RuntimeError(f"nobody carries out {kind}")
    _require_role(session, by, competition, terms.roles)
    for other in waiting(session, competition, now):
        if other.kind == kind and other.arguments == dict(arguments):
            raise Refused(N_("This step is already waiting for its approval. It stands in the list of approvals."))
    request = ApprovalRequest(
        competition=competition,
        kind=kind,
        entry_type=entry_type,
        arguments=dict(arguments),
        lines=list(lines),
        digest=summary_digest(entry_type, lines),
        roles=list(terms.roles),
        people=terms.people,
        asked_by_id=by,
        asked_at=now,
        expires_at=now + terms.expires,
    )
    session.add(request)
    session.flush()
    request.votes.append(ApprovalVote(by_id=by, at=now, digest=request.digest))
    session.flush()
    return request


def approve(session: Session, request_id: int, *, by: int, digest: str, now: datetime) -> bool:
    """Adds one person's approval; True when it was the last one and the step has been carried out.

    ``digest`` is that of the summary the person saw.
    """
    advisory_lock(session, f"approval:{request_id}")
    request = _open(session, request_id, now)
    _require_role(session, by, request.competition, request.roles)
    if digest != request.digest:
        raise Refused(N_("The summary has changed since you read it. Read it again, then approve."))
    if any(vote.by_id == by for vote in request.votes):
        raise NotAllowed(N_("You approved this step already. Another person approves it next."))
    request.votes.append(ApprovalVote(by_id=by, at=now, digest=digest))
    session.flush()
    if len(request.votes) < request.people:
        return False
    request.outcome, request.ended_at = "done", now
    session.flush()
    _executors[request.kind](
        session,
        Approved(
            competition=request.competition,
            arguments=dict(request.arguments),
            asked_by=request.asked_by_id,
            last_by=by,
            approvals=tuple((vote.by.code, vote.at) for vote in request.votes),
            summary=Sealed({"type": request.entry_type, "lines": list(request.lines)}),
            now=now,
        ),
    )
    return True


def refuse(session: Session, request_id: int, *, by: int, reason: str, now: datetime) -> None:
    """Ends a request: the asker withdraws it, another approver refuses it with a reason."""
    request = _open(session, request_id, now)
    _require_role(session, by, request.competition, request.roles)
    if not reason.strip():
        raise Refused(N_("Write the reason."), field="reason")
    request.outcome = "withdrawn" if by == request.asked_by_id else "refused"
    request.ended_at, request.reason = now, reason
    session.flush()


def waiting(session: Session, competition: str, now: datetime) -> list[ApprovalRequest]:
    """Requests that still wait for somebody and have not lapsed, the oldest first."""
    return list(
        session.scalars(
            select(ApprovalRequest)
            .where(
                ApprovalRequest.competition == competition,
                ApprovalRequest.outcome.is_(None),
                ApprovalRequest.expires_at > now,
            )
            .order_by(ApprovalRequest.id)
        )
    )


def waiting_for(session: Session, account_id: int, now: datetime) -> list[ApprovalRequest]:
    """Requests in any competition that this person may approve and has not approved yet."""
    roles = queries.roles_of(session, account_id)
    found = session.scalars(
        select(ApprovalRequest)
        .where(ApprovalRequest.outcome.is_(None), ApprovalRequest.expires_at > now)
        .order_by(ApprovalRequest.id)
    )
    return [
        request
        for request in found
        if any((role, request.competition) in roles or (role, "") in roles for role in request.roles)
        and all(vote.by_id != account_id for vote in request.votes)
    ]


def _open(session: Session, request_id: int, now: datetime) -> ApprovalRequest:
    request = session.get(ApprovalRequest, request_id)
    if request is None:
        raise NotFound()
    session.refresh(request)
    if request.outcome is not None:
        raise Refused(N_("This step was already decided."))
    if request.expires_at <= now:
        raise Refused(N_("The time for this approval is over. Ask for the step again."))
    return request


def _require_role(session: Session, account_id: int, competition: str, roles: Collection[str]) -> None:
    held = queries.roles_of(session, account_id)
    if not any((role, competition) in held or (role, "") in held for role in roles):
        raise NotAllowed(N_("Your role does not approve this step. The regulation names the roles that do."))
