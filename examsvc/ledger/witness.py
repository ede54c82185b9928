"""The decision of a witness (c2sp.org/tlog-witness, add-checkpoint), without storage or network.

    old N
    base64 of each hash of the consistency proof

    the checkpoint, signed by its log

Whoever calls `answer` keeps one State for each origin and must store the new one, on condition that the
old one still stands, before it lets the cosignature out.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from examsvc.ledger import checkpoints, merkle, notes
from examsvc.ledger.checkpoints import Checkpoint, CheckpointError
from examsvc.ledger.notes import Note, NoteError, SignerKey, VerifierKey

MAX_BYTES = 128 * 1024
MAX_PROOF = 63
_OLD = re.compile(r"old (0|[1-9][0-9]{0,15})")


class RequestError(ValueError):
    """The request is malformed."""


@dataclass(frozen=True, slots=True)
class State:
    """The newest checkpoint of a log that this witness has cosigned."""

    size: int
    root: bytes


NOTHING = State(0, merkle.EMPTY_ROOT)


@dataclass(frozen=True, slots=True)
class Request:
    """What a log submits."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    @property
    def data(self) -> bytes:
        """The request's bytes."""
        lines = [f"old {self.old_size}", *(notes.to_base64(item) for item in self.proof)]
        return ("\n".join(lines) + "\n\n").encode() + self.checkpoint


@dataclass(frozen=True, slots=True)
class Answer:
    """HTTP status, body and type; `state` is to be stored before the body is sent, None where nothing changes.

    `origin` names the log where it was recognised. `alarm` is true where a validly signed checkpoint does
    not fit what was cosigned before: keep the request, it may prove the log's misconduct.
    """

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    origin: str | None = None
    state: State | None = None
    alarm: bool = False


def read_request(data: bytes) -> Request:
    """The request in `data`; RequestError when it is malformed."""
    if len(data) > MAX_BYTES:
        raise RequestError(f"the request has {len(data)} bytes; at most {MAX_BYTES} are read")
    head, separator, checkpoint = data.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
        proof = tuple(notes.from_base64(line) for line in lines)
    except (UnicodeDecodeError, NoteError):
        raise RequestError("the consistency proof is not a list of hashes in base64") from None
    old = _OLD.fullmatch(first)
    if not separator or old is None:
        raise RequestError(
            "a request is a line with the old size, a consistency proof, an empty line, a checkpoint"
        )
    if len(proof) > MAX_PROOF or any(len(item) != merkle.HASH_BYTES for item in proof):
        raise RequestError("the consistency proof is not a list of hashes")
    return Request(int(old[1]), proof, checkpoint)


def answer(
    data: bytes,
    logs: Mapping[str, Iterable[VerifierKey]],
    states: Mapping[str, State],
    signers: Iterable[SignerKey],
    now: int,
) -> Answer:
    """What a witness answers at `now` (UTC seconds).

    `logs` maps each known origin to its log's keys, `states` to the newest cosigned checkpoint (none yet: absent).
    """
    try:
        request = read_request(data)
        checkpoint, _ = checkpoints.parse(request.checkpoint)
    except (RequestError, CheckpointError) as error:
        return _refuse(400, str(error))
    origin = checkpoint.origin
    if origin not in logs:
        return _refuse(404, f"the log {origin} is not known here")
    try:
        checkpoints.verify(request.checkpoint, logs[origin], strangers=True)
    except CheckpointError as error:
        return _refuse(403, str(error), origin)
    state = states.get(origin, NOTHING)
    if request.old_size > checkpoint.size:
        return _refuse(400, "the old size is larger than the checkpoint's", origin)
    if request.old_size != state.size:
        return Answer(409, f"{state.size}\n".encode(), "text/x.tlog.size", origin)
    if state.size == checkpoint.size and state.root != checkpoint.root:
        return _refuse(409, "another root was cosigned for this size", origin, alarm=True)
    try:
        merkle.verify_consistency(state.size, state.root, checkpoint.size, checkpoint.root, request.proof)
    except merkle.ProofError as error:
        return _refuse(422, str(error), origin, alarm=True)
    if checkpoint.size == 0 and checkpoint.root != merkle.EMPTY_ROOT:
        return _refuse(422, "the root is not the root of the empty tree", origin, alarm=True)
    lines = [checkpoints.cosign(checkpoint, signer, now).line + "\n" for signer in signers]
    return Answer(200, "".join(lines).encode(), origin=origin, state=State(checkpoint.size, checkpoint.root))


def accept(note: Note, body: bytes, witnesses: Iterable[VerifierKey]) -> Note:
    """The log's side: the note with the valid cosignatures in a witness's answer; strangers' are dropped.

    Raises CheckpointError when a known witness's cosignature does not verify, or the answer is malformed.
    """
    keys = {(key.name, key.id): key for key in witnesses}
    checkpoint: Checkpoint = checkpoints.read_text(note.text)
    try:
        offered = notes.read_signatures(body.decode("utf-8"))
    except (NoteError, UnicodeDecodeError) as error:
        raise CheckpointError(f"the witness's answer is malformed: {error}") from None
    good = []
    for item in offered:
        key = keys.get((item.name, item.id))
        if key is not None:
            checkpoints.verify_cosignature(checkpoint, key, item)
            good.append(item)
    return note.with_signatures(good)


def _refuse(status: int, sentence: str, origin: str | None = None, *, alarm: bool = False) -> Answer:
    return Answer(status, f"{sentence}\n".encode(), origin=origin, alarm=alarm)
