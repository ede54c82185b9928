"""V16: outside time stamps are of this log's checkpoints, and lie between the entries before and after them."""

import hashlib
from collections.abc import Iterator

from examsvc.ledger.entries import Entry
from examsvc.ledger.entries import leaf_hash as leaf
from examsvc.ledger.merkle import Tree
from examsvc.ledger.notes import to_base64
from examsvc.verify import der
from examsvc.verify.findings import Finding, conclude, not_checkable
from examsvc.verify.reading import Bundle

TITLE = "time stamps are of this log and lie between the entries before and after them"
SKEW = 60
"""Seconds by which the authority's clock and the server's may differ."""


def stamps(read: Bundle) -> Finding:
    """V16. A token's signature is the authority's affair: `openssl ts -verify` checks it against the authority's certificate."""
    stamped = read.of("time.stamped")
    if not stamped:
        return not_checkable("V16", TITLE, "no outside authority stamped this log")
    reasons: list[str] = []
    notes: list[str] = []
    tree = Tree(map(leaf, read.raw_entries))
    for entry in stamped:
        reasons += [f"entry {entry.index}: {reason}" for reason in _stamp(read, tree, entry, notes)]
    return conclude("V16", TITLE, reasons, notes)


def stamped_text(origin: str, size: int, root: bytes) -> bytes:
    """What an authority stamps: the text of the checkpoint, without signatures."""
    return f"{origin}\n{size}\n{to_base64(root)}\n".encode()


def _stamp(read: Bundle, tree: Tree, entry: Entry, notes: list[str]) -> Iterator[str]:
    size, root = entry.body["size"], bytes.fromhex(entry.body["root"])
    if not 1 <= size <= entry.index or size > len(tree):
        yield f"a checkpoint of {size} entries did not exist by then"
        return
    if tree.root(size) != root:
        yield f"the first {size} entries have another root than was stamped"
        return
    token = read.documents.get(entry.body["token"])
    if token is None:
        notes.append(f"the token of entry {entry.index} is not in the bundle")
        return
    try:
        stamp = der.read_token(token)
    except der.DerError as error:
        yield f"its token cannot be read: {error}"
        return
    text = stamped_text(str(read.manifest["origin"]), size, root)
    if stamp.imprint != hashlib.sha256(text).digest():
        yield "its token is for another text than that checkpoint"
    last = read.entries[size - 1]
    if last is not None and not last.time - SKEW <= stamp.time <= entry.time + SKEW:
        yield f"it was stamped at {stamp.time}, not between entry {size - 1} and this one"
    notes.append(f"{size} entries stamped by {entry.body['authority']} at {stamp.time}")
