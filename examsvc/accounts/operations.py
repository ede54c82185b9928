"""What people do with accounts: register, be invited, choose passwords, open and close sessions."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from examsvc.accounts import enrolment, queries, rules, tries
from examsvc.accounts.models import Account, PasswordLink, RoleGrant, SignInSession
from examsvc.base import messages
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.language import both


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


def set_identity(session: Session, account_id: int, digest: str) -> None:
    """Ties the account to a person by the digest of the identity number; refused when another account has it."""
    other = session.scalar(select(Account.id).where(Account.identity_digest == digest, Account.id != account_id))
    if other is not None:
        raise Refused(
            N_("Another account has this identity number. One person has one account: sign in with that one."),
            field="identity",
        )
    session.get_one(Account, account_id).identity_digest = digest
    session.flush()


@dataclass(frozen=True)
class FirstAdministrator:
    """One of the two with whom an installation begins; ``token`` opens the page on which he or she chooses a password."""

    account_id: int
    name: str
    email: str
    token: str


def initialise(session: Session, people: list[tuple[str, str]], *, now: datetime, language: str = "vi") -> list[FirstAdministrator]:
    """Makes the first two administrators from (name, e-mail): the only moment at which one person acts alone.

    Refused when anybody has an account already.
    """
    if session.scalar(select(Account.id).limit(1)) is not None:
        raise Refused(N_("This installation has accounts already. Its administrators invite further people."))
    if len(people) != 2 or people[0][1].strip().lower() == people[1][1].strip().lower():
        raise Refused(N_("Name two different people, each with an e-mail address of his or her own."))
    made = []
    for name, email in people:
        account = register_account(session, email=email, name=name, password_hash=None, now=now, language=language)
        session.add(RoleGrant(account_id=account.id, role="system-administrator", competition="", granted_at=now))
        made.append(FirstAdministrator(account.id, name, account.email, make_link(session, account.id, now=now)))
    session.flush()
    enrolment.enter_people(session, enrolment.log_of(""), now)
    return made


# ---------------------------------------------------------------- links with which a password is chosen


def make_link(session: Session, account_id: int, *, now: datetime, lasts: timedelta = rules.LINK_LASTS) -> str:
    """The token of a link with which this person chooses a password, once; earlier links of the person end."""
    session.execute(
        update(PasswordLink)
        .where(PasswordLink.account_id == account_id, PasswordLink.used_at.is_(None), PasswordLink.expires_at > now)
        .values(expires_at=now)
    )
    token = secrets.token_urlsafe(32)
    session.add(
        PasswordLink(account_id=account_id, token_digest=token_digest(token), made_at=now, expires_at=now + lasts)
    )
    session.flush()
    return token


def find_link(session: Session, token: str, now: datetime) -> PasswordLink:
    """The link, while it can be used; NotFound otherwise."""
    found = session.scalar(select(PasswordLink).where(PasswordLink.token_digest == token_digest(token)))
    if found is None or found.used_at is not None or found.expires_at <= now or found.account.disabled_at is not None:
        raise NotFound(N_("This link was used already or is too old. Ask the office for a new one."))
    return found


def use_link(session: Session, token: str, *, password_hash: str, now: datetime) -> int:
    """Chooses the password by the link, which works once even when pressed twice; returns the account."""
    found = find_link(session, token, now)
    used = session.execute(
        update(PasswordLink).where(PasswordLink.id == found.id, PasswordLink.used_at.is_(None)).values(used_at=now)
    )
    if used.rowcount != 1:  # type: ignore[attr-defined]
        raise NotFound(N_("This link was used already or is too old. Ask the office for a new one."))
    set_password(session, found.account_id, password_hash=password_hash, now=now)
    return found.account_id


def invite(
    session: Session, *, email: str, name: str, by: int, base_url: str, now: datetime, language: str = "vi"
) -> tuple[Account, str]:
    """An account for a member of staff, who chooses the password by a link; returns the account and the link.

    The link goes by e-mail where the installation sends any; the account holds no role until two people grant one.
    """
    account = register_account(session, email=email, name=name, password_hash=None, now=now, language=language)
    link = f"{base_url.rstrip('/')}/account/set-up/{make_link(session, account.id, now=now)}"
    inviter = queries.account(session, by).name
    if messages.may_be_mailed():
        mail_link(
            session,
            account.id,
            subject=both(N_("Your account was made")),
            reason=both(N_("%(name)s made an account for you. Choose a password with this link."), name=inviter),
            link=link,
            lasts=rules.LINK_LASTS,
            now=now,
        )
    return account, link


def mail_link(
    session: Session,
    account_id: int,
    *,
    subject: dict[str, str],
    reason: dict[str, str],
    link: str,
    lasts: timedelta,
    now: datetime,
) -> None:
    """Sends a link that opens an account; it never stands on a page."""
    messages.send(
        session,
        account_id=account_id,
        subject=subject,
        body=both(
            N_(
                "%(reason)s\n\n%(link)s\n\nThe link works once, for %(hours)d hours. If you did not expect this message,"
                " tell the office."
            ),
            reason=reason,
            link=link,
            hours=int(lasts.total_seconds() // 3600),
        ),
        now=now,
        confidential=True,
    )


def set_password(session: Session, account_id: int, *, password_hash: str, now: datetime) -> None:
    """Replaces the password and ends every session of the person; failed tries are forgotten."""
    account = session.get_one(Account, account_id)
    account.password_hash = password_hash
    revoke_sessions(session, account_id, now=now)
    tries.forget(session, tries.password_subject(account.email))
    messages.send(
        session,
        account_id=account_id,
        subject=both(N_("Your password was changed")),
        body=both(
            N_(
                "The password of your account was changed and every session was ended. If it was not you, tell the office"
                " at once."
            )
        ),
        now=now,
    )
    session.flush()


# ---------------------------------------------------------------- sessions


def token_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True)
class SignedIn:
    """A session that was opened; ``token`` goes into the cookie and is stored nowhere."""

    token: str
    account_id: int


def open_session(
    session: Session,
    account_id: int,
    *,
    now: datetime,
    lasts: timedelta,
    second_factor: bool = False,
    attempt: str | None = None,
    purpose: str = "office",
    browser: str = "",
) -> SignedIn:
    """Opens a session in a browser.

    With ``attempt`` it is a session of exam day, which opens that attempt and nothing else; with the purpose "second-step"
    it only leads to the page that asks for the second factor.
    """
    token = secrets.token_urlsafe(32)
    session.add(
        SignInSession(
            token_digest=token_digest(token),
            account_id=account_id,
            opened_at=now,
            seen_at=now,
            expires_at=now + lasts,
            second_factor=second_factor,
            purpose="exam" if attempt else purpose,
            subject=attempt,
            browser=browser[:80],
        )
    )
    session.flush()
    return SignedIn(token, account_id)


def find_session(session: Session, token: str, now: datetime, idle: timedelta) -> SignInSession | None:
    """The open session of a cookie, if it has neither ended, idled out nor been revoked."""
    found = session.scalar(select(SignInSession).where(SignInSession.token_digest == token_digest(token)))
    if found is None or found.revoked_at is not None or found.expires_at <= now:
        return None
    if found.purpose != "exam" and found.seen_at + idle <= now:
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


def revoke_session(session: Session, session_id: int, *, account_id: int, now: datetime) -> None:
    """Ends one of the person's own sessions; NotFound for anybody else's."""
    found = session.get(SignInSession, session_id)
    if found is None or found.account_id != account_id or found.purpose == "exam":
        raise NotFound()
    found.revoked_at = found.revoked_at or now
    session.flush()


def revoke_sessions(session: Session, account_id: int, *, now: datetime, but: int | None = None) -> None:
    """Ends all sessions of a person, but for one and for those of exam day, which a code from the invigilator opened."""
    session.execute(
        update(SignInSession)
        .where(
            SignInSession.account_id == account_id,
            SignInSession.revoked_at.is_(None),
            SignInSession.purpose != "exam",
            SignInSession.id != (but or 0),
        )
        .values(revoked_at=now)
    )
