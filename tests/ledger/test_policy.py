"""Trust policies (c2sp.org/tlog-policy): the specification's example, thresholds, and what is refused."""

import hashlib
from itertools import combinations

import pytest

from examsvc.ledger import checkpoints
from examsvc.ledger.checkpoints import Checkpoint
from examsvc.ledger.notes import COSIGNATURE, ED25519, SignerKey
from examsvc.ledger.policy import PolicyError, read_policy

LOG = SignerKey("exam.example/log", ED25519, bytes(32))
KEYS = {
    name: SignerKey(f"{name}.example/w", COSIGNATURE, hashlib.sha256(name.encode()).digest())
    for name in ("X1", "X2", "X3", "Y1", "Y2", "Y3")
}
LINES = [f"log {LOG.verifier.text} https://exam.example/log"]
LINES += [f"witness {name} {key.verifier.text}" for name, key in KEYS.items()]
# the example of the specification
GROUPS = [
    "group X-witnesses 2 X1 X2 X3",
    "group Y-witnesses any Y1 Y2 Y3",
    "group X-and-Y all X-witnesses Y-witnesses",
    "quorum X-and-Y",
]


def policy(*lines):
    return read_policy("".join(f"{line}\n" for line in lines).encode())


def test_the_example_of_the_specification_over_all_subsets():
    read = policy(*LINES, *GROUPS)
    assert read.logs == (LOG.verifier,)
    assert read.urls == {LOG.verifier.text: "https://exam.example/log"}
    tried = 0
    for size in range(7):
        for names in combinations(KEYS, size):
            enough = sum(name[0] == "X" for name in names) >= 2 and any(name[0] == "Y" for name in names)
            assert read.satisfied_by(KEYS[name].verifier for name in names) is enough
            tried += 1
    assert tried == 64


def test_a_checkpoint_needs_log_and_quorum():
    read = policy(*LINES, "group g 2 X1 X2 X3", "quorum g")
    point = Checkpoint("exam.example/log", 7, bytes(32))
    note = checkpoints.sign(point, LOG)
    with pytest.raises(PolicyError, match="cosigned by nobody"):
        read.verify(note.data)
    note = note.with_signatures([checkpoints.cosign(point, KEYS["X1"], 5)])
    with pytest.raises(PolicyError, match=r"cosigned by X1\.example"):
        read.verify(note.data)
    note = note.with_signatures([checkpoints.cosign(point, KEYS["X3"], 5)])
    assert read.verify(note.data).checkpoint == point
    assert policy(LINES[0], "quorum none").verify(checkpoints.sign(point, LOG).data).checkpoint == point


def test_white_space_and_comments():
    read = policy(
        "# comment", "", " \t ", "  # another", f"\twitness  a\t{KEYS['X1'].verifier.text} ", " quorum a\t"
    )
    assert read.quorum == "a"


def test_names_are_opaque_octets():
    key = KEYS["X1"].verifier.text.encode()
    read = read_policy(b"witness K\xe2\x84\xaa\xff " + key + b"\nquorum K\xe2\x84\xaa\xff\n")
    assert read.satisfied_by([KEYS["X1"].verifier])


X1, X2 = LINES[1], LINES[2]
WITNESS_AS_LOG = f"log {KEYS['X1'].verifier.text}"
LOG_AS_WITNESS = f"witness L {LOG.verifier.text}"
SAME_KEY = f"witness X9 {SignerKey('other.example', COSIGNATURE, KEYS['X1'].seed).verifier.text}"


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [X1],
        ["quorum X1", X1],
        [X1, "quorum X2"],
        [X1, "quorum X1", "quorum X1"],
        [X1, "quorum X1 X1"],
        [X1, X1, "quorum X1"],
        [X1, SAME_KEY, "quorum X1"],
        [LINES[0], LINES[0], "quorum none"],
        [WITNESS_AS_LOG, "quorum none"],
        [LOG_AS_WITNESS, "quorum L"],
        [X1.replace("X1", "none", 1), "quorum none"],
        [X1, "group g any", "quorum g"],
        [X1, "group g any none", "quorum g"],
        [X1, "group g 2 X1", "quorum g"],
        [X1, "group g 0 X1", "quorum g"],
        [X1, "group g 01 X1", "quorum g"],
        [X1, "group g some X1", "quorum g"],
        [X1, "group X1 any X1", "quorum X1"],
        [X1, "group g any g", "quorum g"],
        [X1, "group g any X2", X2, "quorum g"],
        [X1, X2, "group g 2 X1 X1", "quorum g"],
        [X1, X2, "group g any X1", "group h any X1 X2", "quorum h"],
        [X1, "Quorum X1"],
        [X1, "quorum X1\r"],
        [X1 + " url more", "quorum X1"],
        [X1[:-1], "quorum X1"],
    ],
)
def test_malformed_policies_are_refused(lines):
    with pytest.raises(PolicyError):
        policy(*lines)


def test_the_last_line_ends_in_a_newline_and_size_is_bounded():
    with pytest.raises(PolicyError, match="newline"):
        read_policy(b"quorum none")
    with pytest.raises(PolicyError, match="at most"):
        read_policy(b"#" * 70_000)
