"""Counting tries to sign in: in the database, per person and never per address, each before its secret is looked at."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from examsvc.accounts import rules
from examsvc.accounts.models import Account, SignInTry
from examsvc.base import jobs
from examsvc.base.database import advisory_lock, writing
from examsvc.base.errors import N_, Refused

KEPT = timedelta(days=90)


def password_subject(email: str) -> str:
    """Who is tried by a password: the address as typed, whether or not it has an account, so that both answer alike."""
    return "password:" + hashlib.sha256(email.strip().lower().encode()).hexdigest()[:40]


def second_subject(account_id: int) -> str:
    return f"second:{account_id}"


def begin(session: Session, subject: str, now: datetime, *, for_good: bool = False) -> None:
    """Counts one try, or refuses it.  Commit before the secret is compared: tries at the same moment then see each other.

    With ``for_good`` the tries since the last success count too.
    """
    advisory_lock(session, f"tries:{subject}")
    times = list(session.scalars(select(SignInTry.at).where(SignInTry.subject == subject)))
    recent = sum(at > now - rules.TRY_WINDOW for at in times)
    if rules.locked(recent):
        raise Refused(
            N_("Too many failed tries for this account. Wait %(minutes)d minutes, or ask for a new password."),
            minutes=int(rules.TRY_WINDOW.total_seconds() // 60),
        )
    if for_good and rules.locked(0, len(times)):
        raise Refused(N_("This account is locked after too many failed tries. An administrator can unlock it."))
    session.add(SignInTry(subject=subject, at=now))
    session.flush()


def forget(session: Session, *subjects: str) -> None:
    """The secret was right, or an administrator unlocks."""
    session.execute(delete(SignInTry).where(SignInTry.subject.in_(subjects)))


def unlock(session: Session, account: Account) -> None:
    """What an administrator does for somebody who must wait."""
    forget(session, password_subject(account.email), second_subject(account.id))


def count(session: Session, account: Account, now: datetime) -> int:
    """Failed tries of an account that still count."""
    return int(
        session.scalar(
            select(func.count())
            .select_from(SignInTry)
            .where(
                SignInTry.subject.in_((password_subject(account.email), second_subject(account.id))),
                SignInTry.at > now - rules.TRY_WINDOW,
            )
        )
        or 0
    )


def clear_old(session: Session, now: datetime) -> None:
    """Once a day: tries of addresses that nobody has, and of long ago, go."""
    with writing(session):
        session.execute(delete(SignInTry).where(SignInTry.at < now - KEPT))


def register() -> None:
    """Gives the duty to the workers."""
    jobs.every(timedelta(days=1))(clear_old)
