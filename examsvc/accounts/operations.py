"""What people do with accounts: register, sign in and out, propose and approve roles."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from examsvc.accounts import queries, rules
from examsvc.accounts.models import Account, RoleGrant, SignInSession, SignInTry
from examsvc.accounts.passwords import matches
from examsvc.base.errors import N_, NotAllowed, NotFound, Refused


def register_account(
    session: Session, *, email: str, name: str, password_hash: str | None, now: datetime, language: str = "vi"
) -> Account:
    """A new account; refused when the address is taken."""
    email = email.strip().lower()
    if queries.by_email(session, email) is not None:
        raise Refused(
            N_("There is already an account with this e-mail address. Sign in, or ask for a new password."), field="email"
        )
    account = Account(
        code=secrets.token_hex(8), email=email, name=name, password_hash=password_hash, language=language, created_at=now
    )
    session.add(account)
    session.flush()
    return account


def token_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True)
class SignedIn:
    """A session that was opened; ``token`` goes into the cookie and is stored nowhere."""

    token: str
    account_id: int


def check_password(session: Session, *, email: str, password: str, now: datetime) -> Account | None:
    """The account, or None.  Hashes, so call it outside a writing transaction; then remember the outcome."""
    account = queries.by_email(session, email)
    recent = 0
    if account is not None:
        recent = session.scalar(
            select(func.count())
            .select_from(SignInTry)
            .where(SignInTry.subject == f"account:{account.id}", SignInTry.at > now - rules.TRY_WINDOW)
        ) or 0
    if rules.locked(recent):
        raise Refused(
            N_("Too many failed tries for this account. Wait %(minutes)d minutes, or ask for a new password."),
            minutes=int(rules.TRY_WINDOW.total_seconds() // 60),
        )
    ok = matches(account.password_hash if account else None, password)
    return account if ok and account is not None and account.disabled_at is None else None


def remember_failure(session: Session, *, email: str, now: datetime) -> None:
    account = queries.by_email(session, email)
    if account is not None:
        session.add(SignInTry(subject=f"account:{account.id}", at=now))
    session.flush()


def open_session(
    session: Session,
    account_id: int,
    *,
    now: datetime,
    lasts: timedelta,
    second_factor: bool = False,
    attempt: str | None = None,
) -> SignedIn:
    """Opens a session in a browser and forgets the failed tries.

    With ``attempt`` it is a session of exam day, which opens that attempt and nothing else.
    """
    session.execute(delete(SignInTry).where(SignInTry.subject == f"account:{account_id}"))
    token = secrets.token_urlsafe(32)
    session.add(
        SignInSession(
            token_digest=token_digest(token),
            account_id=account_id,
            opened_at=now,
            seen_at=now,
            expires_at=now + lasts,
            second_factor=second_factor,
            purpose="exam" if attempt else "office",
            subject=attempt,
        )
    )
    session.flush()
    return SignedIn(token, account_id)


def find_session(session: Session, token: str, now: datetime, idle: timedelta) -> SignInSession | None:
    """The open session of a cookie, if it has neither ended, idled out nor been revoked."""
    found = session.scalar(select(SignInSession).where(SignInSession.token_digest == token_digest(token)))
    if found is None or found.revoked_at is not None or found.expires_at <= now:
        return None
    if found.purpose == "office" and found.seen_at + idle <= now:
        return None
    return None if found.account.disabled_at is not None else found


def touch_session(session: Session, session_id: int, now: datetime) -> None:
    session.execute(update(SignInSession).where(SignInSession.id == session_id).values(seen_at=now))


def close_session(session: Session, token: str, now: datetime) -> None:
    session.execute(
        update(SignInSession)
        .where(SignInSession.token_digest == token_digest(token), SignInSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def propose_role(
    session: Session,
    *,
    account_id: int,
    role: str,
    competition: str,
    by: int,
    now: datetime,
    matrix: Collection[frozenset[str]] = (),
    reason: str | None = None,
) -> RoleGrant:
    """Proposes a role; refused when the person holds, or is proposed for, a role in conflict with it."""
    if by == account_id:
        raise NotAllowed(N_("Nobody proposes a role for himself or herself. Ask a colleague."))
    grants = session.scalars(
        select(RoleGrant).where(
            RoleGrant.account_id == account_id, RoleGrant.competition == competition, RoleGrant.revoked_at.is_(None)
        )
    ).all()
    if any(grant.role == role for grant in grants):
        raise Refused(N_("This person already holds this role or is proposed for it."), field="role")
    clashing = rules.conflicts((grant.role for grant in grants), role, matrix)
    if clashing:
        raise Refused(
            N_("The regulation does not allow the role %(role)s together with %(held)s. Choose another person."),
            role=role,
            held=", ".join(clashing),
            field="account",
        )
    grant = RoleGrant(
        account_id=account_id, role=role, competition=competition, proposed_by_id=by, proposed_at=now, reason=reason
    )
    session.add(grant)
    session.flush()
    return grant


def approve_role(session: Session, *, grant_id: int, by: int, now: datetime) -> RoleGrant:
    """The second person's approval, which brings the role into force."""
    grant = session.get(RoleGrant, grant_id)
    if grant is None or grant.revoked_at is not None:
        raise NotFound()
    if by in (grant.proposed_by_id, grant.account_id):
        raise NotAllowed(N_("A role is approved by someone who neither proposed it nor receives it."))
    if grant.approved_at is not None:
        return grant
    grant.approved_by_id, grant.approved_at = by, now
    session.flush()
    return grant
