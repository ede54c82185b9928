"""The witness: cosigns what extends what it saw, refuses everything else by the protocol's status."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examsvc.ledger import checkpoints, merkle, witness
from examsvc.ledger.checkpoints import Checkpoint, CheckpointError
from examsvc.ledger.merkle import Tree
from examsvc.ledger.notes import COSIGNATURE, ED25519, SignerKey
from examsvc.ledger.witness import Request, State

LOG = SignerKey("exam.example/p1", ED25519, bytes(32))
WITNESS = SignerKey("witness.example/w1", COSIGNATURE, bytes(31) + b"\1")
LOGS = {LOG.name: [LOG.verifier]}
TREE = Tree(merkle.leaf_hash(b"%d" % n) for n in range(20))
FORK = Tree(merkle.leaf_hash(b"%d" % n if n != 3 else b"other") for n in range(20))


def signed(size, tree=TREE, signer=LOG):
    return checkpoints.sign(Checkpoint(signer.name, size, tree.root(size)), signer)


def ask(old, size, *, state=None, tree=TREE, proof=None, signer=LOG, logs=LOGS):
    proof = tree.consistency_proof(old, size) if proof is None and old <= size else proof or ()
    request = Request(old, tuple(proof), signed(size, tree, signer).data)
    states = {} if state is None else {LOG.name: State(state, TREE.root(state))}
    assert witness.read_request(request.data) == request
    return witness.answer(request.data, logs, states, [WITNESS], 1_790_000_000)


def test_it_cosigns_the_first_and_every_longer_checkpoint():
    states = {}
    for old, size in ((0, 0), (0, 1), (1, 4), (4, 4), (4, 13), (13, 20)):
        request = Request(old, TREE.consistency_proof(old, size), signed(size).data)
        answer = witness.answer(request.data, LOGS, states, [WITNESS], 1_790_000_000 + size)
        assert (answer.status, answer.state) == (200, State(size, TREE.root(size)))
        note = witness.accept(signed(size), answer.body, [WITNESS.verifier])
        verified = checkpoints.verify(note.data, [LOG.verifier], [WITNESS.verifier])
        assert verified.cosigned == {WITNESS.verifier: 1_790_000_000 + size}
        states = {LOG.name: answer.state}


def test_a_fork_gets_no_cosignature_whatever_proof_comes_with_it():
    for old, size in ((4, 13), (13, 20)):
        for proof in (FORK.consistency_proof(old, size), TREE.consistency_proof(old, size), ()):
            answer = ask(old, size, state=old, tree=FORK, proof=proof)
            assert (answer.status, answer.state, answer.alarm) == (422, None, True)


def test_two_roots_of_one_size():
    answer = ask(13, 13, state=13, tree=FORK)
    assert (answer.status, answer.state, answer.alarm) == (409, None, True)


def test_going_back_is_refused_with_the_size_it_has():
    answer = ask(0, 4, state=13)
    assert (answer.status, answer.body, answer.content_type) == (409, b"13\n", "text/x.tlog.size")
    assert answer.state is None
    assert ask(4, 4, state=13).status == 409
    assert ask(14, 13, state=14).status == 400


def test_unknown_log_and_wrong_key():
    assert ask(0, 4, logs={}).status == 404
    thief = SignerKey(LOG.name, ED25519, bytes(31) + b"\7")
    answer = ask(0, 4, signer=thief)
    assert (answer.status, answer.state) == (403, None)
    # by the protocol other people's signatures are ignored as long as the log's own is there
    request = Request(
        0,
        (),
        signed(4)
        .with_signatures(checkpoints.sign(Checkpoint(LOG.name, 4, TREE.root(4)), thief).signatures)
        .data,
    )
    assert witness.answer(request.data, LOGS, {}, [WITNESS], 5).status == 200


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"old 0\n",
        b"old 0\n\n",
        b"old 00\n\n" + signed(4).data,
        b"old -1\n\n" + signed(4).data,
        b"Old 0\n\n" + signed(4).data,
        b"old 0\nAAAA\n\n" + signed(4).data,
        b"old 0\n\n\n" + signed(4).data,
        b"old 0\n\n" + signed(4).data[:-1],
        b"old 0\r\n\r\n" + signed(4).data,
        b"old 0\n" + b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 64 + b"\n" + signed(4).data,
        b"x" * 200_000,
    ],
)
def test_malformed_requests_get_400(data):
    answer = witness.answer(data, LOGS, {}, [WITNESS], 5)
    assert (answer.status, answer.state) == (400, None)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.booleans(), st.booleans()), max_size=30))
def test_whatever_comes_all_cosigned_checkpoints_are_of_one_history(requests):
    states, cosigned = {}, []
    for old, size, fork, honest_old in requests:
        tree = FORK if fork else TREE
        if honest_old:
            old = states.get(LOG.name, witness.NOTHING).size
        proof = tree.consistency_proof(old, size) if old <= size else ()
        answer = witness.answer(Request(old, proof, signed(size, tree).data).data, LOGS, states, [WITNESS], 5)
        if answer.state is not None:
            assert answer.status == 200
            states[LOG.name] = answer.state
            cosigned.append(answer.state)
        else:
            assert answer.status != 200
    sizes = [state.size for state in cosigned]
    assert sizes == sorted(sizes)
    assert any(all(state.root == tree.root(state.size) for state in cosigned) for tree in (TREE, FORK)), (
        "two histories were cosigned"
    )


def test_the_log_takes_only_good_cosignatures_of_witnesses_it_knows():
    note, point = signed(4), Checkpoint(LOG.name, 4, TREE.root(4))
    stranger = SignerKey("witness.example/w9", COSIGNATURE, bytes(31) + b"\x09")
    body = (checkpoints.cosign(point, stranger, 5).line + "\n").encode()
    assert witness.accept(note, body, [WITNESS.verifier]) == note
    wrong = checkpoints.cosign(Checkpoint(LOG.name, 5, TREE.root(5)), WITNESS, 5).line + "\n"
    with pytest.raises(CheckpointError, match="wrong"):
        witness.accept(note, wrong.encode(), [WITNESS.verifier])
    for broken in (b"", b"\xff\n", b"nonsense\n"):
        with pytest.raises(CheckpointError, match="malformed"):
            witness.accept(note, broken, [WITNESS.verifier])
