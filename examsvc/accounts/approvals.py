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
from examsvc.accounts.models import Account, ApprovalRequest, ApprovalVote
from examsvc.base import messages
from examsvc.base.database import advisory_lock
from examsvc.base.errors import N_, NotAllowed, NotFound, Refused
from examsvc.base.language import both, sentence
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

    request_id: int
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


def line(language: str, label: str, value: str) -> str:
    """One line of a summary: a marked label in the asker's language, and what it says."""
    return f"{sentence(language, label)}: {value}"


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
    asker_approves: bool = True,
    barred: Collection[int] = (),
) -> ApprovalRequest:
    """Asks for a step and gives the asker's own approval.

    ``lines`` is the summary that each approver reads; say in it everything that matters, names and numbers.  Refused when the
    same step of the same arguments is already waiting, NotAllowed when the asker holds none of the roles or is ``barred``,
    since the step is about him or her.  With ``asker_approves=False`` anybody may ask whom the room lets ask, and
    all approvals come from others.
    """
    if kind not in _executors:
        raise RuntimeError(f"nobody carries out {kind}")
    if asker_approves:
        _require_role(session, by, competition, terms.roles, barred, now)
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
        barred=sorted({*barred, *(() if asker_approves else (by,))}),
        people=terms.people,
        asked_by_id=by,
        asked_at=now,
        expires_at=now + terms.expires,
    )
    session.add(request)
    session.flush()
    if asker_approves:
        request.votes.append(ApprovalVote(by_id=by, at=now, digest=request.digest))
        session.flush()
    return request


def approve(session: Session, request_id: int, *, by: int, digest: str, now: datetime) -> bool:
    """Adds one person's approval; True when it was the last one and the step has been carried out.

    ``digest`` is that of the summary the person saw; it must still be that of the lines as they are stored.
    """
    advisory_lock(session, f"approval:{request_id}")
    request = _open(session, request_id, now)
    _require_role(session, by, request.competition, request.roles, request.barred, now)
    if digest != request.digest or request.digest != summary_digest(request.entry_type, request.lines):
        raise Refused(N_("The summary has changed since you read it. Read it again, then approve."))
    if any(vote.by_id == by for vote in request.votes):
        raise NotAllowed(N_("You approved this step already. Another person approves it next."))
    request.votes.append(ApprovalVote(by_id=by, at=now, digest=digest))
    session.flush()
    if len(request.votes) < request.people:
        return False
    request.outcome, request.ended_at, request.ended_by_id = "done", now, by
    session.flush()
    _executors[request.kind](
        session,
        Approved(
            request_id=request.id,
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
    advisory_lock(session, f"approval:{request_id}")
    request = _open(session, request_id, now)
    if by != request.asked_by_id:
        _require_role(session, by, request.competition, request.roles, request.barred, now)
    if not reason.strip():
        raise Refused(N_("Write the reason."), field="reason")
    request.outcome = "withdrawn" if by == request.asked_by_id else "refused"
    request.ended_at, request.ended_by_id, request.reason = now, by, reason.strip()
    session.flush()
    if by != request.asked_by_id:
        messages.send(
            session,
            account_id=request.asked_by_id,
            competition=request.competition,
            subject=both(N_("A step that you asked for was refused")),
            body=both(N_("%(step)s\n\nReason: %(reason)s"), step="\n".join(request.lines), reason=reason.strip()),
            now=now,
        )


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
    """Requests in any competition that this person may approve and has not approved yet, the oldest first."""
    roles = queries.roles_of(session, account_id, now)
    excluded = queries.excluded_from(session, account_id)
    found = session.scalars(
        select(ApprovalRequest)
        .where(ApprovalRequest.outcome.is_(None), ApprovalRequest.expires_at > now)
        .order_by(ApprovalRequest.id)
    )
    return [
        request
        for request in found
        if may_approve(request, roles, account_id, excluded) and all(vote.by_id != account_id for vote in request.votes)
    ]


def asked_by(session: Session, account_id: int, most: int = 50) -> list[ApprovalRequest]:
    """What this person asked for, the newest first."""
    return list(
        session.scalars(
            select(ApprovalRequest)
            .where(ApprovalRequest.asked_by_id == account_id)
            .order_by(ApprovalRequest.id.desc())
            .limit(most)
        )
    )


def visible(session: Session, request_id: int, account_id: int, now: datetime) -> ApprovalRequest:
    """A request for somebody who may approve it, asked for it or approved it; NotFound for everybody else."""
    request = session.get(ApprovalRequest, request_id)
    if request is None or not (
        request.asked_by_id == account_id
        or any(vote.by_id == account_id for vote in request.votes)
        or may_approve(
            request,
            queries.roles_of(session, account_id, now),
            account_id,
            queries.excluded_from(session, account_id),
        )
    ):
        raise NotFound()
    return request


def ended_by(session: Session, request: ApprovalRequest) -> Account | None:
    """Who carried it out, refused or withdrew it."""
    return session.get(Account, request.ended_by_id) if request.ended_by_id is not None else None


def may_approve(
    request: ApprovalRequest,
    held: Collection[tuple[str, str]],
    account_id: int,
    excluded: Collection[tuple[str, str]] = (),
) -> bool:
    """Whether somebody with these roles is among those who approve this request.

    ``excluded`` are roles for the whole installation that have no effect in a competition (``queries.excluded_from``).
    """
    return account_id not in request.barred and _holds_one(request.roles, request.competition, held, excluded)


def _holds_one(
    roles: Collection[str],
    competition: str,
    held: Collection[tuple[str, str]],
    excluded: Collection[tuple[str, str]],
) -> bool:
    return any(
        (role, competition) in held or ((role, "") in held and (role, competition) not in excluded) for role in roles
    )


def _open(session: Session, request_id: int, now: datetime) -> ApprovalRequest:
    request = session.get(ApprovalRequest, request_id, populate_existing=True)
    if request is None:
        raise NotFound()
    if request.outcome is not None:
        raise Refused(N_("This step was already decided."))
    if request.expires_at <= now:
        raise Refused(N_("The time for this approval is over. Ask for the step again."))
    return request


def _require_role(
    session: Session, account_id: int, competition: str, roles: Collection[str], barred: Collection[int], now: datetime
) -> None:
    if account_id in barred:
        raise NotAllowed(N_("This step is about you, so other people approve it."))
    held = queries.roles_of(session, account_id, now)
    of_installation = any((role, "") in held for role in roles)
    excluded = queries.excluded_from(session, account_id) if of_installation else ()
    if not _holds_one(roles, competition, held, excluded):
        raise NotAllowed(N_("Your role does not approve this step. The regulation names the roles that do."))
