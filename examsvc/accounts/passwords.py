"""Hashing of passwords and one-time codes (argon2id, OWASP's minimum: 19 MiB, two passes), bounded in concurrency."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_bounded = threading.BoundedSemaphore(4)  # a whole room signs in within two minutes: memory stays below 80 MiB

_ABSENT = _hasher.hash("an account that does not exist")


def hash_password(password: str) -> str:
    with _bounded:
        return _hasher.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether the password is the stored one; takes as long when there is no stored one."""
    with _bounded:
        try:
            return _hasher.verify(stored or _ABSENT, password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False
