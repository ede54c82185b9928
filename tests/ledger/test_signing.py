"""The signer looks before it signs; witnesses are asked; the service does not start on a log that others saw otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from examsvc.base.database import is_postgres, make_engine, writing
from examsvc.ledger import checkpoints, notes, queries, signing, witnessing
from examsvc.ledger.models import HeadCounts, LogCheckpoint, LogCosignature, LogEntry
from examsvc.ledger.operations import REGISTRY
from examsvc.ledger.signing import Unsound
from examsvc.ledger.witnessing import Reply
from examsvc.sittings import running
from examsvc.sittings.models import Sitting
from tests.conftest import sqlite_copy
from tests.exam_hall import ExamHall
from tests.ledger.local_witnesses import install


@dataclass
class Scene:
    """A sitting in which An has saved three answers, and witnesses who follow both logs."""

    session: Session
    now: datetime
    sitting_id: int


def lay_out(session: Session) -> Scene:
    hall = ExamHall(session)
    hall.phase("announced")
    hall.phase("applications")
    for name in ("An", "Bình"):
        hall.candidate(name)
    sitting = hall.sitting(hall.paper())
    hall.check_in("An")
    hall.bell(sitting)
    lease = hall.lease("An")
    for slot in (1, 2, 3):
        hall.save("An", slot, hall.right_value("An", slot), lease=lease)
    scene = Scene(session, hall.now, sitting)
    heads(scene)
    return scene


@pytest.fixture(scope="module")
def laid_out(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, datetime, int]:
    """The scene's database, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("scene")
    engine = make_engine(sqlite_copy(sqlite_template, folder))
    with Session(engine) as session:
        scene = lay_out(session)
    raw = engine.raw_connection()
    raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    engine.dispose()
    return folder / "examsvc.sqlite", scene.now, scene.sitting_id


@pytest.fixture
def hall(laid_out: tuple[Path, datetime, int], tmp_path: Path) -> Iterator[Scene]:
    path, now, sitting = laid_out
    (tmp_path / "database").mkdir()
    engine = make_engine(sqlite_copy(path, tmp_path / "database"))
    with Session(engine) as session:
        install_for(session, tmp_path)
        yield Scene(session, now, sitting)
    engine.dispose()


@pytest.fixture
def session(hall: Scene) -> Session:
    return hall.session


def install_for(session: Session, folder: Path) -> None:
    install(folder, *(queries.current_key(session, log)[1] for log in (REGISTRY, "mot")))


def heads(scene: Scene) -> None:
    with writing(scene.session) as session:
        running.record_heads(session, session.get_one(Sitting, scene.sitting_id), now=scene.now)


def tamper(session: Session, statement: str) -> None:
    """What a database administrator can do who takes the triggers down first."""
    session.rollback()
    session.connection(execution_options={"examsvc_writing": True})
    if is_postgres(session):
        session.execute(text("SET session_replication_role = replica"))
    else:
        for name in session.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
            session.execute(text(f"DROP TRIGGER {name}"))
    session.execute(text(statement))
    if is_postgres(session):
        session.execute(text("SET session_replication_role = origin"))
    session.commit()


def test_a_checkpoint_is_signed_once_for_each_state(hall: Scene, session: Session) -> None:
    first = signing.sign_checkpoint(session, "mot", now=hall.now)
    assert first.size == queries.size(session, "mot")
    key = notes.read_key(queries.current_key(session, "mot")[1])
    assert checkpoints.verify(first.note, [key]).checkpoint.root.hex() == first.root
    assert signing.sign_checkpoint(session, "mot", now=hall.now).id == first.id
    heads(hall)
    second = signing.sign_checkpoint(session, "mot", now=hall.now)
    assert second.size == first.size + 1
    assert queries.newest_checkpoint(session, "mot").id == second.id


def test_a_process_that_begins_anew_signs_the_same(hall: Scene, session: Session) -> None:
    first = signing.sign_checkpoint(session, "mot", now=hall.now)
    heads(hall)
    signing.forget()
    second = signing.sign_checkpoint(session, "mot", now=hall.now)
    assert second.size == first.size + 1


ATTACKS: list[tuple[str, str, str]] = [
    ("an answer is changed", "UPDATE saves SET value = '{\"RESPONSE\": \"Z\"}' WHERE link = 2", "do not lead to the heads"),
    ("a save is deleted", "DELETE FROM saves WHERE link = 3", "do not lead to the heads"),
    ("the counts are changed", "UPDATE log_head_counts SET links = '{}'", "do not lead to the heads"),
    ("a leaf is changed", "UPDATE log_entries SET leaf = substr(leaf, 2) || substr(leaf, 1, 1) WHERE log = 'mot' AND position = 4", "row of entry 4"),
    ("a type is changed", "UPDATE log_entries SET type = 'role.granted' WHERE log = 'mot' AND position = 1", "row of entry 1"),
]


@pytest.mark.parametrize(("statement", "match"), [one[1:] for one in ATTACKS], ids=[one[0] for one in ATTACKS])
def test_nothing_is_signed_over_changed_rows(hall: Scene, session: Session, statement: str, match: str) -> None:
    tamper(session, statement)
    with pytest.raises(Unsound, match=match):
        signing.sign_checkpoint(session, "mot", now=hall.now)
    assert queries.newest_checkpoint(session, "mot") is None


def test_what_was_signed_cannot_be_cut_or_changed_afterwards(hall: Scene, session: Session) -> None:
    signed = signing.sign_checkpoint(session, "mot", now=hall.now)
    tamper(session, "DELETE FROM log_head_counts")
    tamper(session, f"DELETE FROM log_entries WHERE log = 'mot' AND position = {signed.size - 1}")
    with pytest.raises(Unsound, match="is gone or another one"):
        signing.sign_checkpoint(session, "mot", now=hall.now)
    with pytest.raises(Unsound, match="does not continue the checkpoint"):  # the same, seen by a process that begins
        signing.sign_checkpoint(session, "mot", now=hall.now)
    with pytest.raises(Unsound, match="older than what was witnessed"):
        witnessing.require_witnessed(session)


def test_another_secret_cannot_sign(hall: Scene, session: Session) -> None:
    signing.configure(signing.Installation("ff" * 32))
    with pytest.raises(Unsound, match="Bring back the file of keys"):
        signing.sign_checkpoint(session, "mot", now=hall.now)


def test_witnesses_cosign_and_are_not_asked_twice(hall: Scene, session: Session) -> None:
    signing.sign_checkpoint(session, "mot", now=hall.now)
    asked = witnessing.collect(session, "mot", now=hall.now)
    assert [one.trouble for one in asked] == [None, None, None]
    point = queries.newest_checkpoint(session, "mot")
    policy = queries.policy(session, "mot")
    assert set(policy.verify(queries.signed_note(point)).cosigned) == set(policy.witnesses.values())
    assert witnessing.collect(session, "mot", now=hall.now) == []
    assert queries.witnessed(session, "mot", policy).id == point.id
    heads(hall)
    signing.sign_checkpoint(session, "mot", now=hall.now)
    assert queries.witnessed(session, "mot", policy, least=point.size + 1) is None
    assert len(witnessing.collect(session, "mot", now=hall.now)) == 3
    assert queries.witnessed(session, "mot", policy, least=point.size + 1).size == point.size + 1


def test_the_registry_is_cosigned_by_the_witnesses_of_all_competitions(hall: Scene, session: Session) -> None:
    assert queries.policy(session, REGISTRY) is None
    signing.sign_checkpoint(session, REGISTRY, now=hall.now)
    assert len(witnessing.collect(session, REGISTRY, now=hall.now)) == 3
    types = [entry.type for entry in queries.of_type(session, REGISTRY, "log.opened", "release.installed", "competition.opened")]
    assert types == ["log.opened", "release.installed", "competition.opened"]


def one_is(name: str, reply: Reply) -> Callable[[str, str, bytes | None], Reply]:
    """A sender for which one witness answers so and the others as they are."""

    def sender(address: str, path: str, body: bytes | None) -> Reply:
        return reply if address.endswith(name) else witnessing.send(address, path, body)

    return sender


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (Reply(0, b"ConnectTimeout"), "silent"),
        (Reply(404, b"unknown"), "stranger"),
        (Reply(429, b"slow down"), "refused"),
        (Reply(422, b"does not verify"), "conflict"),
        (Reply(409, b"999999\n", "text/x.tlog.size"), "ahead"),
        (Reply(409, b"lots\n", "text/x.tlog.size"), "bad"),
        (Reply(200, b"nonsense"), "bad"),
        (Reply(200, "— witness.example/press AAAAAAAA\n".encode()), "bad"),
        (Reply(200, b"\xff\xfe"), "bad"),
    ],
)
def test_one_bad_witness_keeps_nobody_waiting(hall: Scene, session: Session, reply: Reply, trouble: str) -> None:
    signing.sign_checkpoint(session, "mot", now=hall.now)
    asked = witnessing.collect(session, "mot", now=hall.now, sender=one_is("press", reply))
    assert {one.witness.names[0]: one.trouble for one in asked} == {"inspectorate": None, "university": None, "press": trouble}
    assert session.query(LogCosignature).count() == 2
    contact = next(one for one in queries.contacts(session, "mot").values() if one.trouble)
    assert (contact.trouble, contact.answered_at) == (trouble, None)
    assert contact.trouble in witnessing.TROUBLES
    assert queries.witnessed(session, "mot", queries.policy(session, "mot")) is not None, "two of three are the quorum"


def test_a_cosignature_for_another_tree_is_not_taken(hall: Scene, session: Session, tmp_path: Path) -> None:
    """A witness who signs, but something else."""
    signing.sign_checkpoint(session, "mot", now=hall.now)
    seed = notes.read_signer((tmp_path / "press" / "key").read_text().strip())
    other = checkpoints.Checkpoint(queries.current_key(session, "mot")[0], 3, bytes(32))
    line = checkpoints.cosign(other, seed, 1000).line + "\n"
    asked = witnessing.collect(session, "mot", now=hall.now, sender=one_is("press", Reply(200, line.encode())))
    assert [one.trouble for one in asked if one.trouble] == ["bad"]


def test_the_service_does_not_start_on_a_database_older_than_what_was_witnessed(
    hall: Scene, session: Session, tmp_path: Path
) -> None:
    before = queries.size(session, "mot")
    signing.sign_checkpoint(session, "mot", now=hall.now)
    heads(hall)
    signing.sign_checkpoint(session, "mot", now=hall.now)
    witnessing.collect(session, "mot", now=hall.now)
    assert witnessing.require_witnessed(session, witnessing.send) == []
    # the database comes back from a backup: neither the entry nor the checkpoints after it are in it
    tamper(session, "DELETE FROM log_cosignatures")
    tamper(session, "DELETE FROM log_checkpoints")
    tamper(session, f"DELETE FROM log_head_counts WHERE entry_id IN (SELECT id FROM log_entries WHERE log = 'mot' AND position >= {before})")
    tamper(session, f"DELETE FROM log_entries WHERE log = 'mot' AND position >= {before}")
    signing.forget()
    with pytest.raises(Unsound, match=r"the file .*mot\.checkpoint keeps it"):
        witnessing.require_witnessed(session)
    (tmp_path / "witnessed" / "mot.checkpoint").unlink()
    assert witnessing.require_witnessed(session) == [], "the database alone does not know"
    with pytest.raises(Unsound, match=r"the witness witness\.example/inspectorate has it"):
        witnessing.require_witnessed(session, witnessing.send)


def test_a_rewritten_entry_stops_the_start_even_where_all_rows_agree(hall: Scene, session: Session) -> None:
    signing.sign_checkpoint(session, "mot", now=hall.now)
    witnessing.collect(session, "mot", now=hall.now)
    other = session.query(LogEntry).filter_by(log="mot", position=6).one()
    changed = other.entry.replace(b'"by":"', b'"by":"x', 1)
    leaf = signing.entries.leaf_hash(changed).hex()
    tamper(session, f"UPDATE log_entries SET entry = {blob(session, changed)}, leaf = '{leaf}' WHERE id = {other.id}")
    with pytest.raises(Unsound, match="not those that were signed"):
        witnessing.require_witnessed(session)


def blob(session: Session, data: bytes) -> str:
    return f"'\\x{data.hex()}'::bytea" if is_postgres(session) else f"x'{data.hex()}'"


def test_silence_does_not_stop_a_start_and_lies_prove_nothing(hall: Scene, session: Session) -> None:
    signing.sign_checkpoint(session, "mot", now=hall.now)
    witnessing.collect(session, "mot", now=hall.now)
    assert witnessing.require_witnessed(session, lambda *_: Reply(0, b"no route")) == [
        f"witness.example/{name}: no route" for name in ("inspectorate", "press", "university")
    ]
    thief = signing.SignerKey(queries.current_key(session, "mot")[0], notes.ED25519, bytes(32))
    forged = checkpoints.sign(checkpoints.Checkpoint(thief.name, 10_000, bytes(32)), thief).data
    assert witnessing.require_witnessed(session, lambda *_: Reply(200, forged)) == []


def test_checkpoints_are_append_only(hall: Scene, session: Session) -> None:
    signing.sign_checkpoint(session, "mot", now=hall.now)
    for statement in ("UPDATE log_checkpoints SET size = size + 1", "DELETE FROM log_checkpoints", "DELETE FROM log_head_counts"):
        with pytest.raises(Exception, match="append-only"), writing(session):
            session.execute(text(statement))
    assert session.query(LogCheckpoint).count() == 1
    assert session.query(HeadCounts).count() == 1


@pytest.mark.parametrize("address", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
def test_the_same_on_postgresql(engine: Engine, tmp_path: Path) -> None:
    """One history through all of it: signed, cosigned, attacked, found out."""
    with Session(engine) as session:
        scene = lay_out(session)
        install_for(session, tmp_path)
        signing.sign_checkpoint(session, "mot", now=scene.now)
        assert [one.trouble for one in witnessing.collect(session, "mot", now=scene.now)] == [None, None, None]
        assert witnessing.require_witnessed(session, witnessing.send) == []
        before = queries.size(session, "mot")
        heads(scene)
        tamper(session, "UPDATE saves SET value = '{}' WHERE link = 2")
        signing.forget()
        with pytest.raises(Unsound, match="do not lead to the heads"):
            signing.sign_checkpoint(session, "mot", now=scene.now)
        assert queries.newest_checkpoint(session, "mot").size == before
        tamper(session, "DELETE FROM log_head_counts")
        tamper(session, f"DELETE FROM log_entries WHERE log = 'mot' AND position >= {before - 3}")
        with pytest.raises(Unsound, match="older than what was witnessed"):
            witnessing.require_witnessed(session)
