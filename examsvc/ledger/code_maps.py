"""The code map of a stage between coding and opening: encrypted to the code custodians, opened on a machine of their own.

What opens the commitments of one blind.map entry (salt and object of each pair) is canonical JSON, age-encrypted to the X25519 keys of all code
custodians; any one of them opens it. The SHA-256 of the ciphertext stands in the entry. A stage's ciphertexts travel in one
closed file, and come back in one opened file (docs/formats/code-map.md).
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyrage

from examsvc.ledger import canonical, commitments

CLOSED, OPENED = "examsvc.code-map.closed.v1", "examsvc.code-map.opened.v1"


class CodeMapError(ValueError):
    """A code map cannot be closed, read or opened; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One opening: the salt and the committed object blind.pair. Its repr shows neither."""

    salt: bytes
    attempt: str
    slot: int
    script: str

    def __repr__(self) -> str:
        return "Pair(…)"

    @property
    def object(self) -> dict[str, Any]:
        """The committed object blind.pair."""
        return {"attempt": self.attempt, "slot": self.slot, "script": self.script}

    @property
    def commitment(self) -> str:
        """Commitment to the pair, as it stands in blind.map."""
        return commitments.commit("blind.pair", self.salt, self.object)


@dataclass(frozen=True, slots=True)
class ClosedPart:
    """One part of one sitting's map as the server keeps it."""

    sitting: str
    part: int
    ciphertext: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the ciphertext, as it stands in blind.map."""
        return hashlib.sha256(self.ciphertext).hexdigest()


@dataclass(frozen=True, slots=True)
class OpenedPart:
    """One part of one sitting's map as a custodian hands it in."""

    sitting: str
    part: int
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class ClosedFile:
    """The closed parts of a stage, as a custodian takes them away."""

    competition: str
    stage: str
    parts: tuple[ClosedPart, ...]

    @property
    def data(self) -> bytes:
        """The bytes of the file."""
        return canonical.encode(
            {
                "format": CLOSED,
                "competition": self.competition,
                "stage": self.stage,
                "parts": [
                    {"sitting": one.sitting, "part": one.part, "ciphertext": base64.b64encode(one.ciphertext).decode("ascii")}
                    for one in self.parts
                ],
            }
        )


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """The opened parts of a stage, as a custodian hands them in."""

    competition: str
    stage: str
    parts: tuple[OpenedPart, ...]

    @property
    def data(self) -> bytes:
        """The bytes of the file."""
        return canonical.encode(
            {
                "format": OPENED,
                "competition": self.competition,
                "stage": self.stage,
                "parts": [{"sitting": one.sitting, "part": one.part, "pairs": _rows(one.pairs)} for one in self.parts],
            }
        )


def close(sitting: str, part: int, pairs: Sequence[Pair], recipients: Iterable[str]) -> ClosedPart:
    """Encrypts one part of a map to all recipients (age1…), each of whom can open it. Raises CodeMapError."""
    try:
        keys = [pyrage.x25519.Recipient.from_str(one) for one in sorted(set(recipients))]
    except pyrage.RecipientError:
        raise CodeMapError("a code custodian's key is no age recipient (age1…)") from None
    if not keys:
        raise CodeMapError("a code map is encrypted to at least one code custodian")
    plaintext = canonical.encode({"v": 1, "sitting": sitting, "part": part, "pairs": _rows(pairs)})
    return ClosedPart(sitting, part, bytes(pyrage.encrypt(plaintext, keys)))


def open_file(closed: ClosedFile, identity: str) -> OpenedFile:
    """On a code custodian's machine: the map, opened with the secret key. Raises CodeMapError."""
    try:
        key = pyrage.x25519.Identity.from_str(identity)
    except pyrage.IdentityError:
        raise CodeMapError("this is not an age identity (AGE-SECRET-KEY-1…)") from None
    return OpenedFile(closed.competition, closed.stage, tuple(_open(one, key) for one in closed.parts))


def _open(closed: ClosedPart, key: Any) -> OpenedPart:
    try:
        plaintext = pyrage.decrypt(closed.ciphertext, [key])
    except pyrage.DecryptError:
        raise CodeMapError("this map was not encrypted to this key, or it is damaged") from None
    value = _decode(plaintext, {"v", "sitting", "part", "pairs"})
    if value["v"] != 1 or (value["sitting"], value["part"]) != (closed.sitting, closed.part):
        raise CodeMapError("the map that was encrypted is that of another sitting or part")
    return _part(value)


def read_closed(data: bytes) -> ClosedFile:
    """A closed file, read strictly. Raises CodeMapError."""
    value = _file(data, CLOSED)
    parts = []
    for row in value["parts"]:
        if not isinstance(row, dict) or row.keys() != {"sitting", "part", "ciphertext"}:
            raise CodeMapError("this is not a closed code map")
        try:
            ciphertext = base64.b64decode(row["ciphertext"], validate=True)
        except (binascii.Error, ValueError, TypeError):
            raise CodeMapError("this is not a closed code map") from None
        parts.append(ClosedPart(*_place(row), ciphertext))
    return ClosedFile(value["competition"], value["stage"], tuple(parts))


def read_opened(data: bytes) -> OpenedFile:
    """An opened file as a custodian hands it in, read strictly. Raises CodeMapError."""
    value = _file(data, OPENED)
    parts = []
    for row in value["parts"]:
        if not isinstance(row, dict) or row.keys() != {"sitting", "part", "pairs"}:
            raise CodeMapError("this is not an opened code map")
        parts.append(_part(row))
    return OpenedFile(value["competition"], value["stage"], tuple(parts))


def _rows(pairs: Iterable[Pair]) -> list[dict[str, Any]]:
    return [{"salt": one.salt.hex(), "object": one.object} for one in pairs]


def _file(data: bytes, format: str) -> dict[str, Any]:
    value = _decode(data, {"format", "competition", "stage", "parts"})
    texts = (value["format"], value["competition"], value["stage"])
    if value["format"] != format or not all(isinstance(one, str) for one in texts) or not isinstance(value["parts"], list):
        raise CodeMapError("this is not a code map of this kind")
    return value


def _decode(data: bytes, names: set[str]) -> dict[str, Any]:
    try:
        value = canonical.decode(data)
    except canonical.CanonicalError as error:
        raise CodeMapError(f"this is not a code map: {error}") from None
    if not isinstance(value, dict) or value.keys() != names:
        raise CodeMapError("this is not a code map")
    return value


def _place(row: dict[str, Any]) -> tuple[str, int]:
    if not isinstance(row["sitting"], str) or type(row["part"]) is not int:
        raise CodeMapError("this is not a code map")
    return row["sitting"], row["part"]


def _part(row: dict[str, Any]) -> OpenedPart:
    if not isinstance(row["pairs"], list):
        raise CodeMapError("this is not a code map")
    return OpenedPart(*_place(row), tuple(_pair(one) for one in row["pairs"]))


def _pair(row: Any) -> Pair:
    try:
        salt, said = bytes.fromhex(row["salt"]), row["object"]
        attempt, slot, script = said["attempt"], said["slot"], said["script"]
        exact = row.keys() == {"salt", "object"} and said.keys() == {"attempt", "slot", "script"}
    except (AttributeError, KeyError, TypeError, ValueError):
        raise CodeMapError("this is not a code map") from None
    shaped = isinstance(attempt, str) and type(slot) is int and isinstance(script, str)
    if not exact or not shaped or len(salt) != commitments.SALT_BYTES:
        raise CodeMapError("this is not a code map")
    return Pair(salt, attempt, slot, script)
