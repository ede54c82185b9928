"""What `examsvc custodian hand-in` speaks with: a custodian without a browser, known by the key that the shares were dealt to.

The server encrypts a fresh word to the key; whoever sends the word back holds its secret half.  So a share that comes this way
is its custodian's own doing, a false one too.  A word is good for ten minutes, one competition and one key.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import pyrage
from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.base.clock import seconds
from examsvc.base.errors import N_, NotAllowed, NotFound
from examsvc.competitions.models import Competition
from examsvc.papers import custody, custody_rehearsal, queries
from examsvc.papers.custody_models import Rehearsal
from examsvc.papers.models import CustodianKey, Form

GOOD_FOR = timedelta(minutes=10)
_PREFIX = b"examsvc.v1/custodian.word\0"


@dataclass(frozen=True)
class Waiting:
    """One share that a key can open: of which paper, from when on it is handed in (None: not planned), the encrypted share."""

    paper: str
    kind: str
    opens_at: datetime | None
    delivered: bool
    ciphertext: bytes


@dataclass(frozen=True)
class Challenge:
    """A word encrypted to a key, and the seal by which the server knows the word again without keeping it."""

    encrypted: bytes
    expires: int
    seal: str


def holder(session: Session, competition: Competition, recipient: str) -> CustodianKey:
    """The key as it was handed in, if it is its custodian's newest; NotFound."""
    found = session.scalar(
        select(CustodianKey)
        .where(CustodianKey.competition_id == competition.id, CustodianKey.recipient == recipient)
        .order_by(CustodianKey.id.desc())
        .limit(1)
    )
    if found is None:
        raise NotFound()
    return found


def challenge(competition: Competition, recipient: str, *, secret: bytes, now: datetime) -> Challenge:
    """A fresh word for this key.  ``secret`` is the installation's own."""
    word, expires = secrets.token_hex(16), seconds(now + GOOD_FOR)
    encrypted = pyrage.encrypt(word.encode(), [pyrage.x25519.Recipient.from_str(recipient)])
    return Challenge(encrypted, expires, _sealed(secret, competition.slug, recipient, expires, word))


def answers(
    competition: Competition, recipient: str, *, expires: int, seal: str, word: str, secret: bytes, now: datetime
) -> None:
    """NotAllowed unless the word is the one that was encrypted to this key, in time."""
    right = hmac.compare_digest(seal.encode(), _sealed(secret, competition.slug, recipient, expires, word).encode())
    if not right or not 0 <= expires - seconds(now) <= GOOD_FOR.total_seconds():
        raise NotAllowed(N_("This machine has not shown that it holds the key. Start the command again."))


def waiting(session: Session, competition: Competition, key: CustodianKey) -> list[Waiting]:
    """Shares of rehearsals that go on and of papers in force, dealt to this account: those of dummies first."""
    found = [
        Waiting(one.code, "rehearsal", one.at, share.delivered_at is not None, share.ciphertext)
        for one in reversed(custody_rehearsal.rehearsals(session, competition.id))
        if one.ended_at is None
        for share in one.shares
        if share.account_id == key.account_id
    ]
    for form in queries.forms(session, competition.id):
        if form.seal is None or form.state != "sealed" or not queries.is_in_force(session, form):
            continue
        found += [
            Waiting(form.code, form.role, custody.opens_at(session, form), share.delivered_at is not None, share.ciphertext)
            for share in form.seal.shares
            if share.account_id == key.account_id
        ]
    return found


def thing(session: Session, competition: Competition, code: str) -> Form | Rehearsal:
    """What a share belongs to: a paper, or a dummy; NotFound."""
    try:
        return queries.form_of(session, competition.id, code)
    except NotFound:
        return custody_rehearsal.rehearsal(session, competition.id, code)


def hand_in(session: Session, of: Form | Rehearsal, *, data: bytes, by: int, now: datetime) -> bool:
    """Hands in a share of whatever it belongs to; False when it is not the one that was dealt."""
    if isinstance(of, Form):
        return custody.deliver_share(session, of, data=data, by=by, now=now)
    return custody_rehearsal.hand_in(session, of, data=data, by=by, now=now)


def _sealed(secret: bytes, slug: str, recipient: str, expires: int, word: str) -> str:
    message = _PREFIX + "\0".join((slug, recipient, str(expires), word)).encode()
    return hmac.new(secret, message, sha256).hexdigest()
