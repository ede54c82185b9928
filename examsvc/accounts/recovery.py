"""When somebody cannot sign in any more: two people approve, then a link by mail or a code in two halves opens the account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from examsvc.accounts import approvals, factors, operations, oracles, queries, rules
from examsvc.accounts.models import ApprovalRequest, Recovery, RecoveryPart
from examsvc.accounts.passwords import matches
from examsvc.base.errors import N_, NotAllowed, NotFound, Refused
from examsvc.base.language import both, sentence

KIND = "accounts.recover"
ENTRY = "accounts.recover"
MANNERS = ("mail", "person")


def ask(
    session: Session,
    *,
    email: str,
    manner: str,
    factor_lost: bool,
    base_url: str,
    now: datetime,
    language: str = "vi",
) -> ApprovalRequest | None:
    """Somebody asks to begin anew; None when the address has no account or already waits, which is not to be told.

    Anybody can ask for any address, so asking changes nothing by itself: the approvers speak with the person first.
    """
    account = queries.by_email(session, email)
    if account is None or account.disabled_at is not None:
        return None
    lines = [
        sentence(language, N_("Let a person who cannot sign in begin anew:")),
        f"{account.name}, {account.email}",
        sentence(language, N_("Lost: the password and the second factor")) if factor_lost else sentence(language, N_("Lost: the password")),
        sentence(language, N_("The link goes to this e-mail address. Speak with the person before you approve."))
        if manner == "mail"
        else sentence(language,
            N_("The person comes in person. Compare the identity document; each approver hands over one half of the code.")
        ),
    ]
    if any(one.kind == KIND and one.arguments["account"] == account.id for one in approvals.waiting(session, "", now)):
        return None
    return approvals.ask(
        session,
        kind=KIND,
        entry_type=ENTRY,
        competition="",
        lines=lines,
        arguments={"account": account.id, "manner": manner, "factor_lost": factor_lost, "base_url": base_url},
        terms=oracles.RECOVERY,
        by=account.id,
        now=now,
        asker_approves=False,
    )


@approvals.carries_out(KIND)
def carry_out(session: Session, approved: approvals.Approved) -> None:
    """The person may begin anew: a link leaves, or the approvers can each take their part of the code."""
    arguments = approved.arguments
    request = session.get_one(ApprovalRequest, approved.request_id)
    now = approved.now
    session.execute(
        update(Recovery)
        .where(Recovery.account_id == arguments["account"], Recovery.used_at.is_(None), Recovery.expires_at > now)
        .values(expires_at=now)
    )
    recovery = Recovery(
        account_id=arguments["account"],
        manner=arguments["manner"],
        factor_lost=arguments["factor_lost"],
        request_id=request.id,
        approved_at=now,
        expires_at=now + rules.RECOVERY_LASTS,
    )
    session.add(recovery)
    session.flush()
    if recovery.manner == "person":
        recovery.parts = [RecoveryPart(by_id=vote.by_id) for vote in request.votes]
        session.flush()
        return
    recovery.used_at = now
    if recovery.factor_lost:
        factors.end_all(session, recovery.account_id, now)
    token = operations.make_link(session, recovery.account_id, now=now, lasts=rules.RECOVERY_LASTS)
    operations.mail_link(
        session,
        recovery.account_id,
        subject=both(N_("Choose a new password")),
        reason=both(N_("Two people approved your request. Choose a new password with this link.")),
        link=f"{str(arguments['base_url']).rstrip('/')}/account/set-up/{token}",
        lasts=rules.RECOVERY_LASTS,
        now=now,
    )


def of_request(session: Session, request_id: int) -> Recovery | None:
    return session.scalar(select(Recovery).where(Recovery.request_id == request_id))


def show_part(session: Session, recovery: Recovery, *, by: int, code_hash: str, now: datetime) -> None:
    """Notes that an approver was shown the part; NotAllowed for others and a second time."""
    part = next((one for one in recovery.parts if one.by_id == by), None)
    if part is None or recovery.used_at is not None or recovery.expires_at <= now:
        raise NotFound()
    if part.shown_at is not None:
        raise NotAllowed(N_("Your half of the code was shown already. If it was lost, the person asks once more."))
    part.code_hash, part.shown_at = code_hash, now
    session.flush()


def recognise(session: Session, *, email: str, codes: Sequence[str], now: datetime) -> Recovery | None:
    """The recovery that these parts open, in any order; None otherwise.  Hashes: call it outside a writing transaction."""
    account = queries.by_email(session, email)
    recovery = account and session.scalar(
        select(Recovery)
        .where(
            Recovery.account_id == account.id,
            Recovery.manner == "person",
            Recovery.used_at.is_(None),
            Recovery.expires_at > now,
        )
        .order_by(Recovery.id.desc())
    )
    cleaned = [factors.clean_code(code) for code in codes]
    stored = [part.code_hash for part in recovery.parts] if recovery else [None] * 2
    fits = [[matches(one, code) for code in cleaned] for one in stored]  # all of them: the time tells nothing
    return recovery if recovery and all(any(one) for one in fits) and len(set(cleaned)) >= len(stored) else None


def use(session: Session, recovery_id: int, *, now: datetime) -> str:
    """Uses the recovery up and returns the token of a link with which the password is chosen."""
    used = session.execute(
        update(Recovery)
        .where(Recovery.id == recovery_id, Recovery.used_at.is_(None), Recovery.expires_at > now)
        .values(used_at=now)
    )
    if used.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused(N_("This code was used already. Ask once more if you still cannot sign in."))
    recovery = session.get_one(Recovery, recovery_id)
    if recovery.factor_lost:
        factors.end_all(session, recovery.account_id, now)
    return operations.make_link(session, recovery.account_id, now=now, lasts=rules.SECOND_STEP_LASTS)
