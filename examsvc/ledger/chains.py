"""The hash chain of one attempt over its saves, so that no answer waits for the log.

    link 0   = SHA-256("examsvc.v1/attempt.chain" + 0x00 + JCS({"x": competition, "attempt": attempt}))
    link i   = SHA-256("examsvc.v1/attempt.link" + 0x00 + link i-1 + commitment of save i)

Links and commitments are 32 bytes inside the hash and lowercase hexadecimal outside. A link hashes the salted
commitment of a save, never the answer. The log takes the head once, when the attempt ends, and during a sitting the
heads of all open attempts at least once a minute, as the root of a Merkle tree.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from examsvc.ledger import canonical, merkle

_CHAIN = b"examsvc.v1/attempt.chain\0"
_LINK = b"examsvc.v1/attempt.link\0"


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain of one attempt stands: `links` saves so far, `head` the newest link."""

    attempt: str
    links: int
    head: str


def start(competition: str, attempt: str) -> Head:
    """The chain before the first save; it belongs to this attempt of this competition and fits no other."""
    seed = canonical.encode({"x": competition, "attempt": attempt})
    return Head(attempt, 0, hashlib.sha256(_CHAIN + seed).hexdigest())


def extend(head: Head, commitment: str) -> Head:
    """The chain after a save with this commitment (64 hexadecimal digits)."""
    save = bytes.fromhex(commitment)
    if len(save) != 32:
        raise ValueError("the commitment of a save has 64 hexadecimal digits")
    link = hashlib.sha256(_LINK + bytes.fromhex(head.head) + save).hexdigest()
    return Head(head.attempt, head.links + 1, link)


def replay(competition: str, attempt: str, commitments: Iterable[str]) -> list[Head]:
    """Every state of the chain, the empty one first: n saves give n + 1 heads."""
    heads = [start(competition, attempt)]
    for commitment in commitments:
        heads.append(extend(heads[-1], commitment))
    return heads


def links(competition: str, attempt: str, commitments: Iterable[str]) -> bytes:
    """Every link of a chain, link 0 first, 32 bytes each: what `replay` says in a form that holds thousands of attempts."""
    link = bytes.fromhex(start(competition, attempt).head)
    found = [link]
    for commitment in commitments:
        link = hashlib.sha256(_LINK + link + bytes.fromhex(commitment)).digest()
        found.append(link)
    return b"".join(found)


def head_at(chain: bytes, count: int) -> str | None:
    """The head after so many saves, in hexadecimal, in a chain from `links`; None where it is shorter."""
    return chain[32 * count : 32 * count + 32].hex() or None


def heads_root(heads: Iterable[Head]) -> str:
    """Root that commits to the heads of all open attempts: RFC 6962 over JCS([attempt, links, head]).

    The leaves stand in the order of the attempt codes; two heads of one attempt raise ValueError. Hexadecimal.
    """
    ordered = sorted(heads, key=lambda head: head.attempt)
    if len({head.attempt for head in ordered}) != len(ordered):
        raise ValueError("an attempt has one head at a time")
    leaves = (merkle.leaf_hash(canonical.encode([head.attempt, head.links, head.head])) for head in ordered)
    return merkle.root_of(leaves).hex()
