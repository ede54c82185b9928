"""The Merkle tree of RFC 6962 §2.1 (unchanged in RFC 9162): roots, proofs and their verification, from hashes alone.

    leaf = SHA-256(0x00 + entry)        node = SHA-256(0x01 + left + right)        empty tree = SHA-256("")

Hashes are 32 bytes. A log keeps its leaf hashes; whoever only appends keeps the compact range, at most one hash for each bit of the size.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


class ProofError(ValueError):
    """A proof does not prove what it claims to."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash of one log entry."""
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return hashlib.sha256(b"\1" + left + right).digest()


@dataclass(frozen=True, slots=True)
class CompactRange:
    """All that appending to a tree of `size` leaves needs: the roots of its complete subtrees, largest first.

    There is one for each one bit of `size`, so the value is below 2 kB at any size.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise ValueError(f"{self.size} leaves have {self.size.bit_count()} peaks, not {len(self.peaks)}")
        if any(len(peak) != HASH_BYTES for peak in self.peaks):
            raise ValueError(f"a peak has {HASH_BYTES} bytes")

    def append(self, leaf: bytes) -> "CompactRange":
        """The range after one more leaf hash."""
        if len(leaf) != HASH_BYTES:
            raise ValueError(f"a leaf hash has {HASH_BYTES} bytes")
        peaks, size = list(self.peaks), self.size
        while size & 1:
            leaf = node_hash(peaks.pop(), leaf)
            size >>= 1
        return CompactRange(self.size + 1, (*peaks, leaf))

    def root(self) -> bytes:
        """Root of the whole tree."""
        if not self.peaks:
            return EMPTY_ROOT
        *rest, root = self.peaks
        for peak in reversed(rest):
            root = node_hash(peak, root)
        return root


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Root over leaf hashes, in one pass and logarithmic memory."""
    stack: list[tuple[int, bytes]] = []  # (level, hash) of complete subtrees, largest first
    for leaf in leaves:
        level = 0
        while stack and stack[-1][0] == level:
            leaf = node_hash(stack.pop()[1], leaf)
            level += 1
        stack.append((level, leaf))
    if not stack:
        return EMPTY_ROOT
    root = stack.pop()[1]
    while stack:
        root = node_hash(stack.pop()[1], root)
    return root


class Tree:
    """The levels of complete subtrees over leaf hashes, to make proofs at any size up to the present one.

    Memory is about two hashes for each leaf; a proof takes O(log² n) hashing at sizes that are no power of two.
    """

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for leaf in leaves:
            self.append(leaf)

    def __len__(self) -> int:
        return len(self._levels[0])

    def append(self, leaf: bytes) -> None:
        """Append one leaf hash."""
        if len(leaf) != HASH_BYTES:
            raise ValueError(f"a leaf hash has {HASH_BYTES} bytes")
        self._levels[0].append(leaf)
        level = 0
        while len(self._levels[level]) % 2 == 0:
            if level + 1 == len(self._levels):
                self._levels.append([])
            left, right = self._levels[level][-2:]
            self._levels[level + 1].append(node_hash(left, right))
            level += 1

    def leaf(self, index: int) -> bytes:
        """Leaf hash number `index`."""
        return self._levels[0][index]

    def root(self, size: int | None = None) -> bytes:
        """Root of the first `size` leaves (all by default)."""
        size = self._size(size)
        return self._range_root(0, size) if size else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """RFC 6962 §2.1.1: the path of leaf `index` in the tree of the first `size` leaves, sibling first."""
        size = self._size(size)
        if not 0 <= index < size:
            raise ValueError(f"leaf {index} is not in a tree of {size} leaves")
        path: list[bytes] = []
        low, high = 0, size
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                path.append(self._range_root(middle, high))
                high = middle
            else:
                path.append(self._range_root(low, middle))
                low = middle
        return tuple(reversed(path))

    def consistency_proof(self, old_size: int, size: int | None = None) -> tuple[bytes, ...]:
        """RFC 6962 §2.1.2: that the first `old_size` leaves begin the first `size`; empty for 0 and for equal sizes."""
        size = self._size(size)
        if not 0 <= old_size <= size:
            raise ValueError(f"a tree of {old_size} leaves cannot begin one of {size}")
        if old_size in (0, size):
            return ()
        path: list[bytes] = []
        low, high, whole = 0, size, True
        while old_size != high:
            middle = low + _split(high - low)
            if old_size <= middle:
                path.append(self._range_root(middle, high))
                high = middle
            else:
                path.append(self._range_root(low, middle))
                low, whole = middle, False
        if not whole:
            path.append(self._range_root(low, high))
        return tuple(reversed(path))

    def _size(self, size: int | None) -> int:
        if size is None:
            return len(self)
        if not 0 <= size <= len(self):
            raise ValueError(f"the tree has {len(self)} leaves, not {size}")
        return size

    def _range_root(self, low: int, high: int) -> bytes:
        """Root over the leaves low … high - 1; `low` is a multiple of the power of two at or above the width."""
        width = high - low
        level = width.bit_length() - 1
        if width == 1 << level:
            return self._levels[level][low >> level]
        middle = low + _split(width)
        return node_hash(self._range_root(low, middle), self._range_root(middle, high))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raise ProofError unless `leaf` is leaf `index` of the tree of `size` leaves with this root.

    RFC 9162 §2.1.3.2. The proof has exactly the length that index and size require.
    """
    if not 0 <= index < size:
        raise ProofError(f"leaf {index} is not in a tree of {size} leaves")
    _check_hashes((leaf, root, *proof))
    place, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError("the inclusion proof is too long")
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            found = node_hash(found, sibling)
        place >>= 1
        last >>= 1
    if last != 0:
        raise ProofError("the inclusion proof is too short")
    if found != root:
        raise ProofError("the inclusion proof leads to another root")


def verify_consistency(
    old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Raise ProofError unless the tree (`old_size`, `old_root`) begins the tree (`size`, `root`).

    RFC 9162 §2.1.4.2. From the empty tree and between equal sizes the proof is empty.
    """
    if not 0 <= old_size <= size:
        raise ProofError(f"a tree of {old_size} leaves cannot begin one of {size}")
    _check_hashes((old_root, root, *proof))
    if old_size == size or old_size == 0:
        if proof:
            raise ProofError("the consistency proof is too long")
        if old_size == 0 and old_root != EMPTY_ROOT:
            raise ProofError("the old root is not the root of the empty tree")
        if old_size == size and old_root != root:
            raise ProofError("two roots are claimed for one size")
        return
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        raise ProofError("the consistency proof is too short")
    place, last = old_size - 1, size - 1
    while place & 1:
        place >>= 1
        last >>= 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("the consistency proof is too long")
        if place & 1 or place == last:
            old = node_hash(sibling, old)
            new = node_hash(sibling, new)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            new = node_hash(new, sibling)
        place >>= 1
        last >>= 1
    if last != 0:
        raise ProofError("the consistency proof is too short")
    if old != old_root:
        raise ProofError("the consistency proof does not start from the old root")
    if new != root:
        raise ProofError("the consistency proof leads to another root")


def _split(width: int) -> int:
    """The largest power of two smaller than `width` (at least 2)."""
    return 1 << (width - 1).bit_length() - 1


def _check_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(item) != HASH_BYTES for item in hashes):
        raise ProofError(f"a hash has {HASH_BYTES} bytes")
