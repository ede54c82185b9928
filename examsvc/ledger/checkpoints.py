"""Checkpoints (c2sp.org/tlog-checkpoint) and witnesses' cosignatures (c2sp.org/tlog-cosignature, Ed25519 v1).

    origin            the log's name
    size              number of entries, decimal
    root              base64 of the RFC 6962 root

A checkpoint is a signed note of these three lines; extension lines are refused. A cosignature signs
"cosignature/v1\\ntime T\\n" + the three lines and carries T, seconds since 1970, in 8 bytes before the 64 of the signature.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from examsvc.ledger import notes
from examsvc.ledger.notes import Note, NoteError, Signature, SignerKey, VerifierKey

MAX_SIZE = 2**53 - 1
_MAX_TIME = 2**63 - 1
_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")


class CheckpointError(ValueError):
    """A checkpoint is malformed, not signed by its log, or signed by somebody who should not be there."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of one log: `size` entries with the RFC 6962 `root` (32 bytes)."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The note text."""
        return f"{self.origin}\n{self.size}\n{notes.to_base64(self.root)}\n"


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint whose signatures have been verified."""

    checkpoint: Checkpoint
    note: Note
    cosigned: dict[VerifierKey, int]
    """Witness key → time of its cosignature, UTC seconds."""


def sign(checkpoint: Checkpoint, signer: SignerKey) -> Note:
    """The log's own signature; the key is named after the origin."""
    if signer.name != checkpoint.origin:
        raise CheckpointError(f"the key of {signer.name} does not sign for the log {checkpoint.origin}")
    if len(checkpoint.root) != 32:
        raise CheckpointError("a root has 32 bytes")
    return notes.sign(checkpoint.text, signer)


def cosign(checkpoint: Checkpoint, signer: SignerKey, time: int) -> Signature:
    """A witness's statement that at `time` (UTC seconds) this was the largest consistent tree it had seen."""
    if signer.algorithm != notes.COSIGNATURE:
        raise CheckpointError("a log key does not cosign; a witness has a key of its own")
    key = signer.verifier
    stamp = time.to_bytes(8, "big")
    return Signature(key.name, key.id, stamp + signer.raw_signature(_cosigned_message(checkpoint, time)))


def parse(data: bytes) -> tuple[Checkpoint, Note]:
    """Checkpoint and note in `data`, by the letter, signatures not yet verified."""
    try:
        note = notes.read_note(data)
    except NoteError as error:
        raise CheckpointError(str(error)) from None
    return read_text(note.text), note


def read_text(text: str) -> Checkpoint:
    """The checkpoint in a note's text."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise CheckpointError("a checkpoint has three lines: origin, size and root")
    origin, size, root = lines[:3]
    try:
        notes.check_name(origin)
        hash_ = notes.from_base64(root)
    except NoteError as error:
        raise CheckpointError(str(error)) from None
    if _NUMBER.fullmatch(size) is None or int(size) > MAX_SIZE:
        raise CheckpointError(f"{size[:20]!r} is not a tree size")
    if len(hash_) != 32:
        raise CheckpointError("a root has 32 bytes")
    return Checkpoint(origin, int(size), hash_)


def verify(
    data: bytes,
    logs: Iterable[VerifierKey],
    witnesses: Iterable[VerifierKey] = (),
    *,
    strangers: bool = False,
) -> Signed:
    """Verify the log's signature and every witness's cosignature in `data`.

    The log's key must be one of `logs` and be named like the origin. A signature by a known key that does not verify, a signer who stands there twice
    and, unless `strangers`, a signer who is not known raise CheckpointError. Whether the cosignatures suffice
    is for `policy` to say.
    """
    checkpoint, note = parse(data)
    log_keys = {(key.name, key.id): key for key in logs}
    witness_keys = {(key.name, key.id): key for key in witnesses}
    seen: set[tuple[str, bytes]] = set()
    signed = False
    cosigned: dict[VerifierKey, int] = {}
    for item in note.signatures:
        who = (item.name, item.id)
        if who in seen:
            raise CheckpointError(f"{item.name} signed twice")
        seen.add(who)
        if who in log_keys and item.name == checkpoint.origin:
            if log_keys[who].algorithm != notes.ED25519 or not log_keys[who].verifies(
                note.text.encode(), item.signature
            ):
                raise CheckpointError(f"the signature of the log {item.name} is wrong")
            signed = True
        elif who in witness_keys:
            cosigned[witness_keys[who]] = verify_cosignature(checkpoint, witness_keys[who], item)
        elif not strangers:
            raise CheckpointError(f"{item.name} signed, who is neither this log nor a known witness")
    if not signed:
        raise CheckpointError(f"no known key of the log {checkpoint.origin} signed the checkpoint")
    return Signed(checkpoint, note, cosigned)


def verify_cosignature(checkpoint: Checkpoint, key: VerifierKey, signature: Signature) -> int:
    """The time in a valid cosignature; CheckpointError for any other."""
    stamp, raw = signature.signature[:8], signature.signature[8:]
    time = int.from_bytes(stamp, "big")
    if (
        key.algorithm != notes.COSIGNATURE
        or (key.name, key.id) != (signature.name, signature.id)
        or len(raw) != 64
        or time > _MAX_TIME
        or not key.verifies(_cosigned_message(checkpoint, time), raw)
    ):
        raise CheckpointError(f"the cosignature of {signature.name} is wrong")
    return time


def _cosigned_message(checkpoint: Checkpoint, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{checkpoint.text}".encode()
