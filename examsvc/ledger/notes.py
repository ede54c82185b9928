"""Signed notes (c2sp.org/signed-note) with Ed25519 keys, read strictly.

    text, ending in a newline; an empty line; then signature lines
    "— " + key name + " " + base64(key ID + signature) + newline
    key ID = SHA-256(name + 0x0A + algorithm + public key)[:4]

Algorithm 1 signs the text (logs); algorithm 4 is a time-stamped cosignature (witnesses, see `checkpoints`). Base64 is accepted in its
one canonical spelling only.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = 1
COSIGNATURE = 4
MAX_NOTE_BYTES = 64 * 1024
MAX_SIGNATURES = 64

_DASH = "— "
_PRIVATE = "PRIVATE+KEY+"


class NoteError(ValueError):
    """A note, a key or a signature is not what it should be; the message says what is wrong."""


def to_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648 §4)."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """The bytes of canonical base64; NoteError for any other spelling of them."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise NoteError(f"{text[:40]!r} is not base64") from None
    if to_base64(data) != text:
        raise NoteError(f"{text[:40]!r} is not canonical base64")
    return data


def check_name(name: str) -> None:
    """Raise NoteError unless `name` can name a key: not empty, no space of any kind, no plus, no control character."""
    if not name or any(character.isspace() or character in "+" or character < " " for character in name):
        raise NoteError(f"{name[:80]!r} cannot name a key")


def _key_id(name: str, algorithm: int, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:4]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name it signs under; `algorithm` is ED25519 or COSIGNATURE."""

    name: str
    algorithm: int
    public: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.algorithm not in (ED25519, COSIGNATURE):
            raise NoteError(f"signature type {self.algorithm} is not known here")
        if len(self.public) != 32:
            raise NoteError("an Ed25519 public key has 32 bytes")

    @property
    def id(self) -> bytes:
        """Key ID, 4 bytes."""
        return _key_id(self.name, self.algorithm, self.public)

    @property
    def text(self) -> str:
        """The verifier key as policies and regulations write it: name+ID+base64(algorithm, public key)."""
        return f"{self.name}+{self.id.hex()}+{to_base64(bytes([self.algorithm]) + self.public)}"

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's Ed25519 signature of `message`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


def read_key(text: str) -> VerifierKey:
    """The verifier key written in `text`; NoteError unless it is exactly what VerifierKey.text writes."""
    name, plus, rest = text.partition("+")
    id_text, other_plus, key_text = rest.partition("+")
    if not plus or not other_plus:
        raise NoteError(f"{text[:80]!r} is not a verifier key (name+ID+key)")
    data = from_base64(key_text)
    if not data:
        raise NoteError(f"{text[:80]!r} has no key")
    key = VerifierKey(name, data[0], data[1:])
    if key.id.hex() != id_text:
        raise NoteError(f"the ID in {text[:80]!r} does not belong to the key")
    return key


@dataclass(frozen=True, slots=True)
class SignerKey:
    """A private key: 32 bytes of seed, with name and algorithm. Its repr does not show the seed."""

    name: str
    algorithm: int
    seed: bytes

    def __repr__(self) -> str:
        return f"SignerKey({self.name!r}, {self.algorithm})"

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, self.algorithm, self._private().public_key().public_bytes_raw())

    @property
    def text(self) -> str:
        """The private key as it is stored; whoever has it can sign."""
        return (
            f"{_PRIVATE}{self.name}+{self.verifier.id.hex()}+{to_base64(bytes([self.algorithm]) + self.seed)}"
        )

    def raw_signature(self, message: bytes) -> bytes:
        """Ed25519 signature of `message`, 64 bytes."""
        return self._private().sign(message)

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def read_signer(text: str) -> SignerKey:
    """The private key written in `text`; NoteError (without the key in its message) unless it is well formed."""
    parts = text.split("+")
    if len(parts) < 5 or not text.startswith(_PRIVATE):
        raise NoteError("this is not the text of a private key")
    key_text = "+".join(parts[4:])  # base64 may hold a plus
    try:
        data = from_base64(key_text)
    except NoteError:
        raise NoteError("the private key is not canonical base64") from None
    if len(data) != 33:
        raise NoteError("an Ed25519 private key has 32 bytes")
    key = SignerKey(parts[2], data[0], data[1:])
    if key.verifier.id.hex() != parts[3]:
        raise NoteError("the ID of the private key does not belong to it")
    return key


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who claims to have signed, and the bytes after the key ID."""

    name: str
    id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """The line without its newline."""
        return f"{_DASH}{self.name} {to_base64(self.id + self.signature)}"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, ending in a newline, with its signatures, none of them verified yet."""

    text: str
    signatures: tuple[Signature, ...]

    @property
    def data(self) -> bytes:
        """The bytes of the note."""
        return (self.text + "\n" + "".join(f"{item.line}\n" for item in self.signatures)).encode()

    def with_signatures(self, more: Iterable[Signature]) -> "Note":
        """The note with further signatures at its end; a signer who already stands in it is not added again."""
        signatures = list(self.signatures)
        present = {(item.name, item.id) for item in signatures}
        for item in more:
            if (item.name, item.id) not in present:
                present.add((item.name, item.id))
                signatures.append(item)
        return Note(self.text, tuple(signatures))


def sign(text: str, signer: SignerKey) -> Note:
    """The note of `text` with one Ed25519 signature."""
    if signer.algorithm != ED25519:
        raise NoteError("a witness key does not sign notes; it cosigns checkpoints")
    _check_text(text)
    key = signer.verifier
    return Note(text, (Signature(key.name, key.id, signer.raw_signature(text.encode())),))


def read_note(data: bytes) -> Note:
    """The note in `data`, by the letter: UTF-8, no control characters, three fields a line, canonical base64."""
    if len(data) > MAX_NOTE_BYTES:
        raise NoteError(f"the note has {len(data)} bytes; at most {MAX_NOTE_BYTES} are read")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError:
        raise NoteError("the note is not UTF-8") from None
    text, separator, lines = whole.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise NoteError("a note is a text, an empty line and signature lines, each ending in a newline")
    _check_text(text + "\n")
    return Note(text + "\n", read_signatures(lines))


def read_signatures(lines: str) -> tuple[Signature, ...]:
    """The signatures in one or more signature lines."""
    if not lines.endswith("\n"):
        raise NoteError("a signature line ends in a newline")
    split = lines[:-1].split("\n")
    if len(split) > MAX_SIGNATURES:
        raise NoteError(f"the note has more than {MAX_SIGNATURES} signatures")
    return tuple(_read_signature(line) for line in split)


def _read_signature(line: str) -> Signature:
    if not line.startswith(_DASH):
        raise NoteError(f"{line[:40]!r} is not a signature line")
    fields = line.removeprefix(_DASH).split(" ")
    if len(fields) != 2:
        raise NoteError(f"the signature line {line[:40]!r} does not have three fields")
    name, encoded = fields
    check_name(name)
    data = from_base64(encoded)
    if len(data) < 5:
        raise NoteError(f"the signature of {name} is too short")
    return Signature(name, data[:4], data[4:])


def _check_text(text: str) -> None:
    if not text.endswith("\n") or text == "\n":
        raise NoteError("the text of a note is not empty and ends in a newline")
    if any(character < " " and character != "\n" for character in text):
        raise NoteError("the text of a note holds a control character")
