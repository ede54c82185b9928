"""Questions are encrypted at rest, from the first draft on: the one door through which their content comes and goes.

Columns of the types ``EncryptedText`` and ``EncryptedBytes`` hold AES-256-GCM ciphertext; whoever reads such a column through
SQLAlchemy has the plain content, whoever has only the database, a copy of it or a backup has nothing.  A stored value is

    1 byte version (1) | 8 bytes key id | 12 bytes nonce | ciphertext and tag

with the column's name as associated data, so that a value moved to another column does not decrypt.  A question moved to
another row is found by its digest (``queries.parsed``).  The keys come from the settings (``Settings.bank_keys``): the first
encrypts, the others still decrypt what was written before a change of keys.  Not encrypted: name, topic, level, kind, marks,
number of words, status, enemies, by which lists and blueprints choose.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

VERSION = b"\x01"
KEY_ID = 8
NONCE = 12


class VaultError(Exception):
    """Content of a bank cannot be encrypted or decrypted; the message says which key is missing."""


class _Keyring:
    """The keys of this process by their id; the newest encrypts."""

    def __init__(self) -> None:
        self._keys: dict[bytes, AESGCM] = {}
        self._newest = b""

    def add(self, keys: Sequence[str]) -> None:
        for text in reversed(keys):
            key = bytes.fromhex(text)
            if len(key) != 32:
                raise VaultError("a key of the question banks has 32 bytes, written as 64 hexadecimal digits")
            name = key_id(key)
            self._keys[name] = AESGCM(key)
            self._newest = name

    def encrypt(self, data: bytes, place: str) -> bytes:
        if not self._newest:
            raise VaultError("no key of the question banks is at hand; start through examsvc, which reads it from the settings")
        nonce = secrets.token_bytes(NONCE)
        return VERSION + self._newest + nonce + self._keys[self._newest].encrypt(nonce, data, place.encode())

    def decrypt(self, stored: bytes, place: str) -> bytes:
        name = stored[1 : 1 + KEY_ID]
        if stored[:1] != VERSION or len(stored) < 1 + KEY_ID + NONCE + 16:
            raise VaultError(f"the stored value of {place} is damaged")
        key = self._keys.get(name)
        if key is None:
            raise VaultError(
                f"the key {name.hex()} of the question banks is missing: put the file keys/banks of the installation back,"
                " or add the secret to EXAMSVC_BANK_SECRET"
            )
        nonce, rest = stored[1 + KEY_ID : 1 + KEY_ID + NONCE], stored[1 + KEY_ID + NONCE :]
        try:
            return key.decrypt(nonce, rest, place.encode())
        except InvalidTag:
            raise VaultError(f"the stored value of {place} was changed outside the program") from None


_keyring = _Keyring()


def use(keys: Sequence[str]) -> None:
    """Makes the installation's keys known to this process: the first encrypts from now on, every one decrypts."""
    _keyring.add(keys)


def key_id(key: bytes) -> bytes:
    """The public name of a key: tells which one is needed, and nothing of it."""
    return sha256(b"examsvc bank key\0" + key).digest()[:KEY_ID]


class EncryptedBytes(TypeDecorator[bytes]):
    """Bytes that the database holds encrypted; ``place`` is table and column."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else _keyring.encrypt(value, self.place)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else _keyring.decrypt(bytes(value), self.place)


class EncryptedText(TypeDecorator[str]):
    """Text that the database holds encrypted; ``place`` is table and column."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else _keyring.encrypt(value.encode(), self.place)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return None if value is None else _keyring.decrypt(bytes(value), self.place).decode()
