"""A witness's memory: its key, the logs it follows, the newest checkpoint it cosigned for each, in a folder of its own.

The folder holds ``key`` (the secret, readable by its owner only) and ``witness.sqlite``.  Checking a checkpoint against the memory
and writing the new one down are one transaction, durable before the cosignature leaves the machine.  A witness that lost
its memory must be retired: with the key alone it would cosign a second history of the same log.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from examsvc.ledger import checkpoints, notes, witness
from examsvc.ledger.notes import COSIGNATURE, ED25519, NoteError, SignerKey, VerifierKey
from examsvc.ledger.witness import Answer, State

MOST_ALARMS = 1000
_TABLES = """
CREATE TABLE self (key TEXT NOT NULL);
CREATE TABLE logs (origin TEXT NOT NULL, key TEXT NOT NULL, added INTEGER NOT NULL, PRIMARY KEY (origin, key));
CREATE TABLE states (
    origin TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, root BLOB NOT NULL,
    note BLOB NOT NULL, signed INTEGER NOT NULL
);
CREATE TABLE alarms (number INTEGER PRIMARY KEY, origin TEXT NOT NULL, at INTEGER NOT NULL, request BLOB NOT NULL);
"""


class WitnessError(Exception):
    """The folder is not a witness's, or something in it is not as it must be; the message says what to do."""


@dataclass(frozen=True)
class Followed:
    """A log that the witness follows, and where it stands; size 0 and time 0 where it cosigned nothing yet."""

    origin: str
    keys: tuple[str, ...]
    size: int
    root: bytes
    signed: int
    alarms: int


def create(folder: Path, name: str, seed: bytes | None = None) -> Store:
    """A new witness in an empty folder.  ``name`` is the name of its key, by custom its address without https://; the seed of
    the key is drawn unless it is given (32 bytes)."""
    try:
        notes.check_name(name)
    except NoteError as error:
        raise WitnessError(f"{name!r} cannot name a witness: {error}") from None
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = folder / "witness.sqlite"
    if database.exists():
        raise WitnessError(f"{folder} is a witness already.")
    signer = SignerKey(name, COSIGNATURE, seed or secrets.token_bytes(32))
    try:
        descriptor = os.open(folder / "key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise WitnessError(
            f"{folder / 'key'} is there without its memory. A witness that lost its memory is retired:"
            " make a new one, with a new key, in another folder."
        ) from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(signer.text + "\n")
    with sqlite3.connect(database, isolation_level=None) as connection:
        connection.executescript(_TABLES)
        connection.execute("INSERT INTO self VALUES (?)", (signer.verifier.text,))
    connection.close()
    return Store(folder)


class Store:
    """A witness in its folder.  Every call opens the database anew, so that threads share nothing."""

    def __init__(self, folder: Path) -> None:
        self._database = folder / "witness.sqlite"
        key = folder / "key"
        if not self._database.exists():
            raise WitnessError(f"{folder} holds no witness's memory. A new one is made with: examsvc witness init")
        try:
            self.signer = notes.read_signer(key.read_text(encoding="ascii").strip())
            mode = key.stat().st_mode
        except (OSError, ValueError):  # NoteError is one; it never holds the key
            raise WitnessError(f"{key} cannot be read as a key.") from None
        if mode & 0o077:
            raise WitnessError(f"{key} can be read by others. Make it its owner's alone: chmod 600 {key}")
        with self._transaction() as connection:
            (text,) = connection.execute("SELECT key FROM self").fetchone()
        if self.signer.algorithm != COSIGNATURE or self.signer.verifier.text != text:
            raise WitnessError(f"{key} is not the key with which this witness began.")

    @contextmanager
    def _transaction(self, *, writing: bool = False) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._database, timeout=30, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
            yield connection
            connection.execute("COMMIT")
        finally:
            connection.close()

    @property
    def key(self) -> VerifierKey:
        """What logs put into their policy."""
        return self.signer.verifier

    def follow(self, text: str) -> str:
        """Follows the log with this verifier key from now on, also a further key of a log already followed; its origin."""
        try:
            key = notes.read_key(text.strip())
        except NoteError as error:
            raise WitnessError(f"This is not the key of a log: {error}") from None
        if key.algorithm != ED25519:
            raise WitnessError("This is the key of a witness, not of a log.")
        with self._transaction(writing=True) as connection:
            connection.execute(
                "INSERT OR IGNORE INTO logs VALUES (?, ?, ?)", (key.name, key.text, int(time.time()))
            )
        return key.name

    def followed(self) -> list[Followed]:
        """Every log and where it stands, by origin."""
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT origin, key, coalesce(size, 0), coalesce(root, x''), coalesce(signed, 0),"
                " (SELECT count(*) FROM alarms WHERE alarms.origin = logs.origin)"
                " FROM logs LEFT JOIN states USING (origin) ORDER BY origin, added, key"
            ).fetchall()
        found: dict[str, Followed] = {}
        for origin, key, size, root, signed, alarms in rows:
            keys = (*found[origin].keys, key) if origin in found else (key,)
            found[origin] = Followed(origin, keys, size, root, signed, alarms)
        return list(found.values())

    def alarms(self) -> list[tuple[str, int, bytes]]:
        """(origin, time, request) of validly signed checkpoints that did not fit: evidence against the log."""
        with self._transaction() as connection:
            return list(connection.execute("SELECT origin, at, request FROM alarms ORDER BY number"))

    def checkpoint(self, digest: str) -> bytes | None:
        """The newest cosigned checkpoint of the log whose origin has this SHA-256 (hexadecimal), as monitors fetch it."""
        if re.fullmatch(r"[0-9a-f]{64}", digest) is None:
            return None
        with self._transaction() as connection:
            row = connection.execute("SELECT note FROM states WHERE hash = ?", (digest,)).fetchone()
        return bytes(row[0]) if row is not None else None

    def add_checkpoint(self, data: bytes, clock: Callable[[], float] = time.time) -> Answer:
        """Answers a request of add-checkpoint: what is cosigned is on disk before this returns.

        A clock that was set back behind the last cosignature answers 503: a witness never dates a later tree earlier.
        """
        with self._transaction(writing=True) as connection:
            logs: dict[str, list[VerifierKey]] = {}
            for origin, key in connection.execute("SELECT origin, key FROM logs"):
                logs.setdefault(origin, []).append(notes.read_key(key))
            states, last = {}, {}
            for origin, size, root, signed in connection.execute("SELECT origin, size, root, signed FROM states"):
                states[origin], last[origin] = State(size, bytes(root)), signed
            now = int(clock())
            answer = witness.answer(data, logs, states, [self.signer], now)
            origin = answer.origin or ""
            if answer.status == 200 and now < last.get(origin, 0):
                return Answer(503, b"the clock of this witness was set back\n", origin=origin)
            if answer.state is not None:
                request = witness.read_request(data)
                note = _cosigned(request.checkpoint, answer.body, logs[origin])
                connection.execute(
                    "INSERT INTO states VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE"
                    " SET size = excluded.size, root = excluded.root, note = excluded.note, signed = excluded.signed",
                    (origin, hashlib.sha256(origin.encode()).hexdigest(), answer.state.size, answer.state.root, note, now),
                )
            elif answer.alarm:
                (count,) = connection.execute("SELECT count(*) FROM alarms").fetchone()
                if count < MOST_ALARMS:
                    connection.execute(
                        "INSERT INTO alarms (origin, at, request) VALUES (?, ?, ?)", (origin, now, data)
                    )
        return answer


def _cosigned(checkpoint: bytes, lines: bytes, logs: list[VerifierKey]) -> bytes:
    """The checkpoint with the log's own signatures and the fresh cosignature; strangers' lines are left out."""
    point, note = checkpoints.parse(checkpoint)
    own = {(key.name, key.id) for key in logs}
    kept = tuple(item for item in note.signatures if (item.name, item.id) in own and item.name == point.origin)
    return notes.Note(note.text, kept).with_signatures(notes.read_signatures(lines.decode())).data
