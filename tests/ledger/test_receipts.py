"""Receipts and slips: a candidate's proof verifies, and no changed byte of it does."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examsvc.ledger import checkpoints, entries, merkle, receipts
from examsvc.ledger.checkpoints import Checkpoint, CheckpointError
from examsvc.ledger.commitments import commit
from examsvc.ledger.entries import EntryError
from examsvc.ledger.merkle import ProofError, Tree
from examsvc.ledger.notes import COSIGNATURE, ED25519, SignerKey
from examsvc.ledger.policy import PolicyError, read_policy
from examsvc.ledger.receipts import Proof, Receipt, ReceiptError

LOG = SignerKey("exam.example/p1", ED25519, bytes(32))
WITNESS = SignerKey("witness.example/w1", COSIGNATURE, bytes(31) + b"\1")
POLICY = read_policy(f"log {LOG.verifier.text}\nwitness w {WITNESS.verifier.text}\nquorum w\n".encode())
SALT = bytes(range(32))
ANSWERS = {
    "attempt": "A7F3",
    "form": "F1",
    "deadline": 1_790_003_600,
    "answers": [{"slot": 1, "version": 2, "value": "b"}],
}
REFUSALS = (ReceiptError, CheckpointError, PolicyError, ProofError, EntryError)


def submitted(index):
    body = {
        "stage": "written",
        "posts": ["P1"],
        "attempt": "A7F3",
        "sitting": "S1",
        "manner": "candidate",
        "links": 12,
        "head": "ab" * 32,
        "answers": commit("attempt.answers", SALT, ANSWERS),
    }
    return entries.entry_bytes(index, "dept-heads-2026", "attempt.submitted", 1_790_000_000, "A7F3", body)


def receipt():
    entry = submitted(5)
    tree = Tree([merkle.leaf_hash(b"%d" % n) for n in range(5)])
    tree.append(entries.leaf_hash(entry))
    for n in range(7):
        tree.append(merkle.leaf_hash(b"later %d" % n))
    point = Checkpoint(LOG.name, len(tree), tree.root())
    note = checkpoints.sign(point, LOG).with_signatures([checkpoints.cosign(point, WITNESS, 1_790_000_060)])
    return Receipt(entry, SALT, Proof(5, tree.inclusion_proof(5), note.data))


def test_a_receipt_comes_back_and_verifies():
    made = receipt()
    read = receipts.read_receipt(made.data)
    assert read == made
    assert read.data == made.data
    entry, signed = read.verify(POLICY)
    assert (entry.type, entry.index, entry.body["attempt"]) == ("attempt.submitted", 5, "A7F3")
    assert signed.checkpoint.size == 13
    assert made.data.startswith(b"c2sp.org/tlog-proof@v1\nextra ")


def test_it_opens_the_answers_and_holds_none():
    read = receipts.read_receipt(receipt().data)
    entry, _ = read.verify(POLICY)
    assert commit("attempt.answers", read.salt, ANSWERS) == entry.body["answers"]
    assert b"value" not in base64.b64decode(read.data.split(b"\n")[1].split(b" ")[1])


def test_every_single_byte_change_is_refused():
    made = receipt()
    data, tried, harmless = made.data, 0, 0
    for place in range(len(data)):
        for byte in {data[place] ^ bit for bit in (1, 2, 4, 32)} | set(b"\n =A") - {data[place]}:
            changed = data[:place] + bytes([byte]) + data[place + 1 :]
            if changed == data:
                continue
            tried += 1
            try:
                read = receipts.read_receipt(changed)
                read.verify(POLICY)
            except REFUSALS:
                continue
            # the extra line is not authenticated by itself: a changed salt is found when it does not open the answers
            harmless += 1
            assert read.entry == made.entry
            assert read.salt != SALT
            assert commit("attempt.answers", read.salt, ANSWERS) != commit("attempt.answers", SALT, ANSWERS)
    assert tried > 5 * len(data)
    assert harmless < tried / 20


def test_every_dropped_or_added_line_is_refused():
    lines = receipt().data.split(b"\n")
    tried = 0
    for place in range(len(lines)):
        for changed in (
            lines[:place] + lines[place + 1 :],
            [*lines[:place], lines[place], *lines[place:]],
            [*lines[:place], b"", *lines[place:]],
        ):
            if changed != lines:
                tried += 1
                with pytest.raises(REFUSALS):
                    receipts.read_receipt(b"\n".join(changed)).verify(POLICY)
    assert tried > 30


def test_a_receipt_of_another_log_or_without_quorum_is_refused():
    made = receipt()
    foreign = SignerKey("exam.example/p2", ED25519, bytes(32))
    other = read_policy(
        f"log {foreign.verifier.text}\nwitness w {WITNESS.verifier.text}\nquorum w\n".encode()
    )
    with pytest.raises(CheckpointError):
        made.verify(other)
    point, note = checkpoints.parse(made.proof.checkpoint)
    bare = checkpoints.sign(point, LOG)
    with pytest.raises(PolicyError):
        Receipt(made.entry, SALT, Proof(5, made.proof.path, bare.data)).verify(POLICY)
    assert len(note.signatures) == 2


def test_a_proof_without_entry_is_a_proof_but_no_receipt():
    made = receipt()
    proof = receipts.read_proof(made.proof.data)
    proof.verify(entries.leaf_hash(made.entry), POLICY)
    with pytest.raises(ProofError):
        proof.verify(entries.leaf_hash(submitted(6)), POLICY)
    with pytest.raises(ReceiptError, match="not a receipt"):
        receipts.read_receipt(made.proof.data)


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_a_slip_holds_the_first_100_bits(leaf):
    text = receipts.slip(leaf)
    assert len(text) == 23
    bits = base64.b32decode(text.replace("-", "") + "A" * 4)[:12]
    assert bits == leaf[:12]
    assert receipts.read_slip(text) == text
    assert receipts.read_slip(f" {text.lower().replace('-', ' ')}\n") == text
    flipped = leaf[:12] + bytes([leaf[12] ^ 0x10]) + leaf[13:]  # the hundredth bit
    assert receipts.slip(flipped) != text


def test_a_slip_by_hand():
    # 100 zero bits are twenty A; RFC 4648 §10: BASE32("foobar") = MZXW6YTBOI
    assert receipts.slip(bytes(32)) == "AAAAA-AAAAA-AAAAA-AAAAA"
    assert receipts.slip(b"foobar" + bytes(26)).startswith("MZXW6-YTBOI"[:9])
    assert receipts.read_slip("O0Oi1-aaaaa-aaaaa-aaaaa") == "OOOII-AAAAA-AAAAA-AAAAA"


@pytest.mark.parametrize("text", ["", "AAAAA", "A" * 21, "8" * 20, "AAAAA-AAAAA-AAAAA-AAAA!"])
def test_other_slips_are_refused(text):
    with pytest.raises(ReceiptError, match="20 characters"):
        receipts.read_slip(text)
