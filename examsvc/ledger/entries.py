"""Log entries: their bytes, and the closed vocabulary that says which there are.

    entry = JCS({"v": 1, "n": index, "x": competition, "type": …, "t": UTC seconds, "by": actor code, "body": {…}})

The vocabulary stands in `examsvc.ledger.vocabulary`, one module for each part of a competition; this module gathers
it and holds bodies and committed objects against it. `docs/formats/entries.md` is the same
vocabulary for people. An unknown type is an error: an append-only log cannot be repaired later.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from examsvc.ledger import canonical, fields, merkle
from examsvc.ledger.definitions import EntryType, ObjectType
from examsvc.ledger.fields import FieldError
from examsvc.ledger.vocabulary import (
    appeals,
    applications,
    course,
    defence,
    draws,
    installation,
    marking,
    papers,
    people,
    results,
    sittings,
)

VERSION = 1
MAX_ENTRY_BYTES = 65_535  # what an entry bundle of c2sp.org/tlog-tiles can hold
SYSTEM = "system"  # the actor of what the clock or a job does


PARTS = (
    installation,
    people,
    course,
    applications,
    draws,
    papers,
    sittings,
    marking,
    defence,
    results,
    appeals,
)
TYPES: Mapping[str, EntryType] = MappingProxyType(
    {word.name: word for part in PARTS for word in part.ENTRIES}
)
OBJECTS: Mapping[str, ObjectType] = MappingProxyType(
    {word.name: word for part in PARTS for word in part.OBJECTS}
)


class EntryError(ValueError):
    """An entry, a body or a committed object does not follow the vocabulary; the message says where."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as read back from its bytes; its body has been checked."""

    index: int
    competition: str
    type: str
    time: int
    actor: str
    body: dict[str, Any]

    @property
    def posts(self) -> tuple[str, ...]:
        """The posts the entry names; none for an entry about the whole log."""
        return tuple(self.body.get("posts", ()))

    @property
    def commitments(self) -> list[tuple[str, str]]:
        """(name of the object, commitment) for every commitment in the body, in the vocabulary's order."""
        return fields.commitments_in(TYPES[self.type].body, self.body)

    @property
    def stage(self) -> str | None:
        """The stage the entry names."""
        return self.body.get("stage")


def entry_type(name: str) -> EntryType:
    """The definition of an entry type; EntryError for a name outside the vocabulary."""
    try:
        return TYPES[name]
    except KeyError:
        raise EntryError(f"{name!r:.80} is not an entry type") from None


def object_type(name: str) -> ObjectType:
    """The definition of a committed object; EntryError for a name outside the vocabulary."""
    try:
        return OBJECTS[name]
    except KeyError:
        raise EntryError(f"{name!r:.80} is not a committed object") from None


def check_body(type: str, body: Mapping[str, object]) -> None:
    """Raise EntryError unless `body` has exactly the fields of `type`, each of its kind, and approvers enough.

    What needs other entries (order, number, roles, the `under` entry's own approvals) is checked by `order`.
    """
    definition = entry_type(type)
    try:
        fields.check_fields(definition.body, dict(body))
    except FieldError as error:
        raise EntryError(f"{type}: {error}") from None
    if definition.approvers:
        approvals: list[dict[str, Any]] = body["approvals"]  # type: ignore[assignment]
        people = {approval["by"] for approval in approvals}
        if len(people) != len(approvals):
            raise EntryError(f"{type}: the same person approved twice")
        if len(people) < definition.approvers:
            raise EntryError(f"{type}: needs {definition.approvers} approvers and has {len(people)}")


def check_object(name: str, value: object) -> None:
    """Raise EntryError unless `value` has exactly the fields of the committed object `name`."""
    definition = object_type(name)
    try:
        fields.check_fields(definition.fields, value)
    except FieldError as error:
        raise EntryError(f"{name}: {error}") from None


def entry_bytes(
    index: int, competition: str, type: str, time: int, actor: str, body: Mapping[str, object]
) -> bytes:
    """Canonical bytes of an entry, checked as `read_entry` would; raises EntryError."""
    check_body(type, body)
    _check_frame(index, competition, time, actor)
    data = canonical.encode(
        {
            "v": VERSION,
            "n": index,
            "x": competition,
            "type": type,
            "t": time,
            "by": actor,
            "body": dict(body),
        }
    )
    if len(data) > MAX_ENTRY_BYTES:
        raise EntryError(f"{type}: the entry has {len(data)} bytes; at most {MAX_ENTRY_BYTES} fit")
    return data


def read_entry(data: bytes) -> Entry:
    """The entry in `data`, read strictly: canonical spelling, known version and type, body as the vocabulary says."""
    try:
        frame = canonical.decode(data, max_bytes=MAX_ENTRY_BYTES)
    except canonical.CanonicalError as error:
        raise EntryError(str(error)) from None
    if not isinstance(frame, dict) or frame.keys() != {"v", "n", "x", "type", "t", "by", "body"}:
        raise EntryError("an entry has exactly the fields v, n, x, type, t, by and body")
    if frame["v"] != VERSION or isinstance(frame["v"], bool):
        raise EntryError(f"version {frame['v']!r:.20} of the entry format is not known here")
    if not isinstance(frame["type"], str):
        raise EntryError("the type of an entry is a name")
    if not isinstance(frame["body"], dict):
        raise EntryError("the body of an entry is an object")
    _check_frame(frame["n"], frame["x"], frame["t"], frame["by"])
    check_body(frame["type"], frame["body"])
    return Entry(frame["n"], frame["x"], frame["type"], frame["t"], frame["by"], frame["body"])


def leaf_hash(entry: bytes) -> bytes:
    """RFC 6962 leaf hash of an entry's bytes: what receipts and proofs speak of."""
    return merkle.leaf_hash(entry)


def _check_frame(index: object, competition: object, time: object, actor: object) -> None:
    checks = (
        ("n", fields.INTEGER, index),
        ("x", fields.CODE, competition),
        ("t", fields.TIME, time),
        ("by", fields.CODE, actor),
    )
    for name, kind, value in checks:
        try:
            kind.check(value)
        except FieldError as error:
            raise EntryError(f"{name}: {error}") from None
