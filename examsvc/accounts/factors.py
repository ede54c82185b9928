"""Second factors: an authenticator app (RFC 6238, six digits, thirty seconds), or a printed list of codes used in order."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyotp
from cryptography.fernet import Fernet
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from examsvc.accounts import queries, rules
from examsvc.accounts.models import PrintedCode, SecondFactor
from examsvc.accounts.passwords import hash_password, matches
from examsvc.base import messages
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.language import both

STEP = 30
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # no 0 O 1 I L: read from paper


def begin_app(session: Session, account_id: int, *, key: str, now: datetime) -> SecondFactor:
    """A new secret for an app, without effect until a code of it was shown."""
    _drop_unconfirmed(session, account_id, now)
    factor = SecondFactor(
        account_id=account_id,
        kind="app",
        sealed=_vault(key).encrypt(pyotp.random_base32().encode()).decode(),
        begun_at=now,
    )
    session.add(factor)
    session.flush()
    return factor


def secret(factor: SecondFactor, key: str) -> str:
    """The app's secret in base32, as a person types it or the QR code carries it."""
    assert factor.sealed is not None
    return _vault(key).decrypt(factor.sealed.encode()).decode()


def app_address(factor: SecondFactor, key: str, *, email: str, issuer: str) -> str:
    """The ``otpauth://`` address that an authenticator app reads."""
    return pyotp.TOTP(secret(factor, key)).provisioning_uri(name=email, issuer_name=issuer)


def printed_list() -> tuple[list[str], list[str]]:
    """Codes for a printed list and their hashes.  Hashes slowly: call it outside a writing transaction."""
    codes = [new_code() for _ in range(rules.PRINTED_CODES)]
    return codes, [hash_password(clean_code(code)) for code in codes]


def begin_printed(session: Session, account_id: int, *, hashes: list[str], now: datetime) -> SecondFactor:
    """A new list, without effect until its first code was entered: then it was printed."""
    _drop_unconfirmed(session, account_id, now)
    factor = SecondFactor(account_id=account_id, kind="printed", begun_at=now)
    factor.codes = [PrintedCode(number=number, code_hash=one) for number, one in enumerate(hashes, start=1)]
    session.add(factor)
    session.flush()
    return factor


def begun(session: Session, account_id: int, kind: str) -> SecondFactor:
    """The factor that waits for its first code; NotFound when there is none."""
    found = [one for one in _unconfirmed(session, account_id) if one.kind == kind]
    if not found:
        raise NotFound(N_("Begin setting up the second factor once more."))
    return found[-1]


@dataclass(frozen=True)
class Shown:
    """A code that is right for a factor: the app's time step, or the printed code.  It counts only once it is used."""

    factor_id: int
    step: int | None = None
    code_id: int | None = None


def recognise(factors: Sequence[SecondFactor], code: str, *, key: str, now: datetime) -> Shown | None:
    """The factor and step or printed code that the text fits; None when it fits none.

    A printed code is compared slowly: call it outside a writing transaction, then ``use`` what it found within one.
    """
    cleaned = clean_code(code)
    for factor in factors:
        found = _app_step(factor, cleaned, key, now) if factor.kind == "app" else _printed(factor, cleaned)
        if found is not None:
            return found
    return None


def use(session: Session, shown: Shown, now: datetime) -> bool:
    """Uses the code up: one conditional update, so that of two browsers with one code one gets in, and none later."""
    if shown.step is not None:
        taken = session.execute(
            update(SecondFactor)
            .where(
                SecondFactor.id == shown.factor_id,
                SecondFactor.ended_at.is_(None),
                or_(SecondFactor.last_step.is_(None), SecondFactor.last_step < shown.step),
            )
            .values(last_step=shown.step)
        )
    else:
        taken = session.execute(
            update(PrintedCode)
            .where(PrintedCode.id == shown.code_id, PrintedCode.used_at.is_(None))
            .values(used_at=now)
        )
    return bool(taken.rowcount == 1)  # type: ignore[attr-defined]


def confirm(session: Session, factor: SecondFactor, shown: Shown | None, *, now: datetime) -> None:
    """Brings a factor into force by its first code and ends an earlier one of the same kind; Refused without a right code."""
    earlier = [one for one in queries.factors(session, factor.account_id) if one.kind == factor.kind]
    if shown is None or shown.factor_id != factor.id or not use(session, shown, now):
        raise Refused(
            N_("The code is not right. Enter the newest code that the app shows, or the first of the list."), field="code"
        )
    factor.confirmed_at = now
    for one in earlier:
        one.ended_at = now
    messages.send(
        session,
        account_id=factor.account_id,
        subject=both(N_("A second factor was set up")),
        body=both(N_("A second factor was set up for your account. If it was not you, tell the office at once.")),
        now=now,
    )
    session.flush()


def end_all(session: Session, account_id: int, now: datetime) -> None:
    """Ends every factor: what was lost must not open anything any more."""
    session.execute(
        update(SecondFactor)
        .where(SecondFactor.account_id == account_id, SecondFactor.ended_at.is_(None))
        .values(ended_at=now)
    )


def next_code(factor: SecondFactor) -> PrintedCode | None:
    """The code of a printed list that is asked next; None when the list is used up."""
    return next((code for code in factor.codes if code.used_at is None), None)


def new_code() -> str:
    """Eight characters to be read from paper, forty bits, in two groups."""
    letters = [secrets.choice(ALPHABET) for _ in range(8)]
    return "".join(letters[:4]) + "-" + "".join(letters[4:])


def clean_code(code: str) -> str:
    """The code as it is compared: capitals, without spaces and dashes."""
    return "".join(c for c in code.upper() if c.isascii() and c.isalnum())


def _app_step(factor: SecondFactor, digits: str, key: str, now: datetime) -> Shown | None:
    """One step of thirty seconds early or late is allowed for the phone's clock (RFC 6238, section 5.2)."""
    if len(digits) != 6 or not digits.isdecimal():
        return None
    totp = pyotp.TOTP(secret(factor, key))
    present = int(now.timestamp()) // STEP
    for step in (present, present - 1, present + 1):
        if secrets.compare_digest(totp.generate_otp(step), digits):
            return Shown(factor.id, step=step)
    return None


def _printed(factor: SecondFactor, code: str) -> Shown | None:
    asked = next_code(factor)
    if asked is None or not matches(asked.code_hash, code):
        return None
    return Shown(factor.id, code_id=asked.id)


def _unconfirmed(session: Session, account_id: int) -> list[SecondFactor]:
    return list(
        session.scalars(
            select(SecondFactor)
            .where(
                SecondFactor.account_id == account_id,
                SecondFactor.confirmed_at.is_(None),
                SecondFactor.ended_at.is_(None),
            )
            .order_by(SecondFactor.id)
        )
    )


def _drop_unconfirmed(session: Session, account_id: int, now: datetime) -> None:
    for factor in _unconfirmed(session, account_id):
        factor.ended_at = now


def _vault(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(bytes.fromhex(key)))
