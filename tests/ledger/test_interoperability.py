"""Against aics-witness (PyPI), somebody else's implementation of c2sp.org/tlog-witness: a recorded exchange always, a live one
where EXAMSVC_TEST_WITNESS names the folder with its two commands (it needs Python 3.12; `pip install aics-witness`)."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from examsvc.ledger import checkpoints, merkle, notes, witness, witness_store, witnessing
from examsvc.ledger.checkpoints import Checkpoint
from examsvc.ledger.notes import ED25519, SignerKey
from examsvc.ledger.queries import Witness
from examsvc.ledger.witness import State
from examsvc.ledger.witness_server import application

LOG = SignerKey("exam.example/one", ED25519, hashlib.sha256(b"log").digest())
LEAVES = [hashlib.sha256(b"%d" % n).digest() for n in range(40)]
TREE = merkle.Tree(LEAVES)
OTHER = merkle.Tree([*LEAVES[:10], hashlib.sha256(b"forged").digest(), *LEAVES[11:]])
RECORDED = json.loads((Path(__file__).parents[1] / "vectors" / "witness" / "aics_witness.json").read_text())


def note(size: int, tree: merkle.Tree = TREE) -> bytes:
    return checkpoints.sign(Checkpoint(LOG.name, size, tree.root(size)), LOG).data


def test_a_recorded_exchange_reads_the_same_on_both_sides() -> None:
    """What their witness answered to our requests: its cosignatures verify here, and ours decides the same."""
    theirs = notes.read_key(RECORDED["witness"])
    ours = witness_store.SignerKey("witness.example/ours", notes.COSIGNATURE, bytes(32))
    states: dict[str, State] = {}
    assert len(RECORDED["exchange"]) == 9
    for one in RECORDED["exchange"]:
        data, body = base64.b64decode(one["request"]), base64.b64decode(one["body"])
        mine = witness.answer(data, {LOG.name: [LOG.verifier]}, states, [ours], 1000)
        # of a second root for the size cosigned, version 1.0.0 of the specification says 409, theirs is 1.1.0 and says 422
        expected = {409, 422} if one["what"] == "another root for the size cosigned" else {one["status"]}
        assert mine.status in expected, one["what"]
        if one["status"] == 200:
            assert mine.state is not None
            states[LOG.name] = mine.state
            _, signed = checkpoints.parse(witness.read_request(data).checkpoint)
            with_theirs = witness.accept(signed, body, [theirs])
            assert len(with_theirs.signatures) == 2
            checkpoints.verify(with_theirs.data, [LOG.verifier], [theirs])
        elif one["status"] == 409:
            assert (mine.body, mine.content_type) == (body, one["type"])
    served = checkpoints.verify(base64.b64decode(RECORDED["checkpoint"]), [LOG.verifier], [theirs])
    assert (served.checkpoint.size, served.checkpoint.root) == (21, TREE.root(21))


@pytest.fixture(scope="module")
def commands() -> Path:
    """The folder with aics-witness and aics-tlog."""
    folder = Path(os.environ.get("EXAMSVC_TEST_WITNESS", Path(sys.executable).parent))
    if not (folder / "aics-witness").exists():
        pytest.skip("needs aics-witness: neither EXAMSVC_TEST_WITNESS nor this environment has it")
    return folder


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def run(*words: object) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def theirs(commands: Path, tmp_path: Path) -> Iterator[Witness]:
    config, port = tmp_path / "witness.json", free_port()
    command = commands / "aics-witness"
    listen = f"127.0.0.1:{port}"
    key = run(command, "init", "-c", config, "--name", "witness.example/aics", "--listen", listen).strip()
    run(command, "add-log", "-c", config, "--origin", LOG.name, "--vkey", LOG.verifier.text)
    process = subprocess.Popen([command, "serve", "-c", config], stderr=subprocess.DEVNULL)
    address = f"http://{listen}"
    for _ in range(100):
        if witnessing.send(address, "/healthz", None).status == 200:
            break
        time.sleep(0.1)
    yield Witness(("aics",), notes.read_key(key), address)
    process.terminate()
    process.wait(timeout=20)


def test_their_witness_cosigns_for_our_log(theirs: Witness) -> None:
    first = witnessing.ask(theirs, note(7), TREE, 0, witnessing.send)
    assert first.line is not None
    lost = witnessing.ask(theirs, note(21), TREE, 0, witnessing.send)  # our memory of 7 is lost: the witness says so
    assert lost.line is not None
    assert witnessing.ask(theirs, note(21, OTHER), OTHER, 21, witnessing.send).trouble == "conflict"
    assert witnessing.ask(theirs, note(9), TREE, 9, witnessing.send).trouble == "ahead"
    digest = hashlib.sha256(LOG.name.encode()).hexdigest()
    served = witnessing.send(theirs.address, f"/{digest}/checkpoint", None)
    assert checkpoints.verify(served.body, [LOG.verifier], [theirs.key]).checkpoint.size == 21


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True


FEEDER = """
import sys
from aics_witness.feeder import WitnessClient, merge_cosignatures
import json
notes = json.load(open(sys.argv[1]))
client = WitnessClient(sys.argv[2], sys.argv[3])
proofs = {tuple(map(int, key.split("-"))): [bytes.fromhex(one) for one in value] for key, value in notes["proofs"].items()}
for size in ("7", "21"):
    line = client.submit(notes[size], lambda old, new: proofs[(old, new)])
    merged = merge_cosignatures(notes[size], line)
    print(merged.decode() if isinstance(merged, bytes) else merged, end="")
"""


def test_their_log_is_cosigned_by_our_witness(commands: Path, tmp_path: Path) -> None:
    """Their client feeds our server, and their verifier accepts what comes of it."""
    store = witness_store.create(tmp_path / "w", "witness.example/ours")
    store.follow(LOG.verifier.text)
    server = make_server("127.0.0.1", 0, application(store), server_class=Threaded, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    sizes = {str(size): note(size).decode() for size in (7, 21)}
    proofs = {f"{a}-{b}": [one.hex() for one in TREE.consistency_proof(a, b)] for a, b in ((0, 7), (0, 21), (7, 21))}
    (tmp_path / "notes.json").write_text(json.dumps({**sizes, "proofs": proofs}))
    script = tmp_path / "feed.py"
    script.write_text(FEEDER)
    address = f"http://127.0.0.1:{server.server_address[1]}"
    out = run(commands / "python", script, tmp_path / "notes.json", address, store.key.text)
    server.shutdown()
    thread.join(timeout=10)
    server.server_close()
    newest = out[out.rindex(LOG.name + "\n21\n") :]
    signed = checkpoints.verify(newest.encode(), [LOG.verifier], [store.key])
    assert signed.cosigned
    (tmp_path / "checkpoint").write_bytes(newest.encode())
    said = run(
        commands / "aics-tlog", "verify-checkpoint", "--note", tmp_path / "checkpoint",
        "--log-key", LOG.verifier.text, "--witness-key", store.key.text, "--quorum", "1",
    )  # fmt: skip
    assert json.loads(said)["ok"] is True
