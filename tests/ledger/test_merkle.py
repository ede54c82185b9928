"""The Merkle tree against RFC 6962's definition written down naively, known roots, and pymerkle."""

import hashlib

import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examsvc.ledger import merkle
from examsvc.ledger.merkle import CompactRange, ProofError, Tree, leaf_hash, root_of

# Leaves and roots of the reference tests of google/certificate-transparency (merkletree), also used by transparency-dev/merkle.
CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LARGEST = 40


def naive_root(entries):
    """MTH of RFC 6962 §2.1, by its own words."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\0" + entries[0]).digest()
    split = 1
    while split * 2 < len(entries):
        split *= 2
    return hashlib.sha256(b"\1" + naive_root(entries[:split]) + naive_root(entries[split:])).digest()


def naive_path(index, entries):
    """PATH of RFC 6962 §2.1.1."""
    if len(entries) <= 1:
        return []
    split = 1
    while split * 2 < len(entries):
        split *= 2
    if index < split:
        return [*naive_path(index, entries[:split]), naive_root(entries[split:])]
    return [*naive_path(index - split, entries[split:]), naive_root(entries[:split])]


def naive_subproof(size, entries, whole):
    """SUBPROOF of RFC 6962 §2.1.2."""
    if size == len(entries):
        return [] if whole else [naive_root(entries)]
    split = 1
    while split * 2 < len(entries):
        split *= 2
    if size <= split:
        return [*naive_subproof(size, entries[:split], whole), naive_root(entries[split:])]
    return [*naive_subproof(size - split, entries[split:], False), naive_root(entries[:split])]


def entries_of(count):
    return [b"entry %d" % number for number in range(count)]


@pytest.fixture(scope="module")
def tree():
    return Tree(leaf_hash(entry) for entry in entries_of(LARGEST))


def test_roots_of_certificate_transparency():
    tree, range_ = Tree(), CompactRange()
    assert tree.root() == range_.root() == hashlib.sha256(b"").digest()
    for leaf, root in zip(CT_LEAVES, CT_ROOTS, strict=True):
        tree.append(leaf_hash(leaf))
        range_ = range_.append(leaf_hash(leaf))
        assert tree.root().hex() == range_.root().hex() == root


def test_roots_by_every_way_are_the_rfc_definition(tree):
    entries = entries_of(LARGEST)
    range_ = CompactRange()
    for size in range(LARGEST + 1):
        root = naive_root(entries[:size])
        assert tree.root(size) == root
        assert root_of(leaf_hash(entry) for entry in entries[:size]) == root
        assert range_.root() == root
        if size < LARGEST:
            range_ = range_.append(leaf_hash(entries[size]))


def test_all_inclusion_proofs_are_the_rfc_definition_and_verify(tree):
    entries, count = entries_of(LARGEST), 0
    for size in range(1, LARGEST + 1):
        for index in range(size):
            proof = tree.inclusion_proof(index, size)
            assert list(proof) == naive_path(index, entries[:size])
            merkle.verify_inclusion(leaf_hash(entries[index]), index, size, proof, tree.root(size))
            count += 1
    assert count == LARGEST * (LARGEST + 1) // 2


def test_all_consistency_proofs_are_the_rfc_definition_and_verify(tree):
    entries, count = entries_of(LARGEST), 0
    for size in range(LARGEST + 1):
        for old in range(size + 1):
            proof = tree.consistency_proof(old, size)
            assert list(proof) == (naive_subproof(old, entries[:size], True) if old else [])
            merkle.verify_consistency(old, tree.root(old), size, tree.root(size), proof)
            count += 1
    assert count == (LARGEST + 1) * (LARGEST + 2) // 2


def test_pymerkle_agrees():
    oracle, tree = pymerkle.InmemoryTree(algorithm="sha256"), Tree()
    entries = entries_of(33)
    for size, entry in enumerate(entries, start=1):
        oracle.append_entry(entry)
        tree.append(leaf_hash(entry))
        assert oracle.get_root() == tree.root()
        for old in range(1, size):
            assert oracle.get_root(old) == tree.root(old)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=4), min_size=2, max_size=80), st.data())
def test_a_changed_entry_changes_every_later_root(entries, data):
    index = data.draw(st.integers(0, len(entries) - 1))
    changed = [*entries[:index], entries[index] + b"!", *entries[index + 1 :]]
    before = Tree(map(leaf_hash, entries))
    after = Tree(map(leaf_hash, changed))
    for size in range(index + 1, len(entries) + 1):
        assert before.root(size) != after.root(size)
    size = data.draw(st.integers(index + 1, len(entries)))
    with pytest.raises(ProofError):
        merkle.verify_consistency(
            size, before.root(size), len(entries), after.root(), after.consistency_proof(size)
        )


def test_every_changed_byte_and_every_other_length_of_an_inclusion_proof_is_refused(tree):
    tried = 0
    for size, index in ((1, 0), (2, 1), (7, 6), (7, 0), (8, 3), (13, 12), (40, 17)):
        leaf, root = leaf_hash(entries_of(LARGEST)[index]), tree.root(size)
        proof = list(tree.inclusion_proof(index, size))
        for place in range(len(proof)):
            for byte in range(32):
                bad = list(proof)
                bad[place] = proof[place][:byte] + bytes([proof[place][byte] ^ 1]) + proof[place][byte + 1 :]
                tried += 1
                with pytest.raises(ProofError):
                    merkle.verify_inclusion(leaf, index, size, bad, root)
        for bad in (proof[:-1], proof[1:], [*proof, root], [leaf, *proof], proof[::-1]):
            if bad != proof:
                tried += 1
                with pytest.raises(ProofError):
                    merkle.verify_inclusion(leaf, index, size, bad, root)
        for other in range(-1, size + 2):
            if other != index:
                tried += 1
                with pytest.raises(ProofError):
                    merkle.verify_inclusion(leaf, other, size, proof, root)
    assert tried > 600


def test_every_changed_byte_and_every_other_length_of_a_consistency_proof_is_refused(tree):
    tried = 0
    for old, size in ((1, 2), (3, 7), (4, 7), (6, 8), (8, 13), (17, 40)):
        args = (old, tree.root(old), size, tree.root(size))
        proof = list(tree.consistency_proof(old, size))
        for place in range(len(proof)):
            for byte in range(32):
                bad = list(proof)
                bad[place] = proof[place][:byte] + bytes([proof[place][byte] ^ 1]) + proof[place][byte + 1 :]
                tried += 1
                with pytest.raises(ProofError):
                    merkle.verify_consistency(*args, bad)
        for bad in (proof[:-1], proof[1:], [*proof, tree.root(1)], [tree.root(old), *proof], proof[::-1], []):
            if bad != proof:
                tried += 1
                with pytest.raises(ProofError):
                    merkle.verify_consistency(*args, bad)
    assert tried > 500


def test_degenerate_consistency_claims_are_refused(tree):
    root = tree.root(5)
    with pytest.raises(ProofError, match="cannot begin"):
        merkle.verify_consistency(6, tree.root(6), 5, root, ())
    with pytest.raises(ProofError, match="two roots"):
        merkle.verify_consistency(5, tree.root(6), 5, root, ())
    with pytest.raises(ProofError, match="empty tree"):
        merkle.verify_consistency(0, root, 5, root, ())
    with pytest.raises(ProofError, match="too long"):
        merkle.verify_consistency(0, merkle.EMPTY_ROOT, 5, root, (root,))
    with pytest.raises(ProofError, match="32 bytes"):
        merkle.verify_consistency(3, root[:31], 5, root, ())


def test_a_tree_makes_no_proof_of_what_is_not_there(tree):
    for index, size in ((5, 5), (-1, 5), (0, 0), (0, LARGEST + 1)):
        with pytest.raises(ValueError, match="leaves"):
            tree.inclusion_proof(index, size)
    with pytest.raises(ValueError, match="cannot begin"):
        tree.consistency_proof(6, 5)


def test_a_compact_range_holds_only_what_fits():
    with pytest.raises(ValueError, match="peaks"):
        CompactRange(3, (bytes(32),))
    with pytest.raises(ValueError, match="32 bytes"):
        CompactRange(1, (b"",))
    with pytest.raises(ValueError, match="32 bytes"):
        CompactRange().append(b"")
    assert len(CompactRange(2**40 - 1, (bytes(32),) * 40).peaks) == 40
