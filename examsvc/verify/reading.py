"""Reads a bundle: every file listed, canonical, in its place. What is wrong is collected, not raised, once the archive is open."""

import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from examsvc.ledger import bundle, canonical, commitments, entries, fields
from examsvc.ledger.bundle import Archive, BundleError, Opened, Save
from examsvc.ledger.definitions import StageKind
from examsvc.ledger.entries import Entry, EntryError
from examsvc.ledger.fields import Field
from examsvc.ledger.order import declared_stages

_MANIFEST = (
    Field("format", fields.CODE, "format of the bundle"),
    Field("competition", fields.CODE, "code of the competition"),
    Field("origin", fields.ORIGIN, "origin of its log"),
    Field("kind", fields.choice(bundle.PUBLIC, bundle.RESTRICTED), "which edition"),
    Field("posts", fields.set_of(fields.CODE), "posts whose results it proves"),
    Field("edition", fields.COUNT, "number of the edition"),
    Field("size", fields.INTEGER, "entries in the log"),
    Field("files", fields.VALUE, "size and SHA-256 of every other file, by name"),
)
SAVES = "saves.jsonl"
_HEX32 = re.compile(r"[0-9a-f]{64}")
_FIXED = {"log/checkpoint", "log/entries.jsonl", "openings.jsonl"}
_OPTIONAL = {"registry/checkpoint", "registry/entries.jsonl"}
_RESTRICTED = {SAVES, "heads.jsonl"}
# the one spelling of a line around its object
_OPENING = re.compile(
    rb'\{"c":"([0-9a-f]{64})","n":(0|[1-9][0-9]{0,14}),"name":"([a-z_.]{1,64})","object":(\{.*\}),"salt":"([0-9a-f]{64})"\}',
    re.DOTALL,
)
_SAVE = re.compile(
    rb'\{"attempt":"([A-Za-z0-9._-]{1,64})","c":"([0-9a-f]{64})","i":([1-9][0-9]{0,14})'
    rb'(?:,"object":(\{.*\}),"salt":"([0-9a-f]{64})")?\}',
    re.DOTALL,
)

_PLAIN_SAVE = re.compile(
    rb'\{"attempt":"([A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?)",(?:"client_time":(0|[1-9][0-9]{0,14}),)?"late":(true|false),'
    rb'"save":"([ !#-\[\]-~]*)","saved_at":(0|[1-9][0-9]{0,14}),"slot":([1-9][0-9]{0,14}),"value":(.*),"version":([1-9][0-9]{0,14})\}',
    re.DOTALL,
)
"""Most saves: canonical but for what `value` holds, and of the fields and kinds that the vocabulary asks for."""
_PLAIN_VALUE = re.compile(rb'\{"([A-Za-z0-9_]{1,100})":"([^"\\\x00-\x1f\x7f]*)"\}')
"""Most answers: one response, one text without an escape."""

NOT_OPENED: Any = object()
"""The value of a save or an opening whose salt and object do not open its commitment."""


class Misfit(str):
    """Stands for the value of a save that does not follow the vocabulary, and says why."""


@dataclass
class Bundle:
    """The contents of a bundle; `problems` are those of form (check V1), `entry_problems` of single entries (V4)."""

    archive: Archive
    manifest: dict[str, Any]
    checkpoint: bytes = b""
    raw_entries: list[bytes] = field(default_factory=list)
    entries: list[Entry | None] = field(default_factory=list)
    registry_checkpoint: bytes | None = None
    raw_registry: list[bytes] = field(default_factory=list)
    registry: list[Entry | None] = field(default_factory=list)
    openings: list[Opened] = field(default_factory=list)
    documents: dict[str, bytes] = field(default_factory=dict)
    outside: dict[str, bytes] = field(default_factory=dict)
    heads: dict[int, dict[str, int]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    entry_problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._by_commitment: dict[str, Any] | None = None
        self._by_type: dict[str, list[Entry]] | None = None
        self._opening_problems: list[str] = []

    @property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return self.archive.digest

    def histories(self) -> Iterator[tuple[str, list[Save]]]:
        """Each attempt with its saves, read as they are asked for: they are most of a bundle and are never all in memory.

        What is wrong with a line goes to `problems` and ends the reading, so V1 is concluded after this.
        """
        if not self.restricted or SAVES not in self.archive.members:
            return
        attempt, saves = "", list[Save]()
        try:
            for line in self.archive.lines(SAVES):
                code, place, save = _save(line)
                if code != attempt:
                    if code < attempt:
                        raise BundleError("the saves are not in order of attempts")
                    if saves:
                        yield attempt, saves
                    attempt, saves = code, []
                if place != len(saves) + 1:
                    raise BundleError("the saves of an attempt are not numbered from 1 without a gap")
                saves.append(save)
        except (BundleError, canonical.CanonicalError) as error:
            self.problems.append(f"{SAVES}: {error}")
        if saves:
            yield attempt, saves

    @property
    def restricted(self) -> bool:
        """Whether this is the restricted edition."""
        return bool(self.manifest["kind"] == bundle.RESTRICTED)

    def of(self, *types: str) -> list[Entry]:
        """The readable entries of these types, in their order."""
        if self._by_type is None:
            self._by_type = defaultdict(list)
            for entry in self.entries:
                if entry is not None:
                    self._by_type[entry.type].append(entry)
        found = [entry for name in types for entry in self._by_type.get(name, ())]
        return sorted(found, key=lambda entry: entry.index) if len(types) > 1 else found

    def opened(self, commitment: str) -> Any:
        """The object behind a commitment, None if this edition does not open it, or not rightly (then V6 says so)."""
        return self._rightly_opened().get(commitment)

    @property
    def opening_problems(self) -> list[str]:
        """Openings that open nothing, or not as the vocabulary says."""
        self._rightly_opened()
        return self._opening_problems

    def _rightly_opened(self) -> dict[str, Any]:
        if self._by_commitment is None:
            self._by_commitment = {}
            committed = {
                (entry.index, commitment): name
                for entry in self.entries
                if entry is not None
                for name, commitment in entry.commitments
            }
            for item in self.openings:
                wrong = _opening_problem(item, committed.get((item.entry, item.commitment)))
                if wrong is None:
                    self._by_commitment[item.commitment] = item.value
                else:
                    self._opening_problems.append(f"entry {item.entry}: {wrong}")
        return self._by_commitment

    def declared_stages(self) -> dict[str, dict[str, frozenset[StageKind]]] | None:
        """Stages of each post with the kinds of their parts, from the pinned regulation; None if it is not readable.

        Only these few fields are read, so that regulations of other releases can be verified too.
        """
        pinned = self.of("regulation.pinned")
        document = self.documents.get(pinned[0].body["digest"]) if pinned else None
        if document is None:
            return None
        try:
            stages = declared_stages(canonical.decode(document))
        except (canonical.CanonicalError, KeyError, TypeError):
            return None
        posts = {post for entry in self.of("notice.published") for post in entry.posts}
        return dict.fromkeys(sorted(posts), stages)


def read(source: bytes | BinaryIO) -> Bundle:
    """The bundle in `source`, which stays open while it is checked; BundleError if it is not readable as one at all."""
    archive = Archive(io.BytesIO(source) if isinstance(source, bytes) else source)
    manifest = _manifest(archive.read(bundle.MANIFEST))
    read_ = Bundle(archive, manifest)
    _check_list(read_)
    for name in archive.members:
        if name == SAVES and read_.restricted:
            continue
        if name != bundle.MANIFEST:
            _read_file(read_, name, archive.read(name))
    if manifest["size"] != len(read_.raw_entries):
        read_.problems.append(
            f"the manifest counts {manifest['size']} entries, the log {len(read_.raw_entries)}"
        )
    return read_


def _opening_problem(item: Opened, name: str | None) -> str | None:
    if name != item.object:
        return f"there is no such commitment to {item.object!r:.40}"
    if item.value is NOT_OPENED:
        return f"salt and object do not open the commitment to {item.object}"
    try:
        entries.check_object(item.object, item.value)
    except EntryError as error:
        return str(error)
    return None


def _manifest(data: bytes) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = canonical.decode(data)
    except canonical.CanonicalError as error:
        raise BundleError(f"the manifest: {error}") from None
    try:
        fields.check_fields(_MANIFEST, manifest)
    except fields.FieldError as error:
        raise BundleError(f"the manifest {error}") from None
    if manifest["format"] != bundle.FORMAT or not isinstance(manifest["files"], dict):
        raise BundleError(f"format {manifest['format']!r:.40} is not known here")
    return manifest


def _check_list(read_: Bundle) -> None:
    listed: dict[str, Any] = read_.manifest["files"]
    files = {name: one for name, one in read_.archive.members.items() if name != bundle.MANIFEST}
    for name in sorted(listed.keys() | files.keys()):
        if name not in files:
            read_.problems.append(f"{name} is listed and not there")
        elif name not in listed:
            read_.problems.append(f"{name} is there and not listed")
        elif listed[name] != {"size": files[name].size, "sha256": files[name].digest}:
            read_.problems.append(f"{name} is not the file that is listed")
    needed = _FIXED | (_RESTRICTED if read_.restricted else set())
    for name in sorted(needed - files.keys()):
        read_.problems.append(f"{name} is missing")
    if len(_OPTIONAL & files.keys()) == 1:
        read_.problems.append("of the registry log, entries and checkpoint come together")


def _read_file(read_: Bundle, name: str, content: bytes) -> None:
    folder, _, rest = name.rpartition("/")
    try:
        if name == "log/checkpoint":
            read_.checkpoint = content
        elif name == "registry/checkpoint":
            read_.registry_checkpoint = content
        elif name == "log/entries.jsonl":
            read_.raw_entries = bundle.split_lines(content)
            read_.entries = _entries(read_, read_.raw_entries, "entry")
        elif name == "registry/entries.jsonl":
            read_.raw_registry = bundle.split_lines(content)
            read_.registry = _entries(read_, read_.raw_registry, "registry entry")
        elif name == "openings.jsonl":
            _openings(read_, content)
        elif name == "heads.jsonl" and read_.restricted:
            _heads(read_, content)
        elif folder == "documents" and _HEX32.fullmatch(rest):
            if read_.archive.members[name].digest != rest:
                read_.problems.append(f"{name} does not have the digest it is named after")
            else:
                read_.documents[rest] = content
        elif folder == "outside" and rest:
            read_.outside[rest] = content
        else:
            read_.problems.append(f"{name} has no place in this edition")
    except (BundleError, canonical.CanonicalError) as error:
        read_.problems.append(f"{name}: {error}")


def _entries(read_: Bundle, lines: list[bytes], what: str) -> list[Entry | None]:
    found: list[Entry | None] = []
    for place, line in enumerate(lines):
        try:
            found.append(entries.read_entry(line))
        except EntryError as error:
            found.append(None)
            read_.entry_problems.append(f"{what} {place}: {error}")
    return found


def _line(data: bytes, names: set[str]) -> dict[str, Any]:
    value = canonical.decode(data)
    if not isinstance(value, dict) or value.keys() != names:
        raise BundleError("a line does not have the fields it should")
    return value


def _openings(read_: Bundle, content: bytes) -> None:
    last: tuple[int, str] = (-1, "")
    for line in bundle.split_lines(content):
        found = _OPENING.fullmatch(line)
        if found is None:
            raise BundleError("an opening has c, n, name, object and salt, each of its kind")
        commitment, index, name, salt = (found[part].decode() for part in (1, 2, 3, 5))
        here = (int(index), commitment)
        if here <= last:
            raise BundleError("the openings are not in ascending order without repetition")
        last = here
        value = canonical.decode(found[4])
        opened = bytes.fromhex(salt)
        if commitments.digest(name, opened, found[4]) != commitment:
            value = NOT_OPENED
        read_.openings.append(Opened(*here, name, opened, value))


def _save(line: bytes) -> tuple[str, int, Save]:
    """(attempt, place, save) of a line. Its object is canonical, and so then is the whole line."""
    found = _SAVE.fullmatch(line)
    if found is None:
        raise BundleError(
            "a save names attempt, place and commitment, and has a salt and an object together or neither"
        )
    attempt, commitment, place, object_, salt = found.groups()
    if object_ is None:
        return attempt.decode(), int(place), Save(commitment.decode())
    value = _saved(object_)
    opened = bytes.fromhex(salt.decode())
    right = commitments.digest("attempt.save", opened, object_) == commitment.decode()
    return attempt.decode(), int(place), Save(commitment.decode(), opened, value if right else NOT_OPENED)


def _saved(data: bytes) -> Any:
    """The object of a save from its canonical bytes, or why it is none (Misfit). CanonicalError."""
    found = _PLAIN_SAVE.fullmatch(data)
    if found is not None:
        attempt, client_time, late, save, saved_at, slot, inner, version = found.groups()
        try:
            value = _plain_value(inner)
        except canonical.CanonicalError:
            pass  # what stands there is no value by itself: read the slow way, which says what is wrong
        else:
            made = {
                "attempt": attempt.decode(),
                "late": late == b"true",
                "save": save.decode(),
                "saved_at": int(saved_at),
                "slot": int(slot),
                "value": value,
                "version": int(version),
            }
            if client_time is not None:
                made["client_time"] = int(client_time)
            return made
    value = canonical.decode(data)
    try:
        entries.check_object("attempt.save", value)
    except EntryError as error:
        return Misfit(error)
    return value


def _plain_value(data: bytes) -> Any:
    found = _PLAIN_VALUE.fullmatch(data)
    if found is not None:
        try:
            text = found[2].decode()
        except UnicodeDecodeError:
            raise canonical.CanonicalError("the text is not UTF-8") from None
        if text.isascii() or unicodedata.is_normalized("NFC", text):
            return {found[1].decode(): text}
    if data.count(b"{") + data.count(b"[") >= canonical.MAX_DEPTH:
        raise canonical.CanonicalError("the value may be nested too deeply inside its save")
    return canonical.decode(data)


def _heads(read_: Bundle, content: bytes) -> None:
    last = -1
    for data in bundle.split_lines(content):
        value = _line(data, {"n", "links"})
        if type(value["n"]) is not int or value["n"] <= last or not isinstance(value["links"], list):
            raise BundleError("heads are in order of their entries")
        last = value["n"]
        counts: dict[str, int] = {}
        for row in value["links"]:
            if (
                not isinstance(row, list)
                or len(row) != 2
                or not isinstance(row[0], str)
                or type(row[1]) is not int
            ):
                raise BundleError("a head is an attempt and a number of saves")
            if counts and row[0] <= next(reversed(counts)):
                raise BundleError("heads are in ascending order of attempts")
            counts[row[0]] = row[1]
        read_.heads[value["n"]] = counts
