"""A witness's memory: what it cosigned is on disk first, it never goes back, and evidence against a log is kept."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from pathlib import Path

import pytest

from examsvc.ledger import checkpoints, merkle, witness_store
from examsvc.ledger.checkpoints import Checkpoint
from examsvc.ledger.notes import ED25519, SignerKey
from examsvc.ledger.witness import Request
from examsvc.ledger.witness_server import Rate, application
from examsvc.ledger.witness_store import Store, WitnessError

LOG = SignerKey("exam.example/one", ED25519, hashlib.sha256(b"log").digest())
LEAVES = [hashlib.sha256(b"%d" % n).digest() for n in range(40)]
TREE = merkle.Tree(LEAVES)


def request(old: int, size: int, tree: merkle.Tree = TREE, key: SignerKey = LOG) -> bytes:
    note = checkpoints.sign(Checkpoint(key.name, size, tree.root(size)), key)
    return Request(old, tree.consistency_proof(old, size), note.data).data


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = witness_store.create(tmp_path / "w", "witness.example/w1", bytes(range(32)))
    assert made.follow(LOG.verifier.text) == LOG.name
    return made


def test_it_cosigns_what_continues_and_says_where_it_stands(store: Store) -> None:
    first = store.add_checkpoint(request(0, 7), lambda: 1000.0)
    assert first.status == 200
    again = store.add_checkpoint(request(0, 9), lambda: 1001.0)
    assert (again.status, again.body, again.content_type) == (409, b"7\n", "text/x.tlog.size")
    assert store.add_checkpoint(request(7, 9), lambda: 1001.0).status == 200
    (log,) = store.followed()
    assert (log.origin, log.size, log.root, log.signed, log.alarms) == (LOG.name, 9, TREE.root(9), 1001, 0)
    note = store.checkpoint(hashlib.sha256(LOG.name.encode()).hexdigest())
    assert note is not None
    signed = checkpoints.verify(note, [LOG.verifier], [store.key])
    assert signed.cosigned == {store.key: 1001}
    assert signed.checkpoint.size == 9


def test_a_rolled_back_or_forked_log_gets_no_signature_and_leaves_evidence(store: Store) -> None:
    assert store.add_checkpoint(request(0, 20)).status == 200
    other = merkle.Tree([*LEAVES[:10], hashlib.sha256(b"forged").digest(), *LEAVES[11:]])
    assert store.add_checkpoint(request(20, 20, other)).status == 409
    assert store.add_checkpoint(request(20, 30, other)).status == 422
    assert store.add_checkpoint(request(0, 10)).body == b"20\n"
    smaller = Request(20, (), checkpoints.sign(Checkpoint(LOG.name, 15, TREE.root(15)), LOG).data).data
    assert store.add_checkpoint(smaller).status == 400
    assert [origin for origin, _, _ in store.alarms()] == [LOG.name, LOG.name]
    assert store.followed()[0].size == 20
    assert store.followed()[0].alarms == 2


def test_strangers_and_forged_signatures_change_nothing(store: Store) -> None:
    stranger = SignerKey("exam.example/two", ED25519, hashlib.sha256(b"other").digest())
    assert store.add_checkpoint(request(0, 5, key=stranger)).status == 404
    pretender = SignerKey(LOG.name, ED25519, hashlib.sha256(b"thief").digest())
    assert store.add_checkpoint(request(0, 5, key=pretender)).status == 403
    assert store.add_checkpoint(b"nonsense").status == 400
    assert store.followed()[0].size == 0
    assert store.alarms() == []


def test_a_clock_that_was_set_back_signs_nothing(store: Store) -> None:
    assert store.add_checkpoint(request(0, 5), lambda: 1000.0).status == 200
    assert store.add_checkpoint(request(5, 6), lambda: 999.0).status == 503
    assert store.followed()[0].size == 5
    assert store.add_checkpoint(request(5, 6), lambda: 1000.0).status == 200


def test_of_many_requests_at_once_exactly_one_moves_the_memory(store: Store, tmp_path: Path) -> None:
    assert store.add_checkpoint(request(0, 5)).status == 200
    statuses: list[int] = []
    barrier = threading.Barrier(8)

    def ask(size: int) -> None:
        mine = Store(tmp_path / "w")
        barrier.wait()
        statuses.append(mine.add_checkpoint(request(5, size)).status)

    threads = [threading.Thread(target=ask, args=(size,)) for size in range(10, 18)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(statuses) == [200] + [409] * 7


def test_memory_survives_the_process_and_its_loss_retires_the_witness(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "w"
    assert store.add_checkpoint(request(0, 12)).status == 200
    assert Store(folder).followed()[0].size == 12
    assert oct((folder / "key").stat().st_mode & 0o777) == "0o600"
    (folder / "witness.sqlite").unlink()
    with pytest.raises(WitnessError, match="memory"):
        Store(folder)
    with pytest.raises(WitnessError, match="retired"):
        witness_store.create(folder, "witness.example/w1")


def test_a_key_that_others_can_read_or_another_key_is_refused(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "w"
    (folder / "key").chmod(0o644)
    with pytest.raises(WitnessError, match="chmod 600"):
        Store(folder)
    (folder / "key").chmod(0o600)
    other = witness_store.create(tmp_path / "v", "witness.example/w1")
    (folder / "key").write_text(other.signer.text + "\n")
    with pytest.raises(WitnessError, match="not the key"):
        Store(folder)
    (folder / "key").write_text("PRIVATE+KEY+nonsense\n")
    with pytest.raises(WitnessError, match="cannot be read"):
        Store(folder)


def test_only_a_logs_key_can_be_followed(store: Store) -> None:
    with pytest.raises(WitnessError, match="witness, not of a log"):
        store.follow(store.key.text)
    with pytest.raises(WitnessError, match="not the key of a log"):
        store.follow("nonsense")


def test_evidence_is_bounded(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness_store, "MOST_ALARMS", 3)
    assert store.add_checkpoint(request(0, 20)).status == 200
    other = merkle.Tree([hashlib.sha256(b"forged").digest(), *LEAVES[1:]])
    for _ in range(5):
        assert store.add_checkpoint(request(20, 30, other)).status == 422
    assert len(store.alarms()) == 3
    with sqlite3.connect(tmp_path / "w" / "witness.sqlite") as connection:
        assert connection.execute("SELECT size FROM states").fetchone() == (20,)
    connection.close()


def call(app, method: str, path: str, body: bytes = b"", caller: str = "10.0.0.1", **more: str) -> tuple[str, dict, bytes]:
    import io

    seen: dict[str, object] = {}
    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "REMOTE_ADDR": caller, "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body), **more,
    }  # fmt: skip
    answer = b"".join(app(environ, lambda status, headers: seen.update(status=status, headers=dict(headers))))
    return str(seen["status"]), seen["headers"], answer  # type: ignore[return-value]


def test_the_server_speaks_the_protocol(store: Store) -> None:
    app = application(store)
    status, _, body = call(app, "POST", "/add-checkpoint", request(0, 7))
    assert status == "200 OK"
    assert body.decode().startswith("— witness.example/w1 ")
    status, headers, body = call(app, "POST", "/add-checkpoint", request(0, 9))
    assert (status, headers["Content-Type"], body) == ("409 Conflict", "text/x.tlog.size", b"7\n")
    digest = hashlib.sha256(LOG.name.encode()).hexdigest()
    assert call(app, "GET", f"/{digest}/checkpoint")[0] == "200 OK"
    assert call(app, "GET", f"/{'0' * 64}/checkpoint")[0] == "404 Not Found"
    assert call(app, "GET", "/../key/checkpoint")[0] == "404 Not Found"
    assert call(app, "GET", "/key")[0] == "404 Not Found"
    assert call(app, "GET", "/add-checkpoint")[0] == "405 Method Not Allowed"
    assert call(app, "DELETE", "/")[0] == "405 Method Not Allowed"
    assert call(app, "POST", "/add-checkpoint", b"x" * 200_000)[0].startswith("413")
    assert call(app, "POST", "/add-checkpoint", b"", CONTENT_LENGTH="")[0].startswith("413")
    words = call(app, "GET", "/")[2].decode()
    assert "exam.example/one: 7 entries" in words
    assert store.key.text in words


def test_one_caller_cannot_keep_the_others_out(store: Store) -> None:
    now = [0.0]
    rate = Rate(each_second=1, burst=3, clock=lambda: now[0])
    app = application(store, rate)
    assert [call(app, "GET", "/")[0][:3] for _ in range(5)] == ["200"] * 3 + ["429"] * 2
    assert call(app, "GET", "/", caller="10.0.0.2")[0] == "200 OK"
    now[0] = 2.0
    assert [call(app, "GET", "/")[0][:3] for _ in range(3)] == ["200", "200", "429"]
