"""Receipts: the proof that an entry is in the log (c2sp.org/tlog-proof) and the slip for the hand.

    c2sp.org/tlog-proof@v1
    extra base64(JCS({"v": 1, "entry": {…}, "salt": hex}))
    index N
    base64 of each hash of the inclusion proof, sibling first

    the checkpoint with its cosignatures

A receipt holds no question and no answer. The slip is there at the moment of submitting, before any checkpoint: 20 base32
characters, 100 bits of the leaf hash.
"""

import base64
import re
from dataclasses import dataclass
from typing import Any

from examsvc.ledger import canonical, checkpoints, entries, merkle, notes
from examsvc.ledger.checkpoints import CheckpointError, Signed
from examsvc.ledger.entries import Entry
from examsvc.ledger.notes import NoteError
from examsvc.ledger.policy import Policy

FIRST_LINE = "c2sp.org/tlog-proof@v1"
MAX_BYTES = 256 * 1024
SLIP_CHARACTERS = 20
_MAX_PROOF = 63
_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")
_SLIP = re.compile(r"[A-Z2-7]{20}")


class ReceiptError(ValueError):
    """A receipt or a slip is malformed or proves nothing; the message says why."""


@dataclass(frozen=True, slots=True)
class Proof:
    """That the entry with index `index` is in the log of `checkpoint` (the bytes of a signed note)."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    @property
    def data(self) -> bytes:
        """The bytes of a .tlog-proof file."""
        lines = [FIRST_LINE]
        if self.extra is not None:
            lines.append(f"extra {notes.to_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += [notes.to_base64(item) for item in self.path]
        return ("\n".join(lines) + "\n\n").encode() + self.checkpoint

    def verify(self, leaf: bytes, policy: Policy) -> Signed:
        """Raise ReceiptError, CheckpointError, PolicyError or ProofError unless `leaf` is proved to be in a trusted log."""
        signed = policy.verify(self.checkpoint)
        merkle.verify_inclusion(leaf, self.index, signed.checkpoint.size, self.path, signed.checkpoint.root)
        return signed


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a candidate holds: the entry's bytes, the salt that opens its commitment to the answers, the proof."""

    entry: bytes
    salt: bytes
    proof: Proof

    @property
    def data(self) -> bytes:
        """The bytes of the receipt file."""
        extra = canonical.encode({"v": 1, "entry": canonical.decode(self.entry), "salt": self.salt.hex()})
        return Proof(self.proof.index, self.proof.path, self.proof.checkpoint, extra).data

    @property
    def slip(self) -> str:
        """The slip that was in the candidate's hand before this receipt."""
        return slip(entries.leaf_hash(self.entry))

    def verify(self, policy: Policy) -> tuple[Entry, Signed]:
        """The entry and the verified checkpoint; raises as Proof.verify does."""
        entry = entries.read_entry(self.entry)
        if entry.index != self.proof.index:
            raise ReceiptError(f"the entry has index {entry.index}, the proof {self.proof.index}")
        return entry, self.proof.verify(entries.leaf_hash(self.entry), policy)


def read_proof(data: bytes) -> Proof:
    """The proof in a .tlog-proof file, by the letter; the checkpoint's signatures are not verified yet."""
    if len(data) > MAX_BYTES:
        raise ReceiptError(f"the file has {len(data)} bytes; at most {MAX_BYTES} are read")
    head, separator, checkpoint = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise ReceiptError("the proof is not ASCII") from None
    if not separator or lines.pop(0) != FIRST_LINE:
        raise ReceiptError(f"the file does not begin with the line {FIRST_LINE}")
    extra = None
    try:
        if lines and lines[0].startswith("extra "):
            extra = notes.from_base64(lines.pop(0).removeprefix("extra "))
        if not lines or not lines[0].startswith("index "):
            raise ReceiptError("the file lacks the line with the index")
        index = lines.pop(0).removeprefix("index ")
        path = tuple(notes.from_base64(line) for line in lines)
        checkpoints.parse(checkpoint)
    except (NoteError, CheckpointError) as error:
        raise ReceiptError(str(error)) from None
    if _NUMBER.fullmatch(index) is None:
        raise ReceiptError(f"{index[:20]!r} is not an index")
    if len(path) > _MAX_PROOF or any(len(item) != merkle.HASH_BYTES for item in path):
        raise ReceiptError("the inclusion proof is not a list of hashes")
    return Proof(int(index), path, checkpoint, extra)


def read_receipt(data: bytes) -> Receipt:
    """The receipt in a file: a proof whose extra line holds entry and salt."""
    proof = read_proof(data)
    if proof.extra is None:
        raise ReceiptError("the file proves something, but it does not say which entry; it is not a receipt")
    try:
        extra: Any = canonical.decode(proof.extra)
    except canonical.CanonicalError as error:
        raise ReceiptError(str(error)) from None
    if not isinstance(extra, dict) or extra.keys() != {"v", "entry", "salt"} or extra["v"] != 1:
        raise ReceiptError("the extra line of a receipt holds v, entry and salt")
    salt = extra["salt"]
    if not isinstance(salt, str) or re.fullmatch(r"[0-9a-f]{64}", salt) is None:
        raise ReceiptError("the salt is not 32 bytes in hexadecimal")
    return Receipt(
        canonical.encode(extra["entry"]),
        bytes.fromhex(salt),
        Proof(proof.index, proof.path, proof.checkpoint),
    )


def slip(leaf: bytes) -> str:
    """20 base32 characters (RFC 4648 §6): the first 100 bits of a leaf hash, in four groups of five."""
    text = base64.b32encode(leaf).decode("ascii")[:SLIP_CHARACTERS]
    return "-".join(text[start : start + 5] for start in range(0, SLIP_CHARACTERS, 5))


def read_slip(text: str) -> str:
    """A slip as somebody typed it, in the spelling of `slip`; 0 is read as O, 1 as I, spaces and hyphens are dropped."""
    bare = re.sub(r"[\s-]", "", text).upper().replace("0", "O").replace("1", "I")
    if _SLIP.fullmatch(bare) is None:
        raise ReceiptError("a slip has 20 characters: letters and the digits 2 to 7")
    return "-".join(bare[start : start + 5] for start in range(0, SLIP_CHARACTERS, 5))
