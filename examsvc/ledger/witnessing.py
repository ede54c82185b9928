"""Asking witnesses: the log's side of c2sp.org/tlog-witness, and whether a log still is what they saw.

Witnesses are asked in the background, all at once, outside any transaction; whoever is silent is asked again next time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from sqlalchemy.orm import Session

from examsvc.base.database import advisory_lock, writing
from examsvc.base.errors import N_
from examsvc.ledger import checkpoints, merkle, notes, queries, signing, witness, witness_store
from examsvc.ledger.checkpoints import CheckpointError
from examsvc.ledger.models import LogCheckpoint, LogCosignature, LogEntry, WitnessContact
from examsvc.ledger.notes import VerifierKey
from examsvc.ledger.queries import Witness
from examsvc.ledger.signing import Unsound
from examsvc.ledger.witness import Request

PATIENCE = 10.0
"""Seconds to wait for a witness."""
PATIENCE_AT_START = 3.0
MAX_ANSWER = 64 * 1024

TROUBLES = {
    "silent": N_("It does not answer."),
    "stranger": N_("It does not know this log yet."),
    "refused": N_("It refused the checkpoint."),
    "ahead": N_("It says that it has seen a longer log than there is here."),
    "conflict": N_("It says that this log does not continue what it saw before."),
    "bad": N_("Its answer was not a valid cosignature."),
}
"""What stands between a log and a witness, by code."""


@dataclass(frozen=True)
class Reply:
    """A witness's HTTP answer; status 0 when there was none, and then the body says why."""

    status: int
    body: bytes
    type: str = ""


Send = Callable[[str, str, bytes | None], Reply]
"""(address of the witness, path, body of a POST or None for a GET) → its reply."""


def send(address: str, path: str, body: bytes | None, patience: float = PATIENCE) -> Reply:
    """Over HTTP, waiting ``patience`` seconds; an address ``folder:PATH`` is a witness on this very machine, for demonstrations and rehearsals."""
    if address.startswith("folder:"):
        return _send_to_folder(Path(address.removeprefix("folder:")), path, body)
    try:
        with httpx.Client(timeout=patience, follow_redirects=False) as client:
            request = client.build_request("GET" if body is None else "POST", f"{address.rstrip('/')}{path}", content=body)
            with client.stream(request.method, request.url, content=body) as response:
                data = b""
                for part in response.iter_bytes():
                    data += part
                    if len(data) > MAX_ANSWER:
                        return Reply(0, b"the answer is too long")
                return Reply(response.status_code, data, response.headers.get("content-type", ""))
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return Reply(0, f"{type(error).__name__}: {error}"[:300].encode())


def _send_to_folder(folder: Path, path: str, body: bytes | None) -> Reply:
    try:
        one = witness_store.Store(folder)
    except witness_store.WitnessError as error:
        return Reply(0, str(error).encode())
    if body is None:
        known = one.checkpoint(path.removeprefix("/").removesuffix("/checkpoint"))
        return Reply(200, known) if known is not None else Reply(404, b"")
    answer = one.add_checkpoint(body)
    return Reply(answer.status, answer.body, answer.content_type)


@dataclass(frozen=True)
class Asked:
    """What came of asking one witness: the note with its cosignature, or the code of the trouble and its details."""

    witness: Witness
    line: str | None = None
    time: int = 0
    trouble: str | None = None
    detail: str | None = None


def address_of(one: Witness) -> str:
    """Where a witness is asked: what the policy says, otherwise what the installation knows of the name of its key."""
    return one.address or signing.installation().address_of(one.key.name)


def collect(session: Session, log: str, *, now: datetime, sender: Send = send) -> list[Asked]:
    """Asks every witness who has not cosigned the newest checkpoint, and stores what they answer.  Commits by itself.

    ``Unsound`` when the log may not be shown to anybody (see ``signing.audit``).  Nobody asked: nothing is due.
    """
    session.rollback()
    point = queries.newest_checkpoint(session, log)
    if point is None:
        return []
    done = {one.key for one in point.cosignatures}
    waiting = [one for one in queries.witnesses(session, log) if one.key.text not in done]
    if not waiting:
        return []
    tree = signing.audit(session, log)
    seen = {one.key.text: queries.newest_seen(session, log, one.key) for one in waiting}
    known = {key: last.size if last is not None else 0 for key, last in seen.items()}
    note, number = point.note, point.id
    session.rollback()  # nothing is held while others take their time
    with ThreadPoolExecutor(max_workers=min(8, len(waiting))) as pool:
        asked = list(pool.map(lambda one: ask(one, note, tree, known[one.key.text], sender), waiting))
    with writing(session):
        advisory_lock(session, f"cosignatures:{log}")
        stored = session.get_one(LogCheckpoint, number)
        present = {one.key for one in stored.cosignatures}
        for one in asked:
            key = one.witness.key.text
            contact = session.get(WitnessContact, (log, key)) or WitnessContact(log=log, key=key)
            contact.asked_at, contact.trouble, contact.detail = now, one.trouble, one.detail
            if one.line is not None:
                contact.answered_at = now
                if key not in present:
                    session.add(
                        LogCosignature(
                            checkpoint_id=number, key=key, line=one.line, signed_at=datetime.fromtimestamp(one.time, UTC)
                        )
                    )
            session.add(contact)
        session.flush()
    session.expire_all()
    _keep(session, log, session.get_one(LogCheckpoint, number))
    return asked


def ask(one: Witness, note: bytes, tree: merkle.Tree, old: int, sender: Send) -> Asked:
    """Asks one witness to cosign a note whose tree it last saw with ``old`` entries."""
    point, signed = checkpoints.parse(note)
    address = address_of(one)
    for _ in range(2):  # a witness may know more of this log than its stored answers say: once it may correct us
        request = Request(old, tree.consistency_proof(old, point.size), note)
        reply = sender(address, "/add-checkpoint", request.data)
        if reply.status == 200:
            try:
                cosigned = witness.accept(signed, reply.body, [one.key])
            except CheckpointError as error:
                return Asked(one, trouble="bad", detail=str(error))
            lines = [item for item in cosigned.signatures if (item.name, item.id) == (one.key.name, one.key.id)]
            if not lines:
                return Asked(one, trouble="bad", detail="its own key did not sign")
            return Asked(one, lines[0].line, checkpoints.verify_cosignature(point, one.key, lines[0]))
        if reply.status == 409 and reply.type.startswith("text/x.tlog.size"):
            stated = reply.body.strip()
            if not stated.isdigit() or len(stated) > 16:
                return Asked(one, trouble="bad", detail="its size is not a number")
            old = int(stated)
            if old > point.size:
                return Asked(one, trouble="ahead", detail=str(old))
            continue
        break
    words = reply.body.decode("utf-8", "replace").strip()[:300]
    troubles = {0: "silent", 404: "stranger", 409: "conflict", 422: "conflict"}
    return Asked(one, trouble=troubles.get(reply.status, "refused"), detail=words or str(reply.status))


# ---------------------------------------------------------------- whether a log still is what was witnessed


def _kept(log: str) -> Path | None:
    folder = signing.installation().folder
    return folder / "witnessed" / f"{log}.checkpoint" if folder is not None else None


def _keep(session: Session, log: str, point: LogCheckpoint) -> None:
    """Keeps a cosigned checkpoint as a file beside the database: a database brought back from a backup does not bring it back."""
    path = _kept(log)
    if path is None or not point.cosignatures:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(queries.signed_note(point))
    fresh.replace(path)


def recomputed(session: Session, log: str) -> merkle.Tree:
    """The tree over the bytes of all entries, whatever the rows say of their leaves."""
    chosen = session.query(LogEntry.entry).filter(LogEntry.log == log).order_by(LogEntry.position).yield_per(2000)
    return merkle.Tree(merkle.leaf_hash(row[0]) for row in chosen)


def require_witnessed(session: Session, sender: Send | None = None) -> list[str]:
    """Whether every log still continues what it signed and what witnesses saw; asks them too where a ``sender`` is given.

    Raises Unsound on proof of the contrary: a checkpoint with the log's own signature (and the witness's, where it comes from
    one) that is longer than the log, or has another root.  A silent witness is no proof; who was silent is returned.
    """
    asked: dict[str, tuple[Witness, list[tuple[str, str]]]] = {}
    trees: dict[str, merkle.Tree] = {}
    for log in queries.logs(session):
        tree = trees[log] = recomputed(session, log)
        newest = queries.newest_checkpoint(session, log)
        if newest is not None:
            _require(log, tree, newest.size, bytes.fromhex(newest.root), "this database itself signed it")
        path = _kept(log)
        if path is not None and path.exists():
            _require_note(session, log, tree, path.read_bytes(), [], f"the file {path} keeps it")
        origin = queries.current_key(session, log)[0]
        for one in queries.witnesses(session, log) if sender is not None else ():
            asked.setdefault(one.key.text, (one, []))[1].append((log, origin))
    if sender is None or not asked:
        return []
    with ThreadPoolExecutor(max_workers=min(8, len(asked))) as pool:
        heard = list(pool.map(lambda item: _newest_of(item[0], item[1], sender), asked.values()))
    for (one, _), (notes_by_log, _) in zip(asked.values(), heard, strict=True):
        for log, data in notes_by_log.items():
            _require_note(session, log, trees[log], data, [one.key], f"the witness {one.key.name} has it")
    return [f"{one.key.name}: {silence}" for (one, _), (_, silence) in zip(asked.values(), heard, strict=True) if silence]


def _newest_of(one: Witness, logs: Sequence[tuple[str, str]], sender: Send) -> tuple[dict[str, bytes], str]:
    """The newest checkpoints that a witness has of these logs, as its monitoring address tells; and why it fell silent."""
    found: dict[str, bytes] = {}
    for log, origin in logs:
        reply = sender(address_of(one), f"/{hashlib.sha256(origin.encode()).hexdigest()}/checkpoint", None)
        if reply.status == 200:
            found[log] = reply.body
        elif reply.status == 0:
            return found, reply.body.decode("utf-8", "replace")[:200]
    return found, ""


def _require_note(
    session: Session, log: str, tree: merkle.Tree, data: bytes, cosigners: Iterable[VerifierKey], who: str
) -> None:
    """The log's own key signed it and, where witnesses are given, they did: only then it proves anything."""
    own = _keys(session, log)
    try:
        signed = checkpoints.verify(data, own, list(cosigners), strangers=True)
    except CheckpointError:
        return
    if signed.checkpoint.origin == queries.current_key(session, log)[0]:
        _require(log, tree, signed.checkpoint.size, signed.checkpoint.root, who)


def _keys(session: Session, log: str) -> Sequence[VerifierKey]:
    """Every key that the log ever had."""
    origin, newest, _ = queries.current_key(session, log)
    olds = [e.body["old"] for e in queries.of_type(session, log, "key.rotated") if e.body["origin"] == origin]
    return [notes.read_key(text) for text in dict.fromkeys([*olds, newest])]


def _require(log: str, tree: merkle.Tree, size: int, root: bytes, who: str) -> None:
    if len(tree) < size:
        raise Unsound(
            f"The log {log} has {len(tree)} entries, but a checkpoint of {size} is signed ({who}). The database is older"
            " than what was witnessed, or entries were removed. Bring back the newest database; do not go on with this one."
        )
    if tree.root(size) != root:
        raise Unsound(
            f"The first {size} entries of the log {log} are not those that were signed ({who}). Entries were changed."
            " Keep this database as evidence and bring back the newest backup that agrees with the witnesses."
        )
