"""Salted commitments: what the log holds in place of answers, marks, names and papers.

    commit(type, salt, object) = SHA-256("examsvc.v1/" + type + 0x00 + salt + JCS(object))

`type` is the name of the committed object in `entries`. The salt is 32 random bytes, drawn for this commitment alone and kept with
the object, apart from the log: without it a hash of ten multiple-choice answers falls to guessing at once, and with
it destroyed the log says nothing about the object any more.
"""

import hashlib
import hmac
import secrets

from examsvc.ledger import canonical

SALT_BYTES = 32
_PREFIX = b"examsvc.v1/"


def new_salt() -> bytes:
    """32 bytes from the operating system's generator; one for each commitment, never used twice."""
    return secrets.token_bytes(SALT_BYTES)


def commit(type: str, salt: bytes, object: object) -> str:
    """Commitment to `object` as 64 lowercase hexadecimal digits."""
    return digest(type, salt, canonical.encode(object))


def digest(type: str, salt: bytes, data: bytes) -> str:
    """Commitment to the object whose canonical bytes are `data`."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    return hashlib.sha256(_PREFIX + type.encode("ascii") + b"\0" + salt + data).hexdigest()


def opens(commitment: str, type: str, salt: bytes, object: object) -> bool:
    """Whether `salt` and `object` are what was committed to."""
    return len(salt) == SALT_BYTES and hmac.compare_digest(commitment, commit(type, salt, object))
