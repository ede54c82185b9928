"""Signing keys of logs, made from the installation's own secret: nothing to store beside it, nothing to lose with the database.

The seed of a key is HMAC-SHA-256 of the secret over the origin and a generation, which a rotation counts up.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from examsvc.ledger.notes import ED25519, SignerKey


@dataclass(frozen=True)
class Identity:
    """How a log is known outside: the origin line of its checkpoints and its verifier key."""

    origin: str
    key: str


def signer(secret: str, origin: str, generation: int = 1) -> SignerKey:
    """The private key of the log with this origin; ``secret`` is 32 bytes in hexadecimal."""
    message = f"examsvc.v1/log-key\0{origin}\0{generation}".encode()
    return SignerKey(origin, ED25519, hmac.new(bytes.fromhex(secret), message, hashlib.sha256).digest())


def identity(secret: str, host: str, log: str) -> Identity:
    """The identity of a log of the installation on this host."""
    key = signer(secret, f"{host}/{log}")
    return Identity(key.name, key.verifier.text)
